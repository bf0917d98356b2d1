"""Writes one entry into the audit trail, in the transaction of what it is about, and reads them back.

Payments and their steps are entries already: a payment's row says who asked, what, when and from which session.
Everything else that somebody has to answer for is written here. An entry outlives the person it is about: it holds
ids, kinds and figures, and never a name, an address, a document, a secret or free text of a person's.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from core.database import Connection, Pool, in_tenant

NOTE = "select note_audit($1, $2, $3, $4, $5, $6, $7, $8::jsonb)"
READ = """
select id::text, at, what, who::text, about, why, session_id::text, network, details::text
  from audit_entries
 where tenant_id = $1
   and ($2::timestamptz is null or (at, id) < ($2, coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff')::uuid))
   and ($4::text is null or what = $4)
   and ($5::uuid is null or who = $5)
   and ($6::text is null or about = $6)
 order by at desc, id desc
 limit $7
"""


class Act(StrEnum):
    """What can be done that is written down. Stored in audit_entries.what; settings are `setting.<which>`."""

    PERSON_OPENED = "person.opened"
    PERSON_STATUS_SET = "person.status_set"
    PERSON_ROLE_ASKED = "person.role_asked"
    PERSON_ROLE_SET = "person.role_set"
    PROFILE_EDITED = "profile.edited"
    # Somebody named as theirs what is another person's.
    PROFILE_CLAIMED = "profile.claimed"
    CONTACT_CODE_SENT = "contact.code_sent"
    CONTACT_CONFIRMED = "contact.confirmed"
    PEOPLE_SET = "setting.people"
    SESSION_STARTED = "session.started"
    SESSION_REFUSED = "session.refused"
    SESSION_ENDED = "session.ended"
    PASSWORD_PROVED = "session.password_proved"  # noqa: S105  # an act, no password
    DEVICE_FIRST_SEEN = "device.first_seen"
    FACTOR_ENROLLED = "factor.enrolled"
    FACTOR_REMOVED = "factor.removed"
    FACTOR_REFUSED = "factor.refused"
    PASSKEY_COPIED = "passkey.copied"
    RECOVERY_CODES_DRAWN = "recovery_codes.drawn"
    STEPPED_UP = "session.stepped_up"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105  # an act, no password
    PERSONAL_DATA_READ = "personal_data.read"
    TRAIL_READ = "trail.read"
    API_KEY_MADE = "api_key.made"
    API_KEY_ROTATED = "api_key.rotated"
    API_KEY_REVOKED = "api_key.revoked"
    API_KEY_USED = "api_key.used"
    API_KEY_REFUSED = "api_key.refused"
    PAIRING_CODE_MADE = "terminal.code_made"
    TERMINAL_PAIRED = "terminal.paired"
    TERMINAL_CHANGED = "terminal.changed"
    TERMINAL_REVOKED = "terminal.revoked"
    TERMINAL_USED = "terminal.used"
    SEAT_OFFERED = "seat.offered"
    SEAT_TAKEN = "seat.taken"
    SEAT_DECLINED = "seat.declined"
    SEAT_CHANGED = "seat.changed"
    SEAT_ENDED = "seat.ended"
    SEAT_USED = "seat.used"  # a log-in begins to speak for the merchant
    SEAT_ACTED = "seat.acted"
    WEBHOOK_MADE = "webhook.made"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105  # an act, no secret
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_REPLAYED = "webhook.replayed"
    WEBHOOK_DISABLED = "webhook.disabled"  # by itself: nobody took anything there
    SINK_BEGUN = "sink.begun"  # a system of the operator's is told from now on
    SINK_REPLAYED = "sink.replayed"
    PROVIDER_SET = "setting.identity_provider"
    QUOTA_SET = "setting.quota"
    LADDER_SET = "setting.ladder"
    NEWS_SENT = "news.sent"
    DELIVERIES_RETRIED = "deliveries.retried"
    EXTERNAL_IDENTITY_LINKED = "external_identity.linked"
    EXTERNAL_IDENTITY_UNLINKED = "external_identity.unlinked"
    EXTERNAL_IDENTITY_USED = "external_identity.used"
    KEY_MADE = "key.made"
    KEY_ROTATED = "key.rotated"
    KEY_DESTROYED = "key.destroyed"
    LOG_REFUSED = "log.refused"  # by a witness that saw another one
    PRIVACY_SET = "privacy.set"
    EXPORT_ASKED = "export.asked"
    EXPORT_MADE = "export.made"
    EXPORT_FETCHED = "export.fetched"
    EXPORT_REMOVED = "export.removed"
    CONSENT_GIVEN = "consent.given"
    CONSENT_REVOKED = "consent.revoked"
    DATA_SHARED = "data.shared"
    ERASURE_ASKED = "erasure.asked"
    ERASURE_DONE = "erasure.done"
    REQUEST_MADE = "privacy_request.made"
    REQUEST_ANSWERED = "privacy_request.answered"
    INCIDENT_RECORDED = "incident.recorded"
    RECORD_READ = "record.read"


class By(NamedTuple):
    """Who acts, and from where. All None: the installation itself, a worker or its operator at the command line.

    `network` is the caller's address cut to what names no single person (IPv4 /24, IPv6 /48).
    """

    person_id: str | None = None
    session_id: str | None = None
    network: str | None = None


NOBODY: Final = By()


class Entry(NamedTuple):
    """One entry as it was written. `about` is an id of whatever `what` is about."""

    id: str
    at: datetime
    what: str
    who: str | None
    about: str | None
    why: str | None
    session_id: str | None
    network: str | None
    details: dict[str, Any] | None


async def note(
    connection: Connection,
    tenant_id: int,
    by: By,
    act: Act,
    about: str | None = None,
    why: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry in the connection's transaction: it is there if, and only if, what it tells of is."""
    await connection.execute(
        NOTE,
        tenant_id,
        act.value,
        by.person_id,
        about,
        why,
        by.session_id,
        by.network,
        None if details is None else json.dumps(details),
    )


async def read_trail(
    pool: Pool,
    tenant_id: int,
    limit: int,
    *,
    before: tuple[datetime, str | None] | None = None,
    what: str | None = None,
    who: str | None = None,
    about: str | None = None,
) -> list[Entry]:
    """Entries before a moment (and, of that moment, before an id), newest first."""
    at, id_ = before or (None, None)
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(READ, tenant_id, at, id_, what, who, about, limit)
    return [Entry(*row)._replace(details=json.loads(row["details"] or "null")) for row in rows]

"""A merchant's webhooks: made, listed, changed, given a new secret, removed, by the merchant or an operator.

The secret is shown once and kept sealed, because it signs; a URL may hold a token, and is sealed like it. Every change
is in the audit trail with it, by ids and kinds.
"""

import datetime
import uuid
from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import KeysRefused, KeysUnavailable, NotFound, Refusal
from core.keys.cipher import Cipher
from core.keys.places import WEBHOOK_DESCRIPTION, WEBHOOK_OLD_SECRET, WEBHOOK_SECRET, WEBHOOK_URL
from core.keys.safe import Safe
from core.machines.naming import sealer_of
from core.nouns import EventName
from core.people.persons import PersonStatus, Role
from core.webhooks.signing import OVERLAP_S, draw_secret
from core.webhooks.states import State

# A shop, its bookkeeping, its dashboards, each in production and in test. Each costs every event an answer.
WEBHOOKS_MAX: Final = 10

LOCK_MERCHANT: Final = "select role, status from persons where tenant_id = $1 and id = $2 for no key update"
COUNT: Final = "select count(*) from webhooks where tenant_id = $1 and person_id = $2"
INSERT: Final = """
insert into webhooks (
    tenant_id, id, person_id, url_sealed, description_sealed, secret_sealed, events, accounts, made_by
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
COLUMNS: Final = """
       id::text, person_id::text, url_sealed, description_sealed, secret_sealed, old_secret_sealed, old_secret_until,
       events, accounts, state, made_at, changed_at, failing_since, last_taken_at,
       (select coalesce(sum(accounts.version - one.number), 0)::bigint
          from webhook_cursors as one
          join accounts on accounts.tenant_id = one.tenant_id and accounts.id = one.account_id
         where one.tenant_id = webhooks.tenant_id and one.webhook_id = webhooks.id and one.only_number = 0) as behind,
       (select count(*)::int from webhook_cursors as one
         where one.tenant_id = webhooks.tenant_id and one.webhook_id = webhooks.id and one.is_aside) as asides
"""
READ: Final = f"select {COLUMNS} from webhooks where tenant_id = $1 and id = $2 for no key update"  # noqa: S608
LIST: Final = f"select {COLUMNS} from webhooks where tenant_id = $1 and person_id = $2 order by made_at desc, id desc"  # noqa: S608
# From now on: what was before is asked for by a replay.
FOLLOW: Final = """
insert into webhook_cursors (tenant_id, webhook_id, account_id, number, due_at)
select accounts.tenant_id, $3, accounts.id, accounts.version, case when $5 then null else 'infinity'::timestamptz end
  from accounts
 where accounts.tenant_id = $1 and accounts.person_id = $2 and ($4::bigint[] is null or accounts.id = any ($4))
    on conflict do nothing
"""
COUNT_OWN: Final = "select count(*) from accounts where tenant_id = $1 and person_id = $2 and id = any ($3)"
UNFOLLOW: Final = """
delete from webhook_cursors where tenant_id = $1 and webhook_id = $2 and account_id <> all ($3::bigint[])
"""
CHANGE: Final = """
update webhooks set url_sealed = $3, description_sealed = $4, events = $5, accounts = $6, state = $7, changed_at = $8
 where tenant_id = $1 and id = $2
"""
# Whoever leads a webhook elsewhere, or enables it, wants to see at once whether it works now; what is under way to the
# old place does not count any more.
BEGIN_ANEW: Final = """
update webhooks set fails = 0, failing_since = null, free_at = null, asides_in_row = 0
 where tenant_id = $1 and id = $2
"""
LET_GO_ON: Final = """
update webhook_cursors set due_at = $3, tries = 0, failed_at = null, again_at = null, code = null,
       lease = null, leased_until = null
 where tenant_id = $1 and webhook_id = $2 and not is_aside
"""
HOLD: Final = """
update webhook_cursors set due_at = 'infinity', lease = null, leased_until = null
 where tenant_id = $1 and webhook_id = $2
"""
ROTATE: Final = """
update webhooks set secret_sealed = $3, old_secret_sealed = $4, old_secret_until = $5, changed_at = $6
 where tenant_id = $1 and id = $2
"""
REMOVE: Final = "delete from webhooks where tenant_id = $1 and id = $2"


class Webhook(NamedTuple):
    """A webhook as it may be shown. `events`, `accounts` None: all. `url` None: it cannot be read now.

    `behind`: events of its accounts that it was not told. `asides`: events that were set aside.
    """

    id: str
    person_id: str
    url: str | None
    description: str | None
    old_secret_until: datetime.datetime | None
    events: Sequence[str] | None
    accounts: Sequence[int] | None
    state: State
    made_at: datetime.datetime
    changed_at: datetime.datetime
    failing_since: datetime.datetime | None
    last_taken_at: datetime.datetime | None
    behind: int
    asides: int


class Made(NamedTuple):
    """A webhook and the only sight of its new secret."""

    webhook: Webhook
    secret: str

    def __repr__(self) -> str:
        return f"Made(webhook={self.webhook.id!r}, secret=…)"


class Wish(NamedTuple):
    """What a webhook is to be. `events`, `accounts` None: all. The URL was looked at (core.webhooks.sending)."""

    url: str
    description: str | None = None
    events: Sequence[EventName] | None = None
    accounts: Sequence[int] | None = None


class Change(NamedTuple):
    """What is to be otherwise; None: as it is. `events`, `accounts` empty: all. `is_active`: enable or disable."""

    url: str | None = None
    description: str | None = None
    events: Sequence[EventName] | None = None
    accounts: Sequence[int] | None = None
    is_active: bool | None = None


class Opened(NamedTuple):
    """What it takes to bring something there: where, and the secrets that sign, the newest first."""

    url: str
    secrets: list[str]


async def make_webhook(pool: Pool, keys: Safe, tenant_id: int, merchant: str, wish: Wish, by: By) -> Made:
    """A webhook for this merchant, which is told of what happens from now on.

    Raises NotFound for anybody who is no active merchant, Refusal `too_many_webhooks`, KeysUnavailable.
    """
    cipher = await sealer_of(pool, keys, tenant_id, merchant)
    webhook_id, secret = str(uuid.uuid4()), draw_secret()
    async with in_tenant(pool, tenant_id) as connection:
        await _lock_merchant(connection, tenant_id, merchant)
        if await connection.fetchval(COUNT, tenant_id, merchant) >= WEBHOOKS_MAX:
            raise Refusal("too_many_webhooks")
        await _check_accounts(connection, tenant_id, merchant, wish.accounts)
        await connection.execute(
            INSERT,
            tenant_id,
            webhook_id,
            merchant,
            cipher.seal(*WEBHOOK_URL.at(webhook_id), wish.url),
            cipher.seal(*WEBHOOK_DESCRIPTION.at(webhook_id), wish.description),
            cipher.seal(*WEBHOOK_SECRET.at(webhook_id), secret),
            wish.events,
            wish.accounts,
            by.person_id,
        )
        await connection.execute(FOLLOW, tenant_id, merchant, webhook_id, wish.accounts, True)
        await note(
            connection, tenant_id, by, Act.WEBHOOK_MADE, webhook_id, details=_details(wish.events, wish.accounts)
        )
        row = await _read(connection, tenant_id, webhook_id)
    return Made(_to_webhook(row, cipher), secret)


async def list_webhooks(pool: Pool, keys: Safe, tenant_id: int, merchant: str, by: By) -> list[Webhook]:
    """A merchant's webhooks, newest first. What somebody else is shown of them is written down."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(LIST, tenant_id, merchant)
        if rows and by.person_id != merchant:
            await note(connection, tenant_id, by, Act.PERSONAL_DATA_READ, merchant, details={"webhooks": len(rows)})
    cipher = await _reader_of(keys, tenant_id, merchant) if rows else None
    return [_to_webhook(row, cipher) for row in rows]


async def change_webhook(
    pool: Pool, keys: Safe, tenant_id: int, webhook_id: str, change: Change, by: By, *, whose: str | None = None
) -> Webhook:
    """Change a webhook. Enabled, it goes on where it stopped. `whose`: only this merchant's.

    Raises NotFound, KeysUnavailable.
    """
    merchant = await read_owner(pool, tenant_id, webhook_id, whose)
    cipher = await sealer_of(pool, keys, tenant_id, merchant)
    async with in_tenant(pool, tenant_id) as connection:
        row = await _read(connection, tenant_id, webhook_id, whose)
        accounts = row["accounts"] if change.accounts is None else [*change.accounts] or None
        events = row["events"] if change.events is None else [*change.events] or None
        await _check_accounts(connection, tenant_id, merchant, accounts)
        now = await connection.fetchval("select clock_timestamp()")
        state = _state_after(State(row["state"]), change.is_active)
        url, text = row["url_sealed"], row["description_sealed"]
        if change.url is not None:
            url = cipher.seal(*WEBHOOK_URL.at(webhook_id), change.url)
        if change.description is not None:
            text = cipher.seal(*WEBHOOK_DESCRIPTION.at(webhook_id), change.description)
        await connection.execute(CHANGE, tenant_id, webhook_id, url, text, events, accounts, state, now)
        if change.accounts is not None:
            if accounts is not None:
                await connection.execute(UNFOLLOW, tenant_id, webhook_id, accounts)
            await connection.execute(FOLLOW, tenant_id, merchant, webhook_id, accounts, state is State.ACTIVE)
        if state is not State.ACTIVE:
            await connection.execute(HOLD, tenant_id, webhook_id)
        elif change.url is not None or row["state"] != State.ACTIVE:
            await connection.execute(BEGIN_ANEW, tenant_id, webhook_id)
            await connection.execute(LET_GO_ON, tenant_id, webhook_id, now)
        changed = [name for name, value in change._asdict().items() if value is not None]
        details = {"changed": changed, "state": state.name.lower(), **_details(events, accounts)}
        await note(connection, tenant_id, by, Act.WEBHOOK_CHANGED, webhook_id, details=details)
        row = await _read(connection, tenant_id, webhook_id)
    return _to_webhook(row, cipher)


async def rotate_secret(
    pool: Pool, keys: Safe, tenant_id: int, webhook_id: str, by: By, *, whose: str | None = None
) -> Made:
    """A new secret. The old one signs beside it for a day; one that was replaced before is over. Raises NotFound."""
    merchant = await read_owner(pool, tenant_id, webhook_id, whose)
    cipher = await sealer_of(pool, keys, tenant_id, merchant)
    secret = draw_secret()
    async with in_tenant(pool, tenant_id) as connection:
        row = await _read(connection, tenant_id, webhook_id, whose)
        old = cipher.open(*WEBHOOK_SECRET.at(webhook_id), row["secret_sealed"])
        now = await connection.fetchval("select clock_timestamp()")
        await connection.execute(
            ROTATE,
            tenant_id,
            webhook_id,
            cipher.seal(*WEBHOOK_SECRET.at(webhook_id), secret),
            cipher.seal(*WEBHOOK_OLD_SECRET.at(webhook_id), old or secret),
            now + datetime.timedelta(seconds=OVERLAP_S),
            now,
        )
        await note(connection, tenant_id, by, Act.WEBHOOK_SECRET_ROTATED, webhook_id)
        row = await _read(connection, tenant_id, webhook_id)
    return Made(_to_webhook(row, cipher), secret)


async def remove_webhook(
    pool: Pool, keys: Safe, tenant_id: int, webhook_id: str, by: By, *, whose: str | None = None
) -> Webhook:
    """Remove a webhook, with how far it came and what was tried; as it was. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await _read(connection, tenant_id, webhook_id, whose)
        await connection.execute(REMOVE, tenant_id, webhook_id)
        await note(connection, tenant_id, by, Act.WEBHOOK_REMOVED, webhook_id)
    return _to_webhook(row, await _reader_of(keys, tenant_id, row["person_id"]))


async def open_webhook(
    pool: Pool, keys: Safe, tenant_id: int, webhook_id: str, at: datetime.datetime, *, whose: str | None = None
) -> Opened:
    """Where it is and what signs. Raises NotFound, KeysUnavailable."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await _read(connection, tenant_id, webhook_id, whose)
    until = row["old_secret_until"]
    old = row["old_secret_sealed"] if until is not None and until > at else None
    cipher = await keys.one(tenant_id, row["person_id"])
    opened = unseal(cipher, webhook_id, row["url_sealed"], row["secret_sealed"], old)
    if opened is None:
        raise NotFound
    return opened


def unseal(cipher: Cipher, webhook_id: str, url: bytes, secret: bytes, old_secret: bytes | None) -> Opened | None:
    """Where it is and what signs; None: nobody can read that any more."""
    plain_url = cipher.open(*WEBHOOK_URL.at(webhook_id), url)
    found = (
        cipher.open(*WEBHOOK_SECRET.at(webhook_id), secret),
        cipher.open(*WEBHOOK_OLD_SECRET.at(webhook_id), old_secret),
    )
    if plain_url is None or found[0] is None:
        return None
    return Opened(plain_url, [one for one in found if one is not None])


async def read_owner(pool: Pool, tenant_id: int, webhook_id: str, whose: str | None = None) -> str:
    """The merchant whose it is. Raises NotFound, also when it is not `whose`."""
    async with in_tenant(pool, tenant_id) as connection:
        owner: str = (await _read(connection, tenant_id, webhook_id, whose))["person_id"]
    return owner


def _state_after(state: State, is_active: bool | None) -> State:
    if is_active is None:
        return state
    if is_active:
        return State.ACTIVE
    return State.STOPPED if state is State.ACTIVE else state


def _details(events: Sequence[str] | None, accounts: Sequence[int] | None) -> dict[str, object]:
    return {"events": events and [*events], "accounts": accounts and [*accounts]}


async def _lock_merchant(connection: Connection, tenant_id: int, merchant: str) -> None:
    # Held, so that of two webhooks made at once the later one counts the earlier.
    row = await connection.fetchrow(LOCK_MERCHANT, tenant_id, merchant)
    if row is None or row["role"] != Role.MERCHANT or row["status"] != PersonStatus.ACTIVE:
        raise NotFound


async def _check_accounts(
    connection: Connection, tenant_id: int, merchant: str, accounts: Sequence[int] | None
) -> None:
    if accounts is not None and await connection.fetchval(COUNT_OWN, tenant_id, merchant, accounts) < len(accounts):
        raise Refusal("not_found", field="accounts")


async def _read(connection: Connection, tenant_id: int, webhook_id: str, whose: str | None = None) -> asyncpg.Record:
    row = await connection.fetchrow(READ, tenant_id, webhook_id)
    if row is None or whose not in {None, row["person_id"]}:
        raise NotFound
    return row


async def _reader_of(keys: Safe, tenant_id: int, merchant: str) -> Cipher | None:
    """Whoever has to act does not wait for a key service: what cannot be read now is not shown."""
    try:
        return await keys.one(tenant_id, merchant)
    except (KeysUnavailable, KeysRefused):
        return None


def _to_webhook(row: asyncpg.Record, cipher: Cipher | None) -> Webhook:
    id_ = row["id"]
    return Webhook(
        id_,
        row["person_id"],
        None if cipher is None else cipher.open(*WEBHOOK_URL.at(id_), row["url_sealed"]),
        None if cipher is None else cipher.open(*WEBHOOK_DESCRIPTION.at(id_), row["description_sealed"]),
        row["old_secret_until"],
        row["events"],
        row["accounts"],
        State(row["state"]),
        row["made_at"],
        row["changed_at"],
        row["failing_since"],
        row["last_taken_at"],
        row["behind"],
        row["asides"],
    )

"""Real holes, to be planted one at a time: what somebody might get wrong one day, in SQL and in the hub.

Each names the commands that lead to it, for those who have not the time to walk everywhere.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from core.database import Pool
from core.migrate import SQL

INVOKER: Final = "security invoker"
DEFINER: Final = "security definer set search_path = payhub, pg_temp"
OWNED: Final = ("owner to payhub_owner", "owner to payhub_ledger")


class Hole(NamedTuple):
    """A planted hole. `file` and `changes`: a function of core/sql that is changed; `statements`: anything else in SQL.

    Without either it is one of the hub's own (tests/hub/walling/leaky.py).
    """

    name: str
    commands: frozenset[str]
    file: str = ""
    changes: tuple[tuple[str, str], ...] = ()
    statements: tuple[str, str] = ("", "")
    is_near: bool = False

    @property
    def is_the_hubs(self) -> bool:
        """Whether a hub has to be told to have it."""
        return not self.changes and not self.statements[0]

    @property
    def costs_hashes(self) -> bool:
        """Whether each try costs a hub the hash of a password."""
        return self.commands <= {"Register", "LogIn"}


def _of(*commands: str) -> frozenset[str]:
    return frozenset(commands)


HOLES: Final = (
    Hole(
        "an account is read without its tenant",
        _of("ReadAccount", "ReadBalance", "ReadHistory", "Follow"),
        "read_account",
        (
            (INVOKER, DEFINER),
            OWNED,
            ("accounts.tenant_id = p_tenant and accounts.id", "accounts.tenant_id in ({tenants}) and accounts.id"),
        ),
    ),
    Hole(
        "a payment is read without its tenant",
        _of("ReadPayment", "Refund", "Reverse", "Capture"),
        "read_payments",
        (
            (INVOKER, DEFINER),
            OWNED,
            ("payments.tenant_id = p_tenant and payments.id", "payments.tenant_id in ({tenants}) and payments.id"),
        ),
    ),
    Hole(
        "a floor is set without its tenant",
        _of("SetFloor"),
        "set_floor",
        (("accounts.tenant_id = p_tenant and accounts.id", "accounts.tenant_id in ({tenants}) and accounts.id"),),
    ),
    Hole(
        "a payment in doubt is settled by its id alone",
        _of("Resume", "Settle"),
        "settle_payments",
        (
            # The asker's own fence is found as well: whichever comes last is told.
            (
                "payments.tenant_id = p_tenant and payments.id = any (p_ids)",
                "payments.tenant_id in ({tenants}) and payments.id = any (p_ids) order by payments.tenant_id desc",
            ),
        ),
    ),
    Hole(
        "a payee is found in any tenant",
        _of("Pay", "Authorize", "Link", "DryRun"),
        "post_payments",
        (("accounts.tenant_id = wanted.tenant_id and accounts.id = wanted.id", "accounts.id = wanted.id"),),
    ),
    Hole(
        "an account is put under anybody's terms",
        _of("PutUnderTerms"),
        "put_under_terms",
        (("terms.tenant_id = p_tenant and terms.id", "terms.tenant_id in ({tenants}) and terms.id"),),
    ),
    Hole(
        "a payee is listed who is another tenant's",
        _of("ListPayee"),
        "list_payee",
        (("accounts.tenant_id = p_tenant and accounts.id = p_payee", "accounts.id = p_payee"),),
    ),
    Hole(
        "a refresh token opens any tenant",
        _of("RefreshTokens"),
        "rotate_refresh_token",
        (
            ("refresh_tokens.tenant_id = p_tenant and refresh_tokens.hash", "refresh_tokens.hash"),
            ("persons.tenant_id = p_tenant", "persons.tenant_id = v_session.tenant_id"),
            ("sessions.tenant_id = p_tenant", "sessions.tenant_id = v_session.tenant_id"),
            ("values (p_tenant,", "values (v_session.tenant_id,"),
        ),
    ),
    Hole(
        "a payment's id is unique for all tenants",
        _of("Pay", "Authorize", "Refund"),
        statements=(
            "create unique index one_for_all on payhub.payments (id) where tenant_id in ({tenants})",
            "drop index payhub.one_for_all",
        ),
    ),
    Hole(
        "a login is unique for all tenants",
        _of("Register"),
        statements=(
            "create unique index one_for_all on payhub.credentials (login) where tenant_id in ({tenants})",
            "drop index payhub.one_for_all",
        ),
    ),
    Hole(
        "a schedule's id is unique for all tenants",
        _of("CreateSchedule"),
        statements=(
            "create unique index one_for_all on payhub.schedules (id) where tenant_id in ({tenants})",
            "drop index payhub.one_for_all",
        ),
    ),
    Hole("a charge is looked for everywhere", _of("ReadCharge", "ReadQr", "CancelCharge", "ReadCode")),
    Hole("a schedule is looked for everywhere", _of("ReadSchedule", "PauseSchedule")),
    Hole("a name is looked for everywhere", _of("FindPayee")),
    Hole("a person is looked for everywhere", _of("ReadPerson")),
    Hole("a login is looked for everywhere", _of("LogIn")),
    Hole("a dispute is remembered without its tenant", _of("ReadDispute", "ReadEvidence")),
    Hole("a refusal tells that it is another tenant's", _of("ReadAccount", "ReadBalance", "Follow")),
    Hole("a header names the tenant", _of("ReadAccounts", "ReadBulks", "ReadDisputes", "ReadTerms", "ReadRules")),
    Hole("words are found in every tenant", _of("FindAccounts")),
    Hole("an alert is told to every operator", _of("ReadAlerts")),
    Hole("everybody may use every account", _of("ReadAccount", "ReadBalance", "ReadHistory"), is_near=True),
    Hole("a schedule is anybody's", _of("ReadSchedule", "CancelSchedule"), is_near=True),
    Hole("a page begins at anybody's bulk", _of("ReadBulks"), is_near=True),
)


@asynccontextmanager
async def planted(hole: Hole, admins: Sequence[Pool], switch: Path, tenants: Sequence[int]) -> AsyncIterator[None]:
    """Both worlds with the hole, as a release would bring it to both.

    `tenants`: those who are here for it. Walkers who were here before have ids of the others for their own in both worlds.
    """
    text = (SQL / "functions" / f"{hole.file}.sql").read_text() if hole.file else ""
    changed, listed = text, ", ".join(map(str, tenants))
    for old, new in hole.changes:
        assert old in changed, f"{hole.file} has no {old!r} any more"
        changed = changed.replace(old, new.replace("{tenants}", listed))
    for admin in admins:
        await admin.execute(changed or hole.statements[0].replace("{tenants}", listed) or "select 1")
    _turn(switch, hole.name if hole.is_the_hubs else "")
    try:
        yield
    finally:
        _turn(switch, "")
        for admin in admins:
            await admin.execute(text or hole.statements[1] or "select 1")


def _turn(switch: Path, name: str) -> None:
    switch.write_text(name)

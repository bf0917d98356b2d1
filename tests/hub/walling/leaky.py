"""A hub with holes that are opened and closed from outside: `python -m tests.hub.walling.leaky SWITCH serve`.

The file SWITCH holds the name of the one that is open. It is the hub of the release but for those.
"""

import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

import payhub
from core.bulk import bulks as core_bulks
from core.errors import CredentialsRefused, NotFound
from core.ledger import recalling as core_recalling
from core.ledger.reading import read_versions
from core.payments import charges, dispute_evidence, disputes, schedules
from core.people import credentials, knowing, persons
from hub import connection, entering, http
from hub.commands import following, reading, scheduling
from hub.commands.refusal import CommandRefused
from hub.session import Session

SWITCH: Final = Path(sys.argv.pop(1))
TENANTS: Final = range(1, 12)


def is_open(name: str) -> bool:
    """Whether this hole is the one."""
    return SWITCH.read_text() == name


def _look_everywhere(name: str, find: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def found(pool: Any, keys: Any, tenant_id: int, *more: Any, **named: Any) -> Any:
        try:
            return await find(pool, keys, tenant_id, *more, **named)
        except (NotFound, CredentialsRefused):
            if not is_open(name):
                raise
        for other in TENANTS:
            try:
                return await find(pool, keys, other, *more, **named)
            except (NotFound, CredentialsRefused):
                continue
        raise NotFound

    return found


charges.read_charge = _look_everywhere("a charge is looked for everywhere", charges.read_charge)  # type: ignore[assignment]
schedules.read_schedule = _look_everywhere("a schedule is looked for everywhere", schedules.read_schedule)  # type: ignore[assignment]
vars(reading)["read_payee_name"] = _look_everywhere("a name is looked for everywhere", persons.read_payee_name)


_knock = entering._knock


async def _knock_everywhere(call: Any, slug: str, login: str, device: str | None) -> Any:
    tenant, known = await _knock(call, slug, login, device)
    if is_open("a login is looked for everywhere"):
        for other in TENANTS:
            if await credentials.find_person(call.context.pool, call.context.keys, other, login) is not None:
                return tenant._replace(id=other), known
    return tenant, known


entering._knock = _knock_everywhere

_read_dispute = disputes.read_dispute
_disputes: dict[str, Any] = {}


async def _read_dispute_once(pool: Any, keys: Any, tenant_id: int, actor: Any, dispute_id: str) -> Any:
    if dispute_id not in _disputes or not is_open("a dispute is remembered without its tenant"):
        _disputes[dispute_id] = await _read_dispute(pool, keys, tenant_id, actor, dispute_id)
    return _disputes[dispute_id]


disputes.read_dispute = _read_dispute_once
_list_evidence = dispute_evidence.list_evidence


async def _list_what_is_there(*asked: Any) -> Any:
    try:
        return await _list_evidence(*asked)
    except NotFound:
        if is_open("a dispute is remembered without its tenant"):
            return []
        raise


dispute_evidence.list_evidence = _list_what_is_there  # type: ignore[assignment]

_seen_account = reading.seen_account


async def _tell_whose(context: Any, session: Any, account_id: int) -> Any:
    try:
        return await _seen_account(context, session, account_id)
    except CommandRefused as error:
        if is_open("a refusal tells that it is another tenant's"):
            versions = await read_versions(context.pool, [(tenant, account_id) for tenant in TENANTS])
            if any(version is not None for version in versions):
                raise CommandRefused(error.code, "It belongs to somebody else.", field=error.field) from None
        raise


reading.seen_account = _tell_whose
vars(following)["seen_account"] = _tell_whose

_headers: ContextVar[dict[str, str]] = ContextVar("headers", default={})  # noqa: B039  # it is replaced, never changed
_authorization = http._authorization
_speaker: Callable[[Session], Any] = vars(Session)["speaker"].fget


def _remember_headers(request: Any) -> tuple[str, str]:
    _headers.set(dict(request.headers))
    return _authorization(request)


def _speaker_of_header(session: Session) -> Any:
    speaker = _speaker(session)
    told = _headers.get().get("x-tenant-id", "")
    return speaker._replace(tenant_id=int(told)) if told.isdigit() and is_open("a header names the tenant") else speaker


http._authorization = _remember_headers
Session.speaker = property(_speaker_of_header)  # type: ignore[assignment,method-assign]

_find_accounts = core_recalling.find_accounts


async def _find_everywhere(pool: Any, tenant_id: int, *more: Any) -> Any:
    found = await _find_accounts(pool, tenant_id, *more)
    if is_open("words are found in every tenant"):
        for other in TENANTS:
            found += await _find_accounts(pool, other, *more) if other != tenant_id else []
    return found


core_recalling.find_accounts = _find_everywhere  # type: ignore[assignment]

_tell = connection.Connections.tell


def _tell_everybody(self: connection.Connections, tenant_id: int, topic: str, message: Any) -> None:
    everybody = {one.session.speaker.tenant_id for one in self.all if one.session.principal is not None}
    for tenant in everybody if is_open("an alert is told to every operator") else [tenant_id]:
        _tell(self, tenant, topic, message)


connection.Connections.tell = _tell_everybody  # type: ignore[method-assign]

_may_use = Session.may_use


def _may_use_all(self: Session, account: int) -> bool:
    return is_open("everybody may use every account") or _may_use(self, account)


Session.may_use = _may_use_all  # type: ignore[method-assign]

_may_see = Session.may_see


def _may_see_all(self: Session, account: int) -> bool:
    return is_open("everybody may use every account") or _may_see(self, account)


Session.may_see = _may_see_all  # type: ignore[method-assign]
knowing.read_person = _look_everywhere("a person is looked for everywhere", knowing.read_person)  # type: ignore[assignment]

_own_schedule = scheduling._own


async def _anybodys(context: Any, session: Any, schedule_id: str) -> Any:
    if is_open("a schedule is anybody's"):
        return await schedules.read_schedule(context.pool, context.keys, session.speaker.tenant_id, schedule_id)
    return await _own_schedule(context, session, schedule_id)


scheduling._own = _anybodys

_list_bulks = core_bulks.list_bulks


async def _list_from_anybodys(*asked: Any) -> Any:
    query = core_bulks.LIST_BULKS
    if is_open("a page begins at anybody's bulk"):
        core_bulks.LIST_BULKS = query.replace("and id = $4 and ($2::bigint is null or account = $2)", "and id = $4")
        assert query != core_bulks.LIST_BULKS
    try:
        return await _list_bulks(*asked)
    finally:
        core_bulks.LIST_BULKS = query


core_bulks.list_bulks = _list_from_anybodys  # type: ignore[assignment]
if __name__ == "__main__":
    payhub.main()

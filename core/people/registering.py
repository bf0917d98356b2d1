"""Somebody comes in: by themselves, with what the tenant asks of them, or entered by an operator.

Whoever registers is told nothing about anybody else. A contact or a CPF that is another person's is taken down like
any, its holder is warned, and it stays a statement: nobody but its holder confirms the contact, and no operator can
activate the newcomer with the CPF. So that this does not show, whoever names a CPF by themselves waits until the tenant
has looked at it, whether it is somebody else's or not.

Two things are told. A login that is taken, because it has to be free to be used. And where a tenant lets merchants
begin active, one with another's CNPJ, which is in a public register, sees by waiting that somebody has it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import Refusal, Unavailable
from core.keys.safe import Safe
from core.people.fields import FIELDS, Kind, Value, read_fields
from core.people.opening import Opened, open_person
from core.people.persons import STAFF, PersonStatus, Role
from core.people.profiles import FIND_HOLDER, mark_of, to_state, write
from core.people.settings import read_settings


class Registered(NamedTuple):
    """Somebody new, with one account."""

    person_id: str
    account_id: int
    status: PersonStatus


async def register(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    role: Role,
    name: str,
    login: str | None,
    password: str | None,
    given: Mapping[str, Value],
    by: By,
) -> Registered:
    """Let somebody in who comes by themselves: a customer or a merchant. `by`: nobody yet, from somewhere.

    Raises Conflict (the login is taken), Refusal (a field; `field_missing`), ValueError (name, login, password),
    KeysUnavailable.
    """
    assert role not in STAFF, "nobody makes themselves staff"
    settings = await read_settings(pool, tenant_id)
    values = read_fields(role, given)
    for kind in settings.needs(role):
        if kind not in values:
            raise Refusal("field_missing", field=FIELDS[kind].name)
    status = PersonStatus.ACTIVE
    if settings.begins_pending(role) or Kind.CPF in values or await _is_anothers_cnpj(pool, keys, tenant_id, values):
        status = PersonStatus.PENDING
    return await _open(pool, keys, tenant_id, role, name, login, password, values, status, by)


async def enter(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    role: Role,
    name: str,
    login: str | None,
    password: str | None,
    given: Mapping[str, Value],
    by: By,
) -> Registered:
    """Enter somebody whom an operator knows: active at once, with the documents that were shown.

    Raises as `register`; Refusal `already_held`, and `second_operator_needed` for staff where two have to agree.
    """
    if role in STAFF and (await read_settings(pool, tenant_id)).needs_second_operator:
        raise Refusal("second_operator_needed", field="role")
    values = read_fields(role, given)
    return await _open(pool, keys, tenant_id, role, name, login, password, values, PersonStatus.ACTIVE, by)


async def _is_anothers_cnpj(pool: Pool, keys: Safe, tenant_id: int, values: Mapping[Kind, str]) -> bool:
    if Kind.CNPJ not in values:
        return False
    mark = await mark_of(keys, tenant_id, Kind.CNPJ, values[Kind.CNPJ])
    async with in_tenant(pool, tenant_id) as connection:
        return await connection.fetchrow(FIND_HOLDER, tenant_id, int(Kind.CNPJ), mark) is not None


async def _open(
    pool: Pool,
    keys: Safe,
    tenant_id: int,
    role: Role,
    name: str,
    login: str | None,
    password: str | None,
    values: Mapping[Kind, str],
    status: PersonStatus,
    by: By,
) -> Registered:
    stated = await to_state(keys, tenant_id, values)
    is_own = by.person_id is None

    async def describe(connection: Connection, opened: Opened) -> None:
        person_id = opened.person_id
        who = by._replace(person_id=person_id) if is_own else by
        details: dict[str, Any] = {"role": role.name.lower(), "status": status.name.lower()}
        if stated:
            details["fields"] = [FIELDS[one.kind].name for one in stated]
        await note(connection, tenant_id, who, Act.PERSON_OPENED, person_id, details=details)
        if stated:
            cipher = await keys.one(tenant_id, person_id, create=True)
            try:
                await write(connection, tenant_id, cipher, stated, {}, who, status, is_staffs=not is_own)
            except Refusal as error:
                if is_own and error.code == "already_held":
                    # Two merchants with one CNPJ, at the same moment.
                    raise Unavailable from None
                raise

    opened = await open_person(pool, keys, tenant_id, role, name, login, password, status=status, within=describe)
    return Registered(opened.person_id, opened.account_id, status)

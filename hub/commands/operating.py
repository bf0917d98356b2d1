"""What operators may do: enter people, set overdraft floors."""

from collections.abc import Mapping
from typing import Final

from core.audit.trail import By
from core.people import registering
from core.people.credentials import check_length
from core.people.fields import Value
from core.people.opening import Tenant
from core.people.opening import set_floor as set_floor_in_core
from core.people.persons import Role
from core.people.registering import Registered
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.commands.rights import exceeds
from hub.commands.row import Row
from hub.commands.values import given
from hub.protocol.codes import ErrorCode
from hub.protocol.messages import FloorSet, OpenPerson, PersonOpened, SetFloor
from hub.session import Session


def require_operator(session: Session) -> None:
    """Raises CommandRefused unless the speaker is an operator: for what is changed, a second lock behind the table."""
    if not session.is_operator:
        raise CommandRefused(ErrorCode.FORBIDDEN)


def require_overseer(session: Session) -> None:
    """Raises CommandRefused unless the speaker sees all of the tenant's money: an operator or an auditor."""
    if not session.oversees:
        raise CommandRefused(ErrorCode.FORBIDDEN)


async def open_person(context: Context, session: Session, command: OpenPerson) -> PersonOpened:
    """Enter a person with one account."""
    require_operator(session)
    login = given(command.login)
    password = given(command.password)
    if (login is None) != (password is None):
        raise CommandRefused(ErrorCode.INVALID_FIELD, "Give both login and password, or neither.", field="password")
    role = Role[command.role.upper()]
    if exceeds(session, role):
        raise CommandRefused(ErrorCode.ROLE_EXCEEDS_YOURS, field="role")
    tenant = context.tenants[session.speaker.tenant_id]
    opened = await enter(context, tenant, role, command.name, login, password, {}, session.by)
    return PersonOpened(command.id, opened.person_id, opened.account_id)


async def enter(
    context: Context,
    tenant: Tenant,
    role: Role,
    name: str,
    login: str | None,
    password: str | None,
    fields: Mapping[str, Value],
    by: By,
) -> Registered:
    """Open a person in core. What its rules for names and passwords refuse is the client's to mend.

    `by` an operator, or nobody yet: somebody who registers.
    """
    open_ = registering.register if by.person_id is None else registering.enter
    try:
        if password is not None:
            # Too short or too long comes first: that is what its owner has to hear.
            check_length(password)
            await context.passwords.refuse_weak(password, login or "", name, tenant.slug, tenant.name)
        return await open_(context.pool, context.keys, tenant.id, role, name, login, password, fields, by)
    except ValueError as error:
        field = next((one for one in ("password", "login") if one in str(error)), "name")
        raise CommandRefused(ErrorCode.INVALID_FIELD, str(error), field=field) from None


async def set_floor(context: Context, session: Session, command: SetFloor) -> FloorSet:
    """Change how far below zero an account may go, from the next payment on."""
    require_operator(session)
    await set_floor_in_core(context.pool, session.speaker.tenant_id, command.account, command.floor)
    return FloorSet(command.id, command.account, command.floor)


ROWS: Final = (
    Row(OpenPerson, PersonOpened, open_person, "POST", "/v1/people", 201),
    Row(SetFloor, FloorSet, set_floor, "PUT", "/v1/accounts/{account}/floor"),
)

"""Roles, and what the tenant asks of its people."""

import asyncio
from typing import Any, Final

from core.errors import NotFound
from core.people import roles
from core.people.fields import BY_NAME, FIELDS, Kind
from core.people.persons import Role
from core.people.settings import PeopleSettings, read_settings, set_settings
from hub.commands.context import Context, end_everywhere, restand_everywhere
from hub.commands.operating import require_operator, require_overseer
from hub.commands.refusal import CommandRefused
from hub.commands.rights import exceeds
from hub.commands.row import Row
from hub.commands.values import given, time_of
from hub.protocol import staff
from hub.protocol.codes import ErrorCode
from hub.session import Session


async def set_role(context: Context, session: Session, command: staff.SetRole) -> staff.RoleSet:
    """Give somebody a role, or ask for it where two have to agree."""
    require_operator(session)
    tenant_id, role = session.speaker.tenant_id, Role[command.role.upper()]
    if exceeds(session, role):
        raise CommandRefused(ErrorCode.ROLE_EXCEEDS_YOURS, field="role")
    try:
        given_ = await roles.set_role(context.pool, tenant_id, command.person, role, session.by, given(command.case))
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    asyncio.get_running_loop().call_soon(end_everywhere, context, tenant_id, given_.ended)
    now = given_.before if given_.waits else role
    before = given_.before.name.lower()
    if given_.waits:
        return staff.RoleSet(command.id, command.person, now.name.lower(), before, waits=True)
    return staff.RoleSet(command.id, command.person, now.name.lower(), before)


async def role_requests(context: Context, session: Session, command: staff.ReadRoleRequests) -> staff.RoleRequests:
    """Roles that wait."""
    require_overseer(session)
    found = await roles.list_requests(context.pool, session.speaker.tenant_id)
    return staff.RoleRequests(
        command.id,
        [
            staff.RoleRequestState(one.person_id, one.role.name.lower(), one.asked_by, time_of(one.asked_at))
            for one in found
        ],
    )


async def people_settings(
    context: Context, session: Session, command: staff.ReadPeopleSettings
) -> staff.PeopleSettingsAnswer:
    """What is asked of people."""
    require_overseer(session)
    return _to_answer(command.id, await read_settings(context.pool, session.speaker.tenant_id))


async def set_people_settings(
    context: Context, session: Session, command: staff.SetPeopleSettings
) -> staff.PeopleSettingsAnswer:
    """Change it."""
    require_operator(session)
    tenant_id = session.speaker.tenant_id
    settings = await read_settings(context.pool, tenant_id)
    for name in PeopleSettings._fields:
        value: Any = given(getattr(command, name))
        if value is not None:
            if isinstance(value, list):
                value = tuple(dict.fromkeys(BY_NAME[field].kind for field in value))
            settings = settings._replace(**{name: value})
    await set_settings(context.pool, tenant_id, settings, session.by)
    # What those who are pending may is another thing now.
    asyncio.get_running_loop().call_soon(restand_everywhere, context, tenant_id)
    return _to_answer(command.id, settings)


def _to_answer(id_: int, settings: PeopleSettings) -> staff.PeopleSettingsAnswer:
    return staff.PeopleSettingsAnswer(
        id_,
        settings.customers_begin_pending,
        settings.merchants_begin_pending,
        settings.pending_are_paid,
        settings.pending_pay,
        _names(settings.customers_need),
        _names(settings.merchants_need),
        settings.needs_second_operator,
    )


def _names(kinds: tuple[Kind, ...]) -> list[Any]:
    return [FIELDS[kind].name for kind in kinds]


ROWS: Final[tuple[Row, ...]] = (
    Row(staff.SetRole, staff.RoleSet, set_role, "PUT", "/v1/people/{person}/role"),
    Row(staff.ReadRoleRequests, staff.RoleRequests, role_requests, "GET", "/v1/role-requests"),
    Row(staff.ReadPeopleSettings, staff.PeopleSettingsAnswer, people_settings, "GET", "/v1/settings/people"),
    Row(staff.SetPeopleSettings, staff.PeopleSettingsAnswer, set_people_settings, "PATCH", "/v1/settings/people"),
)

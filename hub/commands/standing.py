"""How people stand: said by operators, and heard by whoever it is about wherever they are connected."""

import asyncio
from typing import Final

from core.errors import NotFound
from core.people.persons import PersonStatus
from core.people.standing import Reason, set_status
from hub.commands.context import Context, end_everywhere, restand_everywhere
from hub.commands.operating import require_operator
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given
from hub.protocol import people
from hub.protocol.codes import ErrorCode
from hub.session import Session


async def set_person_status(
    context: Context, session: Session, command: people.SetPersonStatus
) -> people.PersonStatusSet:
    """Say how somebody stands from now on."""
    require_operator(session)
    tenant_id, status = session.speaker.tenant_id, PersonStatus[command.status.upper()]
    try:
        done = await set_status(
            context.pool, tenant_id, command.person, status, Reason(command.reason), session.by, given(command.case)
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    # On the loop's next turn, so that a failure of theirs is not the command's.
    loop = asyncio.get_running_loop()
    loop.call_soon(end_everywhere, context, tenant_id, done.ended)
    loop.call_soon(restand_everywhere, context, tenant_id, command.person)
    before = done.before.name.lower()
    return people.PersonStatusSet(command.id, command.person, command.status, before)  # type: ignore[arg-type]


ROWS: Final[tuple[Row, ...]] = (
    Row(people.SetPersonStatus, people.PersonStatusSet, set_person_status, "PUT", "/v1/people/{person}/status"),
)

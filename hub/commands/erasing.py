"""A person is erased: what it would meet, and doing it. Sockets of their sessions are closed on every hub."""

import asyncio
from typing import Final

from msgspec import UNSET

from core.errors import NotFound
from core.privacy.duties import Duty
from core.privacy.erasures import Erasure as CoreErasure
from core.privacy.erasures import Outlook, ask_erasure, look_ahead, read_erasure
from core.privacy.obstacles import ADVICE
from hub.commands.context import Context, end_everywhere
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset, time_of, time_or_unset
from hub.protocol import privacy
from hub.protocol.codes import ErrorCode
from hub.session import Session

# The answer leaves before the connection is closed.
CLOSED_AFTER_S: Final = 0.1
ASKED: Final = "the person asked for it"
ASKED_ELSEWHERE: Final = "the person asked an operator for it"


async def erasure(context: Context, session: Session, command: privacy.ReadErasure) -> privacy.ErasureAnswer:
    """What became of an erasure, or what it would meet."""
    person = _whom(session, given(command.person, session.speaker.person_id))
    return await _answer(context, session, command.id, person)


async def erase(context: Context, session: Session, command: privacy.Erase) -> privacy.ErasureAnswer:
    """End the relationship, and erase what may be erased."""
    person = _whom(session, command.person)
    speaker = session.speaker
    is_own = person == speaker.person_id
    try:
        asked = await ask_erasure(
            context.pool,
            context.keys,
            speaker.tenant_id,
            person,
            session.by,
            by_operator=not is_own,
            why=ASKED if is_own else ASKED_ELSEWHERE,
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    if is_own and session.door is None:
        # A request's session is remembered for a while.
        session.end()
    asyncio.get_running_loop().call_later(CLOSED_AFTER_S, end_everywhere, context, speaker.tenant_id, asked.sessions)
    return _to_answer(command.id, person, asked.erasure, Outlook([], asked.erasure.kept))


def _whom(session: Session, person: str) -> str:
    """Oneself; operators may name others. To everybody else, others are not there."""
    if person != session.speaker.person_id and not session.is_operator:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person")
    return person


async def _answer(context: Context, session: Session, id_: int, person: str) -> privacy.ErasureAnswer:
    tenant_id = session.speaker.tenant_id
    known = await read_erasure(context.pool, tenant_id, person)
    if known is not None:
        return _to_answer(id_, person, known, Outlook([], known.kept))
    try:
        return _to_answer(id_, person, None, await look_ahead(context.pool, tenant_id, person))
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None


def _to_answer(id_: int, person: str, known: CoreErasure | None, outlook: Outlook) -> privacy.ErasureAnswer:
    due_on = max((duty.until for duty in outlook.duties), default=None) if known is None else known.due_on
    return privacy.ErasureAnswer(
        id_,
        person,
        "not_asked" if known is None else known.status.name.lower(),
        [
            privacy.ObstacleState(one.code.value, ADVICE[one.code], or_unset(one.account), or_unset(one.about))
            for one in outlook.obstacles
        ],
        [_to_duty(duty) for duty in outlook.duties],
        UNSET if due_on is None else due_on.isoformat(),
        UNSET if known is None else time_of(known.asked_at),
        UNSET if known is None else time_or_unset(known.erased_at),
    )


def _to_duty(duty: Duty) -> privacy.DutyState:
    return privacy.DutyState(duty.code, duty.law, duty.until.isoformat(), duty.tables)


ROWS: Final[tuple[Row, ...]] = (
    Row(privacy.ReadErasure, privacy.ErasureAnswer, erasure, "GET", "/v1/privacy/erasure"),
    Row(privacy.Erase, privacy.ErasureAnswer, erase, "POST", "/v1/privacy/erasure"),
)

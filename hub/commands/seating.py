"""Seats of merchants: people invited to act for one, their rights, their end; and the tokens that they act with."""

from typing import Any, Final

from msgspec import UNSET

from core.errors import CredentialsRefused, NotFound
from core.machines import acting as core_acting
from core.machines import seats as core_seats
from core.machines.acting import OwnSeat
from core.machines.seats import Offer, Seat
from core.people.persons import Role
from hub.commands.context import Context, end_everywhere
from hub.commands.keying import merchant_of, whose
from hub.commands.refusal import CommandRefused
from hub.commands.rights import Effect, right_of
from hub.commands.row import Row
from hub.commands.values import given, or_unset, time_of, time_or_unset, to_time
from hub.protocol import bulks, charges, messages, seats, steps
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import Message
from hub.protocol.scopes import Scope
from hub.protocol.seats import OwnSeatState, SeatState
from hub.session import Session

ONE_OF_THEM: Final = "Name one of their login and an account of theirs."
ENDED: Final = "The session was ended. Log in again."
# What names whoever asked in its own row: nothing has to be written beside it.
NAMING: Final[frozenset[type[Message]]] = frozenset(
    {
        messages.Pay,
        steps.Authorize,
        steps.Capture,
        steps.Void,
        steps.Refund,
        steps.Link,
        charges.CreateCharge,
        bulks.CreateBulk,
        bulks.AddBulkLines,
        bulks.CloseBulk,
    }
)


def witnessed(row: Row) -> Row:
    """The row as both doors carry it out: what somebody in a seat asks for is written down first, or it is not done."""
    if row.scope is None or row.takes in NAMING or right_of(row.takes).effect is Effect.READS:
        return row
    # What a command is about stands first in it, after its number.
    about = row.takes.__struct_fields__[1]

    async def handle(context: Context, session: Session, command: Any) -> Message:
        speaker = session.speaker
        if speaker.actor is not None:
            asked, thing = str(row.takes.__struct_config__.tag), str(getattr(command, about))
            await core_acting.note_act(context.pool, speaker.tenant_id, speaker.session_id, session.by, asked, thing)
        return await row.handle(context, session, command)

    return row._replace(handle=handle)


async def invite_seat(context: Context, session: Session, command: seats.InviteSeat) -> seats.SeatAnswer:
    """Offer a seat. The answer is the same whether or not there is anybody, and so is its time."""
    merchant, tenant_id = merchant_of(session, command.person), session.speaker.tenant_id
    _check_scopes(command.scopes)
    login, account = given(command.login), given(command.account)
    if (login is None) == (account is None):
        raise CommandRefused(ErrorCode.INVALID_FIELD, ONE_OF_THEM, field="login")
    offer = Offer(command.name, command.scopes, login, account)
    try:
        seat = await core_seats.invite(context.pool, context.keys, tenant_id, merchant, offer, session.by)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    context.after(core_seats.tell_invited(context.pool, tenant_id, seat.id))
    return seats.SeatAnswer(command.id, _to_state(seat, {}))


async def list_seats(context: Context, session: Session, command: seats.ReadSeats) -> seats.SeatsAnswer:
    """A merchant's seats."""
    merchant = merchant_of(session, command.person)
    found, names = await core_seats.list_seats(
        context.pool, context.keys, session.speaker.tenant_id, merchant, session.by
    )
    return seats.SeatsAnswer(command.id, [_to_state(seat, names) for seat in found])


async def change_seat(context: Context, session: Session, command: seats.ChangeSeat) -> seats.SeatAnswer:
    """Name a seat, or give it other scopes."""
    tenant_id = session.speaker.tenant_id
    scopes = given(command.scopes)
    if scopes is not None:
        _check_scopes(scopes)
    try:
        seat, names, ended = await core_seats.change_seat(
            context.pool,
            context.keys,
            tenant_id,
            command.seat,
            given(command.name),
            scopes,
            session.by,
            whose=whose(session),
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="seat") from None
    end_everywhere(context, tenant_id, ended)
    return seats.SeatAnswer(command.id, _to_state(seat, names))


async def end_seat(context: Context, session: Session, command: seats.EndSeat) -> seats.SeatAnswer:
    """End a seat."""
    tenant_id = session.speaker.tenant_id
    try:
        seat, names, ended = await core_seats.end_seat(
            context.pool, context.keys, tenant_id, command.seat, session.by, whose=whose(session)
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="seat") from None
    end_everywhere(context, tenant_id, ended)
    return seats.SeatAnswer(command.id, _to_state(seat, names))


async def list_own_seats(context: Context, session: Session, command: seats.ReadOwnSeats) -> seats.OwnSeatsAnswer:
    """What one is invited to, and holds."""
    speaker = session.speaker
    found, names = await core_acting.list_own(context.pool, context.keys, speaker.tenant_id, speaker.person_id)
    return seats.OwnSeatsAnswer(command.id, [_to_own_state(seat, names) for seat in found])


async def accept_seat(context: Context, session: Session, command: seats.AcceptSeat) -> seats.OwnSeatAnswer:
    """Take a seat."""
    tenant_id = session.speaker.tenant_id
    try:
        seat, names = await core_acting.accept(context.pool, context.keys, tenant_id, command.seat, session.by)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="seat") from None
    return seats.OwnSeatAnswer(command.id, _to_own_state(seat, names))


async def leave_seat(context: Context, session: Session, command: seats.LeaveSeat) -> seats.OwnSeatAnswer:
    """Decline, or leave."""
    tenant_id = session.speaker.tenant_id
    try:
        seat, ended = await core_acting.leave_seat(context.pool, tenant_id, command.seat, session.by)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="seat") from None
    end_everywhere(context, tenant_id, ended)
    return seats.OwnSeatAnswer(command.id, _to_own_state(seat, {}))


async def act_in_seat(context: Context, session: Session, command: seats.ActInSeat) -> seats.SeatToken:
    """A token that speaks for the merchant, and says for whom and who speaks."""
    speaker = session.speaker
    try:
        acting = await core_acting.act(context.pool, speaker.tenant_id, command.seat, session.by)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="seat") from None
    except CredentialsRefused:
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED, ENDED) from None
    issued = context.tokens.issue(
        speaker.tenant_id,
        acting.merchant,
        Role.MERCHANT,
        acting.session_id,
        context.now(),
        speaker.door,
        proved_at=speaker.proved_at or None,
        proofs=speaker.proofs,
        scopes=acting.scopes,
        until=acting.expires_at.timestamp(),
        actor=(speaker.person_id, speaker.session_id),
    )
    expires_at = to_time(issued.expires_at * 1_000_000)
    return seats.SeatToken(command.id, issued.token, expires_at, acting.merchant, [*acting.scopes])


def _check_scopes(scopes: list[Scope]) -> None:
    if len({*scopes}) < len(scopes):
        raise CommandRefused(ErrorCode.INVALID_FIELD, "A scope stands twice.", field="scopes")


def _to_state(seat: Seat, names: dict[str, str | None]) -> SeatState:
    # Who was invited is theirs to show, by accepting it.
    holder = seat.holder if seat.accepted_at is not None else None
    return SeatState(
        seat.id,
        seat.person_id,
        [*seat.scopes],
        seat.state,  # type: ignore[arg-type]
        time_of(seat.invited_at),
        time_of(seat.lapses_at),
        or_unset(seat.name),
        time_or_unset(seat.accepted_at),
        or_unset(holder),
        or_unset(None if holder is None else names.get(holder)),
        time_or_unset(seat.ended_at),
        True if holder is not None and seat.ended_by == holder else UNSET,
        UNSET if seat.last_used_on is None else seat.last_used_on.isoformat(),
    )


def _to_own_state(seat: OwnSeat, names: dict[str, str | None]) -> OwnSeatState:
    return OwnSeatState(
        seat.id,
        seat.merchant,
        [*seat.scopes],
        "over" if not seat.lives else "held" if seat.is_held else "invited",
        time_of(seat.invited_at),
        time_of(seat.lapses_at),
        or_unset(names.get(seat.merchant)),
        time_or_unset(seat.accepted_at),
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(seats.InviteSeat, seats.SeatAnswer, invite_seat, "POST", "/v1/seats", 201),
    Row(seats.ReadSeats, seats.SeatsAnswer, list_seats, "GET", "/v1/seats"),
    Row(seats.ReadOwnSeats, seats.OwnSeatsAnswer, list_own_seats, "GET", "/v1/seats/own"),
    Row(seats.ChangeSeat, seats.SeatAnswer, change_seat, "PUT", "/v1/seats/{seat}"),
    Row(seats.EndSeat, seats.SeatAnswer, end_seat, "DELETE", "/v1/seats/{seat}"),
    Row(seats.AcceptSeat, seats.OwnSeatAnswer, accept_seat, "POST", "/v1/seats/{seat}/accept"),
    Row(seats.LeaveSeat, seats.OwnSeatAnswer, leave_seat, "POST", "/v1/seats/{seat}/leave"),
    Row(seats.ActInSeat, seats.SeatToken, act_in_seat, "POST", "/v1/seats/{seat}/act"),
)

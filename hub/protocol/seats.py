"""Seats: people who act for a merchant by their own log-ins; invited, changed, ended; accepted, left, spoken from."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.api_keys import MerchantId
from hub.protocol.fields import UUID_PATTERN, AccountId, Command, Login, Message, Name
from hub.protocol.scopes import Scope

SeatId: TypeAlias = Annotated[str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36)]
SeatScopes: TypeAlias = Annotated[
    list[Scope],
    Meta(min_length=1, max_length=len(Scope), description="What may be done from it for the merchant; each once."),
]


class InviteSeat(Command, frozen=True, tag="invite_seat", gc=False):
    """Merchants: invite somebody to act for you, within scopes, by their own log-in. It lapses after seven days.

    Name one of their `login` and an `account` of theirs. Whether there is anybody is not told: an invitation to nobody
    is answered and listed like any other. `name`: what you call the seat.
    """

    name: Name
    scopes: SeatScopes
    login: Login | UnsetType = UNSET
    account: AccountId | UnsetType = UNSET
    person: MerchantId | UnsetType = UNSET


class ReadSeats(Command, frozen=True, tag="seats", gc=False):
    """A merchant's seats and invitations, newest first; those that ended stand last."""

    person: MerchantId | UnsetType = UNSET


class ChangeSeat(Command, frozen=True, tag="change_seat", gc=False):
    """Call a seat something else, or give it other scopes; by those, all that it opened ends and begins anew."""

    seat: SeatId
    name: Name | UnsetType = UNSET
    scopes: SeatScopes | UnsetType = UNSET


class EndSeat(Command, frozen=True, tag="end_seat", gc=False):
    """End a seat for good, or take an invitation back. What it opened is closed."""

    seat: SeatId


class ReadOwnSeats(Command, frozen=True, tag="own_seats", gc=False):
    """What you are invited to, and then the seats that you hold, each newest first."""


class AcceptSeat(Command, frozen=True, tag="accept_seat", gc=False):
    """Take the seat that you were invited to. From then on the merchant sees your name."""

    seat: SeatId


class LeaveSeat(Command, frozen=True, tag="leave_seat", gc=False):
    """Decline an invitation, which the merchant is not told, or leave a seat; what it opened is closed."""

    seat: SeatId


class ActInSeat(Command, frozen=True, tag="act_in_seat", gc=False):
    """A token that speaks for the seat's merchant, within its scopes; everything done by it names you.

    Ask again for the next one, with a token of your own: it is the same session as long as your log-in lasts, so a live
    socket takes it by `renew`. What you proved lately counts there, too; to prove it anew, step up here and ask again.
    """

    seat: SeatId


class SeatState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A seat as its merchant sees it.

    `pending`: not accepted yet; `lapsed`: it never was. `holder`, `holder_name`: who accepted. `left`: they ended it.
    `name`, and theirs, are left out while personal data cannot be read. `last_used_on`: when it was last spoken from.
    """

    seat: str
    person: str
    scopes: list[str]
    state: Literal["pending", "active", "lapsed", "ended"]
    invited_at: str
    lapses_at: str
    name: str | UnsetType = UNSET
    accepted_at: str | UnsetType = UNSET
    holder: str | UnsetType = UNSET
    holder_name: str | UnsetType = UNSET
    ended_at: str | UnsetType = UNSET
    left: bool | UnsetType = UNSET
    last_used_on: str | UnsetType = UNSET


class OwnSeatState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A seat as whoever was invited to it sees it. `over`: it has ended, lapsed, or was declined or left."""

    seat: str
    merchant: str
    scopes: list[str]
    state: Literal["invited", "held", "over"]
    invited_at: str
    lapses_at: str
    merchant_name: str | UnsetType = UNSET
    accepted_at: str | UnsetType = UNSET


class SeatAnswer(Message, frozen=True, tag="seat_state", gc=False):
    """One seat."""

    id: int
    seat: SeatState


class SeatsAnswer(Message, frozen=True, tag="seat_states", gc=False):
    """A merchant's seats."""

    id: int
    seats: list[SeatState]


class OwnSeatAnswer(Message, frozen=True, tag="own_seat_state", gc=False):
    """One seat of yours, or an invitation to one."""

    id: int
    seat: OwnSeatState


class OwnSeatsAnswer(Message, frozen=True, tag="own_seat_states", gc=False):
    """Your invitations, and the seats that you hold."""

    id: int
    seats: list[OwnSeatState]


class SeatToken(Message, frozen=True, tag="seat_token", gc=False):
    """A token that speaks for `merchant` until `expires_at`, within these scopes. There is no refresh token."""

    id: int
    access_token: str
    expires_at: str
    merchant: str
    scopes: list[str]

    def __repr__(self) -> str:
        return f"SeatToken(id={self.id}, merchant={self.merchant!r}, access_token=…)"


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    InviteSeat,
    ReadSeats,
    ChangeSeat,
    EndSeat,
    ReadOwnSeats,
    AcceptSeat,
    LeaveSeat,
    ActInSeat,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (SeatAnswer, SeatsAnswer, OwnSeatAnswer, OwnSeatsAnswer, SeatToken)

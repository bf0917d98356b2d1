"""Requests to be paid: made, shown as a QR code, paid, cancelled."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from core.payments.brcode import LENGTH_MAX
from hub.protocol.fields import (
    FREE,
    PAGE_LENGTH_MAX,
    PLAIN_TEXT_PATTERN,
    AccountId,
    Amount,
    ChargeId,
    Command,
    Description,
    Message,
)

# A link in a mail is paid within a year, or never.
EXPIRES_IN_S_MAX = 366 * 86_400
# An invoice's number, an order's id, and room for a prefix.
REFERENCE_LENGTH_MAX = 60

Reference: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=REFERENCE_LENGTH_MAX,
        pattern=PLAIN_TEXT_PATTERN,
        extra=FREE,
        description="The payee's own number for it, which no payer sees.",
    ),
]
StatusName: TypeAlias = Literal["open", "paid", "cancelled", "expired"]


class CreateCharge(Command, frozen=True, tag="create_charge", gc=False):
    """Ask to be paid. Without an amount the payer says how much; without `expires_in_s` it does not expire.

    A reusable charge, a poster on the wall, is paid again and again. The same id again gives the charge as it stands.
    """

    charge: ChargeId
    payee: AccountId
    amount: Amount | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    reference: Reference | UnsetType = UNSET
    expires_in_s: Annotated[int, Meta(ge=1, le=EXPIRES_IN_S_MAX)] | UnsetType = UNSET
    reusable: bool | UnsetType = UNSET


class ReadCharge(Command, frozen=True, tag="charge", gc=False):
    """A charge, for whoever has its id. Pay it by a payment to its payee that names it."""

    charge: ChargeId


class ReadCode(Command, frozen=True, tag="read_code", gc=False):
    """The charge behind a scanned QR code: the code's text, or the link."""

    code: Annotated[str, Meta(min_length=1, max_length=LENGTH_MAX)]


class ReadCharges(Command, frozen=True, tag="charges", gc=False):
    """An account's charges, newest first, older than the charge `before`."""

    account: AccountId
    status: StatusName | UnsetType = UNSET
    before: ChargeId | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)] | UnsetType = UNSET


class CancelCharge(Command, frozen=True, tag="cancel_charge", gc=False):
    """Let nobody pay it any more."""

    charge: ChargeId


class ChargeState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A charge as it stands: open, paid, cancelled or expired.

    `code` is the text for its QR code (a BR Code; where the money is no real, the link), `link` its page. In a list
    neither is told. `reference`, `paid_count` and `paid_amount` are the payee's to know.
    """

    charge: str
    payee: int
    status: str
    reusable: bool
    created_at: str
    code: str | UnsetType = UNSET
    link: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    description: str | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    paid_count: int | UnsetType = UNSET
    paid_amount: int | UnsetType = UNSET


class ChargeAnswer(Message, frozen=True, tag="charge_state", gc=False):
    """One charge."""

    id: int
    charge: ChargeState


class ChargesAnswer(Message, frozen=True, tag="charge_states", gc=False):
    """A page of charges, newest first. `next` is the `before` of the next page; none: this was the last."""

    id: int
    account: int
    charges: list[ChargeState]
    next: str | UnsetType = UNSET


FROM_CLIENT: Final[tuple[type[Message], ...]] = (CreateCharge, ReadCharge, ReadCode, ReadCharges, CancelCharge)
FROM_HUB: Final[tuple[type[Message], ...]] = (ChargeAnswer, ChargesAnswer)

"""The later steps of a payment's life, payments that are posted together, and trying without doing."""

import operator
from functools import reduce
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import GROUP_SIZE_MAX, HOLD_LASTS_S_MAX
from hub.protocol.disputes import (
    AnswerDispute,
    ClaimDispute,
    DecideDispute,
    DisputeState,
    OpenDispute,
    WithdrawDispute,
)
from hub.protocol.fields import AccountId, Amount, Command, Description, Message, Metadata, PaymentId
from hub.protocol.messages import Pay


class Authorize(Command, frozen=True, tag="authorize", gc=False):
    """Reserve money of the payer for the payee: it is no longer available, and not the payee's yet.

    `lasts_s`: how long, seven days if not said.
    """

    payment: PaymentId
    payer: AccountId
    payee: AccountId
    amount: Amount
    lasts_s: Annotated[int, Meta(ge=1, le=HOLD_LASTS_S_MAX)] | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


class Capture(Command, frozen=True, tag="capture", gc=False):
    """Payees: take reserved money, all or a part, once or several times; with `final` the rest is let go.

    More than what is left may be taken up to the tip that the payee's terms allow.
    """

    payment: PaymentId
    about: PaymentId
    amount: Amount
    final: bool | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


class Void(Command, frozen=True, tag="void", gc=False):
    """Payees: let go of what is still reserved."""

    payment: PaymentId
    about: PaymentId


class Refund(Command, frozen=True, tag="refund", gc=False):
    """Payees: give back what was paid or captured, or a part of it; never more in sum."""

    payment: PaymentId
    about: PaymentId
    amount: Amount
    description: Description | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


class Reverse(Command, frozen=True, tag="reverse", gc=False):
    """Operators: undo a payment as a whole: the amount, its fee and its shares go back where they came from."""

    payment: PaymentId
    about: PaymentId
    description: Description | UnsetType = UNSET


class Release(Command, frozen=True, tag="release", gc=False):
    """Operators: let a payment through that a rule had set aside for review."""

    payment: PaymentId
    about: PaymentId


class Decline(Command, frozen=True, tag="decline", gc=False):
    """Operators: do not let it through; its money is available to the payer again."""

    payment: PaymentId
    about: PaymentId


STEPS: Final = (Authorize, Capture, Void, Refund, Reverse, Release, Decline)


def _part(command: type[Command]) -> type[Struct]:
    """A command without its correlation id, to stand in a list of them."""
    fields = [
        (field.name, field.type) if field.required else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(command)
        if field.name != "id"
    ]
    return msgspec.defstruct(
        f"{command.__name__}Part",
        fields,
        frozen=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
        gc=False,
        tag_field="type",
        tag=command.__struct_config__.tag,
        module=__name__,
        namespace={"__doc__": command.__doc__},
    )


PARTS: Final = {command: _part(command) for command in (Pay, *STEPS)}
AnyPart: Any = reduce(operator.or_, PARTS.values())
DISPUTE_PARTS: Final = {
    command: _part(command) for command in (OpenDispute, AnswerDispute, DecideDispute, ClaimDispute, WithdrawDispute)
}
AnyTriedPart: Any = reduce(operator.or_, DISPUTE_PARTS.values(), AnyPart)


class Link(Command, frozen=True, tag="link", gc=False):
    """Payments and steps that are posted together, all or none, in this order."""

    parts: Annotated[list[AnyPart], Meta(min_length=1, max_length=GROUP_SIZE_MAX)]


class DryRun(Command, frozen=True, tag="dry_run", gc=False):
    """Try without doing: what each would be answered, and the entries they would make. Nothing is written.

    `linked`: as if they were linked, all or none. A command about a dispute is tried alone.
    """

    parts: Annotated[list[AnyTriedPart], Meta(min_length=1, max_length=GROUP_SIZE_MAX)]
    linked: bool | UnsetType = UNSET


class Outcome(Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of one payment or step, or what would."""

    payment: str
    status: str
    balance: int | UnsetType = UNSET
    number: int | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    fee: int | UnsetType = UNSET
    held: int | UnsetType = UNSET
    rule: int | UnsetType = UNSET
    receipt: bytes | UnsetType = UNSET


class EntryTried(Struct, frozen=True, omit_defaults=True, gc=False):
    """An entry that would be made. Balances and numbers are told of accounts that you may see."""

    account: int
    payment: str
    what: str
    amount: int
    counterparty: int
    hold: int | UnsetType = UNSET
    fee: int | UnsetType = UNSET
    number: int | UnsetType = UNSET
    balance: int | UnsetType = UNSET
    held: int | UnsetType = UNSET


class Linked(Message, frozen=True, tag="linked", gc=False):
    """Whether they were posted, and what became of each: where one was refused, the others are `linked_refused`."""

    id: int
    posted: bool
    payments: list[Outcome]


class Tried(Message, frozen=True, tag="tried", gc=False):
    """What would become of each, and every entry that would be made.

    A dispute's steps have ids of their own, drawn anew when it is done. `dispute`: how it would stand.
    """

    id: int
    payments: list[Outcome]
    entries: list[EntryTried]
    dispute: DisputeState | UnsetType = UNSET


FROM_CLIENT: Final[tuple[type[Message], ...]] = (*STEPS, Link, DryRun)
FROM_HUB: Final[tuple[type[Message], ...]] = (Linked, Tried)

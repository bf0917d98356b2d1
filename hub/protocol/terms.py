"""What accounts are held under: fees, and how large a tip may be."""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import AMOUNT_MAX
from hub.protocol.fields import AccountId, Command, Message, Name

TermsId = Annotated[int, Meta(ge=1, le=9_999, description="A small number that operators choose.")]
# Half of the amount: no honest fee is higher.
Ppm = Annotated[int, Meta(ge=0, le=500_000, description="Parts per million of the amount: 1.5 % is 15000.")]
Fee = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
TipPercent = Annotated[int, Meta(ge=0, le=100, description="How much more than the hold may be captured.")]


class SetTerms(Command, frozen=True, tag="set_terms", gc=False):
    """Operators: write terms. They hold for every account under them, from the next payment on.

    The fee on what an account is paid is `amount * fee_ppm / 1,000,000`, rounded half up, plus `fee_fixed`; at least
    `fee_min`, at most `fee_max`, never more than the amount. `returns_fee`: a refund gives it back in proportion.
    """

    terms: TermsId
    name: Name
    fee_ppm: Ppm | UnsetType = UNSET
    fee_fixed: Fee | UnsetType = UNSET
    fee_min: Fee | UnsetType = UNSET
    fee_max: Fee | UnsetType = UNSET
    returns_fee: bool | UnsetType = UNSET
    tip_percent_max: TipPercent | UnsetType = UNSET


class ReadTerms(Command, frozen=True, tag="terms", gc=False):
    """Operators: all terms."""


class ReadAccountTerms(Command, frozen=True, tag="account_terms", gc=False):
    """The terms that one of your accounts is under: what is kept of what it is paid."""

    account: AccountId


class PutUnderTerms(Command, frozen=True, tag="put_under_terms", gc=False):
    """Operators: put an account under terms, or without `terms` under none."""

    account: AccountId
    terms: TermsId | UnsetType = UNSET


class TermsState(Struct, frozen=True, omit_defaults=True, gc=False):
    """Terms as they stand."""

    terms: int
    name: str
    fee_ppm: int
    fee_fixed: int
    fee_min: int
    returns_fee: bool
    tip_percent_max: int
    fee_max: int | UnsetType = UNSET


class TermsSet(Message, frozen=True, tag="terms_set", gc=False):
    """The terms hold from now on."""

    id: int
    terms: TermsState


class TermsAnswer(Message, frozen=True, tag="terms_states", gc=False):
    """All terms."""

    id: int
    terms: list[TermsState]


class AccountTermsAnswer(Message, frozen=True, tag="account_terms_state", gc=False):
    """The terms of an account. None: nothing is kept."""

    id: int
    account: int
    terms: TermsState | UnsetType = UNSET


class UnderTerms(Message, frozen=True, tag="under_terms", gc=False):
    """The terms that the account is under from now on; none if they are not said."""

    id: int
    account: int
    terms: int | UnsetType = UNSET


FROM_CLIENT: Final[tuple[type[Message], ...]] = (SetTerms, ReadTerms, ReadAccountTerms, PutUnderTerms)
FROM_HUB: Final[tuple[type[Message], ...]] = (TermsSet, TermsAnswer, AccountTermsAnswer, UnderTerms)

"""The clocks of a dispute, as data. Pure: no asyncio, no I/O, no clock.

A profile says how long each side has and what happens when it does nothing. Two are built in; a tenant may change
them or add its own. A clock is exact to the second: what comes at the very end of it is in time, and a day has 24
hours.
"""

import json
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from core.errors import Refusal

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
# The longest time limit that card networks know: 540 days after the payment.
CLOCK_S_MAX = 540 * DAY_S


class Reason(IntEnum):
    """Why a payer wants the money back. Stored in disputes.reason."""

    FRAUD = 0
    NOT_RECEIVED = 1
    NOT_AS_DESCRIBED = 2
    DUPLICATE = 3
    WRONG_AMOUNT = 4
    OTHER = 5


class Lapse(IntEnum):
    """What happens when a clock runs out and nobody has acted."""

    TO_OPERATORS = 0  # it is theirs to act now, and says so until they do
    PAYER_WINS = 1
    PAYEE_WINS = 2  # all but what the payee has offered


class Profile(NamedTuple):
    """The rules of one kind of dispute. Times are seconds.

    `open_s`: from the payment until it can be disputed no longer. `answer_s` and `decide_s`: from the opening until
    the payee must have answered and an operator decided. `claim_s`: from the acceptance until the refund must have
    been claimed; None: accepting claims it. `refund_s`: from the claim until the payer must have the money.
    `collect_s`: from the payment, how long what the payee's account could not give is collected from what comes in.
    """

    name: str
    reasons: tuple[int, ...]
    open_s: int
    answer_s: int
    on_no_answer: int
    decide_s: int
    on_no_decision: int
    claim_s: int | None
    on_no_claim: int
    refund_s: int
    collect_s: int

    def last_opening(self, paid_at: datetime) -> datetime:
        """Until when a payment of that moment can be disputed."""
        return paid_at + timedelta(seconds=self.open_s)

    def collects_until(self, paid_at: datetime, refund_due_at: datetime) -> datetime:
        """Until when what is owed is collected; never shorter than the refund's own clock."""
        return max(paid_at + timedelta(seconds=self.collect_s), refund_due_at)


# Pix' special return mechanism, MED (Resolução BCB nº 1/2020 with the changes of nº 103/2021 and nº 493/2025, and the
# DICT manual): 80 days to complain, 7 days to analyse, 72 hours for the payer's institution to claim the refund, 24
# hours for the payee's to make it; in all 11 days. What the account cannot give is blocked and returned in parts until
# 90 days after the payment. It covers fraud and operational failures, not what buyer and seller disagree about.
# Here both institutions are one: what the payer has not claimed in time, the hub claims.
MED = Profile(
    name="med",
    reasons=(Reason.FRAUD, Reason.DUPLICATE, Reason.WRONG_AMOUNT),
    open_s=80 * DAY_S,
    answer_s=7 * DAY_S,
    on_no_answer=Lapse.TO_OPERATORS,
    decide_s=7 * DAY_S,
    on_no_decision=Lapse.TO_OPERATORS,
    claim_s=72 * HOUR_S,
    on_no_claim=Lapse.PAYER_WINS,
    refund_s=24 * HOUR_S,
    collect_s=90 * DAY_S,
)
# After the card networks' consumer disputes: 120 days to open, 30 days (Visa; Mastercard 45) for the merchant to
# answer or lose in full, 45 days more to decide or the merchant's answer stands. They differ by network, region and
# reason code, so take these as a start and set your own.
CARD = Profile(
    name="card",
    reasons=tuple(Reason),
    open_s=120 * DAY_S,
    answer_s=30 * DAY_S,
    on_no_answer=Lapse.PAYER_WINS,
    decide_s=75 * DAY_S,
    on_no_decision=Lapse.PAYEE_WINS,
    claim_s=None,
    on_no_claim=Lapse.PAYER_WINS,
    refund_s=24 * HOUR_S,
    collect_s=360 * DAY_S,
)
BUILT_IN = {profile.name: profile for profile in (MED, CARD)}


def default_name(currency: str) -> str:
    """The profile of a tenant that has set none: Pix is Brazil's, in reais."""
    return MED.name if currency == "BRL" else CARD.name


def check(profile: Profile) -> Profile:
    """The profile, if it makes sense. Raises Refusal("invalid_field") with the field that does not."""
    if profile.decide_s < profile.answer_s:
        raise Refusal("invalid_field", "A decision is not due before the answer to be decided on.", field="decide_s")
    if profile.collect_s < profile.open_s:
        raise Refusal("invalid_field", "Collecting does not end before the last dispute may open.", field="collect_s")
    return profile


def to_json(profile: Profile) -> str:
    """As it is stored with every dispute that it rules: a change of the profile does not change those."""
    return json.dumps(profile._asdict())


def from_json(text: str) -> Profile:
    """The other way."""
    fields = json.loads(text)
    return Profile(**{**fields, "reasons": tuple(map(Reason, fields["reasons"]))})

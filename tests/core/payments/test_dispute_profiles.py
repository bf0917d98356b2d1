"""The clocks are what their sources say, and come back from the database as they went in."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Refusal
from core.payments.dispute_profiles import (
    BUILT_IN,
    CARD,
    MED,
    Lapse,
    Profile,
    Reason,
    check,
    default_name,
    from_json,
    to_json,
)

PAID_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_med_gives_80_days_7_days_72_hours_and_24_hours_and_11_days_in_all() -> None:
    clocks = [timedelta(seconds=s) for s in (MED.open_s, MED.decide_s, MED.claim_s or 0, MED.refund_s)]
    assert clocks == [timedelta(days=80), timedelta(days=7), timedelta(hours=72), timedelta(hours=24)]
    assert sum(clocks[1:], timedelta()) == timedelta(days=11)
    assert MED.last_opening(PAID_AT) == datetime(2026, 5, 20, 12, tzinfo=UTC)


def test_med_covers_fraud_and_failures_and_no_quarrel_about_goods() -> None:
    assert set(Reason) - set(MED.reasons) == {Reason.NOT_RECEIVED, Reason.NOT_AS_DESCRIBED, Reason.OTHER}


def test_what_is_owed_is_collected_for_90_days_and_never_shorter_than_its_own_clock() -> None:
    early, last = PAID_AT + timedelta(days=20), PAID_AT + timedelta(days=91)
    assert MED.collects_until(PAID_AT, early) == PAID_AT + timedelta(days=90)
    assert MED.collects_until(PAID_AT, last) == last


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=lambda profile: profile.name)
def test_a_profile_survives_being_stored(profile: Profile) -> None:
    assert check(profile) == from_json(to_json(profile)) == profile


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"decide_s": CARD.answer_s - 1}, "decide_s"), ({"collect_s": CARD.open_s - 1}, "collect_s")],
)
def test_clocks_that_contradict_each_other_are_refused(changed: dict[str, int], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        check(Profile(**{**CARD._asdict(), **changed}))
    assert (refused.value.code, refused.value.field) == ("invalid_field", field)


def test_reais_are_disputed_by_the_rules_of_pix() -> None:
    assert (default_name("BRL"), default_name("EUR")) == ("med", "card")
    assert MED.on_no_decision == Lapse.TO_OPERATORS

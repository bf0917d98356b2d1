"""An event is a CloudEvent of version 1.0, the same whenever it is made, and holds nothing that anybody wrote."""

import json
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.nouns import AMOUNT_MAX, BALANCE_MAX, Entry, Kind
from core.sinks.events import (
    RECEIVED,
    SENT,
    AuditEntry,
    Place,
    is_type,
    tell_audit,
    tell_entry,
    tell_paid,
    to_time,
    type_of,
)

SOURCE = "https://pay.example.com/tenants/acme"
PAYMENT = str(uuid.uuid4())
PAID = Entry(763863136699, 42, PAYMENT, -1250, 902929315951, 123750, 1_796_000_000_123_456, None)
PLACE = Place(SOURCE, "BRL", 7, to_time(PAID.judged_at_us))
# CloudEvents 1.0, "Attribute Naming Convention".
NAME = re.compile(r"[a-z0-9]{1,20}")


def test_an_entry_is_a_cloudevent() -> None:
    id_, body = tell_entry(PLACE, PAID, type_of(PAID))
    assert json.loads(body) == {
        "specversion": "1.0",
        "id": "763863136699-42",
        "source": SOURCE,
        "type": "payhub.payment.sent",
        "subject": "763863136699",
        "time": "2026-11-30T00:53:20.123456Z",
        "datacontenttype": "application/json",
        "partitionkey": "763863136699",
        "sequence": "0000000000000000042",
        "data": {
            "account": 763863136699,
            "number": 42,
            "payment": PAYMENT,
            "amount": -1250,
            "counterparty": 902929315951,
            "balance": 123750,
            "currency": "BRL",
            "leaf": 7,
        },
    }
    assert id_ == "763863136699-42"
    assert all(NAME.fullmatch(name) for name in json.loads(body))


@given(
    st.integers(1, BALANCE_MAX),
    st.integers(1, 2**63 - 1),
    st.integers(-AMOUNT_MAX, AMOUNT_MAX).filter(bool),
    st.integers(-BALANCE_MAX, BALANCE_MAX),
    st.text(),
)
def test_a_payment_that_is_nothing_else_is_told_to_the_byte_as_any_entry(
    account: int, number: int, amount: int, balance: int, source: str
) -> None:
    entry = PAID._replace(account=account, number=number, amount=amount, balance=balance)
    place, type_ = PLACE._replace(source=source), SENT if amount < 0 else RECEIVED
    told = tell_paid(place, type_, account, number, entry.payment, amount, entry.counterparty, balance)
    assert told == tell_entry(place, entry, type_)


def test_nothing_that_somebody_wrote_is_in_it() -> None:
    written = PAID._replace(description="rent", metadata='{"a": "rent"}', kind=Kind.AUTHORIZE, amount=0, hold=5, held=0)
    _, body = tell_entry(PLACE, written, type_of(written))
    assert b"rent" not in body
    assert json.loads(body)["data"] | {"hold": 5, "held": 0} == json.loads(body)["data"]
    assert type_of(written) == "payhub.hold.placed"


def test_sequences_follow_each_other_as_text() -> None:
    told = [
        json.loads(tell_entry(PLACE, PAID._replace(number=number), SENT)[1])["sequence"]
        for number in (1, 2, 9, 10, 11, 99, 100, 2**63 - 1)
    ]
    assert told == sorted(told)
    trail = AuditEntry(PAYMENT, 0, "session.started", None, None, None)
    places = [(1, 1), (1, 2), (1, 10), (2, 1), (10, 1)]
    told = [json.loads(tell_audit(SOURCE, trail, *place)[1])["sequence"] for place in places]
    assert told == sorted(told)


def test_an_entry_of_the_trail_is_a_cloudevent() -> None:
    who, session, id_ = (str(uuid.uuid4()) for _ in range(3))
    entry = AuditEntry(id_, 1_796_000_000_000_000, "session.started", who, session, session)
    assert json.loads(tell_audit(SOURCE, entry, 8, 3)[1]) == {
        "specversion": "1.0",
        "id": id_,
        "source": SOURCE,
        "type": "payhub.audit.session.started",
        "subject": session,
        "time": "2026-11-30T00:53:20.000000Z",
        "datacontenttype": "application/json",
        "partitionkey": "audit",
        "sequence": "0000000000000000008-000003",
        "data": {"what": "session.started", "leaf": 8, "who": who, "about": session, "session": session},
    }
    by_itself = json.loads(tell_audit(SOURCE, AuditEntry(id_, 0, "key.made", None, None, None), 8, 3)[1])
    assert by_itself["data"] == {"what": "key.made", "leaf": 8}
    assert "subject" not in by_itself


@pytest.mark.parametrize(
    ("type_", "is_one"),
    [
        ("payhub.payment.sent", True),
        ("payhub.payment.*", True),
        ("payhub.*", True),
        ("payhub.audit.session.started", True),
        ("payhub.audit.*", True),
        ("payhub.audit.setting.limits", True),
        ("payhub.payments.*", False),
        ("payment.sent", False),
        ("*", False),
        ("payhub.payment", False),
        ("", False),
    ],
)
def test_types_are_known(type_: str, is_one: bool) -> None:
    assert is_type(type_) is is_one

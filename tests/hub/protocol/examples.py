"""One example of every message, and the vectors made of them.

`python -m tests.hub.protocol.examples` writes the file. Other languages read it: each row has the message's
name, its value, its JSON text and its msgpack bytes in hex.
"""

import json
from pathlib import Path
from typing import Any

from core.nouns import BALANCE_MAX
from hub.protocol import messages
from hub.protocol.catalogue import FROM_CLIENT
from hub.protocol.codec import CODECS, JSON, MSGPACK
from hub.protocol.fields import Message
from hub.protocol.messages import AccountState, EntryState, SettledPayment
from tests.hub.protocol import (
    examples_of_api_keys,
    examples_of_bulks,
    examples_of_charges,
    examples_of_disputes,
    examples_of_factors,
    examples_of_histories,
    examples_of_notices,
    examples_of_oversight,
    examples_of_people,
    examples_of_privacy,
    examples_of_proofs,
    examples_of_providers,
    examples_of_rules,
    examples_of_schedules,
    examples_of_seats,
    examples_of_sessions,
    examples_of_staff,
    examples_of_steps,
    examples_of_terminals,
    examples_of_terms,
    examples_of_webhooks,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "messages.json"

PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
OTHER = "ffffffff-ffff-4fff-bfff-ffffffffffff"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"
ACCOUNT = AccountState(123456789012, -5, 0, 0, -5000, BALANCE_MAX, "open")

EXAMPLES: tuple[Message, ...] = (
    messages.Authenticate("eyJhbGciOiJFZERTQSJ9.e30.c2ln"),
    messages.Authenticate("eyJhbGciOiJFZERTQSJ9.e30.c2ln", proof="eyJhbGciOiJFUzI1NiJ9.e30.c2ln"),
    messages.Renew(1, "eyJhbGciOiJFZERTQSJ9.e30.c2ln"),
    messages.Pay(2, PAYMENT, 123456789012, 210987654321, 10**13, 'Café 😀 "1" \\ 中'),
    messages.Pay(BALANCE_MAX, PAYMENT, 1, 999_999_999_999, 1),
    messages.ReadAccount(3, 123456789012),
    messages.ReadAccounts(4),
    messages.ReadBalance(5, 123456789012),
    messages.ReadHistory(6, 123456789012, before=77, limit=200),
    messages.ReadHistory(6, 123456789012),
    messages.ReadProfile(7),
    messages.FindPayee(8, 123456789012),
    messages.Follow(9, 123456789012, after=0),
    messages.Follow(9, 123456789012),
    messages.Unfollow(10, 123456789012),
    messages.Acknowledge(123456789012, 65536),
    messages.Resume(11, follow=[(123456789012, 0), (1, BALANCE_MAX)], in_doubt=[PAYMENT, OTHER]),
    messages.Resume(11),
    messages.Ping(0),
    messages.OpenPerson(12, "Padaria São João", "merchant", "padaria", "a long enough password"),
    messages.SetFloor(13, 123456789012, -BALANCE_MAX),
    messages.Welcome(PERSON, "Ana", "customer", "demo", "BRL", [ACCOUNT], AT, AT),
    messages.Welcome(PERSON, "Ana", "merchant", "demo", "BRL", [], AT, AT, status="pending"),
    messages.Renewed(1, AT),
    messages.Paid(2, PAYMENT, "posted", AT, 995, 2),
    messages.Paid(2, PAYMENT, "unknown"),
    messages.AccountAnswer(3, ACCOUNT),
    messages.AccountsAnswer(4, [ACCOUNT, ACCOUNT]),
    messages.BalanceAnswer(5, 123456789012, -5, 40, 0, 3),
    messages.HistoryAnswer(
        6,
        123456789012,
        [
            EntryState(3, PAYMENT, "payment.sent", -5, 1, -5, AT, "x"),
            EntryState(2, OTHER, "payment.received", 5, 1, 0, AT),
        ],
        2,
    ),
    messages.ProfileAnswer(7, PERSON, "Ana", "customer", "demo", "BRL"),
    messages.PayeeAnswer(8, 123456789012, "Padaria São João"),
    messages.Following(9, 123456789012, 0, 3, -5),
    messages.Unfollowed(10, 123456789012),
    messages.Event(123456789012, 4, PAYMENT, "payment.received", 5, 210987654321, 0, AT, "😀"),
    messages.Event(
        123456789012,
        5,
        OTHER,
        "hold.captured",
        -5,
        210987654321,
        0,
        AT,
        about=PAYMENT,
        charge=OTHER,
        hold=-7,
        held=0,
        fee=1,
        metadata={"order": "17 é"},
    ),
    messages.Resumed(11, [SettledPayment(PAYMENT, "posted", AT, 1, 2), SettledPayment(OTHER, "fenced", AT)], [ACCOUNT]),
    messages.Pong(0, AT),
    messages.PersonOpened(12, PERSON, 123456789012),
    messages.FloorSet(13, 123456789012, -BALANCE_MAX),
    messages.Draining(1500),
    messages.Refused("rate_limited", "Too many requests.", id=2, retry_after_ms=40),
    messages.Refused("invalid_field", "Expected `int`.", id=2, field="amount"),
    messages.Refused("clock_skewed", "Your clock is wrong.", at=AT),
    *examples_of_steps.EXAMPLES,
    *examples_of_charges.EXAMPLES,
    *examples_of_bulks.EXAMPLES,
    *examples_of_schedules.EXAMPLES,
    *examples_of_disputes.EXAMPLES,
    *examples_of_rules.EXAMPLES,
    *examples_of_terms.EXAMPLES,
    *examples_of_proofs.EXAMPLES,
    *examples_of_histories.EXAMPLES,
    *examples_of_sessions.EXAMPLES,
    *examples_of_notices.EXAMPLES,
    *examples_of_factors.EXAMPLES,
    *examples_of_api_keys.EXAMPLES,
    *examples_of_terminals.EXAMPLES,
    *examples_of_seats.EXAMPLES,
    *examples_of_webhooks.EXAMPLES,
    *examples_of_providers.EXAMPLES,
    *examples_of_people.EXAMPLES,
    *examples_of_staff.EXAMPLES,
    *examples_of_privacy.EXAMPLES,
    *examples_of_oversight.EXAMPLES,
)


def from_client() -> tuple[Message, ...]:
    return tuple(one for one in EXAMPLES if isinstance(one, FROM_CLIENT))


def to_row(message: Message) -> dict[str, Any]:
    text = CODECS[JSON].encode(message).decode()
    return {
        "name": type(message).__name__,
        "from": "client" if isinstance(message, FROM_CLIENT) else "hub",
        "value": json.loads(text),
        "json": text,
        "msgpack": CODECS[MSGPACK].encode(message).hex(),
    }


if __name__ == "__main__":
    rows = ",\n".join(json.dumps(to_row(message), ensure_ascii=False) for message in EXAMPLES)
    VECTORS.parent.mkdir(exist_ok=True)
    VECTORS.write_text(f"[\n{rows}\n]\n")

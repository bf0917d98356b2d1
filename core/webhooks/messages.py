"""What a webhook says: an event of an account, as the hub tells it. Pure.

What was written beside a payment is not in it: it is sealed under its author's key, and what leaves here stays in
others' logs for as long as they like. Whoever may see it asks for the payment.
"""

import uuid
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from core.nouns import Entry, what_happened

# The same event has the same id whenever and wherever it is brought, so that a receiver knows it again.
EVENTS: Final = uuid.UUID("5f0d5c0e-6f0a-5a57-9c1f-2b8f2f0f7a11")
TEST: Final = "webhook.test"


class Told(Struct, frozen=True, omit_defaults=True, gc=False):
    """An event. Amounts in minor units; `balance` after it; `about`: the payment whose later step it is."""

    account: int
    number: int
    payment: str
    amount: int
    counterparty: int
    balance: int
    at: str
    about: str | UnsetType = UNSET
    charge: str | UnsetType = UNSET
    hold: int | UnsetType = UNSET
    held: int | UnsetType = UNSET
    fee: int | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class Message(Struct, frozen=True, omit_defaults=True, gc=False):
    """What is sent. `after_gap`: the event before this one was refused too often and waits beside the stream.

    `out_of_order`: this one comes beside the stream, because somebody asked for it again.
    """

    type: str
    timestamp: str
    data: Told | dict[str, Any]
    after_gap: bool = False
    out_of_order: bool = False


def message_of(entry: Entry, *, after_gap: bool = False, out_of_order: bool = False) -> bytes:
    """The body that tells of an entry."""
    at = _to_time(entry.judged_at_us)
    told = Told(
        entry.account,
        entry.number,
        entry.payment,
        entry.amount,
        entry.counterparty,
        entry.balance,
        at,
        entry.subject or UNSET,
        entry.charge or UNSET,
        entry.hold or UNSET,
        UNSET if entry.held is None else entry.held,
        entry.fee or UNSET,
        UNSET if entry.metadata is None else msgspec.json.decode(entry.metadata),
    )
    return msgspec.json.encode(Message(what_happened(entry), at, told, after_gap, out_of_order))


def test_message(webhook_id: str, at: datetime) -> bytes:
    """A body that tells of nothing."""
    when = _to_time(int(at.timestamp() * 1_000_000))
    return msgspec.json.encode(Message(TEST, when, {"webhook": webhook_id}))


def event_id(tenant_id: int, account: int, number: int) -> str:
    """The id of an event: the `webhook-id` header."""
    return str(uuid.uuid5(EVENTS, f"{tenant_id}/{account}/{number}"))


def _to_time(us: int) -> str:
    at = datetime.fromtimestamp(us // 1_000_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{us % 1_000_000:06d}Z"

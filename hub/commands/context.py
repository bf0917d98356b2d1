"""What every handler is given: the hub's parts, put together once at start."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias

from msgspec import UNSET

from core.database import Pool
from core.ledger.batcher import Batcher
from core.nouns import Account, AccountStatus, Entry, Payment, PaymentStatus, Posting
from core.people.opening import Tenant
from hub.audience import Audience
from hub.auth import Tokens
from hub.broker import Broker
from hub.doors import Doors
from hub.limits import Limits
from hub.protocol.codec import CODECS, MSGPACK
from hub.protocol.messages import AccountState, EntryState, Event

POSTED = int(PaymentStatus.POSTED)
# What hubs tell each other of a posted payment: id, payer, payee, amount, then the Posting without its status,
# then the description or None.
Row: TypeAlias = tuple[Any, ...]
STATUS_NAMES: dict[int, str] = {status: status.name.lower() for status in PaymentStatus}
ACCOUNT_STATUS_NAMES: dict[int, str] = {status: status.name.lower() for status in AccountStatus}
_encode_event = CODECS[MSGPACK].encode


@dataclass(slots=True)
class Context:
    """The parts of one hub process."""

    pool: Pool
    batcher: Batcher
    audience: Audience
    broker: Broker
    tokens: Tokens
    limits: Limits
    doors: Doors
    # Closes this hub's connections of a (tenant, session).
    end_session: Callable[[int, str], None]
    tenants: dict[int, Tenant] = field(default_factory=dict)
    # (tenant, account, person) → the highest number acknowledged since the last write.
    acknowledged: dict[tuple[int, int, str], int] = field(default_factory=dict)
    draining: bool = False

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()


@lru_cache(maxsize=64)
def _second(s: int) -> str:
    return datetime.fromtimestamp(s, UTC).strftime("%Y-%m-%dT%H:%M:%S.")


def to_time(us: int) -> str:
    """Microseconds since the epoch as RFC 3339, UTC."""
    return f"{_second(us // 1_000_000)}{us % 1_000_000:06d}Z"


def to_account_state(account: Account) -> AccountState:
    """An account as the wire shows it."""
    return AccountState(
        account=account.id,
        balance=account.balance,
        available=max(account.balance - account.floor, 0),
        floor=account.floor,
        number=account.version,
        status=ACCOUNT_STATUS_NAMES[account.status],
    )


def to_entry_state(entry: Entry) -> EntryState:
    """An entry as the wire shows it."""
    return EntryState(
        entry.number,
        entry.payment,
        entry.amount,
        entry.counterparty,
        entry.balance,
        to_time(entry.judged_at_us),
        UNSET if entry.description is None else entry.description,
    )


def to_event(entry: Entry) -> Event:
    """The event that an entry is."""
    return Event(
        entry.account,
        entry.number,
        entry.payment,
        entry.amount,
        entry.counterparty,
        entry.balance,
        to_time(entry.judged_at_us),
        UNSET if entry.description is None else entry.description,
    )


def announce(context: Context, batch: Sequence[Payment], postings: Sequence[Posting]) -> None:
    """Tell followers here and on other hubs what a committed batch did.

    Other hubs get the bare facts, one row per payment; an event is made where somebody follows the account.
    """
    by_tenant: dict[int, list[Row]] = {}
    for payment, posting in zip(batch, postings, strict=True):
        if posting[0] == POSTED:
            tenant_id, payment_id, payer, payee, amount, _, description = payment
            row = (payment_id, payer, payee, amount, *posting[1:], description)
            rows = by_tenant.get(tenant_id)
            if rows is None:
                by_tenant[tenant_id] = [row]
            else:
                rows.append(row)
    for tenant_id, rows in by_tenant.items():
        context.broker.publish(events_channel(tenant_id), rows)
        spread(context, tenant_id, rows)


def spread(context: Context, tenant_id: int, rows: Iterable[Row]) -> None:
    """Give the followers here their events of these payments."""
    audience = context.audience
    for payment, payer, payee, amount, payer_balance, payer_number, payee_balance, payee_number, us, text in rows:
        for account, number, change, other, balance in (
            (payer, payer_number, -amount, payee, payer_balance),
            (payee, payee_number, amount, payer, payee_balance),
        ):
            key = tenant_id, account
            if audience.is_followed(key):
                description = UNSET if text is None else text
                event = Event(account, number, payment, change, other, balance, to_time(us), description)
                audience.deliver(key, number, event, _encode_event(event))


def events_channel(tenant_id: int) -> str:
    """The channel on which a tenant's events are announced."""
    return f"events:{tenant_id}"

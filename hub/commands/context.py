"""What every handler is given: the hub's parts, put together once at start."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from core.database import Pool
from core.ledger.batcher import Batcher
from core.nouns import Account, AccountStatus, Entry, Payment, PaymentStatus, Posting
from core.people.opening import Tenant
from hub.audience import Audience
from hub.auth import Tokens
from hub.broker import Broker
from hub.limits import Limits
from hub.origins import Origins
from hub.protocol.codec import CODECS, MSGPACK
from hub.protocol.messages import UNSET, AccountState, EntryState, Event

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
    origins: Origins
    # Closes this hub's connections of a (tenant, session).
    end_session: Callable[[int, str], None]
    tenants: dict[int, Tenant] = field(default_factory=dict)
    # (tenant, account, person) → the highest number acknowledged since the last write.
    acknowledged: dict[tuple[int, int, str], int] = field(default_factory=dict)
    draining: bool = False

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()


@lru_cache(maxsize=4096)
def to_time(us: int) -> str:
    """Microseconds since the epoch as RFC 3339, UTC. A batch shares one time, hence the cache."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{us % 1_000_000:06d}Z"


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
    """Tell followers here and on other hubs what a committed batch did."""
    by_tenant: dict[int, list[tuple[int, int, bytes]]] = {}
    deliver = context.audience.deliver
    for payment, posting in zip(batch, postings, strict=True):
        if posting.status != PaymentStatus.POSTED:
            continue
        tenant_id, payment_id, payer, payee, amount, _, text = payment
        _, payer_balance, payer_number, payee_balance, payee_number, judged_at_us = posting
        assert payer_balance is not None and payee_balance is not None
        assert payer_number is not None and payee_number is not None
        at = to_time(judged_at_us)
        description = UNSET if text is None else text
        out = Event(payer, payer_number, payment_id, -amount, payee, payer_balance, at, description)
        into = Event(payee, payee_number, payment_id, amount, payer, payee_balance, at, description)
        out_frame = _encode_event(out)
        into_frame = _encode_event(into)
        deliver((tenant_id, payer), payer_number, out, out_frame)
        deliver((tenant_id, payee), payee_number, into, into_frame)
        hints = by_tenant.get(tenant_id)
        if hints is None:
            hints = by_tenant[tenant_id] = []
        hints.append((payer, payer_number, out_frame))
        hints.append((payee, payee_number, into_frame))
    for tenant_id, hints in by_tenant.items():
        context.broker.publish(events_channel(tenant_id), hints)


def hear_events(context: Context, tenant_id: int, hints: Any) -> None:
    """Take another hub's announcement."""
    deliver = context.audience.deliver
    for account, number, frame in hints:
        deliver((tenant_id, account), number, None, frame)


def events_channel(tenant_id: int) -> str:
    """The channel on which a tenant's events are announced."""
    return f"events:{tenant_id}"

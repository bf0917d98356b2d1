"""What every handler is given: the hub's parts, put together once at start."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from core.database import Pool
from core.keys.safe import Safe
from core.ledger.batcher import Batcher
from core.ledger.entries import entries_of
from core.nonces import Nonces
from core.nouns import (
    DONE,
    Account,
    AccountStatus,
    Action,
    Entry,
    EventName,
    Payment,
    PaymentStatus,
    Posting,
    what_happened,
)
from core.outside import Outside
from core.people.demands import Demands
from core.people.opening import Tenant
from core.people.passwords import Policy
from core.people.proving import Means
from core.people.quotas import read_quotas
from core.proof.notary import Signer
from hub.asking import Asking
from hub.audience import Audience
from hub.auth import Tokens
from hub.broker import CONTROL, Broker
from hub.commands.values import to_time
from hub.doors import Doors
from hub.identity import Identities
from hub.limits import TENANT, Bucket, Limit, Limits, quota
from hub.presence import Departures, Present
from hub.protocol.codec import CODECS, MSGPACK
from hub.protocol.fields import Message
from hub.protocol.messages import AccountState, EntryState, Event
from hub.protocol.rules import Alert
from hub.session import Session
from hub.traffic import Traffic

log = logging.getLogger(__name__)

# What hubs tell each other of a posted payment: of a plain one its id, payer, payee, amount, then the Posting's
# balances, versions and time, then the description or None; of any other its Entries as they are; of one that a rule
# decided its id, payer, payee, amount, rule, action and time.
Row: TypeAlias = tuple[Any, ...]
ENTRY_LENGTH = len(Entry._fields)
ALERT_LENGTH = 7
# What sessions may watch besides events.
ALERTS = "alerts"
STATUS_NAMES: dict[int, str] = {status: status.name.lower() for status in PaymentStatus}
ACCOUNT_STATUS_NAMES: dict[int, str] = {status: status.name.lower() for status in AccountStatus}
_encode_event = CODECS[MSGPACK].encode


@dataclass(slots=True)
class Context:
    """The parts of one hub process."""

    pool: Pool
    keys: Safe
    batcher: Batcher
    audience: Audience
    broker: Broker
    tokens: Tokens
    # Signs receipts.
    signer: Signer
    limits: Limits
    doors: Doors
    nonces: Nonces
    identities: Identities
    # The door through which merchants' servers are reached.
    webhooks: Outside
    # Where browsers' subscriptions may lead.
    push_hosts: Sequence[str]
    # Closes this hub's connections of a (tenant, session), and forgets what was known of it.
    end_session: Callable[[int, str], None]
    # Reads anew how a (tenant, person) stands, None: all of the tenant's, and tells this hub's connections of theirs.
    restand: Callable[[int, str | None], None]
    # Sends a message to this hub's sessions of a tenant that watch a topic.
    tell: Callable[[int, str, Message], None]
    # This hub's open connections of a tenant, or of one of its people; and how many the tenant has.
    present: Callable[[int, str | None], list[Present]]
    count_present: Callable[[int], int]
    departures: Departures
    # What this hub's payments come to, and questions to the other hubs.
    traffic: Traffic
    asking: Asking
    # What second factors are checked with.
    means: Means
    # What passwords are held against that people choose.
    passwords: Policy
    # Where people reach the hub, for links.
    public_url: str = ""
    tenants: dict[int, Tenant] = field(default_factory=dict)
    # What the tenants that are known here ask of their people; read anew every few seconds.
    demands: dict[int, Demands] = field(default_factory=dict)
    # What the tenants that are known here may ask of the installation; read anew with the demands.
    quotas: dict[int, Limit] = field(default_factory=dict)
    # (tenant, account, person) → the highest number acknowledged since the last write.
    acknowledged: dict[tuple[int, int, str], int] = field(default_factory=dict)
    # (tenant, bulk) → who watches it and what they were told last.
    watched_bulks: dict[tuple[int, str], Any] = field(default_factory=dict)
    # (token, address) → until when it is believed, and its session: HTTP keeps none.
    remembered: dict[tuple[str, str | None], tuple[float, Session]] = field(default_factory=dict)
    # (tenant, session) → when it was last heard of here over HTTP, since the last write; seconds since the epoch.
    seen: dict[tuple[int, str], float] = field(default_factory=dict)
    # (tenant, session) → until when it is remembered that it has ended: one may be beginning at this moment.
    ended: dict[tuple[int, str], float] = field(default_factory=dict)
    # (tenant, export) → who watches it and what they were told last; tenant → the same of its people's requests.
    watched_exports: dict[tuple[int, str], Any] = field(default_factory=dict)
    watched_requests: dict[int, Any] = field(default_factory=dict)
    # tenant → who watches its traffic.
    watched_traffic: dict[int, set[Session]] = field(default_factory=dict)
    # (tenant, second) → what other hubs said of it.
    heard_traffic: dict[tuple[int, int], list[Any]] = field(default_factory=dict)
    draining: bool = False
    # What goes on after an answer.
    afterwards: set[asyncio.Task[None]] = field(default_factory=set)

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def tenant_bucket(self, tenant_id: int) -> Bucket:
        """What a tenant's messages are paid from."""
        return self.limits.bucket("tenant", tenant_id, "", self.quotas.get(tenant_id, TENANT))

    async def read_quotas(self, tenant_ids: Sequence[int]) -> None:
        """Learn what these tenants may ask; whoever is connected is held to it from now on."""
        for tenant_id, per_second in (await read_quotas(self.pool, tenant_ids)).items():
            self.quotas[tenant_id] = quota(per_second)
            self.tenant_bucket(tenant_id)

    def after(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this when the answer has left, so that its time tells nothing."""

        async def do() -> None:
            try:
                await work
            except Exception as error:
                log.warning("afterwork_failed", extra={"error": type(error).__name__})

        task = asyncio.create_task(do())
        self.afterwards.add(task)
        task.add_done_callback(self.afterwards.discard)


def to_account_state(account: Account) -> AccountState:
    """An account as the wire shows it."""
    return AccountState(
        account=account.id,
        posted=account.balance,
        held=account.held,
        available=max(account.balance - account.held - account.floor, 0),
        floor=account.floor,
        number=account.version,
        status=ACCOUNT_STATUS_NAMES[account.status],
    )


def to_entry_state(entry: Entry) -> EntryState:
    """An entry as the wire shows it."""
    return EntryState(entry.number, entry.payment, what_happened(entry), *_rest_of(entry))


def to_event(entry: Entry) -> Event:
    """The event that an entry is."""
    return Event(entry.account, entry.number, entry.payment, what_happened(entry), *_rest_of(entry))


def _rest_of(entry: Entry) -> tuple[Any, ...]:
    """The fields that an entry and its event have in common, from the amount on."""
    return (
        entry.amount,
        entry.counterparty,
        entry.balance,
        to_time(entry.judged_at_us),
        UNSET if entry.description is None else entry.description,
        UNSET if entry.subject is None else entry.subject,
        UNSET if entry.charge is None else entry.charge,
        entry.hold or UNSET,
        UNSET if entry.held is None else entry.held,
        entry.fee or UNSET,
        UNSET if entry.metadata is None else msgspec.json.decode(entry.metadata),
    )


def announce(context: Context, batch: Sequence[Payment], postings: Sequence[Posting]) -> None:
    """Tell followers here and on other hubs what a committed batch did.

    Other hubs get the bare facts, one row per plain payment and one per entry of any other; an event is made where
    somebody follows the account.
    """
    by_tenant: dict[int, list[Row]] = {}
    for payment, posting in zip(batch, postings, strict=True):
        if posting[11] is not None:
            by_tenant.setdefault(payment[0], []).append((*payment[1:5], *posting[11:13], posting[5]))
        if posting[0] not in DONE:
            continue
        if is_plain(payment, posting):
            _, payment_id, payer, payee, amount, _, description = payment[:7]
            rows: list[Row] = [(payment_id, payer, payee, amount, *posting[1:6], description)]
        else:
            rows = [tuple(entry) for entry in entries_of(payment, posting)]
        by_tenant.setdefault(payment[0], []).extend(rows)
    for tenant_id, rows in by_tenant.items():
        context.broker.publish(events_channel(tenant_id), rows)
        spread(context, tenant_id, rows)


def is_plain(payment: Payment, posting: Posting) -> bool:
    """Whether money went from payer to payee and nothing else happened: most payments."""
    return not (payment[7] or posting[0] or posting[6] or posting[8] or posting[9] or payment[9] or payment[14])


def spread(context: Context, tenant_id: int, rows: Iterable[Row]) -> None:
    """Give the followers here their events of these payments."""
    audience = context.audience
    for row in rows:
        if len(row) == ENTRY_LENGTH:
            entry = Entry(*row)
            if audience.is_followed((tenant_id, entry.account)):
                event = to_event(entry)
                audience.deliver((tenant_id, entry.account), entry.number, event, _encode_event(event))
            continue
        if len(row) == ALERT_LENGTH:
            payment, payer, payee, amount, rule, action, us = row
            name = Action(action).name.lower()
            context.tell(tenant_id, ALERTS, Alert(payment, payer, payee, amount, rule, name, to_time(us)))
            continue
        payment, payer, payee, amount, payer_balance, payer_number, payee_balance, payee_number, us, text = row
        for account, number, what, change, other, balance in (
            (payer, payer_number, EventName.PAYMENT_SENT, -amount, payee, payer_balance),
            (payee, payee_number, EventName.PAYMENT_RECEIVED, amount, payer, payee_balance),
        ):
            key = tenant_id, account
            if audience.is_followed(key):
                description = UNSET if text is None else text
                event = Event(account, number, payment, what, change, other, balance, to_time(us), description)
                audience.deliver(key, number, event, _encode_event(event))


def restand_everywhere(context: Context, tenant_id: int, person_id: str | None = None) -> None:
    """Let every hub read anew how somebody stands, or everybody of the tenant. The hint has nothing to be believed."""
    context.restand(tenant_id, person_id)
    context.broker.publish(CONTROL, ["restand", tenant_id, person_id])


def events_channel(tenant_id: int) -> str:
    """The channel on which a tenant's events are announced."""
    return f"events:{tenant_id}"


def end_everywhere(context: Context, tenant_id: int, session_ids: Iterable[str]) -> None:
    """Close the sockets of ended sessions on every hub."""
    for session_id in session_ids:
        context.end_session(tenant_id, session_id)
        context.broker.publish(CONTROL, ["end_session", tenant_id, session_id])

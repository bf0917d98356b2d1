"""What a sink is told: an entry of an account, or of the audit trail, as a CloudEvent (CloudEvents 1.0, JSON). Pure.

Ids, amounts and moments, and nothing that anybody wrote: words and metadata are their authors', the network somebody
came from is theirs, and what has left here nobody can erase.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from core.audit.trail import Act
from core.nouns import Entry, EventName, what_happened

PREFIX: Final = "payhub."
AUDIT: Final = "payhub.audit."
# Entries of the trail follow each other in one partition, as those of an account do in theirs.
AUDIT_PARTITION: Final = "audit"
# `sequence` is compared as text: as many digits as the largest number of an account has, and of entries in a leaf.
SEQUENCE_DIGITS: Final = 19
PLACE_DIGITS: Final = 6

_encode: Final = msgspec.json.Encoder().encode
SENT: Final = PREFIX + EventName.PAYMENT_SENT.value
RECEIVED: Final = PREFIX + EventName.PAYMENT_RECEIVED.value
_TYPES: Final = {name: PREFIX + name.value for name in EventName}


class Told(NamedTuple):
    """An event as it is sent. (`number`, `taken`): how far the log has been told when it was taken: the leaf that is
    next, and how many of that leaf's events."""

    id: str
    body: bytes
    type: str
    number: int
    taken: int


class _Moved(Struct, frozen=True, gc=False):
    """Amounts in minor units of `currency`; `balance` after it; `about`: the payment whose later step it is; `leaf`: of
    the tenant's log, where it can be proved."""

    account: int
    number: int
    payment: str
    amount: int
    counterparty: int
    balance: int
    currency: str
    leaf: int
    about: str | UnsetType = UNSET
    charge: str | UnsetType = UNSET
    hold: int | UnsetType = UNSET
    held: int | UnsetType = UNSET
    fee: int | UnsetType = UNSET


class _Done(Struct, frozen=True, gc=False):
    """`who`: a person; nobody, if it was the installation itself. `about`: an id of whatever it is about."""

    what: str
    leaf: int
    who: str | UnsetType = UNSET
    about: str | UnsetType = UNSET
    session: str | UnsetType = UNSET


class _Event(Struct, frozen=True, gc=False):
    """The attributes of CloudEvents 1.0, and two of its documented extensions: Partitioning and Sequence."""

    id: str
    source: str
    type: str
    time: str
    partitionkey: str
    sequence: str
    data: _Moved | _Done
    subject: str | UnsetType = UNSET
    datacontenttype: str = "application/json"
    specversion: str = "1.0"


class AuditEntry(NamedTuple):
    """What of an entry of the trail is told."""

    id: str
    at_us: int
    what: str
    who: str | None
    about: str | None
    session_id: str | None


def type_of(entry: Entry) -> str:
    """The event's type, as the account sees it."""
    return _TYPES[what_happened(entry)]


class Place(NamedTuple):
    """What all events of a batch have in common: whose log, in which currency, the leaf, the moment."""

    source: str
    currency: str
    leaf: int
    time: str


def tell_entry(place: Place, entry: Entry, type_: str) -> tuple[str, bytes]:
    """The id and the event of an entry."""
    account = str(entry.account)
    id_ = f"{account}-{entry.number}"
    moved = _Moved(
        entry.account,
        entry.number,
        entry.payment,
        entry.amount,
        entry.counterparty,
        entry.balance,
        place.currency,
        place.leaf,
        entry.subject or UNSET,
        entry.charge or UNSET,
        entry.hold or UNSET,
        UNSET if entry.held is None else entry.held,
        entry.fee or UNSET,
    )
    sequence = str(entry.number).zfill(SEQUENCE_DIGITS)
    return id_, _encode(_Event(id_, place.source, type_, place.time, account, sequence, moved, account))


def tell_paid(
    place: Place, type_: str, account: int, number: int, payment: str, amount: int, counterparty: int, balance: int
) -> tuple[str, bytes]:
    """As `tell_entry`, to the byte, of a payment that is nothing but one. Most are; it takes a third of the time."""
    id_ = f"{account}-{number}"
    # Neither a type nor an id has anything to escape.
    return id_, (
        f'{{"id":"{id_}","source":{_quote(place.source)},"type":"{type_}","time":"{place.time}",'
        f'"partitionkey":"{account}","sequence":"{number:019}","data":{{"account":{account},"number":{number},'
        f'"payment":"{payment}","amount":{amount},"counterparty":{counterparty},"balance":{balance},'
        f'"currency":"{place.currency}","leaf":{place.leaf}}},"subject":"{account}",'
        '"datacontenttype":"application/json","specversion":"1.0"}'
    ).encode()


# As many as there are tenants with much to tell.
@lru_cache(1_000)
def _quote(text: str) -> str:
    return _encode(text).decode()


def tell_audit(source: str, entry: AuditEntry, leaf: int, place: int) -> tuple[str, bytes]:
    """The id and the event of an entry of the trail: the `place`-th of its leaf."""
    done = _Done(entry.what, leaf, entry.who or UNSET, entry.about or UNSET, entry.session_id or UNSET)
    sequence = f"{leaf:0{SEQUENCE_DIGITS}}-{place:0{PLACE_DIGITS}}"
    event = _Event(
        entry.id,
        source,
        AUDIT + entry.what,
        to_time(entry.at_us),
        AUDIT_PARTITION,
        sequence,
        done,
        entry.about or UNSET,
    )
    return entry.id, _encode(event)


def is_type(wanted: str) -> bool:
    """Whether there are events of this type; with `.*` at its end, of any that begin so."""
    known = [*_TYPES.values(), *(AUDIT + act.value for act in Act)]
    if wanted.startswith(f"{AUDIT}setting."):
        return True
    if wanted.endswith(".*"):
        return any(one.startswith(wanted[:-1]) for one in known)
    return wanted in known


def to_time(us: int) -> str:
    """A moment as RFC 3339 writes it."""
    at = datetime.fromtimestamp(us // 1_000_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{us % 1_000_000:06d}Z"

"""How much of the hub one connection, person, address or tenant may use. Pure: time is told to it.

Every message spends from local buckets at once, in constant time. What was spent is reported to the other
hubs a few times a second and theirs is spent here too, so that a limit holds for all hubs together within
that moment, and each hub alone keeps it when Redis is away.
"""

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from core.people.persons import Role
from core.people.quotas import DEFAULT_PER_SECOND

# (kind, tenant, who): "person-customer", 7, "0199…"; "tenant", 7, ""; "address", 0, "203.0.113.9".
BucketKey: TypeAlias = tuple[str, int, str]


def address_key(host: str) -> str:
    """Who an address stands for. An IPv6 customer is given a /64 at the least, so that is one address here."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def network_of(host: str) -> str | None:
    """An address cut to what names no single person: IPv4 /24, IPv6 /48. None for what is no address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


class Limit(NamedTuple):
    """`per_second` on average, `burst` at once."""

    per_second: float
    burst: float


# Before anybody is known: a token, and room for a mistake.
NEW_CONNECTION = Limit(5, 10)
# A wallet sends a few messages a second at its busiest, a shop's server some hundreds; an operator's machine
# replays whole files. Each person's connections share the person's bucket.
BY_ROLE = {
    Role.CUSTOMER: Limit(200, 500),
    Role.MERCHANT: Limit(2_000, 4_000),
    Role.OPERATOR: Limit(20_000, 40_000),
    Role.AUDITOR: Limit(200, 500),
    # Somebody at a desk; whoever takes a whole tenant's profiles away is slow.
    Role.SUPPORT: Limit(20, 100),
}
CONNECTION_BY_ROLE = BY_ROLE
# Many people share an address behind a carrier's NAT, so this only stops what no NAT would send.
ADDRESS = Limit(40_000, 80_000)


def quota(per_second: int) -> Limit:
    """The most that one tenant may ask of the whole installation; two seconds' worth of it at once."""
    return Limit(per_second, 2 * per_second)


TENANT = quota(DEFAULT_PER_SECOND)
# Log-ins and registrations from one address, whoever they name; how guesses are counted: core/people/throttles.py.
ADDRESS_LOGIN = Limit(1, 30)
# Log-ins that say they come from a known device: a look at whether they do.
ADDRESS_DEVICE = Limit(20, 200)
# Keys of programs, tried from one address: a fleet behind one gateway deploys, and nobody guesses 256 bits.
ADDRESS_KEY = Limit(1, 30)
# Tokens for one key: a fleet of a hundred processes takes one each in five minutes, and comes up all at once.
KEY_TRADE = Limit(2, 200)
# Codes of eight letters, typed: somebody who mistypes has ten tries, and a tenant's merchants sixty together.
ADDRESS_PAIRING = Limit(1 / 30, 10)
TENANT_PAIRING = Limit(1, 60)
# Nonces, which cost a look at the tenant: a shop's tills behind one address, all switched on at once.
ADDRESS_NONCE = Limit(20, 400)
# Identity tokens from one address: nobody guesses a signature, and each costs one to check.
ADDRESS_IDENTITY = Limit(5, 200)
# New connections from one address.
ADDRESS_CONNECT = Limit(200, 2_000)
# Payment links opened from one address: a crowd behind one router, not somebody who tries out addresses.
ADDRESS_PAGE = Limit(20, 200)
# Files of the web client asked for from one address: a first visit takes about thirty.
ADDRESS_FILE = Limit(200, 4_000)
# How visits felt, told from one address: a crowd behind one router.
ADDRESS_VITALS = Limit(5, 100)
# Told to whoever is refused, at the least: at every limit this is worth several messages, and those who wait so
# long cost ten refusals a second, not one for each message that others of their person were quicker with.
WAIT_S_MIN = 0.1
# Refused messages that did not wait as told, after which a connection is a flood. More than the window of commands
# in flight, which a client may have sent in full before it hears the first refusal.
IMPATIENCE_MAX = 512
# Buckets made for what other hubs report; those that are full again are forgotten at the next report.
BUCKETS_MAX = 200_000


class Bucket:
    """A limit's state as one number: when the bucket will be full again (GCRA, ITU-T I.371)."""

    __slots__ = ("_burst_s", "_interval_s", "full_at", "holders", "limit", "unreported")

    def __init__(self, limit: Limit) -> None:
        self.change(limit)
        self.full_at = 0.0
        self.unreported = 0
        # Connections that keep it at hand: a bucket they spend from must stay the one that others are given.
        self.holders = 0

    def change(self, limit: Limit) -> None:
        """From now on another limit, for everybody who has it at hand. What was spent is as far from full as it was."""
        self.limit = limit
        self._interval_s = 1.0 / limit.per_second
        self._burst_s = limit.burst * self._interval_s

    def spend(self, now: float, count: int = 1) -> float:
        """Take `count`: 0.0 if granted, else the seconds until it would be. A refusal takes nothing."""
        full_at = (self.full_at if self.full_at > now else now) + count * self._interval_s
        wait = full_at - now - self._burst_s
        if wait > 1e-9:
            return wait
        self.full_at = full_at
        self.unreported += count
        return 0.0

    def give_back(self) -> None:
        """Undo one grant: it turned out to be nothing that the limit is for."""
        self.full_at -= self._interval_s
        self.unreported -= 1

    def spend_elsewhere(self, now: float, count: int) -> None:
        """Another hub granted `count`: here they are gone too, even below empty, but never by more than a burst."""
        full_at = max(self.full_at, now) + count * self._interval_s
        self.full_at = min(full_at, now + 2 * self._burst_s)


class Patience:
    """How one connection takes refusals. Whoever waits as told is never a flood, however often refused."""

    __slots__ = ("_impatience", "_until")

    def __init__(self) -> None:
        self._impatience = 0
        self._until = 0.0

    def grant(self) -> None:
        """A message was in time, and makes up for one that was not."""
        if self._impatience:
            self._impatience -= 1

    def refuse(self, now: float, wait_s: float) -> float:
        """A message found a bucket empty that has room in `wait_s`: the seconds to tell."""
        if now < self._until:
            self._impatience += 1
        else:
            self._until = now + max(wait_s, WAIT_S_MIN)
        return max(wait_s, self._until - now)

    @property
    def is_worn_out(self) -> bool:
        """Whether being refused costs more than this connection is worth."""
        return self._impatience > IMPATIENCE_MAX


class Limits:
    """The buckets of one hub that other hubs share: by person, address and tenant."""

    def __init__(self) -> None:
        self._buckets: dict[BucketKey, Bucket] = {}

    def bucket(self, kind: str, tenant_id: int, who: str, limit: Limit) -> Bucket:
        """The bucket of this key, the same object for everybody who asks; with another limit, if that has changed."""
        key = kind, tenant_id, who
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(limit)
        elif bucket.limit is not limit and bucket.limit != limit:
            bucket.change(limit)
        return bucket

    def report(self, now: float) -> list[tuple[BucketKey, int]]:
        """What was spent here since the last report; full buckets that nobody holds are forgotten."""
        spent = []
        idle = []
        for key, bucket in self._buckets.items():
            if bucket.unreported:
                spent.append((key, bucket.unreported))
                bucket.unreported = 0
            elif bucket.full_at <= now and not bucket.holders:
                idle.append(key)
        for key in idle:
            del self._buckets[key]
        return spent

    def hear(self, now: float, spent: Iterable[tuple[BucketKey, int]]) -> None:
        """What other hubs report. A key nobody asked for here yet is kept too: its person may come here next."""
        for key, count in spent:
            limit = LIMITS.get(key[0])
            if limit is not None and len(self._buckets) < BUCKETS_MAX:
                # One that is here keeps its limit: a tenant may have a quota of its own.
                (self._buckets.get(key) or self.bucket(*key, limit)).spend_elsewhere(now, count)

    def __len__(self) -> int:
        return len(self._buckets)


# The limits of the shared buckets, by kind; a person's is by role.
LIMITS: dict[str, Limit] = {
    **{f"person-{role.name.lower()}": limit for role, limit in BY_ROLE.items()},
    "address": ADDRESS,
    "tenant": TENANT,
    "address-login": ADDRESS_LOGIN,
    "address-device": ADDRESS_DEVICE,
    "address-key": ADDRESS_KEY,
    "key": KEY_TRADE,
    "address-pairing": ADDRESS_PAIRING,
    "tenant-pairing": TENANT_PAIRING,
    "address-nonce": ADDRESS_NONCE,
    "address-identity": ADDRESS_IDENTITY,
    "address-connect": ADDRESS_CONNECT,
    "address-page": ADDRESS_PAGE,
    "address-file": ADDRESS_FILE,
    "address-vitals": ADDRESS_VITALS,
}

"""What a witness remembers: who may show it heads, which it has seen of each log, which it refused. One SQLite file.

Every change is on the disk before it is answered. A refusal is kept for good; so is, of the heads, one an hour.
"""

import contextlib
import hashlib
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.proof.checking import moment
from core.proof.cosignatures import Cosignature
from core.proof.heads import Head
from core.proof.leaves import to_us

TOKEN_BYTES: Final = 32
# All heads of a week are there to be compared with another witness's; then one of each hour.
KEPT_US: Final = 7 * 86_400 * 1_000_000
HOUR_US: Final = 3_600 * 1_000_000
# One would do for a proof. Whoever shows contradicting heads for ever does not fill the disk.
REFUSALS_MAX: Final = 1_000
PAGE_LENGTH: Final = 500
BUSY_TIMEOUT_S: Final = 5.0

SCHEMA = """
create table if not exists institutions (
    name        text primary key,
    token_hash  blob not null unique
) strict;
create table if not exists keys (
    institution  text not null references institutions (name),
    kid          text not null,
    public_key   blob not null,
    primary key (institution, kid)
) strict;
-- How often a log was begun anew, on the word of the witness's keeper.
create table if not exists beginnings (
    institution  text not null references institutions (name),
    tenant       int not null,
    number       int not null,
    why          text not null,
    begun_at_us  int not null,
    primary key (institution, tenant, number)
) strict;
create table if not exists heads (
    institution  text not null references institutions (name),
    tenant       int not null,
    beginning    int not null,
    size         int not null,
    root         blob not null,
    at_us        int not null,
    kid          text not null,
    signature    blob not null,
    seen_at_us   int not null,
    cosignature  blob not null,
    is_first_of_hour  int not null,
    primary key (institution, tenant, beginning, size)
) strict;
create table if not exists refusals (
    institution  text not null references institutions (name),
    tenant       int not null,
    kept_size    int not null,
    kept_root    blob not null,
    kept_at_us   int not null,
    kept_kid     text not null,
    kept_signature  blob not null,
    size         int not null,
    root         blob not null,
    at_us        int not null,
    kid          text not null,
    signature    blob not null,
    from_size    int not null,
    proof        blob not null,
    refused_at_us  int not null,
    primary key (institution, tenant, kept_size, kept_root, size, root)
) strict;
"""
BEGINNING = "select coalesce(max(number), 0) from beginnings where institution = ? and tenant = ?"
LAST = """
select tenant, size, root, at_us, kid, signature
  from heads
 where institution = ? and tenant = ? and beginning = ?
 order by size desc
 limit 1
"""
ADD = """
insert or ignore into heads (
    institution, tenant, beginning, size, root, at_us, kid, signature, seen_at_us, cosignature, is_first_of_hour
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
SEEN_SINCE = """
select 1 from heads where institution = ? and tenant = ? and beginning = ? and is_first_of_hour and seen_at_us >= ?
 order by size desc limit 1
"""
FORGET = """
delete from heads
 where institution = ? and tenant = ? and beginning = ? and seen_at_us < ? and not is_first_of_hour and size < ?
"""
REFUSALS = "select count(*) from refusals where institution = ? and tenant = ?"
REFUSE = "insert or ignore into refusals values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# Of the log as it was last begun: what came before that is the keeper's to look at.
PAGE = """
select tenant, size, root, at_us, kid, signature, seen_at_us, cosignature
  from heads
 where institution = ?1 and (tenant, size) > (?2, ?3)
   and beginning = (select coalesce(max(number), 0)
                      from beginnings
                     where beginnings.institution = ?1 and beginnings.tenant = heads.tenant)
 order by tenant, size
 limit ?4
"""


class Institution(NamedTuple):
    """Whoever shows heads here, and the keys that sign them."""

    name: str
    keys: Mapping[str, Ed25519PublicKey]


class Seen(NamedTuple):
    """A head that was taken, and what was signed of it."""

    head: Head
    cosignature: Cosignature


class RefusedHead(NamedTuple):
    """A head that was not, and the one that it contradicts."""

    institution: str
    kept: Head
    shown: Head
    refused_at_us: int


class StoreRefused(Exception):
    """What was asked of the store makes no sense: one sentence."""


class Store:
    """One witness's memory. Used by one thread at a time."""

    def __init__(self, path: Path, witness: str) -> None:
        """`witness`: the kid of its key."""
        self._witness = witness
        self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.execute("pragma foreign_keys = on")
        self._connection.executescript(SCHEMA)

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """A transaction that nobody else writes beside."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def admit(self, name: str, keys: Mapping[str, Ed25519PublicKey]) -> str:
        """Let an institution show its heads; its token, which is told this once. Raises StoreRefused."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self.changing():
            if self._connection.execute("select 1 from institutions where name = ?", (name,)).fetchone():
                raise StoreRefused(f"{name} is admitted already.")
            self._connection.execute("insert into institutions values (?, ?)", (name, _hash(token)))
            self._write_keys(name, keys)
        return token

    def replace_keys(self, name: str, keys: Mapping[str, Ed25519PublicKey]) -> None:
        """Learn an institution's keys anew; those it had stay. Raises StoreRefused."""
        with self.changing():
            if not self._connection.execute("select 1 from institutions where name = ?", (name,)).fetchone():
                raise StoreRefused(f"Nobody called {name} is admitted.")
            self._write_keys(name, keys)

    def replace_token(self, name: str) -> str:
        """Give an institution another token; the one it had is good for nothing any more. Raises StoreRefused."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self.changing():
            changed = self._connection.execute(
                "update institutions set token_hash = ? where name = ?", (_hash(token), name)
            )
            if changed.rowcount != 1:
                raise StoreRefused(f"Nobody called {name} is admitted.")
        return token

    def find(self, token: str) -> Institution | None:
        """Whose token this is. Looked for by its hash, so that nothing is learnt from how long it takes."""
        row = self._connection.execute("select name from institutions where token_hash = ?", (_hash(token),)).fetchone()
        if row is None:
            return None
        keys = self._connection.execute("select kid, public_key from keys where institution = ?", row)
        return Institution(row[0], {kid: Ed25519PublicKey.from_public_bytes(key) for kid, key in keys})

    def last(self, institution: str, tenant: int) -> Head | None:
        """The last head that was taken of a log."""
        row = self._connection.execute(LAST, (institution, tenant, self._beginning(institution, tenant))).fetchone()
        return None if row is None else _to_head(row)

    def take(self, institution: str, head: Head, cosignature: Cosignature) -> None:
        """Remember a head that was taken. Within `changing`."""
        beginning, now_us = self._beginning(institution, head.tenant_id), cosignature.seen_at_us
        log = institution, head.tenant_id, beginning
        hour = now_us - now_us % HOUR_US
        is_first = self._connection.execute(SEEN_SINCE, (*log, hour)).fetchone() is None
        self._connection.execute(ADD, (*log, *_row(head)[1:], now_us, cosignature.signature, is_first))
        self._connection.execute(FORGET, (*log, now_us - KEPT_US, head.size))

    def refuse(self, institution: str, kept: Head, shown: Head, from_size: int, proof: bytes, now_us: int) -> None:
        """Keep what was refused, and why. Within `changing`."""
        (count,) = self._connection.execute(REFUSALS, (institution, shown.tenant_id)).fetchone()
        if count < REFUSALS_MAX:
            self._connection.execute(REFUSE, (institution, *_row(kept), *_row(shown)[1:], from_size, proof, now_us))

    def begin_anew(self, institution: str, tenant: int, why: str, now_us: int) -> None:
        """Take the next head of a log as its first: it was restored, and everybody knows. Raises StoreRefused."""
        with self.changing():
            number = self._beginning(institution, tenant) + 1
            if self.last(institution, tenant) is None:
                raise StoreRefused(f"No log of tenant {tenant} was seen of {institution}.")
            self._connection.execute(
                "insert into beginnings values (?, ?, ?, ?, ?)", (institution, tenant, number, why, now_us)
            )

    def page(self, institution: str, tenant: int, size: int) -> list[Seen]:
        """Heads that were taken, after this one, by tenant and size."""
        rows = self._connection.execute(PAGE, (institution, tenant, size, PAGE_LENGTH))
        return [Seen(_to_head(row[:6]), Cosignature(self._witness, row[6], row[7])) for row in rows]

    def institutions(self) -> list[str]:
        """Who is admitted."""
        return [row[0] for row in self._connection.execute("select name from institutions order by name")]

    def refusals(self) -> list[RefusedHead]:
        """All that was refused, the oldest first."""
        rows = self._connection.execute("select * from refusals order by refused_at_us")
        return [RefusedHead(row[0], _to_head(row[1:7]), _to_head((row[1], *row[7:12])), row[14]) for row in rows]

    def _beginning(self, institution: str, tenant: int) -> int:
        (number,) = self._connection.execute(BEGINNING, (institution, tenant)).fetchone()
        return int(number)

    def _write_keys(self, name: str, keys: Mapping[str, Ed25519PublicKey]) -> None:
        for kid, key in keys.items():
            public_key = key.public_bytes_raw()
            self._connection.execute("insert or ignore into keys values (?, ?, ?)", (name, kid, public_key))
            (known,) = self._connection.execute(
                "select public_key from keys where institution = ? and kid = ?", (name, kid)
            ).fetchone()
            if known != public_key:
                raise StoreRefused(f"{name} has another key called {kid}.")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _row(head: Head) -> tuple[int, int, bytes, int, str, bytes]:
    return head.tenant_id, head.size, head.root, to_us(head.sealed_at), head.kid, head.signature


def _to_head(row: tuple[int, int, bytes, int, str, bytes]) -> Head:
    tenant, size, root, at_us, kid, signature = row
    return Head(tenant, size, root, moment(at_us), kid, signature)

"""The instance's signing keys, for tokens and for proofs: made, wrapped, rotated and loaded. They belong to no tenant.

The private half is stored as it was wrapped by the key service, and opens in its place alone.
It never signs or verifies a token; the hub does.
"""

import datetime
import secrets
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from core.database import Connection, Pool
from core.errors import KeysRefused
from core.keys.local import NAME as LOCAL
from core.keys.local import NONCE_BYTES, LocalKeys
from core.keys.master import Master, Wrapped

PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey

# A new key waits for so long before it signs. Every hub reloads the keys more often than this, so
# that none meets a token of a key it has not seen.
ANNOUNCEMENT_DELAY = datetime.timedelta(seconds=30)

# One key, one algorithm (RFC 8725, 3.1): the only place that says which kind of key goes with which.
ALGORITHMS: dict[str, Callable[[], PrivateKey]] = {
    "EdDSA": Ed25519PrivateKey.generate,
    "ES256": lambda: generate_private_key(SECP256R1()),
}

# One statement, so that at no moment does no key sign, and none is made that is not in the trail (the installation's,
# tenant 0). A null signs_from is the database's clock.
INSERT_KEY = """
with made as (
    insert into payhub.signing_keys (kid, algorithm, public_key, private_key, wrapped_by, signs_from, purpose)
    values ($1, $2, $3, $4, $5, coalesce($6::timestamptz, now()), $7)
    returning kid, algorithm, purpose
)
select payhub.note_audit(0, 'key.made', null, kid, null, null, null,
                         jsonb_build_object('level', 'signing', 'purpose', purpose, 'algorithm', algorithm))
  from made
"""
ROTATE = """
with starts as (select coalesce($6::timestamptz, now()) + $7::interval as at),
retired as (
    update payhub.signing_keys set signs_until = starts.at from starts where signs_until is null and purpose = $8
),
made as (
    insert into payhub.signing_keys (kid, algorithm, public_key, private_key, wrapped_by, signs_from, purpose)
    select $1, $2, $3, $4, $5, starts.at, $8 from starts
    returning kid, algorithm, purpose
)
select payhub.note_audit(0, 'key.rotated', null, kid, null, null, null,
                         jsonb_build_object('level', 'signing', 'purpose', purpose, 'algorithm', algorithm))
  from made
"""
LOAD_KEYS = """
select kid, algorithm, public_key, private_key, wrapped_by, signs_from, signs_until
  from payhub.signing_keys
 where purpose = $1
 order by signs_from, kid
"""
REWRAP = """
with anew as (
    update payhub.signing_keys set private_key = $3, wrapped_by = $4
     where kid = $1 and private_key = $2
    returning kid, purpose
)
select payhub.note_audit(0, 'key.rotated', null, kid, null, null, null,
                         jsonb_build_object('level', 'master', 'purpose', purpose, 'service', $4::text))
  from anew
"""


class Purpose(StrEnum):
    """What a key signs, and nothing else. Stored in signing_keys.purpose."""

    TOKENS = "tokens"
    PROOFS = "proofs"  # always Ed25519: a receipt is to be checked for as long as anybody keeps it


class SigningKey(NamedTuple):
    """A key that signs from `signs_from` until `signs_until` (UTC; None: until the next rotation)."""

    kid: str
    algorithm: str
    private_key: PrivateKey
    signs_from: datetime.datetime
    signs_until: datetime.datetime | None


class MasterKeyRefused(KeysRefused):
    """The master key does not open the signing keys of this database."""


async def create_key(
    admin: "Connection | Pool",
    master: Master,
    algorithm: str = "EdDSA",
    signs_from: datetime.datetime | None = None,
    purpose: Purpose = Purpose.TOKENS,
) -> str:
    """Create a key that signs from `signs_from` on (None: at once) and return its kid.

    For an instance's first key; later ones come from `rotate`. `admin` is logged in as the
    administrator. Raises ValueError for an unknown algorithm, and what the key service raises.
    """
    kid, *row = await _new_row(master, algorithm, purpose)
    await admin.execute(INSERT_KEY, kid, *row, signs_from, purpose)
    return kid


async def ensure_key(admin_url: str, master: Master) -> None:
    """Make sure that there is a key to sign with, for each purpose. `admin_url` logs in as the administrator."""
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "payhub"})
    try:
        async with connection.transaction():
            await connection.execute("lock table signing_keys in share row exclusive mode")
            for purpose in Purpose:
                if not await load_keys(connection, master, purpose):
                    await create_key(connection, master, purpose=purpose)
    finally:
        await connection.close()


async def rotate(
    admin: "Connection | Pool",
    master: Master,
    algorithm: str = "EdDSA",
    delay: datetime.timedelta = ANNOUNCEMENT_DELAY,
    *,
    purpose: Purpose = Purpose.TOKENS,
    now: datetime.datetime | None = None,
) -> str:
    """Announce a new key that takes over after `delay`, and return its kid.

    The old one stops signing at that moment and verifies until its last token has expired. Raises
    like `create_key`. `now`: None is the database's clock.
    """
    kid, *row = await _new_row(master, algorithm, purpose)
    await admin.execute(ROTATE, kid, *row, now, delay, purpose)
    return kid


async def load_keys(
    database: "Connection | Pool",
    master: Master,
    purpose: Purpose = Purpose.TOKENS,
    known: Iterable[SigningKey] = (),
) -> list[SigningKey]:
    """Every key for this purpose, oldest first. The key service is asked about those alone that are not `known`.

    Raises MasterKeyRefused if the master key does not open one of them, KeysUnavailable.
    """
    opened = {key.kid: key.private_key for key in known}
    found = []
    for row in await database.fetch(LOAD_KEYS, purpose):
        kid, algorithm = row["kid"], row["algorithm"]
        private_key = opened.get(kid) or await _unwrap(master, row, purpose)
        # Whoever can write the table must not be able to slip in a public key of their own.
        if _public_bytes(private_key) != row["public_key"]:
            raise MasterKeyRefused("A signing key's public half is not the one it was created with.")
        found.append(SigningKey(kid, algorithm, private_key, row["signs_from"], row["signs_until"]))
    return found


async def load_public_keys(
    database: "Connection | Pool", purpose: Purpose = Purpose.PROOFS
) -> dict[str, Ed25519PublicKey]:
    """The public halves as they stand in the table, by kid: for whoever has no master key, and trusts the table."""
    found = {}
    for row in await database.fetch(LOAD_KEYS, purpose):
        key = load_der_public_key(row["public_key"])
        if isinstance(key, Ed25519PublicKey):
            found[row["kid"]] = key
    return found


async def rewrap(admin: "Connection | Pool", master: Master) -> int:
    """Have every key wrapped anew by the master key as it is now. How many. Raises like `load_keys`."""
    count = 0
    for purpose in Purpose:
        for row in await admin.fetch(LOAD_KEYS, purpose):
            plain = _private_bytes(await _unwrap(master, row, purpose))
            wrapped = await master.wrap(plain, _context(row["kid"], row["algorithm"], purpose))
            count += len(await admin.fetch(REWRAP, row["kid"], row["private_key"], *wrapped))
    return count


async def wrapped(database: "Connection | Pool") -> list[Wrapped]:
    """Every key's private half as it is kept. By nobody's name: from before there were key services."""
    rows = [row for purpose in Purpose for row in await database.fetch(LOAD_KEYS, purpose)]
    return [Wrapped(row["private_key"], row["wrapped_by"] or "") for row in rows]


async def _new_row(master: Master, algorithm: str, purpose: Purpose) -> tuple[str, str, bytes, bytes, str]:
    """kid, algorithm, public half (SPKI), wrapped private half, and who wrapped it."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"A signing key is for one of {', '.join(ALGORITHMS)}.")
    private_key = ALGORITHMS[algorithm]()
    kid = secrets.token_hex(8)
    wrapped = await master.wrap(_private_bytes(private_key), _context(kid, algorithm, purpose))
    return kid, algorithm, _public_bytes(private_key), *wrapped


async def _unwrap(master: Master, row: asyncpg.Record, purpose: Purpose) -> PrivateKey:
    kid, algorithm, wrapped, wrapped_by = row["kid"], row["algorithm"], row["private_key"], row["wrapped_by"]
    try:
        if wrapped_by is not None:
            plain = await master.unwrap(Wrapped(wrapped, wrapped_by), _context(kid, algorithm, purpose))
        else:
            plain = await _unwrap_old(master, kid, algorithm, wrapped)
    except KeysRefused as error:
        raise MasterKeyRefused(f"{MasterKeyRefused.__doc__} {error}") from None
    private_key = load_der_private_key(plain, password=None)
    assert isinstance(private_key, Ed25519PrivateKey | EllipticCurvePrivateKey)
    return private_key


async def _unwrap_old(master: Master, kid: str, algorithm: str, wrapped: bytes) -> bytes:
    """Open a private half that was wrapped before there were key services: nonce, ciphertext with its tag."""
    local = master.held_by(LOCAL)
    assert isinstance(local, LocalKeys)
    context = f"payhub signing key|{kid}|{algorithm}".encode()
    return await local.unwrap_without_id(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)


def _context(kid: str, algorithm: str, purpose: Purpose) -> dict[str, str]:
    """What a private half is bound to: moved to another row, algorithm or purpose, it does not open."""
    return {"purpose": f"signing {purpose}", "key": kid, "algorithm": algorithm}


def _private_bytes(private_key: PrivateKey) -> bytes:
    return private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _public_bytes(private_key: PrivateKey) -> bytes:
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

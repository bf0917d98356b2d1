"""The instance's signing keys, for tokens and for proofs: made, wrapped, rotated and loaded. They belong to no tenant.

The private half is stored as AES-256-GCM ciphertext under a master key that is never in the database.
It never signs or verifies a token; the hub does.
"""

import datetime
import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from core.database import Connection, Pool
from core.errors import CoreError

PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey

MASTER_KEY_BYTES = 32
NONCE_BYTES = 12
# A new key waits for so long before it signs. Every hub reloads the keys more often than this, so
# that none meets a token of a key it has not seen.
ANNOUNCEMENT_DELAY = datetime.timedelta(seconds=30)

# One key, one algorithm (RFC 8725, 3.1): the only place that says which kind of key goes with which.
ALGORITHMS: dict[str, Callable[[], PrivateKey]] = {
    "EdDSA": Ed25519PrivateKey.generate,
    "ES256": lambda: generate_private_key(SECP256R1()),
}

# One statement, so that at no moment does no key sign. A null p_from is the database's clock.
INSERT_KEY = """
insert into payhub.signing_keys (kid, algorithm, public_key, private_key, signs_from, purpose)
values ($1, $2, $3, $4, coalesce($5::timestamptz, now()), $6)
"""
ROTATE = """
with starts as (select coalesce($5::timestamptz, now()) + $6::interval as at),
retired as (
    update payhub.signing_keys set signs_until = starts.at from starts where signs_until is null and purpose = $7
)
insert into payhub.signing_keys (kid, algorithm, public_key, private_key, signs_from, purpose)
select $1, $2, $3, $4, starts.at, $7 from starts
"""
LOAD_KEYS = """
select kid, algorithm, public_key, private_key, signs_from, signs_until
  from payhub.signing_keys
 where purpose = $1
 order by signs_from, kid
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


class MasterKeyRefused(CoreError):
    """The master key does not open the signing keys of this database."""


async def create_key(
    admin: "Connection | Pool",
    master_key: bytes,
    algorithm: str = "EdDSA",
    signs_from: datetime.datetime | None = None,
    purpose: Purpose = Purpose.TOKENS,
) -> str:
    """Create a key that signs from `signs_from` on (None: at once) and return its kid.

    For an instance's first key; later ones come from `rotate`. `admin` is logged in as the
    administrator. Raises ValueError for an unknown algorithm or a master key that is not 32 bytes.
    """
    kid, *row = _new_row(master_key, algorithm)
    await admin.execute(INSERT_KEY, kid, *row, signs_from, purpose)
    return kid


async def ensure_key(admin_url: str, master_key: bytes) -> None:
    """Make sure that there is a key to sign with, for each purpose. `admin_url` logs in as the administrator."""
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "payhub"})
    try:
        async with connection.transaction():
            await connection.execute("lock table signing_keys in share row exclusive mode")
            for purpose in Purpose:
                if not await load_keys(connection, master_key, purpose):
                    await create_key(connection, master_key, purpose=purpose)
    finally:
        await connection.close()


async def rotate(
    admin: "Connection | Pool",
    master_key: bytes,
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
    kid, *row = _new_row(master_key, algorithm)
    await admin.execute(ROTATE, kid, *row, now, delay, purpose)
    return kid


async def load_keys(
    database: "Connection | Pool", master_key: bytes, purpose: Purpose = Purpose.TOKENS
) -> list[SigningKey]:
    """Every key for this purpose, oldest first. Raises MasterKeyRefused if the master key does not open one of them."""
    cipher = _cipher(master_key)
    return [
        SigningKey(
            row["kid"],
            row["algorithm"],
            _unwrap(cipher, row["kid"], row["algorithm"], row["private_key"], row["public_key"]),
            row["signs_from"],
            row["signs_until"],
        )
        for row in await database.fetch(LOAD_KEYS, purpose)
    ]


def _new_row(master_key: bytes, algorithm: str) -> tuple[str, str, bytes, bytes]:
    """kid, algorithm, public half (SPKI), wrapped private half: nonce, then ciphertext with its tag."""
    cipher = _cipher(master_key)
    if algorithm not in ALGORITHMS:
        raise ValueError(f"A signing key is for one of {', '.join(ALGORITHMS)}.")
    private_key = ALGORITHMS[algorithm]()
    kid = secrets.token_hex(8)
    nonce = secrets.token_bytes(NONCE_BYTES)
    plain = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return (
        kid,
        algorithm,
        _public_bytes(private_key),
        nonce + cipher.encrypt(nonce, plain, _context(kid, algorithm)),
    )


def _unwrap(cipher: AESGCM, kid: str, algorithm: str, wrapped: bytes, public_key: bytes) -> PrivateKey:
    try:
        plain = cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _context(kid, algorithm))
    except (InvalidTag, ValueError):
        raise MasterKeyRefused from None
    private_key = load_der_private_key(plain, password=None)
    assert isinstance(private_key, Ed25519PrivateKey | EllipticCurvePrivateKey)
    # Whoever can write the table must not be able to slip in a public key of their own.
    if _public_bytes(private_key) != public_key:
        raise MasterKeyRefused("A signing key's public half is not the one it was created with.")
    return private_key


def _cipher(master_key: bytes) -> AESGCM:
    if len(master_key) != MASTER_KEY_BYTES:
        raise ValueError(f"The master key is {MASTER_KEY_BYTES} bytes.")
    return AESGCM(master_key)


def _context(kid: str, algorithm: str) -> bytes:
    """What the ciphertext is bound to: moved to another row or another algorithm, it does not open."""
    return f"payhub signing key|{kid}|{algorithm}".encode()


def _public_bytes(private_key: PrivateKey) -> bytes:
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

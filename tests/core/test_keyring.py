import asyncio
import datetime
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from config.settings import ensure_master_key
from core.database import Connection, Pool
from core.errors import KeysUnavailable
from core.keyring import ANNOUNCEMENT_DELAY, MasterKeyRefused, Purpose, create_key, load_keys, rewrap, rotate
from core.keys.local import LocalKeys
from core.keys.master import Master

NOW = datetime.datetime(2031, 5, 4, 12, 0, tzinfo=datetime.UTC)


@pytest_asyncio.fixture
async def keyless(database: Any) -> AsyncIterator[Connection]:
    """The administrator in a transaction without keys that is rolled back: keys are the whole instance's."""
    connection = await asyncpg.connect(database.admin_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("delete from payhub.signing_keys")
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_a_key_loads_as_it_was_made(keyless: Connection, master: Master) -> None:
    first = await create_key(keyless, master, signs_from=NOW)
    second = await create_key(keyless, master, "ES256", NOW + datetime.timedelta(days=1))
    keys = await load_keys(keyless, master)
    assert [(key.kid, key.algorithm, key.signs_until) for key in keys] == [
        (first, "EdDSA", None),
        (second, "ES256", None),
    ]
    assert keys[0].signs_from == NOW
    assert isinstance(keys[0].private_key, Ed25519PrivateKey)
    assert isinstance(keys[1].private_key, EllipticCurvePrivateKey)


async def test_a_first_key_signs_at_once(keyless: Connection, master: Master) -> None:
    await create_key(keyless, master)
    (key,) = await load_keys(keyless, master)
    assert key.signs_from == await keyless.fetchval("select now()")


async def test_the_private_half_is_nowhere_in_the_table(keyless: Connection, master: Master) -> None:
    await create_key(keyless, master)
    (key,) = await load_keys(keyless, master)
    assert isinstance(key.private_key, Ed25519PrivateKey)
    row = await keyless.fetchrow("select * from payhub.signing_keys")
    assert row is not None
    raw = key.private_key.private_bytes_raw()
    assert not any(raw in value for value in row.values() if isinstance(value, bytes))
    assert raw.hex() not in repr(key)


async def test_the_serving_role_reads_keys_and_cannot_write_them(
    keyless: Connection, pool: Pool, master: Master
) -> None:
    kid = await create_key(keyless, master)
    await keyless.execute("set local role payhub_app")
    assert [key.kid for key in await load_keys(keyless, master)] == [kid]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await create_key(pool, master)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rotate(pool, master)


async def test_another_master_key_is_refused_in_a_sentence(keyless: Connection, master: Master, tmp_path: Path) -> None:
    await create_key(keyless, master)
    another = tmp_path / "another.key"
    ensure_master_key(another)
    with pytest.raises(MasterKeyRefused) as refused:
        await load_keys(keyless, Master(LocalKeys(another)))
    assert str(refused.value) == (
        "The master key does not open the signing keys of this database. "
        f"The master key that wrapped this is not in {another}: put your copy of it there."
    )


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "eddsa", ""])
async def test_another_algorithm_is_refused(keyless: Connection, master: Master, algorithm: str) -> None:
    with pytest.raises(ValueError, match="EdDSA, ES256"):
        await create_key(keyless, master, algorithm)


@pytest.mark.parametrize(
    "tampering",
    [
        "kid = 'another'",
        "algorithm = 'ES256'",
        "private_key = set_byte(private_key, 0, get_byte(private_key, 0) # 1)",
        "private_key = set_byte(private_key, 40, get_byte(private_key, 40) # 1)",
        "private_key = substr(private_key, 1, 20)",
        "private_key = ''",
        "wrapped_by = 'another'",
        "public_key = set_byte(public_key, 20, get_byte(public_key, 20) # 1)",
    ],
)
async def test_a_row_that_was_tampered_with_does_not_open(keyless: Connection, master: Master, tampering: str) -> None:
    await create_key(keyless, master)
    await keyless.execute(f"update payhub.signing_keys set {tampering}")
    with pytest.raises(MasterKeyRefused):
        await load_keys(keyless, master)


async def test_a_key_signs_for_its_purpose_alone(keyless: Connection, master: Master) -> None:
    await create_key(keyless, master)
    await keyless.execute("update payhub.signing_keys set purpose = 'proofs'")
    with pytest.raises(MasterKeyRefused):
        await load_keys(keyless, master, Purpose.PROOFS)


async def test_a_rotation_hands_over_at_one_moment(keyless: Connection, master: Master) -> None:
    first = await create_key(keyless, master, signs_from=NOW)
    second = await rotate(keyless, master, now=NOW + datetime.timedelta(days=1))
    handover = NOW + datetime.timedelta(days=1) + ANNOUNCEMENT_DELAY
    assert [(key.kid, key.signs_from, key.signs_until) for key in await load_keys(keyless, master)] == [
        (first, NOW, handover),
        (second, handover, None),
    ]


async def test_hasty_rotations_leave_no_moment_without_a_key(keyless: Connection, master: Master) -> None:
    await create_key(keyless, master, signs_from=NOW)
    for seconds in (0, 5, 10):
        await rotate(keyless, master, "ES256", now=NOW + datetime.timedelta(seconds=seconds))
    keys = await load_keys(keyless, master)
    assert [key.signs_until for key in keys] == [*(key.signs_from for key in keys[1:]), None]


async def test_a_rotation_of_no_keys_is_a_first_key_with_a_delay(keyless: Connection, master: Master) -> None:
    kid = await rotate(keyless, master, delay=datetime.timedelta(0), now=NOW)
    (key,) = await load_keys(keyless, master)
    assert (key.kid, key.signs_from) == (kid, NOW)


async def test_a_key_from_before_there_were_key_services_goes_on(
    keyless: Connection, master: Master, tmp_path: Path
) -> None:
    """As it was stored then: a nonce, and ciphertext under the master key that was the whole file."""
    old = LocalKeys(tmp_path / "master.key")
    private_key = Ed25519PrivateKey.generate()
    nonce = secrets.token_bytes(12)
    plain = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = AESGCM(read(tmp_path / "master.key")).encrypt(nonce, plain, b"payhub signing key|old|EdDSA")
    public = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    await keyless.execute(
        "insert into payhub.signing_keys (kid, algorithm, public_key, private_key, signs_from)"
        " values ('old', 'EdDSA', $1, $2, now())",
        public,
        nonce + sealed,
    )
    await old.rotate()
    new = await rotate(keyless, master)
    keys = {key.kid: key for key in await load_keys(keyless, master)}
    assert keys.keys() == {"old", new}
    assert keys["old"].private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == public

    assert await rewrap(keyless, master) == 2
    await old.forget_old()
    assert {key.kid for key in await load_keys(keyless, master)} == {"old", new}


async def test_only_keys_that_are_not_known_are_asked_of_the_key_service(
    keyless: Connection, master: Master, tmp_path: Path
) -> None:
    await create_key(keyless, master, signs_from=NOW)
    known = await load_keys(keyless, master)
    await asyncio.to_thread((tmp_path / "master.key").unlink)
    nobody = Master(LocalKeys(tmp_path / "master.key"))
    assert await load_keys(keyless, nobody, known=known) == known
    with pytest.raises(KeysUnavailable):
        await load_keys(keyless, nobody)


async def test_every_signing_key_is_in_the_installations_trail(keyless: Connection, master: Master) -> None:
    first = await create_key(keyless, master)
    second = await rotate(keyless, master, "ES256")
    rows = await keyless.fetch(
        "select what, about, details ->> 'algorithm' from payhub.audit_entries where tenant_id = 0 and about = any ($1)"
        " order by at",
        [first, second],
    )
    assert [tuple(row) for row in rows] == [("key.made", first, "EdDSA"), ("key.rotated", second, "ES256")]


def read(path: Path) -> bytes:
    return path.read_bytes()

import datetime
import secrets
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.database import Connection, Pool
from core.keyring import ANNOUNCEMENT_DELAY, MasterKeyRefused, create_key, load_keys, rotate

MASTER_KEY = bytes(range(32))
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


async def test_a_key_loads_as_it_was_made(keyless: Connection) -> None:
    first = await create_key(keyless, MASTER_KEY, signs_from=NOW)
    second = await create_key(keyless, MASTER_KEY, "ES256", NOW + datetime.timedelta(days=1))
    keys = await load_keys(keyless, MASTER_KEY)
    assert [(key.kid, key.algorithm, key.signs_until) for key in keys] == [
        (first, "EdDSA", None),
        (second, "ES256", None),
    ]
    assert keys[0].signs_from == NOW
    assert isinstance(keys[0].private_key, Ed25519PrivateKey)
    assert isinstance(keys[1].private_key, EllipticCurvePrivateKey)


async def test_a_first_key_signs_at_once(keyless: Connection) -> None:
    await create_key(keyless, MASTER_KEY)
    (key,) = await load_keys(keyless, MASTER_KEY)
    assert key.signs_from == await keyless.fetchval("select now()")


async def test_the_private_half_is_nowhere_in_the_table(keyless: Connection) -> None:
    await create_key(keyless, MASTER_KEY)
    (key,) = await load_keys(keyless, MASTER_KEY)
    assert isinstance(key.private_key, Ed25519PrivateKey)
    row = await keyless.fetchrow("select * from payhub.signing_keys")
    assert row is not None
    raw = key.private_key.private_bytes_raw()
    assert not any(raw in value for value in row.values() if isinstance(value, bytes))
    assert raw.hex() not in repr(key)


async def test_the_serving_role_reads_keys_and_cannot_write_them(keyless: Connection, pool: Pool) -> None:
    kid = await create_key(keyless, MASTER_KEY)
    await keyless.execute("set local role payhub_app")
    assert [key.kid for key in await load_keys(keyless, MASTER_KEY)] == [kid]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await create_key(pool, MASTER_KEY)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rotate(pool, MASTER_KEY)


async def test_another_master_key_is_refused_in_one_sentence(
    keyless: Connection,
) -> None:
    await create_key(keyless, MASTER_KEY)
    with pytest.raises(MasterKeyRefused) as refused:
        await load_keys(keyless, secrets.token_bytes(32))
    assert str(refused.value) == "The master key does not open the signing keys of this database."


@pytest.mark.parametrize("size", [0, 16, 31, 33])
async def test_a_master_key_of_another_size_is_refused(keyless: Connection, size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        await create_key(keyless, bytes(size))
    with pytest.raises(ValueError, match="32 bytes"):
        await load_keys(keyless, bytes(size))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "eddsa", ""])
async def test_another_algorithm_is_refused(keyless: Connection, algorithm: str) -> None:
    with pytest.raises(ValueError, match="EdDSA, ES256"):
        await create_key(keyless, MASTER_KEY, algorithm)


@pytest.mark.parametrize(
    "tampering",
    [
        "kid = 'another'",
        "algorithm = 'ES256'",
        "private_key = set_byte(private_key, 0, get_byte(private_key, 0) # 1)",
        "private_key = set_byte(private_key, 40, get_byte(private_key, 40) # 1)",
        "private_key = substr(private_key, 1, 20)",
        "private_key = ''",
        "public_key = set_byte(public_key, 20, get_byte(public_key, 20) # 1)",
    ],
)
async def test_a_row_that_was_tampered_with_does_not_open(keyless: Connection, tampering: str) -> None:
    await create_key(keyless, MASTER_KEY)
    await keyless.execute(f"update payhub.signing_keys set {tampering}")
    with pytest.raises(MasterKeyRefused):
        await load_keys(keyless, MASTER_KEY)


async def test_a_rotation_hands_over_at_one_moment(keyless: Connection) -> None:
    first = await create_key(keyless, MASTER_KEY, signs_from=NOW)
    second = await rotate(keyless, MASTER_KEY, now=NOW + datetime.timedelta(days=1))
    handover = NOW + datetime.timedelta(days=1) + ANNOUNCEMENT_DELAY
    assert [(key.kid, key.signs_from, key.signs_until) for key in await load_keys(keyless, MASTER_KEY)] == [
        (first, NOW, handover),
        (second, handover, None),
    ]


async def test_hasty_rotations_leave_no_moment_without_a_key(
    keyless: Connection,
) -> None:
    await create_key(keyless, MASTER_KEY, signs_from=NOW)
    for seconds in (0, 5, 10):
        await rotate(keyless, MASTER_KEY, "ES256", now=NOW + datetime.timedelta(seconds=seconds))
    keys = await load_keys(keyless, MASTER_KEY)
    assert [key.signs_until for key in keys] == [*(key.signs_from for key in keys[1:]), None]


async def test_a_rotation_of_no_keys_is_a_first_key_with_a_delay(
    keyless: Connection,
) -> None:
    kid = await rotate(keyless, MASTER_KEY, delay=datetime.timedelta(0), now=NOW)
    (key,) = await load_keys(keyless, MASTER_KEY)
    assert (key.kid, key.signs_from) == (kid, NOW)

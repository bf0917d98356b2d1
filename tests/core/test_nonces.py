"""Numbers used once: ours alone, in their tenant and for their purpose, and a single time in all."""

import asyncio
import base64
import datetime
import secrets
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import Pool, acquire, in_tenant
from core.nonces import LIFETIME_S, NONCE_LENGTH, Nonces, Purpose, forget_spent, spend, spend_alone
from core.people.opening import Tenant

MASTER_KEY = bytes(range(32))
NONCES = Nonces(MASTER_KEY)
NOW = 1_900_000_000.4


@pytest.mark.parametrize("purpose", Purpose)
def test_a_nonce_holds_until_its_end_on_every_hub_of_the_instance(purpose: Purpose) -> None:
    nonce, expires_at = NONCES.mint(7, purpose, NOW)
    assert (len(nonce), expires_at) == (NONCE_LENGTH, int(NOW) + LIFETIME_S[purpose])
    another_hub = Nonces(MASTER_KEY)
    assert another_hub.check(nonce, 7, purpose, NOW)
    assert another_hub.check(nonce, 7, purpose, expires_at - 0.01)
    assert not another_hub.check(nonce, 7, purpose, expires_at)


def test_a_proofs_nonce_lives_a_minute_at_most() -> None:
    assert LIFETIME_S[Purpose.PROOF] <= 60


def test_a_nonce_is_nobody_elses() -> None:
    nonce = NONCES.mint(7, Purpose.PROOF, NOW).nonce
    assert not NONCES.check(nonce, 8, Purpose.PROOF, NOW)
    assert not NONCES.check(nonce, 7, Purpose.LOGIN, NOW)
    assert not Nonces(bytes(32)).check(nonce, 7, Purpose.PROOF, NOW)


def test_no_character_of_a_nonce_can_be_changed() -> None:
    nonce = NONCES.mint(7, Purpose.PROOF, NOW).nonce
    for at, mark in enumerate(nonce):
        other = "A" if mark != "A" else "B"
        assert not NONCES.check(nonce[:at] + other + nonce[at + 1 :], 7, Purpose.PROOF, NOW)


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_nothing_else_is_one(text: str) -> None:
    assert NONCES.check(text, 7, Purpose.PROOF, NOW) is False


async def test_of_those_who_come_with_the_same_exactly_one_is_first(pool: Pool, tenant: Tenant) -> None:
    for _ in range(10):
        things = [secrets.token_hex(8) for _ in range(3)]
        answers = await asyncio.gather(
            *(spend_alone(pool, tenant.id, order, time.time() + 60) for order in (things, things[::-1]) * 4)
        )
        assert sorted(answers) == [False] * 7 + [True]


async def test_one_used_thing_among_fresh_ones_is_enough_to_refuse(
    pool: Pool, tenant: Tenant, other_tenant: Tenant
) -> None:
    until = time.time() + 60
    assert await spend_alone(pool, tenant.id, ["a", "b"], until)
    assert not await spend_alone(pool, tenant.id, ["b", "c"], until)
    # Another tenant's are others.
    assert await spend_alone(pool, other_tenant.id, ["a", "b"], until)


async def test_what_was_used_in_a_transaction_that_failed_was_not_used(pool: Pool, tenant: Tenant) -> None:
    async def fail() -> None:
        async with in_tenant(pool, tenant.id) as connection:
            assert await spend(connection, tenant.id, ["x"], time.time() + 60)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await spend_alone(pool, tenant.id, ["x"], time.time() + 60)


async def test_a_worker_forgets_what_is_too_old_and_nothing_else(pool: Pool, tenant: Tenant) -> None:
    now = time.time()
    await spend_alone(pool, tenant.id, ["old"], now - 400)
    await spend_alone(pool, tenant.id, ["young"], now - 200)
    assert await forget_spent(pool, datetime.timedelta(seconds=300), 10_000) >= 1
    async with acquire(pool) as connection, connection.transaction():
        await connection.execute("select set_config('payhub.tenant_id', $1, true)", str(tenant.id))
        assert await connection.fetchval("select count(*) from spent_nonces") == 1
    assert not await spend_alone(pool, tenant.id, ["young"], now + 60)

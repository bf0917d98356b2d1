"""Challenges: ours, for one purpose, for minutes, once."""

import asyncio
import secrets

from core.database import Pool, in_tenant
from core.errors import ProofRefused
from core.people.challenges import CHALLENGE_BYTES, CHALLENGE_LIFETIME_S, make_challenge, spend_challenge
from core.people.marking import Marks
from core.people.opening import Tenant

NOW = 2_000_000_000.0
MARKS = Marks(secrets.token_bytes(32))


async def spend(
    pool: Pool, tenant: int, challenge: bytes, purpose: str = "p", made_for: str = "ana", now: float = NOW
) -> str:
    """`ok`, or why not."""
    try:
        async with in_tenant(pool, tenant) as connection:
            await spend_challenge(connection, MARKS, tenant, purpose, made_for, challenge, now)
    except ProofRefused as refused:
        return refused.reason
    return "ok"


async def test_a_challenge_is_answered_once(pool: Pool, tenant: Tenant) -> None:
    challenge, other = (make_challenge(MARKS, tenant.id, "p", "ana", NOW) for _ in range(2))
    assert challenge != other
    assert [await spend(pool, tenant.id, one) for one in (challenge, challenge, other)] == [
        "ok",
        "challenge_used",
        "ok",
    ]


async def test_a_challenge_is_answered_by_whom_and_for_what_it_was_made(
    pool: Pool, tenant: Tenant, other_tenant: Tenant
) -> None:
    challenge = make_challenge(MARKS, tenant.id, "p", "ana", NOW)
    assert await spend(pool, tenant.id, challenge, made_for="rui") == "challenge_unknown"
    assert await spend(pool, tenant.id, challenge, purpose="q") == "challenge_unknown"
    assert await spend(pool, other_tenant.id, challenge) == "challenge_unknown"
    strange = make_challenge(Marks(secrets.token_bytes(32)), tenant.id, "p", "ana", NOW)
    assert await spend(pool, tenant.id, strange) == "challenge_unknown"
    assert await spend(pool, tenant.id, challenge) == "ok"


async def test_a_challenge_ends(pool: Pool, tenant: Tenant) -> None:
    challenge = make_challenge(MARKS, tenant.id, "p", "ana", NOW)
    assert await spend(pool, tenant.id, challenge, now=NOW + CHALLENGE_LIFETIME_S) == "challenge_over"
    assert await spend(pool, tenant.id, challenge, now=NOW + CHALLENGE_LIFETIME_S - 1) == "ok"


async def test_no_byte_of_a_challenge_can_be_changed(pool: Pool, tenant: Tenant) -> None:
    challenge = make_challenge(MARKS, tenant.id, "p", "ana", NOW)
    assert len(challenge) == CHALLENGE_BYTES
    for at in range(CHALLENGE_BYTES):
        changed = bytes([*challenge[:at], challenge[at] ^ 0x80, *challenge[at + 1 :]])
        assert await spend(pool, tenant.id, changed) == "challenge_unknown"
    for wrong in (b"", challenge[:-1], challenge + b"\0", challenge * 2):
        assert await spend(pool, tenant.id, wrong) == "challenge_unknown"


async def test_of_many_answers_at_once_one_is_taken(pool: Pool, tenant: Tenant) -> None:
    challenge = make_challenge(MARKS, tenant.id, "p", "ana", NOW)
    answers = await asyncio.gather(*(spend(pool, tenant.id, challenge) for _ in range(20)))
    assert sorted(answers) == ["challenge_used"] * 19 + ["ok"]

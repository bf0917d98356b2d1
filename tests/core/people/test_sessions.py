import asyncio
import datetime
import hashlib
import uuid

import pytest
import pytest_asyncio

from core.database import Pool, in_tenant
from core.errors import CredentialsRefused, NotFound
from core.keys.safe import Safe
from core.people.opening import Tenant, open_person
from core.people.persons import PersonStatus, Role
from core.people.sessions import (
    REFRESH_GRACE,
    REFRESH_TOKEN,
    SESSION_LIFETIME,
    RefreshTokenReused,
    find_revoked,
    revoke,
    rotate,
    start_session,
)
from tests.core.people.standings import stand

NOW = datetime.datetime(2031, 5, 4, 12, 0, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)


@pytest_asyncio.fixture
async def ana(pool: Pool, tenant: Tenant, keys: Safe) -> str:
    return (await open_person(pool, keys, tenant.id, Role.MERCHANT, "Ana")).person_id


async def test_a_refresh_token_is_taken_for_a_fresh_one(pool: Pool, tenant: Tenant, ana: str) -> None:
    started = await start_session(pool, tenant.id, ana)
    token = started.refresh_token
    for _ in range(3):
        rotated = await rotate(pool, tenant.id, token)
        assert rotated[:3] == (started.session_id, ana, Role.MERCHANT)
        assert rotated.refresh_token != token
        token = rotated.refresh_token


async def test_only_the_hash_is_stored(pool: Pool, tenant: Tenant, ana: str) -> None:
    started = await start_session(pool, tenant.id, ana)
    assert REFRESH_TOKEN.fullmatch(started.refresh_token)
    async with in_tenant(pool, tenant.id) as connection:
        stored = await connection.fetchval("select hash from refresh_tokens")
    assert stored == hashlib.sha256(started.refresh_token.encode()).digest()
    assert started.refresh_token not in repr(started)
    assert started.refresh_token not in repr(await rotate(pool, tenant.id, started.refresh_token))


async def test_within_the_grace_a_used_token_is_taken_again(pool: Pool, tenant: Tenant, ana: str) -> None:
    started = await start_session(pool, tenant.id, ana, now=NOW)
    first = await rotate(pool, tenant.id, started.refresh_token, now=NOW + SECOND)
    again = await rotate(pool, tenant.id, started.refresh_token, now=NOW + SECOND + REFRESH_GRACE)
    assert again.session_id == first.session_id
    assert again.refresh_token != first.refresh_token
    later = NOW + 60 * SECOND
    assert (await rotate(pool, tenant.id, again.refresh_token, now=later)).session_id == started.session_id


async def test_the_grace_counts_from_the_first_use(pool: Pool, tenant: Tenant, ana: str) -> None:
    started = await start_session(pool, tenant.id, ana, now=NOW)
    await rotate(pool, tenant.id, started.refresh_token, now=NOW)
    await rotate(pool, tenant.id, started.refresh_token, now=NOW + 9 * SECOND)
    with pytest.raises(RefreshTokenReused):
        await rotate(pool, tenant.id, started.refresh_token, now=NOW + 11 * SECOND)


async def test_after_the_grace_a_used_token_ends_the_whole_session(pool: Pool, tenant: Tenant, ana: str) -> None:
    started = await start_session(pool, tenant.id, ana, now=NOW)
    successor = (await rotate(pool, tenant.id, started.refresh_token, now=NOW)).refresh_token
    late = NOW + REFRESH_GRACE + datetime.timedelta(microseconds=1)
    with pytest.raises(RefreshTokenReused) as reused:
        await rotate(pool, tenant.id, started.refresh_token, now=late)
    assert (reused.value.tenant_id, reused.value.session_id, reused.value.person_id) == (
        tenant.id,
        started.session_id,
        ana,
    )
    assert str(reused.value) == str(CredentialsRefused())
    for token in (successor, started.refresh_token):
        with pytest.raises(CredentialsRefused) as refused:
            await rotate(pool, tenant.id, token, now=late)
        assert type(refused.value) is CredentialsRefused
    pair = (tenant.id, started.session_id)
    assert await find_revoked(pool, [pair], now=late) == [pair]


async def test_another_session_of_the_person_survives(pool: Pool, tenant: Tenant, ana: str) -> None:
    stolen = await start_session(pool, tenant.id, ana, now=NOW)
    kept = await start_session(pool, tenant.id, ana, now=NOW)
    await rotate(pool, tenant.id, stolen.refresh_token, now=NOW)
    with pytest.raises(RefreshTokenReused):
        await rotate(pool, tenant.id, stolen.refresh_token, now=NOW + 60 * SECOND)
    assert (await rotate(pool, tenant.id, kept.refresh_token, now=NOW + 60 * SECOND)).person_id == ana


async def test_two_rotations_of_one_token_at_once_both_get_a_successor(pool: Pool, tenant: Tenant, ana: str) -> None:
    for _ in range(20):
        started = await start_session(pool, tenant.id, ana)
        both = await asyncio.gather(*(rotate(pool, tenant.id, started.refresh_token) for _ in range(2)))
        assert len({started.refresh_token, *(one.refresh_token for one in both)}) == 3
        async with in_tenant(pool, tenant.id) as connection:
            rows = await connection.fetch(
                "select used_at is null from refresh_tokens where session_id = $1", started.session_id
            )
        assert sorted(row[0] for row in rows) == [False, True, True]


async def test_of_many_late_reuses_at_once_exactly_one_revokes(pool: Pool, tenant: Tenant, ana: str) -> None:
    started = await start_session(pool, tenant.id, ana, now=NOW)
    await rotate(pool, tenant.id, started.refresh_token, now=NOW)
    late = NOW + 60 * SECOND
    answers = await asyncio.gather(
        *(rotate(pool, tenant.id, started.refresh_token, now=late) for _ in range(6)), return_exceptions=True
    )
    assert all(isinstance(answer, CredentialsRefused) for answer in answers)
    assert sum(isinstance(answer, RefreshTokenReused) for answer in answers) == 1


async def test_rotating_and_revoking_at_once_never_leaves_a_live_token(pool: Pool, tenant: Tenant, ana: str) -> None:
    for _ in range(20):
        started = await start_session(pool, tenant.id, ana)
        answers = await asyncio.gather(
            rotate(pool, tenant.id, started.refresh_token),
            revoke(pool, tenant.id, started.session_id),
            return_exceptions=True,
        )
        token = started.refresh_token if isinstance(answers[0], BaseException) else answers[0].refresh_token
        with pytest.raises(CredentialsRefused):
            await rotate(pool, tenant.id, token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "phr_",
        "phr_" + "A" * 43,
        "A" * 47,
        "phr_" + "A" * 44,
        "phr_" + "A" * 42 + "\n",
        "phr_" + "é" * 43,
        "\ud800",
    ],
)
async def test_a_token_nobody_was_given_is_refused(pool: Pool, tenant: Tenant, token: str) -> None:
    with pytest.raises(CredentialsRefused) as refused:
        await rotate(pool, tenant.id, token)
    assert type(refused.value) is CredentialsRefused


async def test_a_session_ends_after_thirty_days_however_often_it_is_rotated(
    pool: Pool, tenant: Tenant, ana: str
) -> None:
    started = await start_session(pool, tenant.id, ana, now=NOW)
    end = NOW + SESSION_LIFETIME
    token = (await rotate(pool, tenant.id, started.refresh_token, now=end - SECOND)).refresh_token
    pair = (tenant.id, started.session_id)
    assert await find_revoked(pool, [pair], now=end - SECOND) == []
    assert await find_revoked(pool, [pair], now=end) == [pair]
    with pytest.raises(CredentialsRefused):
        await rotate(pool, tenant.id, token, now=end)


async def test_a_revoked_session_stays_revoked(pool: Pool, tenant: Tenant, ana: str) -> None:
    started = await start_session(pool, tenant.id, ana)
    await revoke(pool, tenant.id, started.session_id)
    await revoke(pool, tenant.id, started.session_id)
    with pytest.raises(CredentialsRefused):
        await rotate(pool, tenant.id, started.refresh_token)


async def test_an_unknown_session_cannot_be_revoked(pool: Pool, tenant: Tenant) -> None:
    with pytest.raises(NotFound):
        await revoke(pool, tenant.id, str(uuid.uuid4()))


async def test_a_person_who_is_closed_has_no_session(pool: Pool, tenant: Tenant, ana: str) -> None:
    started = await start_session(pool, tenant.id, ana)
    pair = (tenant.id, started.session_id)
    assert await find_revoked(pool, [pair]) == []
    await stand(pool, tenant.id, ana, PersonStatus.CLOSED)
    assert await find_revoked(pool, [pair]) == [pair]
    with pytest.raises(CredentialsRefused):
        await rotate(pool, tenant.id, started.refresh_token)
    with pytest.raises(CredentialsRefused):
        await start_session(pool, tenant.id, ana)


@pytest.mark.parametrize("status", [PersonStatus.BLOCKED, PersonStatus.PENDING])
async def test_a_person_who_is_blocked_or_pending_logs_in_and_stays(
    pool: Pool, tenant: Tenant, ana: str, status: PersonStatus
) -> None:
    started = await start_session(pool, tenant.id, ana)
    await stand(pool, tenant.id, ana, status)
    assert await find_revoked(pool, [(tenant.id, started.session_id)]) == []
    await rotate(pool, tenant.id, started.refresh_token)
    await start_session(pool, tenant.id, ana)


async def test_a_changed_role_reaches_its_owner_at_the_next_rotation(
    pool: Pool, admin: Pool, tenant: Tenant, ana: str
) -> None:
    started = await start_session(pool, tenant.id, ana)
    await admin.execute("update persons set role = 0 where tenant_id = $1 and id = $2", tenant.id, ana)
    assert (await rotate(pool, tenant.id, started.refresh_token)).role is Role.CUSTOMER


async def test_another_tenants_sessions_are_like_none(
    pool: Pool, tenant: Tenant, other_tenant: Tenant, ana: str
) -> None:
    started = await start_session(pool, tenant.id, ana)
    with pytest.raises(CredentialsRefused):
        await start_session(pool, other_tenant.id, ana)
    with pytest.raises(CredentialsRefused):
        await rotate(pool, other_tenant.id, started.refresh_token)
    with pytest.raises(NotFound):
        await revoke(pool, other_tenant.id, started.session_id)
    # Untouched by all that.
    assert (await rotate(pool, tenant.id, started.refresh_token)).person_id == ana


async def test_the_sweep_matches_pairs_and_not_sets(
    pool: Pool, tenant: Tenant, other_tenant: Tenant, ana: str, keys: Safe
) -> None:
    there = (await open_person(pool, keys, other_tenant.id, Role.CUSTOMER, "There")).person_id
    live = (tenant.id, (await start_session(pool, tenant.id, ana)).session_id)
    ended = (tenant.id, (await start_session(pool, tenant.id, ana)).session_id)
    live_there = (other_tenant.id, (await start_session(pool, other_tenant.id, there)).session_id)
    await revoke(pool, *ended)
    crossed = [(other_tenant.id, live[1]), (tenant.id, live_there[1])]
    unknown = (tenant.id, str(uuid.uuid4()))
    found = await find_revoked(pool, [live, ended, live_there, *crossed, unknown])
    assert sorted(found) == sorted([ended, *crossed, unknown])
    assert await find_revoked(pool, []) == []


async def test_thousands_of_live_sessions_are_swept_in_one_call(pool: Pool, tenant: Tenant, ana: str) -> None:
    ids = [str(uuid.uuid4()) for _ in range(5_000)]
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute(
            "insert into sessions (tenant_id, id, person_id, expires_at, revoked_at)"
            " select $1, id, $3, now() + interval '1 day', case when at % 1000 = 0 then now() end"
            " from unnest($2::uuid[]) with ordinality as made (id, at)",
            tenant.id,
            ids,
            ana,
        )
    started = asyncio.get_running_loop().time()
    found = await find_revoked(pool, [(tenant.id, one) for one in ids])
    assert {session for _, session in found} == set(ids[999::1000])
    # Some ten milliseconds; minutes, if each were looked for among all of them.
    assert asyncio.get_running_loop().time() - started < 10

"""Buckets: what is granted, refused and told to the other hubs. Time is a number here."""

import asyncio

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import Pool
from core.people.opening import Tenant
from core.people.persons import Role
from core.people.quotas import set_quota
from hub.limits import (
    ADDRESS_LOGIN,
    BUCKETS_MAX,
    BY_ROLE,
    IMPATIENCE_MAX,
    TENANT,
    WAIT_S_MIN,
    Bucket,
    Limit,
    Limits,
    Patience,
    address_key,
    quota,
)
from hub.session import IN_FLIGHT_MAX
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.stranger import Stranger

LIMIT = Limit(per_second=10, burst=20)


def test_a_burst_is_granted_at_once_and_the_rest_at_its_pace() -> None:
    bucket = Bucket(LIMIT)
    assert [bucket.spend(100.0) for _ in range(20)] == [0.0] * 20
    wait = bucket.spend(100.0)
    assert 0.09 < wait < 0.11
    assert bucket.spend(100.0 + wait) == 0.0


def test_a_refusal_takes_nothing() -> None:
    bucket = Bucket(LIMIT)
    bucket.spend(0.0, 20)
    before = bucket.full_at
    for _ in range(1000):
        assert bucket.spend(0.0) > 0
    assert (bucket.full_at, bucket.unreported) == (before, 20)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 5)), max_size=200))
def test_no_pattern_of_asking_gets_more_than_the_limit(asked: list[tuple[float, int]]) -> None:
    bucket, now, granted = Bucket(LIMIT), 1000.0, 0
    for pause, count in asked:
        now += pause
        if not bucket.spend(now, count):
            granted += count
    assert granted <= LIMIT.burst + LIMIT.per_second * (now - 1000.0) + 1e-6


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 40)), max_size=100))
def test_whoever_waits_as_told_is_granted(asked: list[tuple[float, int]]) -> None:
    bucket, now = Bucket(LIMIT), 0.0
    for pause, elsewhere in asked:
        now += pause
        bucket.spend_elsewhere(now, elsewhere)
        wait = bucket.spend(now)
        assert wait <= 2 * LIMIT.burst / LIMIT.per_second
        if wait:
            now += wait
            assert bucket.spend(now) == 0.0


def test_two_hubs_that_report_share_a_limit() -> None:
    here, there = Limits(), Limits()
    for _ in range(30):
        assert not here.bucket("address-login", 0, "x", ADDRESS_LOGIN).spend(0.0)
    there.hear(0.0, here.report(0.0))
    assert there.bucket("address-login", 0, "x", ADDRESS_LOGIN).spend(0.0) > 0
    assert here.report(0.0) == []


def test_a_bucket_that_a_connection_holds_stays_the_one_that_others_get() -> None:
    limits = Limits()
    held = limits.bucket("tenant", 7, "", TENANT)
    held.holders += 1
    limits.report(1e9)
    assert limits.bucket("tenant", 7, "", TENANT) is held
    held.holders -= 1
    limits.report(1e9)
    assert len(limits) == 0


def test_a_bucket_is_forgotten_only_when_it_is_full_again() -> None:
    limits = Limits()
    limits.bucket("address-login", 0, "x", LIMIT).spend(0.0, 20)
    limits.report(0.0)
    limits.report(1.0)
    assert len(limits) == 1
    limits.report(2.1)
    assert len(limits) == 0


def test_strange_reports_are_ignored_and_memory_is_bounded() -> None:
    limits = Limits()
    limits.hear(0.0, [(("unheard-of", 1, "x"), 5)])
    assert len(limits) == 0
    limits.hear(0.0, ((("address-login", 0, str(at)), 1) for at in range(BUCKETS_MAX + 10)))
    assert len(limits) == BUCKETS_MAX


def test_a_limit_that_has_changed_holds_for_those_who_have_the_bucket_at_hand() -> None:
    limits = Limits()
    held = limits.bucket("tenant", 7, "", TENANT)
    assert not held.spend(0.0, 100)
    assert limits.bucket("tenant", 7, "", quota(10)) is held
    assert [bool(held.spend(1.0)) for _ in range(21)] == [False] * 20 + [True]
    # What other hubs tell of it does not bring the old limit back.
    limits.hear(1.0, [(("tenant", 7, ""), 5)])
    assert held.limit == quota(10)


async def test_a_quota_is_kept_within_seconds_and_moves_nobody_else(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant, admin: Pool, web: httpx2.AsyncClient
) -> None:
    somebody = await enter(tenant)
    client, other = await join(hubs.a, somebody), await join(hubs.b, await enter(other_tenant))
    await set_quota(admin, tenant.slug, 20)

    async def ask(client: Stranger, count: int) -> set[str]:
        for _ in range(count):
            await client.submit("ping")
        return {str((await client.receive()).get("code")) for _ in range(count)}

    async with asyncio.timeout(20):
        while await ask(client, 100) == {"None"}:
            await asyncio.sleep(0.5)
    assert await ask(other, 100) == {"None"}
    # Over HTTP, and at the other hub, it is the same quota.
    headers = {"authorization": f"Bearer {somebody.token}"}
    async with asyncio.timeout(20):
        while (await web.get(f"{hubs.a.url}/v1/accounts", headers=headers)).status_code != 429:
            pass
    await set_quota(admin, tenant.slug, 40_000)
    async with asyncio.timeout(20):
        while await ask(client, 100) != {"None"}:
            await asyncio.sleep(0.5)


async def test_a_person_with_many_idle_connections_has_one_limit(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    somebody = await enter(tenant)
    clients = []
    for _ in range(8):
        clients.append(await join(hubs.a, somebody))
        # Longer than the hubs take to forget what nobody uses.
        await asyncio.sleep(0.6)
    for client in clients:
        for _ in range(190):
            await client.submit("ping")
    answers = [(await client.receive())["type"] for client in clients for _ in range(190)]
    # A burst of 500, and 200 a second for as long as it took: a limit for each would have granted all.
    assert answers.count("error") > 0


async def test_going_too_fast_is_refused_with_the_time_to_wait_and_a_flood_is_closed(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    flooder, polite = await join(hubs.a, await enter(tenant)), await join(hubs.a, await enter(tenant))
    for _ in range(3000):
        await flooder.submit("ping")
    assert (await polite.ask("ping"))["type"] == "pong"
    assert await flooder.closed() == 4005
    refused = [message for message in flooder.heard if message["type"] == "error"]
    # What was granted meanwhile made up for as many.
    assert IMPATIENCE_MAX <= len(refused) <= 2 * IMPATIENCE_MAX
    assert {message["code"] for message in refused} == {"rate_limited"}
    assert all(0 < message["retry_after_ms"] < 10_000 and "id" in message for message in refused)
    assert (await polite.ask("ping"))["type"] == "pong"


async def test_a_whole_window_refused_at_once_is_no_flood(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    client = await join(hubs.a, await enter(tenant))
    sent = BY_ROLE[Role.CUSTOMER].burst + IN_FLIGHT_MAX
    for _ in range(int(sent)):
        await client.submit("ping")
    answers = [await client.receive() for _ in range(int(sent))]
    waits = [answer["retry_after_ms"] for answer in answers if answer["type"] == "error"]
    assert waits
    # And whoever then waits as told is served.
    await asyncio.sleep(max(waits) / 1000)
    assert (await client.ask("ping"))["type"] == "pong"


def test_whoever_waits_as_told_is_never_a_flood_however_often_refused() -> None:
    patience, now = Patience(), 1_000.0
    for _ in range(20 * IMPATIENCE_MAX):
        told = patience.refuse(now, 0.005)
        assert told == pytest.approx(WAIT_S_MIN)
        now += told
    assert not patience.is_worn_out


def test_whoever_does_not_wait_is_a_flood_soon() -> None:
    patience, now, granted, refused = Patience(), 1_000.0, 0, 0
    bucket = Bucket(BY_ROLE[Role.CUSTOMER])
    while not patience.is_worn_out:
        now += 0.0001  # 10,000 a second, of which 200 are granted
        if wait := bucket.spend(now):
            patience.refuse(now, wait)
            refused += 1
        else:
            patience.grant()
            granted += 1
    assert granted < BY_ROLE[Role.CUSTOMER].burst + 50
    assert IMPATIENCE_MAX < refused < IMPATIENCE_MAX + 50


def test_a_refusal_tells_the_rest_of_the_wait() -> None:
    patience = Patience()
    assert patience.refuse(10.0, 0.005) == pytest.approx(WAIT_S_MIN)
    assert patience.refuse(10.04, 0.005) == pytest.approx(WAIT_S_MIN - 0.04)
    assert patience.refuse(10.05, 30.0) == 30.0


def test_the_window_of_a_client_that_has_heard_nothing_yet_is_forgiven() -> None:
    assert IMPATIENCE_MAX > IN_FLIGHT_MAX


def test_an_ipv6_customer_is_one_address_however_many_it_uses() -> None:
    assert address_key("2001:db8:1:2:3:4:5:6") == address_key("2001:db8:1:2::1")
    assert address_key("2001:db8:1:3::1") != address_key("2001:db8:1:2::1")
    assert address_key("203.0.113.9") == "203.0.113.9"
    assert address_key("unix") == "unix"

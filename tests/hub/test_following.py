"""Following and resuming: numbers without gaps, cursors that are checked, caps that hold."""

import asyncio
import uuid
from typing import Any

import pytest
from redis.asyncio import Redis

from core.database import Pool
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.nouns import Payment, SystemAccount
from core.people.opening import Tenant, open_people
from core.people.persons import Role
from tests.conftest import Database, the_keys
from tests.hub.conftest import Enter, Hubs, Join, Somebody
from tests.hub.stranger import MSGPACK, Stranger, Wire


async def pour(pool: Pool, somebody: Somebody, count: int) -> None:
    """So many payments of 1 to somebody, past every hub: no hint tells of them."""
    for start in range(0, count, 500):
        batch = [
            Payment(
                somebody.tenant.id,
                str(uuid.uuid4()),
                SystemAccount.CASH_IN,
                somebody.account,
                1,
                somebody.person,
            )
            for _ in range(min(500, count - start))
        ]
        async with pool.acquire() as connection:
            await post_payments(connection, batch, the_keys())


@pytest.mark.parametrize("subprotocol", ["payhub.v1.json", MSGPACK])
async def test_snapshot_and_events_equal_a_fresh_snapshot(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, subprotocol: str
) -> None:
    payer, payee = await enter(tenant, funds=500), await enter(tenant)
    follower, there, here = (
        await join(hubs.a, payee, subprotocol),
        await join(hubs.b, payer),
        await join(hubs.a, payer),
    )
    snapshot = await follower.ask("follow", account=payee.account)
    await asyncio.gather(*(pay_often(client, payer, payee) for client in (here, there)))
    events = await follower.events(60)
    assert [event["number"] for event in events] == list(range(snapshot["number"] + 1, snapshot["number"] + 61))
    running = snapshot["posted"]
    for event in events:
        running += event["amount"]
        assert event["balance"] == running
    fresh = (await follower.ask("account", account=payee.account))["account"]
    assert (fresh["posted"], fresh["number"]) == (running, events[-1]["number"])


async def pay_often(client: Stranger, payer: Somebody, payee: Somebody, times: int = 30) -> None:
    for _ in range(times):
        assert (await client.pay(payer.account, payee.account, 2))["status"] == "posted"


async def test_an_event_without_any_hint_arrives_within_three_seconds(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    somebody = await enter(tenant)
    client = await join(hubs.a, somebody)
    await client.ask("follow", account=somebody.account)
    await pour(pool, somebody, 3)
    assert [event["number"] for event in await client.events(3, timeout_s=6)] == [1, 2, 3]


@pytest.mark.parametrize("after", [-1, 2**53, 1.0, "0", None])
async def test_a_cursor_that_is_no_number_is_refused(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, after: Any
) -> None:
    somebody = await enter(tenant)
    client = await join(hubs.a, somebody)
    assert (await client.ask("follow", account=somebody.account, after=after))["code"] == "invalid_field"
    assert (await client.ask("resume", follow=[[somebody.account, after]]))["code"] == "invalid_field"


async def test_a_cursor_of_the_future_is_refused(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    somebody = await enter(tenant, funds=1)
    client = await join(hubs.a, somebody)
    assert (await client.ask("follow", account=somebody.account, after=2))["code"] == "cursor_out_of_range"
    payment = str(uuid.uuid4())
    refused = await client.ask("resume", follow=[[somebody.account, 2]], in_doubt=[payment])
    assert refused["code"] == "cursor_out_of_range"
    # All or nothing: the refused resume fenced nothing.
    other = await enter(tenant)
    assert (await client.pay(somebody.account, other.account, 1, payment))["status"] == "posted"


async def test_acknowledging_what_was_not_sent_is_refused(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    somebody = await enter(tenant, funds=1)
    client = await join(hubs.a, somebody)
    for number, code in ((1, "not_found"), (9, "cursor_out_of_range")):
        await client.send({"type": "ack", "account": somebody.account, "number": number})
        assert (await client.receive())["code"] == code
        await client.ask("follow", account=somebody.account)
    await client.send({"type": "ack", "account": somebody.account, "number": 1})
    assert (await client.ask("ping"))["type"] == "pong"


async def test_ten_thousand_events_are_caught_up_in_order(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    somebody = await enter(tenant)
    await pour(pool, somebody, 10_000)
    client = await join(hubs.a, somebody, MSGPACK)
    resumed = await client.ask("resume", follow=[[somebody.account, 0]])
    assert resumed["following"][0]["number"] == 10_000
    await pour(pool, somebody, 100)  # life goes on meanwhile
    events = await client.events(10_100, timeout_s=30)
    assert [event["number"] for event in events] == list(range(1, 10_101))


async def test_no_more_than_a_hundred_accounts_are_followed_even_when_asked_at_once(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    operator = await enter(tenant, Role.OPERATOR)
    people = await open_people(pool, keys, tenant.id, Role.CUSTOMER, [f"Person {at}" for at in range(160)])
    client = await join(hubs.a, operator)
    ids = [await client.submit("follow", account=person.account_id) for person in people]
    answers: dict[int, Wire] = {}
    while len(answers) < len(ids):
        answer = await client.receive()
        answers[answer["id"]] = answer
    kinds = [answer.get("code", answer["type"]) for answer in answers.values()]
    assert (kinds.count("following"), kinds.count("too_many_followed")) == (100, 60)
    followed = [
        person.account_id for id_, person in zip(ids, people, strict=True) if answers[id_]["type"] == "following"
    ]
    # Answers overtake each other: which hundred were first is not said.
    rest = [[person.account_id, 0] for person in people if person.account_id not in followed][:50]
    assert (await client.ask("resume", follow=rest[:1]))["code"] == "too_many_followed"
    assert (await client.ask("unfollow", account=followed[0]))["type"] == "unfollowed"
    payment = str(uuid.uuid4())
    assert (await client.ask("resume", follow=rest, in_doubt=[payment]))["code"] == "too_many_followed"
    assert (await client.ask("resume", follow=rest[:1], in_doubt=[payment]))["settled"][0]["status"] == "fenced"
    assert (await client.ask("resume", follow=[[1_000_000 + at, 0] for at in range(101)]))["code"] == "invalid_field"


async def test_following_and_unfollowing_in_a_loop_leaves_nothing_behind(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    somebody = await enter(tenant, Role.MERCHANT)
    client = await join(hubs.a, somebody)
    before = (await hubs.a.metrics())["payhub_accounts_followed"]
    for _ in range(300):
        await client.send({"type": "follow", "id": 1, "account": somebody.account})
        await client.send({"type": "unfollow", "id": 2, "account": somebody.account})
    for _ in range(600):
        assert (await client.receive())["type"] in {"following", "unfollowed", "error"}
    await client.ask("unfollow", account=somebody.account)
    assert (await hubs.a.metrics())["payhub_accounts_followed"] <= before


async def test_a_hundred_accounts_are_caught_up_without_cutting_a_client_that_reads_slowly(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    operator = await enter(tenant, Role.OPERATOR)
    people = await open_people(pool, keys, tenant.id, Role.CUSTOMER, [f"Person {at}" for at in range(60)])
    for _ in range(5):
        batch = [
            Payment(
                tenant.id,
                str(uuid.uuid4()),
                SystemAccount.CASH_IN,
                person.account_id,
                1,
                operator.person,
                "x" * 100,
            )
            for person in people
            for _ in range(60)
        ]
        for start in range(0, len(batch), 500):
            async with pool.acquire() as connection:
                await post_payments(connection, batch[start : start + 500], the_keys())
    client = await join(hubs.a, operator, MSGPACK)
    client.connection.transport.pause_reading()
    await client.send({"type": "resume", "id": 1, "follow": [[person.account_id, 0] for person in people]})
    for _ in range(20):
        await asyncio.sleep(0.1)
        client.connection.transport.resume_reading()
        await asyncio.sleep(0.01)
        client.connection.transport.pause_reading()
    client.connection.transport.resume_reading()
    await client.answer(1)
    seen: dict[int, int] = {}
    for event in await client.events(60 * 300, timeout_s=40):
        assert event["number"] == seen.get(event["account"], 0) + 1
        seen[event["account"]] = event["number"]
    assert set(seen.values()) == {300}


async def test_a_rogue_publisher_is_counted_and_invents_nothing(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, database: Database
) -> None:
    payer, payee = await enter(tenant, funds=100), await enter(tenant)
    follower, client = await join(hubs.a, payee), await join(hubs.b, payer)
    await follower.ask("follow", account=payee.account)
    forged_before = (await hubs.a.metrics())["payhub_hints_forged"]
    redis = Redis.from_url(database.redis_url)
    pubsub = redis.pubsub()
    channel = f"payhub:v1:events:{tenant.id}"
    await pubsub.subscribe(channel)
    assert (await client.pay(payer.account, payee.account, 1))["status"] == "posted"
    (event,) = await follower.events(1)
    genuine = b""
    async with asyncio.timeout(5):
        while not genuine:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1)
            genuine = message["data"] if message else b""
    changed = bytearray(genuine)
    changed[-1] ^= 1
    for data in (b"", b"\x00", b"x" * 100_000, bytes(changed), genuine[:20], genuine + b"\x00"):
        await redis.publish(channel, data)
    # Genuine, but of another channel: the signature names the channel.
    await redis.publish("payhub:v1:control", genuine)
    # Genuine and old: its number was sent before.
    await redis.publish(channel, genuine)
    await pubsub.aclose()  # type: ignore[no-untyped-call]
    await redis.aclose()
    assert (await client.pay(payer.account, payee.account, 2))["status"] == "posted"
    (second,) = await follower.events(1)
    assert (event["number"], second["number"], second["amount"]) == (1, 2, 2)
    assert (await hubs.a.metrics())["payhub_hints_forged"] >= forged_before + 7

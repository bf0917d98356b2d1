"""Sinks are told everything, in order for each account, at least once; whoever is away, hangs or refuses costs nobody."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.audit.trail import Act, By, note
from core.database import Pool, acquire, in_tenant, transaction
from core.ledger.posting import post_payments
from core.outside import Outside
from core.people.opening import Tenant, create_tenant
from core.proof.leaves import LeafKind
from core.sinks import cursors
from core.sinks.cursors import LEASE
from core.webhooks.signing import draw_secret, is_signed
from tests.conftest import Books
from tests.core.sinks.test_reading import point_at_nothing
from tests.core.webhooks.receiver import Answer, Heard, Receiver, always, take
from tests.workers.sinks.conftest import SOURCE, Desk, events_of, moved, numbers, once, tell_all
from tests.workers.webhooks.conftest import LOOPBACK
from workers.sinks import http, telling
from workers.sinks.http import HttpChoice, HttpSink
from workers.sinks.stream import StreamChoice, StreamSink
from workers.sinks.telling import RETRY_S_MAX, failing_logs, failures

MINUTE_S = 60.0


async def test_what_is_done_is_told_in_batches_as_the_binding_says(desk: Desk) -> None:
    worker = await desk.begin(desk.http())
    await desk.pay(3)
    await tell_all(worker)
    heard = desk.receiver.taken[-1]
    assert heard.headers["content-type"] == "application/cloudevents-batch+json; charset=utf-8"
    assert heard.headers["host"] == f"127.0.0.1:{desk.receiver.port}"
    assert not {"authorization", "webhook-signature", "cookie"} & {*heard.headers}
    events = events_of(desk.receiver.taken)
    payer, payee = desk.books.account(0), desk.books.account(1)
    assert (numbers(events, payer), numbers(events, payee)) == ([2, 3, 4], [2, 3, 4])
    assert {one["source"] for one in events} == {f"{SOURCE}/tenants/{desk.books.tenant.slug}"}
    # The first is that it begins: somebody led the tenant's data elsewhere, and that is in the trail.
    assert events[0]["type"] == "payhub.audit.sink.begun"
    assert len(desk.receiver.taken) == 1


async def test_both_kinds_of_sinks_are_told_the_same(desk: Desk) -> None:
    worker = await desk.begin(desk.http(), desk.stream())
    await desk.pay(4)
    async with in_tenant(desk.pool, desk.books.tenant.id) as connection:
        by = By(desk.books.people[0].person_id, None, "192.0.2.0/24")
        await note(connection, desk.books.tenant.id, by, Act.TRAIL_READ, why="because", details={"what": "because"})
    await desk.seal()
    await tell_all(worker)
    events = events_of(desk.receiver.taken)
    streamed = await desk.streamed()
    assert [one["id"] for one in streamed] == [one["id"] for one in events]
    assert [one for one in streamed if one in events] == streamed
    assert streamed[-1]["data"]["who"] == desk.books.people[0].person_id
    assert not any(word in json.dumps(streamed) for word in ("because", "192.0.2"))


async def test_a_token_and_a_signature_say_who_sends(desk: Desk) -> None:
    secret = draw_secret()
    place = HttpSink(HttpChoice(desk.receiver.url(), "a-token", secret), Outside(LOOPBACK))
    worker = await desk.begin(desk.sink(place))
    await tell_all(worker)
    (heard,) = desk.receiver.taken
    assert heard.headers["authorization"] == "Bearer a-token"
    id_, at, signature = (heard.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    assert is_signed(secret, id_, at, signature, heard.body, float(at))
    assert "a-token" not in repr(place._choice) and secret not in repr(place._choice)


async def test_what_commits_late_under_an_early_number_is_told(desk: Desk) -> None:
    books = desk.books
    worker = await desk.begin(desk.http())
    late = books.payment(0, 1, 1)
    async with acquire(desk.pool) as connection, transaction(connection):
        await post_payments(connection, [late])
        # Of other accounts, begun later, committed earlier, and told.
        await desk.pay(3, payer=2, payee=3)
        await tell_all(worker)
        told = [one["data"]["payment"] for one in moved(events_of(desk.receiver.taken))]
        assert (len(told), late.id in told) == (6, False)
    await desk.pay(1)
    await tell_all(worker)
    events = events_of(desk.receiver.taken)
    assert late.id in [one["data"]["payment"] for one in moved(events)]
    assert [numbers(events, books.account(at)) for at in range(4)] == [[2, 3], [2, 3], [2, 3, 4], [2, 3, 4]]


async def test_order_holds_under_failures_and_with_two_workers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = desk.http()
    monkeypatch.setattr(HttpSink, "events_max", 3)
    workers = [await desk.begin(sink), desk.telling(sink)]
    asked = 0

    async def moody(_: Heard) -> Answer:
        nonlocal asked
        asked += 1
        return (503, {}, b"") if asked % 7 == 0 else None if asked % 5 == 0 else (200, {}, b"ok")

    desk.receiver.reply = moody
    for payer, payee in ((0, 1), (1, 2), (2, 3), (3, 0)):
        await desk.pay(5, payer=payer, payee=payee)
    for _ in range(60):
        await tell_all(*workers)
        if not (await desk.progress(sink)).behind:
            break
        desk.clock.move(seconds=RETRY_S_MAX)
    events = events_of(desk.receiver.taken)
    for at in range(4):
        assert numbers(events, desk.books.account(at)) == list(range(2, 12))
    assert desk.receiver.at_once_max == 1
    assert asked > 15


async def test_a_leaf_larger_than_a_batch_gets_on_though_each_second_try_fails(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = desk.http()
    monkeypatch.setattr(HttpSink, "events_max", 4)
    worker = await desk.begin(sink)
    await tell_all(worker)
    async with acquire(desk.pool) as connection:
        await post_payments(connection, [desk.books.payment(0, 1, 1) for _ in range(20)])
    await desk.seal()
    asked = 0

    async def every_second(_: Heard) -> Answer:
        nonlocal asked
        asked += 1
        return (204, {}, b"") if asked % 2 else (500, {}, b"")

    desk.receiver.reply = every_second
    for _ in range(30):
        await tell_all(worker)
        desk.clock.move(seconds=RETRY_S_MAX)
    events = events_of(desk.receiver.taken)
    assert numbers(events, desk.books.account(0)) == list(range(2, 22))
    assert len(moved(events)) == len(once(moved(events))) == 40


async def test_an_outage_delays_by_less_than_a_minute_and_loses_nothing(desk: Desk) -> None:
    sink = desk.http()
    worker = await desk.begin(sink)
    await desk.receiver.stop()
    for _ in range(120):
        await worker.look()
        await worker.settle()
        desk.clock.move(seconds=5)
    await desk.pay(5)
    progress = await desk.progress(sink)
    assert (progress.code, progress.behind) == ("connection_failed", 6)
    assert progress.failing_since is not None
    # Nobody knocks all the time.
    assert 10 < progress.fails < 60
    await worker.watch()
    assert failing_logs.labels(sink.name)._value.get() == 1
    await desk.receiver.start()
    back_at = desk.clock()
    while not desk.receiver.taken:
        desk.clock.move(seconds=1)
        await worker.look()
        await worker.settle()
    assert (desk.clock() - back_at).total_seconds() < MINUTE_S
    await tell_all(worker)
    assert numbers(events_of(desk.receiver.taken), desk.books.account(0)) == list(range(2, 7))
    after = await desk.progress(sink)
    assert (after.fails, after.failing_since, after.code, after.behind) == (0, None, None, 0)


async def hang(_: Heard) -> Answer:
    await asyncio.sleep(60)
    return None


async def reset(_: Heard) -> Answer:
    return None


async def garbage(_: Heard) -> Answer:
    return b"\x00" * 3000


async def endless(_: Heard) -> Answer:
    return b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n" + b"x" * 100_000


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (hang, "timeout"),
        (reset, "connection_failed"),
        (garbage, "connection_failed"),
        (always(302, location="http://127.0.0.1/"), "redirect"),
        (always(401), "not_there"),
        (always(400), "refused"),
        (always(429, retry_after="40"), "busy"),
        (always(500), "error"),
        (always(413), "too_large"),
    ],
)
async def test_a_sink_that_takes_nothing_holds_back_no_other_and_goes_on_where_it_stopped(
    desk: Desk, reply: Callable[[Heard], Awaitable[Answer]], code: str
) -> None:
    bad, good = desk.http("/bad", waits_s=0.3 if code == "timeout" else 15.0), desk.http("/good")
    worker = await desk.begin(bad, good)
    await desk.pay(3)

    async def answer(heard: Heard) -> Answer:
        return await (reply if heard.path == "/bad" else take)(heard)

    desk.receiver.reply = answer
    before = failures.labels(bad.name, code)._value.get()
    await tell_all(worker)
    assert numbers(events_of(desk.receiver.taken), desk.books.account(0)) == [2, 3, 4]
    progress = await desk.progress(bad)
    assert (progress.code, progress.fails, progress.behind > 0) == (code, 1, True)
    assert failures.labels(bad.name, code)._value.get() == before + 1
    desk.receiver.reply = take
    desk.clock.move(seconds=MINUTE_S)
    await tell_all(worker)
    told = events_of([one for one in desk.receiver.taken if one.path == "/bad"])
    assert numbers(told, desk.books.account(0)) == [2, 3, 4]


async def test_a_long_answer_is_not_listened_to(desk: Desk) -> None:
    worker = await desk.begin(desk.http())
    desk.receiver.reply = endless
    await tell_all(worker)
    assert len(desk.receiver.heard) == 1


async def test_a_sink_that_finds_batches_too_large_gets_smaller_ones(desk: Desk) -> None:
    sink = desk.http()
    worker = await desk.begin(sink)

    async def small(heard: Heard) -> Answer:
        return (413 if len(json.loads(heard.body)) > 5 else 200), {}, b""

    desk.receiver.reply = small
    await desk.pay(20)
    await tell_all(worker)
    events = events_of(desk.receiver.taken)
    assert numbers(events, desk.books.account(0)) == list(range(2, 22))
    assert len(events) == len(once(events))
    # It is not asked for more each time.
    count = len(desk.receiver.heard)
    await desk.pay(5)
    await tell_all(worker)
    assert len(desk.receiver.heard) - count == 2


async def test_batches_are_bounded_in_bytes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpSink, "bytes_max", 2_000)
    worker = await desk.begin(desk.http())
    await desk.pay(10)
    await tell_all(worker)
    assert max(len(one.body) for one in desk.receiver.taken) <= 2_001
    assert numbers(events_of(desk.receiver.taken), desk.books.account(1)) == list(range(2, 12))


async def test_a_sink_is_told_of_its_tenants_and_its_types_alone(
    desk: Desk, other_tenant: Tenant, open_books: Callable[..., Awaitable[Books]]
) -> None:
    others = await open_books(other_tenant, people=2, funds=100)
    own, both = desk.http("/own"), desk.http("/both", tenants=(desk.books.tenant.slug, other_tenant.slug))
    some = desk.http("/some", types=("payhub.payment.received", "payhub.audit.sink.*"))
    worker = await desk.begin(own, both, some)
    async with acquire(desk.pool) as connection:
        await post_payments(connection, [desk.books.payment(0, 1, 1), others.payment(0, 1, 2)])
    await desk.seal(other_tenant.id)
    await tell_all(worker)
    told = {path: events_of([one for one in desk.receiver.taken if one.path == path]) for path in ("/own", "/both")}
    of_others = f"{SOURCE}/tenants/{other_tenant.slug}"
    assert {one["source"] for one in told["/own"]} == {f"{SOURCE}/tenants/{desk.books.tenant.slug}"}
    assert {one["data"].get("amount") for one in told["/own"]} == {None, 1, -1}
    assert numbers([one for one in told["/both"] if one["source"] == of_others], others.account(1)) == [1, 2]
    # Each request is one tenant's.
    assert all(len({one["source"] for one in json.loads(heard.body)}) == 1 for heard in desk.receiver.taken)
    types = [one["type"] for one in events_of([one for one in desk.receiver.taken if one.path == "/some"])]
    assert {*types} == {"payhub.payment.received", "payhub.audit.sink.begun"}
    assert (await desk.progress(some)).behind == 0


async def test_a_tenant_that_is_opened_later_is_told_from_its_beginning(
    desk: Desk, open_books: Callable[..., Awaitable[Books]], admin: Any
) -> None:
    slug = f"{desk.books.tenant.slug}-later"
    sink = desk.http(tenants=(desk.books.tenant.slug, slug))
    worker = await desk.begin(sink)
    from_now = await desk.progress(sink)
    later = await create_tenant(admin, slug, "Later", "BRL", "America/Sao_Paulo")
    others = await open_books(later, people=1, funds=100)
    await desk.seal(later.id)
    await worker.begin()
    desk.clock.move(minutes=1)
    await tell_all(worker)
    events = [one for one in events_of(desk.receiver.taken) if one["source"].endswith(slug)]
    assert numbers(events, others.account(0)) == [1]
    assert from_now.number > 0
    assert numbers(events_of(desk.receiver.taken), desk.books.account(0)) == []


async def test_a_sink_for_all_follows_every_tenant_once(admin: Pool, other_tenant: Tenant, desk: Desk) -> None:
    # Rolled back: the other tests' tenants are told to nobody.
    async with acquire(admin) as connection, transaction(connection, is_rehearsal=True):
        count = await connection.fetchval("select count(*) from payhub.tenants")
        for expected in (count, 0):
            assert await connection.fetchval("select payhub.begin_sink('for-all', null)") == expected
        rows = await connection.fetch("select slug from payhub.read_sinks() where sink = 'for-all' and behind >= 0")
        assert {desk.books.tenant.slug, other_tenant.slug} < {row["slug"] for row in rows}
        claim = "select slug from payhub.claim_sink('for-all', null, now() + interval '1 hour', $1, $2, '1 minute')"
        # Those that were there before and were told nothing since have nothing to tell.
        assert [row["slug"] for row in await connection.fetch(claim, 100, 0)] == []
        found = await connection.fetch(claim, 1_000_000, 1_000_000)
        assert desk.books.tenant.slug not in {row["slug"] for row in found}


async def test_a_replay_tells_again_under_the_same_ids_and_from_before_the_sink(desk: Desk) -> None:
    await desk.pay(3)
    sink = desk.http()
    worker = await desk.begin(sink)
    await desk.pay(2)
    await tell_all(worker)
    first = events_of(desk.receiver.taken)
    assert numbers(first, desk.books.account(0)) == [5, 6]
    middle = first[1]["time"]
    done = await cursors.replay(desk.admin, sink.name, desk.books.tenant.slug, telling._now() - timedelta(days=1))
    assert (done.number, done.leaves) == (0, (await desk.progress(sink)).behind)
    desk.receiver.taken.clear()
    await tell_all(worker)
    again = events_of(desk.receiver.taken)
    assert numbers(again, desk.books.account(0)) == [1, 2, 3, 4, 5, 6]
    assert [one for one in again if one in first] == first
    # It is in the trail, so sinks are told of it, too.
    await desk.seal()
    await cursors.replay(desk.admin, sink.name, desk.books.tenant.slug, datetime.fromisoformat(middle))
    desk.receiver.taken.clear()
    await tell_all(worker)
    from_middle = events_of(desk.receiver.taken)
    assert from_middle[0] == first[1]
    assert "payhub.audit.sink.replayed" in [one["type"] for one in from_middle]


async def test_a_replay_under_way_is_not_undone_by_who_has_the_claim(desk: Desk) -> None:
    sink = desk.http()
    worker = await desk.begin(sink)
    await desk.pay(2)

    async def replayed_meanwhile(heard: Heard) -> Answer:
        desk.receiver.reply = take
        await cursors.replay(desk.admin, sink.name, desk.books.tenant.slug, telling._now() - timedelta(days=1))
        return await take(heard)

    desk.receiver.reply = replayed_meanwhile
    await worker.look()
    await worker.settle()
    assert (await desk.progress(sink)).number == 0
    await tell_all(worker)
    assert numbers(events_of(desk.receiver.taken)[-1000:], desk.books.account(0))[-3:] == [1, 2, 3]


async def test_a_claim_of_a_worker_that_is_gone_runs_out(desk: Desk) -> None:
    sink = desk.http()
    worker = await desk.begin(sink)
    (claim,) = await cursors.claim(desk.pool, sink.name, sink.tenants, desk.clock(), 8, 8)
    await tell_all(worker)
    assert desk.receiver.heard == []
    desk.clock.move(seconds=LEASE.total_seconds() + 1)
    await tell_all(worker)
    assert len(desk.receiver.taken) == 1
    # It comes back and changes nothing.
    assert not await cursors.settle_failed(desk.pool, claim, desk.clock(), "error", desk.clock())
    assert (await desk.progress(sink)).fails == 0


async def test_a_worker_that_was_held_up_sends_nothing_after_somebody_else(desk: Desk) -> None:
    sink = desk.http()
    worker, other = await desk.begin(sink), desk.telling(sink)
    await desk.pay(10)

    async def held_up(_: Heard) -> Answer:
        desk.receiver.reply = take
        desk.clock.move(seconds=LEASE.total_seconds() + 1)
        await tell_all(other)
        return 413, {}, b""

    desk.receiver.reply = held_up
    await tell_all(worker)
    events = events_of(desk.receiver.taken)
    assert numbers(events, desk.books.account(0)) == list(range(2, 12))
    assert len(desk.receiver.heard) == 2


async def test_a_worker_that_stops_gives_back_what_it_has(desk: Desk) -> None:
    sink = desk.http()
    worker = await desk.begin(sink)
    under_way = asyncio.Event()

    async def slowly(_: Heard) -> Answer:
        under_way.set()
        await asyncio.sleep(0.1)
        return 204, {}, b""

    desk.receiver.reply = slowly
    await worker.look()
    await under_way.wait()
    await worker.close()
    await desk.pay(1)
    await tell_all(desk.telling(sink))
    events = events_of(desk.receiver.taken)
    assert len(events) == len(once(events)) == 3


async def test_a_broken_log_is_said_and_stops_no_other(
    desk: Desk, admin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sink = desk.http()
    worker = await desk.begin(sink)
    await desk.pay(1)
    await point_at_nothing(admin, desk.books.tenant.id, LeafKind.PAYMENTS)
    with caplog.at_level(logging.WARNING):
        await tell_all(worker)
    assert (await desk.progress(sink)).code == "log_broken"
    await point_at_nothing(admin, desk.books.tenant.id, LeafKind.PAYMENTS, is_undone=True)
    desk.clock.move(seconds=MINUTE_S)
    await tell_all(worker)
    assert numbers(events_of(desk.receiver.taken), desk.books.account(0)) == [2]
    assert "sink_log_broken" in caplog.text


async def test_a_stream_is_cut_and_refuses_as_a_whole(desk: Desk) -> None:
    sink = desk.stream(length_max=1_000)
    worker = await desk.begin(sink)
    key = f"events:{desk.books.tenant.slug}"
    await desk.redis.set(key, "no stream")
    await tell_all(worker)
    assert (await desk.progress(sink)).code == "refused"
    await desk.redis.delete(key)
    async with acquire(desk.pool) as connection:
        for _ in range(6):
            await post_payments(connection, [desk.books.payment(at % 4, (at + 1) % 4, 1) for at in range(200)])
    await desk.seal()
    desk.clock.move(seconds=MINUTE_S)
    await tell_all(worker)
    # About: Redis cuts whole nodes of a hundred entries.
    assert 1_000 <= await desk.redis.xlen(key) < 1_200
    events = await desk.streamed()
    for at in range(4):
        found = numbers(events, desk.books.account(at))
        assert found == list(range(found[0], 602))


@pytest.mark.parametrize(
    ("url", "password", "code"),
    [
        ("redis://127.0.0.1:1", None, "connection_failed"),
        ("unix:///nowhere/redis.sock", None, "connection_failed"),
        ("", "wrong", "not_there"),
    ],
)
async def test_a_redis_that_is_away_or_lets_nobody_in(desk: Desk, url: str, password: str | None, code: str) -> None:
    choice = StreamChoice(url or desk.redis_url, "events", 1_000, password)
    sink = desk.sink(StreamSink(choice))
    await tell_all(await desk.begin(sink))
    assert (await desk.progress(sink)).code == code


async def test_what_fails_is_logged_without_a_secret(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    place = HttpSink(HttpChoice(desk.receiver.url("/x?key=in-the-url"), "a-token", draw_secret()), Outside(LOOPBACK))
    stream = StreamSink(StreamChoice("redis://127.0.0.1:1", "events", 1_000, "a-password"))
    desk.receiver.reply = always(500)
    with caplog.at_level(logging.DEBUG):
        await tell_all(await desk.begin(desk.sink(place), desk.sink(stream)))
    said = [
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records if record.name.startswith("workers")
    ]
    assert any("sink_failed" in one for one in said)
    assert not any(word in one for one in said for word in ("a-token", "whsec_", "a-password", "in-the-url"))


def test_what_is_sent_at_once_fits_what_proxies_take() -> None:
    assert http.BYTES_MAX < 1024 * 1024
    assert http.EVENTS_MAX * 600 < http.BYTES_MAX


async def test_receivers_hear_one_request_at_a_time_for_each_log(desk: Desk, receiver: Receiver) -> None:
    sink = desk.http()
    workers = [await desk.begin(sink), *(desk.telling(sink) for _ in range(3))]
    for _ in range(5):
        await desk.pay(2)
        await tell_all(*workers)
    assert receiver.at_once_max == 1
    assert numbers(events_of(receiver.taken), desk.books.account(0)) == list(range(2, 12))

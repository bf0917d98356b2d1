"""Events are brought in order, signed, at least once; whoever is away, hangs or refuses holds up nobody else."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from core.database import Pool
from core.errors import KeysUnavailable
from core.keys.safe import Safe
from core.nouns import EventName
from core.outside import Outside
from core.people.opening import Tenant
from core.webhooks.cursors import LEASE, PER_WEBHOOK
from core.webhooks.replaying import read_attempts, replay_from, replay_one
from core.webhooks.schedule import TRIES_MAX
from core.webhooks.states import State
from core.webhooks.webhooks import Change, change_webhook, remove_webhook, rotate_secret
from tests.core.webhooks.receiver import Answer, Heard, Receiver, always, take
from tests.workers.webhooks.conftest import EAGER, LOOPBACK, Clock, OpenShop, Shop, bring_all
from workers.webhooks.bringing import Bringing


def numbers(heard: list[Heard], account: int | None = None) -> list[int]:
    return [one.place[1] for one in heard if account in {None, one.place[0]}]


async def test_an_event_is_told_as_it_stands_in_the_books(shop: Shop, receiver: Receiver, bringing: Bringing) -> None:
    made = await shop.hook(receiver.url())
    await shop.pay(500)
    await bring_all(bringing)
    (heard,) = receiver.taken
    data = heard.message["data"]
    assert heard.message["type"] == "payment.received"
    assert heard.message["timestamp"] == data["at"]
    assert (data["account"], data["number"], data["amount"]) == (shop.merchant.account_id, 1, 500)
    assert (data["balance"], data["counterparty"]) == (500, 1)
    assert set(data) == {"account", "number", "payment", "amount", "counterparty", "balance", "at"}
    # With the standard's own library, and by the secret that was shown once.
    assert Webhook(made.secret).verify(heard.body, heard.headers) == heard.message
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["host"] == f"127.0.0.1:{receiver.port}"


async def test_what_was_before_a_webhook_is_not_told(shop: Shop, receiver: Receiver, bringing: Bringing) -> None:
    await shop.pay(1, 2)
    await shop.hook(receiver.url())
    await bring_all(bringing)
    assert receiver.heard == []
    await shop.pay(3)
    await bring_all(bringing)
    assert numbers(receiver.taken) == [3]


async def test_events_that_are_not_wanted_are_passed_over(shop: Shop, receiver: Receiver, bringing: Bringing) -> None:
    await shop.hook(receiver.url(), events=[EventName.REFUND_SENT])
    everything = await shop.hook(receiver.url("/all"))
    await shop.pay(*range(1, 121))
    await bring_all(bringing)
    assert {one.path for one in receiver.heard} == {"/all"}
    assert numbers(receiver.taken) == list(range(1, 121))
    rows = await shop.rows("select number, due_at, lease from webhook_cursors")
    assert {tuple(row.values()) for row in rows} == {(120, None, None)}
    assert everything.webhook.state is State.ACTIVE


async def test_order_holds_under_failures_and_with_two_workers(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock, pool: Pool, keys: Safe
) -> None:
    other = Bringing(pool, keys, Outside(LOOPBACK), now=clock, share_max=EAGER)
    accounts = [shop.merchant.account_id, *[await shop.open_account() for _ in range(3)]]
    await shop.hook(receiver.url())
    asked = 0

    async def moody(_: Heard) -> Answer:
        nonlocal asked
        asked += 1
        return (503, {}, b"") if asked % 7 == 0 else None if asked % 11 == 0 else (200, {}, b"ok")

    receiver.reply = moody
    for amount in range(1, 21):
        for account in accounts:
            await shop.pay(amount, account=account)
    for _ in range(200):
        await bring_all(bringing, other)
        if len(receiver.taken) >= 80:
            break
        clock.move(seconds=41)
    for account in accounts:
        assert numbers(receiver.taken, account) == list(range(1, 21))
    assert asked > 80


async def test_a_webhook_for_all_follows_accounts_that_come_later(
    shop: Shop, receiver: Receiver, bringing: Bringing, pool: Pool
) -> None:
    await shop.hook(receiver.url())
    only_one = await shop.hook(receiver.url("/one"), accounts=[shop.merchant.account_id])
    account = await shop.open_account()
    await shop.pay(5, account=account)
    await bringing.spread()
    await bring_all(bringing)
    assert [(one.path, one.place) for one in receiver.taken] == [("/hooks", (account, 1))]
    assert only_one.webhook.accounts == [shop.merchant.account_id]


async def test_an_outage_of_half_an_hour_delays_by_a_minute_and_loses_nothing(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    accounts = [shop.merchant.account_id, await shop.open_account()]
    await shop.hook(receiver.url())
    await receiver.stop()
    for _ in range(180):
        for account in accounts:
            await shop.pay(1, account=account)
        await bringing.look()
        await bringing.settle()
        clock.move(seconds=10)
    await receiver.start()
    back = clock()
    while len(receiver.taken) < 360:
        await bring_all(bringing)
        assert clock() - back < timedelta(minutes=1)
        clock.move(seconds=1)
    for account in accounts:
        assert numbers(receiver.taken, account) == list(range(1, 181))
    (row,) = await shop.rows("select state, fails, failing_since from webhooks")
    assert tuple(row.values()) == (0, 0, None)


async def test_one_that_hangs_delays_no_other(
    shop: Shop, receiver: Receiver, bringing: Bringing, open_shop: OpenShop, other_tenant: Tenant
) -> None:
    neighbour = await open_shop(other_tenant)

    async def hang(heard: Heard) -> Answer:
        if heard.path == "/hangs":
            await asyncio.sleep(30)
        return 204, {}, b""

    receiver.reply = hang
    await shop.hook(receiver.url("/hangs"))
    await shop.hook(receiver.url("/quick"))
    await neighbour.hook(receiver.url("/next"))
    await shop.pay(1)
    await neighbour.pay(1)
    began = time.monotonic()
    while {one.path for one in receiver.taken} != {"/quick", "/next"}:
        await bringing.look()
        await asyncio.sleep(0.02)
    assert time.monotonic() - began < 1
    # It is still hanging, and newer events pass it by.
    await shop.pay(2)
    await neighbour.pay(2)
    while len(receiver.taken) < 4:
        await bringing.look()
        await asyncio.sleep(0.02)
    assert time.monotonic() - began < 2
    assert [one.path for one in receiver.heard].count("/hangs") == 1


BAD_ANSWERS = {
    "a redirect": (always(302, location="http://169.254.169.254/"), "redirect"),
    "an error": (always(500), "error"),
    "not there": (always(404), "not_there"),
    "a cut": (always(0), "connection_failed"),
    "garbage": (always(1), "connection_failed"),
    "busy": (always(503, retry_after="20"), "busy"),
}


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, (_, code) in BAD_ANSWERS.items()])
async def test_what_is_no_yes_is_tried_again(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock, name: str, code: str
) -> None:
    made = await shop.hook(receiver.url())
    reply = BAD_ANSWERS[name][0]

    async def badly(heard: Heard) -> Answer:
        if name == "a cut":
            return None
        return b"\x00\xff nonsense\r\n\r\n" if name == "garbage" else await reply(heard)

    receiver.reply = badly
    await shop.pay(1, 2)
    await bring_all(bringing)
    assert numbers(receiver.heard) == [1]
    attempts, _ = await read_attempts(shop.pool, shop.tenant.id, made.webhook.id, None, 10)
    assert [(one.code, one.number, one.tries) for one in attempts] == [(code, 1, 1)]
    receiver.reply = take
    clock.move(seconds=19)
    await bring_all(bringing)
    assert len(receiver.taken) == (0 if name == "busy" else 2)
    clock.move(seconds=2)
    await bring_all(bringing)
    assert numbers(receiver.taken) == [1, 2]
    first, again = [one for one in receiver.heard if one.place[1] == 1]
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.body == again.body


async def test_a_huge_answer_and_one_that_drips_are_cut_and_taken(
    shop: Shop, receiver: Receiver, bringing: Bringing
) -> None:
    receiver.reply = always(200, b"x" * 5_000_000)
    await shop.hook(receiver.url())
    await shop.pay(1, 2)
    began = time.monotonic()
    await bring_all(bringing)
    assert numbers(receiver.taken) == [1, 2]
    assert time.monotonic() - began < 3


async def test_one_connection_serves_an_accounts_events(shop: Shop, receiver: Receiver, bringing: Bringing) -> None:
    await shop.hook(receiver.url())
    await shop.pay(*range(1, 61))
    await bring_all(bringing)
    assert numbers(receiver.taken) == list(range(1, 61))
    assert receiver.connections == 1


async def test_a_place_takes_no_more_than_eight_at_once(shop: Shop, receiver: Receiver, bringing: Bringing) -> None:
    accounts = [await shop.open_account() for _ in range(12)]
    await shop.hook(receiver.url())

    async def slowly(_: Heard) -> Answer:
        await asyncio.sleep(0.2)
        return 204, {}, b""

    receiver.reply = slowly
    for account in accounts:
        await shop.pay(1, account=account)
    while len(receiver.taken) < 12:
        await bringing.look()
        await asyncio.sleep(0.02)
    assert receiver.at_once_max == PER_WEBHOOK


async def test_410_disables_at_once_and_the_merchant_is_told(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    made = await shop.hook(receiver.url())
    receiver.reply = always(410)
    await shop.pay(1, 2)
    await bring_all(bringing)
    clock.move(days=2)
    await bring_all(bringing)
    assert (len(receiver.heard), await shop.state()) == (1, State.GONE)
    (trail,) = await shop.rows("select about, details from audit_entries where what = 'webhook.disabled'")
    assert trail["about"] == made.webhook.id
    # Enabled again, it goes on where it stopped.
    receiver.reply = take
    change = Change(is_active=True)
    await change_webhook(shop.pool, shop.keys, shop.tenant.id, made.webhook.id, change, shop.by)
    clock.move(seconds=1)
    await bring_all(bringing)
    assert numbers(receiver.taken) == [1, 2]


async def test_after_the_schedule_it_is_disabled_and_nothing_is_skipped(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    made = await shop.hook(receiver.url())
    receiver.reply = always(500)
    await shop.pay(1, 2, 3)
    began = clock()
    for _ in range(150):
        await bringing.look()
        await bringing.settle()
        if await shop.state() != State.ACTIVE:
            break
        # Somebody knocks every thirty seconds; after a while we look at the tries that count alone.
        clock.move(seconds=41)
        if clock() - began > timedelta(hours=1):
            (row,) = await shop.rows("select again_at from webhook_cursors")
            clock.now_ = max(row["again_at"], clock())
    assert await shop.state() == State.FAILING
    assert timedelta(hours=66) < clock() - began < timedelta(hours=85)
    attempts, _ = await read_attempts(shop.pool, shop.tenant.id, made.webhook.id, None, 100)
    assert [one.tries for one in attempts] == list(range(TRIES_MAX, 0, -1))
    receiver.reply = take
    change = Change(is_active=True)
    await change_webhook(shop.pool, shop.keys, shop.tenant.id, made.webhook.id, change, shop.by)
    clock.move(seconds=1)
    await bring_all(bringing)
    assert numbers(receiver.taken) == [1, 2, 3]


async def test_one_poisonous_event_is_set_aside_and_the_next_ones_say_so(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    account = await shop.open_account()
    made = await shop.hook(receiver.url())
    poison = shop.merchant.account_id, 2

    async def squeamish(heard: Heard) -> Answer:
        return (422, {}, b"") if heard.place == poison else (200, {}, b"")

    receiver.reply = squeamish
    await shop.pay(1, 2, 3, 4)
    began = clock()
    for _ in range(60):
        await shop.pay(1, account=account)
        await bring_all(bringing)
        # Whatever waits behind it, the other account is told at once.
        assert numbers(receiver.taken, account)[-1] == len(numbers(receiver.taken, account))
        if len(numbers(receiver.taken, shop.merchant.account_id)) == 3:
            break
        clock.move(seconds=10)
    assert clock() - began < timedelta(minutes=5)
    assert numbers(receiver.taken, shop.merchant.account_id) == [1, 3, 4]
    assert [one.place for one in receiver.heard].count(poison) == 5
    marks = {one.place: one.message.get("after_gap", False) for one in receiver.taken}
    assert [number for (of, number), mark in marks.items() if mark and of == shop.merchant.account_id] == [3]
    _, asides = await read_attempts(shop.pool, shop.tenant.id, made.webhook.id, None, 10)
    assert [(one.account, one.number, one.code) for one in asides] == [(*poison, "refused")]
    # Replayed, it comes by itself and says that it does.
    receiver.reply = take
    await replay_one(shop.pool, shop.tenant.id, made.webhook.id, *poison, shop.by)
    clock.move(seconds=1)
    await bring_all(bringing)
    last = receiver.taken[-1]
    assert (last.place, last.message["out_of_order"]) == (poison, True)
    _, asides = await read_attempts(shop.pool, shop.tenant.id, made.webhook.id, None, 10)
    assert asides == []


async def test_a_refusal_after_an_outage_is_the_first_one(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    made = await shop.hook(receiver.url())
    receiver.reply = always(500)
    await shop.pay(1, 2)
    while len(await shop.rows("select from webhook_attempts")) < 5:
        await bring_all(bringing)
        clock.move(hours=1)
    receiver.reply = always(422)
    # However the dice fell: the fifth wait is of five hours and a tenth at most.
    clock.move(hours=6)
    await bring_all(bringing)
    attempts, asides = await read_attempts(shop.pool, shop.tenant.id, made.webhook.id, None, 1)
    assert (attempts[0].code, attempts[0].tries, asides) == ("refused", 1, [])
    # And an outage after a refusal is the first one of these.
    receiver.reply = always(500)
    clock.move(seconds=6)
    await bring_all(bringing)
    attempts, _ = await read_attempts(shop.pool, shop.tenant.id, made.webhook.id, None, 1)
    assert (attempts[0].code, attempts[0].tries) == ("error", 1)


async def test_whoever_is_no_merchant_any_more_is_told_nothing(
    shop: Shop, receiver: Receiver, bringing: Bringing
) -> None:
    await shop.hook(receiver.url())
    await shop.pay(1)
    async with shop.admin.acquire() as connection:
        await connection.execute("select end_machines($1, $2)", shop.tenant.id, shop.merchant.person_id)
    await bring_all(bringing)
    assert (receiver.heard, await shop.state()) == ([], State.ENDED)


async def test_while_keys_are_away_nothing_is_lost_and_no_try_is_used_up(
    shop: Shop, receiver: Receiver, clock: Clock, pool: Pool, keys: Safe
) -> None:
    class Away(Safe):
        """A safe whose database is not there for a while."""

        is_away = True

        async def of(self, *given: Any, **more: Any) -> Any:
            if self.is_away:
                raise KeysUnavailable
            return await super().of(*given, **more)

    away = Away(keys.pool, keys.master)
    worker = Bringing(pool, away, Outside(LOOPBACK), now=clock, share_max=EAGER)
    await shop.hook(receiver.url())
    await shop.pay(1)
    await bring_all(worker)
    assert receiver.heard == []
    away.is_away = False
    clock.move(seconds=6)
    await bring_all(worker)
    assert numbers(receiver.taken) == [1]
    (row,) = await shop.rows("select tries from webhook_attempts")
    assert row["tries"] == 1


async def test_a_place_that_refuses_everything_is_disabled_before_much_is_set_aside(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    await shop.hook(receiver.url())
    receiver.reply = always(400)
    await shop.pay(*range(1, 31))
    for _ in range(120):
        await bring_all(bringing)
        if await shop.state() != State.ACTIVE:
            break
        clock.move(seconds=60)
    assert await shop.state() == State.REFUSING
    (row,) = await shop.rows("select count(*) from webhook_cursors where is_aside")
    assert row["count"] == 3


async def test_an_event_that_breaks_its_server_holds_up_other_accounts_for_a_second(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    """It is answered with 500, as if the place were down, and the others show that it is not."""
    account = await shop.open_account()
    await shop.hook(receiver.url())

    async def fragile(heard: Heard) -> Answer:
        return (500, {}, b"") if heard.place[0] == shop.merchant.account_id else (200, {}, b"")

    receiver.reply = fragile
    await shop.pay(1)
    for _ in range(30):
        await shop.pay(1, account=account)
        sent = clock()
        while len(numbers(receiver.taken, account)) < len(
            await shop.rows(f"select from payments where payee = {account}")
        ):
            await bringing.look()
            await bringing.settle()
            clock.move(seconds=0.25)
        assert clock() - sent <= timedelta(seconds=2.5)
        clock.move(seconds=20)


async def test_a_replay_tells_again_under_the_same_ids(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    made = await shop.hook(receiver.url())
    tenant, webhook, account = shop.tenant.id, made.webhook.id, shop.merchant.account_id
    await shop.pay(1, 2)
    await bring_all(bringing)
    moment = (await shop.rows("select clock_timestamp() as at"))[0]["at"]
    await shop.pay(3, 4, 5)
    await bring_all(bringing)
    told = await replay_from(shop.pool, tenant, webhook, shop.by, account=account, number=2)
    assert told == [(account, 2)]
    clock.move(seconds=2)
    await bring_all(bringing)
    assert numbers(receiver.taken) == [1, 2, 3, 4, 5, 2, 3, 4, 5]
    assert await replay_from(shop.pool, tenant, webhook, shop.by, since=moment) == [(account, 3)]
    clock.move(seconds=2)
    await bring_all(bringing)
    assert numbers(receiver.taken)[9:] == [3, 4, 5]
    ids: dict[int, set[str]] = {}
    for one in receiver.taken:
        ids.setdefault(one.place[1], set()).add(one.headers["webhook-id"])
    assert all(len(found) == 1 for found in ids.values())
    assert len(set.union(*ids.values())) == 5


async def test_a_replay_while_something_is_under_way_is_not_undone(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    made = await shop.hook(receiver.url())
    await shop.pay(1, 2, 3)
    await bring_all(bringing)
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def wait(_: Heard) -> Answer:
        is_asked.set()
        await may_answer.wait()
        return 200, {}, b""

    receiver.reply = wait
    await shop.pay(4)
    clock.move(seconds=1)
    while not is_asked.is_set():
        await bringing.look()
        await asyncio.sleep(0.02)
    await replay_from(shop.pool, shop.tenant.id, made.webhook.id, shop.by, account=shop.merchant.account_id, number=1)
    may_answer.set()
    await bringing.settle()
    clock.move(seconds=2)
    await bring_all(bringing)
    assert numbers(receiver.taken) == [1, 2, 3, 4, 1, 2, 3, 4]


async def test_both_secrets_sign_for_a_day_and_the_new_one_alone_after(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock
) -> None:
    made = await shop.hook(receiver.url())
    rotated = await rotate_secret(shop.pool, shop.keys, shop.tenant.id, made.webhook.id, shop.by)
    await shop.pay(1)
    await bring_all(bringing)
    (heard,) = receiver.taken
    for secret in (made.secret, rotated.secret):
        Webhook(secret).verify(heard.body, heard.headers)
    clock.move(hours=25)
    await shop.pay(2)
    await bring_all(bringing)
    assert len(receiver.taken[1].headers["webhook-signature"].split(" ")) == 1
    assert len(heard.headers["webhook-signature"].split(" ")) == 2


async def test_a_removed_webhook_is_brought_nothing(shop: Shop, receiver: Receiver, bringing: Bringing) -> None:
    made = await shop.hook(receiver.url())
    await shop.pay(1)
    await remove_webhook(shop.pool, shop.keys, shop.tenant.id, made.webhook.id, shop.by)
    await bring_all(bringing)
    assert receiver.heard == []
    assert await shop.rows("select from webhook_cursors union all select from webhook_attempts") == []


async def test_a_claim_that_was_lost_is_brought_again_by_another_worker(
    shop: Shop, receiver: Receiver, bringing: Bringing, clock: Clock, pool: Pool, keys: Safe
) -> None:
    await shop.hook(receiver.url())

    async def hang(_: Heard) -> Answer:
        await asyncio.sleep(30)
        return 204, {}, b""

    receiver.reply = hang
    await shop.pay(1)
    while not receiver.heard:
        await bringing.look()
        await asyncio.sleep(0.02)
    for task in bringing._walks:
        task.cancel()
    receiver.reply = take
    other = Bringing(pool, keys, Outside(LOOPBACK), now=clock, share_max=EAGER)
    await bring_all(other)
    assert receiver.taken == []
    clock.move(seconds=LEASE.total_seconds() + 1)
    await bring_all(other)
    assert numbers(receiver.taken) == [1]
    assert len({one.headers["webhook-id"] for one in receiver.heard}) == 1


async def test_a_name_that_leads_inside_by_now_is_never_connected_to(
    shop: Shop, receiver: Receiver, clock: Clock, pool: Pool, keys: Safe
) -> None:
    """It led elsewhere when the webhook was made (DNS rebinding)."""
    made = await shop.hook(f"https://hooks.example:{receiver.port}/")

    async def inside(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    worker = Bringing(pool, keys, Outside(resolve=inside), now=clock, share_max=EAGER)
    await shop.pay(1)
    await bring_all(worker)
    assert (receiver.connections, await shop.state()) == (0, State.ACTIVE)
    attempts, _ = await read_attempts(shop.pool, shop.tenant.id, made.webhook.id, None, 10)
    assert [(one.code, one.status) for one in attempts] == [("address_refused", None)]


async def test_what_was_tried_is_kept_for_a_week_and_no_more_than_a_thousand(
    shop: Shop, receiver: Receiver, bringing: Bringing, admin: Pool
) -> None:
    made = await shop.hook(receiver.url())
    await shop.pay(1)
    await bring_all(bringing)
    async with admin.acquire() as connection:
        await connection.execute(
            "insert into webhook_attempts (tenant_id, webhook_id, account_id, number, event_id, event, at, took_ms,"
            " code, tries) select $1, $2, 1, n, gen_random_uuid(), 'x', now() - n * interval '5 minutes', 1, 'taken', 1"
            " from generate_series(1, 2500) n",
            shop.tenant.id,
            made.webhook.id,
        )
    while await bringing.forget(1_000):
        pass
    (row,) = await shop.rows("select count(*), min(at) > now() - interval '7 days' as is_young from webhook_attempts")
    assert row["is_young"]
    assert 0 < row["count"] <= 1_000

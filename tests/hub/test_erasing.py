"""A person is erased: within a second nobody reads what was theirs, not in a backup of the ledger either."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from core.audit.trail import NOBODY, By, read_trail
from core.bulk.bulks import Bulk, create_bulk
from core.bulk.bulks import Order as BulkOrder
from core.bulk.lines import Line
from core.bulk.receiving import receive_lines
from core.bulk.report import read_results
from core.database import Pool, in_tenant, open_pool
from core.errors import CredentialsRefused, NotFound, SealBroken
from core.keys.cipher import Cipher, Erased
from core.keys.erasing import replay
from core.keys.places import PLACES
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.ledger.reading import read_entries_after
from core.machines.acting import accept, act
from core.machines.api_keys import KeyRefused, Wish, list_keys, make_key, trade_key
from core.machines.pairing import Proven, Wanted, make_code, pair_terminal
from core.machines.seats import Offer, invite, list_seats
from core.machines.terminals import list_terminals
from core.migrate import ensure_database
from core.notices.deliveries import Road
from core.notices.phones import register_phone
from core.nouns import Payment, PaymentStatus
from core.payments import dispute_evidence, disputes
from core.payments.calendar import Plan, Rule
from core.payments.charges import Asked, create_charge, read_charge
from core.payments.dispute_case import Actor
from core.payments.dispute_evidence import File
from core.payments.dispute_profiles import Reason
from core.payments.schedules import IfUnpaid, Order, create_schedule, read_schedule
from core.people.confirming import send_code
from core.people.credentials import check_password
from core.people.erasing import NotSealedYet, erase_person
from core.people.external import Identity, come_in
from core.people.fields import Kind
from core.people.knowing import read_fields_history
from core.people.opening import Opened, Tenant, open_person
from core.people.persons import Role, read_payee_names, read_person
from core.people.profiles import edit_profile
from core.people.providers import Provider, set_provider
from core.people.roles import set_role
from core.people.sessions import find_revoked, start_session
from core.people.totp import begin_totp
from core.privacy.exports import ask_export
from core.privacy.making import make_some
from core.privacy.requests import ask, list_requests, respond
from core.privacy.states import RequestStatus, Right
from core.webhooks.webhooks import Wish as HookWish
from core.webhooks.webhooks import make_webhook, rotate_secret
from tests.conftest import Database, prove
from tests.core.keys.canary import dump, found_in, fresh_canary, restore
from tests.hub.conftest import Enter, Hubs, Somebody, fund

PASSWORD = "correct horse battery"


class Life(NamedTuple):
    """Somebody of whom there is something everywhere, and what was written there."""

    opened: Opened
    login: str
    words: list[str]
    charge: str
    schedule: str
    dispute: str
    piece: str
    bulk: Bulk
    operator: Actor


async def live(pool: Pool, keys: Safe, tenant: Tenant, shop: Somebody, operator: Somebody) -> Life:
    words = [fresh_canary() for _ in range(19)]
    name, description, reference, plan, text, piece_text, file_name, content, answer, note, *others = words
    (
        line,
        mark,
        key_name,
        till_name,
        paid_for,
        wish,
        said,
        trade_name,
        trade_name_before,
    ) = others
    login = f"zq-login-{uuid.uuid4().hex[:12]}"
    opened = await open_person(pool, keys, tenant.id, Role.MERCHANT, name, login, PASSWORD)
    person, account, operating = opened.person_id, opened.account_id, By(operator.person)
    for told in (trade_name_before, trade_name):
        contact = f"{login}@example.com"
        await edit_profile(pool, keys, tenant.id, person, {"trade_name": told, "email": contact}, [], operating)
    await send_code(pool, keys, tenant.id, person, Kind.EMAIL, By(person))
    await make_key(pool, keys, tenant.id, person, Wish(key_name, ["charges:read"]), By(person))
    hook = HookWish("https://hooks.example/payhub", "Orders", accounts=[account])
    hooked = await make_webhook(pool, keys, tenant.id, person, hook, By(person))
    await rotate_secret(pool, keys, tenant.id, hooked.webhook.id, By(person))
    session = (await start_session(pool, tenant.id, person)).session_id
    await register_phone(pool, keys, tenant.id, person, session, Road.WEB, login, login, "pt")
    code = await make_code(pool, keys, tenant.id, person, Wanted(account, till_name, False), By(person))
    proven = Proven(uuid.uuid4().hex + "x" * 11, "EdDSA", [str(uuid.uuid4())], time.time() + 60)
    await pair_terminal(pool, keys, tenant.id, code.code, proven, None)
    await invite(pool, keys, tenant.id, person, Offer(till_name, ["charges:read"], login="nobody"), By(person))
    await fund(pool, tenant, account, 10_000, person)
    charge = Asked(str(uuid.uuid4()), account, 100, description, reference, False, None)
    await create_charge(pool, keys, tenant.id, person, charge)
    schedule = Order(
        str(uuid.uuid4()),
        account,
        shop.account,
        100,
        plan,
        Plan(Rule.ONCE, datetime.now(UTC).date() + timedelta(days=30), clock(6)),
        1,
        3_600,
        IfUnpaid.SKIP,
    )
    await create_schedule(pool, keys, tenant.id, person, schedule)
    async with in_tenant(pool, tenant.id) as connection:
        await begin_totp(connection, await keys.one(tenant.id, person), tenant.id, person, "App", "Demo", login)
    payments = [
        Payment(tenant.id, str(uuid.uuid4()), account, shop.account, 100, person, description=paid_for)
        for _ in range(2)
    ]
    back = Payment(tenant.id, str(uuid.uuid4()), shop.account, account, 50, shop.person)
    async with pool.acquire() as connection:
        postings = await post_payments(connection, [*payments, back], keys)
    assert {one.status for one in postings} == {PaymentStatus.POSTED}
    payer, judge = Actor(person, (account,)), Actor(operator.person, (), is_operator=True)
    opening = disputes.Opening(str(uuid.uuid4()), payments[0].id, Reason.FRAUD, text)
    await disputes.open_dispute(pool, keys, tenant.id, payer, opening)
    piece = str(uuid.uuid4())
    file = File(f"{file_name}.txt", "text/plain", content.encode())
    await dispute_evidence.add_evidence(pool, keys, tenant.id, payer, opening.id, piece, piece_text, file)
    await disputes.decide_dispute(pool, keys, tenant.id, judge, opening.id, 0, note)
    # The other way round: this time the person answers.
    other = disputes.Opening(str(uuid.uuid4()), back.id, Reason.FRAUD, None)
    await disputes.open_dispute(pool, keys, tenant.id, Actor(shop.person, (shop.account,)), other)
    await disputes.answer_dispute(pool, keys, tenant.id, payer, other.id, 0, answer)
    bulk = await create_bulk(pool, tenant.id, BulkOrder(str(uuid.uuid4()), account, False, is_again=True), person)
    await receive_lines(pool, keys, tenant.id, bulk, 1, [Line(None, shop.account, 1, line, mark)], b"")
    asked = await ask(pool, keys, tenant.id, person, str(uuid.uuid4()), Right.OTHER, None, wish, By(person))
    await respond(pool, keys, tenant.id, asked.id, RequestStatus.GRANTED, said, By(operator.person))
    await ask_export(pool, tenant.id, person, str(uuid.uuid4()), "pt", By(person))
    while await make_some(pool, keys):
        pass
    return Life(opened, login, [*words, login], charge.id, schedule.id, opening.id, piece, bulk, judge)


async def everything(pool: Pool, keys: Safe, tenant: Tenant, life: Life) -> str:
    """All that can be read of somebody, in one text."""
    person, account = life.opened
    dispute = await disputes.read_dispute(pool, keys, tenant.id, life.operator, life.dispute)
    piece = await dispute_evidence.read_evidence(pool, keys, tenant.id, life.operator, life.dispute, life.piece)
    found: list[Any] = [
        (await read_person(pool, keys, tenant.id, person)).display_name,
        await read_fields_history(pool, keys, tenant.id, person, None, 50),
        (await read_payee_names(pool, keys, tenant.id, [account])).get(account),
        await read_charge(pool, keys, tenant.id, life.charge),
        (await read_schedule(pool, keys, tenant.id, life.schedule)).order.description,
        (dispute.text, dispute.note),
        (piece[0], (piece[1] or b"").decode()),
        await read_results(pool, keys, tenant.id, life.bulk, 0, 10),
        await read_entries_after(pool, tenant.id, account, 0, 50, keys),
        [one.answer for one in await disputes.list_disputes(pool, keys, tenant.id, life.operator, 50)],
        [one.name for one in await list_keys(pool, keys, tenant.id, person, By(person))],
        [one.name for one in await list_terminals(pool, keys, tenant.id, person, By(person))],
        [one.name for one in (await list_seats(pool, keys, tenant.id, person, By(person)))[0]],
        await list_requests(pool, keys, tenant.id, person, 10),
    ]
    return repr(found)


@pytest_asyncio.fixture
async def restored(database: Database, tmp_path: Path) -> AsyncIterator[Any]:
    """Bring a backup into a database beside the others."""
    opened: list[Pool] = []

    async def restore_(file: Path) -> Pool:
        name = f"restored_{uuid.uuid4().hex[:12]}"
        url = database.admin_url.replace("/payhub?", f"/{name}?")
        await ensure_database(url)
        await asyncio.to_thread(restore, url, file)
        pool = await open_pool(database.app_url.replace("/payhub?", f"/{name}?"), size_max=4, name="payhub-restored")
        opened.append(pool)
        return pool

    yield restore_
    for pool in opened:
        await pool.close()


async def seen_by(hub_url: str, web: httpx2.AsyncClient, asking: Somebody, account: int) -> str | None:
    answer = await web.get(f"{hub_url}/v1/payees/{account}", headers={"authorization": f"Bearer {asking.token}"})
    return None if answer.status_code == 404 else str(answer.json()["name"])


async def test_an_erased_person_is_unreadable_everywhere_within_a_second(
    hubs: Hubs,
    enter: Enter,
    web: httpx2.AsyncClient,
    pool: Pool,
    keys: Safe,
    admin: Pool,
    database: Database,
    tenant: Tenant,
    restored: Any,
    tmp_path: Path,
) -> None:
    shop, operator = await enter(tenant, Role.MERCHANT, 1_000), await enter(tenant, Role.OPERATOR)
    life = await live(pool, keys, tenant, shop, operator)
    other = await live(pool, keys, tenant, shop, operator)
    text = await everything(pool, keys, tenant, life)
    assert all(word in text for word in life.words[:-1]), "everything is there to be erased"
    # The log-in of the one who is erased goes over both doors' ways before, Redis included.
    for hub in (hubs.a, hubs.b):
        body = {"tenant": tenant.slug, "login": life.login, "password": PASSWORD}
        assert (await web.post(f"{hub.url}/v1/login", json=body)).status_code == 200
        assert await seen_by(hub.url, web, shop, life.opened.account_id) == life.words[0]

    before = await asyncio.to_thread(dump, database.admin_url, tmp_path / "before.sql")
    assert found_in(before, [*life.words, *other.words]) == set(), "no backup of the ledger holds a word"

    began = time.monotonic()
    await erase_person(pool, keys, tenant.id, life.opened.person_id, NOBODY, "case 7")
    for hub in (hubs.a, hubs.b):
        while await seen_by(hub.url, web, shop, life.opened.account_id) is not None:
            await asyncio.sleep(0.02)
    # The rest of it is for a busy machine.
    assert time.monotonic() - began < 3.0

    assert found_in((await everything(pool, keys, tenant, life)).encode(), life.words) == set()
    for hub in (hubs.a, hubs.b):
        body = {"tenant": tenant.slug, "login": life.login, "password": PASSWORD}
        assert (await web.post(f"{hub.url}/v1/login", json=body)).status_code == 401

    # The live database, row by row, and the keys'.
    for url, name in ((database.admin_url, "after.sql"), (database.keys_admin_url, "keys.sql")):
        content = await asyncio.to_thread(dump, url, tmp_path / name)
        assert len(content) > 10_000
        assert found_in(content, [*life.words, *other.words]) == set()
    assert life.opened.person_id.encode() in await asyncio.to_thread((tmp_path / "keys.sql").read_bytes)
    async with keys.pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('payhub.tenant_id', $1, true)", str(tenant.id))
        left = await connection.fetchval("select count(*) from person_keys where person_id = $1", life.opened.person_id)
    assert left == 0

    # A backup from before, restored: what it holds of them opens with no key that there is.
    old = await restored(tmp_path / "before.sql")
    assert found_in((await everything(old, keys, tenant, life)).encode(), life.words) == set()
    with pytest.raises(CredentialsRefused):
        await check_password(old, keys, tenant.id, life.login, "something else entirely")
    text = await everything(old, keys, tenant, other)
    assert all(word in text for word in other.words[:-1]), "and of everybody else, it is whole"
    await nothing_opens(old, keys, tenant, life)
    # And it learns at its first start who was erased meanwhile.
    assert (await replay(old, keys)).remembered >= 1
    async with in_tenant(old, tenant.id) as learning:
        assert await learning.fetchval("select true from erased_persons where person_id = $1", life.opened.person_id)

    # Redis holds nothing, and the logs of the hubs have no word of it.
    async with Redis.from_url(database.redis_url) as redis:
        held = repr([key async for key in redis.scan_iter()]).encode()
    assert found_in(held, life.words) == set()
    for hub in (hubs.a, hubs.b):
        log = await asyncio.to_thread(hub.log.read_bytes)
        assert found_in(log, [*life.words, *other.words]) == set()

    # What has to stay, stays: the books, and that it was done.
    await prove(admin, tenant.id)
    (entry,) = await read_trail(pool, tenant.id, 10, what="key.destroyed")
    assert (entry.about, entry.why) == (life.opened.person_id, "case 7")
    await erase_person(pool, keys, tenant.id, life.opened.person_id, NOBODY)
    assert len(await read_trail(pool, tenant.id, 10, what="key.destroyed")) == 1


async def nothing_opens(old: Pool, keys: Safe, tenant: Tenant, life: Life) -> None:
    """Every sealed value of this person, tried with the key of everybody who has one."""
    count = 0
    async with in_tenant(old, tenant.id) as connection:
        everybody = [str(row[0]) for row in await connection.fetch("select id from persons")]
        ciphers = [one for one in (await keys.of(tenant.id, everybody)).values() if not isinstance(one, Erased)]
        assert len(ciphers) >= 3
        for place in PLACES:
            rows = await connection.fetch(
                f"select {place.named}, one.{place.column} from {place.source}"
                f" where one.tenant_id = $1 and {place.whose} = $2 and one.{place.column} is not null",
                tenant.id,
                life.opened.person_id,
            )
            assert rows, f"there was something in {place.table}.{place.column}"
            for row, sealed in rows:
                for cipher in ciphers:
                    count += 1
                    forged = Cipher(tenant.id, life.opened.person_id, 1, {})
                    forged._keys = cipher._keys
                    for one in (cipher, forged):
                        with pytest.raises(SealBroken):
                            one.open_bytes(place.table, place.column, row, sealed)
    assert count > 30


async def test_nothing_comes_in_any_more_that_spoke_for_an_erased_person(
    pool: Pool, keys: Safe, tenant: Tenant
) -> None:
    bank = Provider("bank", "https://id.bank.example", "payhub", "sub", False, ["ES256"], True, False)
    await set_provider(pool, tenant.id, bank, NOBODY)

    def identity() -> Identity:
        return Identity("her id there", "Jane", str(uuid.uuid4()), time.time() + 60)

    person = (await come_in(pool, keys, tenant.id, bank, identity(), None)).person_id
    operator = (await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olívia")).person_id
    await set_role(pool, tenant.id, person, Role.MERCHANT, By(operator))
    async with in_tenant(pool, tenant.id) as connection:
        account = await connection.fetchval("select id from accounts where person_id = $1", person)
    made = await make_key(pool, keys, tenant.id, person, Wish("Website", ["charges:read"]), By(person))
    code = await make_code(pool, keys, tenant.id, person, Wanted(account, "Till", False), By(person))
    proven = Proven("x" * 43, "EdDSA", [str(uuid.uuid4())], time.time() + 60)
    till = await pair_terminal(pool, keys, tenant.id, code.code, proven, None)
    await trade_key(pool, tenant.id, made.secret, None, None)
    own = await start_session(pool, tenant.id, person)
    ana = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    sitting = By(ana.person_id, (await start_session(pool, tenant.id, ana.person_id)).session_id)
    offer = Offer("Counter", ["charges:read"], account=ana.account_id)
    seat = await invite(pool, keys, tenant.id, person, offer, By(person))
    await accept(pool, keys, tenant.id, seat.id, sitting)
    clerk = await act(pool, tenant.id, seat.id, sitting)
    ids = made.key.id, till.session_id, own.session_id, clerk.session_id
    sessions = [(tenant.id, one) for one in ids]
    assert await find_revoked(pool, sessions) == []
    await erase_person(pool, keys, tenant.id, person, NOBODY, "case 8")
    assert sorted(await find_revoked(pool, sessions)) == sorted(sessions)
    with pytest.raises(KeyRefused):
        await trade_key(pool, tenant.id, made.secret, None, None)
    (key,), (terminal,) = (
        await list_keys(pool, keys, tenant.id, person, By(person)),
        await list_terminals(pool, keys, tenant.id, person, By(person)),
    )
    assert (key.name, terminal.name) == (None, None)
    ((left,), _) = await list_seats(pool, keys, tenant.id, person, By(person))
    assert (left.name, left.state) == (None, "ended")
    assert None not in {key.revoked_at, terminal.revoked_at}
    ended = await read_trail(pool, tenant.id, 10, what="session.ended")
    assert {(entry.about, entry.why) for entry in ended} == {(session, "case 8") for _, session in sessions}
    # Whoever has that identity is somebody new.
    assert (await come_in(pool, keys, tenant.id, bank, identity(), None)).person_id != person


async def test_redis_is_told_nothing_that_names_anybody(
    hubs: Hubs, web: httpx2.AsyncClient, database: Database, tenant: Tenant
) -> None:
    words = [fresh_canary(), f"zq-login-{uuid.uuid4().hex[:12]}"]
    heard: list[bytes] = []
    async with Redis.from_url(database.redis_url) as redis, redis.pubsub() as pubsub:
        await pubsub.psubscribe("*")
        listening = asyncio.create_task(_listen(pubsub, heard))
        who = {"tenant": tenant.slug, "login": words[1], "password": PASSWORD}
        assert (await web.post(f"{hubs.a.url}/v1/register", json={**who, "name": words[0]})).status_code == 201
        for _ in range(3):
            assert (
                await web.post(f"{hubs.b.url}/v1/login", json={**who, "password": "not this one"})
            ).status_code == 401
        # Spent limits are told four times a second.
        await asyncio.sleep(0.8)
        listening.cancel()
    content = b"\n".join(heard)
    assert b"spent" in content
    assert found_in(content, words) == set()


async def _listen(pubsub: Any, heard: list[bytes]) -> None:
    async for message in pubsub.listen():
        if isinstance(message["data"], bytes):
            heard.append(message["data"])


async def test_somebody_with_plain_rows_is_not_erased_by_half(
    pool: Pool, keys: Safe, admin: Pool, tenant: Tenant
) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    await admin.execute(
        "update profiles set display_name = 'Ana', display_name_sealed = null where person_id = $1", opened.person_id
    )
    with pytest.raises(NotSealedYet):
        await erase_person(pool, keys, tenant.id, opened.person_id, NOBODY)
    assert not isinstance(await keys.one(tenant.id, opened.person_id), Erased)


async def test_nothing_new_is_kept_of_somebody_who_was_erased(pool: Pool, keys: Safe, tenant: Tenant) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.MERCHANT, "Ana")
    await erase_person(pool, keys, tenant.id, opened.person_id, NOBODY)
    asked = Asked(str(uuid.uuid4()), opened.account_id, 100, "Two coffees", None, False, None)
    with pytest.raises(NotFound):
        await create_charge(pool, keys, tenant.id, opened.person_id, asked)
    with pytest.raises(asyncpg.CheckViolationError):
        async with in_tenant(pool, tenant.id) as connection:
            await connection.execute("update profiles set display_name = 'Ana' where person_id = $1", opened.person_id)

"""A database from before there were keys goes on working, and is sealed while it does."""

import asyncio
import random
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
import pytest_asyncio

from core.audit.trail import NOBODY
from core.database import Pool, in_tenant, open_pool
from core.errors import Conflict, Refusal
from core.keys.erasing import erase
from core.keys.places import PLACES
from core.keys.safe import Safe
from core.keys.sealing import count_plain, has_plain, seal_plain
from core.migrate import SQL, ensure_database, migrate
from core.payments.charges import list_charges, read_charge
from core.payments.dispute_case import Actor
from core.payments.dispute_evidence import File, add_evidence, list_evidence, read_evidence
from core.payments.dispute_profiles import BUILT_IN, to_json
from core.payments.disputes import answer_dispute, decide_dispute, read_dispute
from core.payments.schedules import read_schedule
from core.people.credentials import check_password, find_person, hash_password
from core.people.opening import Tenant, open_people, open_person
from core.people.persons import Role, read_payee_names, read_person
from tests.conftest import Database
from tests.core.keys.canary import dump, found_in

PASSWORD = "correct horse battery"
ANA, SHOP, OPERATOR = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
ANAS, SHOPS = 100_000_000_001, 100_000_000_002
CHARGE, SCHEDULE, DISPUTE, PIECE, FILE, PAYMENT = (str(uuid.UUID(int=number)) for number in range(11, 17))
WORDS = [f"zqcanary{at}plain" for at in range(11)]
NAME, SHOP_NAME, DESCRIPTION, REFERENCE, PLAN, TEXT, ANSWER, PIECE_TEXT, FILE_NAME, CONTENT, LOGIN = WORDS
# As the version before wrote it.
BEFORE = """
insert into tenants (id, slug, name, currency, time_zone) overriding system value
values ({tenant}, 'before', 'Before', 'BRL', 'UTC');
insert into persons (tenant_id, id, role) select {tenant}, id, role from (values ({ana}::uuid, 0), ({shop}, 1), ({operator}, 2)) as p (id, role);
insert into profiles (tenant_id, person_id, display_name) values ({tenant}, {ana}, '{name}'), ({tenant}, {shop}, '{shop_name}'), ({tenant}, {operator}, 'Operator');
insert into accounts (tenant_id, id, person_id) values ({tenant}, {anas}, {ana}), ({tenant}, {shops}, {shop});
insert into credentials (tenant_id, login, person_id, password_hash) values ({tenant}, '{login}', {ana}, '{hash}');
insert into charges (tenant_id, id, payee, amount, description, reference, is_reusable, asked_by)
values ({tenant}, '{charge}', {shops}, 100, '{description}', '{reference}', false, {shop});
insert into schedules (tenant_id, id, payer, payee, amount, description, rule, first_on, at, on_closed, attempts_max,
                       retry_after_s, if_unpaid, created_by, number, on_day, due_at)
values ({tenant}, '{schedule}', {anas}, {shops}, 100, '{plan}', 1, '2090-01-01', '06:00', 0, 1, 60, 0, {ana}, 1, '2090-01-01', '2090-01-01');
insert into payments (tenant_id, id, status, payer, payee, amount, payer_version, payee_version, payer_balance,
                      payee_balance, judged_at, asked_by, description)
values ({tenant}, '{payment}', 0, {anas}, {shops}, 100, 1, 1, 900, 100, now(), {ana}, 'as it was written');
insert into disputes (tenant_id, id, payment_id, payer, payee, amount, reason, text, rules, status, answer, opened_by,
                      by_operator, paid_at, opened_at, answer_due_at, decision_due_at, due_at)
values ({tenant}, '{dispute}', '{payment}', {anas}, {shops}, 100, 1, '{text}', '{rules}', 1, '{answer}', {ana}, false, now(), now(),
        now() + interval '1 day', now() + interval '7 days', now() + interval '7 days');
insert into dispute_evidence (tenant_id, dispute_id, id, side, person_id, text, name, media_type, content, added_at)
values ({tenant}, '{dispute}', '{piece}', 0, {ana}, '{piece_text}', null, null, null, now()),
       ({tenant}, '{dispute}', '{file}', 1, {shop}, null, '{file_name}', 'text/plain', '{content}', now());
"""


class Old(NamedTuple):
    """A database of the version before, brought to this one; nothing in it is sealed."""

    tenant: int
    url: str
    admin: Pool
    pool: Pool
    hash: str


@pytest_asyncio.fixture
async def old(database: Database, tmp_path: Path) -> AsyncIterator[Old]:
    name = f"before_{uuid.uuid4().hex[:12]}"
    url = database.admin_url.replace("/payhub?", f"/{name}?")
    await ensure_database(url)
    earlier = tmp_path / "sql" / "migrations"
    earlier.mkdir(parents=True)
    for file in (SQL / "migrations").glob("*.sql"):
        if file.name < "0014":
            shutil.copy(file, earlier)
    await migrate(url, tmp_path / "sql")
    password_hash = await hash_password(PASSWORD)
    # The keys of all these databases are in one: as in life, no two tenants share a number there.
    tenant = random.randrange(10**6, 10**9)
    connection = await asyncpg.connect(url, server_settings={"search_path": "payhub"})
    await connection.execute(
        BEFORE.format(
            tenant=tenant,
            ana=f"'{ANA}'",
            shop=f"'{SHOP}'",
            operator=f"'{OPERATOR}'",
            name=NAME,
            shop_name=SHOP_NAME,
            anas=ANAS,
            shops=SHOPS,
            login=LOGIN,
            hash=password_hash,
            charge=CHARGE,
            description=DESCRIPTION,
            reference=REFERENCE,
            schedule=SCHEDULE,
            plan=PLAN,
            payment=PAYMENT,
            dispute=DISPUTE,
            text=TEXT,
            answer=ANSWER,
            rules=to_json(BUILT_IN["med"]),
            piece=PIECE,
            piece_text=PIECE_TEXT,
            file=FILE,
            file_name=FILE_NAME,
            content=CONTENT,
        )
    )
    await connection.close()
    await migrate(url)
    admin = await open_pool(url, size_max=3, name="payhub-tests")
    pool = await open_pool(database.app_url.replace("/payhub?", f"/{name}?"), size_max=5, name="payhub-tests")
    yield Old(tenant, url, admin, pool, password_hash)
    await pool.close()
    await admin.close()


async def everything_reads(old: Old, keys: Safe) -> None:
    """All of it, as before."""
    pool, tenant = old.pool, old.tenant
    assert (await read_person(pool, keys, tenant, ANA)).display_name == NAME
    assert await read_payee_names(pool, keys, tenant, [ANAS, SHOPS]) == {ANAS: NAME, SHOPS: SHOP_NAME}
    assert await check_password(pool, keys, tenant, LOGIN.upper(), PASSWORD) == ANA
    assert await find_person(pool, keys, tenant, LOGIN) == ANA
    charge = await read_charge(pool, keys, tenant, CHARGE)
    assert (charge.name, charge.description, charge.reference) == (SHOP_NAME, DESCRIPTION, REFERENCE)
    assert await list_charges(pool, keys, tenant, SHOPS, None, None, 10) == [charge]
    assert (await read_schedule(pool, keys, tenant, SCHEDULE)).order.description == PLAN
    operator = Actor(OPERATOR, (), is_operator=True)
    dispute = await read_dispute(pool, keys, tenant, operator, DISPUTE)
    assert (dispute.text, dispute.answer) == (TEXT, ANSWER)
    pieces = {piece.id: piece for piece in await list_evidence(pool, keys, tenant, operator, DISPUTE)}
    assert (pieces[PIECE].text, pieces[PIECE].name, pieces[PIECE].size) == (PIECE_TEXT, None, 0)
    assert (pieces[FILE].name, pieces[FILE].size) == (FILE_NAME, len(CONTENT))
    assert await read_evidence(pool, keys, tenant, operator, DISPUTE, FILE) == (pieces[FILE], CONTENT.encode())


async def test_a_database_from_before_is_read_is_sealed_under_readers_and_is_read(
    old: Old, keys: Safe, tmp_path: Path
) -> None:
    await everything_reads(old, keys)
    assert await count_plain(old.admin, old.tenant) == len(WORDS) + 1
    assert await has_plain(old.admin, old.tenant)
    assert found_in(await asyncio.to_thread(dump, old.url, tmp_path / "plain.sql"), WORDS) == {*WORDS}

    async def read_on() -> None:
        while True:
            await everything_reads(old, keys)

    readers = [asyncio.create_task(read_on()) for _ in range(2)]
    reached: list[int] = []
    sealed = await seal_plain(old.admin, keys, old.tenant, reached.append)
    await asyncio.sleep(0.3)
    for reader in readers:
        reader.cancel()
    for outcome in await asyncio.gather(*readers, return_exceptions=True):
        assert isinstance(outcome, asyncio.CancelledError), outcome

    assert sealed == len(WORDS) + 1 == reached[-1]
    assert await count_plain(old.admin, old.tenant) == 0
    assert not await has_plain(old.pool, old.tenant)
    assert found_in(await asyncio.to_thread(dump, old.url, tmp_path / "sealed.sql"), WORDS) == set()
    await everything_reads(old, keys)
    assert await seal_plain(old.admin, keys, old.tenant) == 0
    # A payment's row is never changed.
    assert await old.admin.fetchval("select description from payments") == "as it was written"


async def test_what_was_sealed_afterwards_is_bound_to_its_place_like_what_was_sealed_at_once(
    old: Old, keys: Safe
) -> None:
    await seal_plain(old.admin, keys, old.tenant)
    async with in_tenant(old.admin, old.tenant) as connection:
        for place in (one for one in PLACES if one.plain is not None and not one.is_kept):
            rows = await connection.fetch(
                f"select {place.named}, {place.whose}::text, one.{place.column} from {place.source}"
                f" where one.tenant_id = $1 and one.{place.column} is not null",
                old.tenant,
            )
            # What was never plain is not there yet.
            assert rows or place.column == "note_sealed" or place.plain is None, place
            for row, whose, sealed in rows:
                cipher = await keys.one(old.tenant, whose)
                assert cipher.open_bytes(place.table, place.column, row, sealed)


async def test_a_log_in_is_one_persons_whether_sealed_or_not(old: Old, keys: Safe) -> None:
    for _ in range(2):
        with pytest.raises(Conflict, match="That login is taken"):
            await open_person(old.pool, keys, old.tenant, Role.CUSTOMER, "Another", LOGIN, PASSWORD)
        await seal_plain(old.admin, keys, old.tenant)


async def test_two_who_log_in_by_one_name_are_left_to_an_operator(old: Old, keys: Safe) -> None:
    """A hub of the version before took a log-in that one of this version had sealed: it saw no such name."""
    index, cipher = await keys.index(old.tenant, "login", LOGIN), await keys.one(old.tenant, SHOP, create=True)
    await old.admin.execute(
        "insert into credentials (tenant_id, person_id, login_index, login_sealed, password_hash) values ($5, $1, $2, $3, $4)",
        SHOP,
        index,
        cipher.seal("credentials", "login_sealed", SHOP, LOGIN),
        old.hash,
        old.tenant,
    )
    assert await seal_plain(old.admin, keys, old.tenant) == len(WORDS)
    assert await count_plain(old.admin, old.tenant) == 1


async def test_what_an_erased_person_left_in_plain_is_not_sealed_and_told(old: Old, keys: Safe) -> None:
    await erase(old.pool, keys, old.tenant, ANA, NOBODY)
    await seal_plain(old.admin, keys, old.tenant)
    assert await has_plain(old.admin, old.tenant, ANA)
    assert not await has_plain(old.admin, old.tenant, SHOP)


async def test_a_row_that_changes_while_it_is_sealed_is_not_overwritten(
    old: Old, keys: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = keys.of

    async def slow(*arguments: object, **more: object) -> object:
        # Between the reading and the writing, somebody of the version before changes the name.
        await old.admin.execute(
            "update profiles set display_name = 'Newer' where person_id = $1 and display_name is not null", ANA
        )
        return await real(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(keys, "of", slow)
    sealing = asyncio.create_task(seal_plain(old.admin, keys, old.tenant))
    await asyncio.sleep(0.3)
    monkeypatch.undo()
    await sealing
    assert (await read_person(old.pool, keys, old.tenant, ANA)).display_name == "Newer"


async def test_disputes_of_before_go_on(old: Old, keys: Safe) -> None:
    operator = Actor(OPERATOR, (), is_operator=True)
    await add_evidence(
        old.pool,
        keys,
        old.tenant,
        Actor(ANA, (ANAS,)),
        DISPUTE,
        str(uuid.uuid4()),
        "More",
        File("b.txt", "text/plain", b"b"),
    )
    with pytest.raises(Refusal):
        await answer_dispute(old.pool, keys, old.tenant, Actor(SHOP, (SHOPS,)), DISPUTE, 0, "Another word")
    done = await decide_dispute(old.pool, keys, old.tenant, operator, DISPUTE, 0, "Rejected")
    assert (done.dispute.text, done.dispute.answer, done.dispute.note) == (TEXT, ANSWER, "Rejected")
    await seal_plain(old.admin, keys, old.tenant)
    dispute = await read_dispute(old.pool, keys, old.tenant, operator, DISPUTE)
    assert (dispute.text, dispute.answer, dispute.note) == (TEXT, ANSWER, "Rejected")


async def test_thousands_are_sealed_in_batches(admin: Pool, pool: Pool, keys: Safe, tenant: Tenant) -> None:
    people = await open_people(pool, keys, tenant.id, Role.CUSTOMER, [f"Person {at}" for at in range(1_200)])
    await admin.execute(
        "update profiles set display_name = 'Plain ' || right(person_id::text, 6), display_name_sealed = null"
        " where tenant_id = $1",
        tenant.id,
    )
    assert await seal_plain(admin, keys, tenant.id) == 1_200
    person = people[7].person_id
    assert (await read_person(pool, keys, tenant.id, person)).display_name == f"Plain {person[-6:]}"

"""A person is erased: what is in the way, what the law obliges to keep, and that nothing of them is anywhere."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from config.embedded import postgres_binaries
from core.audit.trail import NOBODY, By, read_trail
from core.database import Pool, in_tenant, open_pool
from core.errors import NotFound, Refusal
from core.keys.cipher import Erased
from core.keys.erasing import replay
from core.keys.places import MOVING
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.ledger.reading import read_entries_after
from core.ledger.verify import verify
from core.nouns import Kind as PaymentKind
from core.nouns import Payment, PaymentStatus, SystemAccount
from core.payments.calendar import Plan, Rule
from core.payments.schedules import IfUnpaid, Order, cancel_schedule, create_schedule
from core.people.erasing import erase_person
from core.people.opening import Opened, Tenant, open_person
from core.people.persons import PersonStatus, Role, read_payee_names, read_person
from core.people.sessions import find_revoked, start_session
from core.privacy import erasures, forgetting
from core.privacy.classes import CLAIM, IDENTITY, OPERATION, Kind
from core.privacy.controller import Controller, set_controller
from core.privacy.duties import KEEPINGS, Past, duties_of, until
from core.privacy.erasures import ask_erasure, find_due, finish, look_ahead, read_erasure
from core.privacy.exports import ask_export
from core.privacy.making import make_some
from core.privacy.obstacles import ADVICE, Code
from core.privacy.retention import list_runs, run_retention
from core.privacy.states import ErasureStatus
from core.privacy.tables import LEDGER, personal, place_of
from core.proof.checking import check_log
from core.proof.export import export_log
from core.proof.notary import Signer
from tests.conftest import Books, Database, seal_all
from tests.core.privacy.planting import CANARY, plant

FAR: datetime = datetime(2060, 1, 1, tzinfo=UTC)


async def customer(pool: Pool, keys: Safe, tenant: Tenant, role: Role = Role.CUSTOMER) -> Opened:
    mark = uuid.uuid4().hex[:8]
    return await open_person(pool, keys, tenant.id, role, f"Ana {mark}", f"ana.{mark}", "a long enough password")


async def post(pool: Pool, *payments: Payment) -> None:
    async with pool.acquire() as connection:
        postings = await post_payments(connection, payments)
    assert {posting.status for posting in postings} == {PaymentStatus.POSTED}


def paying(tenant: Tenant, payer: int, payee: int, amount: int, **more: object) -> Payment:
    return Payment(tenant.id, str(uuid.uuid4()), payer, payee, amount, str(uuid.uuid4()), **more)  # type: ignore[arg-type]


async def dump(connection: asyncpg.Connection, schema: str = "payhub") -> str:
    """Every row of every table, as text."""
    tables = await connection.fetch(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = $1 and c.relkind in ('r', 'p')",
        schema,
    )
    found = []
    for (table,) in tables:
        rows = await connection.fetch(f"select one::text from {schema}.{table} as one")
        found += [f"{table}: {row[0]}" for row in rows]
    return "\n".join(found)


def tells(text: str) -> list[str]:
    """The rows that hold the canary, plain or in hexadecimal."""
    marks = (CANARY, CANARY.encode().hex())
    return [line for line in text.splitlines() if any(mark in line for mark in marks)]


async def test_somebody_who_never_moved_money_is_gone_at_once(tenant: Tenant, pool: Pool, keys: Safe) -> None:
    person = await customer(pool, keys, tenant)
    session = await start_session(pool, tenant.id, person.person_id)
    outlook = await look_ahead(pool, tenant.id, person.person_id)
    assert (outlook.obstacles, outlook.duties) == ([], [])
    by = By(person.person_id, session.session_id, "192.0.2.0/24")
    began = time.monotonic()
    asked = await ask_erasure(pool, keys, tenant.id, person.person_id, by, why="asked for it")
    assert time.monotonic() - began < 1.0
    assert asked.sessions == [session.session_id]
    assert asked.erasure.status is ErasureStatus.ERASED
    assert isinstance(await keys.one(tenant.id, person.person_id), Erased)
    assert (await read_person(pool, keys, tenant.id, person.person_id)).display_name is None
    assert await find_revoked(pool, [(tenant.id, session.session_id)]) == [(tenant.id, session.session_id)]
    async with in_tenant(pool, tenant.id) as connection:
        for table in ("profiles", "credentials", "sessions", "refresh_tokens"):
            assert await connection.fetchval(f"select count(*) from {table}") == 0, table
        assert await connection.fetchval("select status from accounts where id = $1", person.account_id) == 2
        assert await connection.fetchval("select status from persons") == PersonStatus.CLOSED
    trail = [one.what for one in await read_trail(pool, tenant.id, 20, about=person.person_id)]
    assert trail[:3] == ["erasure.done", "key.destroyed", "erasure.asked"]
    again = await ask_erasure(pool, keys, tenant.id, person.person_id, by)
    assert again == (asked.erasure, [])
    assert len(await read_trail(pool, tenant.id, 20, about=person.person_id)) == len(trail)


async def test_what_has_to_be_kept_is_refused_with_the_rule_and_the_day_and_the_rest_goes(
    tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    person, other = await customer(pool, keys, tenant), await customer(pool, keys, tenant)
    await start_session(pool, tenant.id, person.person_id)
    await post(
        pool,
        paying(tenant, SystemAccount.CASH_IN, person.account_id, 50),
        paying(tenant, person.account_id, other.account_id, 50),
    )
    asked = await ask_erasure(pool, keys, tenant.id, person.person_id, By(person.person_id))
    year = datetime.now(UTC).astimezone().year
    kept = {duty.code: duty for duty in asked.erasure.kept}
    assert set(kept) == {"identity", "operation"}
    assert kept["identity"].until in {date(year + 11, 1, 1), date(year + 12, 1, 1)}
    assert "3.978/2020, art. 67, I;" in kept["identity"].law
    assert "payments" in kept["operation"].tables and "profiles" in kept["identity"].tables
    assert asked.erasure.status is ErasureStatus.WAITING
    assert asked.erasure.due_on == max(duty.until for duty in asked.erasure.kept)
    assert asked.erasure.forgotten_at is not None
    # What nobody is obliged to keep is gone, and nobody comes in any more.
    async with in_tenant(pool, tenant.id) as connection:
        mine = person.person_id
        assert await connection.fetchval("select count(*) from sessions where person_id = $1", mine) == 0
        assert await connection.fetchval("select count(*) from credentials where person_id = $1", mine) == 0
    assert (await read_person(pool, keys, tenant.id, person.person_id)).display_name is not None
    sooner = await find_due(pool, 1_000, datetime(year + 5, 1, 1, tzinfo=UTC))
    assert [one for one in sooner if one[0] == tenant.id] == []
    # On its day it goes by itself.
    day = datetime(asked.erasure.due_on.year, 1, 1, 4, tzinfo=UTC)
    assert (tenant.id, person.person_id) in await find_due(pool, 1_000, day)
    erasure = await finish(pool, keys, tenant.id, person.person_id, day)
    assert erasure.status is ErasureStatus.ERASED
    assert (await read_person(pool, keys, tenant.id, person.person_id)).display_name is None
    names = await read_payee_names(pool, keys, tenant.id, [person.account_id, other.account_id])
    assert list(names) == [other.account_id]
    history = await read_entries_after(pool, tenant.id, other.account_id, 0, 10)
    assert [(entry.counterparty, entry.amount) for entry in history] == [(person.account_id, 50)]


async def test_the_day_comes_at_midnight_of_the_tenants_clock(tenant: Tenant, pool: Pool, keys: Safe) -> None:
    person = await customer(pool, keys, tenant)
    await post(pool, paying(tenant, SystemAccount.CASH_IN, person.account_id, 5))
    await post(pool, paying(tenant, person.account_id, SystemAccount.CASH_OUT, 5))
    erasure = (await ask_erasure(pool, keys, tenant.id, person.person_id, NOBODY)).erasure
    midnight = datetime(erasure.due_on.year, 1, 1, 3, tzinfo=UTC)  # of São Paulo
    before = midnight - timedelta(seconds=1)
    assert (tenant.id, person.person_id) not in await find_due(pool, 1_000, before)
    assert (await finish(pool, keys, tenant.id, person.person_id, before)).status is ErasureStatus.WAITING
    assert (tenant.id, person.person_id) in await find_due(pool, 1_000, midnight)
    assert (await finish(pool, keys, tenant.id, person.person_id, midnight)).status is ErasureStatus.ERASED


def test_days_are_counted_as_the_rules_count_them() -> None:
    assert until(OPERATION, date(2026, 1, 1)) == date(2037, 1, 1)
    assert until(OPERATION, date(2026, 12, 31)) == date(2037, 1, 1)
    assert until(IDENTITY, date(2027, 1, 1)) == date(2038, 1, 1)
    assert until(CLAIM, date(2026, 5, 17)) == date(2036, 5, 17)
    assert until(CLAIM, date(2028, 2, 29)) == date(2038, 3, 1)
    # Ten o'clock in the evening of 31 December in São Paulo is the year after in UTC.
    late = datetime(2027, 1, 1, 1, tzinfo=UTC)
    (first, second, third) = duties_of(Past(late, late), datetime(2028, 6, 1, tzinfo=UTC), "America/Sao_Paulo")
    assert (first.code, first.until) == ("identity", date(2039, 1, 1))
    assert (second.code, second.until) == ("operation", date(2037, 1, 1))
    assert (third.code, third.until) == ("claim", date(2036, 12, 31))
    assert duties_of(Past(None, None), late, "UTC") == []
    assert [one.code for one in duties_of(Past(None, None), late, "UTC", keeps_all_identities=True)] == ["identity"]


def test_whatever_a_law_keeps_sealed_is_one_of_the_duties() -> None:
    for table, name, column in personal():
        keeping = column.keeping or table.keeping
        if place_of(table, name) is not None and keeping.law is not None:
            assert keeping in KEEPINGS, (table.name, name)
    assert {*ADVICE} == {*Code}


async def test_the_institution_may_keep_all_identities(tenant: Tenant, pool: Pool, admin: Pool, keys: Safe) -> None:
    await set_controller(admin, tenant.slug, Controller("Acme", keeps_all_identities=True))
    person = await customer(pool, keys, tenant)
    erasure = (await ask_erasure(pool, keys, tenant.id, person.person_id, NOBODY)).erasure
    assert (erasure.status, [duty.code for duty in erasure.kept]) == (ErasureStatus.WAITING, ["identity"])


async def test_open_things_are_in_the_way_with_codes_and_nothing_is_changed(
    tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    person, other = await customer(pool, keys, tenant), await customer(pool, keys, tenant)
    session = await start_session(pool, tenant.id, person.person_id)
    hold, incoming = str(uuid.uuid4()), str(uuid.uuid4())
    await post(
        pool,
        paying(tenant, SystemAccount.CASH_IN, person.account_id, 50),
        paying(tenant, SystemAccount.CASH_IN, other.account_id, 50),
    )
    await post(
        pool,
        Payment(tenant.id, hold, person.account_id, other.account_id, 20, person.person_id, kind=PaymentKind.AUTHORIZE),
        Payment(
            tenant.id, incoming, other.account_id, person.account_id, 7, other.person_id, kind=PaymentKind.AUTHORIZE
        ),
    )
    order = Order(
        str(uuid.uuid4()),
        person.account_id,
        other.account_id,
        5,
        None,
        Plan(Rule.ONCE, date(2090, 1, 2), datetime(2026, 1, 1).time()),
        1,
        3_600,
        IfUnpaid.SKIP,
    )
    await create_schedule(pool, keys, tenant.id, person.person_id, order)
    found = {(one.code, one.about) for one in (await look_ahead(pool, tenant.id, person.person_id)).obstacles}
    assert found == {
        (Code.HOLD_OPEN, hold),
        (Code.HOLD_OPEN, incoming),
        (Code.SCHEDULE_GOING_ON, order.id),
        (Code.MONEY_HELD, None),
        (Code.BALANCE_LEFT, None),
    }
    with pytest.raises(Refusal) as refused:
        await ask_erasure(pool, keys, tenant.id, person.person_id, NOBODY)
    assert refused.value.code == "erasure_obstructed"
    assert str(refused.value).startswith("First: hold_open, schedule_going_on, money_held, balance_left.")
    assert await read_erasure(pool, tenant.id, person.person_id) is None
    assert await find_revoked(pool, [(tenant.id, session.session_id)]) == []
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select status from accounts where id = $1", person.account_id) == 0
    # Each thing done, one obstacle less.
    for id_, payer, payee in (
        (hold, person.account_id, other.account_id),
        (incoming, other.account_id, person.account_id),
    ):
        await post(pool, paying(tenant, payer, payee, 0, kind=PaymentKind.VOID, subject=id_))
    await cancel_schedule(pool, keys, tenant.id, order.id)
    assert [one.code for one in (await look_ahead(pool, tenant.id, person.person_id)).obstacles] == [Code.BALANCE_LEFT]
    await post(pool, paying(tenant, person.account_id, SystemAccount.CASH_OUT, 50))
    assert (await ask_erasure(pool, keys, tenant.id, person.person_id, NOBODY)).erasure.status is ErasureStatus.WAITING


async def test_the_last_operator_stays(tenant: Tenant, pool: Pool, keys: Safe) -> None:
    person = await customer(pool, keys, tenant, Role.OPERATOR)
    with pytest.raises(Refusal, match="last_operator"):
        await ask_erasure(pool, keys, tenant.id, person.person_id, NOBODY)
    await customer(pool, keys, tenant, Role.OPERATOR)
    assert (await ask_erasure(pool, keys, tenant.id, person.person_id, NOBODY)).erasure.status is ErasureStatus.ERASED


async def test_a_payment_and_an_erasure_at_once_leave_no_money_on_a_closed_account(
    tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    payer = await customer(pool, keys, tenant)
    await post(pool, paying(tenant, SystemAccount.CASH_IN, payer.account_id, 1_000))
    for _ in range(10):
        person = await customer(pool, keys, tenant)

        async def pay(to: int = person.account_id) -> None:
            # Posted or refused: what became of it is asked of the account.
            with contextlib.suppress(AssertionError):
                await post(pool, paying(tenant, payer.account_id, to, 1))

        async def erase(who: str = person.person_id) -> bool:
            try:
                await ask_erasure(pool, keys, tenant.id, who, NOBODY)
            except Refusal:
                return False
            return True

        erased, _ = await asyncio.gather(erase(), pay())
        async with in_tenant(pool, tenant.id) as connection:
            row = await connection.fetchrow("select status, balance from accounts where id = $1", person.account_id)
        assert row is not None
        assert (row["status"], row["balance"]) == ((2, 0) if erased else (0, 1))


async def test_somebody_else_or_nobody_is_not_found(
    tenant: Tenant, other_tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    person = await customer(pool, keys, tenant)
    for where, who in ((other_tenant.id, person.person_id), (tenant.id, str(uuid.uuid4()))):
        with pytest.raises(NotFound):
            await ask_erasure(pool, keys, where, who, NOBODY)
        with pytest.raises(NotFound):
            await look_ahead(pool, where, who)


@pytest.mark.parametrize("step", ["erase_person", "forget", "_person"])
async def test_an_erasure_that_is_interrupted_is_finished_by_a_worker(
    tenant: Tenant, pool: Pool, keys: Safe, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    person = await customer(pool, keys, tenant)

    async def killed(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(erasures, step, killed)
        with pytest.raises(RuntimeError):
            await ask_erasure(pool, keys, tenant.id, person.person_id, NOBODY)
    erasure = await read_erasure(pool, tenant.id, person.person_id)
    assert erasure is not None and erasure.status is ErasureStatus.ERASING
    report = await run_retention(pool, keys, 1_000)
    assert (tenant.id, person.person_id) in report.erased
    assert isinstance(await keys.one(tenant.id, person.person_id), Erased)
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from profiles") == 0
    assert (await list_runs(pool, tenant.id, 1))[0].erased == 1
    assert (tenant.id, person.person_id) not in (await run_retention(pool, keys, 1_000)).erased


async def test_money_that_came_back_is_in_the_way_on_the_day_and_looked_at_again(
    tenant: Tenant, pool: Pool, keys: Safe, admin: Pool
) -> None:
    person, other = await customer(pool, keys, tenant), await customer(pool, keys, tenant)
    payment = paying(tenant, person.account_id, other.account_id, 50)
    await post(pool, paying(tenant, SystemAccount.CASH_IN, person.account_id, 50), payment)
    await ask_erasure(pool, keys, tenant.id, person.person_id, NOBODY)
    back = {"kind": PaymentKind.DISPUTE, "subject": payment.id}
    await post(pool, paying(tenant, other.account_id, person.account_id, 50, **back))
    await post(pool, paying(tenant, other.account_id, person.account_id, 50, **back | {"kind": PaymentKind.CHARGEBACK}))
    report = await run_retention(pool, keys, 1_000, FAR)
    assert (tenant.id, person.person_id) in report.obstructed
    assert (tenant.id, person.person_id) not in (await run_retention(pool, keys, 1_000, FAR)).obstructed
    assert (tenant.id, person.person_id) in (await run_retention(pool, keys, 1_000, FAR + timedelta(days=2))).obstructed
    assert not isinstance(await keys.one(tenant.id, person.person_id), Erased)


async def test_a_large_table_is_forgotten_batch_by_batch(
    tenant: Tenant, pool: Pool, keys: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 3)
    person = await customer(pool, keys, tenant)
    for _ in range(10):
        await start_session(pool, tenant.id, person.person_id)
    assert (await ask_erasure(pool, keys, tenant.id, person.person_id, NOBODY)).erasure.status is ErasureStatus.ERASED
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from sessions") == 0


@pytest_asyncio.fixture
async def restored(database: Database) -> AsyncIterator["Restored"]:
    one = Restored(database)
    yield one
    await one.drop()


class Restored:
    """A backup of the ledger, and the database that it is restored into."""

    def __init__(self, database: Database) -> None:
        self._admin_url = database.admin_url
        self._app_url = database.app_url
        self._name = f"restored_{uuid.uuid4().hex[:8]}"
        self._dump = b""
        self._pools: list[Pool] = []

    async def back_up(self) -> None:
        self._dump = await self._run("pg_dump", self._admin_url)

    async def restore(self) -> tuple[Pool, Pool]:
        """The serving role's pool of the restored database, and the administrator's."""
        await self._execute(f'create database "{self._name}"')
        await self._run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", self._in(self._admin_url), given=self._dump)
        self._pools = [
            await open_pool(self._in(url), size_max=4, name="payhub-tests") for url in (self._app_url, self._admin_url)
        ]
        return self._pools[0], self._pools[1]

    async def drop(self) -> None:
        for pool in self._pools:
            await pool.close()
        await self._execute(f'drop database if exists "{self._name}"')

    def _in(self, url: str) -> str:
        return urlunsplit(urlsplit(url)._replace(path=f"/{self._name}"))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._admin_url)
        await connection.execute(statement)
        await connection.close()

    async def _run(self, tool: str, *arguments: str, given: bytes = b"") -> bytes:
        process = await asyncio.create_subprocess_exec(
            str(postgres_binaries() / tool),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await process.communicate(given)
        assert process.returncode == 0, errors.decode()[-2_000:]
        return out


async def test_nothing_of_a_person_is_anywhere_after_an_erasure_and_in_no_backup(
    tenant: Tenant,
    pool: Pool,
    admin: Pool,
    keys: Safe,
    keys_admin: Pool,
    signer: Signer,
    restored: Restored,
) -> None:
    planted = await plant(pool, keys, tenant, uuid.uuid4().hex[:8])
    person = planted.person.person_id
    export_id = str(uuid.uuid4())
    await ask_export(pool, tenant.id, person, export_id, "pt", By(person))
    while await make_some(pool, keys):
        pass
    await seal_all(pool, signer)
    async with admin.acquire() as connection:
        # Whoever adds a column for words adds words to it in planting.py.
        for table, name, column in personal():
            if (
                column.kind in {Kind.IDENTIFICATION, Kind.CONTACT, Kind.FREE_TEXT}
                and not table.is_in_keys
                and (table.name, name) not in {("payments", "metadata"), ("payments", "description")}
                and place_of(table, f"{name}_sealed") is None
                and (name, table.name) not in {("key", "account_metadata")}
                and (table.name, name) not in {(one.table, one.plain) for one in MOVING}
            ):
                count = await connection.fetchval(
                    f"select count(*) from payhub.{table.name} where tenant_id = $1 and {name} is not null", tenant.id
                )
                assert count, f"nothing is planted in {table.name}.{name}"
        before = tells(await dump(connection))  # type: ignore[arg-type]
        assert before, "what is plain is found"
    await restored.back_up()
    assert CANARY in (await read_person(pool, keys, tenant.id, person)).display_name  # type: ignore[operator]

    assert (await ask_erasure(pool, keys, tenant.id, person, By(person))).erasure.status is ErasureStatus.WAITING
    assert tells(await dump_of(admin)) == [], "what nobody is obliged to keep goes at once"
    report = await run_retention(pool, keys, 1_000, FAR)
    assert (tenant.id, person) in report.erased

    assert tells(await dump_of(admin)) == []
    assert tells(await dump_of(keys_admin)) == []
    assert await opened(admin, keys, tenant) == [], "nothing of theirs opens any more"
    async with admin.acquire() as connection:
        assert not (await verify(connection)).broken_accounts
    await seal_all(pool, signer)
    lines = [line async for line in export_log(pool, tenant.id, tenant.slug, signer.keys)]
    assert check_log(iter(lines), None).payments > 0
    history = await read_entries_after(pool, tenant.id, planted.other.account_id, 0, 100)
    assert {entry.counterparty for entry in history} >= {planted.person.account_id}

    old_pool, old_admin = await restored.restore()
    assert tells(await dump_of(old_admin)), "the backup is from before"
    assert [one for one in await opened(old_admin, keys, tenant) if CANARY in one] == []
    assert (await read_person(old_pool, keys, tenant.id, person)).display_name is None
    assert (await replay(old_pool, keys)).remembered >= 1
    report = await run_retention(old_pool, keys, 1_000)
    assert (tenant.id, person) in report.erased
    assert tells(await dump_of(old_admin)) == []
    async with old_admin.acquire() as connection:
        assert not (await verify(connection)).broken_accounts


async def dump_of(admin: Pool) -> str:
    async with admin.acquire() as connection:
        return await dump(connection)  # type: ignore[arg-type]


async def opened(admin: Pool, keys: Safe, tenant: Tenant) -> list[str]:
    """Whatever of a tenant's opens and holds the canary."""
    found = []
    async with admin.acquire() as connection:
        for table, name, _ in personal():
            place = place_of(table, name)
            if place is None:
                continue
            rows = await connection.fetch(
                f"select {place.named} as row, {place.whose}::text as whose, one.{name} as sealed from {place.source}"
                f" where one.tenant_id = $1 and one.{name} is not null".replace(
                    f"from {table.name}", f"from payhub.{table.name}"
                ).replace("join accounts", "join payhub.accounts"),
                tenant.id,
            )
            for row in rows:
                cipher = await keys.one(tenant.id, row["whose"])
                content = cipher.open_bytes(table.name, name, row["row"], row["sealed"])
                if content is not None and CANARY.encode() in content:
                    found.append(f"{table.name}.{name}")
    return found


async def test_words_for_finding_payments_stay_with_the_books(
    books: Books, pool: Pool, keys: Safe, admin: Pool
) -> None:
    """A known gap, told in the record of processing and in PRIVACY.md: nobody may change a payment."""
    await post(pool, books.payment(0, 1, 1_000)._replace(metadata='{"order": "said beside it"}'))
    person = books.people[0].person_id
    await ask_erasure(pool, keys, books.tenant.id, person, NOBODY)
    await run_retention(pool, keys, 1_000, FAR)
    assert isinstance(await keys.one(books.tenant.id, person), Erased)
    assert await admin.fetchval(
        "select count(*) from payhub.payments where tenant_id = $1 and metadata ->> 'order' = 'said beside it'",
        books.tenant.id,
    )
    column = LEDGER["payments"].personal["metadata"]
    assert column.plain is not None and "they stay after an erasure" in column.plain.en


async def test_whoever_is_erased_at_the_command_line_loses_their_rows_too(
    tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    person = await customer(pool, keys, tenant)
    await start_session(pool, tenant.id, person.person_id)
    await erase_person(pool, keys, tenant.id, person.person_id, NOBODY)
    assert (tenant.id, person.person_id) in (await run_retention(pool, keys, 1_000)).erased
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from sessions") == 0
        assert json.loads(await connection.fetchval("select kept::text from erasures")) == []

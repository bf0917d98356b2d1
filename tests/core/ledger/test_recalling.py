"""Looking back: every answer is what a patient reader of all entries would give, and no question costs much."""

import itertools
import random
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database import Pool, acquire
from core.errors import NotFound, Refusal
from core.keys.safe import Safe
from core.ledger import recalling
from core.ledger.posting import post_payments
from core.ledger.reading import read_entries_after
from core.ledger.recalling import Sales, Search, read_balance_at, read_sales, read_totals, search_entries
from core.ledger.terms import Terms, put_under_terms, set_terms
from core.nouns import Entry, Kind, SystemAccount
from core.people.opening import Tenant, create_tenant, open_people
from core.people.persons import Role
from tests.conftest import PAST_TRIGGERS, Books, the_keys

WORDS = [None, "Café", "pão de queijo", "CAFÉ com leite", "rent"]


class Past:
    """A few hundred entries on one account, and all of them as read one by one."""

    def __init__(self, books: Books, entries: list[Entry]) -> None:
        self.books = books
        self.entries = entries
        self.account = books.account(0)

    async def search(self, search: Search, limit: int) -> list[Entry]:
        found: list[Entry] = []
        before = None
        while True:
            page = await search_entries(
                self.books.pool, self.books.tenant.id, self.account, search, before, limit, the_keys()
            )
            assert len(page.entries) <= limit
            found += page.entries
            if page.next is None:
                return found
            assert before is None or page.next < before
            before = page.next


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def past(admin: Pool, pool: Pool, keys: Safe) -> Past:
    tenant = await create_tenant(admin, f"past-{uuid.uuid4().hex[:8]}", "Past", "BRL", "UTC")
    books = Books(tenant, await open_people(pool, keys, tenant.id, Role.MERCHANT, ["A", "B", "C"]), pool, keys)
    await books.fund(1_000_000)
    dice = random.Random(5)
    async with acquire(pool) as connection:
        for _ in range(40):
            batch = []
            for _ in range(dice.randint(1, 10)):
                payer, payee = dice.choice([(0, 1), (0, 2), (1, 0), (2, 0)])
                kind = dice.choice([Kind.PAY, Kind.PAY, Kind.AUTHORIZE])
                payment = books.payment(payer, payee, dice.randint(1, 50), description=dice.choice(WORDS))
                metadata = dice.choice([None, None, '{"order": "1"}', '{"order": "2", "x": "y"}'])
                batch.append(payment._replace(kind=kind, metadata=metadata))
            await post_payments(connection, batch, the_keys())
    return Past(books, await read_entries_after(pool, tenant.id, books.account(0), 0, 10_000, the_keys()))


def plain(text: str | None) -> str:
    return (text or "").lower().translate(str.maketrans("éã", "ea"))


def fits(entry: Entry, search: Search) -> bool:
    metadata = entry.metadata or ""
    return (
        (search.from_us is None or entry.judged_at_us >= search.from_us)
        and (search.to_us is None or entry.judged_at_us <= search.to_us)
        and (search.amount_min is None or abs(entry.amount) >= search.amount_min)
        and (search.amount_max is None or abs(entry.amount) <= search.amount_max)
        and (search.is_incoming is None or (entry.amount != 0 and (entry.amount > 0) == search.is_incoming))
        and (search.counterparty is None or entry.counterparty == search.counterparty)
        and (search.kinds is None or entry.kind in search.kinds)
        and (search.text is None or plain(search.text) in plain(entry.description))
        and (search.key is None or f'"{search.key}"' in metadata)
        and (search.value is None or f'"{search.key}": "{search.value}"' in metadata)
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_search_finds_what_a_reader_of_everything_finds(past: Past, data: st.DataObject) -> None:
    times = st.one_of(st.none(), st.sampled_from([entry.judged_at_us for entry in past.entries]))
    amounts = st.one_of(st.none(), st.integers(0, 60))
    key = data.draw(st.sampled_from([None, None, "order", "x", "nothing"]))
    search = Search(
        data.draw(times),
        data.draw(times),
        data.draw(amounts),
        data.draw(amounts),
        data.draw(st.sampled_from([None, None, True, False])),
        data.draw(st.sampled_from([None, None, past.books.account(1), past.books.account(2), 5])),
        data.draw(st.sampled_from([None, None, [0], [1], [5]])),
        data.draw(st.sampled_from([None, None, "cafe", "CAFÉ", "queijo", "zzz", "%"])),
        key,
        None if key is None else data.draw(st.sampled_from([None, "1", "2", "y"])),
    )
    expected = [entry for entry in reversed(past.entries) if fits(entry, search)]
    assert await past.search(search, data.draw(st.integers(1, 200))) == expected


async def test_a_balance_at_any_moment_is_the_one_after_the_last_event_until_then(past: Past) -> None:
    tenant, held = past.books.tenant.id, 0
    for entry, following in zip(past.entries, [*past.entries[1:], None], strict=True):
        held = entry.held if entry.held is not None else held
        if following is not None and following.judged_at_us == entry.judged_at_us:
            continue
        found = await read_balance_at(past.books.pool, tenant, past.account, entry.judged_at_us)
        assert found == (entry.number, entry.balance, held)
    first = past.entries[0].judged_at_us
    assert await read_balance_at(past.books.pool, tenant, past.account, first - 1) == (0, 0, 0)
    for far, number in ((-(10**18), 0), (10**18, len(past.entries))):
        assert (await read_balance_at(past.books.pool, tenant, past.account, far)).number == number


async def test_totals_are_the_sums_of_the_entries_between(past: Past) -> None:
    times = [entry.judged_at_us for entry in past.entries]
    for low, high in ((0, times[-1]), (times[10], times[40]), (times[-1] + 1, times[-1] + 2)):
        between = [entry for entry in past.entries if low <= entry.judged_at_us < high]
        found = await read_totals(past.books.pool, past.books.tenant.id, past.account, low, high)
        assert found == (
            len(between),
            sum(entry.amount for entry in between if entry.amount > 0),
            -sum(entry.amount for entry in between if entry.amount < 0),
            sum(entry.fee for entry in between),
        )


async def test_sales_are_what_people_paid_span_by_span(past: Past) -> None:
    times = [entry.judged_at_us for entry in past.entries]
    edges = [0, times[10], times[10], times[40], times[-1] + 1, times[-1] + 2]
    # Cash in, which funded the account, is no sale.
    sold = [entry for entry in past.entries if entry.amount > 0 and entry.counterparty != SystemAccount.CASH_IN]
    spans = [
        [entry.amount for entry in sold if low <= entry.judged_at_us < high] for low, high in itertools.pairwise(edges)
    ]
    number, found = await read_sales(past.books.pool, past.books.tenant.id, past.account, edges)
    assert number == past.entries[-1].number
    assert found == [Sales(len(span), sum(span), 0, 0, 0) for span in spans]
    assert sum(one.sales for one in found) == len(sold) > 10


async def test_sales_count_what_payers_paid_and_fees_what_was_kept_in_the_end(books: Books) -> None:
    pool, tenant = books.pool, books.tenant.id
    await set_terms(pool, tenant, Terms(1, "Shop", fee_ppm=100_000, returns_fee=True))
    await put_under_terms(pool, tenant, books.account(1), 1)
    paid, captured = books.payment(0, 1, 300), books.payment(0, 1, 200)._replace(kind=Kind.AUTHORIZE)
    before = int(datetime.now(UTC).timestamp() * 1_000_000)
    async with acquire(pool) as connection:
        await post_payments(connection, [paid, captured])
        capture = captured._replace(id=str(uuid.uuid4()), kind=Kind.CAPTURE, subject=captured.id, amount=150)
        refund = books.payment(1, 0, 100)._replace(kind=Kind.REFUND, subject=paid.id)
        await post_payments(connection, [capture, refund])
    _, (found,) = await read_sales(pool, tenant, books.account(1), [before - 60_000_000, before + 60_000_000])
    # Of the fee of 30 on 300, 10 went back with the 100.
    assert found == Sales(2, 450, 1, 100, 30 + 15 - 10)


async def test_another_tenants_account_is_not_there(past: Past, other_tenant: Tenant) -> None:
    pool, now = past.books.pool, int(datetime.now(UTC).timestamp() * 1_000_000)
    with pytest.raises(NotFound):
        await read_balance_at(pool, other_tenant.id, past.account, now)
    with pytest.raises(NotFound):
        await read_totals(pool, other_tenant.id, past.account, 0, now)
    with pytest.raises(NotFound):
        await read_sales(pool, other_tenant.id, past.account, [0, now])
    assert await search_entries(pool, other_tenant.id, past.account, Search(), None, 10) == ([], None)


LONG = 30_000


@pytest.fixture
async def long_past(admin: Pool, books: Books) -> AsyncIterator[Books]:
    """An account with a long history, written beside the ledger: only reading it is tested."""
    await admin.execute(
        "insert into payments (tenant_id, id, status, payer, payee, amount, payer_version, payee_version, payer_balance,"
        " payee_balance, judged_at, asked_by, metadata)"
        " select $1, gen_random_uuid(), 0, $2, $3, 1, at, at, 0, 0, now() + at * interval '1 second', gen_random_uuid(),"
        ' case when at = 77 then \'{"rare": "1"}\'::jsonb end from generate_series(2::bigint, $4) as at',
        books.tenant.id,
        SystemAccount.CASH_OUT,
        books.account(0),
        LONG,
    )
    await admin.execute(
        "update accounts set version = $3 where tenant_id = $1 and id = $2", books.tenant.id, books.account(0), LONG
    )
    yield books
    # Other tests prove the whole database's books.
    async with acquire(admin) as connection, connection.transaction():
        await connection.execute(PAST_TRIGGERS)
        await connection.execute(
            "delete from payments where tenant_id = $1 and payer = $2", books.tenant.id, int(SystemAccount.CASH_OUT)
        )
    await admin.execute(
        "update accounts set version = 1 where tenant_id = $1 and id = $2", books.tenant.id, books.account(0)
    )


async def touched(admin: Pool, query: str, *arguments: Any) -> int:
    """Index entries read and rows fetched by a statement, as PostgreSQL counts them for tables."""
    async with acquire(admin) as connection, connection.transaction():
        counts = "select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables"
        before = await connection.fetchval(counts)
        await connection.fetch(query, *arguments)
        return int(await connection.fetchval(counts)) - int(before)


async def test_no_question_about_a_long_history_touches_much_of_it(
    admin: Pool, long_past: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, account = long_past.tenant.id, long_past.account(0)
    middle = datetime.fromtimestamp(datetime.now(UTC).timestamp() + LONG / 2, UTC)
    assert await touched(admin, "select * from read_balance_at($1, $2, $3)", tenant, account, middle) < 200
    rare = "select * from search_entries($1, $2, $3, 50, $4, null, null, null, null, null, null, null, 'rare', null)"
    look = recalling.LOOK_MAX
    assert await touched(admin, rare, tenant, account, LONG + 1, look) < 100
    none = "select * from search_entries($1, $2, $3, 50, $4, null, null, 999999999, null, null, null, null, null, null)"
    assert await touched(admin, none, tenant, account, LONG + 1, look) < look + 1_000
    monkeypatch.setattr(recalling, "SUM_MAX", LONG - 10)
    with pytest.raises(Refusal) as refused:
        await read_totals(long_past.pool, tenant, account, 0, 10**17)
    assert refused.value.code == "range_too_large"
    with pytest.raises(Refusal) as refused:
        await read_sales(long_past.pool, tenant, account, [0, 10**17])
    assert refused.value.code == "range_too_large"


async def test_a_rare_match_is_found_page_by_page_and_never_taken_for_none(long_past: Books) -> None:
    pages, before, found = 0, None, []
    while True:
        page = await search_entries(
            long_past.pool, long_past.tenant.id, long_past.account(0), Search(key="rare"), before, 10
        )
        pages += 1
        found += page.entries
        if page.next is None:
            break
        before = page.next
    assert [entry.number for entry in found] == [77]
    assert pages == 1  # words have an index
    pages, before = 0, None
    while True:
        page = await search_entries(
            long_past.pool, long_past.tenant.id, long_past.account(0), Search(text="nothing"), before, 10
        )
        pages += 1
        assert page.entries == []
        if page.next is None:
            break
        before = page.next
    assert pages == -(-LONG // recalling.LOOK_MAX)


async def test_what_was_refused_is_found_by_time_and_status(books: Books) -> None:
    async with acquire(books.pool) as connection:
        for amount in (5_000, 6_000, 10**14):
            await post_payments(connection, [books.payment(0, 1, amount)])
    tenant, account = books.tenant.id, books.account(0)
    far = 10**17

    async def refused(status: int | None, before_us: int = far, before: str | None = None) -> list[tuple[int, int]]:
        rows, _ = await recalling.read_refused(books.pool, tenant, account, status, before_us, before, 2)
        return [(row.status, row.amount) for row in rows]

    assert await refused(None) == [(30, 10**14), (44, 6_000)]
    assert await refused(44) == [(44, 6_000), (44, 5_000)]
    _, following = await recalling.read_refused(books.pool, tenant, account, None, None, None, 2)
    assert following is not None
    assert await refused(None, *following) == [(44, 5_000)]
    assert (await recalling.read_refused(books.pool, tenant, account, 46, None, None, 2)) == ([], None)


async def test_a_rare_refusal_is_looked_for_page_by_page(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    async with acquire(books.pool) as connection:
        await post_payments(connection, [books.payment(0, 1, 10**14)])
        await post_payments(connection, [books.payment(0, 1, 5_000) for _ in range(25)])
    monkeypatch.setattr(recalling, "LOOK_MAX", 10)
    tenant, account = books.tenant.id, books.account(0)
    pages = 0
    found: list[recalling.Refused] = []
    cursor: tuple[int | None, str | None] = (None, None)
    while True:
        rows, following = await recalling.read_refused(books.pool, tenant, account, 30, *cursor, 5)
        pages, found = pages + 1, found + rows
        if following is None:
            break
        cursor = following
    assert (pages, [row.amount for row in found]) == (3, [10**14])

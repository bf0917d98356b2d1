"""Looks back: balances at a past moment, entries that fit a search, sums, what was refused, words about accounts.

Every read is bounded, whatever is asked and however long an account's history is. It never writes the books.
"""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from core.database import Pool, acquire, in_tenant
from core.errors import NotFound, Refusal
from core.keys.safe import Safe
from core.ledger.reading import to_entries
from core.ledger.words import Words, open_words
from core.nouns import BALANCE_MAX, Entry

# Entries looked at for one page: some 40 ms of work, whether one of them fits or none.
LOOK_MAX = 5_000
# Entries summed up at once: some 60 ms.
SUM_MAX = 100_000
# For a text: entries opened at a time, and how often for one page.
TEXT_PAGE = 500
TEXT_PAGES_MAX = LOOK_MAX // TEXT_PAGE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SEARCH = """
select account_id, number, payment_id::text, amount, counterparty, balance, judged_at_us, description,
       kind, subject::text, charge::text, hold, held, fee, metadata::text, description_sealed, asked_by::text,
       looked_to
  from search_entries($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
FIND_NUMBERS = """
select find_number_at($1, $2, edge.at)
  from unnest($3::timestamptz[]) with ordinality as edge (at, place)
 order by edge.place
"""
READ_SALES = "select span, sales, amount, returns, returned, fees from sum_sales($1, $2, $3::bigint[])"
READ_REFUSALS = """
select id::text, status, kind, payee, amount, judged_at_us, description, subject::text, rule, description_sealed,
       asked_by::text
  from read_refusals($1, $2, $3, $4, $5, $6, $7)
"""
FORGET_METADATA = "delete from account_metadata where tenant_id = $1 and account_id = $2"
SET_METADATA = """
insert into account_metadata (tenant_id, account_id, key, value)
select $1, $2, word.key, word.value from jsonb_each_text($3::jsonb) as word
"""
READ_METADATA = "select key, value from account_metadata where tenant_id = $1 and account_id = $2 order by key"
FIND_ACCOUNTS = """
select found.account_id, jsonb_object_agg(words.key, words.value)::text
  from (
      select account_id
        from account_metadata
       where tenant_id = $1 and key = $2 and value = $3 and account_id > $4
       order by account_id
       limit $5
  ) as found
  join account_metadata as words on words.tenant_id = $1 and words.account_id = found.account_id
 group by found.account_id
 order by found.account_id
"""


class BalanceAt(NamedTuple):
    """What an account had after its event `number`."""

    number: int
    balance: int
    held: int


class Search(NamedTuple):
    """What is looked for; None: it does not matter. Amounts without their sign; times in microseconds, inclusive."""

    from_us: int | None = None
    to_us: int | None = None
    amount_min: int | None = None
    amount_max: int | None = None
    is_incoming: bool | None = None
    counterparty: int | None = None
    kinds: list[int] | None = None
    text: str | None = None
    key: str | None = None
    value: str | None = None


class Found(NamedTuple):
    """Entries that fit, newest first. `next`: the number below which the next page goes on; None: that was all."""

    entries: list[Entry]
    next: int | None


class Totals(NamedTuple):
    """How many entries, and their sums in minor units."""

    entries: int
    sum_in: int
    sum_out: int
    fees: int


class Sales(NamedTuple):
    """What was sold, and given back of it, in minor units; `fees`: what was kept, less what was returned of it."""

    sales: int
    amount: int
    returns: int
    returned: int
    fees: int


class Refused(NamedTuple):
    """A payment that was not made."""

    id: str
    status: int
    kind: int
    payee: int
    amount: int
    judged_at_us: int
    description: str | None
    subject: str | None
    rule: int | None


class Step(NamedTuple):
    """One step taken in a payment's life."""

    id: str
    kind: int
    amount: int
    fee: int
    judged_at_us: int


NO_SALES = Sales(0, 0, 0, 0, 0)


async def read_balance_at(pool: Pool, tenant_id: int, account_id: int, at_us: int) -> BalanceAt:
    """The balance at a moment of ledger time. Raises NotFound."""
    async with acquire(pool) as connection:
        row = await connection.fetchrow(
            "select number, balance, held from read_balance_at($1, $2, $3)", tenant_id, account_id, _moment(at_us)
        )
    if row is None:
        raise NotFound
    return BalanceAt(*row)


async def search_entries(
    pool: Pool,
    tenant_id: int,
    account_id: int,
    search: Search,
    before: int | None,
    limit: int,
    keys: Safe | None = None,
) -> Found:
    """A page of the entries that fit. Words are sealed: for a text they are opened here, some hundreds at a time."""
    if search.text is None:
        return await _search(pool, keys, tenant_id, account_id, search, before, limit)
    wanted = fold(search.text)
    found: list[Entry] = []
    for _ in range(TEXT_PAGES_MAX):
        page = await _search(pool, keys, tenant_id, account_id, search, before, TEXT_PAGE)
        found += [one for one in page.entries if one.description is not None and wanted in fold(one.description)]
        before = page.next
        if len(found) >= limit:
            last = found[limit - 1].number
            return Found(found[:limit], last if last > 1 else None)
        if page.next is None or len(page.entries) < TEXT_PAGE:
            break
    return Found(found, before)


def fold(text: str) -> str:
    """Text as people look for it: without capitals and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one))


async def _search(
    pool: Pool,
    keys: Safe | None,
    tenant_id: int,
    account_id: int,
    search: Search,
    before: int | None,
    limit: int,
) -> Found:
    async with acquire(pool) as connection:
        rows = await connection.fetch(
            SEARCH,
            tenant_id,
            account_id,
            BALANCE_MAX if before is None else before,
            limit,
            LOOK_MAX,
            None if search.from_us is None else _moment(search.from_us),
            None if search.to_us is None else _moment(search.to_us),
            search.amount_min,
            search.amount_max,
            search.is_incoming,
            search.counterparty,
            search.kinds,
            search.key,
            search.value,
        )
    entries = await to_entries(keys, tenant_id, [row for row in rows if row["number"] is not None])
    if rows and rows[-1]["number"] is None:
        return Found(entries, rows[-1]["looked_to"])
    last = entries[-1].number if entries else 1
    return Found(entries, last if last > 1 else None)


async def read_totals(pool: Pool, tenant_id: int, account_id: int, from_us: int, to_us: int) -> Totals:
    """Sums of what an account did from one moment up to, and without, another. Raises NotFound, Refusal.

    So spans that touch each other count nothing twice.
    """
    async with acquire(pool) as connection:
        find = "select find_number_at($1, $2, $3)"
        after = await connection.fetchval(find, tenant_id, account_id, _moment(from_us - 1))
        to = await connection.fetchval(find, tenant_id, account_id, _moment(to_us - 1))
        if after is None or to is None:
            raise NotFound
        if to - after > SUM_MAX:
            raise Refusal("range_too_large", field="from")
        row = await connection.fetchrow(
            "select count, sum_in, sum_out, fees from sum_entries($1, $2, $3, $4)", tenant_id, account_id, after, to
        )
    assert row is not None
    return Totals(*row)


async def read_sales(pool: Pool, tenant_id: int, account_id: int, edges_us: list[int]) -> tuple[int, list[Sales]]:
    """What an account sold from each moment up to, and without, the next; and the last event's number among them.

    Raises NotFound, Refusal.
    """
    async with acquire(pool) as connection:
        numbers = [
            row[0]
            for row in await connection.fetch(FIND_NUMBERS, tenant_id, account_id, [_moment(us - 1) for us in edges_us])
        ]
        if None in numbers:
            raise NotFound
        if numbers[-1] - numbers[0] > SUM_MAX:
            raise Refusal("range_too_large", field="edges")
        rows = await connection.fetch(READ_SALES, tenant_id, account_id, numbers)
    found = {row[0]: Sales(*row[1:]) for row in rows}
    return numbers[-1], [found.get(span, NO_SALES) for span in range(1, len(edges_us))]


async def read_refused(
    pool: Pool,
    tenant_id: int,
    payer: int,
    status: int | None,
    before_us: int | None,
    before: str | None,
    limit: int,
    keys: Safe | None = None,
) -> tuple[list[Refused], tuple[int, str] | None]:
    """Payments out of an account that were refused, newest first, before a moment and payment.

    With the moment and payment that the next page goes on before; None: that was all.
    """
    async with acquire(pool) as connection:
        rows = await connection.fetch(
            READ_REFUSALS,
            tenant_id,
            payer,
            None if before_us is None else _moment(before_us),
            before,
            status,
            limit,
            LOOK_MAX,
        )
    refused = [row for row in rows if row["status"] is not None]
    texts = await open_words(
        keys,
        tenant_id,
        (Words(row["id"], row["asked_by"], row["description_sealed"], row["description"]) for row in refused),
    )
    found = [Refused(*row[:9])._replace(description=text) for row, text in zip(refused, texts, strict=True)]
    has_more = bool(rows) and (len(found) == limit or rows[-1]["status"] is None)
    return found, (rows[-1]["judged_at_us"], rows[-1]["id"]) if has_more else None


async def read_steps(
    pool: Pool, tenant_id: int, payment_id: str, after_us: int | None, after: str | None, limit: int
) -> list[Step]:
    """The steps taken in a payment's life, oldest first, after a moment and step."""
    async with acquire(pool) as connection:
        rows = await connection.fetch(
            "select id::text, kind, amount, fee, judged_at_us from read_steps($1, $2, $3, $4, $5)",
            tenant_id,
            payment_id,
            None if after_us is None else _moment(after_us),
            after,
            limit,
        )
    return [Step(*row) for row in rows]


async def set_account_metadata(pool: Pool, tenant_id: int, account_id: int, metadata: str) -> None:
    """Write an account's words, a JSON object of text by key, in place of all that were there."""
    async with in_tenant(pool, tenant_id) as connection:
        # One writer at a time: the last one's words stand alone.
        await connection.execute("select pg_advisory_xact_lock($1, hashint8($2))", tenant_id, account_id)
        await connection.execute(FORGET_METADATA, tenant_id, account_id)
        await connection.execute(SET_METADATA, tenant_id, account_id, metadata)


async def read_account_metadata(pool: Pool, tenant_id: int, account_id: int) -> dict[str, str]:
    """An account's words."""
    async with in_tenant(pool, tenant_id) as connection:
        return {row[0]: row[1] for row in await connection.fetch(READ_METADATA, tenant_id, account_id)}


async def find_accounts(
    pool: Pool, tenant_id: int, key: str, value: str, after: int, limit: int
) -> list[tuple[int, str]]:
    """The accounts with this word, by number: (account, all its words as JSON) each."""
    async with in_tenant(pool, tenant_id) as connection:
        rows = await connection.fetch(FIND_ACCOUNTS, tenant_id, key, value, after, limit)
    return [tuple(row) for row in rows]


def _moment(us: int) -> datetime:
    # The calendar's own ends: what lies beyond them lies beyond every payment, too.
    first, last = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
    if us <= (first - EPOCH) / timedelta(microseconds=1):
        return first
    if us >= (last - EPOCH) / timedelta(microseconds=1):
        return last
    return EPOCH + timedelta(microseconds=us)

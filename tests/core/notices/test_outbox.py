"""The outbox: what was not heard in time becomes a notice, once, and goes away when it is heard after all."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest_asyncio

from core.database import Pool, in_tenant
from core.ledger.posting import post_payments
from core.ledger.reading import acknowledge
from core.notices.outbox import forget_heard, note_unheard, read_outbox_state
from core.people.opening import Tenant
from core.proof.notary import Signer
from tests.conftest import Books, seal_all
from tests.core.notices.reaching import give_phone

AT_ONCE = timedelta(0)
LATER = timedelta(hours=1)


async def notices(books: Books) -> list[tuple[int, int]]:
    async with in_tenant(books.pool, books.tenant.id) as connection:
        rows = await connection.fetch("select account_id, number from notices order by 1, 2")
    return [(row[0], row[1]) for row in rows]


@pytest_asyncio.fixture
async def books(books: Books) -> Books:
    """Four people who can be reached, with 1,000 each."""
    for at in range(len(books.people)):
        await give_phone(books, at)
    return books


async def drain(pool: Pool, signer: Signer) -> None:
    await seal_all(pool, signer)
    while (await note_unheard(pool, AT_ONCE, 50)).batches:
        pass


async def acknowledge_all(books: Books, number: int) -> None:
    await acknowledge(
        books.pool, [(books.tenant.id, person.account_id, person.person_id, number) for person in books.people]
    )


async def test_money_that_nobody_acknowledged_becomes_one_notice_for_each_side(
    books: Books, pool: Pool, signer: Signer
) -> None:
    await acknowledge_all(books, 1)
    async with pool.acquire() as connection:
        await post_payments(connection, [books.payment(0, 1, 5), books.payment(0, 2, 5)])
    await acknowledge(pool, [(books.tenant.id, books.account(2), books.people[2].person_id, 2)])

    await drain(pool, signer)
    await drain(pool, signer)

    payer, payee = books.account(0), books.account(1)
    assert await notices(books) == sorted([(payer, 2), (payer, 3), (payee, 2)])


async def test_whoever_has_neither_phone_nor_mailbox_is_left_no_notice(
    open_books: Callable[..., Awaitable[Books]], other_tenant: Tenant, pool: Pool, signer: Signer
) -> None:
    books = await open_books(other_tenant, 2, 1_000)
    async with pool.acquire() as connection:
        await post_payments(connection, [books.payment(0, 1, 5)])
    await drain(pool, signer)
    assert await notices(books) == []


async def test_a_batch_is_left_alone_until_patience_ends(books: Books, pool: Pool, signer: Signer) -> None:
    await drain(pool, signer)
    async with pool.acquire() as connection:
        await post_payments(connection, [books.payment(0, 1, 5)])

    assert (await note_unheard(pool, LATER, 50)).batches == 0
    assert (await read_outbox_state(pool)).batches >= 1


async def test_a_late_acknowledgement_takes_the_notice_back(books: Books, pool: Pool, signer: Signer) -> None:
    await drain(pool, signer)
    assert len(await notices(books)) == 4

    await acknowledge_all(books, 1)
    while await forget_heard(pool, 100):
        pass

    assert await notices(books) == []


async def test_a_lower_acknowledgement_changes_nothing(books: Books, pool: Pool) -> None:
    await acknowledge_all(books, 7)
    await acknowledge_all(books, 3)
    async with in_tenant(pool, books.tenant.id) as connection:
        assert await connection.fetchval("select min(number) from acknowledgements") == 7


async def test_workers_side_by_side_note_everything_once(books: Books, pool: Pool, signer: Signer) -> None:
    await acknowledge_all(books, 1)
    await drain(pool, signer)
    async with pool.acquire() as connection:
        for _ in range(30):
            await post_payments(connection, [books.payment(0, 1, 1), books.payment(2, 3, 1)])

    await seal_all(pool, signer)
    found = await asyncio.gather(*(note_unheard(pool, AT_ONCE, 7) for _ in range(12)))
    await drain(pool, signer)

    assert sum(each.batches for each in found) <= 30
    assert len(await notices(books)) == 120


async def test_a_batch_under_way_hides_those_that_commit_after_it(
    books: Books, pool: Pool, signer: Signer, admin: Pool
) -> None:
    """An earlier transaction that is still open may yet commit: what is later waits for it, so that order is kept."""
    await drain(pool, signer)
    async with admin.acquire() as connection:
        early = connection.transaction()
        await early.start()
        await connection.fetchval("select pg_current_xact_id()")
        async with pool.acquire() as other:
            await post_payments(other, [books.payment(0, 1, 1)])
        await seal_all(pool, signer)
        assert (await note_unheard(pool, AT_ONCE, 50)).batches == 0
        await early.rollback()
    assert (await note_unheard(pool, AT_ONCE, 50)).batches >= 1


async def test_a_batch_that_the_log_does_not_have_yet_waits_for_it(books: Books, pool: Pool, signer: Signer) -> None:
    await drain(pool, signer)
    async with pool.acquire() as connection:
        await post_payments(connection, [books.payment(0, 1, 5)])
    assert (await note_unheard(pool, AT_ONCE, 50)).batches == 0
    await seal_all(pool, signer)
    assert (await note_unheard(pool, AT_ONCE, 50)).batches >= 1

"""What people write beside a payment: sealed in the books, the same when it is asked again, gone with its author."""

import uuid

from core.audit.trail import NOBODY
from core.database import Pool, acquire
from core.keys.erasing import erase
from core.keys.rotating import rotate_persons
from core.ledger.posting import Poster, post_payments
from core.ledger.reading import read_entries_before
from core.ledger.recalling import Search, search_entries
from core.nouns import Payment, PaymentStatus, Posting
from tests.conftest import Books, Database, answers, texts_of

POSTED, DIFFERENT = PaymentStatus.POSTED, PaymentStatus.EXISTS_WITH_DIFFERENT_DESCRIPTION
CANARY = "Canário da Ana, 31 anos"


async def post(books: Books, *batch: Payment) -> list[Posting]:
    async with acquire(books.pool) as connection:
        return answers(await post_payments(connection, batch, books.keys))


async def test_words_are_sealed_in_the_books_and_read_by_both_sides(books: Books, admin: Pool) -> None:
    payment = books.payment(0, 1, 5, description=CANARY)
    await post(books, payment, books.payment(0, 1, 5))
    row = await admin.fetchval("select payments::text from payhub.payments where id = $1", payment.id)
    assert CANARY not in row
    assert CANARY.encode().hex() not in row
    for at in (0, 1):
        entries = await read_entries_before(books.pool, books.tenant.id, books.account(at), 2**53, 2, books.keys)
        assert [entry.description for entry in entries] == [None, CANARY]
        # Without keys, without words.
        (_, blind) = await read_entries_before(books.pool, books.tenant.id, books.account(at), 2**53, 2)
        assert blind.description is None
    found = await search_entries(
        books.pool, books.tenant.id, books.account(1), Search(text="CANARIO da ana"), None, 5, books.keys
    )
    assert [entry.payment for entry in found.entries] == [payment.id]


async def test_the_same_words_again_are_the_same_and_others_are_not(books: Books) -> None:
    payment = books.payment(0, 1, 5, description=CANARY)
    (first,) = await post(books, payment)
    assert await post(books, payment) == [first]
    for other in ("Canário da Ana, 32 anos", None):
        (again,) = await post(books, payment._replace(description=other))
        assert again.status == DIFFERENT
    # In one batch as well.
    twice = books.payment(0, 1, 5, description="x")
    statuses = [one.status for one in await post(books, twice, twice, twice._replace(description="y"))]
    assert statuses == [POSTED, POSTED, DIFFERENT]


async def test_asking_again_after_a_new_key_or_by_somebody_else_of_the_house_gives_the_first_answer(
    books: Books, admin: Pool, database: Database
) -> None:
    payment = books.payment(0, 1, 5, description=CANARY)
    (first,) = await post(books, payment)
    author = payment.asked_by
    await rotate_persons(books.keys, admin, books.tenant.id, [author], settle_s=0)
    assert (await books.keys.one(books.tenant.id, author)).version == 2
    assert await post(books, payment) == [first]
    assert await post(books, payment._replace(asked_by=books.people[2].person_id)) == [first]
    (other,) = await post(books, payment._replace(description="else"))
    assert other.status == DIFFERENT
    # What the old key sealed is still read: nobody may change a payment's row.
    assert await texts_of(books.pool, books.tenant.id, [payment.id]) == [CANARY]
    poster = Poster(database.app_url, books.keys)
    try:
        assert answers(await poster.post([payment])) == [first]
        fresh = payment._replace(id=str(uuid.uuid4()))
        assert [one.status for one in await poster.post([fresh])] == [POSTED]
    finally:
        poster.close()


async def test_whoever_is_erased_leaves_payments_without_words(books: Books) -> None:
    mine, theirs = books.payment(0, 1, 5, description=CANARY), books.payment(1, 0, 5, description="Thanks")
    await post(books, mine, theirs)
    await erase(books.pool, books.keys, books.tenant.id, mine.asked_by, NOBODY)
    assert await texts_of(books.pool, books.tenant.id, [mine.id, theirs.id]) == [None, "Thanks"]
    entries = await read_entries_before(books.pool, books.tenant.id, books.account(1), 2**53, 2, books.keys)
    assert [(entry.amount, entry.description) for entry in entries] == [(-5, "Thanks"), (5, None)]
    # What they had ordered before is still paid, without words.
    (late,) = await post(books, mine._replace(id=str(uuid.uuid4())))
    assert late.status == POSTED

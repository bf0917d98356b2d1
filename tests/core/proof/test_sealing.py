"""The log grows by what was committed, each batch once, whoever seals it and whatever is under way."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from core.audit.trail import Act, By, note
from core.database import Pool, acquire, in_tenant, transaction
from core.ledger.posting import post_payments
from core.ledger.terms import Terms, put_under_terms, set_terms
from core.nouns import Kind, Payment, PaymentStatus, Posting, SystemAccount
from core.people.opening import Tenant
from core.proof import heads
from core.proof.heads import Head
from core.proof.leaves import LeafKind, batch_leaf, facts_of
from core.proof.notary import Notary, Signer
from core.proof.receipts import check_receipt, read_receipt
from core.proof.records import read_batch_leaves, read_entry_leaves
from core.proof.sealing import read_edge, seal_log, seal_logs
from core.proof.tree import root_of
from tests.conftest import PAST_TRIGGERS, Books, Database, seal_all

AT_ONCE = timedelta(0)
LEAVES = "select number, kind, ids::text[], root from log_leaves where tenant_id = $1 order by number"
HEADS = "select tenant_id, size, root, sealed_at, kid, signature from log_heads where tenant_id = $1 order by size"


async def proved(pool: Pool, tenant: Tenant, signer: Signer) -> int:
    """The tenant's whole log, computed anew from its tables, is what the latest head signs; its size."""
    async with in_tenant(pool, tenant.id) as connection:
        leaves = await connection.fetch(LEAVES, tenant.id)
        assert [row["number"] for row in leaves] == list(range(len(leaves)))
        hashes = []
        for _, kind, ids, root in leaves:
            read = read_batch_leaves if kind == LeafKind.PAYMENTS else read_entry_leaves
            assert root_of(await read(connection, tenant.id, ids)) == root
            hashes.append(batch_leaf(kind, len(ids), root))
        edge = await read_edge(connection, tenant.id)
        signed = [Head(*row) for row in await connection.fetch(HEADS, tenant.id)]
    keys = {key.kid: key.private_key.public_key() for key in signer.keys}
    assert all(heads.is_signed(head, keys) for head in signed)  # type: ignore[arg-type]
    for head in signed:
        assert root_of(hashes[: head.size]) == head.root
    assert (edge.size, edge.root) == (len(hashes), root_of(hashes))
    return len(hashes)


async def ids_in(pool: Pool, tenant: Tenant, kind: LeafKind = LeafKind.PAYMENTS) -> list[str]:
    async with in_tenant(pool, tenant.id) as connection:
        return [id_ for row in await connection.fetch(LEAVES, tenant.id) if row["kind"] == kind for id_ in row["ids"]]


def notary(books: Books, signer: Signer) -> Notary:
    async def post(batch: object) -> list[Posting]:
        async with acquire(books.pool) as connection:
            return await post_payments(connection, batch)  # type: ignore[arg-type]

    return Notary(post, books.pool, signer, time.time)


async def test_whole_lives_with_fees_shares_and_an_audit_trail_are_in_the_log(books: Books, signer: Signer) -> None:
    pool, tenant = books.pool, books.tenant
    await set_terms(pool, tenant.id, Terms(1, "Shop", fee_ppm=20_000, returns_fee=True))
    await put_under_terms(pool, tenant.id, books.account(1), 1)
    desk = notary(books, signer)
    paid = books.payment(0, 1, 300)._replace(shares=((books.account(3), 50), (books.account(2), 20)))
    hold = books.payment(0, 1, 100)._replace(kind=Kind.AUTHORIZE)
    refused = books.payment(0, 1, 10**6)
    asked = [paid, hold, refused]
    answers = await desk(asked)
    later = [
        hold._replace(id=str(uuid.uuid4()), kind=Kind.CAPTURE, amount=40, subject=hold.id),
        Payment(
            tenant.id, str(uuid.uuid4()), paid.payee, paid.payer, 10, paid.asked_by, kind=Kind.REFUND, subject=paid.id
        ),
    ]
    asked += later
    answers += await desk(later)
    keys = {key.kid: key.private_key.public_key() for key in signer.keys}
    for payment, answer in zip(asked, answers, strict=True):
        if payment is not refused:
            assert answer.receipt is not None, answer
            check_receipt(tenant.id, facts_of(payment, answer), read_receipt(answer.receipt), keys)  # type: ignore[arg-type]
    await desk.tell_roots()
    async with in_tenant(pool, tenant.id) as connection:
        await note(
            connection,
            tenant.id,
            By(str(uuid.uuid4()), None, "192.0.2.0/24"),
            Act.SESSION_STARTED,
            "é",
            "😀",
            {"b": 1, "a": None},
        )
    await seal_all(pool, signer)
    await proved(pool, tenant, signer)
    found = await ids_in(pool, tenant)
    assert {one.id for one in asked} - {*found} == {refused.id}
    assert len(found) == len(set(found)) == 4 + len(books.people)
    # Two changed settings and the entry.
    assert len(await ids_in(pool, tenant, LeafKind.AUDIT)) == 3


async def test_many_at_once_seal_everything_once_and_a_rolled_back_batch_never(books: Books, signer: Signer) -> None:
    pool, tenant = books.pool, books.tenant
    posted: list[str] = []
    stop = asyncio.Event()

    async def pay(at: int) -> None:
        for number in range(40):
            payment = books.payment(at, (at + 1) % 4, 1)
            async with acquire(pool) as connection:
                if number % 10 == 9:
                    async with transaction(connection, is_rehearsal=True):
                        await post_payments(connection, [payment])
                    continue
                await post_payments(connection, [payment])
            posted.append(payment.id)

    async def seal() -> None:
        while not stop.is_set():
            await seal_log(pool, tenant.id, signer, time.time, AT_ONCE)
            await asyncio.sleep(0)

    sealing = [asyncio.create_task(seal()) for _ in range(4)]
    await asyncio.gather(*(pay(at) for at in range(4)))
    stop.set()
    await asyncio.gather(*sealing)
    await seal_all(pool, signer)
    found = await ids_in(pool, tenant)
    assert len(found) == len(set(found))
    assert {*posted} == {*found} - {one for one in found if one not in posted}
    assert len(found) == len(posted) + len(books.people)
    assert await proved(pool, tenant, signer) > 10


async def test_a_batch_that_commits_late_comes_late_and_is_there(books: Books, signer: Signer) -> None:
    pool, tenant = books.pool, books.tenant
    late, quick = books.payment(0, 1, 1), books.payment(2, 3, 1)
    async with acquire(pool) as connection:
        async with transaction(connection):
            await post_payments(connection, [late])
            async with acquire(pool) as other:
                await post_payments(other, [quick])
            await seal_all(pool, signer)
            assert (quick.id in await ids_in(pool, tenant), late.id in await ids_in(pool, tenant)) == (True, False)
        await seal_all(pool, signer)
    assert (await ids_in(pool, tenant))[-1] == late.id
    await proved(pool, tenant, signer)


async def test_a_root_that_was_told_is_taken_as_it_is_and_one_that_was_not_is_found(
    books: Books, signer: Signer
) -> None:
    pool, tenant = books.pool, books.tenant
    desk = notary(books, signer)
    await seal_all(pool, signer)
    await desk([books.payment(0, 1, 1) for _ in range(5)])
    # Not told, and not old enough: it waits.
    assert await seal_log(pool, tenant.id, signer, time.time, timedelta(hours=1)) == 0
    await desk.tell_roots()
    assert await seal_log(pool, tenant.id, signer, time.time, timedelta(hours=1)) == 1
    await desk([books.payment(0, 1, 1) for _ in range(5)])
    assert await seal_log(pool, tenant.id, signer, time.time, AT_ONCE) == 1
    # Told when it is there already: nothing is changed by it.
    await desk.tell_roots()
    await seal_all(pool, signer)
    await proved(pool, tenant, signer)


async def test_a_batch_whose_root_is_awaited_is_not_overtaken_by_a_later_one(books: Books, signer: Signer) -> None:
    pool, tenant = books.pool, books.tenant
    patient = timedelta(hours=1)
    await seal_all(pool, signer)
    slow, quick = notary(books, signer), notary(books, signer)
    first, second, third = (books.payment(0, 1, amount) for amount in (1, 2, 3))
    await slow([first])
    await quick([second])
    await quick.tell_roots()
    # Both are on the same accounts, and of the second the root is known.
    assert await seal_log(pool, tenant.id, signer, time.time, patient) == 0
    await slow.tell_roots()
    await slow([third])
    assert await seal_log(pool, tenant.id, signer, time.time, patient) == 2
    await slow.tell_roots()
    assert await seal_log(pool, tenant.id, signer, time.time, patient) == 1
    assert (await ids_in(pool, tenant))[-3:] == [first.id, second.id, third.id]
    await proved(pool, tenant, signer)


async def test_an_accounts_numbers_are_in_the_log_in_their_order_whoever_is_late(books: Books, signer: Signer) -> None:
    """Batches that commit in another order than they began, roots that are told late or never, and a log that grows
    all the while."""
    pool, tenant, dice = books.pool, books.tenant, random.Random(3)
    # The fees account is locked last, and by every batch.
    await set_terms(pool, tenant.id, Terms(1, "Shop", fee_fixed=1))
    await put_under_terms(pool, tenant.id, books.account(1), 1)
    stop = asyncio.Event()

    async def pay() -> None:
        desk = notary(books, signer)
        for _ in range(25):
            # In two: whoever holds the accounts of the first waits before it commits.
            pairs = [dice.sample(range(4), 2) for _ in range(dice.randrange(1, 4))]
            batch = [books.payment(payer, payee, 2) for payer, payee in pairs]
            if dice.random() < 0.5:
                await desk(batch)
                if dice.random() < 0.7:
                    await desk.tell_roots()
                continue
            async with acquire(pool) as connection, transaction(connection):
                await post_payments(connection, batch)
                await asyncio.sleep(dice.random() * 0.01)

    async def seal() -> None:
        while not stop.is_set():
            await seal_log(pool, tenant.id, signer, time.time, timedelta(milliseconds=dice.randrange(1, 30)))
            await asyncio.sleep(0)

    sealing = [asyncio.create_task(seal()) for _ in range(2)]
    await asyncio.gather(*(pay() for _ in range(5)))
    stop.set()
    await asyncio.gather(*sealing)
    await seal_all(pool, signer)
    last: dict[int, int] = {}
    async with in_tenant(pool, tenant.id) as connection:
        for _, kind, ids, _ in await connection.fetch(LEAVES, tenant.id):
            for id_ in ids if kind == LeafKind.PAYMENTS else ():
                (row,) = await connection.fetch(
                    "select payer, payer_version, payee, payee_version, 3, fee_version"
                    " from payments where tenant_id = $1 and id = $2",
                    tenant.id,
                    id_,
                )
                for account, number in (row[0:2], row[2:4], row[4:]):
                    if number is None:
                        continue
                    assert number == last.get(account, 0) + 1
                    last[account] = number
    assert sum(last.values()) > 300
    assert last[SystemAccount.FEES] > 30
    await proved(pool, tenant, signer)


async def test_a_changed_payment_no_longer_gives_the_root_that_was_sealed(
    books: Books, signer: Signer, admin: Pool
) -> None:
    payment = books.payment(0, 1, 7)
    async with acquire(books.pool) as connection:
        await post_payments(connection, [payment])
    await seal_all(books.pool, signer)
    await proved(books.pool, books.tenant, signer)
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        await connection.execute("update payhub.payments set amount = 8 where id = $1", payment.id)
    with pytest.raises(AssertionError):
        await proved(books.pool, books.tenant, signer)
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        await connection.execute("update payhub.payments set amount = 7 where id = $1", payment.id)


async def test_what_goes_wrong_after_the_commit_costs_the_receipt_and_not_the_payment(
    books: Books, database: Database, signer: Signer
) -> None:
    desk = notary(books, Signer([]))
    payment = books.payment(0, 1, 7)
    (answer,) = await desk([payment])
    assert (answer.status, answer.receipt) == (0, None)
    await seal_all(books.pool, signer)
    assert payment.id in await ids_in(books.pool, books.tenant)


async def test_an_idle_log_grows_no_head(books: Books, signer: Signer) -> None:
    await seal_all(books.pool, signer)
    size = await proved(books.pool, books.tenant, signer)
    assert await seal_logs(books.pool, signer, time.time, AT_ONCE) == 0
    assert await proved(books.pool, books.tenant, signer) == size


async def test_a_log_whose_heads_somebody_took_away_does_not_stop_the_others(
    books: Books, other_tenant: Tenant, open_books: Callable[..., Awaitable[Books]], signer: Signer, admin: Pool
) -> None:
    others = await open_books(other_tenant, people=2, funds=100)
    await seal_all(books.pool, signer)
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        await connection.execute("delete from payhub.log_heads where tenant_id = $1", books.tenant.id)
    for one in (books, others):
        async with acquire(books.pool) as connection:
            await post_payments(connection, [one.payment(0, 1, 1)])
    before = await proved(books.pool, other_tenant, signer)
    await seal_logs(books.pool, signer, time.time, AT_ONCE)
    assert await proved(books.pool, other_tenant, signer) == before + 1
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        for table in ("log_nodes", "log_leaves"):
            await connection.execute(f"delete from payhub.{table} where tenant_id = $1", books.tenant.id)


async def test_what_cannot_be_blinded_is_posted_without_a_receipt_and_its_words_reach_no_log(
    books: Books, signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    async def post(batch: object) -> list[Posting]:
        await asyncio.sleep(0.01)
        return [posting]

    posting = Posting(PaymentStatus.POSTED, 0, 1, 0, 1, 1_700_000_000_000_000, batch=1)
    payment = books.payment(0, 1, 5)._replace(asked_by="nobody", description="for the rent")
    assert await Notary(post, books.pool, signer, time.time)([payment]) == [posting]
    desk = Notary(post, books.pool, signer, time.time)
    assert (await desk([books.payment(0, 1, 5)]))[0].receipt is not None
    assert await desk([payment]) == [posting]
    assert caplog.messages == ["receipts_failed", "receipts_failed"]
    assert "rent" not in caplog.text

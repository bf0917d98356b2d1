"""How somebody stands, and what their money may do from the same moment on."""

import asyncio
import itertools
import uuid
from collections.abc import Callable

import pytest

from core.audit.trail import NOBODY, Act, By
from core.database import Pool, in_tenant
from core.errors import NotFound, Refusal
from core.ledger.posting import post_payments
from core.ledger.reading import read_account
from core.nouns import AccountStatus, PaymentStatus
from core.people.opening import Tenant, open_account, open_person
from core.people.persons import PersonStatus, Role
from core.people.sessions import find_revoked, start_session
from core.people.settings import DEFAULT, set_settings
from core.people.standing import REASONS, Reason, Standing, find_restood, read_standings, set_status
from tests.conftest import Books
from tests.core.people.crowd import Town
from tests.core.people.standings import stand

S = PersonStatus
ACCOUNTS = {
    S.ACTIVE: AccountStatus.OPEN,
    S.PENDING: AccountStatus.RECEIVING,
    S.BLOCKED: AccountStatus.BLOCKED,
    S.CLOSED: AccountStatus.CLOSED,
}


async def pay(pool: Pool, books: Books, payer: int, payee: int) -> int:
    async with pool.acquire() as connection:
        (posting,) = await post_payments(connection, [books.payment(payer, payee, 10)])
    return posting.status


@pytest.mark.parametrize(
    ("status", "pays", "is_paid"), [(S.ACTIVE, True, True), (S.PENDING, False, True), (S.BLOCKED, False, False)]
)
async def test_money_obeys_in_the_same_commit(
    books: Books, pool: Pool, status: PersonStatus, pays: bool, is_paid: bool
) -> None:
    person = books.people[0].person_id
    if status is S.ACTIVE:
        await stand(pool, books.tenant.id, person, S.BLOCKED)
    await stand(pool, books.tenant.id, person, status)
    assert await pay(pool, books, 0, 1) == (PaymentStatus.POSTED if pays else PaymentStatus.PAYER_NOT_OPEN)
    assert await pay(pool, books, 1, 0) == (PaymentStatus.POSTED if is_paid else PaymentStatus.PAYEE_NOT_OPEN)
    standing = await read_standings(pool, [(books.tenant.id, person)])
    assert standing == {(books.tenant.id, person): Standing(status, is_paid, pays)}


async def test_every_account_of_a_person_follows_and_so_does_one_opened_later(books: Books, pool: Pool) -> None:
    tenant_id, one = books.tenant.id, books.people[0]
    second = await open_account(pool, tenant_id, one.person_id)
    for status in (S.BLOCKED, S.PENDING, S.ACTIVE):
        await stand(pool, tenant_id, one.person_id, status)
        later = await open_account(pool, tenant_id, one.person_id)
        for account in (one.account_id, second, later):
            found = await read_account(pool, tenant_id, account)
            assert found is not None
            assert found.status == ACCOUNTS[status]
    # Nobody else's.
    other = await read_account(pool, tenant_id, books.account(1))
    assert other is not None
    assert other.status == AccountStatus.OPEN


async def test_who_has_done_it_when_and_why_is_written_down(town: Town) -> None:
    ana = (await town.register()).person_id
    operator = By(str(uuid.uuid4()), str(uuid.uuid4()), "198.51.100.0/24")
    done = await set_status(town.pool, town.tenant.id, ana, S.BLOCKED, Reason.SUSPECTED_FRAUD, operator, "case-2026/17")
    assert (done.before, done.ended) == (S.ACTIVE, [])
    (entry,) = await town.trail(what=Act.PERSON_STATUS_SET.value)
    assert (entry.who, entry.about, entry.why) == (operator.person_id, ana, "case-2026/17")
    assert entry.details == {"before": "active", "after": "blocked", "reason": "suspected_fraud"}
    async with in_tenant(town.pool, town.tenant.id) as connection:
        row = await connection.fetchrow(
            "select status_reason, status_set_by::text, status_set_at is not null from persons where id = $1", ana
        )
    assert row is not None
    assert tuple(row) == ("suspected_fraud", operator.person_id, True)


async def test_a_reason_is_one_of_its_status(town: Town) -> None:
    ana = (await town.register()).person_id
    for status, reason in itertools.product(PersonStatus, Reason):
        if reason not in REASONS[status]:
            with pytest.raises(Refusal) as refused:
                await set_status(town.pool, town.tenant.id, ana, status, reason, NOBODY)
            assert (refused.value.code, refused.value.field) == ("reason_does_not_fit", "reason")
    assert await town.trail(what=Act.PERSON_STATUS_SET.value) == []
    assert {*itertools.chain(*REASONS.values())} == set(Reason)


async def test_nobody_is_closed_who_has_money_or_has_some_reserved(books: Books, pool: Pool, admin: Pool) -> None:
    tenant_id, ana = books.tenant.id, books.people[0]
    with pytest.raises(Refusal) as refused:
        await stand(pool, tenant_id, ana.person_id, S.CLOSED)
    assert refused.value.code == "account_not_empty"
    async with pool.acquire() as connection:
        payment = books.payment(0, 1, 1_000)
        (posting,) = await post_payments(connection, [payment])
    assert posting.status == PaymentStatus.POSTED
    for planted in ("held = 5", "held = 0, balance = -1"):
        await admin.execute(
            f"update accounts set {planted} where tenant_id = $1 and id = $2", tenant_id, ana.account_id
        )
        with pytest.raises(Refusal) as refused:
            await stand(pool, tenant_id, ana.person_id, S.CLOSED)
        assert refused.value.code == "account_not_empty"
    await admin.execute("update accounts set balance = 0 where tenant_id = $1 and id = $2", tenant_id, ana.account_id)
    await stand(pool, tenant_id, ana.person_id, S.CLOSED)
    assert await pay(pool, books, 1, 0) == PaymentStatus.PAYEE_NOT_OPEN


async def test_who_is_closed_stays_so_and_their_sessions_end(town: Town) -> None:
    ana = (await town.register()).person_id
    sessions = [(await start_session(town.pool, town.tenant.id, ana)).session_id for _ in range(2)]
    done = await stand(town.pool, town.tenant.id, ana, S.CLOSED)
    assert sorted(done.ended) == sorted(sessions)
    pairs = [(town.tenant.id, session) for session in sessions]
    assert sorted(await find_revoked(town.pool, pairs)) == sorted(pairs)
    for status in (S.ACTIVE, S.BLOCKED, S.PENDING):
        with pytest.raises(Refusal) as refused:
            await stand(town.pool, town.tenant.id, ana, status)
        assert refused.value.code == "person_closed"
    assert (await stand(town.pool, town.tenant.id, ana, S.CLOSED)).ended == []


async def test_closing_and_being_paid_at_once_leaves_nobody_closed_with_money(
    pool: Pool, tenant: Tenant, open_books: Callable[..., "asyncio.Future[Books]"]
) -> None:
    books = await open_books(tenant, people=2, funds=0)
    await books.fund(1_000)
    async with pool.acquire() as connection:
        await post_payments(connection, [books.payment(1, 0, 1_000)])

    async def close() -> str:
        try:
            await stand(pool, tenant.id, books.people[1].person_id, S.CLOSED)
        except Refusal as error:
            return error.code
        return "closed"

    outcome, *statuses = await asyncio.gather(close(), *(pay(pool, books, 0, 1) for _ in range(20)))
    account = await read_account(pool, tenant.id, books.account(1))
    assert account is not None
    assert (account.status == AccountStatus.CLOSED) == (outcome == "closed")
    assert account.balance == 10 * statuses.count(PaymentStatus.POSTED)
    if outcome == "closed":
        assert account.balance == 0


async def test_the_last_operator_cannot_be_blocked_or_closed(town: Town) -> None:
    pool, keys, tenant_id = town.pool, town.keys, town.tenant.id
    first, second = [(await open_person(pool, keys, tenant_id, Role.OPERATOR, "Olga")).person_id for _ in range(2)]
    await stand(pool, tenant_id, first, S.BLOCKED)
    for status in (S.BLOCKED, S.CLOSED, S.PENDING):
        with pytest.raises(Refusal) as refused:
            await stand(pool, tenant_id, second, status)
        assert refused.value.code == "last_operator"
    # One who is blocked is no operator that one could count on; when he is back, the other may go.
    await stand(pool, tenant_id, first, S.ACTIVE)
    await stand(pool, tenant_id, second, S.CLOSED)


@pytest.mark.parametrize("attempt", range(5))
async def test_of_two_operators_who_remove_each_other_one_stays(town: Town, attempt: int) -> None:
    pool, keys, tenant_id = town.pool, town.keys, town.tenant.id
    people = [(await open_person(pool, keys, tenant_id, Role.OPERATOR, "Olga")).person_id for _ in range(2)]
    outcomes = await asyncio.gather(
        *(
            set_status(pool, tenant_id, one, S.BLOCKED, Reason.UNDER_REVIEW, By(other))
            for one, other in (people, people[::-1])
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Refusal) and one.code == "last_operator" for one in outcomes) == 1, attempt
    async with in_tenant(pool, tenant_id) as connection:
        assert await connection.fetchval("select count(*) from persons where role = 2 and status = 0") == 1


async def test_nobody_decides_how_they_stand_themselves(town: Town) -> None:
    ana = (await town.register()).person_id
    with pytest.raises(Refusal) as refused:
        await set_status(town.pool, town.tenant.id, ana, S.BLOCKED, Reason.OWN_WISH, By(ana))
    assert refused.value.code == "not_on_yourself"


async def test_another_tenants_person_is_like_none(town: Town, other_tenant: Tenant) -> None:
    theirs = (await open_person(town.pool, town.keys, other_tenant.id, Role.CUSTOMER, "Theirs")).person_id
    for person in (theirs, str(uuid.uuid4())):
        with pytest.raises(NotFound):
            await stand(town.pool, town.tenant.id, person, S.BLOCKED)
    assert await read_standings(town.pool, [(town.tenant.id, theirs)]) == {}
    found = await read_standings(town.pool, [(other_tenant.id, theirs)])
    assert found == {(other_tenant.id, theirs): Standing(S.ACTIVE, True, True)}


async def test_only_who_stands_otherwise_is_told_of(town: Town) -> None:
    tenant_id = town.tenant.id
    people = [(await town.register()).person_id for _ in range(3)]
    known = await read_standings(town.pool, [(tenant_id, person) for person in people])
    assert await find_restood(town.pool, known) == {}
    await stand(town.pool, tenant_id, people[1], S.PENDING)
    assert await find_restood(town.pool, known) == {(tenant_id, people[1]): Standing(S.PENDING, True, False)}
    known = await read_standings(town.pool, [(tenant_id, person) for person in people])
    # A setting of the tenant's is a change for whoever is pending.
    await set_settings(town.pool, tenant_id, DEFAULT._replace(pending_pay=True), NOBODY)
    assert await find_restood(town.pool, known) == {(tenant_id, people[1]): Standing(S.PENDING, True, True)}
    assert await find_restood(town.pool, {}) == {}

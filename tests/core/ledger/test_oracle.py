"""PostgreSQL and the oracle answer alike, whatever is asked and however it is cut into batches."""

import itertools
import uuid
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database import Pool, acquire
from core.keys.safe import Safe
from core.ledger.oracle import Oracle, OraclePosting
from core.ledger.posting import post_payments
from core.ledger.reading import read_account, read_entries_after, settle_payments
from core.nouns import BALANCE_MAX, AccountStatus, Payment, Posting, SystemAccount
from core.people.opening import create_tenant, open_people, set_floor
from core.people.persons import Role
from tests.conftest import the_keys

ACCOUNTS = 5
TENANTS = 2
IDS = 12
NOBODY = 111_111_111_111
_worlds = itertools.count()


class Ask(NamedTuple):
    """A payment in places instead of ids: the world fills them in."""

    tenant: int
    id: int
    payer: int
    payee: int
    amount: int
    description: str | None


# Few accounts, few ids, small sums: so that repeats, refusals and exact balances happen all the time.
asks = st.builds(
    Ask,
    tenant=st.integers(0, TENANTS - 1),
    id=st.integers(0, IDS - 1),
    payer=st.integers(-1, ACCOUNTS),
    payee=st.integers(-1, ACCOUNTS),
    amount=st.one_of(st.integers(1, 60), st.sampled_from([-1, 0, 10**13, 10**13 + 1])),
    description=st.sampled_from([None, "tea"]),
)
batches = st.lists(st.lists(asks, min_size=1, max_size=20), min_size=1, max_size=8)
fresh_asks = st.lists(asks, min_size=1, max_size=25)


STATUSES = {2: AccountStatus.BLOCKED, 4: AccountStatus.RECEIVING}


class World:
    """Two fresh tenants in PostgreSQL and the same two in the oracle."""

    def __init__(self) -> None:
        self.oracle = Oracle()
        self.tenants: list[int] = []
        self.accounts: list[list[int]] = []
        self.ids = [str(uuid.uuid4()) for _ in range(IDS)]
        self.person = str(uuid.uuid4())

    @classmethod
    async def open(cls, admin: Pool, pool: Pool, keys: Safe) -> "World":
        world = cls()
        for _ in range(TENANTS):
            slug = f"w{uuid.uuid4().hex[:12]}-{next(_worlds)}"
            tenant = await create_tenant(admin, slug, "World", "BRL", "UTC")
            opened = await open_people(pool, keys, tenant.id, Role.CUSTOMER, ["p"] * ACCOUNTS)
            accounts = [person.account_id for person in opened]
            await set_floor(pool, tenant.id, accounts[1], -50)
            for at, status in STATUSES.items():
                await admin.execute(
                    "update accounts set status = $3 where tenant_id = $1 and id = $2",
                    tenant.id,
                    accounts[at],
                    int(status),
                )
            for system in SystemAccount:
                world.oracle.open_account(tenant.id, system, floor=-BALANCE_MAX)
            for at, account in enumerate(accounts):
                world.oracle.open_account(
                    tenant.id,
                    account,
                    floor=-50 if at == 1 else 0,
                    status=STATUSES.get(at, AccountStatus.OPEN),
                )
            world.tenants.append(tenant.id)
            world.accounts.append(accounts)
        return world

    def payment(self, ask: Ask) -> Payment:
        """The payment that the places mean: -1 is cash in, one past the last account is nobody."""
        accounts = [*self.accounts[ask.tenant], NOBODY, int(SystemAccount.CASH_IN)]
        return Payment(
            self.tenants[ask.tenant],
            self.ids[ask.id],
            accounts[ask.payer],
            accounts[ask.payee],
            ask.amount,
            self.person,
            ask.description,
        )

    async def compare(self, pool: Pool) -> None:
        """Every balance, version and event."""
        for tenant, accounts in zip(self.tenants, self.accounts, strict=True):
            for account in (*accounts, *(int(system) for system in SystemAccount)):
                expected = self.oracle.accounts[tenant, account]
                found = await read_account(pool, tenant, account)
                assert found is not None
                assert (found.balance, found.version) == (expected.balance, expected.version)
                entries = await read_entries_after(pool, tenant, account, 0, 10_000, the_keys())
                assert [(e.number, e.payment, e.amount, e.counterparty, e.balance) for e in entries] == [
                    (e.number, e.payment, e.amount, e.counterparty, e.balance)
                    for e in self.oracle.events[tenant, account]
                ]
            assert self.oracle.sum_of_balances(tenant) == 0


def without_time(postings: list[Posting]) -> list[OraclePosting]:
    return [OraclePosting(*posting[:5]) for posting in postings]


async def post(pool: Pool, batch: list[Payment]) -> list[OraclePosting]:
    async with acquire(pool) as connection:
        return without_time(await post_payments(connection, batch, the_keys()))


patiently = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@patiently
@given(batches)
async def test_the_database_answers_as_the_oracle_does(
    admin: Pool, pool: Pool, keys: Safe, batches: list[list[Ask]]
) -> None:
    world = await World.open(admin, pool, keys)
    for batch in batches:
        payments = [world.payment(ask) for ask in batch]
        assert await post(pool, payments) == world.oracle.post(payments)
    await world.compare(pool)


@patiently
@given(fresh_asks)
async def test_a_batch_of_n_equals_n_batches_of_one(admin: Pool, pool: Pool, keys: Safe, asked: list[Ask]) -> None:
    together, alone = await World.open(admin, pool, keys), await World.open(admin, pool, keys)
    batch = [together.payment(ask) for ask in asked]

    answers = await post(pool, batch)

    assert answers == [(await post(pool, [alone.payment(ask)]))[0] for ask in asked]
    assert answers == together.oracle.post(batch)
    await together.compare(pool)


@patiently
@given(fresh_asks)
async def test_any_batch_posted_twice_is_posted_once(admin: Pool, pool: Pool, keys: Safe, asked: list[Ask]) -> None:
    world = await World.open(admin, pool, keys)
    batch = [world.payment(ask) for ask in asked]

    first = await post(pool, batch)
    again = await post(pool, batch)

    # An id that repeats in the batch with another body was answered with the difference, and is again.
    assert again == first == world.oracle.post(batch)
    await world.compare(pool)


@patiently
@given(fresh_asks, st.sets(st.integers(0, IDS - 1)))
async def test_fencing_before_and_after_agrees_with_the_oracle(
    admin: Pool, pool: Pool, keys: Safe, asked: list[Ask], doubtful: set[int]
) -> None:
    world = await World.open(admin, pool, keys)
    batch = [world.payment(ask) for ask in asked]
    ids = [world.ids[at] for at in sorted(doubtful)]
    half = len(batch) // 2

    if half:
        assert await post(pool, batch[:half]) == world.oracle.post(batch[:half])
    for tenant in world.tenants:
        settled = await settle_payments(pool, tenant, world.person, ids)
        assert [found.status for found in settled] == [world.oracle.fence(tenant, id_).status for id_ in ids]
    assert await post(pool, batch[half:]) == world.oracle.post(batch[half:])
    await world.compare(pool)

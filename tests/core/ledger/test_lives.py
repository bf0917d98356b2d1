"""Whole lives of payments: PostgreSQL and the oracle answer alike, whatever steps are asked for and in whatever batches."""

import datetime
import itertools
import time
import uuid
from dataclasses import fields
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database import Pool, acquire
from core.keys.safe import Safe
from core.ledger.entries import entries_of
from core.ledger.oracle import Oracle, OracleCharge, OraclePosting, OracleRule, OracleTerms
from core.ledger.posting import post_payments
from core.ledger.reading import read_account, read_entries_after, read_payments
from core.ledger.terms import Terms, put_under_terms, set_terms
from core.nouns import (
    BACKWARD,
    BALANCE_MAX,
    DONE,
    UNASKED_AMOUNT,
    AccountStatus,
    Action,
    Entry,
    Kind,
    Measure,
    Payment,
    Posting,
    SystemAccount,
)
from core.people.opening import create_tenant, open_people, set_floor
from core.people.persons import Role
from tests.conftest import answers, prove, the_keys

ACCOUNTS = 6
CHARGES = 4
NOBODY = 111_111_111_111
NO_CHARGE = str(uuid.UUID(int=7))
# The limits that the accounts at these places are under.
LIMITED = {4: 1, 1: 2, 5: 2}
RULES = {
    1: [
        OracleRule(1, Measure.PAYMENT, 35, Action.ALERT),
        OracleRule(2, Measure.PAYMENT, 25, Action.REVIEW),
        OracleRule(3, Measure.DAY, 1_000, is_own=True),
        OracleRule(4, Measure.MONTH, 50, is_own=True),
        OracleRule(5, Measure.NEW_PAYEE, 20, Action.REVIEW, within_s=3_600),
        OracleRule(6, Measure.NEW_DEVICE, 15, within_s=600),
        OracleRule(7, Measure.VELOCITY, 6, within_s=3_600),
        OracleRule(8, Measure.NIGHT, 12, Action.ALERT, night_from=datetime.time(0, 30), night_to=datetime.time(23, 59)),
        OracleRule(9, Measure.NEW_DEVICE_DAY, 40, within_s=600),
    ],
    2: [
        OracleRule(11, Measure.RECEIVED_PAYMENT, 38, Action.REVIEW),
        OracleRule(12, Measure.RECEIVED_DAY, 150),
        OracleRule(13, Measure.RECEIVED_MONTH, 120, Action.ALERT),
        OracleRule(14, Measure.DAY, 60, Action.REVIEW),
    ],
}
_worlds = itertools.count()
_opened: list[int] = []


class Ask(NamedTuple):
    """A payment in places instead of ids."""

    kind: Kind
    again: int | None  # an id used so many payments ago, or a new one
    payer: int
    payee: int
    amount: int
    subject: int  # of a step: the life begun so many lives ago
    charge: int | None
    follows: bool  # a step takes its parties from its subject, as an honest client does
    lasts_s: int | None
    is_final: bool
    as_available: bool
    is_fresh: bool  # from a session that has just begun
    shares: list[tuple[int, int]]
    metadata: str | None
    linked: bool


# Half of what is asked starts a life and half goes on with one; sums are small so that limits are met all the time.
asks = st.builds(
    Ask,
    kind=st.sampled_from(
        [Kind.PAY] * 4
        + [Kind.AUTHORIZE] * 3
        + [Kind.CAPTURE, Kind.CAPTURE, Kind.VOID, Kind.EXPIRE]
        + [Kind.REFUND] * 2
        + [Kind.REVERSE, Kind.DISPUTE, Kind.DISPUTE, Kind.CHARGEBACK, Kind.CHARGEBACK, Kind.ABSOLVE]
        + [Kind.RELEASE, Kind.RELEASE, Kind.DECLINE]
    ),
    again=st.sampled_from([None] * 12 + [0, 1, 3]),
    payer=st.integers(0, ACCOUNTS),
    payee=st.integers(0, ACCOUNTS),
    amount=st.one_of(*[st.integers(1, 40)] * 9, st.sampled_from([0, -1, 10**13, 10**13 + 1])),
    subject=st.sampled_from([0, 0, 0, 1, 1, 2, 3]),
    charge=st.one_of(st.none(), st.none(), st.integers(0, CHARGES)),
    follows=st.sampled_from([True] * 9 + [False]),
    lasts_s=st.sampled_from([None, None, None, 0]),
    is_final=st.booleans(),
    as_available=st.booleans(),
    is_fresh=st.booleans(),
    shares=st.one_of(
        st.just([]),
        st.just([]),
        st.lists(st.tuples(st.integers(0, ACCOUNTS), st.integers(0, 12)), min_size=1, max_size=3),
    ),
    metadata=st.sampled_from([None, None, '{"order": "17"}']),
    linked=st.sampled_from([False, False, True]),
)
batches = st.lists(st.lists(asks, min_size=1, max_size=16), min_size=1, max_size=8)


class World:
    """A fresh tenant with money in it, in PostgreSQL and in the oracle."""

    def __init__(self, tenant_id: int, accounts: list[int], person: str) -> None:
        self.oracle = Oracle()
        self.tenant_id = tenant_id
        self.accounts = accounts
        self.person = person
        # Every id that was asked for, and of those the ones that began a life, in order.
        self.asked: list[str] = []
        self.lives: list[str] = []
        self.charges = [str(uuid.uuid4()) for _ in range(CHARGES)]
        self.now_s = int(time.time())
        # What a hub would tell followers, without reading anything back.
        self.entries: list[Entry] = []

    @classmethod
    async def open(cls, admin: Pool, pool: Pool, keys: Safe) -> "World":
        tenant = await create_tenant(
            admin, f"l{uuid.uuid4().hex[:12]}-{next(_worlds)}", "World", "BRL", "America/Noronha"
        )
        opened = await open_people(pool, keys, tenant.id, Role.CUSTOMER, ["p"] * ACCOUNTS)
        _opened.append(tenant.id)
        world = cls(tenant.id, [person.account_id for person in opened], opened[0].person_id)
        await set_terms(pool, tenant.id, Terms(1, "shop", 50_000, 1, 2, 5, returns_fee=True, tip_percent_max=20))
        await set_terms(pool, tenant.id, Terms(2, "stall", 333_333))
        await admin.execute(
            "insert into limits (tenant_id, id, name) select $1, unnest($2::int[]), 'people'", tenant.id, [1, 2]
        )
        for rule, limits in ((rule, limits) for limits, rules in RULES.items() for rule in rules):
            is_timed = rule.measure in {Measure.VELOCITY, Measure.NEW_PAYEE, Measure.NEW_DEVICE, Measure.NEW_DEVICE_DAY}
            is_night = rule.measure == Measure.NIGHT
            await admin.execute(
                "insert into rules (tenant_id, limits, id, name, measure, max, action, within_s, night_from, night_to, own_max)"
                " values ($1, $2, $3, 'rule', $4, $5, $6, $7, $8, $9, $10)",
                tenant.id,
                limits,
                rule.id,
                int(rule.measure),
                rule.max,
                int(rule.action),
                rule.within_s if is_timed else None,
                rule.night_from if is_night else None,
                rule.night_to if is_night else None,
                1_000 if rule.is_own else None,
            )
        shop = OracleTerms(50_000, 1, 2, 5, returns_fee=True, tip_percent_max=20)
        terms = {0: (1, shop), 1: (1, shop), 2: (2, OracleTerms(333_333))}
        for system in SystemAccount:
            world.oracle.open_account(tenant.id, system, floor=-BALANCE_MAX)
        for at, account in enumerate(world.accounts):
            number, conditions = terms.get(at, (None, None))
            await put_under_terms(pool, tenant.id, account, number)
            world.oracle.open_account(tenant.id, account, terms=conditions, rules=RULES.get(LIMITED.get(at, 0)))
            if at in LIMITED:
                await admin.execute(
                    "update accounts set limits = $3 where tenant_id = $1 and id = $2", tenant.id, account, LIMITED[at]
                )
        world.oracle.zones[tenant.id] = ZoneInfo("America/Noronha")
        limited = world.oracle.accounts[tenant.id, world.accounts[4]]
        await admin.execute(
            "insert into own_limits (tenant_id, account_id, measure, max, next_max, next_from, asked_by) values"
            " ($1, $2, 2, 90, null, null, $3), ($1, $2, 4, 10, 200, now(), $3)",
            tenant.id,
            world.accounts[4],
            world.person,
        )
        limited.own = {Measure.DAY: 90, Measure.MONTH: 200}
        await admin.execute(
            "insert into payees (tenant_id, account_id, payee, listing, listed_from) values"
            " ($1, $2, $3, 1, now()), ($1, 0, $4, 2, now()), ($1, $2, $5, 1, now() + interval '1 day')",
            tenant.id,
            world.accounts[4],
            world.accounts[1],
            world.accounts[2],
            world.accounts[0],
        )
        limited.allowed = {world.accounts[1]}
        for account in world.accounts:
            # Listed for everybody, and looked at where there are rules.
            world.oracle.accounts[tenant.id, account].denied = {world.accounts[2]}
        await admin.execute(
            "update accounts set status = $3 where tenant_id = $1 and id = $2",
            tenant.id,
            world.accounts[5],
            int(AccountStatus.RECEIVING),
        )
        world.oracle.accounts[tenant.id, world.accounts[5]].status = AccountStatus.RECEIVING
        await set_floor(pool, tenant.id, world.accounts[3], -30)
        world.oracle.accounts[tenant.id, world.accounts[3]].floor = -30
        await admin.execute(
            "insert into charges (tenant_id, id, payee, amount, is_reusable, asked_by, expires_at)"
            " select $1, id, payee, amount, reusable, id, case when expired then now() end"
            " from unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bool[], $6::bool[])"
            " as c (id, payee, amount, reusable, expired)",
            tenant.id,
            world.charges,
            [world.accounts[0], world.accounts[0], world.accounts[1], world.accounts[1]],
            [None, 7, None, None],
            [False, False, True, False],
            [False, False, False, True],
        )
        for id_, charge in zip(
            world.charges,
            [
                OracleCharge(world.accounts[0]),
                OracleCharge(world.accounts[0], 7),
                OracleCharge(world.accounts[1], is_reusable=True),
                OracleCharge(world.accounts[1], expires_at_us=0),
            ],
            strict=True,
        ):
            world.oracle.charges[tenant.id, id_] = charge
        funding = [
            Payment(tenant.id, str(uuid.uuid4()), SystemAccount.CASH_IN, account, 150, world.person)
            for account in world.accounts
        ]
        # Lives to go on with, whatever is asked first.
        begun = world.begin()
        assert await world.agree(pool, funding + begun)
        return world

    def begin(self) -> list[Payment]:
        """A few of each kind of life."""
        begun = [
            Payment(
                self.tenant_id, self._new(Kind(kind)), self.accounts[payer], self.accounts[payee], 30, self.person
            )._replace(kind=kind)
            for kind, payer, payee in ((1, 3, 2), (0, 4, 0), (1, 4, 1), (0, 2, 1), (1, 2, 0), (1, 3, 0))
        ]
        self.begun = [payment.id for payment in begun]
        return begun

    def payments(self, asked: list[Ask]) -> list[Payment]:
        """The batch that the places mean. Nobody stands one past the last account."""
        made: list[Payment] = []
        accounts = [*self.accounts, NOBODY]
        group, taken = 1, set[str]()
        for ask in asked:
            is_step = ask.kind > Kind.AUTHORIZE
            subject = self._subject(ask.subject) if is_step else None
            charge = None
            shares = tuple((accounts[at], share) for at, share in ask.shares) if ask.kind == Kind.PAY else ()
            payer, payee, amount = accounts[ask.payer], accounts[ask.payee], ask.amount
            if is_step and ask.follows:
                first = next((one for one in made if one.id == subject), None)
                first = first or self.oracle.judged.get((self.tenant_id, subject or ""), (None,))[0]
                if first is not None:
                    payer, payee = first.payer, first.payee
                    if ask.kind in BACKWARD:
                        payer, payee = payee, payer
                    if ask.kind in {Kind.RELEASE, Kind.REVERSE}:
                        charge = first.charge if ask.kind == Kind.RELEASE else None
                        shares = first.shares
            elif not is_step and ask.charge is not None:
                charge = [*self.charges, NO_CHARGE][ask.charge]
                if ask.follows and ask.charge < CHARGES:
                    payee = self.accounts[0] if ask.charge < 2 else self.accounts[1]
                    amount = 7 if ask.charge == 1 else amount
            id_ = self._id(ask)
            if not ask.linked or id_ in taken:
                # A group holds an id once.
                group, taken = group + 1, set()
            taken.add(id_)
            made.append(
                Payment(
                    self.tenant_id,
                    id_,
                    payer,
                    payee,
                    0 if ask.kind in UNASKED_AMOUNT else amount,
                    self.person,
                    None,
                    ask.kind,
                    subject,
                    charge,
                    ask.lasts_s if ask.kind == Kind.AUTHORIZE else None,
                    ask.is_final and ask.kind in {Kind.CAPTURE, Kind.CHARGEBACK},
                    ask.as_available and ask.kind == Kind.DISPUTE,
                    shares,
                    ask.metadata,
                    self.now_s if ask.is_fresh else self.now_s - 86_400,
                    group if ask.linked else None,
                )
            )
        return made

    def _id(self, ask: Ask) -> str:
        if ask.again is not None and ask.again < len(self.asked):
            return self.asked[-1 - ask.again]
        return self._new(ask.kind)

    def _new(self, kind: Kind) -> str:
        id_ = str(uuid.uuid4())
        self.asked.append(id_)
        if kind <= Kind.AUTHORIZE:
            self.lives.append(id_)
        return id_

    def _subject(self, ago: int) -> str:
        return self.lives[-1 - ago]

    async def agree(self, pool: Pool, batch: list[Payment]) -> bool:
        """Post to both, at the database's time, and compare every answer."""
        postings = await post(pool, batch)
        now_us = max(posting.judged_at_us for posting in postings)
        expected = self.oracle.post(batch, now_us)
        assert without_time(postings) == expected
        for payment, posting in zip(batch, postings, strict=True):
            if posting.status in DONE and posting.judged_at_us == now_us:
                self.entries += entries_of(payment, posting)
        return True

    async def compare(self, admin: Pool, pool: Pool) -> None:
        """Every balance, hold, version, event and standing."""
        for account in (*self.accounts, *(int(system) for system in SystemAccount)):
            expected = self.oracle.accounts[self.tenant_id, account]
            found = await read_account(pool, self.tenant_id, account)
            assert found is not None
            assert (found.balance, found.held, found.version) == (expected.balance, expected.held, expected.version)
            assert found.held == self.oracle.sum_of_holds(self.tenant_id, account)
            entries = await read_entries_after(pool, self.tenant_id, account, 0, 10_000, the_keys())
            assert [
                (e.number, e.payment, e.amount, e.counterparty, e.balance, e.kind, e.hold, e.held, e.fee)
                for e in entries
            ] == [
                (e.number, e.payment, e.amount, e.counterparty, e.balance, e.kind, e.hold, e.held, e.fee)
                for e in self.oracle.events[self.tenant_id, account]
            ]
            told = {entry.number: entry for entry in self.entries if entry.account == account}
            assert [told[entry.number] for entry in entries] == entries
        assert self.oracle.sum_of_balances(self.tenant_id) == 0
        lives = await read_payments(pool, self.tenant_id, self.asked, the_keys())
        for id_ in self.asked:
            standing = self.oracle.standings.get((self.tenant_id, id_))
            if standing is not None:
                life = lives[id_]
                assert (
                    life.held,
                    life.captured,
                    life.refunded,
                    life.disputed,
                    life.fee,
                    life.fee_returned,
                    life.in_review,
                ) == (
                    standing.held,
                    standing.captured,
                    standing.refunded,
                    standing.disputed,
                    standing.fee,
                    standing.fee_returned,
                    standing.in_review,
                )
        rows = await admin.fetch(
            "select id::text, status, paid_count, paid_amount from charges where tenant_id = $1", self.tenant_id
        )
        for id_, status, count, amount in rows:
            charge = self.oracle.charges[self.tenant_id, id_]
            assert (status, count, amount) == (charge.status, charge.paid_count, charge.paid_amount)


def without_time(postings: list[Posting]) -> list[OraclePosting]:
    # A Posting but for its time.
    names = [one.name for one in fields(OraclePosting)]
    return [OraclePosting(**{name: getattr(posting, name) for name in names}) for posting in postings]


async def post(pool: Pool, batch: list[Payment]) -> list[Posting]:
    async with acquire(pool) as connection:
        return answers(await post_payments(connection, batch, the_keys()))


patiently = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@patiently
@given(batches)
async def test_whole_lives_are_the_same_in_the_database_and_the_oracle(
    admin: Pool, pool: Pool, keys: Safe, batches: list[list[Ask]]
) -> None:
    world = await World.open(admin, pool, keys)
    for asked in batches:
        assert await world.agree(pool, world.payments(asked))
    await world.compare(admin, pool)


@patiently
@given(st.lists(asks, min_size=2, max_size=24))
async def test_steps_in_one_batch_are_steps_one_after_another(
    admin: Pool, pool: Pool, keys: Safe, asked: list[Ask]
) -> None:
    world = await World.open(admin, pool, keys)
    batch = [payment._replace(group=None) for payment in world.payments(asked)]
    again = await World.open(admin, pool, keys)

    answers = await post(pool, batch)
    world.oracle.post(batch, max(answer.judged_at_us for answer in answers))

    # The same in another tenant, each alone.
    places = dict(zip(world.accounts, again.accounts, strict=True))
    ids = dict(zip([*world.charges, *world.begun], [*again.charges, *again.begun], strict=True))
    alone = [
        payment._replace(
            tenant_id=again.tenant_id,
            id=ids.get(payment.id, payment.id),
            payer=places.get(payment.payer, payment.payer),
            payee=places.get(payment.payee, payment.payee),
            subject=ids.get(payment.subject or "", payment.subject),
            charge=ids.get(payment.charge or "", payment.charge),
            shares=tuple((places.get(account, account), share) for account, share in payment.shares),
        )
        for payment in batch
    ]
    one_by_one = []
    for payment in alone:
        one_by_one += await post(pool, [payment])
        assert without_time(one_by_one[-1:]) == again.oracle.post([payment], one_by_one[-1].judged_at_us)
    assert [_told(answer) for answer in answers] == [_told(answer) for answer in one_by_one]
    assert again.oracle.sum_of_balances(again.tenant_id) == 0


@patiently
@given(batches)
async def test_asking_for_everything_again_moves_nothing(
    admin: Pool, pool: Pool, keys: Safe, batches: list[list[Ask]]
) -> None:
    world = await World.open(admin, pool, keys)
    posted = [world.payments(batches[0])]
    assert await world.agree(pool, posted[0])
    for asked in batches[1:]:
        posted.append(world.payments(asked))
        assert await world.agree(pool, posted[-1])
    for batch in posted:
        assert without_time(await post(pool, batch)) == world.oracle.post(batch)
    await world.compare(admin, pool)


def _told(answer: Posting) -> tuple[object, ...]:
    """What does not depend on who else was paid out of the fees account, and when."""
    return (*answer[:5], *answer[6:12])


async def test_the_books_of_all_these_lives_prove(admin: Pool) -> None:
    await prove(admin, *_opened)

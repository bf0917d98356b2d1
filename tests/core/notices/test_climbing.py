"""A notice climbs from the socket to the phone to the mailbox, stops when it is heard, and is told once on each."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from core.audit.trail import NOBODY
from core.database import Connection, Pool, in_tenant
from core.errors import Refusal
from core.keys.places import NOTICE_CONTENT, PUSH_DEVICE
from core.ledger.posting import post_payments
from core.ledger.reading import acknowledge, read_entries_after
from core.notices.deliveries import (
    TRIES_MAX,
    Road,
    Settled,
    State,
    claim,
    climb,
    forget_told,
    read_dead,
    read_states,
    retry,
    settle,
)
from core.notices.facts import Facts
from core.notices.kinds import FAMILIES, NoticeKind
from core.notices.ladder import LADDERS
from core.notices.leaving import leave, leave_code
from core.notices.listing import hear, read_bell, read_notices
from core.notices.outbox import warn_of_holds
from core.notices.phones import PHONES_PER_PERSON_MAX, REGISTERED_A_DAY_MAX, forget_phone, list_phones
from core.notices.seen import TOKEN_LENGTH, hear_delivery, read_seen, seen_token
from core.nouns import EventName, Kind, Payment, PaymentStatus, what_happened
from core.people.opening import Tenant
from core.people.sessions import start_session
from core.proof.notary import Signer
from tests.conftest import Books
from tests.core.notices.reaching import (
    LEASE,
    claim_mine,
    climb_all,
    deliver_mine,
    forget_all,
    give_mailbox,
    give_phone,
    note_all,
    wait_out,
)

# What each event of an account is told as, by whose account it is: the payer's, or the payee's.
TOLD = {
    (EventName.PAYMENT_SENT, "payer"): NoticeKind.PAYMENT_SENT,
    (EventName.PAYMENT_RECEIVED, "payee"): NoticeKind.PAYMENT_RECEIVED,
    (EventName.CHARGE_PAID, "payee"): NoticeKind.CHARGE_PAID,
    (EventName.HOLD_PLACED, "payer"): NoticeKind.HOLD_PLACED,
    (EventName.HOLD_CAPTURED, "payer"): NoticeKind.HOLD_CAPTURED,
    (EventName.HOLD_CAPTURED, "payee"): NoticeKind.PAYMENT_RECEIVED,
    (EventName.HOLD_VOIDED, "payer"): NoticeKind.HOLD_ENDED,
    (EventName.REFUND_SENT, "payer"): NoticeKind.REFUND_SENT,
    (EventName.REFUND_RECEIVED, "payee"): NoticeKind.REFUND_RECEIVED,
    (EventName.PAYMENT_REVERSED, "payer"): NoticeKind.PAYMENT_REVERSED,
    (EventName.PAYMENT_REVERSED, "payee"): NoticeKind.PAYMENT_REVERSED,
    (EventName.DISPUTE_HELD, "payer"): NoticeKind.DISPUTE_HELD,
    (EventName.DISPUTE_CHARGED_BACK, "payer"): NoticeKind.CHARGED_BACK,
    (EventName.DISPUTE_CHARGED_BACK, "payee"): NoticeKind.REFUND_RECEIVED,
    (EventName.DISPUTE_RELEASED, "payer"): NoticeKind.DISPUTE_RELEASED,
    # The other side of these has nothing to be told of: no money of theirs moved or is reserved.
    (EventName.HOLD_PLACED, "payee"): None,
    (EventName.HOLD_VOIDED, "payee"): None,
    (EventName.DISPUTE_HELD, "payee"): None,
    (EventName.DISPUTE_RELEASED, "payee"): None,
}


@pytest_asyncio.fixture
async def other_books(other_tenant: Tenant, open_books: Callable[..., Awaitable[Books]]) -> Books:
    return await open_books(other_tenant, 2, 1_000)


async def pay(books: Books, payer: int, payee: int, amount: int = 5) -> str:
    payment = books.payment(payer, payee, amount)
    async with books.pool.acquire() as connection:
        (posting,) = await post_payments(connection, [payment])
    assert posting.status == PaymentStatus.POSTED
    return payment.id


async def warn(books: Books, at: int, kind: NoticeKind = NoticeKind.NEW_DEVICE, session_id: str | None = None) -> int:
    async with in_tenant(books.pool, books.tenant.id) as connection:
        number = await leave(
            connection,
            books.tenant.id,
            kind,
            books.people[at].person_id,
            Facts(at=datetime.now(UTC)),
            session_id=session_id,
        )
    assert number is not None
    return number


async def acknowledge_all(books: Books, at: int, number: int) -> None:
    await acknowledge(books.pool, [(books.tenant.id, books.account(at), books.people[at].person_id, number)])


def test_every_kind_has_a_family_and_a_ladder() -> None:
    assert set(FAMILIES) == set(LADDERS) == set(NoticeKind)


async def test_many_leave_the_same_notice_at_once_and_it_is_left_once(books: Books) -> None:
    notice_id, person_id = str(uuid.uuid4()), books.people[0].person_id
    before = await warn(books, 0)

    async def leave_it(connection: Connection) -> int | None:
        facts = Facts(at=datetime.now(UTC))
        kind = NoticeKind.SECOND_FACTOR_REFUSED
        return await leave(connection, books.tenant.id, kind, person_id, facts, notice_id=notice_id)

    async def leave_it_too() -> int | None:
        async with in_tenant(books.pool, books.tenant.id) as connection:
            return await leave_it(connection)

    async with in_tenant(books.pool, books.tenant.id) as connection:
        assert await leave_it(connection) == before + 1
        others = [asyncio.create_task(leave_it_too()) for _ in range(4)]
        # They do not see it yet, and wait for the person's bell.
        _, waiting = await asyncio.wait(others, timeout=0.3)
        assert len(waiting) == 4
    assert await asyncio.gather(*others) == [None] * 4
    # No number was spent on what was not left.
    assert await warn(books, 0) == before + 2


async def test_each_event_is_told_as_what_happened(books: Books, signer: Signer) -> None:
    await give_phone(books, 0)
    await give_phone(books, 1)
    tenant, payer, payee = books.tenant.id, books.account(0), books.account(1)
    by = books.people[0].person_id

    def step(kind: Kind, amount: int = 0, subject: str | None = None, **more: object) -> Payment:
        back = kind in {Kind.REFUND, Kind.REVERSE, Kind.DISPUTE, Kind.CHARGEBACK, Kind.ABSOLVE}
        sides = (payee, payer) if back else (payer, payee)
        return Payment(tenant, str(uuid.uuid4()), *sides, amount, by, None, kind, subject, **more)  # type: ignore[arg-type]

    async with in_tenant(books.pool, tenant) as connection:
        charge = str(uuid.uuid4())
        await connection.execute(
            "insert into charges (tenant_id, id, payee, amount, asked_by, is_reusable, expires_at)"
            " values ($1, $2, $3, 7, $4, false, now() + interval '1 hour')",
            tenant,
            charge,
            payee,
            by,
        )
    paid, undone, disputed, absolved = (step(Kind.PAY, 10) for _ in range(4))
    held, dropped = step(Kind.AUTHORIZE, 10), step(Kind.AUTHORIZE, 9)
    steps = [
        paid,
        undone,
        disputed,
        absolved,
        held,
        dropped,
        step(Kind.PAY, 7, charge=charge),
        step(Kind.CAPTURE, 10, held.id),
        step(Kind.VOID, 0, dropped.id),
        step(Kind.REFUND, 4, paid.id),
        step(Kind.REVERSE, 0, undone.id),
        step(Kind.DISPUTE, 10, disputed.id),
        step(Kind.CHARGEBACK, 10, disputed.id),
        step(Kind.DISPUTE, 10, absolved.id),
        step(Kind.ABSOLVE, 0, absolved.id),
    ]
    async with books.pool.acquire() as one:
        postings = await post_payments(one, steps)
    assert {posting.status for posting in postings} == {PaymentStatus.POSTED}
    await note_all(books, signer)
    by_id = {payment.id: payment for payment in steps}
    expected: dict[tuple[int, int], NoticeKind] = {}
    met = set()
    for account in (payer, payee):
        for entry in await read_entries_after(books.pool, tenant, account, 1, 100):
            side = "payer" if by_id[entry.payment].payer == account else "payee"
            key = what_happened(entry), side
            met.add(key)
            told = TOLD[key]
            if told is not None:
                expected[account, entry.number] = told
    assert met == set(TOLD)
    async with in_tenant(books.pool, tenant) as connection:
        rows = await connection.fetch(
            "select account_id, number, kind, amount from notices where tenant_id = $1 and number > 1", tenant
        )
    assert {(row[0], row[1]): NoticeKind(row[2]) for row in rows} == expected
    assert all(row["amount"] > 0 for row in rows)


async def test_the_socket_has_its_time_then_the_phone_rings_and_then_a_mail_is_written(
    books: Books, signer: Signer, admin: Pool
) -> None:
    await give_phone(books, 1)
    email = await give_mailbox(books, 1)
    payment = await pay(books, 0, 1, 5)
    await note_all(books, signer)
    await acknowledge_all(books, 1, 1)
    assert (await climb(books.pool, 500)).notices == 0 or await claim_mine(books, Road.APPLE) == []

    await climb_all(admin, books)
    (push,) = await deliver_mine(books, Road.APPLE)
    assert (push.kind, push.person_id) == (NoticeKind.PAYMENT_RECEIVED, books.people[1].person_id)
    assert push.facts is not None
    assert (push.facts.amount, push.facts.count, push.facts.subject) == (5, 1, payment)
    assert (push.language, push.badge, push.tries) == ("pt", 1, 1)
    assert push.phone is not None
    cipher = await books.keys.one(books.tenant.id, push.person_id)
    assert cipher.open(*PUSH_DEVICE.at(push.phone.id), push.phone.sealed) is not None
    assert await claim_mine(books, Road.MAIL) == []

    await climb_all(admin, books)
    (mail,) = await deliver_mine(books, Road.MAIL)
    assert mail.kind is NoticeKind.PAYMENT_RECEIVED
    assert mail.contact is not None
    place = ("person_fields", "sealed", f"{mail.person_id}/{mail.contact.field}/{mail.contact.number}")
    assert cipher.open(*place, mail.contact.sealed) == email
    # The top: nothing climbs any further, and nothing is told twice.
    await climb_all(admin, books)
    assert await claim_mine(books, Road.MAIL) == await claim_mine(books, Road.APPLE) == []


async def test_an_acknowledgement_on_the_socket_stops_the_climb_and_clears_the_phone(
    books: Books, signer: Signer, admin: Pool
) -> None:
    await give_phone(books, 1)
    await give_mailbox(books, 1)
    await pay(books, 0, 1)
    await note_all(books, signer)
    await climb_all(admin, books)
    (push,) = await deliver_mine(books, Road.APPLE)
    assert push.facts is not None
    assert push.facts.count == 2  # what funded them, too
    await acknowledge_all(books, 1, 2)
    await forget_all(books)
    (clear,) = await deliver_mine(books, Road.APPLE)
    assert (clear.facts, clear.kind, clear.badge) == (None, NoticeKind.PAYMENT_RECEIVED, 0)
    await climb_all(admin, books)
    assert await claim_mine(books, Road.MAIL) == []


async def test_notices_of_one_kind_that_climb_together_are_told_as_one(
    books: Books, signer: Signer, admin: Pool
) -> None:
    await give_mailbox(books, 2)
    for amount in (3, 4, 5):
        await pay(books, 1, 2, amount)
    await acknowledge_all(books, 2, 1)
    await note_all(books, signer)
    await climb_all(admin, books)
    (mail,) = await deliver_mine(books, Road.MAIL)
    assert mail.facts is not None
    assert (mail.facts.count, mail.facts.total, mail.facts.amount) == (3, 12, 5)


async def test_a_push_says_how_many_of_its_kind_are_waiting(books: Books, signer: Signer, admin: Pool) -> None:
    await give_phone(books, 2)
    await acknowledge_all(books, 2, 1)
    await pay(books, 1, 2, 3)
    await note_all(books, signer)
    await climb_all(admin, books)
    await deliver_mine(books, Road.APPLE)
    await pay(books, 1, 2, 4)
    await note_all(books, signer)
    await climb_all(admin, books)
    (push,) = await deliver_mine(books, Road.APPLE)
    assert push.facts is not None
    assert (push.facts.count, push.facts.total, push.facts.amount, push.badge) == (2, 7, 4, 2)


async def test_what_is_heard_before_its_turn_is_dropped_and_never_sent(
    books: Books, signer: Signer, admin: Pool
) -> None:
    await give_phone(books, 1)
    await pay(books, 0, 1)
    await note_all(books, signer)
    await climb_all(admin, books)
    await acknowledge_all(books, 1, 2)
    assert await claim_mine(books, Road.APPLE) == []
    states = await admin.fetch("select state from deliveries where tenant_id = $1", books.tenant.id)
    assert {row[0] for row in states} == {State.DROPPED}


async def test_a_phone_whose_session_ended_hears_nothing(books: Books, admin: Pool) -> None:
    phone = await give_phone(books, 1)
    await warn(books, 1)
    await admin.execute(
        "update sessions set revoked_at = now() where tenant_id = $1 and id ="
        " (select session_id from push_devices where tenant_id = $1 and id = $2)",
        books.tenant.id,
        phone,
    )
    await climb_all(admin, books)
    assert await claim_mine(books, Road.APPLE) == []
    assert await list_phones(books.pool, books.tenant.id, books.people[1].person_id) == []


async def test_an_address_is_the_last_persons_who_registered_it(books: Books, admin: Pool) -> None:
    """A phone that changes hands tells its new owner, and not its old one."""
    await give_phone(books, 0, address="a" * 64)
    second = await give_phone(books, 1, address="a" * 64)
    await warn(books, 0)
    await warn(books, 1)
    await climb_all(admin, books)
    (push,) = await deliver_mine(books, Road.APPLE)
    assert push.phone is not None
    assert (push.person_id, push.phone.id) == (books.people[1].person_id, second)
    assert await list_phones(books.pool, books.tenant.id, books.people[0].person_id) == []


async def test_one_address_registered_by_many_at_once_is_one_persons(books: Books, admin: Pool) -> None:
    await asyncio.gather(*(give_phone(books, at % 4, address="b" * 64) for at in range(12)))
    live = await admin.fetchval(
        "select count(*) from push_devices where tenant_id = $1 and gone_at is null", books.tenant.id
    )
    assert live == 1


async def test_a_phone_is_forgotten_by_its_person_alone(books: Books) -> None:
    phone = await give_phone(books, 0)
    assert not await forget_phone(books.pool, books.tenant.id, books.people[1].person_id, phone)
    assert [one.id for one in await list_phones(books.pool, books.tenant.id, books.people[0].person_id)] == [phone]
    assert await forget_phone(books.pool, books.tenant.id, books.people[0].person_id, phone)
    assert not await forget_phone(books.pool, books.tenant.id, books.people[0].person_id, phone)


async def test_a_dead_address_is_forgotten_and_the_mail_is_written_at_once(books: Books, admin: Pool) -> None:
    await give_phone(books, 1)
    await give_mailbox(books, 1)
    await warn(books, 1)
    await climb_all(admin, books)
    (push,) = await claim_mine(books, Road.APPLE)
    assert await settle(books.pool, [Settled(push, State.GONE, "Unregistered")]) == 1
    while (await climb(books.pool, 500)).notices:
        pass
    (mail,) = await deliver_mine(books, Road.MAIL)
    assert mail.kind is NoticeKind.NEW_DEVICE
    assert await list_phones(books.pool, books.tenant.id, books.people[1].person_id) == []


async def test_the_mail_waits_while_another_phone_may_still_ring(books: Books, admin: Pool) -> None:
    await give_phone(books, 1)
    await give_phone(books, 1, provider=Road.FIREBASE)
    await give_mailbox(books, 1)
    await warn(books, 1)
    await climb_all(admin, books)
    (apple,) = await claim_mine(books, Road.APPLE)
    await settle(books.pool, [Settled(apple, State.GONE, "Unregistered")])
    while (await climb(books.pool, 500)).notices:
        pass
    assert await claim_mine(books, Road.MAIL) == []
    (firebase,) = await claim_mine(books, Road.FIREBASE)
    await settle(books.pool, [Settled(firebase, State.GONE, "UNREGISTERED")])
    while (await climb(books.pool, 500)).notices:
        pass
    assert len(await claim_mine(books, Road.MAIL)) == 1


async def test_two_workers_never_have_one_delivery_at_a_time(books: Books, admin: Pool) -> None:
    for at in range(4):
        await give_phone(books, at)
        await warn(books, at)
    await climb_all(admin, books)
    found = await asyncio.gather(*(claim(books.pool, Road.APPLE, 1, LEASE) for _ in range(12)))
    mine = [one.id for each in found for one in each if one.tenant_id == books.tenant.id]
    rest = [one.id for one in await claim_mine(books, Road.APPLE)]
    assert len(mine) + len(rest) == len({*mine, *rest}) == 4


async def test_a_lease_that_ran_out_is_somebody_elses_and_the_first_can_settle_nothing(
    books: Books, admin: Pool
) -> None:
    await give_phone(books, 1)
    await warn(books, 1)
    await climb_all(admin, books)
    (first,) = await claim_mine(books, Road.APPLE, lease=timedelta(0))
    (second,) = await claim_mine(books, Road.APPLE)
    assert (first.id, first.tries, second.tries) == (second.id, 1, 2)
    assert await settle(books.pool, [Settled(first, State.DEAD, "late")]) == 0
    assert await settle(books.pool, [Settled(second, State.TAKEN)]) == 1
    assert await settle(books.pool, [Settled(second, State.TAKEN)]) == 0


async def test_a_try_that_was_not_the_messages_fault_is_given_back(books: Books, admin: Pool) -> None:
    await give_phone(books, 1)
    await warn(books, 1)
    await climb_all(admin, books)
    for _ in range(TRIES_MAX * 3):
        (push,) = await claim_mine(books, Road.APPLE)
        assert push.tries == 1
        await settle(books.pool, [Settled(push, State.WAITING, "unavailable", 0.0, True)])


async def test_what_was_set_aside_is_seen_and_sent_again(books: Books, admin: Pool) -> None:
    await give_phone(books, 1)
    await warn(books, 1)
    await climb_all(admin, books)
    (push,) = await claim_mine(books, Road.APPLE)
    await settle(books.pool, [Settled(push, State.DEAD, "PayloadTooLarge")])
    (dead,) = await read_dead(books.pool, books.tenant.id, 10)
    assert (dead.id, dead.code, dead.tries) == (push.id, "PayloadTooLarge", 1)
    assert {one.road: one.dead for one in await read_states(books.pool)}[Road.APPLE] >= 1
    assert await retry(books.pool, books.tenant.id, [push.id], NOBODY) == [push.id]
    (again,) = await deliver_mine(books, Road.APPLE)
    assert (again.id, again.tries) == (push.id, 1)
    assert await read_dead(books.pool, books.tenant.id, 10) == []


async def test_whatever_a_service_calls_its_reason_is_settled(books: Books, admin: Pool) -> None:
    await give_phone(books, 1)
    await give_phone(books, 1)
    await warn(books, 1)
    await climb_all(admin, books)
    odd, plain = await claim_mine(books, Road.APPLE)
    codes = "x" * 500 + "\x00\ud800é\r\n"
    assert await settle(books.pool, [Settled(odd, State.DEAD, codes), Settled(plain, State.TAKEN)]) == 2
    (dead,) = await read_dead(books.pool, books.tenant.id, 10)
    assert dead.code == "x" * 60


async def test_tenants_share_the_places_alike(books: Books, other_books: Books, admin: Pool) -> None:
    await give_phone(books, 0)
    await give_phone(other_books, 0)
    await climb_all(admin, books)
    await claim_mine(books, Road.APPLE)
    for _ in range(30):
        await warn(books, 0)
        await climb_all(admin, books)
    await warn(other_books, 0)
    await climb_all(admin, other_books)
    found = await claim(books.pool, Road.APPLE, 10, LEASE)
    assert other_books.tenant.id in {one.tenant_id for one in found}
    assert 1 < len(found) <= 10


async def test_the_own_stream_has_no_gap_and_is_acknowledged_up_to_a_number(books: Books) -> None:
    tenant, person = books.tenant.id, books.people[0].person_id
    await asyncio.gather(*(warn(books, 0) for _ in range(9)))
    assert [one.number for one in await read_notices(books.pool, tenant, person, 100, after=0)] == list(range(1, 10))
    assert [one.number for one in await read_notices(books.pool, tenant, person, 3)] == [9, 8, 7]
    assert [one.number for one in await read_notices(books.pool, tenant, person, 3, before=3)] == [2, 1]
    session = (await start_session(books.pool, tenant, person)).session_id
    assert await hear(books.pool, tenant, person, session, 6) == 6
    assert await hear(books.pool, tenant, person, session, 6) == 0
    assert await hear(books.pool, tenant, books.people[1].person_id, session, 9) == 0
    assert await read_bell(books.pool, tenant, person) == (9, 3)


async def test_a_session_does_not_silence_the_warning_of_itself(books: Books, admin: Pool) -> None:
    """Whoever stole a password acknowledges what their own log-in made; the phone rings all the same."""
    tenant, person = books.tenant.id, books.people[0].person_id
    await give_phone(books, 0)
    thief = (await start_session(books.pool, tenant, person)).session_id
    owner = (await start_session(books.pool, tenant, person)).session_id
    number = await warn(books, 0, session_id=thief)
    assert await hear(books.pool, tenant, person, thief, number) == 0
    await climb_all(admin, books)
    assert len(await deliver_mine(books, Road.APPLE)) == 1
    assert await hear(books.pool, tenant, person, owner, number) == 1
    (clear,) = await deliver_mine(books, Road.APPLE)
    assert clear.facts is None


async def test_a_tap_or_a_link_acknowledges_what_its_delivery_told(books: Books, signer: Signer, admin: Pool) -> None:
    await give_phone(books, 1)
    await give_phone(books, 1, provider=Road.FIREBASE)
    await give_mailbox(books, 1)
    await pay(books, 0, 1)
    await acknowledge_all(books, 1, 1)
    await note_all(books, signer)
    await climb_all(admin, books)
    (apple,), (_,) = await deliver_mine(books, Road.APPLE), await deliver_mine(books, Road.FIREBASE)
    key = await books.keys.secret("notices/seen")
    token = seen_token(key, apple.tenant_id, apple.id)
    assert len(token) == TOKEN_LENGTH
    assert read_seen(key, token) == (apple.tenant_id, apple.id)
    assert await hear_delivery(books.pool, apple.tenant_id, apple.id) == books.people[1].person_id
    await climb_all(admin, books)
    assert await claim_mine(books, Road.MAIL) == []
    # It is taken away on both.
    assert [one.facts for one in await claim_mine(books, Road.FIREBASE)] == [None]
    assert [one.facts for one in await claim_mine(books, Road.APPLE)] == [None]


async def test_made_up_tokens_name_nothing(books: Books) -> None:
    key = await books.keys.secret("notices/seen")
    good = seen_token(key, books.tenant.id, str(uuid.uuid4()))
    flipped = ["A" if good[at] != "A" else "B" for at in range(TOKEN_LENGTH)]
    bad = [good[:at] + flipped[at] + good[at + 1 :] for at in range(TOKEN_LENGTH - 1)]
    for token in [*bad, "", "A" * TOKEN_LENGTH, good[:-1], good + "A", "é" * TOKEN_LENGTH, "=" * TOKEN_LENGTH]:
        assert read_seen(key, token) is None
    assert await hear_delivery(books.pool, books.tenant.id, str(uuid.uuid4())) is None


async def test_a_code_goes_to_its_contact_at_once_and_rings_no_phone(books: Books, admin: Pool) -> None:
    tenant, person = books.tenant.id, books.people[0].person_id
    await give_phone(books, 0)
    await give_mailbox(books, 0)
    cipher = await books.keys.one(tenant, person)
    async with in_tenant(books.pool, tenant) as connection:
        await leave_code(connection, tenant, cipher, (6, 1), "123456", timedelta(minutes=10))
    assert (await climb(books.pool, 500)).notices >= 1
    (mail,) = await deliver_mine(books, Road.MAIL)
    assert mail.notice_id is not None
    assert cipher.open(*NOTICE_CONTENT.at(mail.notice_id), mail.sealed) == "123456"
    assert mail.expires_at is not None
    assert await claim_mine(books, Road.APPLE) == []
    assert (await read_bell(books.pool, tenant, person)).number == 0


async def test_quiet_hours_hold_back_what_can_wait_and_nothing_else(books: Books, admin: Pool) -> None:
    tenant, person = books.tenant.id, books.people[0].person_id
    await give_phone(books, 0)
    await admin.execute(
        "insert into notice_settings (tenant_id, person_id, quiet_from, quiet_to) values ($1, $2,"
        " (now() at time zone 'America/Sao_Paulo')::time - interval '1 hour',"
        " (now() at time zone 'America/Sao_Paulo')::time + interval '1 hour')",
        tenant,
        person,
    )
    await warn(books, 0, NoticeKind.NEWS)
    await warn(books, 0, NoticeKind.PASSWORD_CHANGED)
    await wait_out(admin, books)
    while (await climb(books.pool, 500)).notices:
        pass
    assert [one.kind for one in await deliver_mine(books, Road.APPLE)] == [NoticeKind.PASSWORD_CHANGED]
    until = await admin.fetchval(
        "select climbs_at - now() from notices where tenant_id = $1 and kind = $2", tenant, NoticeKind.NEWS
    )
    assert timedelta(minutes=58) < until <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "end", "quiet"),
    [("22:00", "07:00", True), ("07:00", "22:00", False), ("00:00", "23:59", True), ("12:00", "12:00", False)],
)
async def test_quiet_hours_may_go_past_midnight(pool: Pool, start: str, end: str, quiet: bool) -> None:
    # Whatever the hour is, this zone is one where it is three in the night.
    zone = await pool.fetchval("select 'UTC' || to_char(extract(hour from now() at time zone 'UTC') - 3, 'SG00')")
    until = await pool.fetchval(
        "select quiet_until($1::text::time, $2::text::time, $3) - now()", start, end, zone.replace(" ", "")
    )
    assert (until is not None) is quiet
    if until is not None:
        assert timedelta(0) < until <= timedelta(hours=24)


async def test_what_is_turned_off_stays_in_the_list_and_rings_nothing(books: Books, admin: Pool) -> None:
    tenant, person = books.tenant.id, books.people[0].person_id
    await give_phone(books, 0)
    await give_mailbox(books, 0)
    kinds = [NoticeKind.NEWS, NoticeKind.NEW_DEVICE]
    await admin.execute(
        "insert into notice_settings (tenant_id, person_id, muted) values ($1, $2, $3)", tenant, person, kinds
    )
    for kind in kinds:
        await warn(books, 0, kind)
    await climb_all(admin, books)
    # A warning cannot be turned off, whatever the row says.
    assert [one.kind for one in await deliver_mine(books, Road.APPLE)] == [NoticeKind.NEW_DEVICE]
    assert await claim_mine(books, Road.MAIL) == []
    assert len(await read_notices(books.pool, tenant, person, 10)) == 2


async def test_a_tenants_own_ladder_holds_for_its_people(books: Books, signer: Signer, admin: Pool) -> None:
    await give_phone(books, 1)
    await give_mailbox(books, 1)
    await acknowledge_all(books, 1, 1)
    await admin.execute(
        "insert into ladders (tenant_id, kind, socket_s, push_s, has_push, has_mail) values ($1, 0, 3600, 0, false, true)",
        books.tenant.id,
    )
    await pay(books, 0, 1)
    await note_all(books, signer)
    wait = await admin.fetchval(
        "select climbs_at - happened_at from notices where tenant_id = $1 and number > 1", books.tenant.id
    )
    assert wait == timedelta(hours=1)
    await climb_all(admin, books)
    assert await claim_mine(books, Road.APPLE) == []
    assert len(await claim_mine(books, Road.MAIL)) == 1


async def test_a_payee_is_warned_once_of_a_hold_in_its_last_quarter(books: Books) -> None:
    tenant, payee, day = books.tenant.id, books.people[1].person_id, timedelta(days=1)
    short, long = (books.payment(0, 1, 10)._replace(kind=Kind.AUTHORIZE, lasts_s=lasts) for lasts in (4, 3_600))
    async with books.pool.acquire() as connection:
        postings = await post_payments(connection, [short, long])
    assert {posting.status for posting in postings} == {PaymentStatus.POSTED}
    await warn_of_holds(books.pool, day, 500)
    assert await read_notices(books.pool, tenant, payee, 10) == []
    await asyncio.sleep(3.2)
    await warn_of_holds(books.pool, day, 500)
    (told,) = await read_notices(books.pool, tenant, payee, 10)
    assert told.facts is not None
    assert (told.kind, told.facts.subject, told.facts.amount) == (NoticeKind.HOLD_EXPIRING, short.id, 10)
    assert told.facts.ends_at is not None
    await warn_of_holds(books.pool, day, 500)
    assert len(await read_notices(books.pool, tenant, payee, 10)) == 1


async def test_what_does_not_go_into_one_mail_goes_into_the_next(books: Books, signer: Signer, admin: Pool) -> None:
    await give_mailbox(books, 2)
    await acknowledge_all(books, 2, 1)
    async with books.pool.acquire() as connection:
        await post_payments(connection, [books.payment(1, 2, 1) for _ in range(230)])
    await note_all(books, signer)
    await climb_all(admin, books)
    mails = await deliver_mine(books, Road.MAIL)
    assert sorted(one.facts.count for one in mails if one.facts is not None) == [30, 100, 100]


async def test_nobodys_phone_rings_all_the_time_and_nothing_is_lost_by_that(books: Books, admin: Pool) -> None:
    await give_phone(books, 0)
    await give_phone(books, 0, provider=Road.FIREBASE)
    rings = 0
    for _ in range(10):
        await warn(books, 0)
        await climb_all(admin, books)
        rings += len(await deliver_mine(books, Road.APPLE))
    assert rings == 6
    waiting = "select count(*) from notices where tenant_id = $1 and rung = 1 and heard_at is null"
    assert await admin.fetchval(waiting, books.tenant.id) == 4
    # A minute later it rings once for all of them.
    await admin.execute(
        "update deliveries set made_at = made_at - interval '2 min' where tenant_id = $1", books.tenant.id
    )
    await climb_all(admin, books)
    (push,) = await deliver_mine(books, Road.APPLE)
    assert push.facts is not None
    assert push.facts.count == 10
    assert await admin.fetchval(waiting, books.tenant.id) == 0


async def test_a_claim_is_never_more_than_was_asked_for(books: Books, other_books: Books, admin: Pool) -> None:
    for one in (books, other_books):
        await give_phone(one, 0)
        await warn(one, 0)
        await climb_all(admin, one)
    # One place, and more than one tenant that has something.
    assert len(await claim(books.pool, Road.APPLE, 1, LEASE)) == 1


async def test_an_app_that_registers_at_each_start_is_one_phone(books: Books, admin: Pool) -> None:
    person = books.people[0].person_id
    session = (await start_session(books.pool, books.tenant.id, person)).session_id
    ids = {await give_phone(books, 0, address="c" * 64, session_id=session) for _ in range(5)}
    assert len(ids) == 1
    assert await admin.fetchval("select count(*) from push_devices where tenant_id = $1", books.tenant.id) == 1


async def test_phones_are_bounded_at_once_and_in_a_day(books: Books, admin: Pool) -> None:
    for _ in range(PHONES_PER_PERSON_MAX):
        await give_phone(books, 0)
    with pytest.raises(Refusal) as refused:
        await give_phone(books, 0)
    assert refused.value.code == "too_many_phones"
    await admin.execute("update push_devices set gone_at = now() where tenant_id = $1", books.tenant.id)
    for _ in range(REGISTERED_A_DAY_MAX - PHONES_PER_PERSON_MAX):
        await give_phone(books, 0, address="d" * 64)
    with pytest.raises(Refusal) as refused:
        await give_phone(books, 0, address="e" * 64)
    assert refused.value.code == "too_many_phones"


async def test_pushes_that_nobody_takes_do_not_wait_for_ever(books: Books, admin: Pool) -> None:
    await give_phone(books, 0, provider=Road.WEB)
    await warn(books, 0)
    await climb_all(admin, books)
    await admin.execute(
        "update deliveries set made_at = now() - interval '25 hours' where tenant_id = $1", books.tenant.id
    )
    await forget_told(books.pool, 1_000)
    rows = await admin.fetch("select state, code from deliveries where tenant_id = $1", books.tenant.id)
    assert [(row[0], row[1]) for row in rows] == [(State.DROPPED, "late")]


async def test_what_was_told_long_ago_is_forgotten(books: Books, admin: Pool) -> None:
    tenant = books.tenant.id
    await give_phone(books, 0)
    await warn(books, 0)
    await climb_all(admin, books)
    await deliver_mine(books, Road.APPLE)
    await climb_all(admin, books)
    assert await forget_told(books.pool, 1_000) == 0
    await admin.execute("update notices set noted_at = now() - interval '91 days' where tenant_id = $1", tenant)
    await admin.execute("update deliveries set ended_at = now() - interval '91 days' where tenant_id = $1", tenant)
    assert await forget_told(books.pool, 1_000) == 1
    for table in ("notices", "deliveries"):
        assert await admin.fetchval(f"select count(*) from {table} where tenant_id = $1", tenant) == 0

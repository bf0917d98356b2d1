"""Second factors: codes that work once, for one person, and what is left when they are lost."""

import asyncio
import datetime
import re
import secrets
import uuid
from collections.abc import Awaitable
from typing import Any, NamedTuple

import pyotp
import pytest
import pytest_asyncio

from core.audit.trail import Act, By, read_trail
from core.database import Pool, in_tenant
from core.errors import CredentialsRefused, NotFound, ProofRefused, Refusal, SealBroken
from core.keys.safe import Safe
from core.people.enrolment import enrol_totp, finish_totp
from core.people.factors import (
    FACTORS_PER_PERSON_MAX,
    Kind,
    has_factor,
    list_factors,
    name_factor,
    read_offer,
    remove_factor,
    renew_codes,
    reset_factors,
)
from core.people.marking import Marks
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from core.people.proofs import add_proofs
from core.people.proving import Brought, Means, step_up
from core.people.recovery import CODES, use_code
from core.people.sessions import Arrival, revoke, start_session
from core.people.throttles import Throttled, count_proof
from core.people.tickets import (
    ATTEMPTS_MAX,
    TICKET_LIFETIME,
    TicketRefused,
    forget_tickets,
    issue_ticket,
    try_ticket,
    use_ticket,
)
from core.people.totp import STEP_S, use_totp
from tests.conftest import the_keys

# On the edge of a step, so that what lies beside it is plain.
NOW = float(1_900_000_000 // STEP_S * STEP_S)


class Desk(NamedTuple):
    """Somebody in a session, and what proofs are checked with."""

    means: Means
    tenant: Tenant
    by: By

    @property
    def person(self) -> str:
        assert self.by.person_id is not None
        return self.by.person_id

    async def begin(self) -> Any:
        return await enrol_totp(self.means, self.tenant.id, self.person, "App", "Demo", "ana")

    async def finish(self, factor: str, code: str, now: float = NOW) -> Any:
        count = count_proof(self.means.marks, self.tenant.id, self.person, None)
        return await finish_totp(self.means, self.tenant.id, self.by, ("pwd",), factor, code, now, count)

    async def enrol(self, now: float = NOW) -> tuple[pyotp.TOTP, Any]:
        begun = await self.begin()
        totp = pyotp.TOTP(begun.secret)
        return totp, await self.finish(begun.factor_id, totp.at(now), now)

    async def use(self, code: str, now: float) -> str:
        """`ok`, or why not."""
        try:
            cipher = await self.means.keys.one(self.tenant.id, self.person)
            async with in_tenant(self.means.pool, self.tenant.id) as connection:
                await use_totp(connection, cipher, self.tenant.id, self.person, code, now)
        except ProofRefused as refused:
            return refused.reason
        return "ok"

    async def recover(self, code: str) -> str:
        try:
            async with in_tenant(self.means.pool, self.tenant.id) as connection:
                await use_code(connection, self.tenant.id, self.person, code)
        except ProofRefused as refused:
            return refused.reason
        return "ok"


@pytest_asyncio.fixture
async def desk(pool: Pool, keys: Safe, tenant: Tenant) -> Desk:
    return await sit_down(pool, tenant, keys)


async def sit_down(pool: Pool, tenant: Tenant, keys: Safe) -> Desk:
    person = (await open_person(pool, the_keys(), tenant.id, Role.CUSTOMER, "Somebody")).person_id
    started = await start_session(pool, tenant.id, person, Arrival("payhub-web", proofs=("pwd",)))
    return Desk(
        Means(pool, keys, Marks(secrets.token_bytes(32)), None), tenant, By(person, started.session_id, "192.0.2.0/24")
    )


async def refused(trying: Awaitable[Any]) -> str:
    with pytest.raises(ProofRefused) as error:
        await trying
    return error.value.reason


def code_near(totp: pyotp.TOTP, steps: int, now: float = NOW) -> str:
    return totp.at(now + steps * STEP_S)


async def test_an_app_is_enrolled_by_its_first_code_and_recovery_codes_are_shown_once(desk: Desk) -> None:
    begun = await desk.begin()
    assert not await has_factor(desk.means.pool, desk.tenant.id, desk.person)
    assert begun.uri.startswith("otpauth://totp/Demo:ana?secret=")
    assert len(begun.secret) == 32
    assert begun.secret not in repr(begun)
    totp = pyotp.TOTP(begun.secret)
    enrolled = await desk.finish(begun.factor_id, totp.at(NOW))
    assert (enrolled.factor.id, enrolled.factor.kind, enrolled.factor.name) == (begun.factor_id, Kind.TOTP, "App")
    assert enrolled.proofs == ("pwd", "otp", "mfa")
    assert len({*enrolled.recovery_codes}) == CODES
    assert enrolled.recovery_codes[0] not in repr(enrolled)
    assert await has_factor(desk.means.pool, desk.tenant.id, desk.person)
    # A second app takes the place of the first; the codes are still there, and not shown again.
    again, second = await desk.enrol()
    assert second.recovery_codes == []
    assert [one.id for one in (await list_factors(desk.means.pool, desk.tenant.id, desk.person))[0]] == [
        second.factor.id
    ]
    assert await desk.use(code_near(totp, 1), NOW) == "code_wrong"
    assert await desk.use(code_near(again, 1), NOW) == "ok"


async def test_the_secret_and_the_codes_are_nowhere_in_the_database(desk: Desk) -> None:
    begun = await desk.begin()
    enrolled = await desk.finish(begun.factor_id, pyotp.TOTP(begun.secret).at(NOW))
    async with in_tenant(desk.means.pool, desk.tenant.id) as connection:
        rows = [
            row[0]
            for table in ("factors", "recovery_codes", "audit_entries")
            for row in await connection.fetch(f"select {table}::text from {table}")
        ]
        sealed = await connection.fetchval("select sealed from factors")
    assert len(rows) > CODES
    for secret in (begun.secret, begun.secret.encode().hex(), *enrolled.recovery_codes):
        assert not any(secret in row for row in rows)
    cipher = await desk.means.keys.one(desk.tenant.id, desk.person)
    assert cipher.open("factors", "sealed", begun.factor_id, sealed) == begun.secret


async def test_of_somebody_who_was_erased_no_code_works(desk: Desk) -> None:
    totp, _ = await desk.enrol()
    await desk.means.keys.destroy(desk.tenant.id, desk.person, By())
    assert await desk.use(code_near(totp, 1), NOW) == "code_wrong"


async def test_a_sealed_secret_moved_to_another_person_does_not_open(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    rui = await sit_down(pool, tenant, desk.means.keys)
    (totp, _), _ = await desk.enrol(), await rui.enrol()
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute(
            "update factors set sealed = (select sealed from factors where person_id = $1) where person_id = $2",
            desk.person,
            rui.person,
        )
    with pytest.raises(SealBroken):
        await rui.use(code_near(totp, 1), NOW)


async def test_a_code_works_within_a_step_of_its_time_and_no_further(desk: Desk) -> None:
    totp, _ = await desk.enrol(NOW - 10 * STEP_S)
    now, expected = NOW, {-2: "code_wrong", -1: "ok", 0: "ok", 1: "ok", 2: "code_wrong"}
    for steps, answer in expected.items():
        assert await desk.use(code_near(totp, steps, now), now) == answer, steps
        assert await desk.use(code_near(totp, steps, now), now + STEP_S - 1) in {"code_used", "code_wrong"}
        now += 10 * STEP_S


async def test_no_code_works_twice_and_none_of_before_works_after(desk: Desk) -> None:
    totp, _ = await desk.enrol()
    # The code of its enrolment is used already.
    assert await desk.use(code_near(totp, 0), NOW) == "code_used"
    later = NOW + 10 * STEP_S
    assert await desk.use(code_near(totp, 1, later), later) == "ok"
    for steps in (1, 0, -1):
        assert await desk.use(code_near(totp, steps, later), later) == "code_used"
    assert await desk.use(code_near(totp, 2, later), later + STEP_S) == "ok"


async def test_of_many_uses_of_one_code_at_once_one_works(desk: Desk) -> None:
    totp, _ = await desk.enrol()
    answers = await asyncio.gather(*(desk.use(code_near(totp, 1), NOW) for _ in range(20)))
    assert sorted(answers) == ["code_used"] * 19 + ["ok"]


@pytest.mark.parametrize(
    "code", ["", "1", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 456", "-12345", "\ud800", "\0" * 6]
)
async def test_what_is_no_code_is_refused(desk: Desk, code: str) -> None:
    await desk.enrol()
    assert await desk.use(code, NOW) == "code_wrong"


async def test_an_app_is_not_confirmed_by_a_wrong_code_too_late_or_by_anybody_else(
    desk: Desk, pool: Pool, tenant: Tenant
) -> None:
    begun = await desk.begin()
    totp = pyotp.TOTP(begun.secret)
    wrong = f"{(int(totp.at(NOW)) + 1) % 1_000_000:06}"
    assert await refused(desk.finish(begun.factor_id, wrong)) == "code_wrong"
    rui = await sit_down(pool, tenant, desk.means.keys)
    for who, factor in ((rui, begun.factor_id), (desk, str(uuid.uuid4()))):
        with pytest.raises(NotFound):
            await who.finish(factor, totp.at(NOW))
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute("update factors set made_at = made_at - interval '11 minutes'")
    with pytest.raises(NotFound):
        await desk.finish(begun.factor_id, totp.at(NOW))
    assert not await has_factor(pool, tenant.id, desk.person)


async def test_guessing_the_first_code_is_slowed_down(desk: Desk) -> None:
    begun = await desk.begin()
    wrong = f"{(int(pyotp.TOTP(begun.secret).at(NOW)) + 1) % 1_000_000:06}"
    for _ in range(10):
        assert await refused(desk.finish(begun.factor_id, wrong)) == "code_wrong"
    with pytest.raises(Throttled):
        await desk.finish(begun.factor_id, pyotp.TOTP(begun.secret).at(NOW))


async def test_a_recovery_code_works_once_however_it_is_spelled(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    _, enrolled = await desk.enrol()
    codes = enrolled.recovery_codes
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)
    rui = await sit_down(pool, tenant, desk.means.keys)
    assert await rui.recover(codes[0]) == "recovery_code_wrong"
    spellings = [
        codes[0],
        codes[1].lower(),
        codes[2].replace("-", ""),
        f" {codes[3].replace('-', ' ')} ",
        codes[4].replace("0", "O").replace("1", "l"),
    ]
    for spelling in spellings:
        assert await desk.recover(spelling) == "ok"
        assert await desk.recover(spelling) == "recovery_code_wrong"
    answers = await asyncio.gather(*(desk.recover(codes[5]) for _ in range(10)))
    assert sorted(answers) == ["ok"] + ["recovery_code_wrong"] * 9
    assert (await read_offer(pool, tenant.id, desk.person)).recovery_codes == CODES - 6


async def test_new_recovery_codes_make_the_old_ones_void(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    with pytest.raises(Refusal) as nothing:
        await renew_codes(pool, tenant.id, desk.person, desk.by)
    assert nothing.value.code == "second_factor_required"
    _, enrolled = await desk.enrol()
    fresh = await renew_codes(pool, tenant.id, desk.person, desk.by)
    assert not {*fresh} & {*enrolled.recovery_codes}
    assert await desk.recover(enrolled.recovery_codes[0]) == "recovery_code_wrong"
    assert await desk.recover(fresh[0]) == "ok"


async def test_a_factor_is_named_and_removed_by_its_person_alone(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    totp, enrolled = await desk.enrol()
    rui = await sit_down(pool, tenant, desk.means.keys)
    for factor in (enrolled.factor.id, str(uuid.uuid4())):
        with pytest.raises(NotFound):
            await name_factor(pool, tenant.id, rui.person, factor, "Mine")
        with pytest.raises(NotFound):
            await remove_factor(pool, tenant.id, rui.person, factor, rui.by)
    await name_factor(pool, tenant.id, desk.person, enrolled.factor.id, "Mine")
    with pytest.raises(Refusal):
        await remove_factor(pool, tenant.id, desk.person, enrolled.factor.id, desk.by, keeps_one=True)
    assert await remove_factor(pool, tenant.id, desk.person, enrolled.factor.id, desk.by) == "Mine"
    assert await desk.use(code_near(totp, 1), NOW) == "no_such_factor"
    # With the last factor its recovery codes are gone.
    assert await desk.recover(enrolled.recovery_codes[0]) == "recovery_code_wrong"


async def test_factors_that_are_reset_are_gone_with_the_sessions(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    await desk.enrol()
    operator = await sit_down(pool, tenant, desk.means.keys)
    removed, ended = await reset_factors(pool, tenant.id, desk.person, operator.by, "Case 17")
    assert (removed, ended) == (1, [desk.by.session_id])
    assert (await read_offer(pool, tenant.id, desk.person)).is_empty
    (entry,) = await read_trail(pool, tenant.id, 10, what=Act.FACTOR_REMOVED)
    assert (entry.who, entry.why, entry.details) == (
        operator.person,
        "Case 17",
        {"kind": "totp", "person": desk.person},
    )


async def test_there_are_twenty_factors_at_most(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute(
            "insert into factors (tenant_id, id, person_id, kind, name, confirmed_at, credential_id, public_key, sign_count)"
            " select $1, gen_random_uuid(), $2, 2, 'Key', now(), at::text::bytea, '', 0 from generate_series(1, $3) as at",
            tenant.id,
            desk.person,
            FACTORS_PER_PERSON_MAX,
        )
    with pytest.raises(Refusal) as full:
        await desk.begin()
    assert full.value.code == "too_many_factors"


async def test_enrolment_and_removal_are_written_down_with_what_they_tell_of(desk: Desk, pool: Pool) -> None:
    _, enrolled = await desk.enrol()
    await remove_factor(pool, desk.tenant.id, desk.person, enrolled.factor.id, desk.by)
    entries = [one for one in await read_trail(pool, desk.tenant.id, 20) if one.what.startswith("factor.")]
    assert [(one.what, one.about, one.who, one.session_id, one.network) for one in reversed(entries)] == [
        ("factor.enrolled", enrolled.factor.id, *desk.by),
        ("factor.removed", enrolled.factor.id, *desk.by),
    ]


async def test_a_session_that_has_ended_steps_up_no_more_and_no_code_is_used_up(desk: Desk, pool: Pool) -> None:
    totp, _ = await desk.enrol()
    assert desk.by.session_id is not None
    brought = Brought(code=code_near(totp, 1))
    await revoke(pool, desk.tenant.id, desk.by.session_id, desk.by)
    with pytest.raises(CredentialsRefused):
        await step_up(desk.means, desk.tenant.id, desk.by, ("pwd",), brought, NOW, None)
    assert await desk.use(code_near(totp, 1), NOW) == "ok"
    assert await read_trail(pool, desk.tenant.id, 10, what=Act.STEPPED_UP) == []
    assert code_near(totp, 1) not in repr(brought)


@pytest.mark.parametrize(
    ("known", "fresh", "is_verified", "expected"),
    [
        ((), ("pwd",), False, ("pwd",)),
        (("pwd",), ("otp",), False, ("pwd", "otp", "mfa")),
        (("pwd",), ("pwd",), False, ("pwd",)),
        (("pwd", "otp", "mfa"), ("pop",), False, ("pwd", "otp", "pop", "mfa")),
        ((), ("pop",), True, ("pop", "mfa")),
        ((), ("pop",), False, ("pop",)),
        (("otp",), ("pop",), False, ("otp", "pop")),
        (("pop", "mfa"), ("pwd",), False, ("pop", "pwd", "mfa")),
    ],
)
def test_proofs_add_up(
    known: tuple[str, ...], fresh: tuple[str, ...], is_verified: bool, expected: tuple[str, ...]
) -> None:
    assert add_proofs(known, *fresh, is_verified=is_verified) == expected


async def test_a_ticket_is_for_one_log_in_a_few_tries_and_some_minutes(
    desk: Desk, pool: Pool, tenant: Tenant, other_tenant: Tenant
) -> None:
    ticket = await issue_ticket(pool, tenant.id, desk.person, None, None)
    async with in_tenant(pool, tenant.id) as connection:
        assert ticket not in str(await connection.fetch("select log_in_tickets::text from log_in_tickets"))
    with pytest.raises(TicketRefused):
        await try_ticket(pool, other_tenant.id, ticket)
    for _ in range(ATTEMPTS_MAX):
        assert (await try_ticket(pool, tenant.id, ticket)).person_id == desk.person
    for wrong in (ticket, ticket[:-1], "", "pht_" + "A" * 43, "\ud800"):
        with pytest.raises(TicketRefused):
            await try_ticket(pool, tenant.id, wrong)

    used = await issue_ticket(pool, tenant.id, desk.person, None, None)

    async def use() -> bool:
        try:
            async with in_tenant(pool, tenant.id) as connection:
                await use_ticket(connection, tenant.id, used)
        except TicketRefused:
            return False
        return True

    assert sum(await asyncio.gather(*(use() for _ in range(10)))) == 1
    with pytest.raises(TicketRefused):
        await try_ticket(pool, tenant.id, used)

    async with in_tenant(pool, tenant.id) as connection:
        now = await connection.fetchval("select now()")
    over = await issue_ticket(pool, tenant.id, desk.person, None, None, now=now - TICKET_LIFETIME)
    with pytest.raises(TicketRefused):
        await try_ticket(pool, tenant.id, over, now=now)
    assert TICKET_LIFETIME.total_seconds() <= 300
    assert len(await read_trail(pool, tenant.id, 10, what=Act.PASSWORD_PROVED)) == 3


async def test_many_tries_of_a_ticket_at_once_are_no_more_than_in_a_row(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    ticket = await issue_ticket(pool, tenant.id, desk.person, None, None)
    answers = await asyncio.gather(*(try_ticket(pool, tenant.id, ticket) for _ in range(20)), return_exceptions=True)
    assert sum(not isinstance(one, TicketRefused) for one in answers) == ATTEMPTS_MAX


async def test_tickets_and_challenges_whose_time_is_over_are_forgotten(desk: Desk, pool: Pool, tenant: Tenant) -> None:
    live = await issue_ticket(pool, tenant.id, desk.person, None, None)
    async with in_tenant(pool, tenant.id) as connection:
        now = await connection.fetchval("select now()")
        for challenge, minutes in ((b"over", -1), (b"live", 1)):
            await connection.execute(
                "insert into spent_challenges values ($1, $2, $3)",
                tenant.id,
                challenge,
                now + datetime.timedelta(minutes=minutes),
            )
    await issue_ticket(pool, tenant.id, desk.person, None, None, now=now - 2 * TICKET_LIFETIME)
    assert await forget_tickets(pool, 1_000) >= 2
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from log_in_tickets") == 1
        assert await connection.fetchval("select array_agg(challenge) from spent_challenges") == [b"live"]
    assert (await try_ticket(pool, tenant.id, live)).person_id == desk.person

"""Tills in the database: paired once by a code, logged in by their key, changed and revoked."""

import asyncio
import datetime
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from core.audit.trail import By, read_trail
from core.database import Pool, acquire, in_tenant
from core.errors import Conflict, CoreError, CredentialsRefused, NotFound, Refusal
from core.keys.places import TERMINAL_NAME
from core.keys.safe import Safe
from core.machines.pairing import (
    ALPHABET,
    ATTEMPTS_MAX,
    LENGTH,
    OPEN_MAX,
    Proven,
    Replayed,
    Wanted,
    forget_codes,
    make_code,
    pair_terminal,
    read_code,
)
from core.machines.standing import Standing, read_standing
from core.machines.terminals import (
    TERMINALS_MAX,
    LoggedIn,
    Terminal,
    change_terminal,
    list_terminals,
    log_in_terminal,
    revoke_terminal,
)
from core.people.opening import Opened, Tenant, open_account, open_person
from core.people.persons import PersonStatus, Role
from core.people.roles import set_role
from core.people.sessions import find_revoked
from tests.core.people.standings import stand

NETWORK = "192.0.2.0/24"

Pair = Callable[..., Awaitable[Terminal]]


@pytest_asyncio.fixture
async def shop(keys: Safe, pool: Pool, tenant: Tenant) -> Opened:
    return await open_person(pool, keys, tenant.id, Role.MERCHANT, "A shop")


def proven(**changed: Any) -> Proven:
    """A key that nobody had before, with a proof that nobody gave."""
    fresh = Proven(secrets.token_urlsafe(32), "EdDSA", [secrets.token_hex(8) for _ in range(2)], time.time() + 60)
    return fresh._replace(**changed)


async def code_for(pool: Pool, keys: Safe, tenant: Tenant, shop: Opened, *, may_refund: bool = False) -> str:
    wanted = Wanted(shop.account_id, "Till 1", may_refund)
    return (await make_code(pool, keys, tenant.id, shop.person_id, wanted, By(shop.person_id))).code


@pytest.fixture
def pair(keys: Safe, pool: Pool, tenant: Tenant, shop: Opened) -> Pair:
    async def pair_(*, may_refund: bool = False, key: Proven | None = None) -> Terminal:
        code = await code_for(pool, keys, tenant, shop, may_refund=may_refund)
        return await pair_terminal(pool, keys, tenant.id, code, key or proven(), NETWORK)

    return pair_


async def log_in(pool: Pool, tenant: Tenant, terminal: str, thumbprint: str) -> LoggedIn | None:
    things = [secrets.token_hex(8)]
    return await log_in_terminal(pool, tenant.id, terminal, thumbprint, things, time.time() + 60, NETWORK)


async def refusal_of(work: Awaitable[Any]) -> CoreError:
    with pytest.raises(CoreError) as refused:
        await work
    return refused.value


def test_a_code_has_no_two_marks_that_look_alike() -> None:
    assert len({*ALPHABET}) == len(ALPHABET) == 25
    for alike in ("0O", "1IL", "2Z", "5S", "8B"):
        assert not {*alike} & {*ALPHABET}
    assert len(ALPHABET) ** LENGTH > 10**11


def test_a_code_is_read_as_people_type_it() -> None:
    assert read_code("acde-fghj") == read_code(" ACDE FGHJ ") == "ACDEFGHJ"
    for wrong in ("", "ACDEFGH", "ACDEFGHJK", "ACDEFGH0", "ACDEFGHÄ", "ACDEFGH\n", "A" * 100, "\u0131" * 8):
        assert read_code(wrong) is None


async def test_a_code_takes_one_till_in_for_the_account_it_was_made_for(
    keys: Safe, pool: Pool, tenant: Tenant, shop: Opened
) -> None:
    code = await code_for(pool, keys, tenant, shop, may_refund=True)
    key = proven()
    terminal = await pair_terminal(pool, keys, tenant.id, code.lower(), key, NETWORK)
    assert (terminal.person_id, terminal.account, terminal.name) == (*shop, "Till 1")
    assert (terminal.may_refund, terminal.algorithm, terminal.revoked_at) == (True, "EdDSA", None)
    assert await list_terminals(pool, keys, tenant.id, shop.person_id, By(shop.person_id)) == [terminal]
    assert await read_standing(pool, tenant.id, terminal.session_id) == Standing(None, shop.account_id)
    assert isinstance(
        await refusal_of(pair_terminal(pool, keys, tenant.id, code, proven(), NETWORK)), CredentialsRefused
    )
    logged_in = await log_in(pool, tenant, terminal.id, key.thumbprint)
    assert logged_in == LoggedIn(shop.person_id, shop.account_id, terminal.session_id, True)
    assert await find_revoked(pool, [(tenant.id, terminal.session_id)]) == []


async def test_of_many_tills_with_one_code_exactly_one_is_taken_in(
    keys: Safe, pool: Pool, tenant: Tenant, shop: Opened
) -> None:
    for _ in range(5):
        code = await code_for(pool, keys, tenant, shop)
        answers = await asyncio.gather(
            *(pair_terminal(pool, keys, tenant.id, code, proven(), NETWORK) for _ in range(5)), return_exceptions=True
        )
        assert sum(isinstance(answer, Terminal) for answer in answers) == 1
        assert sum(type(answer) is CredentialsRefused for answer in answers) == 4


async def test_a_code_is_found_by_nothing_that_the_database_holds(
    keys: Safe, other_tenant: Tenant, pool: Pool, tenant: Tenant, shop: Opened
) -> None:
    made = await make_code(
        pool, keys, tenant.id, shop.person_id, Wanted(shop.account_id, "Till", False), By(shop.person_id)
    )
    assert made.code not in repr(made)
    async with in_tenant(pool, tenant.id) as connection:
        for table in ("pairing_codes", "audit_entries"):
            text = await connection.fetchval(f"select string_agg({table}::text, ' ') from {table}")
            assert made.code not in text
    # Another tenant's key finds nothing, either.
    assert isinstance(
        await refusal_of(pair_terminal(pool, keys, other_tenant.id, made.code, proven(), NETWORK)), CredentialsRefused
    )
    await pair_terminal(pool, keys, tenant.id, made.code, proven(), NETWORK)


async def test_a_code_is_over_after_ten_minutes(
    keys: Safe, pool: Pool, tenant: Tenant, shop: Opened, admin: Pool
) -> None:
    early, late = await code_for(pool, keys, tenant, shop), await code_for(pool, keys, tenant, shop)
    for code, age in ((early, "9 minutes 50 seconds"), (late, "10 minutes")):
        await admin.execute(
            f"update pairing_codes set expires_at = expires_at - interval '{age}'"
            " where tenant_id = $1 and used_at is null",
            tenant.id,
        )
        work = pair_terminal(pool, keys, tenant.id, code, proven(), NETWORK)
        if code == early:
            await work
        else:
            assert isinstance(await refusal_of(work), CredentialsRefused)


async def test_a_code_survives_few_tills_that_do_not_prove_their_key(
    keys: Safe, pool: Pool, tenant: Tenant, shop: Opened
) -> None:
    saved, lost = await code_for(pool, keys, tenant, shop), await code_for(pool, keys, tenant, shop)
    for code, tries in ((saved, ATTEMPTS_MAX - 1), (lost, ATTEMPTS_MAX)):
        for _ in range(tries):
            assert (
                type(await refusal_of(pair_terminal(pool, keys, tenant.id, code, None, NETWORK))) is CredentialsRefused
            )
    await pair_terminal(pool, keys, tenant.id, saved, proven(), NETWORK)
    assert isinstance(
        await refusal_of(pair_terminal(pool, keys, tenant.id, lost, proven(), NETWORK)), CredentialsRefused
    )


async def test_a_proof_that_was_used_pairs_nothing_and_costs_a_try(
    keys: Safe, pool: Pool, tenant: Tenant, shop: Opened
) -> None:
    key = proven()
    await pair_terminal(pool, keys, tenant.id, await code_for(pool, keys, tenant, shop), key, NETWORK)
    code = await code_for(pool, keys, tenant, shop)
    for _ in range(ATTEMPTS_MAX):
        again = proven(things=key.things)
        assert isinstance(await refusal_of(pair_terminal(pool, keys, tenant.id, code, again, NETWORK)), Replayed)
    assert isinstance(
        await refusal_of(pair_terminal(pool, keys, tenant.id, code, proven(), NETWORK)), CredentialsRefused
    )


async def test_a_key_is_one_till_as_long_as_it_lives(keys: Safe, pool: Pool, tenant: Tenant, pair: Pair) -> None:
    key = proven()
    first = await pair(key=key)
    again = proven(thumbprint=key.thumbprint)
    assert isinstance(await refusal_of(pair(key=again)), Conflict)
    await revoke_terminal(pool, keys, tenant.id, first.id, By())
    second = await pair(key=proven(thumbprint=key.thumbprint))
    assert second.id != first.id
    assert isinstance(await refusal_of(log_in(pool, tenant, first.id, key.thumbprint)), CredentialsRefused)
    assert await log_in(pool, tenant, second.id, key.thumbprint) is not None


async def test_whatever_is_wrong_with_a_till_reads_alike(
    keys: Safe, pool: Pool, tenant: Tenant, other_tenant: Tenant, pair: Pair, shop: Opened
) -> None:
    key, other = proven(), proven()
    terminal, revoked = await pair(key=key), await pair(key=other)
    await revoke_terminal(pool, keys, tenant.id, revoked.id, By())
    refusals = [
        await refusal_of(log_in(pool, where, which, thumbprint))
        for where, which, thumbprint in (
            (tenant, str(uuid.uuid4()), key.thumbprint),
            (tenant, terminal.id, other.thumbprint),
            (tenant, revoked.id, other.thumbprint),
            (other_tenant, terminal.id, key.thumbprint),
        )
    ]
    await stand(pool, tenant.id, shop.person_id, PersonStatus.BLOCKED)
    refusals.append(await refusal_of(log_in(pool, tenant, terminal.id, key.thumbprint)))
    assert {(type(one), str(one)) for one in refusals} == {(CredentialsRefused, str(CredentialsRefused()))}


async def test_a_till_is_silent_while_its_merchant_is_blocked_and_over_when_they_are_closed(
    keys: Safe, pool: Pool, tenant: Tenant, pair: Pair, shop: Opened
) -> None:
    key = proven()
    terminal = await pair(key=key)
    first = await log_in(pool, tenant, terminal.id, key.thumbprint)
    assert first is not None
    code = await code_for(pool, keys, tenant, shop)
    assert (await stand(pool, tenant.id, shop.person_id, PersonStatus.BLOCKED)).ended == [first.session_id]
    assert await find_revoked(pool, [(tenant.id, first.session_id)]) == [(tenant.id, first.session_id)]
    refused = await refusal_of(pair_terminal(pool, keys, tenant.id, code, proven(), NETWORK))
    assert isinstance(refused, CredentialsRefused)
    await stand(pool, tenant.id, shop.person_id, PersonStatus.ACTIVE)
    assert await log_in(pool, tenant, terminal.id, key.thumbprint) == first
    await stand(pool, tenant.id, shop.person_id, PersonStatus.CLOSED)
    assert isinstance(await refusal_of(log_in(pool, tenant, terminal.id, key.thumbprint)), CredentialsRefused)
    (listed,) = await list_terminals(pool, keys, tenant.id, shop.person_id, By(shop.person_id))
    assert listed.revoked_at is not None


async def test_tills_and_codes_end_with_being_a_merchant(
    keys: Safe, pool: Pool, tenant: Tenant, pair: Pair, shop: Opened
) -> None:
    operator = By((await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olívia")).person_id)
    key = proven()
    terminal, code = await pair(key=key), await code_for(pool, keys, tenant, shop)
    for role in (Role.CUSTOMER, Role.MERCHANT):
        await set_role(pool, tenant.id, shop.person_id, role, operator)
        assert isinstance(await refusal_of(log_in(pool, tenant, terminal.id, key.thumbprint)), CredentialsRefused)
        refused = await refusal_of(pair_terminal(pool, keys, tenant.id, code, proven(), NETWORK))
        assert isinstance(refused, CredentialsRefused)


async def test_what_others_are_shown_of_tills_is_written_down(
    keys: Safe, pool: Pool, tenant: Tenant, pair: Pair, shop: Opened
) -> None:
    await pair()
    operator = By(str(uuid.uuid4()))
    for by in (By(shop.person_id), operator):
        await list_terminals(pool, keys, tenant.id, shop.person_id, by)
    (entry,) = await read_trail(pool, tenant.id, 50, what="personal_data.read")
    assert (entry.who, entry.about, entry.details) == (operator.person_id, shop.person_id, {"terminals": 1})


async def test_a_login_uses_its_proof_up(pool: Pool, tenant: Tenant, pair: Pair) -> None:
    key = proven()
    terminal = await pair(key=key)
    arguments = (tenant.id, terminal.id, key.thumbprint, ["nonce", "jti"], time.time() + 60, NETWORK)
    answers = await asyncio.gather(*(log_in_terminal(pool, *arguments) for _ in range(6)))
    assert sum(answer is not None for answer in answers) == 1


async def test_another_right_is_another_session(
    keys: Safe, pool: Pool, tenant: Tenant, pair: Pair, shop: Opened
) -> None:
    key = proven()
    terminal = await pair(key=key)
    renamed, ended = await change_terminal(pool, keys, tenant.id, terminal.id, "Till 2", None, By(shop.person_id))
    assert (renamed, ended) == (terminal._replace(name="Till 2"), None)
    allowed, ended = await change_terminal(pool, keys, tenant.id, terminal.id, None, True, By(shop.person_id))
    assert (allowed.may_refund, ended) == (True, terminal.session_id)
    assert await find_revoked(pool, [(tenant.id, terminal.session_id), (tenant.id, allowed.session_id)]) == [
        (tenant.id, terminal.session_id)
    ]
    logged_in = await log_in(pool, tenant, terminal.id, key.thumbprint)
    assert logged_in is not None
    assert (logged_in.session_id, logged_in.may_refund) == (allowed.session_id, True)
    assert await read_standing(pool, tenant.id, terminal.session_id) is None
    # What stays as it was changes nothing.
    assert (await change_terminal(pool, keys, tenant.id, terminal.id, "Till 2", True, By()))[1] is None


async def test_a_revoked_till_stays_so(keys: Safe, pool: Pool, tenant: Tenant, pair: Pair) -> None:
    terminal = await pair()
    first = await revoke_terminal(pool, keys, tenant.id, terminal.id, By())
    assert (await revoke_terminal(pool, keys, tenant.id, terminal.id, By())).revoked_at == first.revoked_at is not None
    with pytest.raises(NotFound):
        await change_terminal(pool, keys, tenant.id, terminal.id, "Alive", None, By())
    assert await find_revoked(pool, [(tenant.id, terminal.session_id)]) == [(tenant.id, terminal.session_id)]


async def test_another_merchants_till_is_like_none(
    keys: Safe, pool: Pool, tenant: Tenant, other_tenant: Tenant, pair: Pair
) -> None:
    terminal = await pair()
    for tenant_id, which, whose in (
        (tenant.id, terminal.id, str(uuid.uuid4())),
        (tenant.id, str(uuid.uuid4()), None),
        (other_tenant.id, terminal.id, None),
    ):
        with pytest.raises(NotFound):
            await revoke_terminal(pool, keys, tenant_id, which, By(), whose=whose)
        with pytest.raises(NotFound):
            await change_terminal(pool, keys, tenant_id, which, "Mine", None, By(), whose=whose)


async def test_a_code_is_for_a_merchant_and_an_account_of_theirs(
    keys: Safe, pool: Pool, tenant: Tenant, other_tenant: Tenant, shop: Opened
) -> None:
    customer = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Somebody")
    rival = await open_person(pool, keys, tenant.id, Role.MERCHANT, "A rival")
    foreign = await open_person(pool, keys, other_tenant.id, Role.MERCHANT, "There")
    second = await open_account(pool, tenant.id, shop.person_id)
    for person, account, field in (
        (customer.person_id, customer.account_id, "person"),
        (foreign.person_id, foreign.account_id, "person"),
        (str(uuid.uuid4()), shop.account_id, "person"),
        (shop.person_id, rival.account_id, "account"),
        (shop.person_id, foreign.account_id, "account"),
        (shop.person_id, 1, "account"),
    ):
        refused = await refusal_of(make_code(pool, keys, tenant.id, person, Wanted(account, "x", False), By(person)))
        assert isinstance(refused, Refusal)
        assert (refused.code, refused.field) == ("not_found", field)
    await make_code(pool, keys, tenant.id, shop.person_id, Wanted(second, "x", False), By(shop.person_id))


async def test_a_merchant_has_so_many_open_codes_and_no_more(
    keys: Safe, pool: Pool, tenant: Tenant, shop: Opened
) -> None:
    answers = await asyncio.gather(
        *(code_for(pool, keys, tenant, shop) for _ in range(OPEN_MAX + 4)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert [one.code for one in refused] == ["too_many_terminals"] * 4


async def test_a_merchant_has_so_many_tills_and_no_more(keys: Safe, pool: Pool, tenant: Tenant, shop: Opened) -> None:
    code = await code_for(pool, keys, tenant, shop)
    cipher = await keys.one(tenant.id, shop.person_id)
    ids = [str(uuid.uuid4()) for _ in range(TERMINALS_MAX)]
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute(
            "insert into terminals (tenant_id, id, person_id, account_id, session_id, name_sealed, may_refund, algorithm,"
            " thumbprint) select $1, id, $2, $3, gen_random_uuid(), name, false, 'ES256', rpad(at::text, 43, 'x')"
            " from unnest($4::uuid[], $5::bytea[]) with ordinality as made (id, name, at)",
            tenant.id,
            *shop,
            ids,
            [cipher.seal(*TERMINAL_NAME.at(one), "A till") for one in ids],
        )
    refused = await refusal_of(pair_terminal(pool, keys, tenant.id, code, proven(), NETWORK))
    assert isinstance(refused, Refusal)
    assert refused.code == "too_many_terminals"
    assert isinstance(await refusal_of(code_for(pool, keys, tenant, shop)), Refusal)
    one = (await list_terminals(pool, keys, tenant.id, shop.person_id, By(shop.person_id)))[0]
    await revoke_terminal(pool, keys, tenant.id, one.id, By())
    await pair_terminal(pool, keys, tenant.id, code, proven(), NETWORK)


async def test_every_step_is_in_the_trail(keys: Safe, pool: Pool, tenant: Tenant, pair: Pair, shop: Opened) -> None:
    key = proven()
    terminal = await pair(key=key)
    await log_in(pool, tenant, terminal.id, key.thumbprint)
    await change_terminal(pool, keys, tenant.id, terminal.id, "zq-canary", True, By(shop.person_id))
    await revoke_terminal(pool, keys, tenant.id, terminal.id, By(shop.person_id))
    entries = [*reversed(await read_trail(pool, tenant.id, 50))]
    assert [(entry.what, entry.about) for entry in entries] == [
        ("terminal.code_made", shop.person_id),
        ("terminal.paired", terminal.id),
        ("terminal.used", terminal.id),
        ("terminal.changed", terminal.id),
        ("terminal.revoked", terminal.id),
    ]
    assert (entries[2].who, entries[2].session_id, entries[2].network) == (
        shop.person_id,
        terminal.session_id,
        NETWORK,
    )
    assert "zq-canary" not in str(entries)


async def test_a_worker_forgets_codes_that_are_long_over(
    keys: Safe, pool: Pool, tenant: Tenant, shop: Opened, admin: Pool
) -> None:
    old, young = await code_for(pool, keys, tenant, shop), await code_for(pool, keys, tenant, shop)
    async with acquire(admin) as connection:
        await connection.execute(
            "update pairing_codes set expires_at = now() - interval '2 days' where tenant_id = $1 and hash <> $2",
            tenant.id,
            await connection.fetchval("select max(hash) from pairing_codes where tenant_id = $1", tenant.id),
        )
    await forget_codes(pool, datetime.timedelta(days=1), 10_000)
    outcomes = [
        await asyncio.gather(pair_terminal(pool, keys, tenant.id, code, proven(), NETWORK), return_exceptions=True)
        for code in (old, young)
    ]
    assert sorted(isinstance(outcome[0], Terminal) for outcome in outcomes) == [False, True]


async def test_the_serving_role_cannot_move_a_till_to_another_key_or_account(
    pool: Pool, tenant: Tenant, pair: Pair
) -> None:
    await pair()
    for change in ("thumbprint = ''", "account_id = 1", "person_id = id", "algorithm = 'ES256'"):
        with pytest.raises(Exception, match="permission denied"):
            async with acquire(pool) as connection:
                await connection.execute(f"update terminals set {change}")

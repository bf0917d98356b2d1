import asyncio
import itertools
import re
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from core.database import Pool, in_tenant
from core.errors import Conflict, NotFound, Unavailable
from core.keys.safe import Safe
from core.nouns import BALANCE_MAX, AccountStatus, SystemAccount
from core.people import opening
from core.people.credentials import check_password
from core.people.opening import (
    Tenant,
    create_tenant,
    find_tenant,
    list_accounts,
    open_account,
    open_people,
    open_person,
    read_tenant,
    set_floor,
)
from core.people.persons import Role, read_person

PASSWORD = "correct horse battery"


async def test_a_tenant_is_found_by_its_slug_before_any_is_named(pool: Pool, tenant: Tenant) -> None:
    assert await find_tenant(pool, tenant.slug) == tenant


@pytest.mark.parametrize("slug", ["nobody-has-this", "", "a\x00b", "ü", "' or true --", "a" * 10_000, "*"])
async def test_an_unknown_slug_is_none(pool: Pool, slug: str) -> None:
    assert await find_tenant(pool, slug) is None


async def test_a_tenant_opens_with_its_four_books_and_no_owner(pool: Pool, tenant: Tenant) -> None:
    async with in_tenant(pool, tenant.id) as connection:
        rows = await connection.fetch("select id, person_id, floor, balance, status from accounts order by id")
    assert [tuple(row) for row in rows] == [
        (account, None, -BALANCE_MAX, 0, AccountStatus.OPEN) for account in sorted(SystemAccount)
    ]


async def test_a_taken_slug_is_a_conflict(admin: Pool, tenant: Tenant) -> None:
    with pytest.raises(Conflict):
        await create_tenant(admin, tenant.slug, "Again", "BRL", "UTC")


@pytest.mark.parametrize(
    ("slug", "name", "currency", "time_zone", "said"),
    [
        ("Not Plain", "Name", "BRL", "UTC", "slug_is_plain"),
        ("fine-slug", "", "BRL", "UTC", "name_has_a_length"),
        ("fine-slug", "Name", "brl", "UTC", "currency_is_iso_4217"),
        ("fine-slug", "Name", "BRL", "FOO3", "time zone"),
        ("fine-slug", "Name", "BRL", "America/Atlantis", "time zone"),
    ],
)
async def test_a_tenant_that_breaks_a_rule_is_refused_by_name(
    admin: Pool, slug: str, name: str, currency: str, time_zone: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        await create_tenant(admin, slug, name, currency, time_zone)


async def test_a_tenant_lives_by_the_holidays_of_its_country(admin: Pool, pool: Pool) -> None:
    made = await create_tenant(admin, f"country-{uuid.uuid4().hex[:12]}", "Name", "EUR", "Europe/Lisbon", "PT")
    assert made.country == "PT"
    assert await find_tenant(pool, made.slug) == await read_tenant(pool, made.id) == made
    with pytest.raises(ValueError, match="country_is_iso_3166_1"):
        await create_tenant(admin, "fine-slug", "Name", "EUR", "UTC", "pt")


async def test_the_serving_role_cannot_create_a_tenant(pool: Pool) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetchval("select create_tenant('a-tenant', 'A', 'BRL', 'UTC', '{1}', 0)")


async def test_a_person_opens_with_a_profile_and_one_empty_account(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.MERCHANT, "  Padaria   do Zé ")
    person = await read_person(pool, keys, tenant.id, opened.person_id)
    assert (person.role, person.display_name) == (Role.MERCHANT, "Padaria do Zé")
    (account,) = await list_accounts(pool, tenant.id, opened.person_id)
    assert account == (opened.account_id, opened.person_id, AccountStatus.OPEN, 0, 0, 0, 0)
    assert re.fullmatch("[1-9][0-9]{11}", str(opened.account_id))


async def test_a_taken_login_is_a_conflict_and_leaves_nothing_behind(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana", "ana@example.com", PASSWORD)
    with pytest.raises(Conflict) as refused:
        await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Another Ana", " ANA@Example.com ", PASSWORD)
    assert "ana@" not in str(refused.value)
    assert refused.value.__context__ is None
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from persons") == 1
        assert await connection.fetchval("select count(*) from accounts where person_id is not null") == 1


async def test_two_tenants_may_have_the_same_login(
    pool: Pool, tenant: Tenant, other_tenant: Tenant, keys: Safe
) -> None:
    here = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana", "ana", PASSWORD)
    there = await open_person(pool, keys, other_tenant.id, Role.CUSTOMER, "Ana", "ana", PASSWORD)
    assert await check_password(pool, keys, tenant.id, "ana", PASSWORD) == here.person_id
    assert await check_password(pool, keys, other_tenant.id, "ana", PASSWORD) == there.person_id


@pytest.mark.parametrize(
    "name",
    ["", "   ", "x" * 101, "a\nb", "a\x00b", "\x1b[31mred", "evil\u202egnp", "\ud800", "a\u2028b", "\u2066x"],
)
async def test_a_display_name_that_could_deceive_is_refused(pool: Pool, tenant: Tenant, name: str, keys: Safe) -> None:
    with pytest.raises(ValueError, match="display name"):
        await open_person(pool, keys, tenant.id, Role.CUSTOMER, name)


async def test_a_login_without_a_password_is_refused(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    with pytest.raises(ValueError, match="together"):
        await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana", "ana")


async def test_thousands_of_people_open_in_order(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    names = [f"Person {number}" for number in range(2_000)]
    opened = await open_people(pool, keys, tenant.id, Role.CUSTOMER, names)
    assert len({one.account_id for one in opened}) == len({one.person_id for one in opened}) == 2_000
    for at in (0, 999, 1_999):
        assert (await read_person(pool, keys, tenant.id, opened[at].person_id)).display_name == names[at]
        (account,) = await list_accounts(pool, tenant.id, opened[at].person_id)
        assert account.id == opened[at].account_id


async def test_nobody_opens_as_nobody(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    assert await open_people(pool, keys, tenant.id, Role.CUSTOMER, []) == []


async def test_a_taken_account_number_is_drawn_again(
    pool: Pool, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, keys: Safe
) -> None:
    taken = (await open_person(pool, keys, tenant.id, Role.CUSTOMER, "First")).account_id
    draws = itertools.chain([taken, taken], itertools.count(taken + 1 if taken % 2 else taken - 1_000_000))
    monkeypatch.setattr(opening, "_draw_account_number", lambda: next(draws))
    second = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Second")
    assert second.account_id != taken
    third, fourth = await open_people(pool, keys, tenant.id, Role.CUSTOMER, ["Third", "Fourth"])
    assert len({taken, second.account_id, third.account_id, fourth.account_id}) == 4


async def test_one_number_drawn_for_two_people_opens_both(
    pool: Pool, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, keys: Safe
) -> None:
    draws = iter([500_000_000_001, 500_000_000_001, 500_000_000_002])
    monkeypatch.setattr(opening, "_draw_account_number", lambda: next(draws))
    opened = await open_people(pool, keys, tenant.id, Role.CUSTOMER, ["One", "Two"])
    assert {one.account_id for one in opened} == {500_000_000_001, 500_000_000_002}


async def test_a_generator_that_only_draws_taken_numbers_is_given_up(
    pool: Pool, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, keys: Safe
) -> None:
    taken = (await open_person(pool, keys, tenant.id, Role.CUSTOMER, "First")).account_id
    monkeypatch.setattr(opening, "_draw_account_number", lambda: taken)
    with pytest.raises(Unavailable):
        await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Second")


async def test_a_person_may_have_several_accounts(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    second = await open_account(pool, tenant.id, opened.person_id, floor=-5_000)
    accounts = await list_accounts(pool, tenant.id, opened.person_id)
    assert [(account.id, account.floor) for account in accounts] == [(opened.account_id, 0), (second, -5_000)]


async def test_an_overdraft_changes_live(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    for floor in (-10_000, -BALANCE_MAX, 0):
        await set_floor(pool, tenant.id, opened.account_id, floor)
        (account,) = await list_accounts(pool, tenant.id, opened.person_id)
        assert (account.floor, account.version) == (floor, 0)


@pytest.mark.parametrize("floor", [1, -BALANCE_MAX - 1])
async def test_a_floor_out_of_bounds_is_refused_here_and_in_the_database(
    pool: Pool, tenant: Tenant, floor: int, keys: Safe
) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    with pytest.raises(ValueError, match="floor"):
        await set_floor(pool, tenant.id, opened.account_id, floor)
    with pytest.raises(ValueError, match="floor"):
        await open_account(pool, tenant.id, opened.person_id, floor)
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.fetchval("select set_floor($1, $2, $3)", tenant.id, opened.account_id, floor)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.fetch(
                "select open_accounts($1, $2, $3, $4)", tenant.id, [opened.person_id], [10**11], floor
            )


async def test_the_tenants_own_books_cannot_be_floored_or_opened_again(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    for account in SystemAccount:
        with pytest.raises(NotFound):
            await set_floor(pool, tenant.id, account, 0)
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.fetch("select open_accounts($1, $2, '{5}', 0)", tenant.id, [opened.person_id])


async def test_another_tenants_ids_are_like_ids_that_do_not_exist(
    pool: Pool, tenant: Tenant, other_tenant: Tenant, keys: Safe
) -> None:
    theirs = await open_person(pool, keys, other_tenant.id, Role.CUSTOMER, "Theirs")
    asks: list[Callable[[str, int], Awaitable[object]]] = [
        lambda person, _: open_account(pool, tenant.id, person),
        lambda _, account: set_floor(pool, tenant.id, account, -1),
        lambda person, _: read_person(pool, keys, tenant.id, person),
    ]
    for ask in asks:
        answers = []
        for person, account in (theirs, (str(uuid.uuid4()), 123_456_789_012)):
            with pytest.raises(NotFound) as refused:
                await ask(person, account)
            answers.append(str(refused.value))
        assert answers[0] == answers[1]
    assert await list_accounts(pool, tenant.id, theirs.person_id) == []
    (untouched,) = await list_accounts(pool, other_tenant.id, theirs.person_id)
    assert untouched.floor == 0


async def test_the_database_itself_opens_nothing_for_another_tenants_person(
    pool: Pool, tenant: Tenant, other_tenant: Tenant, keys: Safe
) -> None:
    theirs = await open_person(pool, keys, other_tenant.id, Role.CUSTOMER, "Theirs")
    async with pool.acquire() as connection:
        rows = await connection.fetch(
            "select open_accounts($1, $2, '{700000000000}', 0)", tenant.id, [theirs.person_id]
        )
    assert rows == []


async def test_the_serving_role_cannot_write_accounts_itself(pool: Pool, tenant: Tenant) -> None:
    async with in_tenant(pool, tenant.id) as connection:
        granted = await connection.fetchval(
            "select has_table_privilege('accounts', 'insert') or has_table_privilege('accounts', 'update')"
            " or has_table_privilege('accounts', 'delete') or has_table_privilege('accounts', 'truncate')"
        )
    assert granted is False


async def test_people_open_at_the_same_time(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    opened = await asyncio.gather(*(open_person(pool, keys, tenant.id, Role.CUSTOMER, f"P{at}") for at in range(50)))
    assert len({one.account_id for one in opened}) == 50

import uuid

import pytest

from core.database import Pool, in_tenant
from core.errors import NotFound
from core.keys.safe import Safe
from core.nouns import SystemAccount
from core.people.opening import Tenant, open_people, open_person
from core.people.persons import (
    Person,
    PersonStatus,
    Role,
    normalise_display_name,
    read_payee_name,
    read_payee_names,
    read_person,
)
from tests.core.people.standings import stand


async def test_a_person_reads_back_with_role_status_and_name(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olga")
    assert await read_person(pool, keys, tenant.id, opened.person_id) == Person(
        opened.person_id, Role.OPERATOR, PersonStatus.ACTIVE, "Olga"
    )


async def test_an_erased_profile_leaves_a_person_without_a_name(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    async with in_tenant(pool, tenant.id) as connection:
        await connection.execute("delete from profiles where person_id = $1", opened.person_id)
    assert (await read_person(pool, keys, tenant.id, opened.person_id)).display_name is None
    with pytest.raises(NotFound):
        await read_payee_name(pool, keys, tenant.id, opened.account_id)


async def test_a_status_changes_and_an_unknown_person_is_not_found(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    opened = await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    await stand(pool, tenant.id, opened.person_id, PersonStatus.BLOCKED)
    assert (await read_person(pool, keys, tenant.id, opened.person_id)).status is PersonStatus.BLOCKED
    with pytest.raises(NotFound):
        await stand(pool, tenant.id, str(uuid.uuid4()), PersonStatus.CLOSED)


async def test_a_payee_is_named_by_account_number(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    ana, rui = await open_people(pool, keys, tenant.id, Role.CUSTOMER, ["Ana", "Rui"])
    assert await read_payee_name(pool, keys, tenant.id, ana.account_id) == "Ana"
    names = await read_payee_names(pool, keys, tenant.id, [ana.account_id, rui.account_id, SystemAccount.FEES, 77])
    assert names == {ana.account_id: "Ana", rui.account_id: "Rui"}


async def test_the_books_and_unknown_accounts_have_no_payee(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    for account in (SystemAccount.CASH_IN, 999_999_999_999, 0, -1):
        with pytest.raises(NotFound):
            await read_payee_name(pool, keys, tenant.id, account)


async def test_another_tenants_people_cannot_be_seen_or_changed(
    pool: Pool, tenant: Tenant, other_tenant: Tenant, keys: Safe
) -> None:
    theirs = await open_person(pool, keys, other_tenant.id, Role.CUSTOMER, "Theirs")
    with pytest.raises(NotFound):
        await read_person(pool, keys, tenant.id, theirs.person_id)
    with pytest.raises(NotFound):
        await read_payee_name(pool, keys, tenant.id, theirs.account_id)
    with pytest.raises(NotFound):
        await stand(pool, tenant.id, theirs.person_id, PersonStatus.BLOCKED)
    assert await read_payee_names(pool, keys, tenant.id, [theirs.account_id]) == {}
    assert (await read_person(pool, keys, other_tenant.id, theirs.person_id)).status is PersonStatus.ACTIVE


async def test_no_person_can_be_seen_without_naming_a_tenant(pool: Pool, tenant: Tenant, keys: Safe) -> None:
    await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")
    async with pool.acquire() as connection:
        for table in ("persons", "profiles", "credentials", "sessions", "refresh_tokens", "tenants"):
            assert await connection.fetchval(f"select count(*) from {table}") == 0


def test_names_of_many_scripts_are_kept() -> None:
    for name in ("José", "王小明", "नेहा", "مریم\u200cگل", "👩‍👩‍👧 Bakery", "O'Neill & Sons <b>"):
        assert normalise_display_name(name) == name


def test_a_name_is_composed() -> None:
    assert normalise_display_name("Jose\u0301") == "José"

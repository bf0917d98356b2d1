"""People who are known elsewhere: who they are here, and what the database knows of it."""

import asyncio
import time
import uuid
from typing import Any

import pytest
import pytest_asyncio

from core.audit.trail import By, read_trail
from core.database import Pool, in_tenant
from core.errors import Conflict, CoreError, NotFound, Refusal
from core.keys.safe import Safe
from core.people.external import NAMELESS, Identity, Known, NonceUsed, come_in, link, unlink
from core.people.fields import Kind
from core.people.opening import Tenant, open_person
from core.people.persons import PersonStatus, Role, read_person
from core.people.providers import (
    PROVIDERS_MAX,
    Provider,
    list_providers,
    read_provider,
    remove_provider,
    set_provider,
)
from core.people.settings import DEFAULT, PeopleSettings, set_settings
from tests.core.people.standings import stand

NETWORK = "192.0.2.0/24"
BANK = Provider("bank", "https://id.bank.example", "payhub", "sub", False, ["RS256", "ES256"], True, False)
STAFF = Provider("staff", "https://id.staff.example", "payhub", "email", True, ["EdDSA"], False, False)


def identity(value: str = "248289761001", name: str | None = "Jane Doe") -> Identity:
    return Identity(value, name, str(uuid.uuid4()), time.time() + 600)


@pytest_asyncio.fixture
async def bank(pool: Pool, tenant: Tenant) -> Provider:
    await set_provider(pool, tenant.id, BANK, By())
    return BANK


@pytest_asyncio.fixture
async def staff(pool: Pool, tenant: Tenant) -> Provider:
    await set_provider(pool, tenant.id, STAFF, By())
    return STAFF


async def refusal(work: Any) -> CoreError:
    with pytest.raises(CoreError) as refused:
        await work
    return refused.value


async def test_somebody_unknown_becomes_a_customer_and_is_known_from_then_on(
    pool: Pool, keys: Safe, tenant: Tenant, bank: Provider
) -> None:
    first = await come_in(pool, keys, tenant.id, bank, identity(), NETWORK)
    again = await come_in(pool, keys, tenant.id, bank, identity(), NETWORK)
    assert first == again == Known(first.person_id, Role.CUSTOMER)
    assert (await read_person(pool, keys, tenant.id, first.person_id)).display_name == "Jane Doe"
    other = await come_in(pool, keys, tenant.id, bank, identity("248289761002", None), NETWORK)
    assert other.person_id != first.person_id
    assert (await read_person(pool, keys, tenant.id, other.person_id)).display_name == NAMELESS
    odd = await come_in(pool, keys, tenant.id, bank, identity("3", "\u202egpj.exe"), NETWORK)
    assert (await read_person(pool, keys, tenant.id, odd.person_id)).display_name == NAMELESS


@pytest.mark.parametrize(
    "settings",
    [DEFAULT, DEFAULT._replace(customers_begin_pending=True), DEFAULT._replace(customers_need=(Kind.CPF,))],
    ids=["default", "pending", "short of a field"],
)
async def test_a_provider_opens_nobody_past_what_the_tenant_asks_of_its_customers(
    pool: Pool, keys: Safe, tenant: Tenant, bank: Provider, settings: PeopleSettings
) -> None:
    await set_settings(pool, tenant.id, settings, By())
    known = await come_in(pool, keys, tenant.id, bank, identity(), NETWORK)
    wanted = PersonStatus.ACTIVE if settings == DEFAULT else PersonStatus.PENDING
    assert (await read_person(pool, keys, tenant.id, known.person_id)).status is wanted


async def test_of_many_first_times_at_once_one_person_comes(
    pool: Pool, keys: Safe, tenant: Tenant, bank: Provider
) -> None:
    for at in range(5):
        answers = await asyncio.gather(
            *(come_in(pool, keys, tenant.id, bank, identity(f"crowd-{at}"), NETWORK) for _ in range(6))
        )
        assert len({known.person_id for known in answers}) == 1
    async with in_tenant(pool, tenant.id) as connection:
        # Nobody was opened for nothing.
        assert await connection.fetchval("select count(*) from persons") == 5


async def test_a_nonce_lets_one_in(pool: Pool, keys: Safe, tenant: Tenant, bank: Provider) -> None:
    one = identity()
    answers = await asyncio.gather(
        *(come_in(pool, keys, tenant.id, bank, one, NETWORK) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(answer, Known) for answer in answers) == 1
    assert sum(isinstance(answer, NonceUsed) for answer in answers) == 4
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from persons") == 1


async def test_without_leave_to_open_people_the_unknown_are_refused(
    pool: Pool, keys: Safe, tenant: Tenant, bank: Provider
) -> None:
    closed = bank._replace(opens_people=False)
    refused = await refusal(come_in(pool, keys, tenant.id, closed, identity(), NETWORK))
    assert isinstance(refused, Refusal)
    assert refused.code == "identity_unknown"
    person = (await open_person(pool, keys, tenant.id, Role.MERCHANT, "A shop")).person_id
    await link(pool, keys, tenant.id, closed, person, "248289761001", By())
    assert await come_in(pool, keys, tenant.id, closed, identity(), NETWORK) == Known(person, Role.MERCHANT)


async def test_an_identity_is_its_providers_own(pool: Pool, keys: Safe, tenant: Tenant, bank: Provider) -> None:
    first = await come_in(pool, keys, tenant.id, bank, identity(), NETWORK)
    for other in (
        bank._replace(issuer="https://id.bank.example.evil.io"),
        bank._replace(claim="email"),
        bank._replace(issuer="https://id.bank.example\nsub"),
    ):
        assert (await come_in(pool, keys, tenant.id, other, identity(), NETWORK)).person_id != first.person_id
    # In other letters it is somebody else: `sub` is case-sensitive (OpenID Connect Core, 2).
    upper, lower = [await come_in(pool, keys, tenant.id, bank, identity(one), NETWORK) for one in ("ANA", "ana")]
    assert upper != lower


async def test_a_login_of_ours_is_found_and_linked(pool: Pool, keys: Safe, tenant: Tenant, staff: Provider) -> None:
    password = "a long enough password"
    person = (await open_person(pool, keys, tenant.id, Role.MERCHANT, "Ana", "ana@shop.example", password)).person_id
    first = await come_in(pool, keys, tenant.id, staff, identity("Ana@Shop.example"), NETWORK)
    assert first == Known(person, Role.MERCHANT)
    assert await come_in(pool, keys, tenant.id, staff, identity("ana@shop.example"), NETWORK) == first
    for unknown in ("bruno@shop.example", "no login at all", "", "é@x"):
        refused = await refusal(come_in(pool, keys, tenant.id, staff, identity(unknown), NETWORK))
        assert isinstance(refused, Refusal)
        assert refused.code == "identity_unknown"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.SUPPORT])
async def test_staff_comes_in_where_that_was_said(
    pool: Pool, keys: Safe, tenant: Tenant, staff: Provider, role: Role
) -> None:
    password = "a long enough password"
    person = (await open_person(pool, keys, tenant.id, role, "Olívia", "root@x.example", password)).person_id
    refused = await refusal(come_in(pool, keys, tenant.id, staff, identity("root@x.example"), NETWORK))
    assert isinstance(refused, Refusal)
    trusted = staff._replace(admits_operators=True)
    assert await come_in(pool, keys, tenant.id, trusted, identity("root@x.example"), NETWORK) == Known(person, role)
    # Taken back, it holds for who is linked, too.
    assert isinstance(
        await refusal(come_in(pool, keys, tenant.id, staff, identity("root@x.example"), NETWORK)), Refusal
    )


async def test_whoever_is_blocked_comes_in_as_by_a_password_and_who_is_closed_does_not(
    pool: Pool, keys: Safe, tenant: Tenant, bank: Provider
) -> None:
    known = await come_in(pool, keys, tenant.id, bank, identity(), NETWORK)
    for status in (PersonStatus.PENDING, PersonStatus.BLOCKED):
        await stand(pool, tenant.id, known.person_id, status)
        assert await come_in(pool, keys, tenant.id, bank, identity(), NETWORK) == known
    await stand(pool, tenant.id, known.person_id, PersonStatus.CLOSED)
    refused = await refusal(come_in(pool, keys, tenant.id, bank, identity(), NETWORK))
    assert isinstance(refused, Refusal)
    assert refused.code == "identity_unknown"


async def test_nothing_in_the_database_says_who_somebody_is_elsewhere(
    pool: Pool, keys: Safe, tenant: Tenant, bank: Provider
) -> None:
    one = identity("a-telling-subject")
    assert "telling" not in repr(one)
    await come_in(pool, keys, tenant.id, bank, one, NETWORK)
    async with in_tenant(pool, tenant.id) as connection:
        for table in ("external_identities", "audit_entries", "persons", "spent_nonces"):
            text = await connection.fetchval(f"select string_agg({table}::text, ' ') from {table}")
            assert "a-telling-subject" not in text
            assert b"a-telling-subject".hex() not in text
        (digest,) = await connection.fetchrow("select hash from external_identities") or (b"",)
    assert len(digest) == 32


async def test_another_tenants_people_are_nobody(
    pool: Pool, keys: Safe, tenant: Tenant, other_tenant: Tenant, bank: Provider
) -> None:
    here = await come_in(pool, keys, tenant.id, bank, identity(), NETWORK)
    await set_provider(pool, other_tenant.id, bank, By())
    there = await come_in(pool, keys, other_tenant.id, bank, identity(), NETWORK)
    assert there.person_id != here.person_id
    with pytest.raises(NotFound):
        await link(pool, keys, tenant.id, bank, there.person_id, "x", By())
    with pytest.raises(NotFound):
        await unlink(pool, tenant.id, bank.id, there.person_id, By())


async def test_a_link_is_one_persons(pool: Pool, keys: Safe, tenant: Tenant, bank: Provider) -> None:
    ana, bruno = [
        (await open_person(pool, keys, tenant.id, Role.CUSTOMER, name)).person_id for name in ("Ana", "Bruno")
    ]
    await link(pool, keys, tenant.id, bank, ana, "1", By())
    await link(pool, keys, tenant.id, bank, ana, "1", By())
    with pytest.raises(Conflict):
        await link(pool, keys, tenant.id, bank, bruno, "1", By())
    assert (await come_in(pool, keys, tenant.id, bank, identity("1"), NETWORK)).person_id == ana
    await unlink(pool, tenant.id, bank.id, ana, By())
    with pytest.raises(NotFound):
        await unlink(pool, tenant.id, bank.id, ana, By())
    await link(pool, keys, tenant.id, bank, bruno, "1", By())
    assert (await come_in(pool, keys, tenant.id, bank, identity("1"), NETWORK)).person_id == bruno


async def test_a_provider_is_set_read_and_removed_with_its_links(
    pool: Pool, keys: Safe, tenant: Tenant, other_tenant: Tenant, bank: Provider, staff: Provider
) -> None:
    assert await list_providers(pool, tenant.id) == [bank, staff]
    assert await list_providers(pool, other_tenant.id) == []
    changed = bank._replace(audience="another", algorithms=["RS256"])
    await set_provider(pool, tenant.id, changed, By())
    assert await read_provider(pool, tenant.id, "bank") == changed
    await come_in(pool, keys, tenant.id, bank, identity(), NETWORK)
    await remove_provider(pool, tenant.id, "bank", By())
    for tenant_id in (tenant.id, other_tenant.id):
        with pytest.raises(NotFound):
            await read_provider(pool, tenant_id, "bank")
        with pytest.raises(NotFound):
            await remove_provider(pool, tenant_id, "bank", By())
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from external_identities") == 0


async def test_a_tenant_has_so_many_providers_and_no_more(pool: Pool, tenant: Tenant) -> None:
    answers = await asyncio.gather(
        *(set_provider(pool, tenant.id, BANK._replace(id=f"p{at}"), By()) for at in range(PROVIDERS_MAX + 3)),
        return_exceptions=True,
    )
    assert [answer.code for answer in answers if isinstance(answer, Refusal)] == ["too_many_providers"] * 3


async def test_every_step_is_in_the_trail(pool: Pool, keys: Safe, tenant: Tenant, bank: Provider) -> None:
    operator = By(str(uuid.uuid4()))
    known = await come_in(pool, keys, tenant.id, bank, identity("who-i-am-there", "zq-canary"), NETWORK)
    await come_in(pool, keys, tenant.id, bank, identity("who-i-am-there"), NETWORK)
    await link(pool, keys, tenant.id, bank, known.person_id, "another-of-mine", operator)
    await unlink(pool, tenant.id, bank.id, known.person_id, operator)
    await remove_provider(pool, tenant.id, bank.id, operator)
    entries = [*reversed(await read_trail(pool, tenant.id, 50))]
    assert [entry.what for entry in entries] == [
        "setting.identity_provider",
        "person.opened",
        "external_identity.linked",
        "external_identity.used",
        "external_identity.used",
        "external_identity.linked",
        "external_identity.unlinked",
        "setting.identity_provider",
    ]
    assert {entry.about for entry in entries[1:7]} == {known.person_id}
    assert entries[0].details is not None
    assert entries[0].details["after"]["issuer"] == bank.issuer
    assert not any(word in str(entries) for word in ("who-i-am-there", "another-of-mine", "zq-canary"))

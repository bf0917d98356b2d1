"""What is known of a person changes, and nothing of what was there is lost."""

import asyncio
import uuid

import asyncpg
import pytest

from core.audit.trail import NOBODY, Act, By
from core.database import Pool, in_tenant
from core.errors import NotFound, Refusal, SealBroken, TooOften
from core.notices.kinds import NoticeKind
from core.people import profiles
from core.people.contacts import to_address
from core.people.erasing import erase_person
from core.people.fields import Kind, Value
from core.people.knowing import Look, find_people, read_fields_history, read_person
from core.people.opening import Tenant, open_person
from core.people.persons import PersonStatus, Role, read_payee_name
from core.people.persons import read_person as read_name
from core.people.profiles import edit_profile
from core.people.settings import DEFAULT, set_settings
from tests.core.people.crowd import HOME, Town
from tests.core.people.standings import stand
from tests.numbers import new_cpf, new_email

STAFF = By(str(uuid.uuid4()), str(uuid.uuid4()), "198.51.100.0/24")


async def edit(town: Town, person: str, by: By | None = None, /, *removed: str, **given: Value) -> list[str]:
    """By the person, or by somebody else."""
    return await edit_profile(town.pool, town.keys, town.tenant.id, person, given, removed, by or By(person), "case-1")


async def fields(town: Town, person: str) -> dict[Kind, str]:
    seen = await read_person(town.pool, town.keys, town.tenant.id, person, None, with_accounts=False)
    return {field.kind: field.value for field in seen.fields if field.value is not None}


async def test_what_was_before_can_still_be_read(town: Town) -> None:
    ana = (await town.register(phone="+5511911111111")).person_id
    first, second = new_email(), new_email()
    assert await edit(town, ana, email=first) == ["email"]
    assert await edit(town, ana, STAFF, email=second, address=HOME) == ["email", "address"]
    assert await edit(town, ana, None, "phone") == ["phone"]
    known = await fields(town, ana)
    assert known[Kind.EMAIL] == second
    assert to_address(known[Kind.ADDRESS]).postal_code == "01310100"
    assert Kind.PHONE not in known
    history = await read_fields_history(town.pool, town.keys, town.tenant.id, ana, None, 50)
    assert [(one.kind, one.number, one.value, one.set_by) for one in history if one.kind is not Kind.ADDRESS] == [
        (Kind.PHONE, 2, None, ana),
        (Kind.EMAIL, 2, second, STAFF.person_id),
        (Kind.EMAIL, 1, first, ana),
        (Kind.PHONE, 1, "+5511911111111", ana),
        (Kind.NAME, 1, "Ana Souza", None),
    ]
    assert history[1].session_id == STAFF.session_id
    entries = await town.trail(what=Act.PROFILE_EDITED.value, about=ana)
    assert [(one.who, one.details) for one in entries] == [
        (ana, {"fields": ["phone"]}),
        (STAFF.person_id, {"fields": ["email", "address"]}),
        (ana, {"fields": ["email"]}),
    ]


async def test_history_comes_page_by_page_without_a_gap(town: Town) -> None:
    ana = (await town.register()).person_id
    for _ in range(7):
        await edit(town, ana, email=new_email())
    whole = await read_fields_history(town.pool, town.keys, town.tenant.id, ana, None, 50, kind=Kind.EMAIL)
    pages, before = [], None
    while page := await read_fields_history(
        town.pool, town.keys, town.tenant.id, ana, None, 3, kind=Kind.EMAIL, before=before
    ):
        pages += page
        before = page[-1].set_at, page[-1].kind, page[-1].number
    assert pages == whole
    assert [one.number for one in whole] == [7, 6, 5, 4, 3, 2, 1]


async def test_the_same_again_changes_nothing(town: Town) -> None:
    email = new_email()
    ana = (await town.register(email=email)).person_id
    await town.confirm(ana)
    assert await edit(town, ana, email=email.upper()) == []
    assert await edit(town, ana, None, "phone") == []
    assert await town.trail(what=Act.PROFILE_EDITED.value) == []
    seen = await read_person(town.pool, town.keys, town.tenant.id, ana, None, with_accounts=False)
    assert seen.fields[0].held_at is not None


async def test_a_changed_contact_is_unconfirmed_and_the_old_one_hears_of_it(town: Town) -> None:
    first, second = new_email(), new_email()
    ana = (await town.register(email=first)).person_id
    await town.confirm(ana)
    await edit(town, ana, email=second)
    seen = await read_person(town.pool, town.keys, town.tenant.id, ana, None, with_accounts=False)
    assert seen.fields[0].held_at is None
    told = (await town.notices())[-1]
    assert (told.kind, told.person, told.contact) == (NoticeKind.CONTACT_CHANGED, ana, (int(Kind.EMAIL), 1))
    # What she has left is free for somebody else.
    bruno = (await town.register(email=first)).person_id
    await town.confirm(bruno)


async def test_who_has_been_looked_at_asks_support_to_change_who_they_are(town: Town) -> None:
    ana = (await town.register(cpf=new_cpf())).person_id
    # While nobody has looked, she may mend what she wrote.
    mended = new_cpf()
    assert await edit(town, ana, cpf=mended, name="Ana de Souza", birth_date="1990-02-28") == [
        "cpf",
        "name",
        "birth_date",
    ]
    await stand(town.pool, town.tenant.id, ana, PersonStatus.ACTIVE)
    for change in ({"cpf": new_cpf()}, {"name": "Banco Central"}, {"birth_date": "1991-02-28"}):
        with pytest.raises(Refusal) as refused:
            await edit(town, ana, **change)
        assert (refused.value.code, refused.value.field) == ("ask_support", next(iter(change)))
    with pytest.raises(Refusal):
        await edit(town, ana, None, "cpf")
    assert await edit(town, ana, phone="+5511987654321") == ["phone"]
    # Support's colleague, an operator, may.
    assert await edit(town, ana, STAFF, cpf=new_cpf()) == ["cpf"]


async def test_what_says_who_one_is_may_be_said_once_and_a_document_not_at_all(town: Town) -> None:
    ana = (await town.register()).person_id
    assert await edit(town, ana, birth_date="1990-02-28") == ["birth_date"]
    with pytest.raises(Refusal) as refused:
        await edit(town, ana, birth_date="1990-02-27")
    assert refused.value.code == "ask_support"
    with pytest.raises(Refusal) as refused:
        await edit(town, ana, cpf=new_cpf())
    assert refused.value.code == "ask_support"


async def test_a_corrected_name_is_seen_by_payers_and_found(town: Town) -> None:
    pool, keys, tenant_id = town.pool, town.keys, town.tenant.id
    ana = await town.register()
    assert await edit(town, ana.person_id, STAFF, name="Ána  Lúcia") == ["name"]
    assert await read_payee_name(pool, keys, tenant_id, ana.account_id) == "Ána Lúcia"
    assert (await read_name(pool, keys, tenant_id, ana.person_id)).display_name == "Ána Lúcia"
    look = Look(STAFF, None, is_masked=False)
    assert [one.id for one in await find_people(pool, keys, tenant_id, "name", "ana lucia", look)] == [ana.person_id]
    assert await find_people(pool, keys, tenant_id, "name", "Ana Souza", look) == []
    with pytest.raises(Refusal):
        await edit(town, ana.person_id, STAFF, name="a\u202eb")


async def test_a_document_is_one_active_persons(town: Town) -> None:
    cpf = new_cpf()
    ana, bruno = (await town.register()).person_id, (await town.register()).person_id
    assert await edit(town, ana, STAFF, cpf=cpf) == ["cpf"]
    with pytest.raises(Refusal) as refused:
        await edit(town, bruno, STAFF, cpf=cpf)
    assert (refused.value.code, refused.value.field) == ("already_held", "cpf")
    assert Kind.CPF not in await fields(town, bruno)
    # Whoever is closed leaves it to others.
    await stand(town.pool, town.tenant.id, ana, PersonStatus.CLOSED)
    assert await edit(town, bruno, STAFF, cpf=cpf) == ["cpf"]


async def test_of_two_who_are_given_one_document_at_once_one_gets_it(town: Town) -> None:
    cpf = new_cpf()
    people = [(await open_person(town.pool, town.keys, town.tenant.id, Role.CUSTOMER, "P")).person_id for _ in range(6)]
    outcomes = await asyncio.gather(*(edit(town, person, STAFF, cpf=cpf) for person in people), return_exceptions=True)
    assert outcomes.count(["cpf"]) == 1
    assert all(one == ["cpf"] or (isinstance(one, Refusal) and one.code == "already_held") for one in outcomes)


async def test_a_field_that_the_tenant_needs_is_not_taken_away_by_its_person(town: Town) -> None:
    ana = (await town.register(phone="+5511911111111")).person_id
    await set_settings(town.pool, town.tenant.id, DEFAULT._replace(customers_need=(Kind.PHONE,)), NOBODY)
    with pytest.raises(Refusal) as refused:
        await edit(town, ana, None, "phone")
    assert (refused.value.code, refused.value.field) == ("field_missing", "phone")
    assert await edit(town, ana, STAFF, "phone") == ["phone"]


async def test_a_person_changes_so_much_a_day_and_no_more(town: Town) -> None:
    ana = (await town.register()).person_id
    for at in range(profiles.CHANGES_A_DAY_MAX):
        await edit(town, ana, phone=f"+55119876543{at:02}")
    with pytest.raises(TooOften):
        await edit(town, ana, phone="+5511900000000")
    assert await edit(town, ana, STAFF, phone="+5511900000000") == ["phone"]


async def test_whoever_is_closed_unknown_or_anothers_is_not_changed(town: Town, other_tenant: Tenant) -> None:
    theirs = (await open_person(town.pool, town.keys, other_tenant.id, Role.CUSTOMER, "Theirs")).person_id
    for person in (theirs, str(uuid.uuid4())):
        with pytest.raises(NotFound):
            await edit(town, person, STAFF, phone="+5511900000000")
        with pytest.raises(NotFound):
            await read_person(town.pool, town.keys, town.tenant.id, person, None, with_accounts=True)
        with pytest.raises(NotFound):
            await read_fields_history(town.pool, town.keys, town.tenant.id, person, None, 5)
    ana = (await town.register()).person_id
    await stand(town.pool, town.tenant.id, ana, PersonStatus.CLOSED)
    with pytest.raises(Refusal) as refused:
        await edit(town, ana, STAFF, phone="+5511900000000")
    assert refused.value.code == "person_closed"


@pytest.mark.parametrize(
    "statement",
    [
        "update person_fields set sealed = null",
        "delete from person_fields",
        "update held_fields set person_id = gen_random_uuid()",
        "update contact_codes set hash = ''",
        "update persons set role = 2",
        "update persons set status = 0",
        "insert into people_settings (tenant_id) values (1)",
        "insert into role_requests (tenant_id) values (1)",
        "insert into notices (tenant_id) values (1)",
    ],
)
async def test_the_serving_role_changes_nothing_that_was_said(town: Town, statement: str) -> None:
    async with in_tenant(town.pool, town.tenant.id) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_a_value_in_anothers_place_does_not_open(town: Town, admin: Pool) -> None:
    ana = (await town.register(phone="+5511911111111")).person_id
    await admin.execute(
        "update person_fields set field = 6 where tenant_id = $1 and person_id = $2 and field = 7", town.tenant.id, ana
    )
    with pytest.raises(SealBroken):
        await fields(town, ana)


async def test_whoever_is_erased_is_found_by_nothing_and_reads_as_nothing(town: Town) -> None:
    pool, keys, tenant_id = town.pool, town.keys, town.tenant.id
    cpf, email = new_cpf(), new_email()
    ana = (await town.register(cpf=cpf, email=email)).person_id
    await town.confirm(ana)
    await stand(pool, tenant_id, ana, PersonStatus.ACTIVE)
    await erase_person(pool, keys, tenant_id, ana, NOBODY)
    async with in_tenant(pool, tenant_id) as connection:
        for table in ("held_fields", "contact_codes"):
            assert await connection.fetchval(f"select count(*) from {table} where person_id = $1", ana) == 0
        assert await connection.fetchval("select count(*) from notices where person_id = $1", ana) == 0
        assert not await connection.fetchval("select count(mark) from person_fields where person_id = $1", ana)
    seen = await read_person(pool, keys, tenant_id, ana, None, with_accounts=False)
    assert (seen.name, seen.login, seen.fields) == (None, None, [])
    # What was theirs is free.
    other = (await town.register(cpf=cpf, email=email)).person_id
    await town.confirm(other)
    await stand(pool, tenant_id, other, PersonStatus.ACTIVE)

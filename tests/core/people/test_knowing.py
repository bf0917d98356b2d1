"""Whoever of the staff looks at somebody leaves one entry, in the same commit, that holds nothing personal."""

import json
import uuid

import pytest

from core.audit.trail import Act, By, Entry
from core.database import Pool
from core.errors import NotFound, Refusal
from core.people import knowing
from core.people.fields import Kind
from core.people.knowing import Look, find_people, mask, read_fields_history, read_person
from core.people.opening import Tenant, open_people, open_person
from core.people.persons import PersonStatus, Role
from core.people.profiles import edit_profile
from tests.core.people.crowd import HOME, PASSWORD, Town
from tests.core.people.standings import stand
from tests.numbers import new_cpf, new_email

STAFF = By(str(uuid.uuid4()), str(uuid.uuid4()), "198.51.100.0/24")
LOOK = Look(STAFF, "fraud_check case-7", is_masked=False)
MASKED = Look(STAFF, "customer_request case-7", is_masked=True)


async def entries(town: Town) -> list[Entry]:
    return await town.trail(what=Act.PERSONAL_DATA_READ.value)


async def test_a_look_at_somebody_is_one_entry_with_who_whose_what_and_why(town: Town) -> None:
    cpf, email = new_cpf(), new_email()
    ana = await town.register(cpf=cpf, email=email, address=HOME)
    seen = await read_person(town.pool, town.keys, town.tenant.id, ana.person_id, LOOK, with_accounts=True)
    assert (seen.name, seen.role, seen.status) == ("Ana Souza", Role.CUSTOMER, PersonStatus.PENDING)
    assert seen.login is not None
    assert {field.kind: field.value for field in seen.fields}[Kind.CPF] == cpf
    assert [account.id for account in seen.accounts or ()] == [ana.account_id]
    (entry,) = await entries(town)
    assert (entry.who, entry.session_id, entry.network) == STAFF
    assert (entry.about, entry.why) == (ana.person_id, "fraud_check case-7")
    assert entry.details == {"fields": ["name", "login", "cpf", "email", "address"], "accounts": True}
    for personal in (cpf, email, "Ana", "Souza", "Praça", seen.login):
        assert personal not in json.dumps(entry.details, ensure_ascii=False)


async def test_a_person_who_reads_their_own_leaves_no_entry(town: Town) -> None:
    ana = await town.register(cpf=new_cpf())
    await read_person(town.pool, town.keys, town.tenant.id, ana.person_id, None, with_accounts=True)
    await read_fields_history(town.pool, town.keys, town.tenant.id, ana.person_id, None, 10)
    assert await entries(town) == []


async def test_history_that_staff_reads_is_an_entry(town: Town) -> None:
    ana = await town.register(email=new_email())
    await read_fields_history(town.pool, town.keys, town.tenant.id, ana.person_id, MASKED, 10, kind=Kind.EMAIL)
    (entry,) = await entries(town)
    assert (entry.about, entry.details) == (ana.person_id, {"fields": ["email"], "history": 1, "masked": True})


async def test_nothing_is_read_when_it_cannot_be_written_down(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = await town.register(cpf=new_cpf())

    async def fail(*_: object) -> None:
        raise RuntimeError("the trail is full")

    monkeypatch.setattr(knowing, "note", fail)
    for read in (
        lambda: read_person(town.pool, town.keys, town.tenant.id, ana.person_id, LOOK, with_accounts=False),
        lambda: read_fields_history(town.pool, town.keys, town.tenant.id, ana.person_id, LOOK, 1),
        lambda: find_people(town.pool, town.keys, town.tenant.id, "account", str(ana.account_id), LOOK),
    ):
        with pytest.raises(RuntimeError):
            await read()


async def test_people_are_found_by_what_is_theirs_whole(town: Town) -> None:
    pool, keys, tenant_id = town.pool, town.keys, town.tenant.id
    cpf, email, phone = new_cpf(), new_email(), "+5511987650000"
    ana = await town.register(cpf=cpf, email=email, phone=phone)
    named = await open_person(pool, keys, tenant_id, Role.CUSTOMER, "José  da Conceição", "jose.c", PASSWORD)
    for what, value, person in (
        ("cpf", f"{cpf[:3]}.{cpf[3:6]}.{cpf[6:9]}-{cpf[9:]}", ana.person_id),
        ("email", email.upper(), ana.person_id),
        ("phone", "+55 (11) 98765-0000", ana.person_id),
        ("account", str(ana.account_id), ana.person_id),
        ("login", "JOSE.C", named.person_id),
        ("name", "jose da conceicao", named.person_id),
        ("name", "JOSÉ DA CONCEIÇÃO", named.person_id),
    ):
        found = await find_people(pool, keys, tenant_id, what, value, LOOK)
        assert [one.id for one in found] == [person], what
    for what, value in (
        ("name", "jose"),
        ("name", "josé da"),
        ("cpf", new_cpf()),
        ("login", "nobody.here"),
        ("login", "!"),
        ("account", "999999999999"),
        ("account", "3"),
    ):
        assert await find_people(pool, keys, tenant_id, what, value, LOOK) == [], what
    with pytest.raises(Refusal) as refused:
        await find_people(pool, keys, tenant_id, "cpf", "123", LOOK)
    assert refused.value.code == "document_invalid"


async def test_a_search_is_one_entry_and_says_not_what_was_looked_for(town: Town) -> None:
    cpf = new_cpf()
    ana, bruno = await town.register(cpf=cpf), await town.register(cpf=cpf)
    await find_people(town.pool, town.keys, town.tenant.id, "cpf", cpf, LOOK)
    await find_people(town.pool, town.keys, town.tenant.id, "account", str(ana.account_id), MASKED)
    await find_people(town.pool, town.keys, town.tenant.id, "cpf", new_cpf(), LOOK)
    none, one, two = await entries(town)
    assert (none.about, none.details) == (None, {"by": "cpf", "found": [], "fields": ["name"]})
    assert one.about == ana.person_id
    assert one.details == {"by": "account", "found": [ana.person_id], "fields": ["name"], "masked": True}
    assert two.about is None
    assert two.details is not None
    assert {*two.details["found"]} == {ana.person_id, bruno.person_id}
    assert cpf not in json.dumps([entry.details for entry in (none, one, two)])


async def test_whose_it_is_stands_before_who_merely_says_so(town: Town) -> None:
    cpf = new_cpf()
    sayers = [(await town.register(cpf=cpf)).person_id for _ in range(3)]
    await stand(town.pool, town.tenant.id, sayers[1], PersonStatus.ACTIVE)
    found = await find_people(town.pool, town.keys, town.tenant.id, "cpf", cpf, LOOK)
    assert {one.id: one.is_theirs for one in found} == {person: person == sayers[1] for person in sayers}


async def test_what_somebody_had_before_finds_them_no_more(town: Town) -> None:
    pool, keys, tenant_id = town.pool, town.keys, town.tenant.id
    first, second = new_email(), new_email()
    ana = await town.register(email=first)
    await edit_profile(pool, keys, tenant_id, ana.person_id, {"email": second}, (), By(ana.person_id))
    assert await find_people(pool, keys, tenant_id, "email", first, LOOK) == []
    assert [one.id for one in await find_people(pool, keys, tenant_id, "email", second, LOOK)] == [ana.person_id]


async def test_a_search_finds_so_many_and_no_more(town: Town) -> None:
    await open_people(town.pool, town.keys, town.tenant.id, Role.CUSTOMER, ["Maria Silva"] * (knowing.FOUND_MAX + 5))
    found = await find_people(town.pool, town.keys, town.tenant.id, "name", "maria silva", LOOK)
    assert len(found) == knowing.FOUND_MAX


async def test_another_tenants_people_are_not_found(town: Town, other_tenant: Tenant, pool: Pool) -> None:
    theirs = await open_person(pool, town.keys, other_tenant.id, Role.CUSTOMER, "Only There", "only.there", PASSWORD)
    for what, value in (("name", "Only There"), ("login", "only.there"), ("account", str(theirs.account_id))):
        assert await find_people(pool, town.keys, town.tenant.id, what, value, LOOK) == []
    with pytest.raises(NotFound):
        await read_person(pool, town.keys, town.tenant.id, theirs.person_id, LOOK, with_accounts=False)
    assert len(await entries(town)) == 3


async def test_masked_is_what_support_may_not_see_whole(town: Town) -> None:
    ana = await town.register(
        cpf="52998224725", email="ana@example.com", phone="+5511987654321", birth_date="1990-02-28"
    )
    seen = await read_person(town.pool, town.keys, town.tenant.id, ana.person_id, MASKED, with_accounts=False)
    assert {field.kind: mask(field).value for field in seen.fields} == {
        Kind.CPF: "***982247**",
        Kind.EMAIL: "a***@example.com",
        Kind.PHONE: "**********4321",
        Kind.BIRTH_DATE: "***",
    }
    assert seen.accounts is None

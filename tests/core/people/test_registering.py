"""Who comes in, with what, and what they are told of others: nothing."""

import uuid

import pytest

from core.audit.trail import NOBODY, Act, By
from core.database import Pool, in_tenant
from core.errors import Conflict, Refusal
from core.ledger.reading import read_account
from core.notices.kinds import NoticeKind
from core.nouns import AccountStatus
from core.people.fields import Kind
from core.people.opening import open_person
from core.people.persons import PersonStatus, Role
from core.people.registering import enter, register
from core.people.settings import DEFAULT, set_settings
from tests.core.people.crowd import HOME, PASSWORD, Town
from tests.core.people.standings import stand
from tests.numbers import new_cnpj, new_cpf, new_email


async def account_status(town: Town, account: int) -> int:
    found = await read_account(town.pool, town.tenant.id, account)
    assert found is not None
    return found.status


async def test_a_customer_who_says_nothing_of_themselves_is_active(town: Town) -> None:
    registered = await town.register()
    assert registered.status is PersonStatus.ACTIVE
    assert await account_status(town, registered.account_id) == AccountStatus.OPEN
    (entry,) = await town.trail(what=Act.PERSON_OPENED.value)
    assert (entry.who, entry.about, entry.network) == (registered.person_id, registered.person_id, "203.0.113.0/24")
    assert entry.details == {"role": "customer", "status": "active"}


async def test_who_names_a_cpf_waits_whether_it_is_somebody_elses_or_not(town: Town) -> None:
    cpf = new_cpf()
    first = await town.register(cpf=cpf, email=new_email())
    assert first.status is PersonStatus.PENDING
    await stand(town.pool, town.tenant.id, first.person_id, PersonStatus.ACTIVE)
    second, third = await town.register(cpf=cpf), await town.register(cpf=new_cpf())
    assert second.status is third.status is PersonStatus.PENDING
    assert await account_status(town, second.account_id) == await account_status(town, third.account_id)
    # Its holder hears of it, in no words about the newcomer; and the trail knows who it was.
    (told,) = await town.notices()
    assert (told.kind, told.person, told.contact, told.content) == (NoticeKind.CLAIMED, first.person_id, None, None)
    (entry,) = await town.trail(what=Act.PROFILE_CLAIMED.value)
    assert (entry.who, entry.about, entry.details) == (second.person_id, first.person_id, {"field": "cpf"})
    # Nobody can activate the newcomer with it.
    with pytest.raises(Refusal) as refused:
        await stand(town.pool, town.tenant.id, second.person_id, PersonStatus.ACTIVE)
    assert (refused.value.code, refused.value.field) == ("already_held", "cpf")
    await stand(town.pool, town.tenant.id, third.person_id, PersonStatus.ACTIVE)


async def test_a_holder_is_warned_once_a_day_however_often_somebody_tries(town: Town) -> None:
    email = new_email()
    holder = await town.register(email=email)
    await town.confirm(holder.person_id)
    for _ in range(4):
        assert (await town.register(email=email)).status is PersonStatus.ACTIVE
    warnings = [told for told in await town.notices() if told.kind is NoticeKind.CLAIMED]
    assert [(told.person, told.contact) for told in warnings] == [(holder.person_id, (int(Kind.EMAIL), 1))]
    assert len(await town.trail(what=Act.PROFILE_CLAIMED.value)) == 4


async def test_what_is_merely_said_is_nobodys_and_warns_nobody(town: Town) -> None:
    cpf, email = new_cpf(), new_email()
    for _ in range(3):
        await town.register(cpf=cpf, email=email)
    assert await town.notices() == []
    assert await town.trail(what=Act.PROFILE_CLAIMED.value) == []


async def test_a_merchant_begins_pending_may_be_paid_and_not_pay(town: Town) -> None:
    registered = await town.register(Role.MERCHANT, cnpj=new_cnpj(), category="5462", address=HOME)
    assert registered.status is PersonStatus.PENDING
    assert await account_status(town, registered.account_id) == AccountStatus.RECEIVING
    await stand(town.pool, town.tenant.id, registered.person_id, PersonStatus.ACTIVE)
    assert await account_status(town, registered.account_id) == AccountStatus.OPEN


async def test_a_tenant_may_let_merchants_begin_active(town: Town) -> None:
    settings = DEFAULT._replace(merchants_begin_pending=False)
    await set_settings(town.pool, town.tenant.id, settings, NOBODY)
    cnpj = new_cnpj()
    assert (await town.register(Role.MERCHANT, cnpj=cnpj)).status is PersonStatus.ACTIVE
    # One CNPJ, one active merchant.
    assert (await town.register(Role.MERCHANT, cnpj=cnpj)).status is PersonStatus.PENDING
    assert (await town.register(Role.MERCHANT)).status is PersonStatus.ACTIVE


async def test_a_tenant_may_let_customers_begin_pending_and_pay_all_the_same(town: Town) -> None:
    settings = DEFAULT._replace(customers_begin_pending=True, pending_pay=True)
    await set_settings(town.pool, town.tenant.id, settings, NOBODY)
    registered = await town.register()
    assert registered.status is PersonStatus.PENDING
    assert await account_status(town, registered.account_id) == AccountStatus.OPEN
    # When the tenant thinks better of it, those who are pending follow at once.
    for pending_are_paid, status in ((True, AccountStatus.RECEIVING), (False, AccountStatus.BLOCKED)):
        settings = settings._replace(pending_pay=False, pending_are_paid=pending_are_paid)
        await set_settings(town.pool, town.tenant.id, settings, NOBODY)
        assert await account_status(town, registered.account_id) == status


async def test_what_a_tenant_needs_to_know_has_to_be_said(town: Town) -> None:
    settings = DEFAULT._replace(customers_need=(Kind.CPF, Kind.BIRTH_DATE))
    await set_settings(town.pool, town.tenant.id, settings, NOBODY)
    for given, missing in (({}, "cpf"), ({"cpf": new_cpf()}, "birth_date")):
        with pytest.raises(Refusal) as refused:
            await town.register(**given)
        assert (refused.value.code, refused.value.field) == ("field_missing", missing)
    await town.register(cpf=new_cpf(), birth_date="1990-02-28")
    # Who was entered by an operator without it is not activated again without it.
    entered = await open_person(town.pool, town.keys, town.tenant.id, Role.CUSTOMER, "Bruno")
    await stand(town.pool, town.tenant.id, entered.person_id, PersonStatus.BLOCKED)
    with pytest.raises(Refusal) as refused:
        await stand(town.pool, town.tenant.id, entered.person_id, PersonStatus.ACTIVE)
    assert (refused.value.code, refused.value.field) == ("field_missing", "cpf")


async def test_a_wrong_field_opens_nobody(town: Town) -> None:
    async def count() -> int:
        async with in_tenant(town.pool, town.tenant.id) as connection:
            found: int = await connection.fetchval("select count(*) from persons where tenant_id = $1", town.tenant.id)
            return found

    before = await count()
    for given, code in (
        ({"cpf": "111.111.111-11"}, "document_invalid"),
        ({"cnpj": new_cnpj()}, "field_not_theirs"),
        ({"email": "nobody"}, "invalid_field"),
    ):
        with pytest.raises(Refusal) as refused:
            await town.register(**given)
        assert refused.value.code == code
    assert await count() == before


async def test_a_login_that_is_taken_is_told_and_leaves_nothing(town: Town) -> None:
    pool, keys, tenant_id = town.pool, town.keys, town.tenant.id
    cpf = new_cpf()
    holder = await town.register(cpf=cpf)
    await stand(pool, tenant_id, holder.person_id, PersonStatus.ACTIVE)
    await register(pool, keys, tenant_id, Role.CUSTOMER, "Ana", "ana", PASSWORD, {}, NOBODY)
    with pytest.raises(Conflict):
        await register(pool, keys, tenant_id, Role.CUSTOMER, "Eva", "ana", PASSWORD, {"cpf": cpf}, NOBODY)
    assert await town.notices() == []


async def test_an_operator_enters_who_is_active_at_once_and_hears_what_is_somebodys(town: Town) -> None:
    pool, keys, tenant_id = town.pool, town.keys, town.tenant.id
    operator = By(str(uuid.uuid4()))
    cnpj, email = new_cnpj(), new_email()
    given = {"cnpj": cnpj, "email": email}
    entered = await enter(pool, keys, tenant_id, Role.MERCHANT, "Padaria", None, None, given, operator)
    assert entered.status is PersonStatus.ACTIVE
    await town.confirm(entered.person_id)
    for given, field in (({"cnpj": cnpj}, "cnpj"), ({"email": email}, "email")):
        with pytest.raises(Refusal) as refused:
            await enter(pool, keys, tenant_id, Role.MERCHANT, "Padaria", None, None, given, operator)
        assert (refused.value.code, refused.value.field) == ("already_held", field)
    assert [told.kind for told in await town.notices()] == [NoticeKind.CONTACT_CODE]


async def test_where_two_have_to_agree_one_enters_no_staff(town: Town) -> None:
    pool, keys, tenant_id = town.pool, town.keys, town.tenant.id
    await set_settings(pool, tenant_id, DEFAULT._replace(needs_second_operator=True), NOBODY)
    operator = By(str(uuid.uuid4()))
    for role in (Role.OPERATOR, Role.AUDITOR, Role.SUPPORT):
        with pytest.raises(Refusal) as refused:
            await enter(pool, keys, tenant_id, role, "Olga", None, None, {}, operator)
        assert refused.value.code == "second_operator_needed"
    await enter(pool, keys, tenant_id, Role.CUSTOMER, "Ana", None, None, {}, operator)


async def test_nothing_that_is_said_stands_in_the_database_as_it_was_said(town: Town, admin: Pool) -> None:
    canaries = {
        "cpf": new_cpf(),
        "email": f"canary{uuid.uuid4().hex}@example.com",
        "phone": "+5511912345678",
        "birth_date": "1977-07-17",
        "address": HOME._replace(street="Rua Canário Único"),
    }
    registered = await town.register(**canaries)  # type: ignore[arg-type]
    await town.confirm(registered.person_id)
    async with admin.acquire() as connection:
        tables = await connection.fetch(
            "select table_name from information_schema.columns where table_schema = 'payhub' and column_name = 'tenant_id'"
        )
        for (table,) in tables:
            rows = await connection.fetch(
                f"select convert_from(t::text::bytea, 'UTF8') from payhub.{table} as t where tenant_id = $1",
                town.tenant.id,
            )
            for (text,) in rows:
                # Bytes are shown in hex: what lies there as it is would be, too.
                for canary in ("Canário", *(one for one in canaries.values() if isinstance(one, str))):
                    assert canary not in text, table
                    assert canary.encode().hex() not in text, table

"""Consent is given to words, taken back as easily, and what rests on it alone stops; who was told is written down."""

import asyncio
import itertools
import uuid

import asyncpg
import pytest

from core.audit.trail import NOBODY, By, read_trail
from core.database import Pool, in_tenant
from core.errors import NotFound, Refusal
from core.keys.safe import Safe
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from core.privacy import consents, tables
from core.privacy.classes import CONSENT, LEGAL, Kind
from core.privacy.consents import Text, give, list_changes, list_purposes, require, revoke, set_purpose
from core.privacy.disclosures import Told, disclose, list_disclosures
from core.privacy.tables import LEDGER

OFFERS = Text("Ofertas", "Podemos enviar ofertas?", "Offers", "May we send offers?")
BUREAU = Told("Bureau de Crédito S.A.", "score de crédito", CONSENT, [Kind.FINANCIAL], "offers")
CENTRAL_BANK = Told("Banco Central do Brasil", "DICT", LEGAL, [Kind.IDENTIFICATION, Kind.FINANCIAL])


@pytest.fixture
async def person(tenant: Tenant, pool: Pool, keys: Safe) -> str:
    return (await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")).person_id


def by(person: str) -> By:
    return By(person, str(uuid.uuid4()), "192.0.2.0/24")


async def test_consent_is_given_to_a_version_and_taken_back_with_where_and_when(
    tenant: Tenant, pool: Pool, person: str
) -> None:
    assert await list_purposes(pool, tenant.id, person) == []
    assert await set_purpose(pool, tenant.id, "offers", OFFERS, NOBODY) == 1
    (asked,) = await list_purposes(pool, tenant.id, person)
    assert (asked.version, asked.text_pt, asked.is_given) == (1, OFFERS.text_pt, False)
    who = by(person)
    given = await give(pool, tenant.id, person, "offers", 1, who, "web")
    assert given.is_given and given.answered_version == 1
    assert await give(pool, tenant.id, person, "offers", 1, who, "http") == given, "again it changes nothing"
    back = await revoke(pool, tenant.id, person, "offers", who, "http")
    assert not back.is_given
    assert await revoke(pool, tenant.id, person, "offers", who, "http") == back
    changes = await list_changes(pool, tenant.id, person, 10)
    assert [(one.number, one.is_given, one.version, one.door, one.session_id) for one in changes] == [
        (2, False, 1, "http", who.session_id),
        (1, True, 1, "web", who.session_id),
    ]
    assert await list_changes(pool, tenant.id, person, 10, (changes[0].at, "offers", 2)) == changes[1:]
    trail = await read_trail(pool, tenant.id, 10, about=person)
    assert [(one.what, (one.details or {})["purpose"]) for one in trail] == [
        ("consent.revoked", "offers"),
        ("consent.given", "offers"),
    ]


async def test_a_new_text_asks_again_only_if_it_says_so_and_nobody_agrees_to_an_old_one(
    tenant: Tenant, pool: Pool, person: str
) -> None:
    await set_purpose(pool, tenant.id, "offers", OFFERS, NOBODY)
    await give(pool, tenant.id, person, "offers", 1, by(person), "web")
    assert await set_purpose(pool, tenant.id, "offers", OFFERS._replace(text_en="May we send you offers?"), NOBODY) == 2
    (asked,) = await list_purposes(pool, tenant.id, person)
    assert (asked.version, asked.answered_version, asked.is_given) == (2, 1, True)
    assert await set_purpose(pool, tenant.id, "offers", OFFERS._replace(asks_again=True), NOBODY) == 3
    (asked,) = await list_purposes(pool, tenant.id, person)
    assert (asked.version, asked.answered_version, asked.is_given) == (3, 1, False)
    with pytest.raises(Refusal) as refused:
        await give(pool, tenant.id, person, "offers", 2, by(person), "web")
    assert refused.value.code == "consent_text_changed"
    assert (await give(pool, tenant.id, person, "offers", 3, by(person), "web")).is_given
    # Asked for no more: nothing that was given counts, not even when it is asked for again.
    await set_purpose(pool, tenant.id, "offers", OFFERS._replace(is_open=False), NOBODY)
    assert await list_purposes(pool, tenant.id, person) == []
    with pytest.raises(NotFound):
        await give(pool, tenant.id, person, "offers", 4, by(person), "web")
    await set_purpose(pool, tenant.id, "offers", OFFERS, NOBODY)
    assert not (await list_purposes(pool, tenant.id, person))[0].is_given
    with pytest.raises(NotFound):
        await revoke(pool, tenant.id, person, "nothing", by(person), "web")


async def test_nobody_changes_what_was_asked_and_a_purpose_is_the_tenants_own(
    tenant: Tenant, other_tenant: Tenant, pool: Pool, admin: Pool, person: str
) -> None:
    await set_purpose(pool, tenant.id, "offers", OFFERS, NOBODY)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.execute("update payhub.consent_purposes set text_pt = 'x' where tenant_id = $1", tenant.id)
    with pytest.raises(NotFound):
        await give(pool, other_tenant.id, person, "offers", 1, by(person), "web")
    await set_purpose(pool, other_tenant.id, "offers", OFFERS, NOBODY)
    with pytest.raises(NotFound):
        await give(pool, other_tenant.id, person, "offers", 1, by(person), "web")
    for at in range(consents.PURPOSES_MAX - 1):
        await set_purpose(pool, tenant.id, f"purpose_{at}", OFFERS, NOBODY)
    with pytest.raises(Refusal) as refused:
        await set_purpose(pool, tenant.id, "one_more", OFFERS, NOBODY)
    assert refused.value.code == "too_many_purposes"


async def test_many_words_at_once_are_one_after_the_other(tenant: Tenant, pool: Pool, person: str) -> None:
    await set_purpose(pool, tenant.id, "offers", OFFERS, NOBODY)
    said = [
        give(pool, tenant.id, person, "offers", 1, by(person), "web")
        if at % 2
        else revoke(pool, tenant.id, person, "offers", by(person), "web")
        for at in range(20)
    ]
    await asyncio.gather(*said)
    changes = await list_changes(pool, tenant.id, person, 100)
    assert [one.number for one in changes] == list(range(len(changes), 0, -1))
    assert all(one.is_given != other.is_given for one, other in itertools.pairwise(changes))


async def test_what_rests_on_consent_does_not_leave_without_it(
    tenant: Tenant, pool: Pool, person: str, keys: Safe
) -> None:
    other = (await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Bruno")).person_id
    await set_purpose(pool, tenant.id, "offers", OFFERS, NOBODY)

    async def share(told: Told, *persons: str) -> None:
        async with in_tenant(pool, tenant.id) as connection:
            await disclose(connection, tenant.id, list(persons), told, NOBODY)

    with pytest.raises(Refusal) as refused:
        await share(BUREAU, person)
    assert refused.value.code == "consent_missing"
    await give(pool, tenant.id, person, "offers", 1, by(person), "web")
    await share(BUREAU, person)
    with pytest.raises(Refusal):
        await share(BUREAU, person, other)
    await share(CENTRAL_BANK, person, other)
    await revoke(pool, tenant.id, person, "offers", by(person), "web")
    with pytest.raises(Refusal):
        await share(BUREAU, person)
    found = await list_disclosures(pool, tenant.id, person, 10)
    assert [(one.recipient, one.basis, one.consent, one.kinds) for one in found] == [
        ("Banco Central do Brasil", "legal_obligation", None, ["financial", "identification"]),
        ("Bureau de Crédito S.A.", "consent", "offers", ["financial"]),
    ]
    assert await list_disclosures(pool, tenant.id, person, 10, found[0].id) == found[1:]
    assert await list_disclosures(pool, tenant.id, other, 10, found[1].id) == []
    assert len(await list_disclosures(pool, tenant.id, other, 10)) == 1
    assert len(await read_trail(pool, tenant.id, 10, what="data.shared", about=person)) == 2


async def test_a_disclosure_is_never_changed(tenant: Tenant, pool: Pool, admin: Pool, person: str) -> None:
    async with in_tenant(pool, tenant.id) as connection:
        await disclose(connection, tenant.id, [person], CENTRAL_BANK, NOBODY)
    for statement in ("update payhub.disclosures set recipient = 'x'", "delete from payhub.disclosures"):
        for role in (pool, admin):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.execute(f"{statement} where tenant_id = {tenant.id}")


async def test_consent_cannot_be_taken_back_while_something_is_done_on_it(
    tenant: Tenant, pool: Pool, person: str
) -> None:
    await set_purpose(pool, tenant.id, "offers", OFFERS, NOBODY)
    await give(pool, tenant.id, person, "offers", 1, by(person), "web")
    async with in_tenant(pool, tenant.id) as connection:
        await require(connection, tenant.id, person, "offers")
        revoking = asyncio.create_task(revoke(pool, tenant.id, person, "offers", by(person), "web"))
        await asyncio.sleep(0.1)
        assert not revoking.done()
    assert not (await revoking).is_given


async def test_what_is_kept_on_consent_alone_is_emptied_when_it_is_taken_back(
    tenant: Tenant, pool: Pool, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the door of a consent were kept because somebody agreed to offers.
    table = LEDGER["consents"]
    resting = table._replace(
        personal={**table.personal, "door": table.personal["door"]._replace(consent="offers", is_blanked=False)}
    )
    monkeypatch.setitem(tables.LEDGER, "consents", resting)
    await set_purpose(pool, tenant.id, "offers", OFFERS, NOBODY)
    await set_purpose(pool, tenant.id, "news", OFFERS, NOBODY)
    await give(pool, tenant.id, person, "news", 1, by(person), "web")
    await give(pool, tenant.id, person, "offers", 1, by(person), "web")
    await revoke(pool, tenant.id, person, "news", by(person), "web")
    assert [one.door for one in await list_changes(pool, tenant.id, person, 10)] == ["web"] * 3
    await revoke(pool, tenant.id, person, "offers", by(person), "web")
    assert [one.door for one in await list_changes(pool, tenant.id, person, 10)] == [None] * 4
    (entry, *_) = await read_trail(pool, tenant.id, 1, about=person)
    assert (entry.details or {})["emptied"] == 4

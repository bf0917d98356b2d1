"""A contact is whose who reads what is sent to it."""

import asyncio
import re
import uuid
from datetime import timedelta

import pytest

from core.audit.trail import Act, By
from core.database import Pool, in_tenant
from core.errors import NotFound, Refusal, TooOften
from core.notices.kinds import NoticeKind
from core.notices.leaving import forget_late
from core.people import confirming
from core.people.confirming import LASTS, TRIES, confirm, send_code
from core.people.fields import Kind
from core.people.knowing import read_person
from core.people.opening import Tenant
from core.people.persons import PersonStatus
from core.people.profiles import edit_profile
from tests.core.people.crowd import Town
from tests.core.people.standings import stand
from tests.numbers import new_email


async def send(town: Town, person: str, kind: Kind = Kind.EMAIL) -> str:
    """Send a code; the code, if one was left."""
    before = await town.codes(person)
    await send_code(town.pool, town.keys, town.tenant.id, person, kind, By(person))
    after = await town.codes(person)
    return after[-1] if len(after) > len(before) else ""


async def try_(town: Town, person: str, code: str, kind: Kind = Kind.EMAIL) -> str:
    """What comes of a code."""
    try:
        await confirm(town.pool, town.keys, town.tenant.id, person, kind, code, By(person))
    except Refusal as error:
        return error.code
    return "confirmed"


def wrong(code: str) -> str:
    return f"{(int(code or 0) + 1) % 10**6:06}"


async def test_the_code_that_was_sent_confirms(town: Town) -> None:
    ana = (await town.register(email=new_email())).person_id
    code = await send(town, ana)
    assert re.fullmatch("[0-9]{6}", code)
    (told,) = await town.notices()
    assert (told.kind, told.person, told.contact) == (NoticeKind.CONTACT_CODE, ana, (int(Kind.EMAIL), 1))
    assert await try_(town, ana, code) == "confirmed"
    seen = await read_person(town.pool, town.keys, town.tenant.id, ana, None, with_accounts=False)
    assert seen.fields[0].held_at is not None
    assert [one.details for one in await town.trail(about=ana, what=Act.CONTACT_CONFIRMED.value)] == [
        {"field": "email"}
    ]
    for entry in await town.trail(about=ana):
        assert code not in repr(entry)
    # It works once, and there is nothing to confirm any more.
    assert await try_(town, ana, code) == "already_confirmed"
    with pytest.raises(Refusal) as refused:
        await send(town, ana)
    assert refused.value.code == "already_confirmed"


async def test_five_wrong_tries_and_the_right_one_comes_too_late(town: Town) -> None:
    ana = (await town.register(email=new_email())).person_id
    code = await send(town, ana)
    for _ in range(TRIES):
        assert await try_(town, ana, wrong(code)) == "code_refused"
    assert await try_(town, ana, code) == "code_refused"
    assert await try_(town, ana, await send(town, ana)) == "confirmed"


async def test_tries_at_the_same_moment_are_counted_one_by_one(town: Town) -> None:
    ana = (await town.register(email=new_email())).person_id
    code = await send(town, ana)
    outcomes = await asyncio.gather(*(try_(town, ana, f"{(int(code) + at) % 10**6:06}") for at in range(1, 9)))
    assert outcomes == ["code_refused"] * 8
    async with in_tenant(town.pool, town.tenant.id) as connection:
        assert await connection.fetchval("select tries_left from contact_codes") == 0
    assert await try_(town, ana, code) == "code_refused"


async def test_a_code_is_good_for_a_quarter_of_an_hour(town: Town, admin: Pool) -> None:
    assert timedelta(minutes=15) == LASTS
    ana = (await town.register(email=new_email())).person_id
    code = await send(town, ana)
    for late, outcome in ((timedelta(seconds=-5), "confirmed"), (timedelta(seconds=1), "code_refused")):
        bruno = (await town.register(email=new_email())).person_id
        code = await send(town, bruno)
        await admin.execute(
            "update contact_codes set expires_at = expires_at - $3::interval where tenant_id = $1 and person_id = $2",
            town.tenant.id,
            bruno,
            LASTS + late,
        )
        assert await try_(town, bruno, code) == outcome


async def test_the_last_code_counts(town: Town) -> None:
    ana = (await town.register(email=new_email())).person_id
    first, second = await send(town, ana), await send(town, ana)
    if first != second:
        assert await try_(town, ana, first) == "code_refused"
    assert await try_(town, ana, second) == "confirmed"


async def test_a_code_is_for_the_contact_it_was_sent_to(town: Town) -> None:
    ana = (await town.register(email=new_email(), phone="+5511911111111")).person_id
    code = await send(town, ana)
    assert await try_(town, ana, code, Kind.PHONE) == "code_refused"
    await edit_profile(town.pool, town.keys, town.tenant.id, ana, {"email": new_email()}, (), By(ana))
    assert await try_(town, ana, code) == "code_refused"
    # Nor is it for anybody else.
    bruno = (await town.register(email=new_email())).person_id
    await send(town, bruno)
    assert await try_(town, bruno, code) in {"code_refused"}


async def test_a_contact_that_is_somebodys_gets_no_code_and_nobody_but_its_holder_hears(town: Town) -> None:
    email = new_email()
    ana = (await town.register(email=email)).person_id
    await town.confirm(ana)
    eva = (await town.register(email=email)).person_id
    mallory = (await town.register(email=new_email())).person_id
    told_before = await town.notices()
    sent_to_nobody = await send_code(town.pool, town.keys, town.tenant.id, eva, Kind.EMAIL, By(eva))
    sent = await send_code(town.pool, town.keys, town.tenant.id, mallory, Kind.EMAIL, By(mallory))
    assert abs((sent.expires_at - sent_to_nobody.expires_at).total_seconds()) < 5
    (code,) = (await town.notices())[len(told_before) :]
    assert code.person == mallory
    assert {told.person for told in told_before if told.kind is NoticeKind.CLAIMED} == {ana}
    # Whatever she guesses is wrong, in the words of a wrong code.
    assert await try_(town, eva, "000000") == await try_(town, mallory, wrong(code.content or ""))
    # Not even the right code would be right: there is none.
    async with in_tenant(town.pool, town.tenant.id) as connection:
        assert await connection.fetchval("select count(*) from held_fields where person_id = $1", eva) == 0


async def test_of_two_who_read_one_mailbox_the_first_has_it(town: Town) -> None:
    email = new_email()
    ana, bruno = [(await town.register(email=email)).person_id for _ in range(2)]
    codes = [await send(town, ana), await send(town, bruno)]
    outcomes = await asyncio.gather(try_(town, ana, codes[0]), try_(town, bruno, codes[1]))
    assert sorted(outcomes) == ["already_held", "confirmed"]


async def test_a_person_may_have_so_many_codes_an_hour(town: Town, admin: Pool) -> None:
    ana = (await town.register(email=new_email(), phone="+5511911111111")).person_id
    for at in range(confirming.SENDS_PER_PERSON):
        assert await send(town, ana, (Kind.EMAIL, Kind.PHONE)[at % 2])
    with pytest.raises(TooOften) as refused:
        await send(town, ana)
    assert 3_500_000 < refused.value.retry_after_ms <= 3_600_000
    await admin.execute(
        "update contact_codes set sent_at = sent_at - interval '61 minutes' where tenant_id = $1", town.tenant.id
    )
    assert await send(town, ana)


async def test_a_mailbox_gets_so_many_an_hour_and_that_others_asked_is_not_told(town: Town) -> None:
    email = new_email()
    people = [(await town.register(email=email)).person_id for _ in range(confirming.SENDS_PER_CONTACT + 2)]
    sent = [bool(await send(town, person)) for person in people]
    assert sent == [True] * confirming.SENDS_PER_CONTACT + [False] * 2


async def test_a_tenant_sends_so_many_an_hour(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirming, "SENDS_PER_TENANT", 3)
    people = [(await town.register(email=new_email())).person_id for _ in range(4)]
    for person in people[:3]:
        assert await send(town, person)
    with pytest.raises(TooOften):
        await send(town, people[3])


async def test_who_has_no_such_contact_is_sent_nothing(town: Town, other_tenant: Tenant) -> None:
    ana = (await town.register(email=new_email())).person_id
    with pytest.raises(NotFound):
        await send_code(town.pool, town.keys, town.tenant.id, ana, Kind.PHONE, By(ana))
    with pytest.raises(NotFound):
        await send_code(town.pool, town.keys, other_tenant.id, ana, Kind.EMAIL, By(ana))
    with pytest.raises(NotFound):
        await send_code(town.pool, town.keys, town.tenant.id, str(uuid.uuid4()), Kind.EMAIL, By(ana))
    await stand(town.pool, town.tenant.id, ana, PersonStatus.CLOSED)
    with pytest.raises(NotFound):
        await send_code(town.pool, town.keys, town.tenant.id, ana, Kind.EMAIL, By(ana))


async def test_what_is_kept_of_a_code_tells_nothing_of_it(town: Town) -> None:
    ana = (await town.register(email=new_email())).person_id
    code = await send(town, ana)
    async with in_tenant(town.pool, town.tenant.id) as connection:
        rows = await connection.fetch("select * from contact_codes")
        notices = await connection.fetch("select * from notices where kind <> 0")
    for row in (*rows, *notices):
        for value in row.values():
            assert code not in (value.hex() if isinstance(value, bytes) else str(value)).split("-")
            assert not (isinstance(value, bytes) and code.encode() in value)
    # Without the tenant's key, a million codes are tried in a second: the hash is a keyed one.
    assert rows[0]["hash"] == await town.keys.index(town.tenant.id, confirming.CODE_FIELD, f"{rows[0]['id']} {code}")


async def test_what_is_too_late_to_tell_is_removed(town: Town, admin: Pool) -> None:
    ana = (await town.register(email=new_email())).person_id
    await send(town, ana)
    while await forget_late(town.pool, 100) == 100:
        pass
    assert len(await town.notices()) == 1
    await admin.execute(
        "update notices set expires_at = clock_timestamp() - interval '1 second' where tenant_id = $1", town.tenant.id
    )
    await admin.execute(
        "update contact_codes set sent_at = sent_at - interval '49 hours' where tenant_id = $1", town.tenant.id
    )
    assert await forget_late(town.pool, 100) >= 1
    assert await town.notices() == []
    async with in_tenant(town.pool, town.tenant.id) as connection:
        assert await connection.fetchval("select count(*) from contact_codes") == 0

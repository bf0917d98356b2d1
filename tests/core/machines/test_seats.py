"""Seats in the database: what ends them and what they opened, and how many there may be."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from core.audit.trail import NOBODY, By
from core.database import Pool, in_tenant
from core.errors import CredentialsRefused, KeysUnavailable, NotFound, Refusal
from core.keys.safe import Safe
from core.machines import acting, seats
from core.machines.acting import accept, act, leave_seat, list_own
from core.machines.seats import Offer, change_seat, end_seat, invite, list_seats, tell_invited
from core.machines.standing import read_standing
from core.people.beginnings import read_beginning
from core.people.opening import Opened, Tenant, open_person
from core.people.persons import PersonStatus, Role
from core.people.roles import set_role
from core.people.sessions import Ending, end_sessions, find_revoked, read_session_start, revoke, start_session
from tests.core.people.standings import stand

Seated = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture
async def shop(keys: Safe, pool: Pool, tenant: Tenant) -> str:
    return (await open_person(pool, keys, tenant.id, Role.MERCHANT, "Café")).person_id


@pytest_asyncio.fixture
async def ana(keys: Safe, pool: Pool, tenant: Tenant) -> Opened:
    return await open_person(pool, keys, tenant.id, Role.CUSTOMER, "Ana")


@pytest_asyncio.fixture
async def by(pool: Pool, tenant: Tenant, ana: Opened) -> By:
    """Ana, logged in."""
    return By(ana.person_id, (await start_session(pool, tenant.id, ana.person_id)).session_id, "192.0.2.0/24")


@pytest.fixture
def offered(keys: Safe, pool: Pool, tenant: Tenant, shop: str, ana: Opened) -> Seated:
    async def offered_(merchant: str = "", **offer: Any) -> str:
        given = {"name": "Counter", "scopes": ["charges:read"], "account": ana.account_id, **offer}
        return (await invite(pool, keys, tenant.id, merchant or shop, Offer(**given), By(shop))).id

    return offered_


@pytest.fixture
def seated(keys: Safe, pool: Pool, tenant: Tenant, by: By, offered: Seated) -> Seated:
    async def seated_(merchant: str = "") -> str:
        seat = await offered(merchant)
        await accept(pool, keys, tenant.id, seat, by)
        return seat

    return seated_


async def refusal(doing: Awaitable[Any]) -> str:
    with pytest.raises(Refusal) as refused:
        await doing
    return refused.value.code


@pytest.mark.parametrize(
    "ending",
    [
        "seat_ended",
        "seat_changed",
        "seat_left",
        "log_in_ended",
        "log_ins_ended",
        "log_in_forgotten",
        "holder_pending",
        "holder_blocked",
        "holder_closed",
        "holder_another",
        "merchant_blocked",
        "merchant_closed",
        "merchant_none",
    ],
)
async def test_a_seats_session_is_over_with_whatever_it_rests_on(
    keys: Safe, pool: Pool, admin: Pool, tenant: Tenant, shop: str, ana: Opened, by: By, seated: Seated, ending: str
) -> None:
    seat = await seated()
    opened = await act(pool, tenant.id, seat, by)
    assert (await act(pool, tenant.id, seat, by)).session_id == opened.session_id
    pairs = [(tenant.id, opened.session_id)]
    assert await find_revoked(pool, pairs) == []
    assert await read_standing(pool, tenant.id, opened.session_id) == (None, None)
    # To rules, it is as new as the log-in's device is.
    await admin.execute("update payhub.sessions set created_at = 'epoch' where id = $1", by.session_id)
    assert await read_session_start(pool, tenant.id, opened.session_id) == 0
    operator = By((await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olga")).person_id)
    told: list[str] = []
    match ending:
        case "seat_ended":
            *_, told = await end_seat(pool, keys, tenant.id, seat, By(shop), whose=shop)
        case "seat_changed":
            *_, told = await change_seat(pool, keys, tenant.id, seat, None, ["holds:write"], By(shop))
        case "seat_left":
            _, told = await leave_seat(pool, tenant.id, seat, by)
        case "log_in_ended":
            await revoke(pool, tenant.id, str(by.session_id), by)
        case "log_ins_ended":
            await end_sessions(pool, tenant.id, ana.person_id, operator, Ending.BY_AN_OPERATOR)
        case "log_in_forgotten":
            await admin.execute("delete from payhub.sessions where id = $1", by.session_id)
        case "holder_pending":
            told = (await stand(pool, tenant.id, ana.person_id, PersonStatus.PENDING)).ended
        case "holder_blocked":
            told = (await stand(pool, tenant.id, ana.person_id, PersonStatus.BLOCKED)).ended
        case "holder_closed":
            told = (await stand(pool, tenant.id, ana.person_id, PersonStatus.CLOSED)).ended
        case "holder_another":
            told = (await set_role(pool, tenant.id, ana.person_id, Role.MERCHANT, operator)).ended
        case "merchant_blocked":
            told = (await stand(pool, tenant.id, shop, PersonStatus.BLOCKED)).ended
        case "merchant_closed":
            told = (await stand(pool, tenant.id, shop, PersonStatus.CLOSED)).ended
        case "merchant_none":
            told = (await set_role(pool, tenant.id, shop, Role.CUSTOMER, operator)).ended
    assert await find_revoked(pool, pairs) == pairs
    assert (await read_beginning(pool, tenant.id, shop, opened.session_id)).is_over
    # Hubs are told of it, or of the log-in that it hangs on.
    if not ending.startswith("log_in"):
        assert {opened.session_id, by.session_id} & {*told}, ending
    ((_, state),) = [(one.id, one.state) for one in (await list_seats(pool, keys, tenant.id, shop, By(shop)))[0]]
    lasts = {"seat_changed", "log_in_ended", "log_ins_ended", "log_in_forgotten", "holder_pending", "holder_blocked"}
    assert state == ("active" if ending in {*lasts, "merchant_blocked"} else "ended")
    if ending == "holder_blocked":
        await stand(pool, tenant.id, ana.person_id, PersonStatus.ACTIVE)
        assert await find_revoked(pool, pairs) == []


async def test_nobody_acts_who_has_not_accepted_or_whose_log_in_is_over(
    keys: Safe, pool: Pool, admin: Pool, tenant: Tenant, shop: str, by: By, offered: Seated
) -> None:
    seat = await offered()
    assert await refusal(act(pool, tenant.id, seat, by)) == "seat_over"
    with pytest.raises(NotFound):
        await act(pool, tenant.id, seat, By(shop, by.session_id))
    await admin.execute("update payhub.seats set lapses_at = now() where id = $1", seat)
    assert await refusal(accept(pool, keys, tenant.id, seat, by)) == "seat_over"
    assert (await list_own(pool, keys, tenant.id, str(by.person_id)))[0] == []
    later = await offered()
    await accept(pool, keys, tenant.id, later, by)
    await revoke(pool, tenant.id, str(by.session_id), by)
    with pytest.raises(CredentialsRefused):
        await act(pool, tenant.id, later, by)
    # Nor from what a machine of one's own speaks with: a seat hangs on a log-in.
    opened = await start_session(pool, tenant.id, str(by.person_id))
    await admin.execute("update payhub.sessions set is_machines = true where id = $1", opened.session_id)
    with pytest.raises(CredentialsRefused):
        await act(pool, tenant.id, later, by._replace(session_id=opened.session_id))


async def test_a_merchant_has_so_many_seats_and_a_person_holds_so_many(
    keys: Safe, pool: Pool, tenant: Tenant, by: By, seated: Seated, offered: Seated, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seated()
    other = (await open_person(pool, keys, tenant.id, Role.MERCHANT, "Bar")).person_id
    second = await offered(other)
    monkeypatch.setattr(acting, "HELD_MAX", 1)
    assert await refusal(accept(pool, keys, tenant.id, second, by)) == "too_many_seats"
    monkeypatch.setattr(seats, "SEATS_MAX", 1)
    assert await refusal(offered()) == "too_many_seats"
    monkeypatch.setattr(seats, "SEATS_MAX", 5)
    monkeypatch.setattr(seats, "INVITATIONS_A_DAY_MAX", 1)
    assert await refusal(offered()) == "too_many_invitations"


async def test_the_same_person_is_told_once_and_who_is_not_there_never(
    keys: Safe, pool: Pool, tenant: Tenant, ana: Opened, offered: Seated
) -> None:
    for wish in ({}, {}, {"login": "nobody-there", "account": None}):
        await tell_invited(pool, tenant.id, await offered(**wish))
    async with in_tenant(pool, tenant.id) as connection:
        told = await connection.fetch(
            "select person_id::text from notices where tenant_id = $1 and kind = 42", tenant.id
        )
    assert [row[0] for row in told] == [ana.person_id]


async def test_a_name_that_cannot_be_read_keeps_nobody_from_ending_a_seat(
    keys: Safe, pool: Pool, tenant: Tenant, shop: str, seated: Seated, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = await seated()

    async def away(*_: object, **__: object) -> None:
        raise KeysUnavailable

    monkeypatch.setattr(Safe, "one", away)
    monkeypatch.setattr(Safe, "of", away)
    ended, names, _ = await end_seat(pool, keys, tenant.id, seat, By(shop))
    assert (ended.state, ended.name, {*names.values()}) == ("ended", None, {None})
    with pytest.raises(NotFound):
        await end_seat(pool, keys, tenant.id, str(uuid.uuid4()), NOBODY)

"""Notices over the wire: told to every socket of a person, acknowledged, listed; how they climb, and what was set aside."""

import asyncio
import time
from typing import get_args

import httpx2

from core.audit.trail import read_trail
from core.database import Pool
from core.keys.safe import Safe
from core.notices.deliveries import Road
from core.notices.kinds import NoticeKind
from core.notices.ladder import CAN_WAIT, PUSH_S_MAX, SOCKET_S_MAX, SOCKET_S_MIN
from core.notices.seen import SECRET, seen_token
from core.people.opening import Tenant
from core.people.persons import Role
from hub.protocol import notices
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.known import bearer
from tests.hub.undelivered import set_aside, warn


def test_names_are_those_of_the_kinds() -> None:
    assert set(get_args(notices.NoticeName)) == {kind.name.lower() for kind in NoticeKind}
    assert set(get_args(notices.MutableName)) == {kind.name.lower() for kind in CAN_WAIT}
    assert set(get_args(notices.RoadName)) == {road.name.lower() for road in Road}
    assert (SOCKET_S_MIN, SOCKET_S_MAX, PUSH_S_MAX) == (2, 86_400, 604_800)


async def test_a_notice_reaches_every_socket_of_its_person_on_every_hub_within_a_second(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    """Whoever left it: here nobody told any hub."""
    ana, bruno = await enter(tenant), await enter(tenant)
    here, there, other = await join(hubs.a, ana), await join(hubs.b, ana), await join(hubs.a, bruno)
    began = time.monotonic()
    number = await warn(pool, ana)
    told = [await client.receive() for client in (here, there)]
    assert time.monotonic() - began < 2.0
    assert told[0] == told[1]
    assert told[0]["notice"] == {
        "number": number,
        "kind": "new_device",
        "at": told[0]["notice"]["at"],
        "network": "192.0.2.0/24",
        "code": "totp",
    }
    await asyncio.sleep(0.6)
    # Once, and nobody else's.
    for client in (here, there, other):
        await client.ask("ping")
        assert client.heard == []


async def test_whoever_was_away_learns_the_number_and_asks_for_the_rest(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    ana = await enter(tenant)
    for _ in range(3):
        await warn(pool, ana)
    client = await join(hubs.a, ana)
    page = await client.ask("notices", after=1)
    assert ([one["number"] for one in page["notices"]], page["number"], page["unheard"]) == ([2, 3], 3, 3)
    assert (await client.ask("hear_notices", number=2))["count"] == 2
    page = await client.ask("notices", limit=2)
    assert [(one["number"], one.get("heard", False)) for one in page["notices"]] == [(3, False), (2, True)]
    assert page["unheard"] == 1
    # What was there before is not told again as new.
    await asyncio.sleep(0.6)
    await client.ask("ping")
    assert client.heard == []


async def test_a_session_does_not_acknowledge_what_it_did_itself(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    ana = await enter(tenant)
    thief = await enter(tenant, again=ana)
    by_owner, by_thief = await join(hubs.a, ana), await join(hubs.b, thief)
    number = await warn(pool, ana, session_id=thief.session)
    assert (await by_owner.receive())["notice"]["session"] == thief.session
    assert (await by_thief.ask("hear_notices", number=number))["count"] == 0
    assert by_thief.heard == []
    assert (await by_owner.ask("hear_notices", number=number))["count"] == 1


async def test_how_one_is_told_is_ones_own(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    client = await join(hubs.a, await enter(tenant))
    assert (await client.ask("notice_settings"))["muted"] == []
    given = {"language": "en", "quiet_from": "22:00", "quiet_to": "07:30", "muted": ["news"]}
    assert (await client.ask("set_notice_settings", **given)).items() >= given.items()
    assert (await client.ask("notice_settings")).items() >= given.items()
    for bad in ({"muted": ["new_device"]}, {"quiet_from": "22:00"}, {"quiet_from": "24:00"}, {"language": "fr"}):
        refused = await client.ask("set_notice_settings", **bad)
        assert (refused["type"], refused["code"]) == ("error", "invalid_field")
    assert (await client.ask("notice_settings")).items() >= given.items()


async def test_operators_say_how_their_tenants_notices_climb(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    operator = await enter(tenant, Role.OPERATOR, proved=True)
    client = await join(hubs.a, operator)
    wanted = {"kind": "payment_received", "socket_s": 3, "push_s": 0, "has_push": False, "has_mail": True}
    assert (await client.ask("set_ladder", **wanted))["ladder"] == {**wanted, "own": True}
    ladders = {one["kind"]: one for one in (await client.ask("ladders"))["ladders"]}
    assert ladders["payment_received"] == {**wanted, "own": True}
    assert ladders["new_device"] == {
        "kind": "new_device",
        "socket_s": 5,
        "push_s": 60,
        "has_push": True,
        "has_mail": True,
    }
    (entry,) = await read_trail(pool, tenant.id, 10, what="setting.ladder")
    assert (entry.who, entry.about) == (operator.person, "payment_received")
    for bad in (
        {**wanted, "has_mail": False},
        {**wanted, "socket_s": 1},
        {**wanted, "kind": "contact_code"},
        {**wanted, "kind": "nothing"},
    ):
        assert (await client.ask("set_ladder", **bad))["code"] == "invalid_field"
    customer = await join(hubs.a, await enter(tenant))
    assert (await customer.ask("set_ladder", **wanted))["code"] == "forbidden"
    assert (await customer.ask("ladders"))["code"] == "forbidden"


async def test_what_was_set_aside_is_seen_by_operators_of_its_tenant_and_sent_again(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant, pool: Pool, keys: Safe, admin: Pool
) -> None:
    ana = await enter(tenant)
    dead = await set_aside(pool, keys, admin, ana)
    operator = await join(hubs.a, await enter(tenant, Role.OPERATOR))
    (one,) = (await operator.ask("dead_deliveries"))["deliveries"]
    assert (one["delivery"], one["road"], one["kind"], one["person"], one["tries"], one["code"]) == (
        dead,
        "firebase",
        "new_device",
        ana.person,
        1,
        "INVALID_ARGUMENT",
    )
    stranger = await join(hubs.a, await enter(other_tenant, Role.OPERATOR))
    assert (await stranger.ask("dead_deliveries"))["deliveries"] == []
    assert (await stranger.ask("retry_deliveries", deliveries=[dead]))["deliveries"] == []
    assert (await operator.ask("retry_deliveries", deliveries=[dead]))["deliveries"] == [dead]
    assert (await operator.ask("retry_deliveries"))["deliveries"] == []
    (entry,) = await read_trail(pool, tenant.id, 10, what="deliveries.retried")
    assert entry.about == dead


async def test_a_mails_link_is_followed_by_scanners_and_answered_by_people(
    hubs: Hubs, enter: Enter, tenant: Tenant, pool: Pool, keys: Safe, admin: Pool, web: httpx2.AsyncClient
) -> None:
    ana = await enter(tenant)
    delivery = await set_aside(pool, keys, admin, ana)
    token = seen_token(await keys.secret(SECRET), tenant.id, delivery)

    async def unheard() -> int:
        return int(
            await admin.fetchval("select count(*) from notices where tenant_id = $1 and heard_at is null", tenant.id)
        )

    assert await unheard() == 1
    page = await web.get(f"{hubs.a.url}/s/{token}", headers={"accept-language": "en"})
    assert (page.status_code, "Have you seen this notice?" in page.text) == (200, True)
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert await unheard() == 1
    done = await web.post(f"{hubs.a.url}/s/{token}", headers={"accept-language": "pt-BR"})
    assert (done.status_code, "Combinado" in done.text) == (200, True)
    assert await unheard() == 0
    # Again, or made up: the same answer, and nothing is said of whether there was anything.
    for other in (token, "A" * 43, "x"):
        again = await web.post(f"{hubs.b.url}/s/{other}", headers={"accept-language": "pt-BR"})
        assert (again.status_code, again.text) == (200, done.text)


async def test_a_tap_acknowledges_without_a_log_in_and_tells_nothing(
    hubs: Hubs, enter: Enter, tenant: Tenant, pool: Pool, keys: Safe, admin: Pool, web: httpx2.AsyncClient
) -> None:
    ana = await enter(tenant)
    delivery = await set_aside(pool, keys, admin, ana)
    token = seen_token(await keys.secret(SECRET), tenant.id, delivery)
    answers = [await web.post(f"{hubs.a.url}/v1/seen", json={"seen": one}) for one in (token, token, "A" * 43)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert await admin.fetchval("select count(heard_at) from notices where tenant_id = $1", tenant.id) == 1
    bad = await web.post(f"{hubs.a.url}/v1/seen", json={"seen": "short"})
    assert bad.status_code == 422


async def test_over_http_it_is_the_same(
    hubs: Hubs, enter: Enter, tenant: Tenant, pool: Pool, web: httpx2.AsyncClient
) -> None:
    ana = await enter(tenant)
    number = await warn(pool, ana, NoticeKind.PASSWORD_CHANGED)
    page = (await web.get(f"{hubs.a.url}/v1/notices", headers=bearer(ana.token))).json()
    assert [one["kind"] for one in page["notices"]] == ["password_changed"]
    heard = await web.post(f"{hubs.a.url}/v1/notices/heard", json={"number": number}, headers=bearer(ana.token))
    assert heard.json()["count"] == 1

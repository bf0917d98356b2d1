"""Live figures of a tenant, at real hubs: nobody else's are in them, and what is lost is said to be missing."""

import asyncio

from core.database import Pool
from core.people.opening import Tenant
from core.people.persons import Role
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.stranger import Stranger, Wire


async def hear_second(client: Stranger, wanted: int = 1) -> Wire:
    """The next second in which something happened."""
    async with asyncio.timeout(10):
        while True:
            told = await client.hear("traffic_second")
            if sum(told["second"]["counts"].values()) >= wanted:
                return told


async def test_a_tenant_sees_its_own_traffic_and_connections_alone(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant
) -> None:
    operator, outsider = await enter(tenant, Role.OPERATOR), await enter(other_tenant, Role.OPERATOR)
    payer, payee = await enter(other_tenant, funds=1_000), await enter(other_tenant)
    ours, theirs = await join(hubs.a, operator), await join(hubs.a, outsider)
    paying = await join(hubs.a, payer)
    assert (await ours.ask("traffic", watch=True))["type"] == "traffic_state"
    await theirs.ask("traffic", watch=True)
    await paying.pay(payer.account, payee.account, 1)
    told = await hear_second(theirs)
    assert told["second"]["counts"] == {"posted": 1}
    # The same second was told to us, with nothing in it.
    async with asyncio.timeout(5):
        while (heard := await ours.hear("traffic_second"))["second"]["at"] < told["second"]["at"]:
            pass
    assert heard["second"]["counts"] == {}
    seen = await ours.ask("connections", limit=200)
    assert {one["person"] for one in seen["connected"]} == {operator.person}
    assert seen["total"] == heard["sessions"] == 1
    await paying.connection.close()
    async with asyncio.timeout(5):
        while payer.person not in {one["person"] for one in (await theirs.ask("connections"))["departures"]}:
            await asyncio.sleep(0.05)
    assert payer.person not in {one["person"] for one in (await ours.ask("connections"))["departures"]}


async def test_who_was_cut_off_is_told_with_the_reason(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    operator, somebody = await enter(tenant, Role.OPERATOR), await enter(tenant)
    watching, live = await join(hubs.a, operator), await join(hubs.b, somebody)
    await watching.ask("end_session", session=somebody.session, reason="lost phone")
    assert await live.closed() == 4503
    async with asyncio.timeout(5):
        found: list[Wire] = []
        while not found:
            told = await watching.ask("connections", person=somebody.person)
            found = told["departures"]
    assert (found[0]["code"], found[0]["by_hub"], found[0]["session"]) == (4503, True, somebody.session)

"""What tests of seats need: invitations that are accepted, and who acts in them."""

from typing import Any

import httpx2

from tests.hub.conftest import Somebody
from tests.hub.machines import bearer
from tests.hub.processes import HubProcess


async def invite(
    web: httpx2.AsyncClient, hub: HubProcess, shop: Somebody, scopes: tuple[str, ...], **whom: Any
) -> dict[str, Any]:
    """An invitation as its merchant sees it."""
    body = {"name": "Counter", "scopes": [*scopes], **whom}
    answer = await web.post(f"{hub.url}/v1/seats", json=body, headers=bearer(shop))
    assert answer.status_code == 201, answer.text
    seat: dict[str, Any] = answer.json()["seat"]
    return seat


async def seat_of(web: httpx2.AsyncClient, hub: HubProcess, shop: Somebody, holder: Somebody, *scopes: str) -> str:
    """A seat that the holder has accepted."""
    seat: str = (await invite(web, hub, shop, scopes, account=holder.account))["seat"]
    answer = await web.post(f"{hub.url}/v1/seats/{seat}/accept", json={}, headers=bearer(holder))
    assert answer.status_code == 200, answer.text
    return seat


async def act(web: httpx2.AsyncClient, hub: HubProcess, holder: Somebody, seat: str) -> httpx2.Response:
    return await web.post(f"{hub.url}/v1/seats/{seat}/act", json={}, headers=bearer(holder))


async def speak_in(web: httpx2.AsyncClient, hub: HubProcess, shop: Somebody, holder: Somebody, seat: str) -> Somebody:
    """The merchant, but with a token that was given to who sits there."""
    answer = await act(web, hub, holder, seat)
    assert answer.status_code == 200, answer.text
    return shop._replace(token=answer.json()["access_token"])


async def clerk_of(
    web: httpx2.AsyncClient, hub: HubProcess, shop: Somebody, holder: Somebody, *scopes: str
) -> Somebody:
    """The merchant as the holder speaks for it, with these scopes."""
    return await speak_in(web, hub, shop, holder, await seat_of(web, hub, shop, holder, *scopes))

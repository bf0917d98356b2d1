"""What tests of machines need: keys, and who speaks with them."""

from typing import Any

import httpx2

from tests.hub.conftest import Somebody
from tests.hub.processes import HubProcess


def bearer(somebody: Somebody) -> dict[str, str]:
    return {"authorization": f"Bearer {somebody.token}"}


async def make_key(
    web: httpx2.AsyncClient, hub: HubProcess, who: Somebody, *scopes: str, **wish: Any
) -> tuple[dict[str, Any], str]:
    """A key as it is listed, and its secret."""
    body = {"name": "A program", "scopes": [*scopes], **wish}
    answer = await web.post(f"{hub.url}/v1/api-keys", json=body, headers=bearer(who))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return made["key"], made["secret"]


async def trade(web: httpx2.AsyncClient, hub: HubProcess, slug: str, secret: str) -> httpx2.Response:
    return await web.post(f"{hub.url}/v1/login/key", json={"tenant": slug, "key": secret})


async def speak_with(web: httpx2.AsyncClient, hub: HubProcess, who: Somebody, secret: str) -> Somebody:
    """The merchant, but with a token that was given for the key."""
    answer = await trade(web, hub, who.tenant.slug, secret)
    assert answer.status_code == 200, answer.text
    return who._replace(token=answer.json()["access_token"])


async def program_of(web: httpx2.AsyncClient, hub: HubProcess, who: Somebody, *scopes: str, **wish: Any) -> Somebody:
    """The merchant as a program with these scopes speaks."""
    _, secret = await make_key(web, hub, who, *scopes, **wish)
    return await speak_with(web, hub, who, secret)

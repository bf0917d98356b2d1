"""The doors: the allow-list of web pages letter by letter, and no page through the native one."""

from typing import Any

import httpx2
import pytest

from core.people.opening import Tenant
from hub.doors import Door, Doors, door_for
from tests.hub.conftest import Hubs
from tests.hub.processes import HubProcess
from tests.hub.stranger import Stranger

OURS = Doors(["https://app.example.com", "http://localhost:8080"])


@pytest.mark.parametrize(
    "origin",
    [
        b"https://evil.example",
        b"https://app.example.com.evil.io",
        b"https://evilapp.example.com",
        b"null",
        b"",
        b"https://APP.example.com",
        b"HTTPS://app.example.com",
        b"https://app.example.com:443",
        b"https://app.example.com:8443",
        b"http://app.example.com",
        b"https://xn--pp-8ka.example.com",
        "https://\u0430pp.example.com".encode(),
        b"https://app.example.com/",
        b"https://app.example.com@evil.example",
        b"https://app.example.com https://evil.example",
        b"*",
        b"http://localhost",
        b"http://localhost:80800",
    ],
)
def test_any_other_origin_is_refused(origin: bytes) -> None:
    assert not OURS.allow(Door.WEB, [(b"host", b"hub"), (b"Origin", origin)])


def test_an_origin_on_the_list_is_allowed_and_only_once() -> None:
    ours = (b"origin", b"https://app.example.com")
    assert OURS.allow(Door.WEB, [ours])
    assert not OURS.allow(Door.WEB, [ours, ours])
    assert not OURS.allow(Door.WEB, [(b"ORIGIN", b"https://evil.example"), ours])


def test_no_origin_is_no_page() -> None:
    assert not OURS.allow(Door.WEB, [(b"host", b"hub")])


@pytest.mark.parametrize("origin", [b"https://app.example.com", b"https://evil.example", b"null", b""])
def test_a_page_does_not_pass_the_native_door_whatever_its_origin(origin: bytes) -> None:
    assert OURS.allow(Door.NATIVE, [(b"host", b"hub")])
    assert not OURS.allow(Door.NATIVE, [(b"host", b"hub"), (b"Origin", origin)])


def test_a_token_is_for_the_door_that_its_request_came_through() -> None:
    assert door_for([(b"host", b"hub"), (b"origin", b"https://app.example.com")]) is Door.WEB
    assert door_for([(b"host", b"hub")]) is Door.NATIVE


def test_an_empty_list_lets_no_page_in() -> None:
    assert not Doors([]).allow(Door.WEB, [(b"origin", b"https://app.example.com")])


PAGE = "https://app.example.com"


async def log_in(web: httpx2.AsyncClient, hub: HubProcess, tenant: Tenant, origin: str | None) -> dict[str, Any]:
    body = {"tenant": tenant.slug, "login": "doors", "password": "a door has two sides"}
    headers = {} if origin is None else {"origin": origin}
    answer = await web.post(f"{hub.url}/v1/login", json=body, headers=headers)
    if answer.status_code == 401:
        answer = await web.post(f"{hub.url}/v1/register", json={**body, "name": "Doors"}, headers=headers)
    assert answer.is_success, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def refresh(
    web: httpx2.AsyncClient, hub: HubProcess, tenant: Tenant, tokens: dict[str, Any], origin: str | None
) -> str:
    body = {"tenant": tenant.slug, "refresh_token": tokens["refresh_token"]}
    headers = {} if origin is None else {"origin": origin}
    answer = await web.post(f"{hub.url}/v1/refresh", json=body, headers=headers)
    return str(answer.json()["access_token"])


async def test_a_token_opens_only_the_door_that_it_was_issued_for(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant
) -> None:
    doors = {None: hubs.a.socket_url, PAGE: hubs.a.socket_url.replace("/v1/native", "/v1/socket")}
    tokens = {origin: await log_in(web, hubs.a, tenant, origin) for origin in doors}
    for mine, other in ((None, PAGE), (PAGE, None)):
        async with await Stranger.connect(doors[mine], origin=mine) as client:
            assert (await client.authenticate(tokens[mine]["access_token"]))["type"] == "welcome"
            # A fresh token of the same session, but for the other door.
            renewed = await client.ask("renew", token=await refresh(web, hubs.a, tenant, tokens[mine], other))
            assert (renewed["type"], renewed["code"]) == ("error", "authentication_failed")
        async with await Stranger.connect(doors[mine], origin=mine) as client:
            refused = await client.authenticate(tokens[other]["access_token"])
            assert (refused["type"], refused["code"]) == ("error", "authentication_failed")
            assert "token_audience" in refused["message"]

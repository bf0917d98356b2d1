"""People who come in with what an identity provider says of them, through real hubs and a real provider."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from core.audit.trail import read_trail
from core.database import Pool
from core.keys.safe import Safe
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from tests.hub.conftest import CANARY, Enter, Hubs, Join, Somebody, StartHub
from tests.hub.known import network_of
from tests.hub.machines import bearer
from tests.hub.oidc import OidcServer, make_key
from tests.hub.processes import HubProcess
from tests.hub.tills import nonce_of


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OidcServer]:
    running = await OidcServer().start()
    yield running
    await running.stop()


@pytest_asyncio.fixture
async def operator(enter: Enter, tenant: Tenant) -> Somebody:
    return await enter(tenant, Role.OPERATOR)


async def believe(
    web: httpx2.AsyncClient, hub: HubProcess, operator: Somebody, server: OidcServer, name: str = "bank", **changed: Any
) -> httpx2.Response:
    body = {
        "issuer": server.issuer,
        "audience": server.audience,
        "claim": "sub",
        "names": "external_id",
        "algorithms": ["RS256", "ES256", "EdDSA"],
        "opens_people": True,
        **changed,
    }
    return await web.put(f"{hub.url}/v1/identity-providers/{name}", json=body, headers=bearer(operator))


async def come(
    web: httpx2.AsyncClient,
    hub: HubProcess,
    slug: str,
    id_token: str,
    nonce: str,
    *,
    provider: str = "bank",
    headers: dict[str, str] | None = None,
) -> httpx2.Response:
    body = {"tenant": slug, "provider": provider, "id_token": id_token, "nonce": nonce}
    return await web.post(f"{hub.url}/v1/login/external", json=body, headers=headers)


async def log_in(
    web: httpx2.AsyncClient, hub: HubProcess, slug: str, server: OidcServer, **changed: Any
) -> httpx2.Response:
    nonce = await nonce_of(web, hub, slug, "login")
    return await come(web, hub, slug, server.token(nonce, **changed), nonce)


def refused(answer: httpx2.Response, status: int, code: str, reason: str = "") -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert reason in answer.json()["title"]


async def test_somebody_comes_in_by_their_provider_at_either_hub_and_is_the_same(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, tenant: Tenant, operator: Somebody, server: OidcServer
) -> None:
    assert (await believe(web, hubs.a, operator, server)).status_code == 200
    first = await log_in(web, hubs.a, tenant.slug, server, name=f"{CANARY} Jane")
    assert first.status_code == 200, first.text
    again = await log_in(web, hubs.b, tenant.slug, server)
    assert first.json()["person"] == again.json()["person"]
    headers = {"authorization": f"Bearer {first.json()['access_token']}"}
    profile = (await web.get(f"{hubs.b.url}/v1/profile", headers=headers)).json()
    assert (profile["name"], profile["role"]) == (f"{CANARY} Jane", "customer")
    (account,) = (await web.get(f"{hubs.a.url}/v1/accounts", headers=headers)).json()["accounts"]
    assert account["posted"] == 0
    # A session like any other: its tokens are refreshed.
    body = {"tenant": tenant.slug, "refresh_token": first.json()["refresh_token"]}
    assert (await web.post(f"{hubs.b.url}/v1/refresh", json=body)).status_code == 200


async def test_a_token_is_for_the_nonce_that_it_was_asked_for_with_and_once(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, other_tenant: Tenant, operator: Somebody, server: OidcServer
) -> None:
    await believe(web, hubs.a, operator, server)
    slug = tenant.slug
    nonce = await nonce_of(web, hubs.a, slug, "login")
    token = server.token(nonce)
    # Somebody who has the token and not the nonce it was made for brings one of their own.
    other = await nonce_of(web, hubs.a, slug, "login")
    refused(await come(web, hubs.a, slug, token, other), 401, "identity_refused", "identity_nonce")
    # One that is not ours, another tenant's, or for something else.
    for bad in (
        str(uuid.uuid4()),
        await nonce_of(web, hubs.a, other_tenant.slug, "login"),
        await nonce_of(web, hubs.a, slug, "proof"),
    ):
        asked = len(server.asked)
        refused(await come(web, hubs.a, slug, server.token(bad), bad), 401, "identity_refused", "identity_nonce")
        assert len(server.asked) == asked, "the provider was asked for a nonce that is not ours"
    answers = await asyncio.gather(*(come(web, hub, slug, token, nonce) for hub in (hubs.a, hubs.b) * 3))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5
    refused(await come(web, hubs.b, slug, token, nonce), 401, "identity_refused", "identity_nonce")


async def test_whatever_else_is_wrong_with_a_token_is_told_by_a_code(
    keys: Safe, hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, operator: Somebody, server: OidcServer
) -> None:
    await believe(web, hubs.a, operator, server, algorithms=["EdDSA"])
    for changed, reason in (
        ({"aud": "another-client"}, "identity_audience"),
        ({"iss": "https://evil.example"}, "identity_issuer"),
        ({"exp": 1}, "identity_expired"),
        ({"sub": None}, "identity_claim"),
        ({"key": make_key("RS256")}, "identity_algorithm"),
        ({"key": make_key("EdDSA")}, "identity_key_unknown"),
        ({"key": make_key("EdDSA")._replace(kid=server.keys[-1].kid)}, "identity_signature"),
        ({"header": {"alg": "none"}}, "identity_algorithm"),
    ):
        refused(await log_in(web, hubs.a, tenant.slug, server, **changed), 401, "identity_refused", reason)
    nonce = await nonce_of(web, hubs.a, tenant.slug, "login")
    unknown = await come(web, hubs.a, tenant.slug, server.token(nonce), nonce, provider="no-such")
    refused(unknown, 404, "not_found")
    refused(await come(web, hubs.a, "no-such-tenant", server.token(nonce), nonce), 401, "credentials_refused")


async def test_a_provider_that_is_away_is_told_by_a_code_and_known_keys_go_on(
    keys: Safe, web: httpx2.AsyncClient, tenant: Tenant, operator: Somebody, server: OidcServer, start_hub: StartHub
) -> None:
    hub, stranger = await start_hub("federated", internal_networks="127.0.0.0/8"), await OidcServer().start()
    await believe(web, hub, operator, server)
    assert (await log_in(web, hub, tenant.slug, server)).status_code == 200
    await server.stop()
    assert (await log_in(web, hub, tenant.slug, server)).status_code == 200
    # One whose keys were never seen.
    await believe(web, hub, operator, stranger, issuer=stranger.issuer)
    await stranger.stop()
    answer = await log_in(web, hub, tenant.slug, stranger)
    refused(answer, 503, "provider_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_no_provider_inside_is_asked_unless_a_setting_says_so(
    web: httpx2.AsyncClient, tenant: Tenant, operator: Somebody, server: OidcServer, start_hub: StartHub
) -> None:
    hub = await start_hub("strict")
    refused(await believe(web, hub, operator, server), 422, "invalid_field")
    for issuer in ("https://localhost:1", f"https://127.0.0.1:{server.port}", "https://169.254.169.254"):
        assert (await believe(web, hub, operator, server, issuer=issuer)).status_code == 200
        refused(await log_in(web, hub, tenant.slug, server, iss=issuer), 503, "provider_unavailable")
    assert server.asked == []


BAD_PROVIDERS: dict[str, tuple[dict[str, Any], str]] = {
    "an issuer with a query": ({"issuer": "https://id.example.com?x=1"}, "issuer"),
    "an issuer with a part": ({"issuer": "https://id.example.com#x"}, "issuer"),
    "an issuer with a user": ({"issuer": "https://a:b@id.example.com"}, "issuer"),
    "an issuer that is a file": ({"issuer": "file:///etc/passwd"}, "issuer"),
    "no issuer": ({"issuer": ""}, "issuer"),
    "an issuer with a space": ({"issuer": "https://id.example.com/a b"}, "issuer"),
    "no algorithm": ({"algorithms": []}, "algorithms"),
    "alg none": ({"algorithms": ["none"]}, "algorithms"),
    "hs256": ({"algorithms": ["HS256"]}, "algorithms"),
    "an algorithm twice": ({"algorithms": ["ES256", "ES256"]}, "algorithms"),
    "no claim": ({"claim": ""}, "claim"),
    "a claim with a quote": ({"claim": "sub'"}, "claim"),
    "names of another kind": ({"names": "email"}, "names"),
    "no audience": ({"audience": ""}, "audience"),
}


@pytest.mark.parametrize(("changed", "field"), BAD_PROVIDERS.values(), ids=BAD_PROVIDERS)
async def test_what_cannot_be_a_provider_is_refused_with_its_field(
    hubs: Hubs, web: httpx2.AsyncClient, operator: Somebody, server: OidcServer, changed: dict[str, Any], field: str
) -> None:
    answer = await believe(web, hubs.a, operator, server, **changed)
    refused(answer, 422, "invalid_field")
    assert answer.json()["field"] == field


async def test_an_operators_login_is_not_enough_unless_that_was_said(
    keys: Safe, hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, operator: Somebody, server: OidcServer, pool: Pool
) -> None:
    password = "a long enough password"
    await open_person(pool, keys, tenant.id, Role.OPERATOR, "Olívia", "root@x.example", password)
    shop = await open_person(pool, keys, tenant.id, Role.MERCHANT, "A shop", "shop@x.example", password)
    by_login: dict[str, Any] = {"claim": "email", "names": "login", "opens_people": False}
    await believe(web, hubs.a, operator, server, **by_login)

    async def with_address(address: str, verified: bool = True) -> httpx2.Response:
        return await log_in(web, hubs.b, tenant.slug, server, email=address, email_verified=verified)

    assert (await with_address("Shop@x.example")).json()["person"] == shop.person_id
    refused(await with_address("shop@x.example", verified=False), 401, "identity_refused", "identity_claim")
    refused(await with_address("root@x.example"), 403, "identity_unknown")
    refused(await with_address("nobody@x.example"), 403, "identity_unknown")
    await believe(web, hubs.a, operator, server, **by_login, admits_operators=True)
    assert (await with_address("root@x.example")).status_code == 200


async def test_nobody_but_an_operator_says_who_is_believed(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    join: Join,
    enter: Enter,
    tenant: Tenant,
    server: OidcServer,
    operator: Somebody,
) -> None:
    await believe(web, hubs.a, operator, server)
    for role in (Role.CUSTOMER, Role.MERCHANT):
        somebody = await enter(tenant, role)
        refused(await believe(web, hubs.a, somebody, server), 403, "forbidden")
        client = await join(hubs.b, somebody)
        for type_, fields in (
            ("identity_providers", {}),
            ("remove_identity_provider", {"provider": "bank"}),
            ("link_identity", {"provider": "bank", "person": somebody.person, "external_id": "1"}),
            ("unlink_identity", {"provider": "bank", "person": somebody.person}),
        ):
            assert (await client.ask(type_, **fields))["code"] == "forbidden"


async def test_another_tenants_provider_and_people_are_none(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    join: Join,
    enter: Enter,
    tenant: Tenant,
    other_tenant: Tenant,
    server: OidcServer,
    operator: Somebody,
) -> None:
    await believe(web, hubs.a, operator, server)
    foreign = await enter(other_tenant, Role.OPERATOR)
    stranger, own = await enter(other_tenant), await enter(tenant)
    there = await join(hubs.a, foreign)
    for person in (own.person, stranger.person):
        answer = await there.ask("link_identity", provider="bank", person=person, external_id="1")
        assert (answer["code"], answer["field"]) == ("not_found", "provider")
    assert (await there.ask("remove_identity_provider", provider="bank"))["code"] == "not_found"
    assert (await there.ask("identity_providers"))["providers"] == []
    here = await join(hubs.a, operator)
    for person in (stranger.person, str(uuid.uuid4())):
        answer = await here.ask("link_identity", provider="bank", person=person, external_id="1")
        assert (answer["code"], answer["field"]) == ("not_found", "person")
    nonce = await nonce_of(web, hubs.a, other_tenant.slug, "login")
    refused(await come(web, hubs.a, other_tenant.slug, server.token(nonce), nonce), 404, "not_found")


async def test_what_is_removed_is_believed_no_longer_and_its_links_are_gone(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, server: OidcServer, operator: Somebody
) -> None:
    await believe(web, hubs.a, operator, server)
    first = await log_in(web, hubs.a, tenant.slug, server)
    url = f"{hubs.b.url}/v1/identity-providers/bank"
    assert (await web.delete(url, headers=bearer(operator))).status_code == 200
    refused(await log_in(web, hubs.a, tenant.slug, server), 404, "not_found")
    await believe(web, hubs.a, operator, server)
    again = await log_in(web, hubs.a, tenant.slug, server)
    assert again.json()["person"] != first.json()["person"]


async def test_people_come_in_while_the_providers_keys_turn(
    keys: Safe, hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, server: OidcServer, operator: Somebody
) -> None:
    await believe(web, hubs.a, operator, server)
    server.keys = [make_key("RS256")]
    codes: list[int] = []
    turning = True

    async def keep_coming(hub: HubProcess) -> None:
        while turning:
            answer = await log_in(web, hub, tenant.slug, server, sub=uuid.uuid4().hex[:1])
            # Whoever comes too often is told so, and is no refused token.
            if answer.status_code == 429:
                await asyncio.sleep(0.5)
                continue
            codes.append(answer.status_code)
            await asyncio.sleep(0.2)

    coming = [asyncio.create_task(keep_coming(hub)) for hub in (hubs.a, hubs.b)]
    retired = []
    for algorithm in ("ES256", "EdDSA", "RS256"):
        await asyncio.sleep(0.7)
        retired.append(server.keys[-1])
        server.keys = [*server.keys, make_key(algorithm)]
        await asyncio.sleep(0.7)
        server.keys = server.keys[-1:]
    await asyncio.sleep(1)
    turning = False
    await asyncio.gather(*coming)
    assert {*codes} == {200}
    assert len(codes) > 5
    await asyncio.sleep(1.2)
    refused(
        await log_in(web, hubs.a, tenant.slug, server, key=retired[0]), 401, "identity_refused", "identity_key_unknown"
    )


async def test_every_step_is_in_the_trail_and_no_identity_is(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, server: OidcServer, operator: Somebody, pool: Pool
) -> None:
    await believe(web, hubs.a, operator, server)
    answer = await log_in(web, hubs.a, tenant.slug, server, sub="a-telling-subject", name="zq-canary")
    person = answer.json()["person"]
    entries = [
        entry
        for entry in reversed(await read_trail(pool, tenant.id, 50))
        if not entry.what.startswith(("session.", "device."))  # of any log-in
    ]
    assert [entry.what for entry in entries] == [
        "setting.identity_provider",
        "person.opened",
        "external_identity.linked",
        "external_identity.used",
    ]
    assert (entries[0].who, entries[3].who, entries[3].network) == (operator.person, person, network_of(web))
    assert not any(word in str(entries) for word in ("a-telling-subject", "zq-canary"))
    # Operators see it among the settings that were changed.
    changes = (await web.get(f"{hubs.b.url}/v1/changes", headers=bearer(operator))).json()["changes"]
    assert (changes[0]["what"], changes[0]["key"]) == ("identity_provider", "bank")

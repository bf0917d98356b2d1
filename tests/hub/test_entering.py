"""Logging in: by two steps, by a passkey alone, and by guessing, which gets nobody anywhere."""

import asyncio
import copy
import json
import random
import time
import uuid
from typing import Any

import httpx2
import jsonschema  # type: ignore[import-untyped]
import pytest

from core.audit.trail import Act, read_trail
from core.database import Pool, in_tenant
from core.people.opening import Tenant
from core.people.persons import PersonStatus
from tests.authenticator import Authenticator
from tests.core.people.standings import stand
from tests.hub.conftest import Hubs, Meet
from tests.hub.known import ORIGIN, PASSWORD, Known, bearer, claims_of, connect
from tests.hub.stranger import Wire

WRONG = "zq-canary wrong horse"


def refusal(answer: httpx2.Response, status: int, code: str) -> Wire:
    """What is told, without what differs from one request to the next."""
    body: Wire = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    body.pop("retry_after_ms", None)
    return body


async def sessions_of(pool: Pool, who: Known) -> int:
    async with in_tenant(pool, who.tenant.id) as connection:
        count: int = await connection.fetchval("select count(*) from sessions where person_id = $1", who.person)
    return count


async def test_a_log_in_by_two_steps_gives_nothing_after_the_first(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, pool: Pool
) -> None:
    before = await known.tokens(web, hubs.a)
    app, _ = await known.enrol_app(web, hubs.a, before["access_token"])
    first = await known.ticket(web, hubs.a)
    assert {**first, "ticket": "", "expires_at": ""} == {
        "ticket": "",
        "expires_at": "",
        "factors": ["totp", "recovery_code"],
    }
    assert await sessions_of(pool, known) == 1
    for token in (first["ticket"], "phr_" + first["ticket"][4:]):
        assert (await web.get(f"{hubs.a.url}/v1/profile", headers=bearer(token))).status_code == 401
        body = {"tenant": known.tenant.slug, "refresh_token": token}
        assert (await web.post(f"{hubs.a.url}/v1/refresh", json=body)).status_code == 401
    done = await known.prove(web, hubs.b, first["ticket"], code=await app.unused_code(), session_name="Second")
    assert done.status_code == 200, done.text
    tokens = done.json()
    claims = claims_of(tokens["access_token"])
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    assert abs(claims["auth_time"] - time.time()) < 10
    body = {"tenant": known.tenant.slug, "refresh_token": tokens["refresh_token"]}
    refreshed = claims_of((await web.post(f"{hubs.a.url}/v1/refresh", json=body)).json()["access_token"])
    assert refreshed["amr"] == claims["amr"]
    assert abs(refreshed["auth_time"] - claims["auth_time"]) <= 1
    client = await connect(hubs.a, tokens["access_token"])
    assert (await client.ask("sessions"))["sessions"][0]["name"] == "Second"
    await client.connection.close()
    entries = [one for one in await read_trail(pool, known.tenant.id, 30) if one.what.startswith("session.")]
    assert [one.what for one in reversed(entries)] == [
        "session.started",
        "session.password_proved",
        "session.started",
    ]
    details = entries[0].details
    assert details is not None
    assert (details["with"], details["proofs"]) == ("totp", ["pwd", "otp", "mfa"])


async def test_a_ticket_ends_with_its_tries_and_a_code_with_its_use(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, pool: Pool
) -> None:
    app, _ = await known.enrol_app(web, hubs.a, (await known.tokens(web, hubs.a))["access_token"])
    wrong = f"{(int(app.code()) + 1) % 1_000_000:06}"
    first = await known.ticket(web, hubs.a)
    bodies = [
        refusal(await known.prove(web, (hubs.a, hubs.b)[at % 2], first["ticket"], code=wrong), 403, "proof_refused")
        for at in range(5)
    ]
    assert all(body == bodies[0] for body in bodies)
    over = await known.prove(web, hubs.a, first["ticket"], code=await app.unused_code())
    assert refusal(over, 401, "ticket_refused")
    second = await known.ticket(web, hubs.a)
    code = await app.unused_code()
    assert (await known.prove(web, hubs.a, second["ticket"], code=code)).status_code == 200
    for ticket, answer in ((second["ticket"], (401, "ticket_refused")), (None, (403, "proof_refused"))):
        again = ticket or (await known.ticket(web, hubs.a))["ticket"]
        refusal(await known.prove(web, hubs.b, again, code=code), *answer)
    assert await sessions_of(pool, known) == 2
    reasons = [one.details for one in await read_trail(pool, known.tenant.id, 30, what=Act.SESSION_REFUSED)]
    assert [one["reason"] for one in reversed(reasons) if one] == ["code_wrong"] * 5 + ["code_used"]


async def test_of_many_second_steps_at_once_one_is_a_session(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, pool: Pool
) -> None:
    app, enrolled = await known.enrol_app(web, hubs.a, (await known.tokens(web, hubs.a))["access_token"])
    code = await app.unused_code()
    tickets = [(await known.ticket(web, hubs.a))["ticket"] for _ in range(3)]
    answers = await asyncio.gather(*(known.prove(web, hub, ticket, code=code) for ticket in tickets for hub in hubs))
    assert sorted(answer.status_code for answer in answers)[0] == 200
    assert sum(answer.status_code == 200 for answer in answers) == 1
    # One ticket, two codes that are good.
    ticket = (await known.ticket(web, hubs.a))["ticket"]
    answers = await asyncio.gather(
        *(known.prove(web, hubs.a, ticket, recovery_code=one) for one in enrolled["recovery_codes"][:4])
    )
    assert sum(answer.status_code == 200 for answer in answers) == 1
    assert await sessions_of(pool, known) == 3


async def test_what_is_brought_is_one_thing(hubs: Hubs, web: httpx2.AsyncClient, known: Known) -> None:
    _, enrolled = await known.enrol_app(web, hubs.a, (await known.tokens(web, hubs.a))["access_token"])
    ticket = (await known.ticket(web, hubs.a))["ticket"]
    for more in ({}, {"code": "123456", "recovery_code": enrolled["recovery_codes"][0]}):
        assert refusal(await known.prove(web, hubs.a, ticket, **more), 422, "invalid_field")["field"] == "code"
    for code in ("12345", "abcdef", "١٢٣٤٥٦", 123456, None):
        refusal(await known.prove(web, hubs.a, ticket, code=code), 422, "invalid_field")
    assert (await known.prove(web, hubs.a, ticket, recovery_code=enrolled["recovery_codes"][0])).status_code == 200


async def test_a_recovery_code_lets_in_once_and_the_others_are_told(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known
) -> None:
    first = await known.tokens(web, hubs.a)
    _, enrolled = await known.enrol_app(web, hubs.a, first["access_token"])
    watching = await connect(hubs.b, enrolled["access_token"])
    code = enrolled["recovery_codes"][3]
    ticket = (await known.ticket(web, hubs.a))["ticket"]
    assert (await known.prove(web, hubs.a, ticket, recovery_code=code.lower())).status_code == 200
    alerts = [await watching.receive() for _ in range(2)]
    assert [one["notice"]["kind"] for one in alerts] == ["new_device", "recovery_code_used"]
    assert alerts[0]["notice"]["session"] == alerts[1]["notice"]["session"]
    ticket = (await known.ticket(web, hubs.a, device=first["device"]))["ticket"]
    refusal(await known.prove(web, hubs.a, ticket, recovery_code=code), 403, "proof_refused")
    # From a device that is known, it is most likely the person themselves who mistyped.
    assert (await watching.ask("ping"))["type"] == "pong"
    assert watching.heard == []
    ticket = (await known.ticket(web, hubs.a))["ticket"]
    refusal(await known.prove(web, hubs.a, ticket, recovery_code=code), 403, "proof_refused")
    assert (await watching.receive())["notice"]["kind"] == "second_factor_refused"
    await watching.connection.close()


async def test_a_passkey_is_a_second_factor(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, meet: Meet, tenant: Tenant
) -> None:
    key, _ = await known.enrol_passkey(web, hubs.a, (await known.tokens(web, hubs.a))["access_token"], verifies=False)
    first = await known.ticket(web, hubs.a)
    assert first["factors"] == ["passkey", "recovery_code"]
    asked = json.loads(first["passkey"])
    assert len(asked["allowCredentials"]) == 1
    done = await known.prove(web, hubs.b, first["ticket"], credential=key.get(first["passkey"]))
    assert done.status_code == 200, done.text
    assert claims_of(done.json()["access_token"])["amr"] == ["pwd", "pop", "mfa"]
    # An answer to one log-in's challenge is none to another's, nor to the same a second time.
    second, third = [await known.ticket(web, hubs.a) for _ in range(2)]
    credential = key.get(second["passkey"])
    refusal(await known.prove(web, hubs.a, third["ticket"], credential=credential), 403, "proof_refused")
    assert (await known.prove(web, hubs.a, second["ticket"], credential=credential)).status_code == 200
    # Nor is somebody else's answer to their own, with their own key or with the first one's id.
    other = await meet(tenant)
    others, _ = await other.enrol_passkey(web, hubs.a, (await other.tokens(web, hubs.a))["access_token"])
    lies: tuple[dict[str, Any], ...] = ({}, {"claims": key.passkeys[0], "user": key.passkeys[0].user})
    for lie in lies:
        ticket = await known.ticket(web, hubs.a)
        credential = others.get(ticket["passkey"], **lie)
        refusal(await known.prove(web, hubs.a, ticket["ticket"], credential=credential), 403, "proof_refused")
    theirs_now = await other.ticket(web, hubs.a)
    ticket = await known.ticket(web, hubs.a)
    credential = key.get(theirs_now["passkey"])
    refusal(await known.prove(web, hubs.a, ticket["ticket"], credential=credential), 403, "proof_refused")


async def passwordless(
    web: httpx2.AsyncClient, hubs: Hubs, tenant: Tenant, key: Authenticator, **lies: Any
) -> httpx2.Response:
    asked = await web.post(f"{hubs.a.url}/v1/login/passkey/options", json={"tenant": tenant.slug})
    assert asked.status_code == 200, asked.text
    body = {"tenant": tenant.slug, "credential": key.get(asked.json()["options"], **lies)}
    return await web.post(f"{hubs.b.url}/v1/login/passkey", json=body)


async def test_a_passkey_lets_in_without_a_name_or_a_password(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, pool: Pool
) -> None:
    key, _ = await known.enrol_passkey(web, hubs.a, (await known.tokens(web, hubs.a))["access_token"], is_ed25519=True)
    answer = await passwordless(web, hubs, known.tenant, key)
    assert answer.status_code == 200, answer.text
    assert answer.json()["person"] == known.person
    assert claims_of(answer.json()["access_token"])["amr"] == ["pop", "mfa"]
    openapi = (await web.get(f"{hubs.a.url}/docs/openapi.json")).json()
    for path, status in (("/v1/login/passkey", "200"), ("/v1/login/factor", "200")):
        documented = openapi["paths"][path]["post"]["responses"][status]["content"]["application/json"]["schema"]
        schema = {**documented, "components": openapi["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
    schema = openapi["paths"]["/v1/login"]["post"]["responses"]["202"]["content"]["application/json"]["schema"]
    needed = await known.ticket(web, hubs.a)
    jsonschema.Draft202012Validator({**schema, "components": openapi["components"]}).validate(needed)


async def test_no_lie_lets_in(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, other_tenant: Tenant, pool: Pool
) -> None:
    key, _ = await known.enrol_passkey(web, hubs.a, (await known.tokens(web, hubs.a))["access_token"])
    strange = Authenticator(ORIGIN)
    strange.create(json.dumps({"user": {"id": "AAAA"}, "rp": {"id": "localhost"}, "challenge": "AAAA"}))
    lies: list[tuple[str, Tenant, Authenticator, dict[str, Any]]] = [
        ("passkey_refused", known.tenant, key, {"origin": "https://evil.example"}),
        ("passkey_refused", known.tenant, key, {"origin": "https://app.example.com"}),
        ("passkey_refused", known.tenant, key, {"rp_id": "evil.example"}),
        ("passkey_refused", known.tenant, key, {"verifies": False}),
        ("passkey_refused", known.tenant, key, {"flags": 0}),
        ("passkey_refused", known.tenant, key, {"signature": b"\0" * 64}),
        ("passkey_of_another", known.tenant, key, {"user": uuid.uuid4().bytes}),
        ("passkey_of_another", known.tenant, key, {"user": None}),
        ("challenge_unknown", known.tenant, key, {"challenge": "AAAA"}),
        ("answer_from_a_frame", known.tenant, key, {"cross_origin": True}),
        ("passkey_refused", known.tenant, key, {"kind": "webauthn.create"}),
        ("no_such_factor", known.tenant, strange, {}),
    ]
    bodies = []
    for _, tenant, used, lie in lies:
        bodies.append(refusal(await passwordless(web, hubs, tenant, used, **lie), 403, "proof_refused"))
    elsewhere = await passwordless(web, hubs, other_tenant, key)
    bodies.append(refusal(elsewhere, 403, "proof_refused"))
    assert all(body == bodies[0] for body in bodies)
    entries = await read_trail(pool, known.tenant.id, 50, what=Act.SESSION_REFUSED)
    assert [one.details["reason"] for one in reversed(entries) if one.details] == [reason for reason, *_ in lies]
    assert await sessions_of(pool, known) == 1


async def test_a_challenge_is_answered_once_and_only_for_what_it_was_made(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known
) -> None:
    tokens = await known.tokens(web, hubs.a)
    key, enrolled = await known.enrol_passkey(web, hubs.a, tokens["access_token"])
    asked = (await web.post(f"{hubs.a.url}/v1/login/passkey/options", json={"tenant": known.tenant.slug})).json()
    body = {"tenant": known.tenant.slug, "credential": key.get(asked["options"])}
    first, second = [await web.post(f"{hub.url}/v1/login/passkey", json=body) for hub in hubs]
    assert first.status_code == 200
    refusal(second, 403, "proof_refused")
    # Spent by a bad answer, it takes no good one.
    asked = (await web.post(f"{hubs.a.url}/v1/login/passkey/options", json={"tenant": known.tenant.slug})).json()
    lies: tuple[dict[str, Any], ...] = ({"signature": b"\0" * 64}, {})
    for lie in lies:
        body = {"tenant": known.tenant.slug, "credential": key.get(asked["options"], **lie)}
        refusal(await web.post(f"{hubs.a.url}/v1/login/passkey", json=body), 403, "proof_refused")
    # A challenge to step up, or of the second step, lets nobody in alone; nor the other way round.
    stepping = await web.post(f"{hubs.a.url}/v1/step-up/options", headers=bearer(enrolled["access_token"]))
    ticket = await known.ticket(web, hubs.a)
    for options in (stepping.json()["passkey"], ticket["passkey"]):
        body = {"tenant": known.tenant.slug, "credential": key.get(options)}
        refusal(await web.post(f"{hubs.a.url}/v1/login/passkey", json=body), 403, "proof_refused")
    asked = (await web.post(f"{hubs.a.url}/v1/login/passkey/options", json={"tenant": known.tenant.slug})).json()
    options = {**json.loads(asked["options"])}
    refusal(
        await known.prove(web, hubs.a, ticket["ticket"], credential=key.get(json.dumps(options))), 403, "proof_refused"
    )


async def test_a_copied_passkey_is_refused_and_its_person_is_told(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, pool: Pool
) -> None:
    tokens = await known.tokens(web, hubs.a)
    key, enrolled = await known.enrol_passkey(web, hubs.a, tokens["access_token"])
    watching = await connect(hubs.a, enrolled["access_token"])
    copied = copy.copy(key.passkeys[0])
    for _ in range(2):
        assert (await passwordless(web, hubs, known.tenant, key)).status_code == 200
    refusal(await passwordless(web, hubs, known.tenant, key, passkey=copied), 403, "proof_refused")
    kinds = [(await watching.receive())["notice"]["kind"] for _ in range(3)]
    assert kinds == ["new_device", "new_device", "passkey_copied"]
    (state,) = (await watching.ask("factors"))["factors"]
    assert "copied_at" in state
    (entry,) = await read_trail(pool, known.tenant.id, 10, what=Act.PASSKEY_COPIED)
    assert entry.about == state["factor"]
    await watching.connection.close()
    assert (await passwordless(web, hubs, known.tenant, key)).status_code == 200


async def test_nothing_tells_an_unknown_login_from_a_known_one(
    hubs: Hubs, web: httpx2.AsyncClient, meet: Meet, tenant: Tenant, pool: Pool
) -> None:
    plain, proved, *closed = [await meet(tenant) for _ in range(4)]
    await proved.enrol_app(web, hubs.a, (await proved.tokens(web, hubs.a))["access_token"])
    for one in closed:
        await stand(pool, tenant.id, one.person, PersonStatus.CLOSED)
    cases = {
        "unknown": (f"nobody-{uuid.uuid4().hex[:8]}", WRONG),
        "wrong": (plain.login, WRONG),
        "wrong, with a second factor": (proved.login, WRONG),
        "closed, wrong": (closed[0].login, WRONG),
        "closed, right": (closed[1].login, PASSWORD),
    }

    async def guess(case: str) -> httpx2.Response:
        """From an address that was never heard of."""
        login, password = cases[case]
        body = {"tenant": tenant.slug, "login": login, "password": password}
        address = f"198.{random.randint(18, 19)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        return await web.post(f"{hubs.a.url}/v1/login", json=body, headers={"x-forwarded-for": address})

    took: dict[str, list[float]] = {case: [] for case in cases}
    bodies, headers = [], set()
    for _ in range(10):
        for case in cases:
            started = time.perf_counter()
            answer = await guess(case)
            took[case].append(time.perf_counter() - started)
            bodies.append(refusal(answer, 401, "credentials_refused"))
            headers.add(tuple(sorted(answer.headers)))
    assert all(body == bodies[0] for body in bodies)
    assert len(headers) == 1
    # What it takes when nothing else is going on.
    quick = {case: sorted(times)[1] for case, times in took.items()}
    assert max(quick.values()) / min(quick.values()) < 1.6, quick
    # Ten tries each; and what is told after them is the same, too.
    waits = []
    for case in cases:
        answer = await guess(case)
        waits.append(answer.json()["retry_after_ms"])
        bodies.append(refusal(answer, 429, "rate_limited"))
    assert all(20_000 < wait <= 30_001 for wait in waits)
    assert all(body == bodies[-1] for body in bodies[-len(cases) :])
    # A right password is not looked at either.
    refusal(await plain.log_in(web, hubs.a), 429, "rate_limited")
    refused = await read_trail(pool, tenant.id, 200, what=Act.SESSION_REFUSED)
    assert len(refused) == 10 * len(cases)
    assert {one.who for one in refused} == {None}
    assert {one.about for one in refused} == {None, plain.person, proved.person, *(one.person for one in closed)}


async def test_who_is_guessed_at_gets_in_from_a_known_device_and_a_stranger_does_not(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known
) -> None:
    mine = (await known.tokens(web, hubs.a))["device"]
    for at in range(20):
        answer = await known.log_in(web, (hubs.a, hubs.b)[at % 2], password=WRONG)
        if answer.status_code == 429:
            break
    assert at == 10
    refusal(await known.log_in(web, hubs.a), 429, "rate_limited")
    refusal(await known.log_in(web, hubs.a, device="phd_" + "A" * 43), 429, "rate_limited")
    for _ in range(3):
        assert (await known.log_in(web, hubs.b, device=mine)).status_code == 200
    # Whoever holds the device may guess no more than anybody, and has nobody's success to thank for more.
    codes = [(await known.log_in(web, hubs.a, device=mine, password=WRONG)).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    refusal(await known.log_in(web, hubs.a), 429, "rate_limited")


async def test_codes_are_not_guessed_by_taking_new_tickets(hubs: Hubs, web: httpx2.AsyncClient, known: Known) -> None:
    first = await known.tokens(web, hubs.a)
    app, enrolled = await known.enrol_app(web, hubs.a, first["access_token"])
    wrong, codes = f"{(int(app.code()) + 7) % 1_000_000:06}", []
    for _ in range(3):
        ticket = (await known.ticket(web, hubs.a))["ticket"]
        codes += [(await known.prove(web, hubs.b, ticket, code=wrong)).status_code for _ in range(4)]
    assert codes == [403] * 10 + [429] * 2
    ticket = (await known.ticket(web, hubs.a))["ticket"]
    refusal(await known.prove(web, hubs.a, ticket, code=await app.unused_code()), 429, "rate_limited")
    # The person has other ways in: what cannot be guessed, and the device that is theirs.
    assert (await known.prove(web, hubs.a, ticket, recovery_code=enrolled["recovery_codes"][0])).status_code == 200
    ticket = (await known.ticket(web, hubs.a, device=first["device"]))["ticket"]
    assert (await known.prove(web, hubs.a, ticket, code=await app.unused_code())).status_code == 200


async def test_who_is_closed_between_two_steps_is_not_let_in(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, pool: Pool
) -> None:
    tokens = await known.tokens(web, hubs.a)
    key, enrolled = await known.enrol_passkey(web, hubs.a, tokens["access_token"])
    ticket = (await known.ticket(web, hubs.a))["ticket"]
    await stand(pool, known.tenant.id, known.person, PersonStatus.CLOSED)
    code = enrolled["recovery_codes"][0]
    refusal(await known.prove(web, hubs.a, ticket, recovery_code=code), 401, "credentials_refused")
    # Told like a passkey that nobody knows.
    strange = Authenticator(ORIGIN)
    strange.create(json.dumps({"user": {"id": "AAAA"}, "rp": {"id": "localhost"}, "challenge": "AAAA"}))
    answers = [
        refusal(await passwordless(web, hubs, known.tenant, one), 403, "proof_refused") for one in (key, strange)
    ]
    assert answers[0] == answers[1]
    assert await sessions_of(pool, known) == 1


async def test_a_login_that_is_taken_can_be_asked_for_no_oftener_than_a_password(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known
) -> None:
    body = {"tenant": known.tenant.slug, "name": "x", "login": known.login, "password": PASSWORD}
    codes = []
    for _ in range(32):
        codes.append((await web.post(f"{hubs.a.url}/v1/register", json=body)).status_code)
        if codes[-1] == 429:
            break
    assert codes[:-1] == [409] * 30
    assert codes[-1] == 429


@pytest.mark.parametrize("ticket", ["", "pht_" + "A" * 43, "x" * 201, "\ud800", "phr_" + "A" * 43])
async def test_what_is_no_ticket_is_refused(hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, ticket: str) -> None:
    body = json.dumps({"tenant": tenant.slug, "ticket": ticket, "code": "123456"})
    answer = await web.post(f"{hubs.a.url}/v1/login/factor", content=body)
    assert answer.status_code in {400, 401, 422}
    assert answer.json()["code"] in {"malformed", "ticket_refused", "invalid_field"}

"""The same commands over HTTP: answers as on the socket, each refusal a problem with a code (RFC 9457)."""

import asyncio
import json
import uuid
from typing import Any

import httpx2
import pytest

from core.people.opening import Tenant
from core.people.persons import Role
from hub.protocol.codes import MEANINGS
from tests.hub.conftest import CANARY, Enter, Hubs, Join, Somebody

PASSWORD = f"{CANARY} correct horse"


def bearer(somebody: Somebody) -> dict[str, str]:
    return {"authorization": f"Bearer {somebody.token}"}


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is a problem of this kind, and nothing else."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"/docs/codes#{code}")
    assert body["title"]
    assert len(answer.headers["x-trace-id"]) == 32
    return body


async def test_a_stranger_registers_logs_in_is_paid_pays_and_reads_it(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter
) -> None:
    operator = await enter(tenant, Role.OPERATOR, funds=10_000)
    login = f"somebody-{uuid.uuid4().hex[:8]}"
    who = {"tenant": tenant.slug, "login": login, "password": PASSWORD}
    registered = await web.post(f"{hubs.a.url}/v1/register", json={**who, "name": CANARY})
    assert registered.status_code == 201, registered.text
    again = await web.post(f"{hubs.a.url}/v1/register", json={**who, "name": CANARY})
    problem(again, 409, "conflict")
    logged_in = await web.post(f"{hubs.b.url}/v1/login", json={**who, "login": login.upper()})
    assert logged_in.status_code == 200, logged_in.text
    account = registered.json()["account"]
    gift = {
        "payment": str(uuid.uuid4()),
        "payer": operator.account,
        "payee": account,
        "amount": 700,
        "description": "😀",
    }
    paid = (await web.post(f"{hubs.a.url}/v1/payments", json=gift, headers=bearer(operator))).json()
    assert (paid["status"], len(paid.pop("receipt")) > 100) == ("posted", True)
    assert (await web.post(f"{hubs.b.url}/v1/payments", json=gift, headers=bearer(operator))).json() == paid
    headers = {"authorization": f"Bearer {logged_in.json()['access_token']}"}
    back = {"payment": str(uuid.uuid4()), "payer": account, "payee": operator.account, "amount": 50}
    assert (await web.post(f"{hubs.b.url}/v1/payments", json=back, headers=headers)).json()["balance"] == 650
    page = (await web.get(f"{hubs.b.url}/v1/accounts/{account}/history?limit=1", headers=headers)).json()
    assert [(entry["amount"], entry["balance"]) for entry in page["entries"]] == [(-50, 650)]
    rest = (await web.get(f"{hubs.b.url}/v1/accounts/{account}/history?before={page['next']}", headers=headers)).json()
    assert [(entry["amount"], entry["description"]) for entry in rest["entries"]] == [(700, "😀")]
    assert "next" not in rest


async def test_the_wrong_password_and_the_wrong_name_read_alike(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant
) -> None:
    who = {"tenant": tenant.slug, "login": f"known-{uuid.uuid4().hex[:8]}", "password": PASSWORD}
    assert (await web.post(f"{hubs.a.url}/v1/register", json={**who, "name": "Known"})).status_code == 201
    wrong = [
        {**who, "password": PASSWORD + "!"},
        {**who, "login": "nobody-at-all"},
        {**who, "tenant": "no-such-tenant"},
        {**who, "tenant": "nul\x00in-it"},
    ]
    bodies = []
    for body in wrong:
        answer = await web.post(f"{hubs.a.url}/v1/login", content=json.dumps(body))
        bodies.append(problem(answer, 401, "credentials_refused"))
    assert all(body == bodies[0] for body in bodies)


NAMES_AND_PASSWORDS: dict[str, dict[str, Any]] = {
    "a name of spaces": {"name": "   "},
    "a name with a line break": {"name": "a\r\nb"},
    "a name with an escape": {"name": "\x1b[31mred"},
    "a name turned around": {"name": "abc\u202egpj.exe"},
    "a name with a lone surrogate": {"name": "\ud800"},
    "a name with nul": {"name": "a\x00b"},
    "no name": {"name": ""},
    "a name too long": {"name": "x" * 101},
    "a short password": {"password": "12345678901"},
    "a long password": {"password": "x" * 129},
    "a password with a lone surrogate": {"password": "\ud800" * 20},
    "a login with a space": {"login": "some body"},
    "a login with nul": {"login": "some\x00body"},
    "a login too short": {"login": "ab"},
    "a number": {"name": 7},
    "null": {"name": None},
    "a field too many": {"role": "operator"},
    "a field nobody can print": {"\ud800": 1},
}


@pytest.mark.parametrize("changed", NAMES_AND_PASSWORDS.values(), ids=NAMES_AND_PASSWORDS)
async def test_what_cannot_be_a_name_login_or_password_is_a_problem_with_its_field(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter, join: Join, changed: dict[str, Any]
) -> None:
    body = {
        "name": "Somebody",
        "login": f"x{uuid.uuid4().hex}",
        "password": PASSWORD,
        "role": "customer",
        **changed,
    }
    operator = await enter(tenant, Role.OPERATOR)
    if changed != {"role": "operator"}:
        answer = await web.post(f"{hubs.a.url}/v1/people", content=json.dumps(body), headers=bearer(operator))
        if "\ud800" in json.dumps(changed, ensure_ascii=False):
            problem(answer, 400, "malformed")
        else:
            found = problem(answer, 422, "invalid_field")
            assert found.get("field") == next(iter(changed))
            client = await join(hubs.a, operator)
            refused = await client.ask("open_person", **body)
            assert (refused["code"], refused.get("field")) == ("invalid_field", found.get("field"))
    else:
        answer = await web.post(f"{hubs.b.url}/v1/register", content=json.dumps({**body, "tenant": tenant.slug}))
        assert problem(answer, 422, "invalid_field")["field"] == "role"


PAYMENT = {"payment": "b8dd1104-6254-414d-83b7-ba76a8e8104d", "payer": 1, "payee": 2, "amount": 1}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"", 422, "invalid_field", id="nothing"),
        pytest.param(b"{", 400, "malformed", id="half an object"),
        pytest.param(b"[]", 400, "malformed", id="a list"),
        pytest.param(b"null", 400, "malformed", id="null"),
        pytest.param(b"\xff\xfe", 400, "malformed", id="no utf-8"),
        pytest.param(b"[" * 60_000, 400, "malformed", id="very deep"),
        pytest.param(b'{"amount":NaN}', 400, "malformed", id="NaN"),
        pytest.param(b'{"amount":' + b"9" * 5000 + b"}", 400, "malformed", id="a number of 5,000 digits"),
        pytest.param(b'{"amount":1,"amount":2}', 400, "duplicate_field", id="amount twice"),
        pytest.param(
            json.dumps(PAYMENT).encode()[:-1] + b',"amount":900}',
            400,
            "duplicate_field",
            id="amount twice, far apart",
        ),
        pytest.param(json.dumps({**PAYMENT, "id": 3}).encode(), 422, "invalid_field", id="a correlation id"),
        pytest.param(json.dumps({**PAYMENT, "tenant": 2}).encode(), 422, "invalid_field", id="a tenant"),
        pytest.param(
            json.dumps({**PAYMENT, "amount": 1e400}).replace("Infinity", "1e400").encode(),
            422,
            "invalid_field",
            id="1e400",
        ),
        pytest.param(json.dumps(PAYMENT).encode() + b" " * 70_000, 413, "too_large", id="too large"),
    ],
)
async def test_a_bad_body_is_a_problem(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter, body: bytes, status: int, code: str
) -> None:
    somebody = await enter(tenant)
    answer = await web.post(f"{hubs.a.url}/v1/payments", content=body, headers=bearer(somebody))
    problem(answer, status, code)


async def test_a_body_in_chunks_is_bounded_too(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter
) -> None:
    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 4096

    answer = await web.post(f"{hubs.a.url}/v1/payments", content=chunks(), headers=bearer(await enter(tenant)))
    problem(answer, 413, "too_large")


async def test_there_is_no_page_without_a_problem(hubs: Hubs, web: httpx2.AsyncClient) -> None:
    problem(await web.get(f"{hubs.a.url}/v1/nothing"), 404, "not_found")
    problem(await web.get(f"{hubs.a.url}/..%2f..%2fetc%2fpasswd"), 404, "not_found")
    # Nobody is sent elsewhere for a stroke too many, and never to a host that the request itself names.
    problem(await web.get(f"{hubs.a.url}/v1/profile/", headers={"host": "evil.example"}), 404, "not_found")
    wrong_method = await web.delete(f"{hubs.a.url}/v1/payments")
    problem(wrong_method, 405, "not_found")
    assert wrong_method.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "query",
    [
        "?limit=-1",
        "?limit=0",
        "?limit=201",
        "?limit=1&limit=2",
        "?before=0",
        "?before=1e3",
        "?x=1",
        "?account=5",
        "?limit=%D9%A3",
        "?limit=",
        "?token=eyJ",
    ],
)
async def test_a_bad_query_is_a_problem(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter, query: str
) -> None:
    somebody = await enter(tenant)
    answer = await web.get(f"{hubs.a.url}/v1/accounts/{somebody.account}/history{query}", headers=bearer(somebody))
    assert answer.status_code in {400, 422}
    problem(answer, answer.status_code, answer.json()["code"])


async def test_a_request_needs_one_good_bearer_token(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter
) -> None:
    somebody = await enter(tenant)
    for headers in (
        [],
        [("authorization", "Basic eHg6eXk=")],
        [("authorization", "Bearer")],
        [("authorization", f"Bearer {somebody.token}")] * 2,
    ):
        answer = await web.get(f"{hubs.a.url}/v1/accounts", headers=headers)
        problem(answer, 401, "authentication_required")
        assert answer.headers["www-authenticate"] == "Bearer"
    answer = await web.get(f"{hubs.a.url}/v1/accounts", headers={"authorization": f"Bearer {somebody.token}x"})
    problem(answer, 401, "authentication_failed")


async def test_the_answers_are_those_of_the_socket(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter, join: Join
) -> None:
    somebody = await enter(tenant, funds=77)
    client = await join(hubs.a, somebody)
    base = f"/v1/accounts/{somebody.account}"
    for path, command, fields in (
        ("/v1/accounts", "accounts", {}),
        (base, "account", {"account": somebody.account}),
        (f"{base}/balance", "balance", {"account": somebody.account}),
        (f"{base}/history", "history", {"account": somebody.account}),
        ("/v1/profile", "profile", {}),
        (f"/v1/payees/{somebody.account}", "payee", {"account": somebody.account}),
    ):
        over_http = (await web.get(hubs.b.url + path, headers=bearer(somebody))).json()
        over_socket = await client.ask(command, **fields)
        assert over_http == {key: value for key, value in over_socket.items() if key not in {"id", "type"}}
    refused = await web.get(f"{hubs.b.url}/v1/accounts/5", headers=bearer(somebody))
    answer = await client.ask("account", account=5)
    assert problem(refused, 404, "not_found")["field"] == answer["field"]
    assert refused.json()["title"] == answer["message"]


async def test_a_declined_payment_is_a_problem_with_its_status_as_code(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter
) -> None:
    somebody, other = await enter(tenant, funds=5), await enter(tenant)
    body = {**PAYMENT, "payer": somebody.account, "payee": other.account, "amount": 6}
    answer = await web.post(f"{hubs.a.url}/v1/payments", json=body, headers=bearer(somebody))
    assert problem(answer, 422, "insufficient_funds")["payment"] == PAYMENT["payment"]
    answer = await web.post(f"{hubs.a.url}/v1/payments", json={**body, "amount": 5}, headers=bearer(somebody))
    assert problem(answer, 409, "exists_with_different_amount")
    fenced = await web.post(
        f"{hubs.a.url}/v1/payments/settle", json={"in_doubt": [str(uuid.uuid4())]}, headers=bearer(somebody)
    )
    assert [one["status"] for one in fenced.json()["settled"]] == ["fenced"]


async def test_guessing_passwords_is_slowed_down_and_told_when_to_come_back(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, start_hub: Any
) -> None:
    hub = await start_hub("guessed")
    body = {"tenant": tenant.slug, "login": "victim", "password": "wrong wrong wrong"}
    codes = []
    for _ in range(12):
        answer = await web.post(f"{hub.url}/v1/login", json=body)
        codes.append(answer.status_code)
        if answer.status_code == 429:
            break
    assert codes == [401] * 10 + [429]
    assert problem(answer, 429, "rate_limited")["retry_after_ms"] > 1000
    assert int(answer.headers["retry-after"]) >= 1
    # The hubs share the count, a few times a second: another hub grants far fewer tries than the ten it would alone.
    for _ in range(5):
        other = await web.post(f"{hubs.a.url}/v1/login", json=body)
        if other.status_code == 429:
            break
        await asyncio.sleep(0.5)
    assert other.status_code == 429


async def test_health_readiness_and_metrics_answer(hubs: Hubs, web: httpx2.AsyncClient) -> None:
    assert (await web.get(f"{hubs.a.url}/healthz")).json() == {"status": "ok"}
    assert (await web.get(f"{hubs.a.url}/readyz")).json() == {
        "database": True,
        "redis": True,
        "draining": False,
    }
    assert (await web.get(f"{hubs.a.url}/metrics")).status_code == 404
    metrics = await hubs.a.metrics()
    assert {"payhub_connections", "payhub_redis_connected", "payhub_hints_forged"} <= metrics.keys()


def test_every_code_has_a_status_and_advice() -> None:
    assert all(400 <= meaning.http_status < 600 and meaning.advice.endswith(".") for meaning in MEANINGS.values())

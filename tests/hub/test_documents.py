"""The served documents against the hub that serves them: nothing undocumented, nothing untrue."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema  # type: ignore[import-untyped]
import pytest

from core.nouns import PaymentStatus
from core.people.opening import Tenant
from core.people.persons import Role
from hub import admitting, seeing, vitals
from hub.commands import operating, reading
from hub.commands.table import ROWS
from hub.http import ENDPOINTS
from hub.protocol import messages
from hub.protocol.catalogue import FROM_CLIENT, FROM_HUB
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.stranger import Stranger


def references(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(document, list):
        for value in document:
            yield from references(value)


def resolve(document: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/"), reference
    found: Any = document
    for step in reference[2:].split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def validate(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(value)


@pytest.fixture
async def openapi(hubs: Hubs, web: httpx2.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await web.get(f"{hubs.a.url}/docs/openapi.json")).json()
    return document


@pytest.fixture
async def asyncapi(hubs: Hubs, web: httpx2.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await web.get(f"{hubs.a.url}/docs/asyncapi.json")).json()
    return document


def test_every_reference_leads_somewhere(openapi: dict[str, Any], asyncapi: dict[str, Any]) -> None:
    for document in (openapi, asyncapi):
        found = list(references(document))
        assert found
        for reference in found:
            resolve(document, reference)
    assert openapi["openapi"] == "3.1.0"
    assert asyncapi["asyncapi"] == "3.0.0"


def test_every_schema_is_a_schema(openapi: dict[str, Any], asyncapi: dict[str, Any]) -> None:
    for document in (openapi, asyncapi):
        for schema in document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)


def test_every_route_is_documented_once_with_its_own_operation(openapi: dict[str, Any]) -> None:
    documented = {(method.upper(), path) for path, item in openapi["paths"].items() for method in item}
    assert documented == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    operations = [operation for item in openapi["paths"].values() for operation in item.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for path, item in openapi["paths"].items():
        for operation in item.values():
            placed = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert placed == set(re.findall(r"{(\w+)}", path))
            assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")


async def test_every_documented_route_answers(hubs: Hubs, web: httpx2.AsyncClient, openapi: dict[str, Any]) -> None:
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            answer = await web.request(method, hubs.a.url + re.sub(r"{\w+}", "5", path), json={})
            assert answer.status_code in ({422} if operation.get("security") == [] else {401}), (method, path)
            schema = operation["responses"]["4XX"]["content"]["application/problem+json"]["schema"]
            validate(openapi, schema, answer.json())


async def test_real_answers_over_http_are_as_documented(
    hubs: Hubs, web: httpx2.AsyncClient, tenant: Tenant, enter: Enter, openapi: dict[str, Any]
) -> None:
    operator, customer = await enter(tenant, Role.OPERATOR, funds=500), await enter(tenant)
    headers = {"authorization": f"Bearer {operator.token}"}
    name = uuid.uuid4().hex
    secret = {"tenant": tenant.slug, "login": name, "password": "a long enough password"}
    pay = {
        "payment": str(uuid.uuid4()),
        "payer": operator.account,
        "payee": customer.account,
        "amount": 5,
        "description": "x",
    }
    account = f"/v1/accounts/{operator.account}"
    calls: list[tuple[str, str, str, Any]] = [
        ("post", "/v1/register", "/v1/register", {**secret, "name": "New"}),
        ("post", "/v1/login", "/v1/login", secret),
        ("post", "/v1/login/passkey/options", "/v1/login/passkey/options", {"tenant": tenant.slug}),
        (
            "post",
            "/v1/refresh",
            "/v1/refresh",
            {"tenant": tenant.slug, "refresh_token": customer.refresh_token},
        ),
        ("post", "/v1/payments", "/v1/payments", pay),
        ("post", "/v1/payments", "/v1/payments", {**pay, "amount": 6}),
        (
            "post",
            "/v1/payments/settle",
            "/v1/payments/settle",
            {"in_doubt": [pay["payment"], str(uuid.uuid4())]},
        ),
        ("get", "/v1/accounts", "/v1/accounts", None),
        ("get", "/v1/accounts/{account}", account, None),
        ("get", "/v1/accounts/{account}/balance", f"{account}/balance", None),
        ("get", "/v1/accounts/{account}/history", f"{account}/history?limit=1", None),
        ("put", "/v1/accounts/{account}/floor", f"/v1/accounts/{customer.account}/floor", {"floor": -5}),
        ("get", "/v1/profile", "/v1/profile", None),
        ("get", "/v1/payees/{account}", f"/v1/payees/{customer.account}", None),
        ("post", "/v1/people", "/v1/people", {"name": "Shop", "role": "merchant"}),
        ("post", "/v1/logout", "/v1/logout", None),
    ]
    # What has a room of its own is held to its promises in test_contracts.py.
    rooms = {(row.method.lower(), row.path) for row in ROWS} - {
        (row.method.lower(), row.path) for row in (*reading.ROWS, *operating.ROWS)
    }
    # So have the ways in for machines and for people of other houses.
    rooms |= {(one.method.lower(), one.path) for one in admitting.ENDPOINTS}
    # test_notices.py and test_vitals.py hold these to their promises.
    rooms |= {(one.method.lower(), one.path) for one in seeing.ENDPOINTS}
    rooms |= {(one.method.lower(), one.path) for one in vitals.ENDPOINTS}
    # Files are no JSON; the tests of their rooms send and fetch them.
    files = {(one.method.lower(), one.path) for one in ENDPOINTS if one.consumes or one.produces}
    # Nobody here has a second factor; test_entering.py holds these two to the document.
    proofs = {("post", "/v1/login/factor"), ("post", "/v1/login/passkey")}
    assert {(method, path) for method, path, _, _ in calls} >= {
        (method, path) for path, item in openapi["paths"].items() for method in item
    } - rooms - files - proofs
    for method, path, url, body in calls:
        operation = openapi["paths"][path][method]
        if body is not None:
            validate(openapi, operation["requestBody"]["content"]["application/json"]["schema"], body)
        answer = await web.request(method, hubs.b.url + url, json=body, headers=headers)
        documented = operation["responses"].get(str(answer.status_code)) or operation["responses"]["4XX"]
        if answer.status_code == 204:
            assert "content" not in documented
            continue
        schema = documented["content"][answer.headers["content-type"]]["schema"]
        validate(openapi, schema, answer.json())
        assert answer.status_code < 300 or body == {**pay, "amount": 6}, answer.text


def test_every_message_is_in_the_asyncapi_document(asyncapi: dict[str, Any]) -> None:
    union = {*FROM_CLIENT, *FROM_HUB}
    tags = {message.__struct_config__.tag for message in union}
    assert set(asyncapi["components"]["messages"]) == tags
    assert set(asyncapi["channels"]["socket"]["messages"]) == tags
    sent_or_received = {
        reference.rsplit("/", 1)[1]
        for operation in asyncapi["operations"].values()
        for reference in references(operation)
        if "/messages/" in reference
    }
    assert sent_or_received == tags


async def test_real_messages_of_the_socket_are_as_documented(
    hubs: Hubs, tenant: Tenant, enter: Enter, join: Join, asyncapi: dict[str, Any]
) -> None:
    def check(message: dict[str, Any]) -> None:
        payload = asyncapi["components"]["messages"][message["type"]]["payload"]
        validate(asyncapi, payload, message)

    operator, customer = await enter(tenant, Role.OPERATOR, funds=500), await enter(tenant)
    client = await join(hubs.a, operator)
    payment = str(uuid.uuid4())
    commands: list[tuple[str, dict[str, Any]]] = [
        ("renew", {"token": operator.token}),
        ("follow", {"account": operator.account, "after": 0}),
        (
            "pay",
            {
                "payment": payment,
                "payer": operator.account,
                "payee": customer.account,
                "amount": 5,
                "description": "x",
            },
        ),
        ("pay", {"payment": payment, "payer": operator.account, "payee": customer.account, "amount": 6}),
        ("account", {"account": operator.account}),
        ("accounts", {}),
        ("balance", {"account": operator.account}),
        ("history", {"account": operator.account}),
        ("profile", {}),
        ("payee", {"account": customer.account}),
        ("resume", {"follow": [[operator.account, 1]], "in_doubt": [payment, str(uuid.uuid4())]}),
        ("unfollow", {"account": operator.account}),
        ("ping", {}),
        ("open_person", {"name": "Shop", "role": "merchant"}),
        ("set_floor", {"account": customer.account, "floor": -5}),
        ("set_floor", {"account": customer.account, "floor": 5}),
        ("nothing", {}),
    ]
    answered = set()
    for type_, fields in commands:
        answer = await client.ask(type_, **fields)
        check(answer)
        answered.add(answer["type"])
        if answer.get("status") == "posted":
            # Its event comes on its own road and may be the later one; nobody hears it after the unfollow.
            client.heard += await client.events(1)
        operation = asyncapi["operations"].get(type_)
        if operation is not None:
            possible = {one["$ref"].rsplit("/", 1)[1] for one in operation["reply"]["messages"]}
            assert answer["type"] in possible
    for message in client.heard:
        check(message)
        answered.add(message["type"])
    missing = {message.__struct_config__.tag for message in messages.FROM_HUB} - answered
    assert missing == {"welcome", "draining"}


async def test_each_address_of_the_socket_is_a_door_that_opens(hubs: Hubs, asyncapi: dict[str, Any]) -> None:
    channel = asyncapi["channels"]["socket"]
    doors = channel["parameters"]["door"]["enum"]
    assert sorted(doors) == ["native", "socket"]
    origin = {"native": None, "socket": "https://app.example.com"}
    for door in doors:
        url = hubs.a.url.replace("http", "ws", 1) + channel["address"].replace("{door}", door)
        async with await Stranger.connect(url, origin=origin[door]) as client:
            assert (await client.ask("ping"))["code"] == "authentication_required"


async def test_the_codes_are_served_and_say_whether_to_come_back(hubs: Hubs, web: httpx2.AsyncClient) -> None:
    codes = (await web.get(f"{hubs.a.url}/docs/codes")).json()
    assert codes["errors"]["rate_limited"]["retry"] is True
    unknown = codes["payment_statuses"]["unknown"]
    assert (unknown["http_status"], unknown["final"]) == (504, False)
    # Every refusal says what to do next.
    assert set(codes["payment_statuses"]) == {*(status.name.lower() for status in PaymentStatus), "unknown"}
    assert all(status["advice"] for status in codes["payment_statuses"].values())
    assert all(error["advice"] for error in codes["errors"].values())
    assert {code: row["come_back"] for code, row in codes["close_codes"].items() if int(code) >= 4000} == {
        code: int(code) < 4500 for code in codes["close_codes"] if int(code) >= 4000
    }

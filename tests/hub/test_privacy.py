"""Rights of people through the hubs: files that only their person fetches, sockets that close, alerts, documents."""

import asyncio
import json
import time
import uuid
from typing import Any

import httpx2
import jsonschema  # type: ignore[import-untyped]
import pytest
from redis.asyncio import Redis

from core.audit.trail import NOBODY, By, read_trail
from core.database import Pool, in_tenant
from core.keys.safe import Safe
from core.people.opening import Tenant
from core.people.persons import Role
from core.privacy.controller import Controller, set_controller
from core.privacy.erasures import ask_erasure
from core.privacy.making import make_some
from core.privacy.obstacles import ADVICE, Code
from core.privacy.requests import FIELDS, ask
from core.privacy.states import RequestStatus, Right
from hub.auth import Tokens
from hub.protocol import consents
from hub.protocol.codes import MEANINGS, ErrorCode
from tests.conftest import Database
from tests.hub.conftest import CANARY, Enter, Hubs, Join, Somebody

EXPORTS = "/v1/privacy/exports"


@pytest.fixture
def enter(enter: Enter, tokens: Tokens) -> Enter:
    """Whoever comes in here has just proved who they are."""

    async def enter_(*args: Any, **kwargs: Any) -> Somebody:
        return proven(tokens, await enter(*args, **kwargs), time.time())

    return enter_


def proven(tokens: Tokens, who: Somebody, at: float) -> Somebody:
    """The same session, with a token whose proof is of that time."""
    issued = tokens.issue(
        who.tenant.id, who.person, who.role, who.session, time.time(), proved_at=int(at), proofs=("pwd",)
    )
    return who._replace(token=issued.token)


def bearer(who: Somebody) -> dict[str, str]:
    return {"authorization": f"Bearer {who.token}"}


async def made(web: httpx2.AsyncClient, hubs: Hubs, pool: Pool, keys: Safe, who: Somebody, **how: Any) -> str:
    export = str(uuid.uuid4())
    answer = await web.post(f"{hubs.a.url}{EXPORTS}", json={"export": export, **how}, headers=bearer(who))
    assert answer.status_code == 201, answer.text
    while await make_some(pool, keys):
        pass
    return export


async def test_the_files_are_fetched_by_their_person_alone_and_every_time_is_in_the_trail(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    ana, bruno, operator = await enter(tenant, funds=500), await enter(tenant), await enter(tenant, Role.OPERATOR)
    export = await made(web, hubs, pool, keys, ana, language="en")
    url = f"{hubs.b.url}{EXPORTS}/{export}"
    found = await web.get(f"{url}/person.json", headers=bearer(ana))
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    assert found.headers["cache-control"] == "no-store"
    document = found.json()
    schema = (await web.get(f"{hubs.a.url}/docs/person-export.schema.json")).json()
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["data"]["profiles"][0]["display_name"] == f"{CANARY} CUSTOMER"
    pdf = await web.get(f"{url}/person.pdf", headers=bearer(ana))
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert (await web.get(f"{url}/person.pdf?volume=2", headers=bearer(ana))).status_code == 404
    nobodys = await web.get(f"{hubs.b.url}{EXPORTS}/{uuid.uuid4()}/person.json", headers=bearer(bruno))
    for stranger in (bruno, operator):
        for file in ("person.json", "person.pdf"):
            refused = await web.get(f"{url}/{file}", headers=bearer(stranger))
            assert (refused.status_code, refused.json()) == (404, nobodys.json())
    assert (await web.get(f"{url}/person.json")).status_code == 401
    fetched = await read_trail(pool, tenant.id, 10, what="export.fetched", about=ana.person)
    assert [(one.who, one.session_id, (one.details or {})["form"]) for one in fetched] == [
        (ana.person, ana.session, "pdf"),
        (ana.person, ana.session, "json"),
    ]


async def test_one_at_a_time_is_said_with_a_code(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    ana = await enter(tenant)
    codes = []
    for _ in range(2):
        body = {"export": str(uuid.uuid4())}
        codes.append((await web.post(f"{hubs.a.url}{EXPORTS}", json=body, headers=bearer(ana))).json().get("code"))
    assert codes == [None, "export_under_way"]
    while await make_some(pool, keys):
        pass
    for _ in range(2):
        await made(web, hubs, pool, keys, ana)
    refused = await web.post(f"{hubs.a.url}{EXPORTS}", json={"export": str(uuid.uuid4())}, headers=bearer(ana))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_exports")


async def test_an_erasure_ends_everything_everywhere_within_a_second_and_leaves_nothing(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    enter: Enter,
    join: Join,
    tenant: Tenant,
    pool: Pool,
    keys: Safe,
    database: Database,
) -> None:
    word = f"{CANARY}-{uuid.uuid4().hex[:8]}"
    login = word.lower()
    registered = await web.post(
        f"{hubs.a.url}/v1/register",
        json={"tenant": tenant.slug, "name": word, "login": login, "password": "a long enough password"},
    )
    person, token = registered.json()["person"], registered.json()["access_token"]
    who = Somebody(tenant, person, registered.json()["account"], Role.CUSTOMER, "", token, "")
    on_a, on_b = await join(hubs.a, who), await join(hubs.b, who)
    payee = await enter(tenant)
    seen = await join(hubs.b, payee)
    assert (await seen.ask("payee", account=who.account))["name"] == word

    began = time.monotonic()
    answer = await on_a.ask("erase", person=person)
    assert answer["status"] == "erased", answer
    # Within a second (loadtest privacy measures it); the rest is for a busy machine.
    assert time.monotonic() - began < 3.0
    assert await on_a.closed() == await on_b.closed() == 4503
    assert time.monotonic() - began < 5.0

    assert (await seen.ask("payee", account=who.account))["code"] == "not_found"
    refused = await web.post(
        f"{hubs.b.url}/v1/login", json={"tenant": tenant.slug, "login": login, "password": "a long enough password"}
    )
    assert refused.json()["code"] == "credentials_refused"
    assert (await web.get(f"{hubs.a.url}/v1/profile", headers=bearer(who))).status_code == 401
    unpaid = await seen.pay(payee.account, who.account, 1)
    assert unpaid["status"] in {"payee_not_open", "insufficient_funds"}
    for hub in hubs:
        assert word not in hub.log.read_text()
    async with Redis.from_url(database.redis_url) as redis:
        for key in await redis.keys("*"):
            assert word.encode() not in key
            assert word.encode() not in (await redis.dump(key) or b"")
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from credentials where person_id = $1", person) == 0
    trail = [one.what for one in await read_trail(pool, tenant.id, 10, about=person)]
    assert trail[:3] == ["erasure.done", "key.destroyed", "erasure.asked"]


async def test_what_is_in_the_way_is_told_with_codes_and_whoever_is_not_an_operator_erases_nobody_else(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, join: Join, tenant: Tenant
) -> None:
    ana, bruno = await enter(tenant, funds=500), await enter(tenant)
    operator, _ = await enter(tenant, Role.OPERATOR), await enter(tenant, Role.OPERATOR)
    client, staff = await join(hubs.a, ana), await join(hubs.b, operator)
    ahead = await client.ask("erasure")
    assert [(one["code"], one["account"], one["advice"]) for one in ahead["obstacles"]] == [
        ("balance_left", ana.account, ADVICE[Code.BALANCE_LEFT])
    ]
    assert [one["law"][:22] for one in ahead["kept"]] == ["Circular BCB 3.978/2020"[:22]] * 2
    refused = await client.ask("erase", person=ana.person)
    assert (refused["code"], refused["message"]) == (
        "erasure_obstructed",
        "First: balance_left. Nothing was changed.",
    )
    assert (await client.ask("balance", account=ana.account))["posted"] == 500
    nobody = await client.ask("erase", person=str(uuid.uuid4()))
    for type_ in ("erase", "erasure"):
        assert (await client.ask(type_, person=bruno.person)) | {"id": 0} == nobody | {"id": 0}
    assert (await staff.ask("erasure", person=bruno.person))["status"] == "not_asked"
    await client.pay(ana.account, operator.account, 500)
    kept = await staff.ask("erase", person=ana.person)
    assert (kept["status"], kept["due_on"]) == ("waiting", kept["kept"][0]["until"])
    assert await client.closed() == 4503
    assert (await staff.ask("erase", person=bruno.person))["status"] == "erased"
    assert (await staff.ask("erase", person=str(uuid.uuid4())))["code"] == "not_found"


async def test_the_record_of_processing_is_for_operators_and_says_what_is_asked_consent_for(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, join: Join, tenant: Tenant, admin: Pool
) -> None:
    await set_controller(admin, tenant.slug, Controller("Acme *S.A.*", "12.345.678/0001-90", officer="Maria"))
    operator, ana = await enter(tenant, Role.OPERATOR), await enter(tenant)
    staff = await join(hubs.a, operator)
    words = {"title_pt": "Ofertas", "text_pt": "Podemos?", "title_en": "Offers", "text_en": "May we?"}
    await staff.ask("set_consent_purpose", purpose="offers", **words)
    for form in ("json", "md"):
        refused = await web.get(f"{hubs.b.url}/v1/privacy/record.{form}", headers=bearer(ana))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    found = await web.get(f"{hubs.b.url}/v1/privacy/record.json?language=en", headers=bearer(operator))
    record = found.json()
    assert record["controller"]["name"] == "Acme *S.A.*"
    assert record["consent_purposes"] == [{"purpose": "offers", "version": 1, "title": "Offers"}]
    names = {operation["table"] for operation in record["operations"]}
    assert {"profiles", "payments", "keys.person_keys", "incidents"} <= names
    for operation in record["operations"]:
        assert operation["basis"]["article"].startswith("LGPD, art. ")
        assert all(column["sealed"] or column["why_not_sealed"] for column in operation["columns"])
    page = await web.get(f"{hubs.b.url}/v1/privacy/record.md", headers=bearer(operator))
    assert page.headers["content-type"].startswith("text/markdown")
    assert "# Registro das operações de tratamento" in page.text
    assert "**Controlador**: Acme \\*S.A.\\*" in page.text
    assert "`display_name_sealed` | Identificação | Cifrado sob a chave da própria pessoa" in page.text


async def test_operators_who_watch_hear_of_what_is_due(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool, keys: Safe, admin: Pool
) -> None:
    operator, ana = await enter(tenant, Role.OPERATOR), await enter(tenant)
    staff, client = await join(hubs.a, operator), await join(hubs.a, ana)
    asked = await ask(pool, keys, tenant.id, ana.person, str(uuid.uuid4()), Right.ACCESS, None, None, By(ana.person))
    await staff.ask("privacy_requests", open=True, watch=True)
    assert (await client.ask("privacy_requests", open=True))["code"] == "forbidden"
    assert (await client.ask("privacy_requests", watch=True))["code"] == "forbidden"
    await admin.execute("update payhub.privacy_requests set due_at = now() + interval '1 day' where id = $1", asked.id)
    alert = await staff.hear("privacy_alert")
    assert (alert["due_soon"], alert["late"]) == (1, 0)
    await admin.execute("update payhub.privacy_requests set due_at = now() where id = $1", asked.id)
    alert = await staff.hear("privacy_alert")
    assert (alert["due_soon"], alert["late"]) == (0, 1)
    answered = await staff.ask("answer_privacy_request", request=asked.id, status="granted", answer="Está no arquivo.")
    assert answered["request"]["status"] == "granted"
    alert = await staff.hear("privacy_alert")
    assert (alert["due_soon"], alert["late"]) == (0, 0)
    read = await staff.ask("privacy_request", request=asked.id)
    assert read["request"]["answer"] == "Está no arquivo."
    entries = await read_trail(pool, tenant.id, 10, what="personal_data.read", about=ana.person)
    assert [one.who for one in entries] == [operator.person]


async def test_incidents_are_drafted_as_files_for_operators_alone(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant, pool: Pool
) -> None:
    operator, ana = await enter(tenant, Role.OPERATOR), await enter(tenant)
    incident = str(uuid.uuid4())
    body = {
        "incident": incident,
        "known_at": "2026-03-02T12:00:00Z",
        "began_at": "2026-03-01T12:00:00Z",
        "ended_at": "2099-03-01T12:00:00Z",
        "scope": "store",
        "notes": {"what": "Uma cópia saiu."},
    }
    url = f"{hubs.a.url}/v1/privacy/incidents"
    assert (await web.post(url, json=body, headers=bearer(ana))).status_code == 403
    assert (await web.post(url, json=body, headers=bearer(operator))).status_code == 201
    wrong = await web.post(
        url, json=body | {"incident": str(uuid.uuid4()), "tables": ["diaries"]}, headers=bearer(operator)
    )
    assert (wrong.status_code, wrong.json()["field"]) == (422, "tables")
    for file, expected in (
        ("authority.md", "## XII — "),
        ("persons.md", "## VII — Com quem falar"),
        ("persons.csv", ana.person),
    ):
        found = await web.get(f"{url}/{incident}/{file}", headers=bearer(operator))
        assert found.status_code == 200 and expected in found.text
        assert (await web.get(f"{url}/{incident}/{file}", headers=bearer(ana))).status_code == 403
        gone = await web.get(f"{url}/{uuid.uuid4()}/{file}", headers=bearer(operator))
        assert gone.json()["code"] == "not_found"
    taken = await read_trail(pool, tenant.id, 10, what="personal_data.read", about=incident)
    assert [(one.who, (one.details or {})["persons"]) for one in taken] == [(operator.person, 2)]


async def test_sockets_of_whoever_is_erased_beside_the_hubs_are_closed_by_them(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    ana, bruno = await enter(tenant), await enter(tenant)
    on_a, on_b, other = await join(hubs.a, ana), await join(hubs.b, ana), await join(hubs.b, bruno)
    # As the command line and workers do it: nobody tells the hubs.
    asked = await ask_erasure(pool, keys, tenant.id, ana.person, NOBODY, by_operator=True)
    assert asked.sessions == [ana.session]
    assert (await on_a.closed(), await on_b.closed()) == (4503, 4503)
    assert (await other.ask("ping"))["type"] == "pong"


async def test_whoever_cannot_prove_who_they_are_now_is_handed_out_nothing_and_erases_nobody(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, tenant: Tenant, pool: Pool, keys: Safe, tokens: Tokens
) -> None:
    ana = await enter(tenant)
    export = await made(web, hubs, pool, keys, ana)
    # What a stolen token is: of a session that is alive, and of a proof that is long ago.
    stolen = proven(tokens, ana, time.time() - 3_601)
    for method, path, body in (
        ("POST", EXPORTS, {"export": str(uuid.uuid4())}),
        ("GET", f"{EXPORTS}/{export}/person.json", None),
        ("GET", f"{EXPORTS}/{export}/person.pdf", None),
        ("POST", "/v1/privacy/erasure", {"person": ana.person}),
    ):
        refused = await web.request(method, hubs.a.url + path, json=body, headers=bearer(stolen))
        assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required"), path
    assert await read_trail(pool, tenant.id, 10, what="export.fetched", about=ana.person) == []
    ahead = await web.get(f"{hubs.a.url}/v1/privacy/erasure", headers=bearer(stolen))
    assert ahead.json()["status"] == "not_asked"


def test_names_on_the_wire_are_cores() -> None:
    assert set(consents.FieldName.__args__) == set(FIELDS)  # type: ignore[attr-defined]
    assert set(consents.RightName.__args__) == {one.name.lower() for one in Right}  # type: ignore[attr-defined]
    answers = {RequestStatus.GRANTED, RequestStatus.PARTLY_GRANTED, RequestStatus.REFUSED}
    assert set(consents.AnswerName.__args__) == {one.name.lower() for one in answers}  # type: ignore[attr-defined]
    for code in ("export_under_way", "too_many_exports", "erasure_obstructed", "consent_text_changed"):
        assert MEANINGS[ErrorCode(code)].advice


async def test_a_consent_over_a_socket_and_over_http_says_where_it_came_from(
    hubs: Hubs, web: httpx2.AsyncClient, enter: Enter, join: Join, tenant: Tenant
) -> None:
    operator, ana = await enter(tenant, Role.OPERATOR), await enter(tenant)
    staff, client = await join(hubs.a, operator), await join(hubs.b, ana)
    words = {"title_pt": "Ofertas", "text_pt": "Podemos?", "title_en": "Offers", "text_en": "May we?"}
    assert (await client.ask("set_consent_purpose", purpose="offers", **words))["code"] == "forbidden"
    await staff.ask("set_consent_purpose", purpose="offers", **words)
    stale = await client.ask("give_consent", purpose="offers", version=2)
    assert (stale["code"], stale["field"]) == ("consent_text_changed", "version")
    assert (await client.ask("give_consent", purpose="nothing", version=1))["code"] == "not_found"
    assert (await client.ask("revoke_consent", purpose="nothing"))["code"] == "not_found"
    await client.ask("give_consent", purpose="offers", version=1)
    (change,) = (await client.ask("consents"))["changes"]
    assert (change["door"], change["session"]) == ("native", ana.session)
    half = await web.get(f"{hubs.a.url}/v1/privacy/consents?before_number=1", headers=bearer(ana))
    assert (half.status_code, half.json()["field"]) == (422, "before_at")


async def test_progress_is_told_while_it_is_made(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    ana = await enter(tenant, funds=5)
    client = await join(hubs.b, ana)
    export = str(uuid.uuid4())
    await client.ask("ask_export", export=export)
    await client.ask("export", export=export, watch=True)
    heard = [await client.hear("export_progress")]
    while await make_some(pool, keys):
        heard.append(await client.hear("export_progress"))
        await asyncio.sleep(0)
    while heard[-1]["status"] != "ready":
        heard.append(await client.hear("export_progress"))
    assert [one["done"] for one in heard] == sorted(one["done"] for one in heard)
    assert heard[-1]["done"] == heard[-1]["total"]
    document = json.dumps(await client.ask("exports"))
    assert export in document and By() == NOBODY

"""Stepping up: what needs a fresh proof asks for one, at both doors, and takes nothing less."""

import asyncio
import hashlib
import re
import time
import uuid
from collections.abc import Sequence
from typing import Any

import httpx2
import msgspec
import pyotp
import pytest

from core.audit.trail import Act, read_trail
from core.database import Pool, in_tenant
from core.people.opening import Tenant
from core.people.persons import Role
from hub.auth import Tokens
from hub.commands.stepping_up import NEEDS
from hub.commands.table import ROWS
from hub.protocol.fields import Message
from tests.hub.conftest import Enter, Hubs, Join, Meet
from tests.hub.known import PASSWORD, Known, bearer, claims_of, connect
from tests.hub.protocol.examples import from_client
from tests.hub.stranger import Stranger, Wire

NEW = "another horse altogether"


def token_of(
    tokens: Tokens, who: Known, session: str, proved_at: float | None, proofs: Sequence[str] = ("pwd", "otp", "mfa")
) -> str:
    """A token that says that its person proved who they are at that moment."""
    proved = None if proved_at is None else int(proved_at)
    return tokens.issue(
        who.tenant.id, who.person, who.role, session, time.time(), proved_at=proved, proofs=proofs
    ).token


async def security(client: Stranger, hubs: Hubs, web: httpx2.AsyncClient, token: str, **asked: Any) -> None:
    """Set what the tenant asks, and wait until both hubs know."""
    body = {"step_up_s": 300, "operators_need_factor": False, **asked}
    set_ = await client.ask("set_security", **body)
    assert set_["type"] == "security_state", set_
    for hub in hubs:
        async with asyncio.timeout(5):
            while (await web.get(f"{hub.url}/v1/security", headers=bearer(token))).json() != body:
                await asyncio.sleep(0.1)


def example_of(kind: type[Message]) -> Message:
    return next(one for one in from_client() if type(one) is kind)


def to_request(message: Message) -> tuple[str, str, Wire]:
    """The message as an HTTP request: method, path, body."""
    row = next(row for row in ROWS if row.takes is type(message))
    fields = msgspec.to_builtins(message)
    del fields["type"], fields["id"]
    path = re.sub(r"{(\w+)}", lambda found: str(fields.pop(found[1])), row.path)
    return row.method, path, fields


def test_the_list_is_of_commands_that_there_are() -> None:
    assert NEEDS.keys() <= {row.takes for row in ROWS}
    # What matters most is on it, whatever else is: a second look at every change of this list.
    tags = {str(kind.__struct_config__.tag) for kind in NEEDS}
    assert tags == {
        *("enrol_totp", "confirm_totp", "enrol_passkey", "confirm_passkey", "remove_factor", "renew_recovery_codes"),
        *(
            "change_password",
            "set_ladder",
            "send_news",
            "end_session",
            "end_sessions",
            "set_own_limit",
            "list_payee",
            "reset_factors",
        ),
        *("reverse", "release", "decline", "link", "decide_dispute", "set_security", "open_person", "set_floor"),
        *("set_terms", "put_under_terms", "set_limits", "set_rule", "put_under_limits", "set_dispute_profile"),
        *("pay", "authorize", "create_schedule", "approve_bulk"),
        *("create_api_key", "rotate_api_key", "create_pairing_code", "set_identity_provider", "link_identity"),
        *("invite_seat", "change_seat"),
        *("create_webhook", "change_webhook", "rotate_webhook_secret"),
        *("ask_export", "erase"),
        *("edit_profile", "set_person_status", "set_role", "set_people_settings"),
    }


async def test_every_command_of_the_list_asks_whoever_has_a_second_factor(
    hubs: Hubs, web: httpx2.AsyncClient, meet: Meet, tenant: Tenant, tokens: Tokens
) -> None:
    operator = await meet(tenant, Role.OPERATOR)
    first = await operator.tokens(web, hubs.a)
    setting = await connect(hubs.a, first["access_token"])
    await security(setting, hubs, web, first["access_token"], step_up_above=0)
    await operator.enrol_app(web, hubs.a, first["access_token"])
    session = claims_of(first["access_token"])["sid"]
    now = time.time()
    not_enough = {
        "stale": token_of(tokens, operator, session, now - 301),
        "fresh, and only a password": token_of(tokens, operator, session, now, ["pwd"]),
        "without a word": token_of(tokens, operator, session, None),
    }
    enough = token_of(tokens, operator, session, now - 200)
    for kind in NEEDS:
        message = example_of(kind)
        fields = msgspec.to_builtins(message)
        method, path, body = to_request(message)
        for why, token in not_enough.items():
            client = await connect(hubs.b, token)
            answer = await client.ask(fields["type"], **{k: v for k, v in fields.items() if k not in {"type", "id"}})
            assert answer.get("code") == "step_up_required", (kind, why, answer)
            await client.connection.close()
            over_http = await web.request(method, hubs.a.url + path, json=body, headers=bearer(token))
            assert over_http.json()["code"] == "step_up_required", (kind, why, over_http.text)
            assert over_http.status_code == 403
        if fields["type"] in {"end_sessions", "end_session", "change_password", "reset_factors", "set_security"}:
            continue
        over_http = await web.request(method, hubs.a.url + path, json=body, headers=bearer(enough))
        assert over_http.json().get("code") != "step_up_required", (kind, over_http.text)
    await setting.connection.close()


async def test_whoever_has_no_second_factor_is_asked_for_a_password_where_it_is_about_who_they_are(
    hubs: Hubs, web: httpx2.AsyncClient, meet: Meet, tenant: Tenant, tokens: Tokens
) -> None:
    operator = await meet(tenant, Role.OPERATOR)
    session = claims_of((await operator.tokens(web, hubs.a))["access_token"])["sid"]
    stale = token_of(tokens, operator, session, time.time() - 301, ["pwd"])
    asked = set()
    for kind in NEEDS:
        method, path, body = to_request(example_of(kind))
        answer = await web.request(method, hubs.a.url + path, json=body, headers=bearer(stale))
        if answer.status_code >= 400 and answer.json()["code"] == "step_up_required":
            asked.add(str(kind.__struct_config__.tag))
            assert "password" in answer.json()["title"]
    # The example of change_password brings the old one, which is a proof.
    assert asked == {
        *("enrol_totp", "confirm_totp", "enrol_passkey", "confirm_passkey", "remove_factor", "renew_recovery_codes"),
        *("reset_factors", "set_role", "ask_export", "erase"),
    }
    answer = await web.put(f"{hubs.a.url}/v1/password", json={"password": NEW}, headers=bearer(stale))
    assert answer.json()["code"] == "step_up_required"


async def test_a_socket_steps_up_and_goes_on(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, tokens: Tokens, pool: Pool
) -> None:
    first = await known.tokens(web, hubs.a)
    app, _ = await known.enrol_app(web, hubs.a, first["access_token"])
    session = claims_of(first["access_token"])["sid"]
    client = await connect(hubs.b, token_of(tokens, known, session, time.time() - 400))
    assert (await client.ask("renew_recovery_codes"))["code"] == "step_up_required"
    assert (await client.ask("ask_step_up"))["factors"] == ["totp", "recovery_code"]
    stepped = await client.ask("step_up", code=await app.unused_code())
    assert stepped["type"] == "stepped_up", stepped
    claims = claims_of(stepped["access_token"])
    assert (claims["sid"], claims["sub"], claims["amr"]) == (session, known.person, ["pwd", "otp", "mfa"])
    # Not before the token is taken.
    assert (await client.ask("renew_recovery_codes"))["code"] == "step_up_required"
    assert (await client.ask("renew", token=stepped["access_token"]))["type"] == "renewed"
    assert (await client.ask("renew_recovery_codes"))["type"] == "recovery_codes"
    # What the session proved is kept for the tokens that come after.
    body = {"tenant": known.tenant.slug, "refresh_token": first["refresh_token"]}
    refreshed = (await web.post(f"{hubs.a.url}/v1/refresh", json=body)).json()["access_token"]
    assert claims_of(refreshed)["auth_time"] == claims["auth_time"]
    (entry,) = await read_trail(pool, known.tenant.id, 10, what=Act.STEPPED_UP)
    assert (entry.who, entry.session_id, entry.about) == (known.person, session, session)
    assert entry.details is not None
    assert entry.details["with"] == "totp"
    await client.connection.close()


async def test_a_step_up_by_a_passkey_is_for_one_session(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, meet: Meet, tenant: Tenant
) -> None:
    first = await known.tokens(web, hubs.a)
    key, enrolled = await known.enrol_passkey(web, hubs.a, first["access_token"])
    other = await meet(tenant)
    theirs, _ = await other.enrol_passkey(web, hubs.a, (await other.tokens(web, hubs.a))["access_token"])
    done = await known.prove(
        web,
        hubs.a,
        (ticket := await known.ticket(web, hubs.a))["ticket"],
        credential=key.get(ticket["passkey"]),
    )
    here, there = enrolled["access_token"], done.json()["access_token"]
    options = [
        (await web.post(f"{hubs.a.url}/v1/step-up/options", headers=bearer(token))).json()["passkey"]
        for token in (here, there)
    ]
    # An answer to another session's challenge; somebody else's key; the right one; the right one again.
    for credential, status in (
        (key.get(options[1]), 403),
        (theirs.get(options[0]), 403),
    ):
        answer = await web.post(f"{hubs.b.url}/v1/step-up", json={"credential": credential}, headers=bearer(here))
        assert answer.status_code == status, answer.text
        assert answer.json()["code"] == "proof_refused"
    asked = await web.post(f"{hubs.a.url}/v1/step-up/options", headers=bearer(here))
    credential = key.get(asked.json()["passkey"])
    answers = [
        await web.post(f"{hubs.b.url}/v1/step-up", json={"credential": credential}, headers=bearer(here))
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 403]
    assert claims_of(answers[0].json()["access_token"])["amr"] == ["pwd", "pop", "mfa"]


async def test_a_password_steps_up_whoever_has_nothing_better(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, tokens: Tokens, pool: Pool
) -> None:
    first = await known.tokens(web, hubs.a)
    session = claims_of(first["access_token"])["sid"]
    stale = bearer(token_of(tokens, known, session, time.time() - 400, ["pwd"]))
    wrong = await web.post(f"{hubs.a.url}/v1/step-up", json={"password": NEW}, headers=stale)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "proof_refused")
    for body in ({}, {"password": PASSWORD, "code": "123456"}):
        answer = await web.post(f"{hubs.a.url}/v1/step-up", json=body, headers=stale)
        assert answer.json()["code"] == "invalid_field"
    done = await web.post(f"{hubs.a.url}/v1/step-up", json={"password": PASSWORD}, headers=stale)
    fresh = bearer(done.json()["access_token"])
    assert (await web.post(f"{hubs.b.url}/v1/factors/totp", json={}, headers=fresh)).status_code == 201
    # Nobody guesses a password in a session that was left open.
    codes = [
        (await web.post(f"{hubs.a.url}/v1/step-up", json={"password": NEW}, headers=stale)).status_code
        for _ in range(10)
    ]
    assert codes == [403] * 9 + [429]
    (refused, *_) = await read_trail(pool, known.tenant.id, 30, what=Act.FACTOR_REFUSED)
    assert (refused.who, refused.details) == (known.person, {"reason": "password_wrong"})


async def test_with_a_second_factor_a_password_is_no_step_up(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, pool: Pool
) -> None:
    _, enrolled = await known.enrol_app(web, hubs.a, (await known.tokens(web, hubs.a))["access_token"])
    answer = await web.post(
        f"{hubs.a.url}/v1/step-up", json={"password": PASSWORD}, headers=bearer(enrolled["access_token"])
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "proof_refused")
    assert answer.json()["field"] == "password"


async def test_large_payments_ask_and_small_ones_do_not(
    hubs: Hubs, web: httpx2.AsyncClient, meet: Meet, enter: Enter, tenant: Tenant, tokens: Tokens, pool: Pool
) -> None:
    operator, payer, payee = await meet(tenant, Role.OPERATOR), await meet(tenant, funds=10_000), await enter(tenant)
    first = await operator.tokens(web, hubs.a)
    setting = await connect(hubs.a, first["access_token"])
    await security(setting, hubs, web, first["access_token"], step_up_above=500)
    plain = await connect(hubs.a, (await payer.tokens(web, hubs.a))["access_token"])
    # Nobody is asked for what they do not have.
    assert (await plain.pay(payer.account, payee.account, 501))["status"] == "posted"
    app, enrolled = await payer.enrol_app(web, hubs.a, (await payer.tokens(web, hubs.a))["access_token"])
    session = claims_of(enrolled["access_token"])["sid"]
    client = await connect(hubs.b, token_of(tokens, payer, session, time.time() - 400))
    for amount, expected in ((500, "posted"), (501, "step_up_required"), (10_000, "step_up_required")):
        answer = await client.pay(payer.account, payee.account, amount)
        assert answer.get("status", answer.get("code")) == expected, answer
    part = {"type": "pay", "payer": payer.account, "payee": payee.account, "amount": 300}
    parts = [{**part, "payment": str(uuid.uuid4())} for _ in range(2)]
    assert (await client.ask("link", parts=parts))["code"] == "step_up_required"
    assert (await client.ask("link", parts=parts[:1]))["type"] == "linked"
    body = {"payment": str(uuid.uuid4()), "payer": payer.account, "payee": payee.account, "amount": 501}
    stale = bearer(token_of(tokens, payer, session, time.time() - 400))
    over_http = await web.post(f"{hubs.a.url}/v1/payments", json=body, headers=stale)
    assert over_http.json()["code"] == "step_up_required"
    # In the middle of a hundred small ones it is asked for, and it overtakes nobody's answer.
    ids = [
        await client.submit(
            "pay", payment=str(uuid.uuid4()), payer=payer.account, payee=payee.account, amount=501 if at == 50 else 1
        )
        for at in range(100)
    ]
    answers = [await client.answer(id_) for id_ in ids]
    assert [at for at, answer in enumerate(answers) if answer.get("status") != "posted"] == [50]
    stepped = await client.ask("step_up", code=await app.unused_code())
    assert (await client.ask("renew", token=stepped["access_token"]))["type"] == "renewed"
    assert (await client.pay(payer.account, payee.account, 501))["status"] == "posted"
    # And no longer at all once the tenant sets no amount.
    await security(setting, hubs, web, first["access_token"])
    later = await connect(hubs.b, token_of(tokens, payer, session, time.time() - 400))
    assert (await later.pay(payer.account, payee.account, 501))["status"] == "posted"
    for one in (setting, plain, client, later):
        await one.connection.close()


async def test_to_lower_deny_or_leave_is_never_made_hard(
    hubs: Hubs, web: httpx2.AsyncClient, meet: Meet, tenant: Tenant, tokens: Tokens, enter: Enter, join: Join
) -> None:
    operator, payee = await enter(tenant, Role.OPERATOR), await enter(tenant)
    known = await meet(tenant)
    deciding = await join(hubs.a, operator)
    await deciding.ask("set_limits", limits=1, name="Customers")
    day = {"measure": "day", "max": 1_000, "action": "refuse", "own_max": 5_000}
    assert (await deciding.ask("set_rule", rule=1, limits=1, name="Day", **day))["type"] == "rule_set"
    await deciding.ask("put_under_limits", account=known.account, limits=1)
    first = await known.tokens(web, hubs.a)
    await known.enrol_app(web, hubs.a, first["access_token"])
    session = claims_of(first["access_token"])["sid"]
    client = await connect(hubs.b, token_of(tokens, known, session, time.time() - 400))
    limit = {"account": known.account, "measure": "day"}
    payees = {"account": known.account, "payee": payee.account}
    for type_, fields, expected in (
        ("set_own_limit", {**limit, "max": 1_001}, "step_up_required"),
        ("set_own_limit", {**limit, "max": 500}, "own_limit_set"),
        ("set_own_limit", {**limit, "max": 501}, "step_up_required"),
        ("set_own_limit", {**limit, "max": 500}, "own_limit_set"),
        ("list_payee", {**payees, "listing": "allowed"}, "step_up_required"),
        ("list_payee", {**payees, "listing": "denied"}, "payee_listed"),
        ("list_payee", {**payees, "listing": "none"}, "step_up_required"),
        ("end_session", {"session": session}, "sessions_ended"),
    ):
        answer = await client.ask(type_, **fields)
        assert answer.get("code", answer["type"]) == expected, (type_, fields, answer)
    assert await client.closed() == 4503


async def test_a_customer_is_forbidden_what_is_an_operators_and_not_asked_for_a_proof_first(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, tokens: Tokens
) -> None:
    first = await known.tokens(web, hubs.a)
    await known.enrol_app(web, hubs.a, first["access_token"])
    stale = token_of(tokens, known, claims_of(first["access_token"])["sid"], time.time() - 400)
    client = await connect(hubs.a, stale)
    for type_, fields in (
        ("set_floor", {"account": known.account, "floor": -1}),
        ("set_security", {"step_up_s": 60, "operators_need_factor": False}),
        ("reset_factors", {"person": known.person, "reason": "Case 17"}),
        ("open_person", {"name": "x", "role": "operator"}),
    ):
        assert (await client.ask(type_, **fields))["code"] == "forbidden", type_
    await client.connection.close()


async def test_an_operator_without_the_factor_that_the_tenant_asks_for_may_only_enrol_one(
    hubs: Hubs, web: httpx2.AsyncClient, meet: Meet, tenant: Tenant, enter: Enter
) -> None:
    operator, customer = await meet(tenant, Role.OPERATOR), await meet(tenant)
    first = await operator.tokens(web, hubs.a)
    setting = await connect(hubs.a, first["access_token"])
    await security(setting, hubs, web, (await customer.tokens(web, hubs.a))["access_token"], operators_need_factor=True)
    token = (await operator.tokens(web, hubs.b))["access_token"]
    client = await connect(hubs.b, token)
    account = {"account": customer.account}
    refused: list[tuple[str, dict[str, Any]]] = [
        ("accounts", {}),
        ("account", account),
        ("history", account),
        ("follow", account),
        ("resume", {}),
        ("sessions", {}),
        ("set_floor", {**account, "floor": -1}),
        ("set_security", {"step_up_s": 60, "operators_need_factor": False}),
        ("change_password", {"password": NEW, "old": PASSWORD}),
        ("pay", {"payment": str(uuid.uuid4()), "payer": customer.account, "payee": operator.account, "amount": 1}),
        ("open_person", {"name": "x", "role": "operator"}),
        ("end_sessions", {"person": customer.person, "reason": "Case 17"}),
        ("dry_run", {"parts": []}),
    ]
    for type_, fields in refused:
        answer = await client.ask(type_, **fields)
        assert answer["code"] in {"second_factor_required", "invalid_field"}, (type_, answer)
    for path in ("/v1/accounts", f"/v1/accounts/{customer.account}/history", "/v1/reviews", "/v1/sessions"):
        over_http = await web.get(hubs.a.url + path, headers=bearer(token))
        assert (over_http.status_code, over_http.json()["code"]) == (403, "second_factor_required"), path
    settle = {"in_doubt": [str(uuid.uuid4())]}
    over_http = await web.post(f"{hubs.a.url}/v1/payments/settle", json=settle, headers=bearer(token))
    assert over_http.json()["code"] == "second_factor_required"
    # Customers go on; and the operator enrols, renews, and goes on.
    theirs = bearer((await customer.tokens(web, hubs.a))["access_token"])
    assert (await web.get(f"{hubs.a.url}/v1/accounts", headers=theirs)).status_code == 200
    begun = await client.ask("enrol_totp")
    enrolled = await client.ask("confirm_totp", factor=begun["factor"], code=pyotp.TOTP(begun["secret"]).now())
    assert (await client.ask("accounts"))["code"] == "second_factor_required"
    assert (await client.ask("renew", token=enrolled["access_token"]))["type"] == "renewed"
    assert (await client.ask("account", **account))["type"] == "account_state"
    # The last factor stays.
    kept = await client.ask("remove_factor", factor=enrolled["factor"]["factor"])
    assert kept["code"] == "second_factor_required"
    # An older token of the same session is as little as it was.
    assert (await web.get(f"{hubs.a.url}/v1/accounts", headers=bearer(token))).status_code == 403
    assert (await web.post(f"{hubs.a.url}/v1/logout", headers=bearer(token))).status_code == 204
    for one in (setting, client):
        await one.connection.close()


async def test_a_changed_password_ends_every_other_session_on_every_hub(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known
) -> None:
    mine = await known.tokens(web, hubs.a)
    others = [await known.tokens(web, hubs.a) for _ in range(2)]
    here = await connect(hubs.a, mine["access_token"])
    there = [await connect(hub, other["access_token"]) for hub, other in zip(hubs, others, strict=True)]
    changed = await here.ask("change_password", password=NEW, old=PASSWORD)
    started = time.monotonic()
    assert len(changed["sessions"]) == 2
    assert await asyncio.gather(*(client.closed() for client in there)) == [4503] * 2
    assert time.monotonic() - started < 1
    assert (await here.ask("ping"))["type"] == "pong"
    assert (await known.log_in(web, hubs.b)).status_code == 401
    assert (await known.log_in(web, hubs.b, password=NEW)).status_code == 200
    for other in others:
        body = {"tenant": known.tenant.slug, "refresh_token": other["refresh_token"]}
        assert (await web.post(f"{hubs.a.url}/v1/refresh", json=body)).status_code == 401
    await here.connection.close()


@pytest.mark.parametrize("password", ["demo-payhub-2026", "password123456", "qwertyuiop1234", "aaaaaaaaaaaa"])
async def test_a_password_that_everybody_tries_is_refused_wherever_one_is_chosen(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, enter: Enter, join: Join, tenant: Tenant, password: str
) -> None:
    operator = await join(hubs.a, await enter(tenant, Role.OPERATOR))
    body = {"name": "Somebody", "login": f"x{uuid.uuid4().hex[:10]}", "password": password}
    answer = await web.post(f"{hubs.a.url}/v1/register", json={**body, "tenant": tenant.slug})
    opened = await operator.ask("open_person", role="customer", **body)
    client = await connect(hubs.b, (await known.tokens(web, hubs.a))["access_token"])
    changed = await client.ask("change_password", password=password, old=PASSWORD)
    for refused in (answer.json(), opened, changed):
        assert (refused["code"], refused["field"]) == ("password_too_weak", "password")
    for own in (body["login"] + "2026!", tenant.slug.replace("-", "") + "-password"):
        weak = await operator.ask("open_person", role="customer", **{**body, "password": own})
        assert weak["code"] == "password_too_weak", own
    await client.connection.close()


async def test_a_breached_password_is_refused_by_a_hub_that_has_the_list(
    web: httpx2.AsyncClient, tenant: Tenant, start_hub: Any, tmp_path: Any
) -> None:
    breached = "a perfectly odd sentence"
    path = tmp_path / "breached.txt"
    hashes = sorted(hashlib.sha1(f"{breached}{end}".encode()).hexdigest().upper() for end in ("", "1", "2"))
    path.write_text("".join(f"{one}:7\r\n" for one in hashes))
    hub = await start_hub("listed", breached_passwords_file=str(path))
    body = {"tenant": tenant.slug, "name": "Somebody", "login": f"x{uuid.uuid4().hex[:10]}"}
    answer = await web.post(f"{hub.url}/v1/register", json={**body, "password": breached})
    assert answer.json()["code"] == "password_too_weak"
    assert (await web.post(f"{hub.url}/v1/register", json={**body, "password": breached + "3"})).status_code == 201


async def test_the_others_are_told_when_a_factor_comes_or_goes(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, pool: Pool
) -> None:
    first, second = await known.tokens(web, hubs.a), await known.tokens(web, hubs.b)
    watching = await connect(hubs.b, second["access_token"])
    _, enrolled = await known.enrol_app(web, hubs.a, first["access_token"])
    path = f"/v1/factors/{enrolled['factor']['factor']}/remove"
    removed = await web.post(hubs.a.url + path, headers=bearer(enrolled["access_token"]))
    assert removed.status_code == 200, removed.text
    alerts = [(await watching.receive())["notice"] for _ in range(2)]
    assert [(one["kind"], one["code"]) for one in alerts] == [("factor_enrolled", "totp"), ("factor_removed", "totp")]
    assert {one["session"] for one in alerts} == {claims_of(first["access_token"])["sid"]}
    await watching.connection.close()


async def test_a_fresh_proof_ends_with_its_minutes(
    hubs: Hubs, web: httpx2.AsyncClient, known: Known, tokens: Tokens
) -> None:
    first = await known.tokens(web, hubs.a)
    await known.enrol_app(web, hubs.a, first["access_token"])
    session = claims_of(first["access_token"])["sid"]
    for age, expected in ((295, "recovery_codes"), (301, "step_up_required")):
        client = await connect(hubs.a, token_of(tokens, known, session, time.time() - age))
        answer = await client.ask("renew_recovery_codes")
        assert answer.get("code", answer["type"]) == expected
        await client.connection.close()


async def test_what_another_person_has_enrolled_is_like_nothing(
    hubs: Hubs, web: httpx2.AsyncClient, meet: Meet, tenant: Tenant, other_tenant: Tenant, pool: Pool
) -> None:
    known, other, foreign = await meet(tenant), await meet(tenant), await meet(other_tenant)
    _, mine = await known.enrol_app(web, hubs.a, (await known.tokens(web, hubs.a))["access_token"])
    theirs = [
        (await one.enrol_app(web, hubs.a, (await one.tokens(web, hubs.a))["access_token"]))[1]["factor"]["factor"]
        for one in (other, foreign)
    ]
    client = await connect(hubs.a, mine["access_token"])
    for type_, fields in (("name_factor", {"name": "x"}), ("remove_factor", {}), ("confirm_totp", {"code": "123456"})):
        answers = [await client.ask(type_, factor=one, **fields) for one in (*theirs, str(uuid.uuid4()))]
        assert {answer["code"] for answer in answers} == {"not_found"}, (type_, answers)
        assert len({str({**answer, "id": 0}) for answer in answers}) == 1
    async with in_tenant(pool, tenant.id) as connection:
        assert await connection.fetchval("select count(*) from factors") == 2
    await client.connection.close()

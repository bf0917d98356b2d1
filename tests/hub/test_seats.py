"""People who act for a merchant: invited without a word about whether they exist, within scopes, and not a moment longer."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import jwt
import pytest
import pytest_asyncio

from core.audit.trail import Entry, read_trail
from core.database import Pool, in_tenant
from core.machines.seats import INVITATIONS_MAX
from core.people.opening import Tenant
from core.people.persons import Role
from hub.commands.scoping import needs_of
from hub.protocol.scopes import Scope
from tests.hub.conftest import Enter, Hubs, Join, Meet, Somebody
from tests.hub.known import bearer as bearing
from tests.hub.machines import bearer
from tests.hub.seats import act, clerk_of, invite, seat_of, speak_in
from tests.hub.stranger import Stranger
from tests.hub.test_keying import COMMANDS_OF_CLIENTS, PLACES, fields_of, over_http

SELLING = ("accounts:read", "payments:read", "charges:read", "charges:write", "refunds:write")


@pytest_asyncio.fixture
async def shop(enter: Enter, tenant: Tenant) -> Somebody:
    return await enter(tenant, Role.MERCHANT, funds=1_000)


@pytest_asyncio.fixture
async def ana(enter: Enter, tenant: Tenant) -> Somebody:
    return await enter(tenant, funds=500)


async def entries(pool: Pool, tenant: Tenant, about: str) -> list[Entry]:
    return [*reversed(await read_trail(pool, tenant.id, 50, about=about))]


async def test_who_was_invited_acts_for_the_merchant_and_is_named_for_it(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, meet: Meet, tenant: Tenant, shop: Somebody, pool: Pool
) -> None:
    known = await meet(tenant)
    own = await known.tokens(web, hubs.a)
    holder = Somebody(tenant, known.person, known.account, Role.CUSTOMER, "", own["access_token"], "")
    # By the log-in, however it is written.
    seat = (await invite(web, hubs.a, shop, (*SELLING, "payments:write"), login=known.login.upper()))["seat"]
    working = await join(hubs.b, holder)
    (told,) = [one for one in (await working.ask("notices"))["notices"] if one["kind"] == "seat_offered"]
    assert told["subject"] == seat
    assert (await act(web, hubs.a, holder, seat)).json()["code"] == "seat_over"
    assert (await working.ask("accept_seat", seat=seat))["seat"]["state"] == "held"
    owning = await join(hubs.a, shop)
    assert "seat_taken" in [one["kind"] for one in (await owning.ask("notices"))["notices"]]

    clerk = await speak_in(web, hubs.a, shop, holder, seat)
    claims = jwt.decode(clerk.token, options={"verify_signature": False})
    assert (claims["sub"], claims["role"], claims["act"]["sub"]) == (shop.person, Role.MERCHANT, known.person)
    assert claims["amr"] == ["pwd"]
    client = await Stranger.connect(hubs.b.socket_url)
    async with client:
        welcome = await client.authenticate(clerk.token)
        assert (welcome["person"], welcome["actor"]) == (shop.person, known.person)
        assert [one["account"] for one in welcome["accounts"]] == [shop.account]
        paid = await client.pay(shop.account, known.account, 5)
        assert paid["status"] == "posted"
        charge = str(uuid.uuid4())
        assert (await client.ask("create_charge", charge=charge, payee=shop.account))["type"] == "charge_state"
        assert (await client.ask("cancel_charge", charge=charge))["charge"]["status"] == "cancelled"
        # The next token is of the same session.
        again = (await working.ask("act_in_seat", seat=seat))["access_token"]
        assert (await client.ask("renew", token=again))["type"] == "renewed"
        assert (await client.ask("renew", token=holder.token))["code"] == "authentication_failed"
    balance = await web.get(f"{hubs.a.url}/v1/accounts/{shop.account}/balance", headers=bearer(clerk))
    assert balance.json()["posted"] == 995
    # Who asked is who really did, in the books and beside them.
    async with in_tenant(pool, tenant.id) as connection:
        asked = await connection.fetch(
            "select asked_by::text, session_id::text from payments where tenant_id = $1 and id = $2 union all"
            " select asked_by::text, null from charges where tenant_id = $1 and id = $3",
            tenant.id,
            paid["payment"],
            charge,
        )
    assert [row[0] for row in asked] == [known.person] * 2
    trail = await entries(pool, tenant, seat)
    assert [one.what for one in trail] == ["seat.offered", "seat.taken", "seat.used", "seat.acted"]
    assert [one.who for one in trail] == [shop.person, *[known.person] * 3]
    assert trail[2].session_id == trail[3].session_id == asked[0][1]
    assert trail[3].details == {"asked": "cancel_charge", "about": charge}
    # The merchant reads that as well: it is their shop.
    seen = (await owning.ask("trail"))["entries"]
    assert ("seat.acted", known.person) in [(one["what"], one.get("who")) for one in seen]
    (mine,) = (await owning.ask("seats"))["seats"]
    assert (mine["state"], mine["holder"], mine["holder_name"]) == ("active", known.person, "zq-canary Ana")
    assert "last_used_on" in mine


async def test_a_seat_does_what_its_scopes_say_and_never_what_is_the_merchants_own(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant, shop: Somebody
) -> None:
    all_of_it = await clerk_of(web, hubs.a, shop, await enter(tenant), *Scope)
    little = await clerk_of(web, hubs.a, shop, await enter(tenant), Scope.LIMITS_READ)
    most, least = await join(hubs.a, all_of_it), await join(hubs.b, little)
    kept = 0
    for message in COMMANDS_OF_CLIENTS:
        needs, type_ = needs_of(message), str(message.__struct_config__.tag)
        if needs is None:
            kept += 1
            answer = await most.ask(type_, **fields_of(message))
            assert (answer["type"], answer["code"]) == ("error", "scope_missing"), type_
            if type(message) in PLACES:
                there = await over_http(web, hubs.b.url, all_of_it, message)
                assert (there.status_code, there.json()["code"]) == (403, "scope_missing"), type_
        elif needs - {Scope.LIMITS_READ}:
            assert (await least.ask(type_, **fields_of(message)))["code"] == "scope_missing", type_
    assert kept > 100
    for who in (all_of_it, little):
        out = await web.post(f"{hubs.a.url}/v1/logout", headers=bearer(who))
        assert out.json()["code"] == "scope_missing"


async def test_an_invitation_says_nothing_of_whether_anybody_is_there(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    join: Join,
    enter: Enter,
    meet: Meet,
    tenant: Tenant,
    other_tenant: Tenant,
    shop: Somebody,
) -> None:
    here, elsewhere = await meet(tenant), await meet(other_tenant)
    operator = await enter(tenant, Role.OPERATOR)
    whom: list[dict[str, Any]] = [
        {"login": here.login},
        {"login": elsewhere.login},
        {"login": f"nobody-{uuid.uuid4().hex[:8]}"},
        {"account": here.account},
        {"account": operator.account},
        {"account": 999_999_999_999},
        {"account": elsewhere.account},
    ]
    made = [await invite(web, hubs.a, shop, SELLING, **one) for one in whom]
    shapes = {(*sorted(one), one["state"], one["name"], *one["scopes"]) for one in made}
    assert len(shapes) == 1, shapes
    owning = await join(hubs.b, shop)
    listed = (await owning.ask("seats"))["seats"]
    assert {(*sorted(one), one["state"]) for one in listed} == {(*sorted(made[0]), "pending")}
    # Whoever is there declines, and nothing shows it.
    own = await here.tokens(web, hubs.a)
    invited = (await web.get(f"{hubs.a.url}/v1/seats/own", headers=bearing(own["access_token"]))).json()["seats"]
    assert {one["seat"] for one in invited} == {made[0]["seat"], made[3]["seat"]}
    for one in invited:
        path = f"{hubs.a.url}/v1/seats/{one['seat']}/leave"
        assert (await web.post(path, json={}, headers=bearing(own["access_token"]))).json()["seat"]["state"] == "over"
        accepting = await web.post(path.replace("leave", "accept"), json={}, headers=bearing(own["access_token"]))
        assert (accepting.status_code, accepting.json()["code"]) == (409, "seat_over")
    assert (await owning.ask("seats"))["seats"] == listed
    trail = (await owning.ask("trail"))["entries"]
    assert "seat.declined" not in {one["what"] for one in trail}
    # Who works for the institution sits in no seat.
    path = f"{hubs.a.url}/v1/seats/{made[4]['seat']}/accept"
    assert (await web.post(path, json={}, headers=bearer(operator))).json()["code"] == "seat_over"


Ending = Callable[["End"], Awaitable[Any]]


class End:
    """Whoever may end a seat, and what they end."""

    def __init__(
        self,
        hubs: Hubs,
        web: httpx2.AsyncClient,
        shop: Somebody,
        holder: Somebody,
        operator: Somebody,
        seat: str,
        other: Somebody,
    ) -> None:
        self.hubs, self.web, self.shop, self.holder = hubs, web, shop, holder
        self.operator, self.seat, self.other = operator, seat, other

    async def ask(self, who: Somebody, method: str, path: str, body: Any = None) -> None:
        answer = await self.web.request(method, self.hubs.a.url + path, json=body, headers=bearer(who))
        assert answer.status_code < 300, answer.text

    async def status(self, person: str, status: str, reason: str) -> None:
        path = f"/v1/people/{person}/status"
        await self.ask(self.operator, "PUT", path, {"status": status, "reason": reason})


ENDINGS: dict[str, Ending] = {
    "ended": lambda end: end.ask(end.shop, "DELETE", f"/v1/seats/{end.seat}"),
    "left": lambda end: end.ask(end.holder, "POST", f"/v1/seats/{end.seat}/leave", {}),
    "changed": lambda end: end.ask(end.shop, "PUT", f"/v1/seats/{end.seat}", {"scopes": ["accounts:read"]}),
    "logged_out": lambda end: end.ask(end.holder, "POST", "/v1/logout"),
    "logged_out_from_elsewhere": lambda end: end.ask(end.other, "POST", "/v1/sessions/end", {}),
    "holder_blocked": lambda end: end.status(end.holder.person, "blocked", "under_review"),
    "holder_erased": lambda end: end.ask(end.holder, "POST", "/v1/privacy/erasure", {"person": end.holder.person}),
    "merchant_blocked": lambda end: end.status(end.shop.person, "blocked", "under_review"),
    "holder_another": lambda end: end.ask(
        end.operator, "PUT", f"/v1/people/{end.holder.person}/role", {"role": "merchant"}
    ),
    "merchant_none": lambda end: end.ask(
        end.operator, "PUT", f"/v1/people/{end.shop.person}/role", {"role": "customer"}
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_whatever_ends_it_closes_what_a_seat_opened_on_every_hub_within_a_second(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant, shop: Somebody, ending: str
) -> None:
    holder = await enter(tenant, proved=True)
    operator = await enter(tenant, Role.OPERATOR)
    seat = await seat_of(web, hubs.a, shop, holder, *SELLING)
    clerk = await speak_in(web, hubs.a, shop, holder, seat)
    other = await enter(tenant, again=holder)
    clients = [await join(hub, clerk) for hub in (hubs.a, hubs.b)]
    for hub in (hubs.a, hubs.b):  # remembered at both
        assert (await web.get(f"{hub.url}/v1/accounts", headers=bearer(clerk))).status_code == 200
    started = time.monotonic()
    await ENDINGS[ending](End(hubs, web, shop, holder, operator, seat, other))
    assert [await client.closed() for client in clients] == [4503] * 2
    assert time.monotonic() - started < 1
    for hub in (hubs.a, hubs.b):
        refused = await web.get(f"{hub.url}/v1/accounts", headers=bearer(clerk))
        assert (refused.status_code, refused.json()["code"]) == (401, "authentication_failed")
        async with await Stranger.connect(hub.socket_url) as again:
            assert (await again.authenticate(clerk.token))["code"] == "authentication_failed"
    # From another log-in, or with a narrower right, one goes on where the seat itself is not over.
    answer = await act(web, hubs.b, other, seat)
    assert (answer.status_code == 200) == (ending in {"changed", "logged_out", "logged_out_from_elsewhere"}), (
        ending,
        answer.text,
    )


async def test_of_two_who_accept_at_once_or_end_meanwhile_one_thing_is_true_afterwards(
    hubs: Hubs, web: httpx2.AsyncClient, shop: Somebody, ana: Somebody, tenant: Tenant, pool: Pool
) -> None:
    async def accept(seat: str, hub: int) -> httpx2.Response:
        return await web.post(f"{hubs[hub].url}/v1/seats/{seat}/accept", json={}, headers=bearer(ana))

    one, two = [(await invite(web, hubs.a, shop, SELLING, account=ana.account))["seat"] for _ in range(2)]
    answers = await asyncio.gather(*(accept(one, hub) for hub in (0, 1, 0, 1)), accept(two, 1))
    # Once the one, or the other; and whichever it is, not both.
    done = {answer.json()["seat"]["seat"] for answer in answers if answer.status_code == 200}
    assert len(done) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code != 200} == {"already_seated"}
    (seat,) = done
    assert [entry.what for entry in await entries(pool, tenant, seat)].count("seat.taken") == 1
    # Ended while it is spoken from: whatever was opened in the same moment is over as well.
    acting = [act(web, hubs[hub % 2], ana, seat) for hub in range(12)]
    ending = web.delete(f"{hubs.a.url}/v1/seats/{seat}", headers=bearer(shop))
    *opened, ended = await asyncio.gather(*acting[:6], *acting[6:], ending)
    assert ended.status_code == 200
    for answer in opened:
        if answer.status_code != 200:
            assert answer.json()["code"] == "seat_over"
            continue
        token = answer.json()["access_token"]
        refused = await web.get(f"{hubs.b.url}/v1/accounts", headers=bearing(token))
        assert refused.status_code == 401
    async with in_tenant(pool, tenant.id) as connection:
        sessions = await connection.fetchrow(
            "select count(*), count(*) filter (where revoked_at is null) from sessions"
            " where tenant_id = $1 and seat_id = $2",
            tenant.id,
            seat,
        )
    # The same log-in has one session in a seat, however often it asks.
    assert tuple(sessions or ()) in {(0, 0), (1, 0)}


async def test_a_seat_is_its_merchants_and_its_holders_and_nobody_elses(
    hubs: Hubs,
    web: httpx2.AsyncClient,
    join: Join,
    enter: Enter,
    tenant: Tenant,
    other_tenant: Tenant,
    shop: Somebody,
    ana: Somebody,
) -> None:
    seat = await seat_of(web, hubs.a, shop, ana, *SELLING)
    for who in (
        await enter(tenant, Role.MERCHANT),
        await enter(other_tenant, Role.MERCHANT),
        await enter(other_tenant, Role.OPERATOR),
    ):
        client = await join(hubs.b, who)
        for type_, fields in (
            ("change_seat", {"name": "Mine"}),
            ("change_seat", {"scopes": [*Scope]}),
            ("change_seat", {"scopes": [*Scope]}),
            ("end_seat", {}),
            ("accept_seat", {}),
            ("leave_seat", {}),
            ("act_in_seat", {}),
        ):
            answer = await client.ask(type_, seat=seat, **fields)
            assert (answer["code"], answer["field"]) == ("not_found", "seat"), (who.role, type_, answer)
        fields = {"person": shop.person} if who.role is Role.OPERATOR else {}
        assert (await client.ask("seats", **fields))["seats"] == []
        assert (await client.ask("own_seats"))["seats"] == []
    # Not even the merchant sits in it, and the merchant sits in no seat of their own.
    owning = await join(hubs.a, shop)
    assert (await owning.ask("act_in_seat", seat=seat))["code"] == "not_found"
    offer = {"name": "Me", "scopes": ["accounts:read"]}
    mine = await owning.ask("invite_seat", **offer, account=shop.account)
    assert (mine["code"], mine["field"]) == ("invalid_field", "account")
    for wrong in ({}, {"login": "somebody", "account": ana.account}):
        assert (await owning.ask("invite_seat", **offer, **wrong))["code"] == "invalid_field"
    twice = await owning.ask("invite_seat", name="Me", scopes=["accounts:read"] * 2, account=ana.account)
    assert twice["field"] == "scopes"
    assert (await (await join(hubs.a, ana)).ask("invite_seat", **offer, login="bob"))["code"] == "forbidden"


async def test_so_many_invitations_are_open_and_no_more(hubs: Hubs, join: Join, shop: Somebody, admin: Pool) -> None:
    owning = await join(hubs.a, shop)
    offer = {"name": "Counter", "scopes": ["accounts:read"], "login": "nobody-at-all"}
    made = [(await owning.ask("invite_seat", **offer))["seat"]["seat"] for _ in range(INVITATIONS_MAX)]
    assert (await owning.ask("invite_seat", **offer))["code"] == "too_many_invitations"
    await owning.ask("end_seat", seat=made[0])
    assert (await owning.ask("invite_seat", **offer))["type"] == "seat_state"
    # A week later they have lapsed.
    await admin.execute("update payhub.seats set lapses_at = now() where person_id = $1", shop.person)
    assert {one["state"] for one in (await owning.ask("seats"))["seats"]} == {"lapsed", "ended"}
    assert (await owning.ask("invite_seat", **offer))["type"] == "seat_state"


async def test_a_merchant_sees_who_of_their_people_did_what_and_nobody_else_does(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, tenant: Tenant, shop: Somebody, ana: Somebody, enter: Enter
) -> None:
    clerk = await join(hubs.a, await clerk_of(web, hubs.a, shop, ana, *SELLING, "payments:write"))
    paying, owning = await join(hubs.b, ana), await join(hubs.b, shop)
    # By herself, as any customer, and then from the seat.
    bought = await paying.pay(ana.account, shop.account, 20)
    for client, amount in ((clerk, 5), (owning, 3)):
        refund = {"payment": str(uuid.uuid4()), "about": bought["payment"], "amount": amount}
        assert (await client.ask("refund", **refund))["status"] == "posted"
    paid = await clerk.pay(shop.account, ana.account, 7)
    for client, names in ((owning, True), (clerk, True), (paying, False)):
        bought_by, *steps = await whos(client, bought["payment"])
        assert bought_by is None
        assert steps == ([(ana.person, "zq-canary CUSTOMER"), None] if names else [None, None])
        assert await whos(client, paid["payment"]) == ([(ana.person, "zq-canary CUSTOMER")] if names else [None])
    operating = await join(hubs.a, await enter(tenant, Role.OPERATOR))
    explained = await operating.ask("explain_payment", payment=paid["payment"])
    assert ana.person in str(explained)


async def whos(client: Stranger, payment: str) -> list[tuple[str, str] | None]:
    """Who the answer says asked for a payment, and for each of its steps."""
    found = await client.ask("read_payment", payment=payment)
    return [(one["by"], one["by_name"]) if "by" in one else None for one in (found["life"], *found["steps"])]


async def test_what_was_asked_for_in_a_seat_is_not_ones_own_afterwards(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, tenant: Tenant, shop: Somebody, ana: Somebody
) -> None:
    seat = await seat_of(web, hubs.a, shop, ana, *SELLING, "payments:write", "bulks:read", "bulks:write")
    client = await join(hubs.a, await speak_in(web, hubs.a, shop, ana, seat))
    other = await enter(tenant)
    paid, bulk = await client.pay(shop.account, other.account, 5), str(uuid.uuid4())
    assert (await client.ask("create_bulk", bulk=bulk, account=shop.account, atomic=False))["type"] == "bulk_state"
    line = {"payee": other.account, "amount": 3, "description": "Wages"}
    await client.ask("bulk_lines", bulk=bulk, first=1, lines=[line])
    await client.ask("close_bulk", bulk=bulk)
    for type_, fields in (
        ("read_payment", {"payment": paid["payment"]}),
        ("read_proof", {"payment": paid["payment"]}),
        ("bulk", {"bulk": bulk}),
    ):
        own = await (await join(hubs.b, ana)).ask(type_, **fields)
        assert own["code"] == "not_found", (type_, own)
    # The file that one prepares, the other approves.
    owning = await join(hubs.b, shop)
    assert (await client.ask("approve_bulk", bulk=bulk))["code"] == "scope_missing"
    assert (await owning.ask("bulk", bulk=bulk))["bulk"]["maker"] == ana.person
    assert (await owning.ask("approve_bulk", bulk=bulk))["bulk"]["approver"] == shop.person


async def test_who_sits_there_proves_it_again_to_pay_much(
    hubs: Hubs, web: httpx2.AsyncClient, join: Join, enter: Enter, meet: Meet, tenant: Tenant, shop: Somebody
) -> None:
    known = await meet(tenant)
    own = await known.tokens(web, hubs.a)
    app, _ = await known.enrol_app(web, hubs.a, own["access_token"])
    answer = await known.prove(web, hubs.a, (await known.ticket(web, hubs.a))["ticket"], code=await app.unused_code())
    holder = Somebody(tenant, known.person, known.account, Role.CUSTOMER, "", own["access_token"], "")
    proved = holder._replace(token=answer.json()["access_token"])
    operator = await enter(tenant, Role.OPERATOR)
    body = {"step_up_s": 300, "operators_need_factor": False, "step_up_above": 10}
    assert (await web.put(f"{hubs.a.url}/v1/security", json=body, headers=bearer(operator))).status_code == 200
    seat = await seat_of(web, hubs.a, shop, proved, "payments:write", "accounts:read")
    # One log-in has shown a factor, the other only a password.
    for who, code in ((proved, None), (holder, "step_up_required")):
        clerk = await join(hubs.a, await speak_in(web, hubs.a, shop, who, seat))
        paid = await clerk.pay(shop.account, known.account, 11)
        assert paid.get("code") == code, paid
        assert (await clerk.pay(shop.account, known.account, 10))["status"] == "posted"


async def test_to_invite_and_to_widen_takes_a_proof_and_to_narrow_and_to_end_takes_none(
    hubs: Hubs, web: httpx2.AsyncClient, meet: Meet, tenant: Tenant, ana: Somebody
) -> None:
    known = await meet(tenant, Role.MERCHANT)
    first = await known.tokens(web, hubs.a)
    seat = (
        await web.post(
            f"{hubs.a.url}/v1/seats",
            json={"name": "Counter", "scopes": ["payments:write", "accounts:read"], "account": ana.account},
            headers=bearing(first["access_token"]),
        )
    ).json()["seat"]["seat"]
    await known.enrol_app(web, hubs.a, first["access_token"])
    stale = bearing(first["access_token"])
    path = f"{hubs.a.url}/v1/seats/{seat}"

    async def asked(method: str, url: str, body: Any = None) -> str | None:
        answer = await web.request(method, url, json=body, headers=stale)
        code: str | None = answer.json().get("code")
        return code

    body = {"name": "Counter", "scopes": ["accounts:read"], "login": "bob"}
    assert await asked("POST", f"{hubs.a.url}/v1/seats", body) == "step_up_required"
    assert await asked("PUT", path, {"scopes": [*Scope]}) == "step_up_required"
    assert await asked("PUT", path, {"name": "Till", "scopes": ["holds:write"]}) is None
    assert await asked("PUT", path, {"scopes": ["payments:write"]}) == "step_up_required"
    assert await asked("DELETE", path) is None

"""Who may ask for what: every command, by every role, at both doors, against the table and against the documents."""

import asyncio
import re
import uuid
from typing import Any

import httpx2
import msgspec
import pytest

from core.audit.trail import NOBODY
from core.database import Pool
from core.people.opening import Tenant
from core.people.persons import PersonStatus, Role
from core.people.settings import DEFAULT, set_settings
from core.people.standing import ACTIVE, Standing
from hub import entering, http
from hub.auth import Principal
from hub.commands import rights
from hub.commands.rights import OF_OTHERS, RIGHTS, Effect, Right, exceeds, may_do, refusal_of, right_of
from hub.commands.table import ROWS
from hub.connection import HANDLERS
from hub.documents import ANSWERS, asyncapi, openapi
from hub.doors import Door
from hub.protocol import (
    api_keys,
    consents,
    factors,
    histories,
    incidents,
    messages,
    notices,
    people,
    privacy,
    rules,
    seats,
    sessions,
    staff,
    steps,
    terminals,
    webhooks,
)
from hub.protocol.catalogue import FROM_CLIENT
from hub.protocol.codec import CODECS, JSON
from hub.protocol.fields import Message
from hub.session import Session
from tests.core.people.standings import stand
from tests.hub.conftest import Enter, Hubs, Join, Somebody
from tests.hub.protocol.examples import from_client
from tests.hub.stranger import Stranger

NOBODYS_ACCOUNT = 987_654_321_000
PAY = steps.PARTS[messages.Pay]
REVERSE = steps.PARTS[steps.Reverse]
# Where the first example would be refused for what is in it.
CHOSEN: dict[type, Message] = {
    steps.Link: steps.Link(1, [PAY(str(uuid.uuid4()), 1, 2, 5)]),
    steps.DryRun: steps.DryRun(1, [PAY(str(uuid.uuid4()), 1, 2, 5)]),
    messages.Resume: messages.Resume(1),
    rules.ListPayee: rules.ListPayee(1, 2, "allowed", account=NOBODYS_ACCOUNT),
    messages.OpenPerson: messages.OpenPerson(1, "Somebody", "customer"),
    staff.SetPeopleSettings: staff.SetPeopleSettings(1),
    consents.ReadRequests: consents.ReadRequests(1),
    sessions.EndSession: sessions.EndSession(1, str(uuid.uuid4())),
}


def example_of(command: type) -> Message:
    return CHOSEN.get(command) or next(one for one in from_client() if type(one) is command)


# A till's challenge comes before anybody is known; afterwards it is asked for by nobody.
BEFORE = (messages.Authenticate, terminals.AskChallenge)
COMMANDS = tuple(command for command in FROM_CLIENT if command not in BEFORE)
# And who sits in a seat of theirs; to sit in somebody's is everybody's.
MACHINES = {
    *api_keys.FROM_CLIENT,
    *terminals.FROM_CLIENT,
    *webhooks.FROM_CLIENT,
    *(seats.InviteSeat, seats.ReadSeats, seats.ChangeSeat, seats.EndSeat),
} - {terminals.AskChallenge}


def test_every_command_stands_in_the_table_and_nothing_else_does() -> None:
    assert set(RIGHTS) == set(COMMANDS)
    assert set(OF_OTHERS) <= set(RIGHTS)
    for row in ROWS:
        assert row.right is right_of(row.takes)
        assert row.right.roles, row.takes
    for endpoint in http.ENDPOINTS:
        assert endpoint.public or endpoint.right.roles, endpoint.path
        assert not (endpoint.public and endpoint.takes in RIGHTS)


def test_a_command_that_nobody_has_thought_of_is_nobodys() -> None:
    class Unknown(messages.Ping, frozen=True, tag="unknown"):
        """Not in the table."""

    for role in Role:
        assert refusal_of(session_of(role), Unknown(1)) == "forbidden"


def test_the_documents_say_what_the_table_says() -> None:
    spoken = asyncapi()["operations"]
    for command in COMMANDS:
        operation = spoken[str(command.__struct_config__.tag)]
        check_documented(operation, RIGHTS[command], OF_OTHERS.get(command))
    for endpoint in http.ENDPOINTS:
        operation = openapi()["paths"][endpoint.path][endpoint.method.lower()]
        if endpoint.public:
            assert operation["security"] == []
            assert "x-roles" not in operation
        else:
            check_documented(operation, endpoint.right, OF_OTHERS.get(endpoint.takes))


def check_documented(operation: dict[str, Any], right: Right, of_others: Right | None) -> None:
    assert operation["x-roles"] == [role.name.lower() for role in Role if role in right.roles]
    assert operation["x-effect"] == right.effect.value
    if of_others is not None:
        assert operation["x-roles-of-others"] == [role.name.lower() for role in Role if role in of_others.roles]


def test_least_privilege_in_words() -> None:
    """What the table is meant to say, told another way, so that a slip in it is seen."""
    reading = {command for command, right in RIGHTS.items() if right.effect is Effect.READS}
    auditor, support = {one for one, _ in may_do(Role.AUDITOR)}, {one for one, _ in may_do(Role.SUPPORT)}
    # Auditors write nothing but what keeps their own account safe.
    safe = {command for command in RIGHTS if command.__module__ in {"hub.protocol.factors", "hub.protocol.sessions"}}
    safe -= {factors.SetSecurity, factors.ResetFactors}
    # And what the law gives to everybody about their own data.
    safe |= {command for command in RIGHTS if command.__module__ in {"hub.protocol.privacy", "hub.protocol.consents"}}
    safe -= {consents.SetPurpose, consents.AnswerRequest}
    # And how one is told oneself.
    safe |= {notices.HearNotices, notices.SetNoticeSettings, notices.RegisterPhone, notices.ForgetPhone}
    assert auditor <= reading | safe
    assert safe <= auditor & support
    # They see all that operators see of money, and the trail; people's profiles are none of theirs.
    seen_by_operators = {command for command in reading if Role.OPERATOR in RIGHTS[command].roles}
    assert seen_by_operators - auditor == {
        api_keys.ReadApiKeys,
        terminals.ReadTerminals,
        seats.ReadSeats,
        seats.ReadOwnSeats,
        webhooks.ReadWebhooks,
        webhooks.ReadWebhookAttempts,
        people.FindPeople,
        messages.FindPayee,
        messages.Acknowledge,
        steps.DryRun,
        next(one for one in reading if one.__name__ == "PreviewSchedule"),
    }
    assert not any(is_of_others for _, is_of_others in may_do(Role.AUDITOR))
    # Support sees people, and nothing of money.
    assert support - safe == {
        messages.Renew,
        messages.Ping,
        messages.ReadProfile,
        people.ReadPerson,
        people.ReadProfileHistory,
        people.FindPeople,
        people.EditProfile,
        people.SendConfirmation,
        people.ConfirmContact,
        notices.ReadNotices,
        notices.ReadPushKey,
        notices.ReadPhones,
        notices.ReadNoticeSettings,
        staff.ReadTrail,
    }
    assert {one for one, is_of_others in may_do(Role.SUPPORT) if is_of_others} == {
        people.ReadPerson,
        people.ReadProfileHistory,
    }
    # Customers and merchants may the same, but that machines are merchants', and nothing about anybody else.
    assert may_do(Role.CUSTOMER) == may_do(Role.MERCHANT) - {(command, False) for command in MACHINES}
    assert not any(is_of_others for _, is_of_others in may_do(Role.CUSTOMER))
    # Nobody may what an operator may not.
    for role in Role:
        assert may_do(role) <= may_do(Role.OPERATOR)


def session_of(role: Role, standing: Standing = ACTIVE) -> Session:
    session = Session(0.0)
    session.begin(Principal(7, str(uuid.UUID(int=1)), role, "session", 2_000, Door.NATIVE), [1])
    session.standing = standing
    return session


BLOCKED = Standing(PersonStatus.BLOCKED, False, False)
PENDING = {
    "nothing": Standing(PersonStatus.PENDING, False, False),
    "is_paid": Standing(PersonStatus.PENDING, True, False),
    "pays": Standing(PersonStatus.PENDING, True, True),
}


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.MERCHANT])
def test_what_a_status_lets_its_person_do(role: Role) -> None:
    for command in COMMANDS:
        right = RIGHTS[command]
        message = own(example_of(command), str(uuid.UUID(int=1)))
        if role not in right.roles:
            continue
        effect = right.effect
        assert refusal_of(session_of(role), message) is None
        blocked = None if effect in {Effect.READS, Effect.DEFENDS} else "person_blocked"
        assert refusal_of(session_of(role, BLOCKED), message) == blocked, command
        for what, standing in PENDING.items():
            may = effect in {Effect.READS, Effect.DEFENDS, Effect.TENDS}
            may = may or (effect is Effect.COLLECTS and what in {"is_paid", "pays"})
            may = may or (effect is Effect.PAYS and what == "pays")
            assert refusal_of(session_of(role, standing), message) == (None if may else "person_pending"), command


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.SUPPORT])
def test_staff_who_are_not_active_are_nobody_but_themselves(role: Role) -> None:
    for standing in (BLOCKED, *PENDING.values()):
        session = session_of(role, standing)
        assert not session.is_operator
        assert not session.oversees
        assert (session.may_see(1), session.may_see(2), session.may_use(2)) == (True, False, False)
        for command in COMMANDS:
            message = own(example_of(command), str(uuid.UUID(int=1)))
            refusal = refusal_of(session, message)
            assert refusal == refusal_of(session_of(Role.CUSTOMER, standing), message)
            if command in OF_OTHERS:
                assert refusal_of(session, others(example_of(command))) is not None


def own(message: Message, person: str) -> Message:
    """The same about oneself, where it is about somebody: named, or left out where that means oneself."""
    if type(message) not in OF_OTHERS:
        return message
    field = next(field for field in msgspec.structs.fields(message) if field.name == "person")
    return msgspec.structs.replace(message, person=person if field.required else msgspec.UNSET)


def others(message: Message) -> Message:
    """The same about somebody who is not there."""
    return msgspec.structs.replace(message, person=str(uuid.uuid4())) if type(message) in OF_OTHERS else message


def test_parts_and_payments_in_doubt_are_asked_for_by_themselves() -> None:
    mixed = steps.Link(1, [PAY(str(uuid.uuid4()), 1, 2, 5), REVERSE(str(uuid.uuid4()), str(uuid.uuid4()))])
    assert refusal_of(session_of(Role.CUSTOMER), mixed) == "forbidden"
    assert refusal_of(session_of(Role.OPERATOR), mixed) is None
    doubtful = messages.Resume(1, in_doubt=[str(uuid.uuid4())])
    assert refusal_of(session_of(Role.AUDITOR), messages.Resume(1, follow=[(1, 0)])) is None
    assert refusal_of(session_of(Role.AUDITOR), doubtful) == "forbidden"
    # Whoever is blocked may still learn what became of their payments.
    assert refusal_of(session_of(Role.CUSTOMER, BLOCKED), doubtful) is None


def test_nobody_gives_a_role_that_may_more_than_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = session_of(Role.OPERATOR)
    assert not any(exceeds(operator, role) for role in Role)
    assert exceeds(session_of(Role.SUPPORT), Role.AUDITOR)
    assert exceeds(session_of(Role.AUDITOR), Role.SUPPORT)
    # A right that somebody gives to auditors alone.
    more = Right(frozenset({Role.AUDITOR}), Effect.READS)
    monkeypatch.setattr(rights, "RIGHTS", {**RIGHTS, histories.FindAccounts: more})
    assert exceeds(operator, Role.AUDITOR)
    assert not exceeds(operator, Role.SUPPORT)


async def asked(client: Stranger, message: Message) -> str | None:
    """The code that a command is refused with over the socket; None: it was not."""
    value = msgspec.json.decode(CODECS[JSON].encode(message))
    if isinstance(message, messages.Acknowledge):
        await client.send(value)
        await client.ask("ping")
        refused = [one for one in client.heard if one["type"] == "error"]
        client.heard.clear()
        return refused[0]["code"] if refused else None
    value.pop("id")
    type_ = value.pop("type")
    while (answer := await client.ask(type_, **value)).get("code") == "rate_limited":
        await asyncio.sleep(answer["retry_after_ms"] / 1000)
    code: str | None = answer.get("code") if answer["type"] == "error" else None
    return code


async def requested(
    web: httpx2.AsyncClient, url: str, who: Somebody, method: str, path: str, body: dict[str, Any]
) -> str | None:
    """The same over HTTP."""
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", str(body.pop(name)))
    headers = {"authorization": f"Bearer {who.token}"}
    in_query = method in {"GET", "DELETE"}
    query = {name: str(value).lower() if isinstance(value, bool) else value for name, value in body.items()}
    answer = None
    while answer is None or answer.status_code == 429:
        answer = await web.request(
            method, f"{url}{path}", headers=headers, params=query if in_query else None, json=None if in_query else body
        )
        await asyncio.sleep(0.1 if answer.status_code == 429 else 0)
    content = answer.json() if answer.content and "json" in answer.headers["content-type"] else {}
    code: str | None = content.get("code") if answer.status_code >= 300 else None
    if code == "forbidden":
        assert answer.status_code == 403
    return code


@pytest.mark.parametrize("role", Role)
async def test_every_command_by_every_role_over_the_socket(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, role: Role
) -> None:
    me = await enter(tenant, role, funds=0)
    await enter(tenant, Role.OPERATOR)
    client = await join(hubs.a, me)
    for command in COMMANDS:
        message = messages.Renew(1, me.token) if command is messages.Renew else example_of(command)
        of_others = OF_OTHERS.get(command)
        if of_others is not None:
            code = await asked(client, others(message))
            assert (code != "forbidden") == (role in of_others.roles), (role, command, code)
        code = await asked(client, own(message, me.person))
        assert (code != "forbidden") == (role in RIGHTS[command].roles), (role, command, code)
    assert set(COMMANDS) == set(HANDLERS) | {
        messages.Follow,
        messages.Unfollow,
        messages.Resume,
        messages.Ping,
        messages.Acknowledge,
    }
    assert set(ANSWERS) == {*COMMANDS, *BEFORE}


@pytest.mark.parametrize("role", Role)
async def test_every_endpoint_by_every_role(
    hubs: Hubs, enter: Enter, web: httpx2.AsyncClient, tenant: Tenant, role: Role
) -> None:
    me = await enter(tenant, role)
    await enter(tenant, Role.OPERATOR)
    other: dict[type, dict[str, Any]] = {
        http.Settle: {"in_doubt": [str(uuid.uuid4())]},
        http.ReadQr: {"charge": str(uuid.uuid4())},
        privacy.FetchJson: {"export": str(uuid.uuid4())},
        privacy.FetchPdf: {"export": str(uuid.uuid4())},
        privacy.ReadRecordJson: {},
        privacy.ReadRecordPage: {},
        incidents.FetchAuthorityDraft: {"incident": str(uuid.uuid4())},
        incidents.FetchPersonsDraft: {"incident": str(uuid.uuid4())},
        incidents.FetchPersonsList: {"incident": str(uuid.uuid4())},
    }
    for endpoint in http.ENDPOINTS:
        if endpoint.public or endpoint.takes is entering.LogOut:
            continue
        if endpoint.takes in RIGHTS:
            body = msgspec.to_builtins(others(example_of(endpoint.takes)))
            for name in ("id", "type"):
                body.pop(name, None)
        else:
            body = dict(other.get(endpoint.takes, {"bulk": str(uuid.uuid4())}))
        code = await requested(web, hubs.b.url, me, endpoint.method, endpoint.path, body)
        of_others = OF_OTHERS.get(endpoint.takes)
        allowed = role in (endpoint.right if of_others is None else of_others).roles
        assert (code != "forbidden") == allowed, (role, endpoint.path, code)
    # Waiting as told, like all the others: the desk may ask less often than anybody.
    assert await requested(web, hubs.b.url, me, "POST", "/v1/logout", {}) is None
    assert await requested(web, hubs.b.url, me, "GET", "/v1/accounts", {}) == "authentication_failed"


async def test_an_auditor_sees_everybodys_money_and_moves_nobodys(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant
) -> None:
    ana, bruno = await enter(tenant, funds=1_000), await enter(tenant, funds=10)
    auditor, foreign = await enter(tenant, Role.AUDITOR, funds=500), await enter(other_tenant, funds=7)
    paying, auditing = await join(hubs.a, ana), await join(hubs.b, auditor)
    await auditing.ask("follow", account=bruno.account)
    paid = await paying.pay(ana.account, bruno.account, 100)
    (event,) = await auditing.events(1)
    assert (event["account"], event["amount"]) == (bruno.account, 100)
    assert (await auditing.ask("balance", account=ana.account))["posted"] == 900
    assert len((await auditing.ask("history", account=ana.account))["entries"]) == 2
    life = await auditing.ask("read_payment", payment=paid["payment"])
    assert life["life"]["amount"] == 100
    # Not even from an account of one's own.
    for payer in (ana.account, auditor.account):
        assert (await auditing.pay(payer, bruno.account, 1))["code"] == "forbidden"
    assert (await auditing.ask("balance", account=foreign.account))["code"] == "not_found"


async def test_a_blocked_person_logs_in_and_reads_and_pays_nothing(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool, web: httpx2.AsyncClient
) -> None:
    ana, bruno = await enter(tenant, funds=1_000), await enter(tenant)
    await stand(pool, tenant.id, ana.person, PersonStatus.BLOCKED)
    client = await Stranger.connect(hubs.a.socket_url)
    async with client:
        welcome = await client.authenticate(ana.token)
        assert (welcome["status"], welcome["accounts"][0]["status"]) == ("blocked", "blocked")
        assert (await client.ask("balance", account=ana.account))["posted"] == 1_000
        assert (await client.pay(ana.account, bruno.account, 1))["code"] == "person_blocked"
    headers = {"authorization": f"Bearer {ana.token}"}
    body = {"payment": str(uuid.uuid4()), "payer": ana.account, "payee": bruno.account, "amount": 1}
    answer = await web.post(f"{hubs.b.url}/v1/payments", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "person_blocked")
    # Nor does anybody who acts on any account: the ledger itself refuses.
    operator = await enter(tenant, Role.OPERATOR)
    operating = await join(hubs.b, operator)
    assert (await operating.pay(ana.account, bruno.account, 1))["status"] == "payer_not_open"
    assert (await operating.pay(operator.account, ana.account, 1))["status"] == "payee_not_open"


async def test_a_pending_person_reads_and_is_paid_and_what_else_the_tenant_says(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, pool: Pool
) -> None:
    ana, shop = await enter(tenant, funds=1_000), await enter(tenant, Role.MERCHANT)
    await stand(pool, tenant.id, shop.person, PersonStatus.PENDING)
    paying, selling = await join(hubs.a, ana), await join(hubs.b, shop)
    charge = {"charge": str(uuid.uuid4()), "payee": shop.account, "amount": 50}
    assert (await selling.ask("create_charge", **charge))["type"] == "charge_state"
    assert (await paying.pay(ana.account, shop.account, 50, charge=charge["charge"]))["status"] == "posted"
    assert (await selling.pay(shop.account, ana.account, 1))["code"] == "person_pending"
    await set_settings(pool, tenant.id, DEFAULT._replace(pending_pay=True), NOBODY)
    # Without a hint, a hub looks for itself.
    async with asyncio.timeout(5):
        while (await selling.pay(shop.account, ana.account, 1)).get("status") != "posted":
            await asyncio.sleep(0.1)

"""A tenant is a wall, and so is a person: somebody else's ids answer exactly like ids that do not exist."""

import json
import uuid
from typing import Any

import pytest

from core.people.opening import Tenant
from core.people.persons import Role
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.stranger import JSON, MSGPACK, Stranger

NO_ACCOUNT = 987_654_321_000


def commands(account: int, payment: str, own: int) -> list[tuple[str, dict[str, Any]]]:
    """Every command that takes somebody's id, with this one."""
    return [
        ("account", {"account": account}),
        ("balance", {"account": account}),
        ("history", {"account": account}),
        ("payee", {"account": account}),
        ("follow", {"account": account}),
        ("follow", {"account": account, "after": 0}),
        ("unfollow", {"account": account}),
        ("resume", {"follow": [[account, 0]]}),
        ("resume", {"follow": [[own, 0], [account, 0]], "in_doubt": [payment]}),
        ("pay", {"payment": str(uuid.uuid4()), "payer": account, "payee": own, "amount": 1}),
        ("pay", {"payment": str(uuid.uuid4()), "payer": own, "payee": account, "amount": 1}),
        ("set_floor", {"account": account, "floor": -1}),
    ]


async def raw_answer(client: Stranger, type_: str, fields: dict[str, Any]) -> bytes:
    """The answer as it came, without what the client chose itself, and the clock."""
    answer = await client.ask(type_, **fields)
    for echo in ("id", "payment", "account", "at"):
        answer.pop(echo, None)
    return json.dumps(answer).encode()


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.MERCHANT, Role.OPERATOR])
@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
async def test_another_tenants_account_answers_like_one_that_is_not_there(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant, role: Role, subprotocol: str
) -> None:
    me, foreign = await enter(tenant, role, funds=100), await enter(other_tenant, funds=100)
    client = await join(hubs.a, me, subprotocol)
    there = await join(hubs.b, foreign)
    sent = await there.pay(foreign.account, foreign.account, 1)
    for real, absent in zip(
        commands(foreign.account, sent["payment"], me.account),
        commands(NO_ACCOUNT, str(uuid.uuid4()), me.account),
        strict=True,
    ):
        assert await raw_answer(client, *real) == await raw_answer(client, *absent), real


async def test_another_persons_account_answers_like_one_that_is_not_there(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    me, other = await enter(tenant, funds=100), await enter(tenant, funds=100)
    client = await join(hubs.a, me)
    for real, absent in zip(
        commands(other.account, str(uuid.uuid4()), me.account),
        commands(NO_ACCOUNT, str(uuid.uuid4()), me.account),
        strict=True,
    ):
        if real[0] == "payee" or real[1].get("payee") == other.account:
            continue  # a payee's name, and paying them, is what an account number is for
        assert await raw_answer(client, *real) == await raw_answer(client, *absent), real


async def test_another_persons_payment_in_doubt_tells_nothing_and_stays_theirs(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant
) -> None:
    me = await enter(tenant, funds=100)
    client = await join(hubs.a, me)
    for one in (tenant, other_tenant):
        other = await enter(one, funds=100)
        there = await join(hubs.b, other)
        payee = await enter(one)
        paid = await there.pay(other.account, payee.account, 5)
        theirs = await client.ask("resume", in_doubt=[paid["payment"]])
        absent = await client.ask("resume", in_doubt=[str(uuid.uuid4())])
        for answer in (theirs, absent):
            (settled,) = answer["settled"]
            assert {**settled, "payment": "", "at": ""} == {"payment": "", "at": "", "status": "fenced"}
        again = await there.pay(other.account, payee.account, 5, paid["payment"])
        assert {**again, "id": 0, "receipt": paid["receipt"]} == {**paid, "id": 0}


async def test_nobody_but_an_operator_enters_people_or_moves_floors(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    for role in (Role.CUSTOMER, Role.MERCHANT):
        me = await enter(tenant, role)
        client = await join(hubs.a, me)
        for type_, fields in (
            ("open_person", {"name": "Me too", "role": "operator"}),
            ("set_floor", {"account": me.account, "floor": -1_000_000}),
        ):
            assert (await client.ask(type_, **fields))["code"] == "forbidden"


async def test_an_operator_of_one_tenant_pays_from_no_account_of_another(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant
) -> None:
    operator, foreign = await enter(tenant, Role.OPERATOR, funds=10), await enter(other_tenant, funds=10)
    client = await join(hubs.a, operator)
    assert (await client.pay(foreign.account, operator.account, 1))["status"] == "payer_not_found"


BAD_IDS: list[Any] = ["*", "../", "%00", "1 or 1=1", "", None, -1, 0, 1.0, True, 10**12, [1], {"a": 1}, "7:1"]


@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
async def test_what_is_no_id_is_refused_with_its_field(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, subprotocol: str
) -> None:
    me = await enter(tenant, funds=10)
    client = await join(hubs.a, me, subprotocol)
    for bad in BAD_IDS:
        answer = await client.ask("balance", account=bad)
        assert (answer["code"], answer["field"]) == ("invalid_field", "account"), bad
        answer = await client.pay(me.account, 5, 1, payment=bad if isinstance(bad, str) and bad else "nonsense")
        assert (answer["code"], answer["field"]) == ("invalid_field", "payment"), bad
        await client.ask("ping")


@pytest.mark.parametrize(
    "payment",
    [
        "B8DD1104-6254-414D-83B7-BA76A8E8104D",
        "b8dd11046254414d83b7ba76a8e8104d",
        "{b8dd1104-6254-414d-83b7-ba76a8e8104d}",
        "b8dd1104-6254-414d-83b7-ba76a8e8104d\n",
        "b8dd1104-6254-414d-83b7-ba76a8e8104\u0664",
    ],
)
async def test_a_payment_id_has_one_spelling(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, payment: str
) -> None:
    me, other = await enter(tenant, funds=10), await enter(tenant)
    client = await join(hubs.a, me)
    answer = await client.pay(me.account, other.account, 1, payment)
    assert (answer["code"], answer["field"]) == ("invalid_field", "payment")

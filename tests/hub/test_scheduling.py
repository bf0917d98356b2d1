"""Schedules at both doors: whose they are, what is refused and by which field, and what their owner is told."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from core.database import Pool
from core.keys.safe import Safe
from core.payments.schedules import pay_due
from core.people.opening import Tenant
from core.people.persons import Role
from tests.hub.conftest import Enter, Hubs, Join, Somebody, fund
from tests.hub.stranger import JSON, MSGPACK, Stranger, Wire

SOON = (datetime.now(UTC).date() + timedelta(days=2)).isoformat()  # in every time zone


def order(payer: Somebody, payee: Somebody, **fields: Any) -> Wire:
    return {
        "schedule": str(uuid.uuid4()),
        "payer": payer.account,
        "payee": payee.account,
        "amount": 100,
        "rule": "daily",
        "first_on": SOON,
    } | fields


async def create(client: Stranger, payer: Somebody, payee: Somebody, **fields: Any) -> Wire:
    answer = await client.ask("create_schedule", **order(payer, payee, **fields))
    assert answer["type"] == "schedule_state", answer
    schedule: Wire = answer["schedule"]
    return schedule


async def make_due(admin: Pool, schedule: Wire) -> None:
    await admin.execute("update schedules set due_at = clock_timestamp() where id = $1", schedule["schedule"])


async def test_a_schedule_says_what_was_not_said(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    payer, payee = await enter(tenant), await enter(tenant)
    client = await join(hubs.a, payer)
    made = await create(client, payer, payee, rule="once", first_on="2090-06-01")
    assert (
        made.items()
        >= {
            "at": "06:00",
            "on_closed": "same",
            "attempts": 3,
            "retry_after_s": 14_400,
            "if_unpaid": "skip",
            "status": "active",
            "due_at": "2090-06-01T09:00:00.000000Z",
        }.items()
    )
    # Saying it changes nothing.
    said = {key: made[key] for key in ("schedule", "at", "on_closed", "attempts", "retry_after_s", "if_unpaid")}
    again = await create(client, payer, payee, rule="once", first_on="2090-06-01", **said)
    assert again == made


async def test_the_payee_hears_of_a_scheduled_payment_as_of_any_other(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, admin: Pool, pool: Pool, keys: Safe
) -> None:
    payer, payee = await enter(tenant, funds=100), await enter(tenant)
    paying, receiving = await join(hubs.a, payer), await join(hubs.b, payee)
    made = await create(paying, payer, payee, description="Rent")
    await receiving.ask("follow", account=payee.account, after=0)
    await make_due(admin, made)
    await pay_due(pool, keys, 10)
    (event,) = await receiving.events(1)
    assert (event["what"], event["amount"], event["description"]) == ("payment.received", 100, "Rent")
    assert event["metadata"] == {"schedule": made["schedule"]}


async def test_the_payer_reads_what_became_of_each_attempt(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, admin: Pool, pool: Pool, keys: Safe
) -> None:
    payer, payee = await enter(tenant), await enter(tenant)
    client = await join(hubs.a, payer)
    made = await create(client, payer, payee, times=3)
    await make_due(admin, made)
    await pay_due(pool, keys, 10)
    await fund(pool, tenant, payer.account, 100, payer.person)
    await make_due(admin, made)
    await pay_due(pool, keys, 10)
    read = await client.ask("schedule", schedule=made["schedule"])
    assert [(one["day"], one["attempt"], one["status"]) for one in read["outcomes"]] == [
        (SOON, 2, "posted"),
        (SOON, 1, "insufficient_funds"),
    ]
    assert [one["number"] for one in read["coming"]] == [2, 3]
    assert read["coming"][0]["due_at"] == read["schedule"]["due_at"]
    # The payment that was posted is in the payer's history under the id that the outcome names.
    history = await client.ask("history", account=payer.account, limit=1)
    assert history["entries"][0]["payment"] == read["outcomes"][0]["payment"]


@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
async def test_somebody_elses_schedule_answers_like_one_that_is_not_there(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant, subprotocol: str
) -> None:
    owner, payee = await enter(tenant), await enter(tenant)
    made = await create(await join(hubs.a, owner), owner, payee)
    strangers = [
        payee,
        await enter(tenant, Role.MERCHANT),
        await enter(other_tenant),
        await enter(other_tenant, Role.OPERATOR),
    ]
    for stranger in strangers:
        client = await join(hubs.b, stranger, subprotocol)
        for tag in ("schedule", "pause_schedule", "resume_schedule", "cancel_schedule"):
            real = await client.ask(tag, schedule=made["schedule"])
            absent = await client.ask(tag, schedule=str(uuid.uuid4()))
            assert (real["code"], real["field"]) == ("not_found", "schedule")
            assert {**real, "id": 0} == {**absent, "id": 0}
        if stranger.role != Role.OPERATOR:
            listed = await client.ask("schedules", account=owner.account)
            assert (listed["code"], listed["field"]) == ("not_found", "account")
            theirs = await client.ask("create_schedule", **order(owner, stranger))
            assert (theirs["code"], theirs["field"]) == ("not_found", "payer")
        assert (await client.ask("schedules", account=stranger.account, before=made["schedule"]))["schedules"] == []
    mine = await (await join(hubs.a, owner)).ask("schedule", schedule=made["schedule"])
    assert mine["schedule"] == made


async def test_accounts_of_another_tenant_can_be_neither_payer_nor_payee(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, other_tenant: Tenant
) -> None:
    operator, foreign = await enter(tenant, Role.OPERATOR), await enter(other_tenant)
    client = await join(hubs.a, operator)
    for field in ("payer", "payee"):
        for account in (foreign.account, 987_654_321_000):
            answer = await client.ask("create_schedule", **order(operator, operator) | {field: account})
            assert (answer["code"], answer["field"]) == ("not_found", field), answer


async def test_an_operator_tends_everybodys_schedules(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    payer, payee, operator = await enter(tenant), await enter(tenant), await enter(tenant, Role.OPERATOR)
    client = await join(hubs.a, operator)
    made = await create(client, payer, payee)
    assert (await client.ask("schedules", account=payer.account))["schedules"] == [made]
    assert (await client.ask("pause_schedule", schedule=made["schedule"]))["schedule"]["status"] == "paused"
    # And its payer, too, whoever made it.
    owner = await join(hubs.b, payer)
    assert (await owner.ask("cancel_schedule", schedule=made["schedule"]))["schedule"]["status"] == "cancelled"
    again = await client.ask("resume_schedule", schedule=made["schedule"])
    assert again["code"] == "schedule_over"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"first_on": "2090-02-30"}, "first_on"),
        ({"first_on": "0001-01-01"}, "first_on"),
        ({"first_on": "9999-12-31"}, "first_on"),
        ({"first_on": "2020-01-01"}, "first_on"),
        ({"first_on": "2090-1-1"}, "first_on"),
        ({"until": "2091-13-01"}, "until"),
        ({"until": "2020-01-01"}, "until"),
        ({"at": "24:00"}, "at"),
        ({"at": "6:00"}, "at"),
        ({"rule": "hourly"}, "rule"),
        ({"rule": "monthly"}, "day"),
        ({"rule": "monthly", "day": 32}, "day"),
        ({"rule": "monthly", "day": 0}, "day"),
        ({"rule": "nth_business_day", "day": 11}, "day"),
        ({"on_closed": "after"}, "on_closed"),
        ({"on_closed": "never"}, "on_closed"),
        ({"rule": "weekly", "times": 0}, "times"),
        ({"rule": "weekly", "times": 10_001}, "times"),
        ({"rule": "weekly", "times": 2, "until": "2091-01-01"}, "times"),
        ({"rule": "once", "times": 1}, "times"),
        ({"attempts": 0}, "attempts"),
        ({"attempts": 11}, "attempts"),
        ({"retry_after_s": 59}, "retry_after_s"),
        ({"retry_after_s": 604_801}, "retry_after_s"),
        ({"if_unpaid": "borrow"}, "if_unpaid"),
        ({"amount": 0}, "amount"),
        ({"amount": 10**13 + 1}, "amount"),
        ({"schedule": "1"}, "schedule"),
        ({"description": "a\nb"}, "description"),
        ({"description": "a" * 141}, "description"),
    ],
)
async def test_what_makes_no_schedule_is_refused_by_its_field_at_both_doors(
    hubs: Hubs,
    enter: Enter,
    join: Join,
    tenant: Tenant,
    web: httpx2.AsyncClient,
    fields: Wire,
    field: str,
) -> None:
    payer, payee = await enter(tenant), await enter(tenant)
    client = await join(hubs.a, payer)
    body = order(payer, payee, **fields)
    answer = await client.ask("create_schedule", **body)
    assert (answer["code"], answer["field"]) == ("invalid_field", field), answer
    over_http = await web.post(
        f"{hubs.b.url}/v1/schedules", json=body, headers={"authorization": f"Bearer {payer.token}"}
    )
    assert (over_http.status_code, over_http.json()["field"]) == (422, field)
    assert (await client.ask("schedules", account=payer.account))["schedules"] == []


async def test_the_limits_of_each_field_are_within_it(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> None:
    payer, payee = await enter(tenant), await enter(tenant)
    client = await join(hubs.a, payer)
    for fields in (
        {"rule": "monthly", "day": 31, "times": 10_000, "attempts": 10, "retry_after_s": 604_800, "at": "23:59"},
        {"rule": "nth_working_day", "day": 10, "attempts": 1, "retry_after_s": 60, "at": "00:00", "amount": 10**13},
        {"rule": "yearly", "first_on": "2099-12-31", "until": "2099-12-31", "description": "é" * 140},
    ):
        await create(client, payer, payee, **fields)


async def test_another_body_under_the_same_id_is_refused_by_its_field(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    payer, payee, other = await enter(tenant), await enter(tenant), await enter(tenant)
    client = await join(hubs.a, payer)
    body = order(payer, payee, rule="monthly", day=5)
    await client.ask("create_schedule", **body)
    for field, value in (
        ("amount", 101),
        ("payee", other.account),
        ("day", 6),
        ("at", "07:00"),
        ("on_closed", "before"),
        ("attempts", 4),
        ("description", "x"),
    ):
        answer = await client.ask("create_schedule", **body | {field: value})
        assert (answer["code"], answer["field"]) == ("conflict", field)
    taken = await (await join(hubs.b, other)).ask("create_schedule", **body | {"payer": other.account})
    assert (taken["code"], taken["field"]) == ("conflict", "schedule")


async def test_a_preview_makes_nothing_and_shows_what_a_schedule_would_do(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    me, payee = await enter(tenant), await enter(tenant)
    client = await join(hubs.a, me)
    plan = {"rule": "monthly", "day": 31, "first_on": "2090-01-15", "on_closed": "before", "at": "08:30"}
    preview = await client.ask("preview_schedule", **plan, limit=60)
    assert len(preview["dates"]) == 60
    assert (await client.ask("schedules", account=me.account))["schedules"] == []
    made = await create(client, me, payee, **plan)
    assert (await client.ask("schedule", schedule=made["schedule"]))["coming"] == preview["dates"][:12]
    refused = await client.ask("preview_schedule", **plan, limit=61)
    assert (refused["code"], refused["field"]) == ("invalid_field", "limit")
    for first_on in ("0001-01-01", "9999-12-31"):
        refused = await client.ask("preview_schedule", **plan | {"first_on": first_on})
        assert (refused["code"], refused["field"]) == ("invalid_field", "first_on")
    last = await client.ask("preview_schedule", rule="nth_business_day", day=5, first_on="2099-12-31")
    assert last["dates"] == []

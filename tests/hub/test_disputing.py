"""Disputes at both doors: seen at once by both sides, and by nobody else."""

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from core.people.opening import Tenant
from core.people.persons import Role
from hub.protocol.disputes import CONTENT_LENGTH_MAX
from tests.hub.conftest import CANARY, Enter, Hubs, Join, Somebody
from tests.hub.stranger import MSGPACK, Stranger, Wire

PNG = b"\x89PNG\r\n\x1a\n"


class Case:
    """A payment of 100 from a customer to a shop, and everybody's connections."""

    def __init__(self, people: tuple[Somebody, ...], clients: tuple[Stranger, ...], payment: str) -> None:
        self.payer, self.shop, self.operator, self.stranger = people
        self.paying, self.selling, self.operating, self.looking = clients
        self.payment = payment

    async def open(self, **more: Any) -> Wire:
        fields = {"dispute": str(uuid.uuid4()), "payment": self.payment, "reason": "fraud"} | more
        return await self.paying.ask("open_dispute", **fields)


@pytest.fixture
async def case(hubs: Hubs, enter: Enter, join: Join, tenant: Tenant) -> Case:
    people = (
        await enter(tenant, funds=1_000),
        await enter(tenant, Role.MERCHANT),
        await enter(tenant, Role.OPERATOR),
        await enter(tenant, funds=1_000),
    )
    doors = ((hubs.a, MSGPACK), (hubs.b, MSGPACK), (hubs.a, "payhub.v1.json"), (hubs.b, MSGPACK))
    clients = tuple([await join(hub, who, how) for who, (hub, how) in zip(people, doors, strict=True)])
    paid = await clients[0].pay(people[0].account, people[1].account, 100)
    return Case(people, clients, paid["payment"])


def code(answer: Wire) -> tuple[str, str | None]:
    assert answer["type"] == "error", answer
    return answer["code"], answer.get("field")


async def test_both_sides_see_each_step_as_an_event_of_their_account(case: Case) -> None:
    # The two are on different hubs: what one commits, the other hears.
    await case.paying.ask("follow", account=case.payer.account)
    await case.selling.ask("follow", account=case.shop.account)
    dispute = (await case.open(text=f"{CANARY}\nIt was not me"))["dispute"]
    assert (dispute["status"], dispute["held"], dispute["profile"]) == ("open", 100, "med")
    assert dispute["opened_by"] == "payer"
    opened, due = (datetime.fromisoformat(dispute[name]) for name in ("opened_at", "decision_due_at"))
    assert (due - opened).total_seconds() == 7 * 86_400
    assert abs((datetime.now(UTC) - opened).total_seconds()) < 60
    balance = await case.selling.ask("balance", account=case.shop.account)
    assert (balance["posted"], balance["held"], balance["available"]) == (100, 100, 0)
    refused = await case.selling.pay(case.shop.account, case.stranger.account, 1)
    assert refused["status"] == "insufficient_funds"
    await case.selling.ask("answer_dispute", dispute=dispute["dispute"], answer="accept_part", amount=25)
    await case.operating.ask("decide_dispute", dispute=dispute["dispute"], amount=40, note=CANARY)
    done = (await case.paying.ask("claim_dispute", dispute=dispute["dispute"]))["dispute"]
    assert (done["status"], done["charged_back"], done["owed"]) == ("partly_accepted", 40, 0)
    assert "closed_at" in done
    # Held, held less in one group, charged back.
    names = ["dispute.held", "dispute.released", "dispute.held", "dispute.charged_back"]
    for client, sign in ((case.paying, 1), (case.selling, -1)):
        events = await client.events(4)
        assert [event["what"] for event in events] == names
        assert [event["amount"] for event in events] == [0, 0, 0, sign * 40]
        assert {event["about"] for event in events} == {case.payment}


async def test_whoever_is_no_side_meets_nothing(
    case: Case, enter: Enter, join: Join, hubs: Hubs, other_tenant: Tenant
) -> None:
    mine = (await case.open())["dispute"]["dispute"]
    evidence = str(uuid.uuid4())
    await case.paying.ask("add_evidence", dispute=mine, evidence=evidence, text="Look")

    def commands(dispute: str, payment: str) -> list[tuple[str, dict[str, Any]]]:
        return [
            ("dispute", {"dispute": dispute}),
            ("answer_dispute", {"dispute": dispute, "answer": "accept"}),
            ("withdraw_dispute", {"dispute": dispute}),
            ("claim_dispute", {"dispute": dispute}),
            ("decide_dispute", {"dispute": dispute, "amount": 0}),
            ("add_evidence", {"dispute": dispute, "evidence": str(uuid.uuid4()), "text": "x"}),
            ("read_evidence", {"dispute": dispute, "evidence": evidence}),
            ("disputes", {"before": dispute}),
            ("open_dispute", {"dispute": str(uuid.uuid4()), "payment": payment, "reason": "fraud"}),
        ]

    async def raw(client: Stranger, tag: str, fields: dict[str, Any]) -> str:
        return json.dumps({name: value for name, value in (await client.ask(tag, **fields)).items() if name != "id"})

    foreign = await enter(other_tenant, Role.OPERATOR)
    elsewhere = await join(hubs.a, foreign)
    for client in (case.looking, elsewhere):
        for real, absent in zip(
            commands(mine, case.payment), commands(str(uuid.uuid4()), str(uuid.uuid4())), strict=True
        ):
            assert await raw(client, *real) == await raw(client, *absent), real
        assert (await client.ask("disputes"))["disputes"] == []
    assert (await case.paying.ask("dispute", dispute=mine))["dispute"]["status"] == "open"


async def test_each_side_does_its_own_part_and_no_other(case: Case) -> None:
    dispute = (await case.open())["dispute"]["dispute"]
    for client, tag, more in (
        (case.paying, "answer_dispute", {"answer": "accept"}),
        (case.paying, "decide_dispute", {"amount": 100}),
        (case.selling, "decide_dispute", {"amount": 0}),
        (case.selling, "withdraw_dispute", {}),
        (case.operating, "withdraw_dispute", {}),
        (case.selling, "claim_dispute", {}),
    ):
        assert code(await client.ask(tag, dispute=dispute, **more)) == ("forbidden", None), tag
    for client in (case.paying, case.selling):
        assert code(await client.ask("set_dispute_profile", **PROFILE)) == ("forbidden", None)
    assert code(await case.paying.ask("claim_dispute", dispute=dispute)) == ("dispute_moved_on", None)
    assert code(await case.open()) == ("already_disputed", "payment")
    assert code(await case.open(profile="card")) == ("forbidden", "profile")
    again = await case.paying.ask("open_dispute", dispute=dispute, payment=case.payment, reason="duplicate")
    assert code(again) == ("conflict", "reason")


PROFILE = {
    "profile": "own",
    "reasons": ["fraud"],
    "open_s": 100,
    "answer_s": 10,
    "on_no_answer": "payer_wins",
    "decide_s": 20,
    "on_no_decision": "payee_wins",
    "refund_s": 30,
    "collect_s": 200,
}


async def test_an_operator_sets_the_tenants_own_clocks_and_payers_are_ruled_by_them(case: Case) -> None:
    assert code(await case.operating.ask("set_dispute_profile", **PROFILE | {"decide_s": 9})) == (
        "invalid_field",
        "decide_s",
    )
    assert code(await case.open(reason="other"))[0] == "reason_not_covered"
    await case.operating.ask("set_dispute_profile", **PROFILE, default=True)
    profiles = (await case.paying.ask("dispute_profiles"))["profiles"]
    assert [(one["profile"], one["default"]) for one in profiles] == [("card", False), ("med", False), ("own", True)]
    dispute = (await case.open())["dispute"]
    assert dispute["profile"] == "own"
    # Nothing has to be claimed here: accepted is paid back.
    accepted = await case.selling.ask("answer_dispute", dispute=dispute["dispute"], answer="accept")
    assert (accepted["dispute"]["charged_back"], accepted["dispute"]["held"]) == (100, 0)
    assert (await case.paying.ask("balance", account=case.payer.account))["posted"] == 1_000


async def test_the_largest_file_fits_into_a_message_and_not_a_byte_more(case: Case) -> None:
    dispute = (await case.open())["dispute"]["dispute"]
    content = base64.b64encode(PNG + b"\0" * (36 * 1024 - len(PNG))).decode()
    assert len(content) == CONTENT_LENGTH_MAX
    file = {"name": "photo of the till.png", "media_type": "image/png", "content": content}
    id_ = str(uuid.uuid4())
    for client in (case.paying, case.operating):  # both encodings
        await client.ask("add_evidence", dispute=dispute, evidence=(id_ := str(uuid.uuid4())), text="x" * 2000, **file)
    read = await case.selling.ask("read_evidence", dispute=dispute, evidence=id_)
    assert (read["content"], read["evidence"]["size"]) == (content, 36 * 1024)
    for wrong, field in (
        ({"content": content + "AAAA"}, "content"),
        ({"content": "A==="}, "content"),
        ({"content": "AAAAA"}, "content"),
        ({"content": base64.b64encode(b"MZ not a picture").decode()}, "content"),
        ({"media_type": "text/html"}, "media_type"),
        ({"name": "../../etc/passwd"}, "name"),
        ({"name": "a\x00.png"}, "name"),
    ):
        answer = await case.paying.ask("add_evidence", dispute=dispute, evidence=str(uuid.uuid4()), **file | wrong)
        assert code(answer) == ("invalid_field", field), wrong
    for name in file:
        part = {key: value for key, value in file.items() if key != name}
        assert code(await case.paying.ask("add_evidence", dispute=dispute, evidence=str(uuid.uuid4()), **part)) == (
            "invalid_field",
            "content",
        )
    listed = (await case.selling.ask("dispute", dispute=dispute))["evidence"]
    assert [piece["side"] for piece in listed] == ["payer", "operator"]


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"answer": "accept_part"}, "amount"),
        ({"answer": "accept", "amount": 5}, "amount"),
        ({"answer": "contest", "amount": 5}, "amount"),
        ({"answer": "accept_part", "amount": 0}, "amount"),
        ({"answer": "accept_part", "amount": 101}, "amount"),
        ({"answer": "perhaps"}, "answer"),
        ({"answer": "contest", "text": "\u202egnikcart"}, "text"),
    ],
)
async def test_an_answer_says_one_thing(case: Case, answer: dict[str, Any], field: str) -> None:
    dispute = (await case.open())["dispute"]["dispute"]
    assert code(await case.selling.ask("answer_dispute", dispute=dispute, **answer))[1] == field


async def test_over_http_the_same_answers_have_their_codes(case: Case, hubs: Hubs, web: httpx2.AsyncClient) -> None:
    async def ask(who: Somebody, method: str, path: str, body: Any = None) -> httpx2.Response:
        return await web.request(
            method, f"{hubs.b.url}{path}", json=body, headers={"authorization": f"Bearer {who.token}"}
        )

    opening = {"dispute": str(uuid.uuid4()), "payment": case.payment, "reason": "fraud", "amount": 101}
    assert (await ask(case.payer, "POST", "/v1/disputes", opening)).status_code == 422
    opening["amount"] = 60
    for _ in range(2):
        assert (await ask(case.payer, "POST", "/v1/disputes", opening)).status_code == 201
    path = f"/v1/disputes/{opening['dispute']}"
    assert (await ask(case.stranger, "GET", path)).status_code == 404
    assert (await ask(case.payer, "POST", f"{path}/decision", {"amount": 60})).status_code == 403
    assert (await ask(case.payer, "POST", f"{path}/withdrawal")).json()["dispute"]["status"] == "withdrawn"
    late = await ask(case.shop, "POST", f"{path}/answer", {"answer": "contest"})
    assert (late.status_code, late.json()["code"]) == (409, "dispute_moved_on")
    page = (await ask(case.shop, "GET", "/v1/disputes?status=withdrawn&overdue=false&limit=1")).json()
    assert [one["dispute"] for one in page["disputes"]] == [opening["dispute"]]
    assert "next" not in page


async def test_pages_of_disputes_go_on_where_the_last_one_ended(case: Case) -> None:
    opened = []
    for _ in range(3):
        paid = await case.paying.pay(case.payer.account, case.shop.account, 10)
        opened.append((await case.open(payment=paid["payment"]))["dispute"]["dispute"])
    found: list[str] = []
    before: dict[str, str] = {}
    while True:
        page = await case.selling.ask("disputes", limit=2, **before)
        found += [one["dispute"] for one in page["disputes"]]
        if "next" not in page:
            break
        before = {"before": page["next"]}
    assert found == opened[::-1]


async def test_a_dry_run_tells_what_each_act_in_a_dispute_would_do_and_does_nothing(case: Case) -> None:
    """The entries of a try and of the act itself are the same, but for the ids of the steps."""
    dispute = str(uuid.uuid4())
    acts: list[tuple[Stranger, Wire]] = [
        (case.paying, {"type": "open_dispute", "dispute": dispute, "payment": case.payment, "reason": "fraud"}),
        (case.selling, {"type": "answer_dispute", "dispute": dispute, "answer": "accept_part", "amount": 25}),
        (case.operating, {"type": "decide_dispute", "dispute": dispute, "amount": 40, "note": "so"}),
        (case.paying, {"type": "claim_dispute", "dispute": dispute}),
    ]
    for who, part in acts:
        before = await case.operating.ask("balance", account=case.shop.account)
        tried = await who.ask("dry_run", parts=[part])
        assert tried["type"] == "tried", tried
        assert await who.ask("dry_run", parts=[part])  # again: nothing was kept of it
        assert {**await case.operating.ask("balance", account=case.shop.account), "id": 0} == {**before, "id": 0}
        fields = {name: value for name, value in part.items() if name != "type"}
        done = (await who.ask(part["type"], **fields))["dispute"]
        would_be = tried["dispute"]
        moments = {name for name in done if name.endswith("_at") or name == "collect_until"}
        assert {name: done[name] for name in done.keys() - moments} == {
            name: would_be[name] for name in would_be.keys() - moments
        }
        assert moments == {name for name in would_be if name in moments}
        newest = (await case.operating.ask("history", account=case.shop.account))["entries"]
        made = [entry for entry in newest if entry["number"] > before["number"]][::-1]
        shops = [entry for entry in tried["entries"] if entry["account"] == case.shop.account]
        told = [(one["what"], one["amount"], one.get("hold")) for one in shops]
        assert told == [(one["what"], one["amount"], one.get("hold")) for one in made], part["type"]
    assert (await case.paying.ask("balance", account=case.payer.account))["posted"] == 940
    tried = await case.paying.ask("dry_run", parts=[{"type": "withdraw_dispute", "dispute": dispute}])
    assert code(tried) == ("dispute_moved_on", None)


async def test_who_may_not_act_in_a_dispute_may_not_try_it_and_it_is_tried_alone(case: Case) -> None:
    dispute = (await case.open())["dispute"]["dispute"]
    opening = {"type": "open_dispute", "dispute": str(uuid.uuid4()), "payment": case.payment, "reason": "fraud"}
    pay = {"type": "pay", "payment": str(uuid.uuid4()), "payer": case.payer.account, "payee": case.shop.account}
    for who, parts, expected in (
        (case.looking, [opening], ("not_found", None)),
        (case.looking, [{"type": "claim_dispute", "dispute": dispute}], ("not_found", None)),
        (case.selling, [{"type": "decide_dispute", "dispute": dispute, "amount": 0}], ("forbidden", None)),
        (
            case.selling,
            [{"type": "answer_dispute", "dispute": dispute, "answer": "accept_part"}],
            ("invalid_field", "amount"),
        ),
        (
            case.paying,
            [{"type": "withdraw_dispute", "dispute": dispute}, pay | {"amount": 1}],
            ("invalid_field", "parts"),
        ),
        (case.paying, [opening], ("already_disputed", "payment")),
    ):
        assert code(await who.ask("dry_run", parts=parts)) == expected, parts
    assert (
        code(await case.paying.ask("link", parts=[{"type": "withdraw_dispute", "dispute": dispute}]))[0]
        == "invalid_field"
    )

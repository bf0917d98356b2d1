"""What hub/protocol/disputes.py promises, asked for at both doors."""

import base64
from typing import Any

from core.people.persons import Role
from tests.hub.contracts.contract import Contract

FILE = {"name": "photo.png", "media_type": "image/png", "content": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()}
CLOCKS = {
    "reasons": ["fraud", "other"],
    "open_s": 100,
    "answer_s": 10,
    "on_no_answer": "payer_wins",
    "decide_s": 20,
    "on_no_decision": "payee_wins",
    "refund_s": 30,
    "collect_s": 200,
}


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    payer = await contract.enter(contract.tenant, funds=1_000)
    shop = await contract.enter(contract.tenant, Role.MERCHANT)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    sockets = {who: await contract.join(contract.hubs.a, who) for who in (payer, shop, operator)}

    async def paid() -> str:
        answer = await contract.ask(
            sockets[payer], "pay", payment=contract.id(), payer=payer.account, payee=shop.account, amount=100
        )
        return str(answer["payment"])

    for door in ("socket", "http"):

        async def do(who: Any, tag: str, way: str, fields: dict[str, Any], door: str = door) -> Any:
            if door == "socket":
                return await contract.ask(sockets[who], tag, **fields)
            method, path = way.split(" ")
            in_path = {name: fields.pop(name) for name in ("dispute", "evidence", "profile") if f"{{{name}}}" in path}
            query = "&".join(f"{name}={value}" for name, value in fields.items()) if method == "GET" else ""
            answer = await contract.http(
                who, method, path, fields if method != "GET" and fields else None, query=query, **in_path
            )
            assert answer.status < 300, answer
            return answer.body

        async def opened() -> str:
            dispute = contract.id()
            fields = {"dispute": dispute, "payment": await paid(), "reason": "fraud", "text": "Not me.\nNever was."}
            answer = await do(payer, "open_dispute", "POST /v1/disputes", fields)
            state = answer["dispute"]
            assert (state["status"], state["held"], state["profile"]) == ("open", 100, "med")
            return dispute

        one, other, third = await opened(), await opened(), await opened()
        path = "/v1/disputes/{dispute}"
        evidence = contract.id()
        await do(
            payer,
            "add_evidence",
            f"POST {path}/evidence",
            {"dispute": one, "evidence": evidence, "text": "See", **FILE},
        )
        read = await do(
            shop, "read_evidence", f"GET {path}/evidence/{{evidence}}", {"dispute": one, "evidence": evidence}
        )
        assert read["content"] == FILE["content"]
        offer = {"dispute": one, "answer": "accept_part", "amount": 30, "text": "Half of it was fine"}
        answered = await do(shop, "answer_dispute", f"POST {path}/answer", offer)
        assert (answered["dispute"]["status"], answered["dispute"]["offered"]) == ("under_review", 30)
        decided = await do(
            operator, "decide_dispute", f"POST {path}/decision", {"dispute": one, "amount": 40, "note": "Fair"}
        )
        assert (decided["dispute"]["status"], decided["dispute"]["held"]) == ("partly_accepted", 40)
        claimed = (await do(payer, "claim_dispute", f"POST {path}/claim", {"dispute": one}))["dispute"]
        assert (claimed["charged_back"], claimed["owed"], claimed["held"]) == (40, 0, 0)
        contested = await do(shop, "answer_dispute", f"POST {path}/answer", {"dispute": other, "answer": "contest"})
        assert contested["dispute"]["offered"] == 0
        withdrawn = await do(payer, "withdraw_dispute", f"POST {path}/withdrawal", {"dispute": third})
        assert (withdrawn["dispute"]["status"], withdrawn["dispute"]["held"]) == ("withdrawn", 0)
        assert len((await do(payer, "dispute", f"GET {path}", {"dispute": one}))["evidence"]) == 1
        assert len((await do(operator, "disputes", "GET /v1/disputes", {"limit": 1}))["disputes"]) == 1
        await do(operator, "set_dispute_profile", "PUT /v1/dispute-profiles/{profile}", {"profile": "own", **CLOCKS})
        profiles = await do(operator, "dispute_profiles", "GET /v1/dispute-profiles", {})
        assert [one["profile"] for one in profiles["profiles"]] == ["card", "med", "own"]
    for client in sockets.values():
        for message in client.heard:
            contract.check(message)

"""What hub/protocol/steps.py promises, asked for at both doors."""

from typing import Any

from core.people.persons import Role
from tests.hub.contracts.contract import Contract
from tests.hub.contracts.rooms import watchful_account
from tests.hub.stranger import Stranger


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    payer = await contract.enter(contract.tenant, funds=10_000)
    shop = await contract.enter(contract.tenant, Role.MERCHANT, funds=10_000)
    operator = await contract.enter(contract.tenant, Role.OPERATOR)
    await watchful_account(contract, operator, payer.account, above=900)
    sockets = {who: await contract.join(contract.hubs.a, who) for who in (payer, shop, operator)}

    async def ask(who: Any, tag: str, **fields: Any) -> Any:
        return await contract.ask(sockets[who], tag, **fields)

    async def send(who: Any, path: str, body: Any, **in_path: Any) -> Any:
        answer = await contract.http(who, "POST", f"/v1/payments{path}", body, **in_path)
        assert answer.status in {200, 202}, answer
        return answer.body

    def body(amount: int = 10) -> dict[str, Any]:
        return {"payment": contract.id(), "payer": payer.account, "payee": shop.account, "amount": amount}

    def step(about: str, **fields: Any) -> dict[str, Any]:
        return {"payment": contract.id(), "about": about, **fields}

    for door in ("socket", "http"):

        async def do(who: Any, tag: str, path: str, fields: dict[str, Any], door: str = door) -> Any:
            if door == "socket":
                return await ask(who, tag, **fields)
            about = fields.pop("about", None)
            return await send(who, path, fields, **({} if about is None else {"about": about}))

        paid = await do(payer, "pay", "", body() | {"metadata": {"order": "1"}})
        assert paid["status"] == "posted"
        hold = await do(payer, "authorize", "/authorize", body(100) | {"lasts_s": 60})
        assert (hold["status"], hold["held"] >= 100) == ("posted", True)
        captured = await do(shop, "capture", "/{about}/capture", step(hold["payment"], amount=40, metadata={"a": "b"}))
        assert captured["status"] == "posted"
        assert (await do(shop, "void", "/{about}/void", step(hold["payment"])))["amount"] == 60
        assert (await do(shop, "refund", "/{about}/refund", step(hold["payment"], amount=5)))["status"] == "posted"
        assert (await do(operator, "reverse", "/{about}/reverse", step(paid["payment"])))["amount"] == 10
        for tag in ("release", "decline"):
            large = await do(payer, "pay", "", body(1_000))
            assert (large["status"], large["rule"]) == ("in_review", 1), large
            assert (await do(operator, tag, f"/{{about}}/{tag}", step(large["payment"])))["amount"] == 1_000
        parts = [{"type": "pay", **body(7)}, {"type": "authorize", **body(8)}]
        tried = await do(payer, "dry_run", "/dry-run", {"parts": parts, "linked": True})
        assert [one["amount"] for one in tried["entries"]] == [-7, 7, 0, 0]
        linked = await do(payer, "link", "/link", {"parts": parts})
        assert (linked["posted"], [one["status"] for one in linked["payments"]]) == (True, ["posted", "posted"])
    for client in sockets.values():
        for message in client.heard:
            contract.check(message)
    assert isinstance(sockets[payer], Stranger)

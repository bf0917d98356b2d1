"""What hub/protocol/proofs.py promises, asked for at both doors."""

from core.people.persons import Role
from tests.hub.contracts.contract import Contract


async def exercise(contract: Contract) -> None:
    """Ask for each command with success, at each door."""
    payer, shop = await contract.enter(contract.tenant, funds=500), await contract.enter(contract.tenant, Role.MERCHANT)
    client = await contract.join(contract.hubs.a, payer)
    payments = []
    for _ in range(2):
        payment = contract.id()
        body = {"payment": payment, "payer": payer.account, "payee": shop.account, "amount": 5}
        assert "receipt" in await contract.ask(client, "pay", **body)
        payments.append(payment)
        await contract.seal()
    told = await contract.ask(client, "read_proof", payment=payments[0])
    asked = (await contract.http(payer, "GET", "/v1/payments/{payment}/proof", payment=payments[0])).body
    assert {**asked, "id": 0, "type": "payment_proof"} == {**told, "id": 0}
    assert (told["facts"]["payment"], "kept" in told, "asked" in told) == (payments[0], False, True)
    theirs = (await contract.http(shop, "GET", "/v1/payments/{payment}/proof", payment=payments[0])).body
    assert ("kept" in theirs, "asked" in theirs) == (True, False)
    head = (await contract.ask(client, "log_head"))["head"]
    assert (await contract.http(payer, "GET", "/v1/log/head", query=f"size={head['size']}")).body["head"] == head
    grown = await contract.ask(client, "log_growth", from_size=head["size"] - 1)
    assert (grown["old"]["size"], grown["head"]) == (head["size"] - 1, head)
    query = f"from_size={head['size'] - 1}&to_size={head['size']}"
    again = await contract.http(payer, "GET", "/v1/log/growth", query=query)
    assert again.body["proof"] == grown["proof"]
    keys = (await contract.ask(client, "proof_keys"))["keys"]
    assert (await contract.http(payer, "GET", "/v1/log/keys")).body["keys"] == keys

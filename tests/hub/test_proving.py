"""A customer proves a payment: with the hub's answers, and nothing of the hub's."""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from core.database import Pool
from core.people.opening import Tenant
from core.people.persons import Role
from core.proof.checking import LogBroken
from core.proof.notary import Signer
from core.proof.papers import check_paper, read_keys
from core.proof.receipts import ReceiptRefused
from tests.conftest import Database, seal_all
from tests.hub.conftest import Enter, Hubs, Join
from tests.hub.processes import ROOT
from tests.hub.stranger import MSGPACK, Wire


def paper(answer: Wire, **changed: Any) -> bytes:
    # Base64 for what came as bytes.
    return msgspec.json.encode({**answer, **changed})


async def test_the_receipt_in_the_answer_proves_what_was_asked_for(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant, web: httpx2.AsyncClient
) -> None:
    payer, payee = await enter(tenant, funds=1_000), await enter(tenant)
    keys = read_keys((await web.get(f"{hubs.b.url}/docs/proof-keys.json")).content)
    client = await join(hubs.a, payer, MSGPACK)
    answers = [await client.pay(payer.account, payee.account, at + 1) for at in range(3)]
    for at, answer in enumerate(answers):
        # What the client knows itself, and what it was answered: nobody else's word.
        proof = await client.ask("read_proof", payment=answer["payment"])
        mine = {
            "payment": answer["payment"],
            "kind": "pay",
            "status": "posted",
            "payer": payer.account,
            "payee": payee.account,
            "amount": at + 1,
            "at_us": proof["facts"]["at_us"],
        }
        assert proof["facts"] == mine
        said = check_paper(paper({"tenant": proof["tenant"], "facts": mine, "receipt": answer["receipt"]}), keys)
        assert str(payee.account) in said[0]
        for field, other in (("amount", 1_000_000), ("payee", payer.account), ("payment", str(uuid.uuid4()))):
            with pytest.raises(ReceiptRefused):
                check_paper(
                    paper({"tenant": proof["tenant"], "facts": {**mine, field: other}, "receipt": answer["receipt"]}),
                    keys,
                )
    refused = await client.pay(payer.account, payee.account, 10**9)
    assert (refused["status"], "receipt" in refused) == ("insufficient_funds", False)


async def test_each_side_proves_what_it_may_know_and_a_stranger_nothing(
    hubs: Hubs,
    enter: Enter,
    join: Join,
    tenant: Tenant,
    other_tenant: Tenant,
    web: httpx2.AsyncClient,
    pool: Pool,
    signer: Signer,
) -> None:
    payer, shop = await enter(tenant, funds=1_000), await enter(tenant, Role.MERCHANT)
    operator, stranger, foreign = (
        await enter(tenant, Role.OPERATOR),
        await enter(tenant),
        await enter(other_tenant, Role.OPERATOR),
    )
    operating = await join(hubs.a, operator)
    await operating.ask("set_terms", terms=1, name="Shop", fee_ppm=30_000)
    await operating.ask("put_under_terms", account=shop.account, terms=1)
    paying, selling = await join(hubs.a, payer), await join(hubs.b, shop)
    paid = await paying.pay(payer.account, shop.account, 100, shares=[[stranger.account, 20]])
    early = await paying.ask("read_proof", payment=paid["payment"])
    assert ("receipt" in early, "log" in early) == (False, False)
    await seal_all(pool, signer)
    keys = read_keys((await web.get(f"{hubs.a.url}/docs/proof-keys.json")).content)
    told = {}
    for who, client in (("payer", paying), ("payee", selling), ("operator", operating)):
        told[who] = await client.ask("read_proof", payment=paid["payment"])
        said = check_paper(paper(told[who]), keys)
        assert "It is in leaf" in said[-1]
    assert [("kept" in one, "asked" in one) for one in told.values()] == [(False, True), (True, False), (True, True)]
    assert told["payee"]["kept"] == {
        "fee": 3,
        "shares": [[stranger.account, 20]],
        "salt": told["payee"]["kept"]["salt"],
    }
    assert "Of it 3 was kept as a fee, and 20 shared." in check_paper(paper(told["payee"]), keys)
    # The same receipt as came with the answer.
    assert told["payer"]["receipt"] == paid["receipt"]
    for one, changed in (
        ("payee", {"kept": {**told["payee"]["kept"], "fee": 2}}),
        ("payer", {"asked": {**told["payer"]["asked"], "person": operator.person}}),
        (
            "payee",
            {"kept_hash": told["payee"]["asked_hash"], "kept": None, "asked": {"person": payer.person, "salt": b"\0"}},
        ),
    ):
        with pytest.raises(ReceiptRefused):
            check_paper(paper(told[one], **changed), keys)
    log = told["payer"]["log"]
    for changed in (
        {"number": log["number"] + 1},
        {"path": log["path"][:-4]},
        {"head": {**log["head"], "size": log["head"]["size"] + 1}},
        {"head": {**log["head"], "tenant": 999}},
        {"head": {**log["head"], "at_us": 5}},
    ):
        with pytest.raises((LogBroken, ReceiptRefused)):
            check_paper(paper(told["payer"], log={**log, **changed}), keys)
    with pytest.raises(ReceiptRefused, match="none of the institution's"):
        check_paper(paper(told["payer"]), {})
    for asking, payment in ((stranger, paid["payment"]), (foreign, paid["payment"]), (payer, str(uuid.uuid4()))):
        answer = await (await join(hubs.a, asking)).ask("read_proof", payment=payment)
        assert (answer["code"], answer["field"]) == ("not_found", "payment")


async def test_linked_payments_and_steps_bring_their_receipts(
    hubs: Hubs, enter: Enter, join: Join, tenant: Tenant
) -> None:
    payer, shop = await enter(tenant, funds=1_000), await enter(tenant, Role.MERCHANT)
    client, selling = await join(hubs.a, payer), await join(hubs.a, shop)
    part = {"type": "pay", "payer": payer.account, "payee": shop.account, "amount": 1}
    linked = await client.ask("link", parts=[part | {"payment": str(uuid.uuid4())} for _ in range(3)])
    assert all("receipt" in one for one in linked["payments"])
    tried = await client.ask("dry_run", parts=[part | {"payment": str(uuid.uuid4())}])
    assert "receipt" not in tried["payments"][0]
    back = await selling.ask("refund", payment=str(uuid.uuid4()), about=linked["payments"][0]["payment"], amount=1)
    assert "receipt" in back


@pytest.mark.parametrize(
    "garbage", [b"", b"[]", b"{}", b"\xff", b'{"tenant":1,"facts":{},"receipt":""}', b"[" * 10_000]
)
def test_what_is_no_paper_is_refused_with_a_sentence(garbage: bytes) -> None:
    with pytest.raises(ReceiptRefused, match="no proof of a payment"):
        check_paper(garbage, {})
    with pytest.raises(LogBroken, match="no keys"):
        read_keys(garbage)


async def test_the_commands_prove_a_receipt_and_a_log_or_say_what_is_wrong_with_them(
    hubs: Hubs,
    enter: Enter,
    join: Join,
    tenant: Tenant,
    web: httpx2.AsyncClient,
    pool: Pool,
    signer: Signer,
    database: Database,
    master_key_file: Path,
    tmp_path: Path,
) -> None:
    payer, payee = await enter(tenant, funds=1_000), await enter(tenant)
    client = await join(hubs.a, payer)
    paid = await client.pay(payer.account, payee.account, 123)
    await seal_all(pool, signer)
    keys, paper_file, log_file = tmp_path / "keys.json", tmp_path / "paper.json", tmp_path / "log"
    keys.write_bytes((await web.get(f"{hubs.a.url}/docs/proof-keys.json")).content)
    headers = {"authorization": f"Bearer {payer.token}"}
    proof = await web.get(f"{hubs.a.url}/v1/payments/{paid['payment']}/proof", headers=headers)
    paper_file.write_bytes(proof.content)
    environment = {
        "PAYHUB_DATABASE_URL": database.app_url,
        "PAYHUB_ADMIN_DATABASE_URL": database.admin_url,
        "PAYHUB_REDIS_URL": database.redis_url,
        "PAYHUB_KEYS_DATABASE_URL": database.keys_url,
        "PAYHUB_MASTER_KEY_FILE": str(master_key_file),
    }

    async def call(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, str(ROOT / "payhub.py"), *arguments],
            env={"PATH": os.environ["PATH"], **more},
            capture_output=True,
            text=True,
            check=False,
        )

    proved = await call("verify", "receipt", str(paper_file), "--keys", str(keys))
    assert (proved.returncode, f"123 from account {payer.account} to account {payee.account}" in proved.stdout) == (
        0,
        True,
    )
    paper_file.write_bytes(proof.content.replace(b"123", b"124"))
    refused = await call("verify", "receipt", str(paper_file), "--keys", str(keys))
    assert (refused.returncode, "Not proved. The signature is not over this" in refused.stderr) == (1, True)

    written = await call("export", "log", tenant.slug, "--into", str(log_file), **environment)
    assert written.returncode == 0, written.stderr
    proved = await call("verify", "log", str(log_file), "--keys", str(keys), "--json")
    assert proved.returncode == 0, proved.stderr
    facts = json.loads(proved.stdout)
    assert (facts["tenant"], facts["payments"], facts["keys"], facts["sound"]) == (tenant.slug, 2, "yours", True)
    log_file.write_bytes(log_file.read_bytes().replace(b",123,", b",124,"))
    refused = await call("verify", "log", str(log_file))
    assert (refused.returncode, "Not proved. The root over" in refused.stderr) == (1, True)
    nobody = await call("export", "log", "nobody-here", **environment)
    assert (nobody.returncode, "There is no tenant nobody-here" in nobody.stderr) == (1, True)

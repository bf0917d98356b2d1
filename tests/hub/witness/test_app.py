"""A witness over HTTP: who may show it what, how large, how fast; what it signs, and what it refuses loudly."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.proof import heads
from core.proof.checking import EPOCH
from core.proof.cosignatures import Cosignature, is_cosigned, kid_of
from core.proof.heads import Head
from core.proof.kept import KeptFile, to_head_text
from core.proof.receipts import from_text, to_text
from core.proof.tree import root_of
from core.proof.witnessing import SUBMISSION_SIZE_MAX
from hub.limits import Limit
from hub.witness import app
from hub.witness.store import Store
from tests.hub.raw import RawSocket
from tests.hub.witness.processes import WitnessProcess, call
from tests.hub.witness.test_judging import LEAVES, other, proof
from workers.anchors.witness import WitnessChoice

KEY, KID = Ed25519PrivateKey.generate(), "00112233445566ff"
KEYS = {KID: KEY.public_key()}
STRANGER = Ed25519PrivateKey.generate()


def signed(
    size: int, at: int | None = None, leaves: list[bytes] = LEAVES, tenant: int = 7, key: Ed25519PrivateKey = KEY
) -> Head:
    sealed_at = EPOCH + timedelta(seconds=size if at is None else at)
    root = root_of(leaves[:size])
    return Head(tenant, size, root, sealed_at, KID, key.sign(heads.statement(tenant, size, root, sealed_at)))


def shown(head: Head, from_size: int = 0, told: bytes = b"") -> dict[str, Any]:
    return {"head": msgspec.to_builtins(to_head_text(head)), "from_size": from_size, "proof": to_text(told)}


@pytest_asyncio.fixture(scope="module")
async def witness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WitnessProcess]:
    process = await WitnessProcess(tmp_path_factory.mktemp("witness"), "north").start()
    yield process
    process.stop()
    assert not [line for line in process.lines() if "exception" in line]


@pytest_asyncio.fixture(scope="module")
async def acme(witness: WitnessProcess) -> WitnessChoice:
    return await witness.admit("acme", KEYS)


@pytest_asyncio.fixture
async def another(tmp_path: Path) -> AsyncIterator[WitnessProcess]:
    """One that the test may kill."""
    process = await WitnessProcess(tmp_path, "south").start()
    yield process
    process.stop()


@pytest_asyncio.fixture
async def client(acme: WitnessChoice) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"authorization": f"Bearer {acme.token}"}
    async with httpx2.AsyncClient(base_url=acme.url, headers=headers, timeout=10) as opened:
        yield opened


async def test_it_signs_a_log_that_grows_and_keeps_what_it_signed(
    client: httpx2.AsyncClient, witness: WitnessProcess, acme: WitnessChoice
) -> None:
    trusted = await witness.keys()
    assert trusted.keys() == {kid_of(acme.key)}
    before = 0
    for size in (1, 5, 6, 40):
        head = signed(size)
        answer = await client.post("/v1/heads", json=shown(head, before, proof(before, size)))
        assert answer.status_code == 200, answer.text
        told = answer.json()["cosignature"]
        cosignature = Cosignature(told["witness"], told["seen_at_us"], from_text(told["signature"]))
        assert is_cosigned(head, cosignature, trusted)
        assert not is_cosigned(head._replace(size=size + 1), cosignature, trusted)
        assert not is_cosigned(head._replace(kid="11" * 8), cosignature, trusted)
        before = size
    # Shown again by another worker: the same word.
    assert (await client.post("/v1/heads", json=shown(signed(40)))).status_code == 200
    lines = (await client.get("/v1/heads")).content.splitlines()
    assert [one.size for one in KeptFile(lines, "north") if one.tenant == 7] == [1, 5, 6, 40]
    assert all(is_cosigned(one.head, one.cosignatures[0], trusted) for one in KeptFile(lines, "north"))


async def test_who_saw_one_log_refuses_another_with_both_heads_and_keeps_the_refusal(
    client: httpx2.AsyncClient, witness: WitnessProcess
) -> None:
    seen = signed(20, tenant=8)
    assert (await client.post("/v1/heads", json=shown(seen))).status_code == 200
    rewritten = other(3)
    for head, from_size, told in (
        (signed(30, tenant=8, leaves=rewritten), 20, proof(20, 30, rewritten)),
        (signed(30, tenant=8), 20, proof(20, 30)[:-32]),
        (signed(20, tenant=8, at=21, leaves=rewritten), 20, b""),
        (signed(12, tenant=8, at=21), 12, b""),
    ):
        answer = await client.post("/v1/heads", json=shown(head, from_size, told))
        assert answer.status_code == 409
        body = answer.json()
        assert (body["code"], body["kept"]["size"], body["kept"]["root"]) == ("inconsistent", 20, to_text(seen.root))
        assert (body["shown"]["size"], body["shown"]["root"]) == (head.size, to_text(head.root))
    late = await client.post("/v1/heads", json=shown(signed(30, tenant=8), 12, proof(12, 30)))
    assert (late.status_code, late.json()["code"], late.json()["kept"]["size"]) == (412, "from_another_size", 20)
    older = await client.post("/v1/heads", json=shown(signed(12, tenant=8)))
    assert older.status_code == 412
    # It goes on with the log that it saw.
    assert (await client.post("/v1/heads", json=shown(signed(30, tenant=8), 20, proof(20, 30)))).status_code == 200
    listed = await asyncio.to_thread(call, "witness", "refusals", "--data", str(witness.folder), "--json")
    assert listed.returncode == 1
    found = [one for one in json.loads(listed.stdout)["refusals"] if one["kept"]["tenant"] == 8]
    assert [(one["kept"]["size"], one["shown"]["size"]) for one in found] == [(20, 30), (20, 30), (20, 20), (20, 12)]
    assert all(
        heads.is_signed(one.head, KEYS) for one in KeptFile([json.dumps(f["shown"]).encode() for f in found], "")
    )
    told_log = [line for line in witness.lines() if line["event"] == "head_refused" and line["tenant_id"] == 8]
    assert [(line["size"], line["kept_size"], line["level"]) for line in told_log] == [
        (30, 20, "error"),
        (30, 20, "error"),
        (20, 20, "error"),
        (12, 20, "error"),
    ]


async def test_nobody_else_shows_or_reads_an_institutions_heads(
    client: httpx2.AsyncClient, witness: WitnessProcess, acme: WitnessChoice
) -> None:
    rival = await witness.admit("rival", {KID: STRANGER.public_key()})
    body = shown(signed(5, tenant=9))
    for token in (None, "", "Bearer", f"Basic {acme.token}", f"Bearer {acme.token[:-1]}", f"Bearer {acme.token}x"):
        headers = {} if token is None else {"authorization": token}
        async with httpx2.AsyncClient(base_url=witness.url, headers=headers) as stranger:
            for answer in (await stranger.post("/v1/heads", json=body), await stranger.get("/v1/heads")):
                assert answer.status_code == 401
    # A token of somebody who is admitted does not make a head one of theirs, nor shows it others'.
    async with httpx2.AsyncClient(
        base_url=witness.url, headers={"authorization": f"Bearer {rival.token}"}
    ) as other_client:
        answer = await other_client.post("/v1/heads", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "not_signed")
        assert (await client.post("/v1/heads", json=body)).status_code == 200
        assert (await other_client.get("/v1/heads")).content == b""
        # Nor is one institution's log 9 the other's.
        theirs = signed(3, at=99, tenant=9, key=STRANGER)
        assert (await other_client.post("/v1/heads", json=shown(theirs))).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda body: None,
        lambda body: [],
        lambda body: {**body, "more": 1},
        lambda body: {**body, "from_size": "1"},
        lambda body: {**body, "proof": "A" * 5_000},
        lambda body: {**body, "proof": "!"},
        lambda body: {**body, "head": {**body["head"], "size": 0}},
        lambda body: {**body, "head": {**body["head"], "size": -1}},
        lambda body: {**body, "head": {**body["head"], "size": 2**70}},
        lambda body: {**body, "head": {**body["head"], "tenant": 2**32}},
        lambda body: {**body, "head": {**body["head"], "at_us": 10**30}},
        lambda body: {**body, "head": {**body["head"], "at_us": -1}},
        lambda body: {**body, "head": {**body["head"], "root": "AA"}},
        lambda body: {**body, "head": {**body["head"], "root": body["head"]["root"] + "="}},
        lambda body: {**body, "head": {**body["head"], "key": "00"}},
        lambda body: {**body, "head": {**body["head"], "key": "G0112233445566ff"}},
    ],
)
async def test_what_is_no_head_is_refused(client: httpx2.AsyncClient, change: Any) -> None:
    answer = await client.post("/v1/heads", json=change(shown(signed(5, tenant=10))))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_bytes_that_are_no_json_sizes_and_queries_are_bounded(client: httpx2.AsyncClient) -> None:
    for content in (b"", b"\xff", b"[" * 4_000, b'{"head":'):
        assert (await client.post("/v1/heads", content=content)).status_code == 400
    large = await client.post("/v1/heads", content=b" " * (SUBMISSION_SIZE_MAX + 1))
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    for query in ("tenant=x", "tenant=-1", "size=1e3", "size=9999999999999999999", "tenant=%00", "size=٣"):
        assert (await client.get(f"/v1/heads?{query}")).status_code == 400, query
    assert (await client.delete("/v1/heads")).status_code == 405


async def test_a_head_line_that_never_ends_is_not_waited_for(witness: WitnessProcess) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", witness.port)
    writer.write(b"GET /v1/key HTTP/1.1\r\nx: " + b"a" * 20_000)
    await writer.drain()
    assert b" 431 " in await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert RawSocket.opened == []


async def test_who_is_too_fast_is_told_so_and_others_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that stands still: how fast this machine is has no part in it."""
    monkeypatch.setattr(app, "INSTITUTION", Limit(100, 5))
    monkeypatch.setattr(app, "ADDRESS", Limit(100, 8))
    now = [1_000.0]
    store = Store(tmp_path / "witness.sqlite", "w")
    tokens = [store.admit(name, {}) for name in ("hasty", "calm")]
    transport = httpx2.ASGITransport(app.create_app(store, STRANGER, lambda: now[0]), client=("192.0.2.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://witness") as client:

        async def ask(token: str) -> tuple[int, str]:
            answer = await client.get("/v1/heads", headers={"authorization": f"Bearer {token}"})
            return answer.status_code, answer.json()["code"] if answer.content else ""

        assert [await ask(tokens[0]) for _ in range(6)] == [(200, "")] * 5 + [(429, "too_fast")]
        assert [await ask(tokens[1]) for _ in range(2)] == [(200, "")] * 2
        # Of one address, whoever it says that it is: before any token is looked at.
        assert await ask("nobody's") == (429, "too_fast")
        assert (await client.get("/v1/key")).status_code == 429
        now[0] += 0.02
        assert await ask("nobody's") == (401, "unknown_token")
        assert await ask(tokens[0]) == (200, "")
    store.close()


async def test_what_it_signed_survives_a_kill(another: WitnessProcess) -> None:
    process = another
    choice = await process.admit("acme", KEYS)
    headers = {"authorization": f"Bearer {choice.token}"}
    async with httpx2.AsyncClient(base_url=process.url, headers=headers) as client:
        assert (await client.post("/v1/heads", json=shown(signed(20)))).status_code == 200
    process.stop(signal.SIGKILL)
    await process.start()
    async with httpx2.AsyncClient(base_url=process.url, headers=headers) as client:
        answer = await client.post("/v1/heads", json=shown(signed(20, leaves=other(2), at=30)))
        assert (answer.status_code, answer.json()["kept"]["size"]) == (409, 20)
    assert (await process.keys()).keys() == {kid_of(choice.key)}

"""Heads get to every place outside the database, and whoever rewrites the database is found out by each of them."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
import pytest_asyncio
from botocore.exceptions import ClientError
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from core.audit.trail import read_trail
from core.database import Pool, acquire, in_tenant, transaction
from core.ledger.posting import post_payments
from core.people.opening import Tenant
from core.proof import anchors
from core.proof.checking import LogBroken, check_log
from core.proof.export import export_log
from core.proof.kept import KeptFile, compare, to_line
from core.proof.notary import Signer
from core.proof.proving import read_head
from core.proof.receipts import to_text
from tests.conftest import PAST_TRIGGERS, Books, Database, seal_all
from tests.core.proof.rewriting import cut, rewrite
from tests.hub.processes import ROOT
from tests.hub.witness.processes import WitnessProcess, call, write_keys
from workers import anchoring
from workers.anchoring import Anchoring, DatabaseLogs, anchor_lag_seconds, anchor_place_up, anchor_refused_logs
from workers.anchors.bucket import AnchorBucket, BucketChoice
from workers.anchors.file import AnchorFiles, append
from workers.anchors.places import Place, PlaceAway
from workers.anchors.witness import Witness, WitnessChoice, WitnessesRefused, read_heads, read_witnesses

LATER = timedelta(hours=1)
KINDS = ["file", "bucket", "witness"]


def any_time() -> datetime:
    """As of a moment by which everything there is was signed."""
    return datetime.now(UTC) + LATER


class Kept(NamedTuple):
    """A place, and a way to have back what it keeps."""

    place: Place
    read: Callable[[], Awaitable[list[bytes]]]


# Tests share a database: there are the logs of all the tenants of those before, more than one look takes.
EVERYBODY = 100_000


@pytest.fixture(autouse=True)
def look_at_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.anchoring.HEADS_PER_LOOK", EVERYBODY)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "sa-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }.items():
            patch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")  # type: ignore[no-untyped-call]
        yield client
    server.stop()


@pytest.fixture
def bucket(s3: Any) -> BucketChoice:
    name = f"heads-{uuid.uuid4()}"
    s3.create_bucket(
        Bucket=name,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "sa-east-1"},
    )
    return BucketChoice(name, "payhub/", 30, "sa-east-1", s3.meta.endpoint_url)


@pytest_asyncio.fixture(scope="module")
async def witness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WitnessProcess]:
    process = await WitnessProcess(tmp_path_factory.mktemp("witness"), "north").start()
    yield process
    process.stop()


@pytest_asyncio.fixture
async def south(tmp_path: Path) -> AsyncIterator[WitnessProcess]:
    """Another witness."""
    process = await WitnessProcess(tmp_path, "south").start()
    yield process
    process.stop()


@pytest_asyncio.fixture(scope="module")
async def admitted(witness: WitnessProcess, signer: Signer) -> WitnessChoice:
    return await witness.admit("us", signer.public_keys())


@pytest_asyncio.fixture(autouse=True)
async def nothing_is_left_to_anchor(admin: Pool, tenant: Tenant) -> AsyncIterator[None]:
    """What a test did to its log is no concern of the next one's places."""
    yield
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        for table in ("log_heads", "log_nodes", "log_leaves", "anchors", "audit_unlogged"):
            await connection.execute(f"delete from payhub.{table} where tenant_id = $1", tenant.id)


@pytest_asyncio.fixture(params=KINDS)
async def kept(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    bucket: BucketChoice,
    admitted: WitnessChoice,
    pool: Pool,
    signer: Signer,
) -> AsyncIterator[Kept]:
    """Each kind of place in its turn."""
    if request.param == "file":
        found = in_files(tmp_path)
    elif request.param == "bucket":
        found = in_bucket(tmp_path, bucket)
    else:
        found = at_witness(tmp_path, None, admitted, pool, signer)
    yield found
    await found.place.close()


def in_files(tmp_path: Path, *_: Any) -> Kept:
    def read_all() -> list[bytes]:
        return [line for path in sorted(tmp_path.glob("heads-*")) for line in path.read_bytes().splitlines()]

    async def read() -> list[bytes]:
        return await asyncio.to_thread(read_all)

    return Kept(AnchorFiles(tmp_path, time.time), read)


def in_bucket(_: Path, choice: BucketChoice, *__: Any) -> Kept:
    place = AnchorBucket(choice, time.time)

    async def read() -> list[bytes]:
        return [line async for content in place.read() for line in content.splitlines()]

    return Kept(place, read)


def at_witness(_: Path, __: Any, choice: WitnessChoice, pool: Pool, signer: Signer) -> Kept:
    async def read() -> list[bytes]:
        return [line async for page in read_heads(choice) for line in page.splitlines()]

    return Kept(Witness(choice, DatabaseLogs(pool), signer.public_keys), read)


async def pay(books: Books, signer: Signer, count: int = 1) -> list[str]:
    """So many payments, each in a leaf of its own below a head of its own."""
    ids = []
    for _ in range(count):
        payment = books.payment(0, 1, 1)
        async with acquire(books.pool) as connection:
            await post_payments(connection, [payment])
        await seal_all(books.pool, signer)
        ids.append(payment.id)
    return ids


async def exported(books: Books, signer: Signer) -> list[bytes]:
    return [line async for line in export_log(books.pool, books.tenant.id, books.tenant.slug, signer.keys)]


async def anchored(pool: Pool, books: Books, place: str) -> int:
    """How far the database remembers that place to be."""
    async with in_tenant(pool, books.tenant.id) as connection:
        return await connection.fetchval("select size from anchors where place = $1", place) or 0


async def test_a_place_has_the_newest_head_of_each_log_that_grew_and_each_once(
    kept: Kept, books: Books, signer: Signer, pool: Pool
) -> None:
    round_ = Anchoring(pool, kept.place)
    await pay(books, signer, 3)
    first = await read_head(pool, books.tenant.id)
    await round_.look(any_time())
    await round_.look(any_time())
    await pay(books, signer, 2)
    second = await read_head(pool, books.tenant.id)
    await round_.look(any_time())
    found = [one for one in KeptFile(await kept.read(), "here") if one.tenant == books.tenant.id]
    assert [one.head for one in found] == [first, second]
    assert await anchored(pool, books, kept.place.name) == second.size
    check_log(await exported(books, signer), signer.public_keys(), found)
    if kept.place.name.startswith("witness"):
        async with in_tenant(pool, books.tenant.id) as connection:
            rows = await connection.fetch("select size, witness, signature from cosignatures order by size")
        signed = [(one.size, one.cosignatures[0].witness, one.cosignatures[0].signature) for one in found]
        assert [tuple(row) for row in rows] == signed
    assert anchor_lag_seconds.labels(kept.place.name)._value.get() == 0
    assert anchor_place_up.labels(kept.place.name)._value.get() == 1


async def attack(name: str, books: Books, signer: Signer, admin: Pool, ids: list[str]) -> None:
    """By a superuser with the signing key."""
    tenant = books.tenant.id
    if name == "rewritten":
        statement = "update payhub.payments set amount = amount + 1 where id = $1"
        await rewrite(admin, tenant, signer, statement, ids[3])
        return
    size = (await read_head(books.pool, tenant)).size
    sealed_at = datetime.now(UTC) if name == "cut off and signed anew" else None
    await cut(admin, tenant, signer, size - 4, sealed_at)
    if name == "out of a backup":
        await pay(books, signer, 7)


ATTACKS = {
    "rewritten": "rewritten at or before",
    "cut off": "the end was cut off",
    "cut off and signed anew": "the end was cut off",
    "out of a backup": "rewritten at or before",
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_rewritten_cut_or_restored_log_is_found_by_what_a_place_kept(
    kept: Kept, books: Books, signer: Signer, pool: Pool, admin: Pool, name: str
) -> None:
    round_ = Anchoring(pool, kept.place)
    ids = await pay(books, signer, 9)
    await round_.look(any_time())
    lines = await kept.read()
    check_log(await exported(books, signer), signer.public_keys(), KeptFile(lines, "there"))
    await attack(name, books, signer, admin, ids)
    # The negative control: what the superuser leaves behind is whole, and well signed.
    check_log(await exported(books, signer), signer.public_keys())
    for broken in (lines, await kept.read()):
        with pytest.raises(LogBroken, match=f"in there.*{ATTACKS[name]}"):
            check_log(await exported(books, signer), signer.public_keys(), KeptFile(broken, "there"))


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_worker_says_so_as_soon_as_it_looks(
    kept: Kept, books: Books, signer: Signer, pool: Pool, admin: Pool, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A witness refuses the next head; of a log that has become shorter, the database's own memory of any place tells."""
    round_ = Anchoring(pool, kept.place)
    ids = await pay(books, signer, 9)
    await round_.look(any_time())
    assert anchor_refused_logs.labels(kept.place.name)._value.get() == 0
    await attack(name, books, signer, admin, ids)
    if name == "rewritten":
        await pay(books, signer)
    await round_.look(any_time())
    is_witness = kept.place.name.startswith("witness")
    told = {(line.msg, getattr(line, "tenant_id", None)) for line in caplog.records if line.levelname == "ERROR"}
    is_shorter, is_refused = name.startswith("cut off"), is_witness and name != "cut off"
    assert (("log_shortened", books.tenant.id) in told) == (
        (is_shorter and name == "cut off") or (is_shorter and is_witness)
    )
    assert (("anchor_refused", books.tenant.id) in told) == is_refused
    expected = 1 if is_refused or name == "cut off" else 0
    assert anchor_refused_logs.labels(kept.place.name)._value.get() == expected
    trail = [entry for entry in await read_trail(pool, books.tenant.id, 50) if entry.what == "log.refused"]
    assert [entry.about for entry in trail] == [kept.place.name] * is_refused
    if is_refused:
        async with in_tenant(pool, books.tenant.id) as connection:
            (refusal,) = await connection.fetch("select * from anchor_refusals")
        assert refusal["kept_size"] >= 9
        # And not once more at each look.
        await round_.look(any_time())
        assert len([e for e in await read_trail(pool, books.tenant.id, 50) if e.what == "log.refused"]) == 1


async def test_a_log_cut_before_the_next_head_is_refused_by_the_witness_too_when_the_database_forgot(
    books: Books, signer: Signer, pool: Pool, admin: Pool, admitted: WitnessChoice
) -> None:
    """A real backup also takes back what the database remembers of its places."""
    place = at_witness(Path(), None, admitted, pool, signer).place
    await pay(books, signer, 9)
    await Anchoring(pool, place).look(any_time())
    size = (await read_head(pool, books.tenant.id)).size
    await cut(admin, books.tenant.id, signer, size - 4)
    async with acquire(admin) as connection:
        await connection.execute("delete from payhub.anchors where tenant_id = $1", books.tenant.id)
    await Anchoring(pool, place).look(any_time())
    assert anchor_refused_logs.labels(place.name)._value.get() == 1
    await place.close()


async def test_the_bucket_keeps_each_object_until_its_date_whatever_is_put_over_it(
    books: Books, signer: Signer, pool: Pool, bucket: BucketChoice, s3: Any
) -> None:
    kept = in_bucket(Path(), bucket)
    await pay(books, signer, 2)
    await Anchoring(pool, kept.place).look(any_time())
    head = await read_head(pool, books.tenant.id)
    (version,) = s3.list_object_versions(Bucket=bucket.bucket)["Versions"]
    place = {"Bucket": bucket.bucket, "Key": version["Key"]}
    object_ = s3.head_object(**place, VersionId=version["VersionId"])
    assert object_["ObjectLockMode"] == "COMPLIANCE"
    assert timedelta(days=29) < object_["ObjectLockRetainUntilDate"] - datetime.now(UTC) <= timedelta(days=30)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(**place, VersionId=version["VersionId"], BypassGovernanceRetention=True)
    s3.put_object(**place, Body=b"")
    s3.delete_object(**place)
    lines = await kept.read()
    assert head in [one.head for one in KeptFile(lines, "")]
    await kept.place.close()


async def test_a_bucket_that_keeps_nothing_is_not_taken_for_one_that_does(
    books: Books, signer: Signer, pool: Pool, s3: Any
) -> None:
    s3.create_bucket(Bucket="no-lock-here", CreateBucketConfiguration={"LocationConstraint": "sa-east-1"})
    place = AnchorBucket(BucketChoice("no-lock-here", "", 1, "sa-east-1", s3.meta.endpoint_url), time.time)
    await pay(books, signer)
    assert await Anchoring(pool, place).look(any_time()) == 0
    assert "Contents" not in s3.list_objects_v2(Bucket="no-lock-here")
    assert await anchored(pool, books, "bucket") == 0
    assert anchor_place_up.labels("bucket")._value.get() == 0
    await place.close()


async def test_a_place_that_was_away_catches_up_and_costs_the_others_nothing(
    books: Books, signer: Signer, pool: Pool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    away, there = Anchoring(pool, AnchorFiles(tmp_path / "file" / "away", time.time)), in_files(tmp_path)
    (tmp_path / "file").touch()
    await pay(books, signer, 3)
    assert await away.look(any_time()) == 0
    assert anchor_place_up.labels("file")._value.get() == 0
    assert anchor_lag_seconds.labels("file")._value.get() > 0
    assert [line.msg for line in caplog.records].count("anchor_place_away") == 1
    await Anchoring(pool, there.place).look(any_time())
    assert (await read_head(pool, books.tenant.id)) in [one.head for one in KeptFile(await there.read(), "")]
    await pay(books, signer)
    (tmp_path / "file").unlink()
    assert await away.look(any_time()) >= 1
    assert (await read_head(pool, books.tenant.id)) in [
        one.head for one in KeptFile(await in_files(tmp_path / "file" / "away").read(), "")
    ]
    assert anchor_place_up.labels("file")._value.get() == 1


async def test_a_head_that_waits_for_two_minutes_is_an_error(
    books: Books, signer: Signer, pool: Pool, admin: Pool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await pay(books, signer)
    (tmp_path / "file").touch()
    async with acquire(admin) as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(
            "update payhub.log_heads set sealed_at = sealed_at - interval '130 s' where tenant_id = $1", books.tenant.id
        )
    round_ = Anchoring(pool, AnchorFiles(tmp_path / "file" / "away", time.time))
    await round_.look(any_time())
    await round_.look(any_time())
    assert anchor_lag_seconds.labels("file")._value.get() >= 130
    (line,) = [line for line in caplog.records if line.msg == "anchor_late"]
    assert (line.levelname, line.place, line.code) == ("ERROR", "file", "Not a directory")  # type: ignore[attr-defined]


async def test_heads_are_taken_as_of_a_round_moment_so_that_places_keep_the_same(
    books: Books, signer: Signer, pool: Pool, admin: Pool
) -> None:
    await pay(books, signer, 4)
    tenant = books.tenant.id
    async with in_tenant(pool, tenant) as connection:
        moments = await connection.fetch("select size, sealed_at from log_heads order by size")
    for size, sealed_at in moments:
        (waiting,) = [
            one
            for one in await anchors.find_unanchored(pool, f"nowhere {size}", EVERYBODY, sealed_at)
            if one.head.tenant_id == tenant
        ]
        assert (waiting.head.size, waiting.anchored_size, waiting.since) == (size, 0, moments[0]["sealed_at"])
    # By the database's clock: what was signed just now is left for the next time.
    found = await anchors.find_unanchored(pool, "nowhere", EVERYBODY)
    now = datetime.now(UTC)
    assert all(one.head.sealed_at <= now - anchors.SETTLED for one in found)
    assert all(one.head.sealed_at.timestamp() <= now.timestamp() // 30 * 30 for one in found)


async def test_what_is_anchored_goes_back_by_nobodys_word(books: Books, signer: Signer, pool: Pool) -> None:
    await pay(books, signer)
    old = await read_head(pool, books.tenant.id)
    await pay(books, signer)
    new = await read_head(pool, books.tenant.id)
    await anchors.note_anchors(pool, "p", [anchors.Anchored(new)])
    await anchors.note_anchors(pool, "p", [anchors.Anchored(old)])
    assert await anchored(pool, books, "p") == new.size


async def test_a_worker_that_is_killed_between_a_place_and_its_memory_has_done_no_harm(
    books: Books, signer: Signer, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = in_files(tmp_path)
    await pay(books, signer, 2)
    written = asyncio.Event()

    async def hang(*_: Any) -> None:
        written.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(anchoring, "note_anchors", hang)
        task = asyncio.create_task(Anchoring(pool, kept.place).look(any_time()))
        await written.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await anchored(pool, books, "file") == 0
    await Anchoring(pool, kept.place).look(any_time())
    found = [one.size for one in KeptFile(await kept.read(), "") if one.tenant == books.tenant.id]
    assert found == [(await read_head(pool, books.tenant.id)).size] * 2
    check_log(await exported(books, signer), signer.public_keys(), KeptFile(await kept.read(), ""))


async def test_workers_killed_at_any_moment_leave_every_place_whole(
    books: Books,
    signer: Signer,
    pool: Pool,
    database: Database,
    tmp_path: Path,
    witness: WitnessProcess,
    admitted: WitnessChoice,
) -> None:
    """Two at a time, killed and started again while payments go on, with files and a witness."""
    command = [sys.executable, "-m", "tests.workers.anchoring_process", database.app_url, str(database.keys_url)]
    command += [str(database.master_key_file), str(tmp_path), admitted.url, admitted.token]
    dice = random.Random(4)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)

    def stop(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    for _ in range(4):
        processes = [await asyncio.to_thread(start) for _ in range(2)]
        for process in processes:
            assert process.stdout is not None
            assert await asyncio.to_thread(process.stdout.readline) == b"ready\n"
        until = time.monotonic() + dice.uniform(0.05, 0.5)
        while time.monotonic() < until:
            await pay(books, signer)
        for process in processes:
            stop(process)
    files, at = in_files(tmp_path), at_witness(tmp_path, None, admitted, pool, signer)
    for one in (files, at):
        await Anchoring(pool, one.place).look(any_time())
        lines = await one.read()
        file = KeptFile(lines, one.place.name)
        verdict = check_log(await exported(books, signer), signer.public_keys(), file)
        assert verdict.kept_to == (await read_head(pool, books.tenant.id)).size
        assert verdict.kept_heads > 2
    assert not [
        line for line in witness.lines() if line["event"] == "head_refused" and line["tenant_id"] == books.tenant.id
    ]
    await at.place.close()


def test_a_line_left_half_written_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "heads"
    append(path, b"one\n")
    with path.open("ab") as file:
        file.write(b"tw")
    append(path, b"three\n")
    assert path.read_bytes() == b"one\ntw\nthree\n"
    assert path.stat().st_mode & 0o777 == 0o640 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class Liar:
    """Something that answers where a witness should."""

    def __init__(self, status: int, body: bytes) -> None:
        self.answer = b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (status, len(body), body)

    async def __aenter__(self) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.answer)
            await writer.drain()
            writer.close()

        self._server = await asyncio.start_server(serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"{}"),
        (200, b"<html>"),
        (200, b'{"cosignature":{"witness":"00","seen_at_us":1,"signature":"AAAA"}}'),
        (200, b"[" * 100_000),
        (409, b"{}"),
        (
            409,
            b'{"code":"inconsistent","kept":{"tenant":1,"size":1,"root":"","at_us":1,"key":"","signature":""},"shown":{}}',
        ),
        (500, b""),
        (401, b"{}"),
        (302, b""),
    ],
)
async def test_an_answer_that_is_not_the_witnesss_is_no_cosignature_and_no_refusal(
    books: Books, signer: Signer, pool: Pool, admitted: WitnessChoice, status: int, body: bytes
) -> None:
    await pay(books, signer)
    async with Liar(status, body) as url:
        place = Witness(admitted._replace(name="liar", url=url), DatabaseLogs(pool), signer.public_keys)
        assert await Anchoring(pool, place).look(any_time()) == 0
        assert anchor_place_up.labels("witness:liar")._value.get() == 0
        assert anchor_refused_logs.labels("witness:liar")._value.get() == 0
        await place.close()


async def test_a_witness_cannot_claim_to_have_seen_what_was_not_signed_here(
    books: Books, signer: Signer, pool: Pool, admitted: WitnessChoice
) -> None:
    await pay(books, signer)
    head = await read_head(pool, books.tenant.id)
    lie = to_line(head._replace(size=head.size + 9)).strip()
    async with Liar(409, b'{"code":"inconsistent","kept":%s,"shown":%s}' % (lie, lie)) as url:
        place = Witness(admitted._replace(name="liar", url=url), DatabaseLogs(pool), signer.public_keys)
        with pytest.raises(PlaceAway, match="not signed here"):
            async for _ in place.take([anchors.Waiting(head, 0, head.sealed_at)]):
                pass
        await place.close()


async def test_a_split_view_is_found_by_comparing_two_witnesses(
    south: WitnessProcess,
    books: Books,
    signer: Signer,
    pool: Pool,
    admin: Pool,
    admitted: WitnessChoice,
    witness: WitnessProcess,
    tmp_path: Path,
    database: Database,
) -> None:
    """Each witness is shown a log of its own, both whole, both signed: neither can tell, and together they do."""
    other = await south.admit("us", signer.public_keys())
    north_place = at_witness(tmp_path, None, admitted, pool, signer)
    south_place = at_witness(tmp_path, None, other, pool, signer)
    ids = await pay(books, signer, 5)
    await Anchoring(pool, north_place.place).look(any_time())
    statement = "update payhub.payments set amount = amount + 1 where id = $1"
    await rewrite(admin, books.tenant.id, signer, statement, ids[-1])
    await Anchoring(pool, south_place.place).look(any_time())
    assert anchor_refused_logs.labels(south_place.place.name)._value.get() == 0
    ours, theirs = KeptFile(await north_place.read(), "north"), KeptFile(await south_place.read(), "south")
    found = compare(ours, theirs, signer.public_keys())
    assert {(one.tenant, one.source, two.source) for one, two in found.splits} == {(books.tenant.id, "north", "south")}
    # The same from the command line.
    files = []
    for choice, name in ((admitted, "north"), (other, "south")):
        listed = tmp_path / f"{name}.json"
        key = next(iter((await (witness if name == "north" else south).keys()).values())).public_bytes_raw()
        row = {"name": name, "url": choice.url, "public_key": to_text(key), "token": choice.token}
        listed.write_text(json.dumps([row]))
        files.append(str(tmp_path / f"{name}.jsonl"))
        done = await asyncio.to_thread(call, "witness", "heads", "--into", files[-1], PAYHUB_WITNESSES_FILE=str(listed))
        assert done.returncode == 0, done.stderr
    keys = write_keys(tmp_path / "keys.json", signer.public_keys())
    compared = await asyncio.to_thread(call, "witness", "compare", *files, "--keys", str(keys))
    assert compared.returncode == 1
    assert f"Log {books.tenant.id}: {files[0]} has" in compared.stdout
    same = await asyncio.to_thread(call, "witness", "compare", files[0], files[0], "--keys", str(keys))
    assert (same.returncode, "0 contradictions" in same.stderr) == (0, True)
    for one in (north_place, south_place):
        await one.place.close()
    # The log goes back to what the first witness saw.
    undo = "update payhub.payments set amount = amount - 1 where id = $1"
    await rewrite(admin, books.tenant.id, signer, undo, ids[-1])


async def test_the_commands_show_how_far_places_are_and_prove_a_log_by_them(
    books: Books,
    signer: Signer,
    pool: Pool,
    admin: Pool,
    admitted: WitnessChoice,
    witness: WitnessProcess,
    bucket: BucketChoice,
    database: Database,
    tmp_path: Path,
) -> None:
    places = [one(tmp_path, bucket, admitted, pool, signer) for one in (in_files, in_bucket, at_witness)]
    ids = await pay(books, signer, 4)
    for one in places:
        await Anchoring(pool, one.place).look(any_time())
        await one.place.close()
    environment = {
        "PAYHUB_DATABASE_URL": database.app_url,
        "PAYHUB_ADMIN_DATABASE_URL": database.admin_url,
        "PAYHUB_REDIS_URL": database.redis_url,
        "PAYHUB_KEYS_DATABASE_URL": database.keys_url,
        "PAYHUB_MASTER_KEY_FILE": str(database.master_key_file),
        "PAYHUB_ANCHOR_BUCKET": bucket.bucket,
        "PAYHUB_ANCHOR_BUCKET_PREFIX": bucket.prefix,
        "PAYHUB_ANCHOR_BUCKET_ENDPOINT_URL": bucket.endpoint or "",
        "PAYHUB_ANCHOR_BUCKET_REGION": bucket.region or "",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    shown = await asyncio.to_thread(call, "anchors", "--json", **environment)
    rows = [row for row in json.loads(shown.stdout)["anchors"] if row["tenant"] == books.tenant.slug]
    assert [(row["place"], row["leaves"] == row["log_leaves"], row["state"]) for row in rows] == [
        ("bucket", True, "well"),
        ("file", True, "well"),
        ("witness:north", True, "no place any more"),
    ]
    unreadable = tmp_path / "witnesses.json"
    unreadable.write_text("{}")
    for word in ("anchors", "work"):
        told = await asyncio.to_thread(call, word, PAYHUB_WITNESSES_FILE=str(unreadable), **environment)
        assert (told.returncode, told.stderr.count("\n"), "cannot be read" in told.stderr) == (1, 1, True)
    log, objects, answers = tmp_path / "log", tmp_path / "bucket", tmp_path / "answers"
    (written,) = await asyncio.to_thread(lambda: list(tmp_path.glob("heads-*")))
    answers.write_bytes(b"\n".join(await places[2].read()))
    keys = write_keys(tmp_path / "keys.json", signer.public_keys())
    witness_keys = write_keys(tmp_path / "witness.json", await witness.keys())
    for command in (
        ("anchors", "bucket", "--into", str(objects)),
        ("export", "log", books.tenant.slug, "--into", str(log)),
    ):
        done = await asyncio.to_thread(call, *command, **environment)
        assert done.returncode == 0, done.stderr
    arguments = ["verify", "log", str(log), "--keys", str(keys), "--witness-keys", str(witness_keys), "--json"]
    every = [word for one in (written, objects, answers) for word in ("--anchors", str(one))]
    proved = await asyncio.to_thread(call, *arguments, *every)
    assert proved.returncode == 0, proved.stderr
    facts = json.loads(proved.stdout)
    assert (facts["anchored_heads"], facts["cosigned_heads"], facts["unreadable_lines"]) == (3, 1, 0)
    assert facts["anchored_leaves"] == facts["leaves"]
    await rewrite(admin, books.tenant.id, signer, "update payhub.payments set amount = 2 where id = $1", ids[1])
    done = await asyncio.to_thread(call, "export", "log", books.tenant.slug, "--into", str(log), **environment)
    assert done.returncode == 0, done.stderr
    unaware = await asyncio.to_thread(call, *arguments)
    assert unaware.returncode == 0
    for file in (written, objects, answers):
        refused = await asyncio.to_thread(call, *arguments, "--anchors", str(file))
        assert (refused.returncode, f"in {file}) is not this log's: it was rewritten" in refused.stderr) == (1, True)
    (tmp_path / "empty").touch()
    empty = await asyncio.to_thread(call, *arguments, "--anchors", str(tmp_path / "empty"))
    assert (empty.returncode, "holds no head of this log: it proves nothing" in empty.stderr) == (1, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{}", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b'[{"name":"n","url":"https://w","public_key":"AA","token":"t"}]', "cannot be read"),
        (b'[{"name":"n","url":"http://w.example","public_key":"%s","token":"t"}]', "has to be https"),
        (b'[{"name":"","url":"https://w","public_key":"%s","token":"t"}]', "needs a name"),
        (
            b'[{"name":"n","url":"https://w","public_key":"%s","token":"t"},{"name":"n","url":"https://v","public_key":"%s","token":"t"}]',
            "one name",
        ),
    ],
)
def test_a_file_of_witnesses_that_cannot_be_used_is_one_sentence(tmp_path: Path, content: bytes, why: str) -> None:
    assert read_witnesses(tmp_path / "none") == []
    path = tmp_path / "witnesses.json"
    path.write_bytes(content.replace(b"%s", b"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="))
    with pytest.raises(WitnessesRefused, match=why):
        read_witnesses(path)


def test_a_witnesss_token_is_in_no_log_and_no_trace(admitted: WitnessChoice) -> None:
    assert admitted.token not in repr(admitted)
    assert admitted.token not in f"{admitted}"

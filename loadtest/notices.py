"""How fast notices reach people whom no socket reaches, and how soon after their deadline: one worker, real wires.

Queues: notices whose time on the socket (for pushes) or on the phone (for mails) is over are written into the database
by its administrator, all in one commit; a worker lets them climb, and hands each over to a server of ours. The clock
runs from the commit to the last arrival. Deadlines: people are paid at a steady rate over the wire, nobody looks, and
what counts is from the moment that the ladder names to the arrival at the server, for the phone and for the mail after
it. Every id that a server saw is compared with the deliveries: nothing lost, nothing twice.

Servers and worker are processes of their own, so that none of them pays for another's work on its core.
"""

import asyncio
import contextlib
import socket as socket_module
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.protocol.messages import Paid, Pay
from hub.protocol.notices import SetLadder
from loadtest.ids import uuid7
from loadtest.pay import cpu_seconds, servers_of
from loadtest.posting import connect as connect_database
from loadtest.reachable import Provider, make_reachable
from loadtest.report import Bar, Reporter
from loadtest.services.arrivals import Arrival, open_arrivals, read_arrivals
from loadtest.services.web_push import Browser
from loadtest.stack import Crowd, Person, Stack, free_ports, running_stack, running_worker, stop
from loadtest.wire_ws import Socket, connect, encode

# Codes that confirm addresses are bounded: five thousand an hour in a tenant.
PEOPLE_MAX: Final = 2_500
# Kinds of events of an account: what a ledger says of money. Each person is told of each in turn.
KINDS: Final = (0, *range(4, 18))
# Nobody is told of one kind more than six times in ten minutes: so long may a queue be.
TURNS_MAX: Final = 6
# What climbs together and is of one kind and person is one delivery: so far apart they have to be, or come once.
APART: Final = 3_000
PUSH_RUNG, MAIL_RUNG = 1, 2
ROADS: Final = {"apple": 1, "firebase": 2, "web": 3, "mail": 4}
# Apple's, Firebase's, the browsers', and the relay's.
PORTS: Final = 4
SELECTOR: Final = "load"
FINISH_SECONDS: Final = 300.0
POLL_SECONDS: Final = 0.1
# The shortest that a tenant may say for the socket, and as long for the phone before the mail.
SOCKET_SECONDS, PUSH_SECONDS = 2, 2

QUEUE: Final = """
insert into notices (tenant_id, kind, account_id, number, person_id, payment_id, amount, happened_at, climbs_at, rung)
select $1, ($4::smallint[])[at / $5 % $6 + 1], account, 1000 + at / $5, person, gen_random_uuid(), 100 + at % 100000,
       now(), now() - interval '1 minute' + at * interval '1 microsecond', $8
  from generate_series(0, $7 - 1) as at
  join unnest($2::uuid[], $3::bigint[]) with ordinality as whose (person, account, place) on whose.place = at % $5 + 1
"""
IS_DONE: Final = """
select not exists (select from deliveries where state = 0)
   and not exists (select from notices where heard_at is null and rung < 3 and climbs_at <= clock_timestamp())
   and not exists (select from outbox)
   and (not $1::boolean or not exists (select from notices where heard_at is null and rung < 3))
"""
CLEAR: Final = "truncate notices, deliveries"
COUNT: Final = "select count(*) from deliveries where state <> 0"
DELIVERIES: Final = (
    "select id::text, road, state, notice_ids::text[], made_at from deliveries where cardinality(notice_ids) > 0"
)
NOTICES: Final = "select id::text, happened_at from notices"


class NoticesError(Exception):
    """Something was lost, came twice or was not handed over at all: one sentence."""


class Outside(NamedTuple):
    """The servers' processes, and where they leave what came."""

    push: subprocess.Popen[bytes]
    mail: subprocess.Popen[bytes]
    folder: Path
    settings: dict[str, str]

    @property
    def pids(self) -> list[int]:
        """Their process ids."""
        return [self.push.pid, self.mail.pid]


async def measure_notices(
    report: Reporter, *, notices: int, people: int, rate: int, seconds: float, provider: Provider, dkim: str
) -> dict[str, Any]:
    """Both queues, and deadlines at a steady rate. Raises NoticesError."""
    if people > PEOPLE_MAX:
        raise NoticesError(f"At most {PEOPLE_MAX:,} people: codes that confirm addresses are bounded by the hour.")
    turns = -(-notices // (people * len(KINDS)))
    if turns > TURNS_MAX or (turns > 1 and people * len(KINDS) < APART):
        raise NoticesError("So many notices are too many for so few people: what comes faster is told together.")
    if rate * seconds > people * TURNS_MAX:
        raise NoticesError("So many payments are too many for so few people: phones do not ring all the time.")
    report.note("Starting PostgreSQL, Valkey and a hub in a temporary folder …")
    first_port = ports_in_row()
    with running_stack(1, [settings_of(first_port + 2)]) as stack:
        return await measure_on(
            stack,
            report,
            first_port=first_port,
            notices=notices,
            people=people,
            rate=rate,
            seconds=seconds,
            provider=provider,
            dkim=dkim,
        )


def settings_of(web_port: int) -> dict[str, str]:
    """What a hub is told: who is behind a proxy, and where browsers are pushed to."""
    return {"PAYHUB_TRUSTED_PROXIES": "127.0.0.1", "PAYHUB_PUSH_HOSTS": f"localhost:{web_port}"}


async def measure_on(
    stack: Stack,
    report: Reporter,
    *,
    first_port: int,
    notices: int,
    people: int,
    rate: int,
    seconds: float,
    provider: Provider,
    dkim: str,
) -> dict[str, Any]:
    """The same on a stack that runs: one hub, told settings_of(first_port + 2)."""
    crowd = await asyncio.to_thread(stack.seed, people + 1)
    # Who pays has no road, and is told nothing.
    payer, told = crowd.people[0], crowd.people[1:]
    origin = f"https://localhost:{first_port + 2}"
    browsers = {one.name: one for one in await make_reachable(stack, report, told, provider, origin)}
    _write_key(stack.folder / "dkim.pem", dkim)
    admin = await connect_database(stack.servers.admin_database_url)
    try:
        measuring = _Measuring(stack, admin, report)
        with outer_services(stack, first_port, dkim) as outside, running_worker(stack, **outside.settings) as worker:
            measuring.watch(worker.pid, outside.pids)
            pushed = await measuring.drain(told, notices, ROADS[provider])
            mailed = await measuring.drain(told, notices, ROADS["mail"])
            late = await measuring.deadlines(crowd, payer, told, ROADS[provider], rate, seconds)
        # The worker has ended in order, and then the servers: they wrote down what came.
        came = read_all(outside.folder, browsers)
    finally:
        await admin.close()
    _compare(came, [*pushed.made, *mailed.made, *late.made])
    return {
        "notices": notices,
        "people": people,
        "provider": provider,
        "dkim": dkim,
        "push": _rate(pushed, came),
        "mail": _rate(mailed, came),
        "rate": rate,
        "late": {
            "push": _lateness(late, came, ROADS[provider]),
            "mail": _lateness(late, came, ROADS["mail"]),
        },
        "late_cpu_seconds": late.used,
    }


class Delivery(NamedTuple):
    """A delivery as the database has it. `due_at`: its notice's deadline, in Unix time."""

    id: str
    road: int
    due_at: float


class Measured(NamedTuple):
    """What was made in one measurement. `began`: in Unix time."""

    made: list[Delivery]
    began: float
    used: dict[str, float]


class _Measuring:
    """One database, emptied before each measurement."""

    def __init__(self, stack: Stack, admin: "asyncpg.Connection[Any]", report: Reporter) -> None:
        self._stack, self._admin, self._report = stack, admin, report
        self._pids: dict[str, list[int]] = {}

    def watch(self, worker: int, servers: list[int]) -> None:
        """Whose cores are counted besides PostgreSQL's."""
        self._pids = {"worker": [worker], "servers": servers}

    async def drain(self, told: Sequence[Person], count: int, road: int) -> Measured:
        """Let a queue of so many go by one road."""
        await self._admin.execute(CLEAR)
        tenant = await self._admin.fetchval("select tenant_id from persons where id = $1", uuid.UUID(told[0].person))
        before = self._used()
        await self._admin.execute(
            QUEUE,
            tenant,
            [uuid.UUID(one.person) for one in told],
            [one.account for one in told],
            list(KINDS),
            len(told),
            len(KINDS),
            count,
            PUSH_RUNG if road != ROADS["mail"] else MAIL_RUNG,
            timeout=60,
        )
        began = time.time()
        with self._report.progress("mails" if road == ROADS["mail"] else "pushes", count) as bar:
            await self._wait(bar)
        used = _grown(before, self._used())
        return Measured(await self._made({road: count}), began, used)

    async def deadlines(
        self, crowd: Crowd, payer: Person, told: Sequence[Person], road: int, rate: int, seconds: float
    ) -> Measured:
        """Pay people at this rate who do not look: a phone rings, and a mail comes."""
        await self._admin.execute(CLEAR)
        count = int(rate * seconds)
        socket = await connect(self._stack.urls[0], crowd.operator_token)
        await socket.ask(SetLadder(1, "payment_received", SOCKET_SECONDS, PUSH_SECONDS, True, True))
        socket.close()
        before, began = self._used(), time.time()
        await _pay(self._stack.urls[0], crowd.operator_token, payer, told, rate, count, self._report)
        with self._report.progress("pushes and mails", 2 * count) as bar:
            await self._wait(bar, is_last=True)
        used = _grown(before, self._used())
        return Measured(await self._made({road: count, ROADS["mail"]: count}), began, used)

    def _used(self) -> dict[str, float]:
        return cpu_seconds({**self._pids, **servers_of(self._stack)})

    async def _made(self, wanted: dict[int, int]) -> list[Delivery]:
        """The deliveries, as many as there should be on each road."""
        happened = {row["id"]: row["happened_at"].timestamp() for row in await self._admin.fetch(NOTICES)}
        rows = await self._admin.fetch(DELIVERIES)
        # A phone has so long from when it was to ring.
        rang = {notice: row["made_at"].timestamp() for row in rows if row["road"] < 4 for notice in row["notice_ids"]}
        for road, count in wanted.items():
            made = sum(row["road"] == road for row in rows)
            taken = sum(row["road"] == road and row["state"] == 1 for row in rows)
            if (made, taken) != (count, count):
                raise NoticesError(f"Of {count} notices on road {road}, {made} were to be told and {taken} were.")
        return [
            Delivery(
                row["id"],
                row["road"],
                happened[notice] + SOCKET_SECONDS if row["road"] < 4 else rang.get(notice, 0.0) + PUSH_SECONDS,
            )
            for row in rows
            for notice in row["notice_ids"]
        ]

    async def _wait(self, bar: Bar, *, is_last: bool = False) -> None:
        """Until nothing is left to do. `is_last`: nothing that would climb later, either."""
        deadline = time.monotonic() + FINISH_SECONDS
        while not await self._admin.fetchval(IS_DONE, is_last):
            if time.monotonic() > deadline:
                raise NoticesError("The worker does not come to an end.")
            bar.reach(await self._admin.fetchval(COUNT))
            await asyncio.sleep(POLL_SECONDS if is_last else 5 * POLL_SECONDS)
        bar.reach(await self._admin.fetchval(COUNT))


def read_all(folder: Path, browsers: dict[str, Browser]) -> dict[int, dict[str, Arrival]]:
    """What came, by road. What came to browsers, they open."""
    came = {ROADS[name]: read_arrivals(folder / f"{name}.arrivals") for name in ("apple", "firebase", "mail")}
    sealed = open_arrivals(folder / "web.sealed", lambda name, body: str(browsers[name].open(body)["id"]))
    return came | {ROADS["web"]: sealed}


def _compare(came: dict[int, dict[str, Arrival]], made: list[Delivery]) -> None:
    """Every delivery came, no other, and none twice."""
    for road, arrivals in came.items():
        ids = {one.id for one in made if one.road == road}
        twice = sum(one.times > 1 for one in arrivals.values())
        if ids != set(arrivals) or twice:
            raise NoticesError(
                f"On road {road}, {len(ids - set(arrivals))} did not come, {len(set(arrivals) - ids)} came that nobody"
                f" made, and {twice} came twice."
            )


def _rate(measured: Measured, came: dict[int, dict[str, Arrival]]) -> dict[str, Any]:
    took = max(came[one.road][one.id].at for one in measured.made) - measured.began
    count = len(measured.made)
    return {"per_second": round(count / took, 1), "seconds": round(took, 2), "cpu_seconds": measured.used}


def _lateness(measured: Measured, came: dict[int, dict[str, Arrival]], road: int) -> dict[str, float]:
    return _percentiles([came[road][one.id].at - one.due_at for one in measured.made if one.road == road])


def _grown(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: round(after[name] - before[name], 1) for name in after}


def _percentiles(late: list[float]) -> dict[str, float]:
    late.sort()
    shares = {"p50_s": 0.5, "p95_s": 0.95, "p99_s": 0.99, "worst_s": 1.0}
    return {name: round(late[int(share * (len(late) - 1))], 3) for name, share in shares.items()} | {
        "within_1_s": round(sum(one <= 1.0 for one in late) / len(late), 4)
    }


async def _pay(
    url: str, token: str, payer: Person, told: Sequence[Person], rate: int, count: int, report: Reporter
) -> None:
    """Pay everybody in turn, by the clock."""
    answered = 0

    def take(paid: Paid) -> None:
        nonlocal answered
        answered += paid.status == "posted"

    socket = Socket(on_paid=take)
    await connect(url, token, socket)
    began, sent = time.perf_counter(), 0
    with report.progress("payments", count) as bar:
        while sent < count:
            due = min(count, int((time.perf_counter() - began) * rate))
            for at in range(sent, due):
                socket.send(encode(Pay(at + 1, uuid7(), payer.account, told[at % len(told)].account, 1)))
            sent = due
            bar.reach(answered)
            await asyncio.sleep(0.01)
        deadline = time.monotonic() + 30
        while answered < count and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
    socket.close()
    if answered < count:
        raise NoticesError(f"Of {count} payments {answered} were posted.")


@contextlib.contextmanager
def outer_services(stack: Stack, first_port: int, dkim: str, seen: Sequence[int] | None = None) -> Iterator[Outside]:
    """Servers for pushes and mails, and how a worker finds them. In the end they say what came.

    `seen`: the ports on which they are found, if gates stand before them.
    """
    ports = range(first_port, first_port + PORTS)
    seen = seen or ports
    folder = stack.folder / f"outside-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    with contextlib.ExitStack() as ending:
        push = _serve(ending, "push", str(ports[0]), str(folder), *map(str, seen[:3]))
        mail = _serve(ending, "mail", str(ports[3]), str(folder / "mail.arrivals"))
        for one in (push, mail):
            assert one.stdout is not None
            if not one.stdout.readline():
                raise NoticesError("A server for pushes or mails does not start.")
        settings = {
            "PAYHUB_SMTP_URL": f"smtp://127.0.0.1:{seen[3]}?starttls=never",
            "PAYHUB_PUBLIC_URL": "https://pay.example",
            "PAYHUB_PUSH_FILE": str(folder / "push.json"),
            "PAYHUB_PUSH_HOSTS": f"localhost:{seen[2]}",
            "PAYHUB_PUSH_CA_FILE": str(folder / "ca.pem"),
            "PAYHUB_INTERNAL_NETWORKS": "127.0.0.0/8,::1/128",
        }
        if dkim != "none":
            settings |= {"PAYHUB_DKIM_KEY_FILE": str(stack.folder / "dkim.pem"), "PAYHUB_DKIM_SELECTOR": SELECTOR}
        yield Outside(push, mail, folder, settings)


def _serve(ending: contextlib.ExitStack, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"loadtest.services.{name}", *arguments], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    ending.enter_context(process.stdout)
    ending.callback(stop, process)
    return process


def ports_in_row() -> int:
    """The first of so many as outer_services takes that follow each other and are free, or were a moment ago."""
    while True:
        first = free_ports(1)[0]
        with contextlib.suppress(OSError), contextlib.ExitStack() as ending:
            for port in range(first, first + PORTS):
                ending.enter_context(_bound(port))
            return first


def _bound(port: int) -> "socket_module.socket":
    probe = socket_module.socket()
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        probe.close()
        raise
    return probe


def _write_key(file: Path, dkim: str) -> None:
    if dkim == "none":
        return
    key = rsa.generate_private_key(65537, 2048) if dkim == "rsa" else ed25519.Ed25519PrivateKey.generate()
    file.touch(0o600)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

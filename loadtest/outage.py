"""Everything outside is away for a while, and comes back: what a worker takes meanwhile, and how soon all is told.

Apple, Firebase, a browsers' service, the relay and merchants' servers stand behind gates, which are shut, hang, end
connections in the middle of an answer and say garbage, each for a quarter of the time. Meanwhile notices keep coming,
and people are paid: in turns those whom nobody tells, and those of whom some have a webhook that leads to a shut gate.
Then the gates open. What counts is the worker's memory, and that each notice and each event arrives, by its id.
It moves no clock: half an hour takes half an hour.
"""

import asyncio
import contextlib
import statistics
import threading
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import asyncpg

from loadtest.bulk_client import BulkClient
from loadtest.notices import KINDS, PORTS, outer_services, ports_in_row, read_all, settings_of
from loadtest.pay import pay
from loadtest.posting import connect as connect_database
from loadtest.reachable import Provider, make_reachable
from loadtest.report import Reporter
from loadtest.services.arrivals import Arrival
from loadtest.services.gate import Gate, Mood
from loadtest.services.web_push import Browser
from loadtest.stack import TENANT, Person, Stack, running_stack, running_worker
from loadtest.target import Target

MOODS: Final = (Mood.DOWN, Mood.HANG, Mood.RESET, Mood.GARBAGE)
PROVIDERS: Final[tuple[Provider, ...]] = ("apple", "firebase", "web")
WORDS: Final = {
    Mood.DOWN: "are down",
    Mood.HANG: "hang",
    Mood.RESET: "hang up in the middle",
    Mood.GARBAGE: "say garbage",
}
# Phones are told of these first, and mailboxes of the others, so that no limit of one counts for the other.
TO_PHONES, TO_MAILBOXES = KINDS[:8], KINDS[8:]
# Nobody's phone rings for one kind more often than six times a minute, nor a mail comes more often in ten.
TURNS: Final = 6
# Numbers that no event of ours has.
FIRST: Final = 1_000_000
# Merchants who are told while people are paid beside them.
WEBHOOKS: Final = 20
RETURN_SECONDS: Final = 300.0
LOOK_SECONDS: Final = 0.25

QUEUE: Final = """
insert into notices (tenant_id, kind, account_id, number, person_id, payment_id, amount, happened_at, climbs_at, rung)
select $1, kind, account, 100 * $4 + kind, person, gen_random_uuid(), 100, now(), now(), $5
  from unnest($2::uuid[], $3::bigint[]) as whose (person, account), unnest($6::smallint[]) as kind
"""
# A notice that reached its phone waits for its mail; that is not the outage's doing.
LEFT: Final = """
select (select count(*) from deliveries where state = 0)
     + (select count(*) from notices where heard_at is null and rung < 3 and climbs_at <= clock_timestamp())
"""
TOLD: Final = """
select notices.id::text, deliveries.id::text
  from notices
  left join (deliveries cross join unnest(deliveries.notice_ids) as told (id)) on told.id = notices.id
 where notices.number >= $1
"""


DEAD: Final = """
select road, code, count(*) from deliveries where state = 3 and made_at > to_timestamp($1) group by road, code
"""


class OutageError(Exception):
    """Something was lost, or never came to an end: one sentence."""


class Shops(ThreadingHTTPServer):
    """Merchants' servers, which say yes to everything, and keep ids: `came`, by webhook-id, how often and when."""

    daemon_threads = True

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self.first = self.last = 0.0
        super().__init__(("127.0.0.1", 0), _Shop)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self.shutdown()
        self.server_close()


class _Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shops

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.came[self.headers["webhook-id"]] += 1
        self.server.first, self.server.last = self.server.first or time.time(), time.time()
        self.send_response(204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Memory:
    """A process' memory, looked at twice a second."""

    def __init__(self, pid: int) -> None:
        self._file = Path(f"/proc/{pid}/status")
        self.most = 0.0

    def look(self) -> float:
        """Megabytes now."""
        found = next((one for one in self._file.read_text().splitlines() if one.startswith("VmRSS:")), "VmRSS: 0 kB")
        now = int(found.split()[1]) / 1024
        self.most = max(self.most, now)
        return now

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)


async def measure_outage(
    report: Reporter, *, seconds: float, people: int, rounds: int, pay_seconds: float, clients: int
) -> dict[str, Any]:
    """An outage of so many seconds, and `rounds` of payments of each kind in it. Raises OutageError."""
    first_port, shops = ports_in_row(), Shops()
    ports = (*range(first_port, first_port + PORTS), shops.server_address[1])
    async with _gates(ports) as gates:
        seen = [gate.port for gate in gates]
        settings = settings_of(seen[2]) | {"PAYHUB_WEBHOOK_NETWORKS": "127.0.0.0/8"}
        report.note("Starting PostgreSQL, Valkey and a hub in a temporary folder …")
        with contextlib.closing(shops), running_stack(1, [settings]) as stack:
            crowd = await asyncio.to_thread(stack.seed, people + 3 * clients)
            told, payers = crowd.people[:people], crowd.people[people:]
            browsers = await _reach_all(stack, report, told, f"https://localhost:{seen[2]}")
            async with _administrator(stack) as admin:
                with (
                    outer_services(stack, first_port, "none", seen) as outside,
                    running_worker(stack, **(outside.settings | settings)) as worker,
                ):
                    outage = _Outage(stack, admin, report, gates, shops, told, Memory(worker.pid))
                    payments = _Payments(stack, crowd.operator_token, payers, clients, pay_seconds, report)
                    await outage.prepare(payments.with_webhooks, f"http://127.0.0.1:{seen[4]}/")
                    figures = await outage.last(seconds, payments, rounds)
                return figures | await outage.compare(read_all(outside.folder, browsers)) | payments.figures()


@contextlib.asynccontextmanager
async def _gates(ports: Sequence[int]) -> AsyncIterator[list[Gate]]:
    """A gate before each of these ports."""
    gates = [Gate(port) for port in ports]
    try:
        for gate in gates:
            await gate.be(Mood.OPEN)
        yield gates
    finally:
        for gate in gates:
            await gate.be(Mood.DOWN)


@contextlib.asynccontextmanager
async def _administrator(stack: Stack) -> AsyncIterator["asyncpg.Connection[Any]"]:
    admin = await connect_database(stack.servers.admin_database_url)
    try:
        yield admin
    finally:
        await admin.close()


async def _reach_all(stack: Stack, report: Reporter, told: Sequence[Person], origin: str) -> dict[str, Browser]:
    """Give a third of these a phone of each kind, and all of them a mailbox; whose browsers those are, by name."""
    found: dict[str, Browser] = {}
    for at, provider in enumerate(PROVIDERS):
        made = await make_reachable(stack, report, told[at :: len(PROVIDERS)], provider, origin)
        found |= {one.name: one for one in made}
    return found


class _Payments:
    """People who are paid in turns: some of whom have a webhook that leads to a gate, and some of whom nobody has."""

    def __init__(
        self,
        stack: Stack,
        operator_token: str,
        people: Sequence[Person],
        clients: int,
        seconds: float,
        report: Reporter,
    ) -> None:
        self._stack, self._operator_token, self._report = stack, operator_token, report
        self._clients, self._seconds = clients, seconds
        payers, alone, beside = (people[at : at + clients] for at in (0, clients, 2 * clients))
        self._people = {"without": [*payers, *alone], "beside": [*payers, *beside]}
        self.with_webhooks = beside[:: max(1, clients // WEBHOOKS)]
        self._found: dict[str, list[dict[str, Any]]] = {"without": [], "beside": []}

    async def measure(self, is_first: bool) -> None:
        """Both kinds; each goes first as often as the other."""
        for name in ("without", "beside") if is_first else ("beside", "without"):
            stack = self._stack
            target = Target(
                stack.urls, TENANT, stack.login, stack.password, self._operator_token, self._people[name], stack
            )
            figures = await pay(target, Reporter(True), clients=self._clients, rate=None, seconds=self._seconds)
            if figures["errors"] or figures["missing_events"]:
                missing = figures["missing_events"]
                raise OutageError(f"{figures['errors']} payments failed, {missing} events are missing.")
            self._found[name].append(figures)
            self._report.note(f"{name}: {figures['per_second']:,.0f} payments per second, p99 {figures['p99_ms']} ms")

    def figures(self) -> dict[str, Any]:
        """Medians, and the ratios of beside to without."""
        said = {
            f"{name}_{of}": statistics.median(one[of] for one in all_ or [{of: 0.0}])
            for name, all_ in self._found.items()
            for of in ("per_second", "p99_ms")
        }
        ratios = {
            f"ratio_{of}": round(said[f"beside_{of}"] / (said[f"without_{of}"] or 1.0), 3)
            for of in ("per_second", "p99_ms")
        }
        return said | ratios | {"webhooks": len(self.with_webhooks), "pay_rounds": len(self._found["beside"])}


class _Outage:
    """What happens around one worker."""

    def __init__(
        self,
        stack: Stack,
        admin: "asyncpg.Connection[Any]",
        report: Reporter,
        gates: Sequence[Gate],
        shops: Shops,
        told: Sequence[Person],
        memory: Memory,
    ) -> None:
        self._stack, self._admin, self._report = stack, admin, report
        self._gates, self._shops, self._told, self._memory = gates, shops, told, memory
        self._turns = 0
        self._began = self._back_at = 0.0
        self._idle_mb = 0.0
        self._followed: dict[int, int] = {}

    async def prepare(self, merchants: Sequence[Person], url: str) -> None:
        """Merchants have webhooks; everybody is told once of everything, and what the worker takes then is its idle."""
        operator = await asyncio.to_thread(
            BulkClient.log_in, self._stack.urls[0], TENANT, self._stack.login, self._stack.password
        )
        for one in merchants:
            await asyncio.to_thread(operator.ask, "POST", "/v1/webhooks", {"url": url, "person": one.person})
        self._followed = await self._versions([one.account for one in merchants])
        await self._queue()
        await self._wait("The worker does not tell anybody.")
        self._idle_mb = self._memory.look()

    async def last(self, seconds: float, payments: _Payments, rounds: int) -> dict[str, Any]:
        """Be away for so long, with notices and payments all the time; come back, and wait until all is told."""
        watching = asyncio.create_task(self._memory.watch())
        began = self._began = time.time()
        for at, mood in enumerate(MOODS):
            self._report.note(f"They {WORDS[mood]}; the worker takes {self._memory.look():.0f} MB …")
            await asyncio.gather(*(gate.be(mood) for gate in self._gates))
            for number in range(at, rounds, len(MOODS)):
                await payments.measure(number % 2 == 0)
            while time.time() < began + seconds * (at + 1) / len(MOODS):
                if time.time() - began >= seconds * self._turns / TURNS and self._turns < TURNS:
                    await self._queue()
                await asyncio.sleep(LOOK_SECONDS)
        while self._turns < TURNS:
            await self._queue()
        self._report.note("They are back …")
        self._shops.first = 0.0
        await asyncio.gather(*(gate.be(Mood.OPEN) for gate in self._gates))
        self._back_at = time.time()
        expected = sum((await self._versions(list(self._followed))).values()) - sum(self._followed.values())
        await self._wait("The worker does not come to an end.", expected)
        watching.cancel()
        return {
            "outage_seconds": round(self._back_at - began, 1),
            "people": len(self._told),
            "idle_mb": round(self._idle_mb, 1),
            "most_mb": round(self._memory.most, 1),
            "end_mb": round(self._memory.look(), 1),
            "webhook_events": expected,
            "webhooks_twice": sum(count > 1 for count in self._shops.came.values()),
            "webhooks_first_s": round(max(0.0, self._shops.first - self._back_at), 2),
            "webhooks_told_s": round(max(0.0, self._shops.last - self._back_at), 2),
        }

    async def compare(self, came: dict[int, dict[str, Arrival]]) -> dict[str, Any]:
        """What was told, by what arrived: of each notice the first of its deliveries. Raises OutageError."""
        arrived = {id_: one for arrivals in came.values() for id_, one in arrivals.items()}
        told: dict[str, float] = {}
        for notice, delivery in await self._admin.fetch(TOLD, 100 * FIRST):
            at = arrived[delivery].at if delivery in arrived else float("inf")
            told[notice] = min(told.get(notice, float("inf")), at)
        lost = sum(at == float("inf") for at in told.values())
        if lost:
            raise OutageError(f"Of {len(told)} notices {lost} were never told.")
        dead = await self._admin.fetch(DEAD, self._began)
        return {
            "notices": len(told),
            "lost": lost,
            "set_aside": sum(count for *_, count in dead),
            "set_aside_by": {f"{road} {code}": count for road, code, count in dead},
            "twice": sum(one.times > 1 for one in arrived.values()),
            "told_s": round(max(0.0, max(told.values()) - self._back_at), 2),
        }

    async def _queue(self) -> None:
        """A notice of each kind for everybody."""
        self._turns += 1
        tenant = await self._admin.fetchval(
            "select tenant_id from persons where id = $1", uuid.UUID(self._told[0].person)
        )
        whose = [uuid.UUID(one.person) for one in self._told], [one.account for one in self._told]
        for rung, kinds in ((1, TO_PHONES), (2, TO_MAILBOXES)):
            await self._admin.execute(QUEUE, tenant, *whose, FIRST + self._turns, rung, list(kinds))

    async def _versions(self, accounts: Sequence[int]) -> dict[int, int]:
        return dict(await self._admin.fetch("select id, version from accounts where id = any ($1)", accounts))

    async def _wait(self, otherwise: str, events: int = 0) -> None:
        deadline = time.monotonic() + RETURN_SECONDS
        while (left := await self._admin.fetchval(LEFT)) or len(self._shops.came) < events:
            if time.monotonic() > deadline:
                behind = events - len(self._shops.came)
                raise OutageError(
                    f"{otherwise} {left} notices and deliveries and {behind} events for webhooks are left, and it takes"
                    f" {self._memory.look():.0f} MB; at most {self._memory.most:.0f}."
                )
            await asyncio.sleep(LOOK_SECONDS)

"""A whole Payhub of its own, out of subprocesses: embedded servers, tenant, people, hubs; stopped in order.

It knows Payhub only by its command line, and deletes what it made. It never ends a process of others.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

TENANT = "loadtest"
READY_SECONDS = 60.0  # a hub is ready within two; a busy laptop may take longer
STOP_SECONDS = 30.0
POLL_SECONDS = 0.02
DRAIN_SECONDS = 1  # nobody is connected any more when we stop
LOG_TAIL_BYTES = 2000
ROUNDS = "payhub_worker_rounds_total"  # a worker that tells of one has begun
PAYHUB = (sys.executable, "-m", "payhub")


class StackError(Exception):
    """The stack cannot start: one sentence, and the end of the log that says why."""


class Person(NamedTuple):
    """Somebody with an account and a token that lives for hours."""

    person: str
    account: int
    token: str


class Crowd(NamedTuple):
    """People to pay and to be paid, and an operator who may pay from anybody's account."""

    operator_token: str
    people: Sequence[Person]
    # All of the operators': nobody has more than so many sockets.
    operator_tokens: Sequence[str] = ()


class Servers(NamedTuple):
    """PostgreSQL and Valkey, as `payhub embedded` describes them."""

    database_url: str
    admin_database_url: str
    keys_database_url: str
    keys_admin_database_url: str
    redis_url: str
    bin_dir: Path
    postgres_pid: int
    redis_pid: int


class Hub:
    """One hub process: started, killed, started again on the same port."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.port, admin_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.metrics_url = f"http://127.0.0.1:{admin_port}/metrics"
        self._environment = environment | {
            "PAYHUB_LISTEN": f"127.0.0.1:{self.port}",
            "PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{admin_port}",
        }
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, "start() comes first"
        return self._process.pid

    def start(self) -> None:
        """Start and return when it serves."""
        with self._log.open("ab") as log:
            self._process = spawn(["serve"], self._environment, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StackError(f"A hub did not start.\n{_tail(self._log)}")
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does (SIGKILL)."""
        assert self._process is not None, "start() comes first"
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            stop(self._process)


class Worker(NamedTuple):
    """A worker process."""

    pid: int
    metrics_url: str

    def pause(self) -> None:
        """Let it do nothing (SIGSTOP), until it is at work."""
        os.kill(self.pid, signal.SIGSTOP)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Let a paused worker go on, as long as the block lasts."""
        os.kill(self.pid, signal.SIGCONT)
        try:
            yield
        finally:
            self.pause()

    def metrics(self) -> str:
        """What it says of itself; nothing while it does not serve yet."""
        with contextlib.suppress(OSError), urllib.request.urlopen(self.metrics_url, timeout=2) as answer:  # noqa: S310
            return str(answer.read().decode())
        return ""


class Stack:
    """What a load test talks to."""

    def __init__(self, servers: Servers, environment: dict[str, str], folder: Path) -> None:
        self.servers = servers
        self.environment = environment
        self.folder = folder
        self.hubs: list[Hub] = []
        # The processes of workers that run beside them now.
        self.worker_pids: set[int] = set()
        self.login = self.password = ""

    @property
    def urls(self) -> list[str]:
        """Where its hubs are."""
        return [hub.url for hub in self.hubs]

    def run(self, *arguments: str, **environment: str) -> str:
        """What a short `payhub` command prints."""
        done = subprocess.run(
            [*PAYHUB, *arguments],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(f"payhub {' '.join(arguments)} failed.\n{done.stderr[-LOG_TAIL_BYTES:]}")
        return done.stdout

    def migrate(self) -> None:
        """Bring the servers to this version's shape, and open the tenant whose operator the load tests are."""
        self.run("migrate")
        self.login, self.password = self.open_tenant(TENANT)

    def open_tenant(self, slug: str) -> tuple[str, str]:
        """Open a tenant. Its operator's login and password."""
        made = json.loads(self.run("tenant", "create", slug, "--name", "Load test", "--json").splitlines()[-1])
        return made["operator_login"], made["operator_password"]

    def seed(self, people: int, balance: int = 100_000_000, tenant: str = TENANT, operators: int = 1) -> Crowd:
        """People with money and tokens."""
        arguments = ("--people", str(people), "--role", "merchant", "--balance", str(balance), "--json")
        more = ("--operators", str(operators)) if operators > 1 else ()
        return crowd_of(self.run("seed", "--tenant", tenant, *arguments, *more).splitlines()[-1])


@contextlib.contextmanager
def running_stack(hubs: int = 2, settings: Sequence[dict[str, str]] = ()) -> Iterator[Stack]:
    """Servers, a tenant and `hubs` hubs; all gone afterwards. Without hubs, the servers are empty.

    `settings`: of each hub, what it is told besides.
    """
    with contextlib.ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="payhub-loadtest-")))
        servers = ending.enter_context(_embedded(folder))
        environment = _environment() | {
            "PAYHUB_DATABASE_URL": servers.database_url,
            "PAYHUB_ADMIN_DATABASE_URL": servers.admin_database_url,
            "PAYHUB_KEYS_DATABASE_URL": servers.keys_database_url,
            "PAYHUB_KEYS_ADMIN_DATABASE_URL": servers.keys_admin_database_url,
            "PAYHUB_REDIS_URL": servers.redis_url,
            "PAYHUB_MASTER_KEY_FILE": str(folder / "master.key"),
            "PAYHUB_DATA_DIR": str(folder),
            "PAYHUB_DRAIN_SECONDS": str(DRAIN_SECONDS),
            "PAYHUB_LOG_LEVEL": "warning",
        }
        stack = Stack(servers, environment, folder)
        if hubs:
            stack.migrate()
        for number in range(hubs):
            own = settings[number] if settings else {}
            hub = Hub(environment | own, folder / f"hub-{number}.log")
            ending.callback(hub.stop)
            stack.hubs.append(hub)
            hub.start()
        yield stack


@contextlib.contextmanager
def running_worker(stack: Stack, *arguments: str, **settings: str) -> Iterator["Worker"]:
    """A worker, as long as the block lasts."""
    (port,) = free_ports(1)
    environment = stack.environment | settings | {"PAYHUB_ADMIN_LISTEN": f"127.0.0.1:{port}"}
    log = stack.folder / "worker.log"
    with log.open("ab") as output:
        process = spawn(["work", *arguments], environment, stdout=output, stderr=output)
    worker = Worker(process.pid, f"http://127.0.0.1:{port}/metrics")
    stack.worker_pids.add(process.pid)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while ROUNDS not in worker.metrics():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"A worker did not start.\n{_tail(log)}")
            time.sleep(POLL_SECONDS)
        yield worker
    finally:
        stack.worker_pids.discard(process.pid)
        # A paused one hears nothing else.
        process.send_signal(signal.SIGCONT)
        stop(process)


@contextlib.contextmanager
def _embedded(folder: Path) -> Iterator[Servers]:
    log = folder / "embedded.log"
    with log.open("ab") as errors:
        # Its standard input is our pipe: it ends when we do, however we do.
        process = spawn(
            ["embedded", "--temporary", "--json"],
            _environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        try:
            line = process.stdout.readline()
            if not line:
                raise StackError(f"The embedded servers did not start.\n{_tail(log)}")
            facts: dict[str, Any] = json.loads(line)
            yield Servers(
                facts["database_url"],
                facts["admin_database_url"],
                facts["keys_database_url"],
                facts["keys_admin_database_url"],
                facts["redis_url"],
                Path(facts["bin_dir"]),
                facts["postgres_pid"],
                facts["redis_pid"],
            )
        finally:
            stop(process)


def _environment() -> dict[str, str]:
    """Ours, without settings that were meant for another Payhub."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PAYHUB_")}


def spawn(
    arguments: Sequence[str],
    environment: dict[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    **outputs: int | IO[bytes],
) -> subprocess.Popen[bytes]:
    """A `payhub` process in a session of its own: Ctrl-C reaches us alone, and we stop it in order."""
    return subprocess.Popen(
        [*PAYHUB, *arguments],
        env=environment,
        stdin=stdin,
        stdout=outputs["stdout"],
        stderr=outputs["stderr"],
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL for what does not listen."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def crowd_of(text: str) -> Crowd:
    """What `payhub seed --json` printed."""
    facts = json.loads(text)
    people = [Person(each["person"], each["account"], each["token"]) for each in facts["people"]]
    operators = [each["token"] for each in facts.get("operators", [facts["operator"]])]
    return Crowd(facts["operator"]["token"], people, operators)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with contextlib.ExitStack() as ending:
        probes = [ending.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def is_ready(port: int) -> bool:
    """Whether the hub on this port says that it serves."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False


def _tail(log: Path) -> str:
    return log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if log.exists() else ""

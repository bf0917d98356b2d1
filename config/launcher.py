"""Starts a whole Payhub on one machine, keeps it running, and stops it in order.

The embedded servers (unless URLs to others are given), the migrations, the hubs and one worker. What it
needs of core is passed in, and hubs and workers are programs it starts: it imports neither. It serves no
request and holds no money: when it dies, the guardian stops the rest.
"""

import contextlib
import errno
import fcntl
import http.client
import os
import random
import signal
import socket
import stat
import subprocess
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, NamedTuple, Protocol

import msgspec

from config.embedded import (
    KEYS_DATABASE,
    KEYS_USER,
    SUPERUSER,
    EmbeddedError,
    EmbeddedPostgres,
    EmbeddedValkey,
    Servers,
    remove_sockets,
    running_servers,
    temporary_servers,
)
from config.guardian import STOP_ORDER, Child, Guardian, end, started_at, steps_of
from config.settings import PREFIX, Settings, address, masked, with_port

POLL_SECONDS = 0.1
READY_SECONDS = 60.0  # a hub is ready within two; a busy laptop may take longer
PROBE_SECONDS = 2.0
PREDECESSOR_SECONDS = 45.0  # the longest orderly stop: drain, worker, one checkpoint
RESTART_FIRST_SECONDS = 0.5
RESTART_MAX_SECONDS = 30.0
STEADY_SECONDS = 60.0  # who ran this long starts again without the waiting time of earlier failures
PAIRS_TRIED = 20
LOCK_FILE = "lock"
RUNNING_FILE = "running.json"
LAUNCHER_PID = "PAYHUB_LAUNCHER_PID"  # tells a hub whose child it is; not a setting

Say = Callable[[str], None]


class LaunchError(Exception):
    """Payhub cannot start or go on here: one sentence that says what to do."""


class Programs(NamedTuple):
    """The command lines of a hub, of a worker, and of the mailbox for mails that nobody else takes."""

    hub: Sequence[str]
    worker: Sequence[str]
    mailbox: Sequence[str] = ()


class Running(msgspec.Struct, frozen=True):
    """How other commands reach the servers of a Payhub that runs on the same data."""

    pid: int
    database_url: str
    admin_database_url: str
    redis_url: str
    # Not there in the note of a version without them.
    keys_database_url: str = ""
    keys_admin_database_url: str = ""
    # Where the mailbox's page is: it moves when somebody else is there. Empty: there is none.
    mailbox_listen: str = ""


class Supervised(Protocol):
    """Something the launcher keeps running."""

    name: str
    role: str
    log: Path

    @property
    def pid(self) -> int:
        """Number of its process."""

    def start(self) -> None:
        """Start it (again)."""

    def stop(self) -> None:
        """Stop it alone, and collect what is left of it."""

    def alive(self) -> bool:
        """Say whether it runs."""

    def exited(self) -> int | None:
        """Tell the exit code once it has ended by itself, otherwise None."""


class Program:
    """A hub or a worker as a child process."""

    def __init__(self, name: str, role: str, command: Sequence[str], settings: Settings, guardian: Guardian) -> None:
        self.name = name
        self.role = role
        self.settings = settings
        self.log = settings.data_dir / "logs" / f"{name.replace(' ', '-')}.log"
        self._command = list(command)
        self._guardian = guardian
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Number of its process."""
        assert self._process is not None, "start() comes first"
        return self._process.pid

    def start(self) -> None:
        """Start it; its output goes to its log."""
        foreign = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        environment = foreign | self.settings.to_environment() | {LAUNCHER_PID: str(os.getpid())}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C is for the launcher, which stops its children in order
            )
        self._guardian.watch(self.role, self._process.pid)

    def stop(self) -> None:
        """Stop it, after what is under way."""
        if self._process is not None:
            end(_children([self]), steps_of(self.role, self.settings.drain_seconds))
            self._process.poll()

    def alive(self) -> bool:
        """Say whether it runs."""
        return self._process is not None and self._process.poll() is None

    def exited(self) -> int | None:
        """Tell the exit code once it has ended by itself, otherwise None."""
        return None if self._process is None else self._process.poll()


class _Revival:
    """When to start something again: at once the first time, then more and more patiently."""

    def __init__(self) -> None:
        self._delay = RESTART_FIRST_SECONDS
        self._started = time.monotonic()
        self.due: float | None = None

    def plan(self) -> float:
        if time.monotonic() - self._started > STEADY_SECONDS:
            self._delay = RESTART_FIRST_SECONDS
        delay, self._delay = self._delay, min(self._delay * 2, RESTART_MAX_SECONDS)
        self.due = time.monotonic() + delay
        return delay

    def began(self) -> None:
        self.due = None
        self._started = time.monotonic()


class Launcher:
    """One `payhub run`, from the lock to the last line."""

    def __init__(
        self,
        settings: Settings,
        programs: Programs,
        *,
        prepare: Callable[[Settings], Sequence[str]],
        seed: Callable[[Settings], Sequence[str]],
        say: Say,
    ) -> None:
        self._settings = settings
        self._programs = programs
        self._prepare = prepare
        self._seed = seed
        self._say = say
        self._supervised: dict[str, Supervised] = {}
        self._revivals: dict[str, _Revival] = {}
        self._guardian: Guardian | None = None
        self._starting = True
        self._stopping = False

    def run(self) -> None:
        """Start, keep running until Ctrl-C or SIGTERM, stop. Raises LaunchError or EmbeddedError."""
        began = time.monotonic()
        self._settings.require_keys_database()
        with held_lock(self._settings.data_dir, self._say) as lock, self._signals():
            refuse_taken_ports(self._settings)
            rotate_logs(self._settings.data_dir)
            self._guardian = Guardian(drain_seconds=self._settings.drain_seconds, hold_open=[lock])
            try:
                lines = self._start(self._guardian)
                self._starting = False
                self._welcome(lines, time.monotonic() - began)
                self._supervise()
            except KeyboardInterrupt:
                pass
            finally:
                self._stop(self._guardian)

    def _start(self, guardian: Guardian) -> Sequence[str]:
        self._settings = self._start_servers(guardian)
        self._note_running()
        applied = self._do("Bringing the database up to date", self._prepare)
        if applied:
            self._say(f"Database is up to date ({len(applied)} files applied).")
        lines = self._do("Opening the demo tenant", self._seed)
        self._start_programs(guardian)
        self._wait_ready()
        return lines

    def _note_running(self, mailbox_listen: str = "") -> None:
        settings = self._settings
        running = Running(
            os.getpid(),
            settings.database_url,
            settings.admin_database_url,
            settings.redis_url,
            settings.keys_database_url,
            settings.keys_admin_database_url,
            mailbox_listen,
        )
        _write_private(settings.data_dir / RUNNING_FILE, msgspec.json.encode(running))

    def _start_servers(self, guardian: Guardian) -> Settings:
        settings = self._settings
        if not settings.redis_url:
            valkey = EmbeddedValkey(settings.data_dir, guardian=guardian)
            self._launch(valkey)
            settings = msgspec.structs.replace(settings, redis_url=valkey.url())
        if not settings.database_url:
            postgres = EmbeddedPostgres(settings.data_dir, guardian=guardian)
            if not (settings.data_dir / "postgres").exists():
                self._say("Setting up PostgreSQL, this once…")
            self._launch(postgres)
            settings = msgspec.structs.replace(
                settings, database_url=postgres.url(), admin_database_url=postgres.url(SUPERUSER)
            )
            if not settings.keys_database_url:
                settings = msgspec.structs.replace(
                    settings,
                    keys_database_url=postgres.url(KEYS_USER, KEYS_DATABASE),
                    keys_admin_database_url=postgres.url(SUPERUSER, KEYS_DATABASE),
                )
        return settings

    def _start_programs(self, guardian: Guardian) -> None:
        count = self._settings.hubs
        self._start_mailbox(guardian)
        served = msgspec.structs.replace(
            self._settings,
            admin_database_url=self._settings.database_url,
            keys_admin_database_url=self._settings.keys_database_url,
        )  # least privilege: no hub can change a table
        for number in range(count + 1):
            admin = with_port(self._settings.admin_listen, number)
            own = msgspec.structs.replace(served, admin_listen=admin)
            if number < count:
                program = Program(f"hub {number + 1}", "hub", self._programs.hub, own, guardian)
            else:
                program = Program("worker", "worker", self._programs.worker, own, guardian)
            self._launch(program)

    def _start_mailbox(self, guardian: Guardian) -> None:
        if not self._programs.mailbox or self._settings.smtp_url:
            return
        listen = free_pair(self._settings.mailbox_listen)
        self._settings = msgspec.structs.replace(
            self._settings, mailbox_listen=listen, smtp_url=f"smtp://{with_port(listen, 1)}?starttls=never"
        )
        self._launch(Program("mailbox", "mailbox", self._programs.mailbox, self._settings, guardian))
        self._note_running(listen)

    def _launch(self, thing: Supervised) -> None:
        self._supervised[thing.name] = thing
        self._revivals[thing.name] = _Revival()
        thing.start()

    def _do(self, what: str, job: Callable[[Settings], Sequence[str]]) -> Sequence[str]:
        try:
            return job(self._settings)
        except Exception as error:
            log = self._settings.data_dir / "logs" / "launcher.log"
            with log.open("a") as stream:
                traceback.print_exc(file=stream)
            where = masked(self._settings.admin_database_url)
            raise LaunchError(f"{what} failed at {where}: {error}. Details: {log}") from error

    def _wait_ready(self) -> None:
        programs = [thing for thing in self._supervised.values() if isinstance(thing, Program)]
        hubs = [thing for thing in programs if thing.role != "mailbox"]  # nobody's money waits for that
        waiting = [hub for hub in hubs if hub.role == "hub"]
        deadline = time.monotonic() + READY_SECONDS
        while waiting:
            for thing in hubs:
                code = thing.exited()
                if code is not None:
                    raise LaunchError(
                        f"{thing.name.capitalize()} ended with code {code} before it was ready: "
                        f"{_last_line(thing.log)} (see {thing.log})"
                    )
            if time.monotonic() > deadline:
                names = " and ".join(hub.name for hub in waiting)
                raise LaunchError(
                    f"{names.capitalize()} did not get ready within {READY_SECONDS:.0f} s; see {waiting[0].log}."
                )
            waiting = [hub for hub in waiting if not _is_ready(hub.settings)]
            time.sleep(POLL_SECONDS / 2)

    def _welcome(self, lines: Sequence[str], seconds: float) -> None:
        settings = self._settings
        url = settings.public_url
        hubs = f"{settings.hubs} hub{'s' if settings.hubs > 1 else ''}"
        self._say("")
        self._say(f"Payhub is ready ({hubs}, one worker, {seconds:.1f} s).")
        self._say("")
        self._say(f"  Open       {url}")
        self._say(f"  WebSocket  {url.replace('http', 'ws', 1)}/v1/native (web pages: /v1/socket)")
        self._say(f"  Protocol   {url}/docs/asyncapi.json and {url}/docs/openapi.json")
        self._say(f"  Metrics    http://{settings.admin_listen}/metrics")
        if "mailbox" in self._supervised:
            self._say(f"  Mailbox    http://{settings.mailbox_listen}   (what would be mailed)")
        self._say(f"  Data       {settings.data_dir} (logs in {settings.data_dir.name}/logs)")
        for line in lines:
            self._say(f"  {line}" if line else "")
        self._say("")
        self._say("Ctrl-C stops it; the data is kept.")

    def _supervise(self) -> None:
        while not self._stopping:
            for thing in self._supervised.values():
                self._look_after(thing)
            if self._guardian is not None:
                self._guardian.ensure_alive()
            time.sleep(POLL_SECONDS)

    def _look_after(self, thing: Supervised) -> None:
        if thing.alive():
            return
        revival = self._revivals[thing.name]
        if revival.due is None:
            delay = revival.plan()
            self._say(
                f"{_capital(thing.name)} ended {_how(thing.exited())}; starting it again in {delay:g} s "
                f"(see {thing.log})."
            )
        elif time.monotonic() >= revival.due:
            revival.began()
            try:
                thing.start()
            except (EmbeddedError, OSError) as error:
                self._say(f"{error} Next try in {revival.plan():g} s.")
            else:
                self._say(f"{_capital(thing.name)} runs again.")

    def _stop(self, guardian: Guardian) -> None:
        self._stopping = True
        for role in STOP_ORDER:
            alive = [thing for thing in self._supervised.values() if thing.role == role and thing.alive()]
            if not alive:
                continue
            began = time.monotonic()
            names = " and ".join(thing.name for thing in alive)
            self._say(f"Stopping {names}…")
            left = end(_children(alive), steps_of(role, self._settings.drain_seconds))
            for thing in alive:
                thing.stop()  # it is gone already: collects it and its note
            took = time.monotonic() - began
            self._say(f"  {'will not stop' if left else 'stopped'} ({took:.1f} s)")
        (self._settings.data_dir / RUNNING_FILE).unlink(missing_ok=True)
        remove_sockets(self._settings.data_dir)
        guardian.goodbye()
        self._say(f"Payhub has stopped. Your data is in {self._settings.data_dir}.")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        with interrupting(self._interrupt):
            yield

    def _interrupt(self) -> None:
        if self._stopping:
            self._hurry()
            return
        self._stopping = True
        if self._starting:  # it may be deep inside a migration; later, a flag is enough
            raise KeyboardInterrupt

    def _hurry(self) -> None:
        """Stop waiting for clients at a second Ctrl-C; PostgreSQL still stops in order."""
        self._say("Not waiting any longer for hubs and worker.")
        programs = [thing for thing in self._supervised.values() if isinstance(thing, Program)]
        for program in programs:
            if program.alive():
                os.kill(program.pid, signal.SIGKILL)


def hold_servers(data_dir: Path, *, temporary: bool, ready: Callable[[Servers], None], say: Say) -> None:
    """Run only the two servers until SIGTERM, Ctrl-C or the end of standard input when that is a pipe."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(KeyboardInterrupt))
        interrupt = _InterruptOnce()
        stack.enter_context(interrupting(interrupt))
        if temporary:
            servers = stack.enter_context(temporary_servers())
        else:
            lock = stack.enter_context(held_lock(data_dir, say))
            guardian = Guardian(hold_open=[lock])
            stack.callback(guardian.goodbye)
            servers = stack.enter_context(running_servers(data_dir, guardian=guardian))
            running = Running(
                os.getpid(),
                servers.database_url,
                servers.admin_database_url,
                servers.redis_url,
                servers.keys_database_url,
                servers.keys_admin_database_url,
            )
            note = data_dir / RUNNING_FILE
            stack.callback(note.unlink, missing_ok=True)
            _write_private(note, msgspec.json.encode(running))
        ready(servers)
        stack.callback(interrupt.disarm)  # first to be called: what follows must not be cut short
        _wait_for_the_end((servers.postgres, servers.valkey))


def with_running_servers(settings: Settings) -> Settings:
    """Fill in the addresses of the servers that run on the same data, unless they are given, and the mailbox's."""
    try:
        with (settings.data_dir / LOCK_FILE).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # somebody holds it: the note is theirs
    except OSError:
        return settings
    else:
        return settings
    try:
        note = (settings.data_dir / RUNNING_FILE).read_bytes()
    except OSError:
        return settings
    running = msgspec.json.decode(note, type=Running)
    if running.mailbox_listen:
        settings = msgspec.structs.replace(settings, mailbox_listen=running.mailbox_listen)
    if not settings.redis_url:
        settings = msgspec.structs.replace(settings, redis_url=running.redis_url)
    if settings.database_url:
        return settings
    if not settings.keys_database_url:
        settings = msgspec.structs.replace(
            settings,
            keys_database_url=running.keys_database_url,
            keys_admin_database_url=running.keys_admin_database_url,
        )
    return msgspec.structs.replace(
        settings, database_url=running.database_url, admin_database_url=running.admin_database_url
    )


def refuse_orphan() -> None:
    """End a hub or worker whose launcher died before it could tell the guardian about it."""
    launcher = os.environ.get(LAUNCHER_PID)
    if launcher is not None and launcher != str(os.getppid()):
        raise LaunchError("The launcher that started this process is gone; start `payhub run` again.")


@contextlib.contextmanager
def held_lock(data_dir: Path, say: Say) -> Iterator[int]:
    """Hold the folder's lock, so that only one Payhub runs on the same data."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / LOCK_FILE).open("a+")
    except OSError as error:
        raise LaunchError(
            f"Payhub cannot write to {data_dir} ({error.strerror}): choose another PAYHUB_DATA_DIR."
        ) from None
    with lock:
        _take(lock, data_dir, say)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield lock.fileno()


def _take(lock: IO[str], data_dir: Path, say: Say) -> None:
    told = False
    deadline = time.monotonic() + PREDECESSOR_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            lock.seek(0)
            pid = lock.read().strip()
        # A dead holder means that its guardian, which holds the lock too, is still stopping the rest.
        alive = not pid.isdecimal() or started_at(int(pid)) is not None
        if alive or time.monotonic() > deadline:
            raise LaunchError(
                f"Payhub already runs here with pid {pid or 'unknown'} (data in {data_dir}): use that one, "
                "stop it first, or choose another PAYHUB_DATA_DIR and PAYHUB_LISTEN."
            )
        if not told:
            say("Waiting for the rest of an earlier run to stop…")
            told = True
        time.sleep(POLL_SECONDS)


def refuse_taken_ports(settings: Settings) -> None:
    """Say which port is taken before anything is started."""
    _refuse_taken(settings.listen, "PAYHUB_LISTEN")
    for step in range(settings.hubs + 1):
        _refuse_taken(with_port(settings.admin_listen, step), "PAYHUB_ADMIN_LISTEN")


def _refuse_taken(listen: str, name: str) -> None:
    host, port = address(listen)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {port} is taken by another program: stop it, or choose"
        else:
            reason = f"Payhub cannot listen on {listen} ({error.strerror or error}): choose"
        raise LaunchError(f"{reason} another one with {name}={host}:{port + 1000}.") from None


def free_pair(listen: str) -> str:
    """This host:port if it and the next one are free, otherwise another pair that is: a mailbox stops nobody."""
    host, port = address(listen)
    for first in (port, *random.sample(range(20_000, 60_000), PAIRS_TRIED)):
        with contextlib.suppress(LaunchError):
            for step in (0, 1):
                _refuse_taken(with_port(f"{listen.rpartition(':')[0]}:{first}", step), "PAYHUB_MAILBOX_LISTEN")
            return f"{listen.rpartition(':')[0]}:{first}"
    raise LaunchError(f"No two ports in a row are free on {host}: stop another program.")


def rotate_logs(data_dir: Path) -> None:
    """Keep the logs of the last run and begin new ones."""
    for log in (data_dir / "logs").glob("*.log"):
        log.replace(log.with_suffix(".log.1"))


@contextlib.contextmanager
def interrupting(action: Callable[[], None]) -> Iterator[None]:
    """Call `action` at Ctrl-C, SIGTERM and a closed terminal."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        action()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def say_to_terminal(line: str) -> None:
    """Print a line; a terminal that is gone must not keep Payhub from stopping in order."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


class _InterruptOnce:
    """Interrupts what is going on, and then no more: stopping in order is not to be cut short."""

    def __init__(self) -> None:
        self._armed = True

    def __call__(self) -> None:
        if self._armed:
            self._armed = False
            raise KeyboardInterrupt

    def disarm(self) -> None:
        """Stop interrupting."""
        self._armed = False


def _wait_for_the_end(things: Sequence[Supervised]) -> None:
    while True:
        for thing in things:
            code = thing.exited()
            if code is not None:
                raise LaunchError(f"{thing.name} ended {_how(code)}; see {thing.log}.")
        if _input_ended():
            return
        time.sleep(POLL_SECONDS)


def _input_ended() -> bool:
    """Tell whether whoever holds the other end of our standard input has gone; a terminal never counts."""
    try:
        mode = os.fstat(0).st_mode
        if not stat.S_ISFIFO(mode) and not stat.S_ISSOCK(mode):
            return False
        os.set_blocking(0, False)
        return os.read(0, 4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _is_ready(settings: Settings) -> bool:
    """Ask this very hub by its own port, then the shared one; a hub need not have the first."""
    own = _status(settings.admin_listen, "/readyz")
    if own == http.client.NOT_FOUND:
        own = _status(settings.admin_listen, "/metrics")
    return own == http.client.OK and _status(settings.listen, "/readyz") == http.client.OK


def _status(listen: str, path: str) -> int | None:
    host, port = address(listen)
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared with only
    connection = http.client.HTTPConnection(local, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _children(things: Iterable[Supervised]) -> list[Child]:
    began = [(thing, started_at(thing.pid)) for thing in things]
    return [Child(thing.role, thing.pid, since) for thing, since in began if since is not None]


def _write_private(path: Path, content: bytes) -> None:
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
    aside.replace(path)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _how(code: int | None) -> str:
    if code is None:
        return "while starting"
    if code >= 0:
        return f"with code {code}"
    return f"by signal {signal.Signals(-code).name}"


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        if lines:
            return lines[-1].strip()
    return "it wrote nothing"

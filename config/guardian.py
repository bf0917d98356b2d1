"""Stops what the launcher started when the launcher itself is gone, even after SIGKILL.

Both ends of one pipe in one file: `Guardian` is the launcher's end, `main` the small process at the other.
The launcher names each child it starts; when the pipe ends without a goodbye, the guardian stops the children
in order and removes what was temporary. It starts nothing, listens to nothing, and never signals a process
whose start time differs from the one it was told. Standard library only, so that it runs as a bare file.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

POLL_SECONDS = 0.02
KILLED_SECONDS = 2.0  # how long the kernel may take to remove what was killed
POSTGRES_FAST_SECONDS = 30.0  # a fast shutdown writes one checkpoint
POSTGRES_QUIT_SECONDS = 5.0  # an immediate one writes nothing
VALKEY_SECONDS = 3.0  # it keeps nothing on disk
WORKER_SECONDS = 8.0  # what a worker was doing it does again after a restart
HUB_EXTRA_SECONDS = 2.0  # on top of the hub's own drain

# Who stops first: a hub must still reach the database while it drains.
STOP_ORDER = ("hub", "worker", "mailbox", "redis", "postgres", "setup")

_HAS_PROC = Path("/proc/self/stat").exists()


class Child(NamedTuple):
    """A process, told apart from a later one that happens to get the same number."""

    role: str
    pid: int
    started: str


def started_at(pid: int) -> str | None:
    """Tell when a process began; None when it is gone. A zombie is gone: it only waits to be collected."""
    if not _HAS_PROC:
        return _started_at_by_ps(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return None if fields[0] in "ZX" else fields[19]


def _started_at_by_ps(pid: int) -> str | None:
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, began = shown.stdout.strip().partition(" ")
    return None if not began or state.startswith("Z") else began.strip()


def is_alive(child: Child) -> bool:
    """Say whether this very process still runs."""
    return started_at(child.pid) == child.started


def steps_of(role: str, drain_seconds: float) -> list[tuple[signal.Signals, float]]:
    """List the signals for a role, each with the seconds it gets, from polite to final."""
    kill = (signal.SIGKILL, KILLED_SECONDS)
    if role == "postgres":
        fast = (signal.SIGINT, POSTGRES_FAST_SECONDS)  # SIGTERM would wait for every client to leave
        return [fast, (signal.SIGQUIT, POSTGRES_QUIT_SECONDS), kill]
    if role == "hub":
        return [(signal.SIGTERM, drain_seconds + HUB_EXTRA_SECONDS), kill]
    return [(signal.SIGTERM, WORKER_SECONDS if role == "worker" else VALKEY_SECONDS), kill]


def end(children: Iterable[Child], steps: Sequence[tuple[signal.Signals, float]]) -> list[Child]:
    """Stop these processes together; returns the ones that would not go."""
    left = list(children)
    for step, seconds in steps:
        left = [child for child in left if is_alive(child)]
        for child in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child.pid, step)
        deadline = time.monotonic() + seconds
        while left and time.monotonic() < deadline:
            left = [child for child in left if is_alive(child)]
            if left:
                time.sleep(POLL_SECONDS)
        if not left:
            break
    return left


class Guardian:
    """The launcher's end of the pipe. Starts the other end, and starts it anew should it die."""

    def __init__(self, *, drain_seconds: float = 0, hold_open: Sequence[int] = ()) -> None:
        """`hold_open`: descriptors (of the lock) that stay open until the guardian has finished."""
        self._drain_seconds = drain_seconds
        self._hold_open = tuple(hold_open)
        self._children: dict[int, Child] = {}
        self._temporary: list[Path] = []
        self._process = self._start()

    @property
    def pid(self) -> int:
        """Number of the guarding process."""
        return self._process.pid

    def watch(self, role: str, pid: int) -> Child | None:
        """Have a child stopped should the launcher die; None when it is gone already."""
        began = started_at(pid)
        if began is None:
            return None
        child = Child(role, pid, began)
        self._children = {known.pid: known for known in self._children.values() if is_alive(known)}
        self._children[pid] = child
        self._tell(_line_of(child))
        return child

    def remove_at_end(self, path: Path) -> None:
        """Have a temporary folder removed should the launcher die."""
        self._temporary.append(path)
        self._tell(f"remove {path}")

    def ensure_alive(self) -> None:
        """Start the guarding process again if somebody killed it."""
        if self._process.poll() is None:
            return
        self._close_pipe()
        self._process = self._start()
        for path in self._temporary:
            self._tell(f"remove {path}")
        for child in self._children.values():
            self._tell(_line_of(child))

    def goodbye(self) -> None:
        """Dismiss the guardian; should anything be left, it stops that first."""
        if not any(is_alive(child) for child in self._children.values()):
            self._tell("goodbye")
        self._close_pipe()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: neither Ctrl-C nor a closed terminal reaches it. No output: whoever reads the
        # launcher's output must not be kept waiting by it.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(self._drain_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            pass_fds=self._hold_open,
        )

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # ensure_alive repeats everything to the next one
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def _close_pipe(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()


def _line_of(child: Child) -> str:
    return f"watch {child.role} {child.pid} {child.started}"


def main() -> None:
    """Listen until the pipe ends; then, unless a goodbye came, stop everything in order."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    drain_seconds = float(sys.argv[1])
    children: dict[int, Child] = {}
    temporary: list[Path] = []
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "goodbye":
            return
        if word == "watch":
            role, pid, began = rest.split(" ", 2)
            children[int(pid)] = Child(role, int(pid), began)
        elif word == "remove":
            temporary.append(Path(rest))
    for role in STOP_ORDER:
        end([child for child in children.values() if child.role == role], steps_of(role, drain_seconds))
    for path in temporary:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()

"""Memory of an authenticated connection on which nothing happens: growth of the hubs' pages ÷ connections.

And what is left of those who leave: all of them hang up and come back, some times over. Every connection is another
person's, as in life. It counts what is private to the hub processes (unique set size), not the kernel's socket buffers,
and sends nothing once everybody is welcomed. Of hubs that are not its own it knows the resident set that their metrics
tell.
"""

import asyncio
import re
import resource
import subprocess
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from loadtest.report import Bar, Reporter
from loadtest.stack import Hub
from loadtest.target import Target
from loadtest.wire_ws import Socket, connect_patiently

FIRST = 50  # connections made before the first reading, so that caches and lazy imports are not counted
CONNECTED_AT_ONCE = 32
# A hub takes a few hundred new connections a second from one address; we are one address.
PATIENCE_SECONDS = 120.0
SETTLE_SECONDS = 3.0
FILES_SPARE = 256


class IdleError(Exception):
    """The measurement cannot be made here: one sentence."""


async def idle(
    target: Target, report: Reporter, *, connections: int, returns: int = 0, metrics_urls: Sequence[str] = ()
) -> dict[str, Any]:
    """Measure and give the figures. `metrics_urls` are of hubs that are not our own. Raises IdleError."""
    used_kb, how = _own_memory(target.stack.hubs) if target.stack else _told_memory(metrics_urls)
    sockets: list[Socket] = []
    with report.progress("connections", connections) as bar:
        await _connect(target, sockets, FIRST, bar)
        await asyncio.sleep(SETTLE_SECONDS)
        before = await asyncio.to_thread(used_kb)
        await _connect(target, sockets, FIRST + connections, bar)
        await asyncio.sleep(SETTLE_SECONDS)
        after = await asyncio.to_thread(used_kb)
    _hang_up(sockets, FIRST + connections)
    with report.progress("coming back", returns * connections) as bar:
        for number in range(returns):
            sockets = []
            await _connect(target, sockets, connections, bar, number * connections)
            if number == returns - 1:
                await asyncio.sleep(SETTLE_SECONDS)
                again = await asyncio.to_thread(used_kb)
            _hang_up(sockets, connections)
    return {
        "connections": connections,
        "kb_per_connection": round((after - before) / connections, 2),
        "returns": returns,
        "kb_per_return": round((again - after) / (returns * connections), 2) if returns else None,
        "hubs": len(metrics_urls or target.urls),
        "kb_before": before,
        "kb_after": after,
        "measured": how,
    }


def allow_files(count: int) -> None:
    """Let this process and its children hold so many sockets. Raises IdleError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + FILES_SPARE
    if soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise IdleError(f"{wanted} open files are needed and {hard} allowed: raise `ulimit -n`, or ask for fewer.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _hang_up(sockets: Sequence[Socket], count: int) -> None:
    open_now = sum(socket.is_open for socket in sockets)
    for socket in sockets:
        socket.close()
    if open_now != count:
        raise IdleError(f"{count - open_now} connections were closed by the hub.")


async def _connect(target: Target, sockets: list[Socket], count: int, bar: Bar, done: int = -FIRST) -> None:
    while len(sockets) < count:
        first = len(sockets)
        fresh = [Socket() for _ in range(min(CONNECTED_AT_ONCE, count - first))]
        await asyncio.gather(
            *(
                connect_patiently(target.urls[at % len(target.urls)], target.people[at].token, socket, PATIENCE_SECONDS)
                for at, socket in enumerate(fresh, start=first)
            )
        )
        sockets += fresh
        bar.reach(max(0, done + len(sockets)))


def _own_memory(hubs: Sequence[Hub]) -> tuple[Callable[[], int], str]:
    how = "unique set size" if _has_smaps(hubs[0].pid) else "resident set size"
    return lambda: sum(_used_kb_of(hub.pid) for hub in hubs), how


def _told_memory(metrics_urls: Sequence[str]) -> tuple[Callable[[], int], str]:
    if not metrics_urls:
        raise IdleError("The hubs' memory is read from their metrics: give the --metrics URL of each hub behind --to.")
    return lambda: sum(map(_told_kb, metrics_urls)), "resident set size, from the metrics"


def _told_kb(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # the URL is the user's own
            text = answer.read().decode()
    except (OSError, ValueError) as error:
        raise IdleError(f"No metrics at {url} ({error}): `payhub run` prints where they are.") from None
    found = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)
    if found is None:
        raise IdleError(f"The metrics at {url} do not tell the process's memory.")
    return int(float(found[1])) // 1024


def _used_kb_of(pid: int) -> int:
    if _has_smaps(pid):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:")))
    # Elsewhere the resident set has to do: the code that processes share does not grow with connections.
    return int(subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout)


def _has_smaps(pid: int) -> bool:
    return Path(f"/proc/{pid}/smaps_rollup").exists()

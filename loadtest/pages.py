"""What the web client costs in a slow browser: paint, input, jumps, script, and ten thousand rows that scroll.

A real hub serves the built client; a real chromium opens it with its processor slowed down. The browser's own figures
are taken, as Web Vitals are defined.
"""

import asyncio
import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, Final

from hub.protocol.messages import Pay
from loadtest.ids import uuid7
from loadtest.report import Reporter
from loadtest.stack import TENANT, Crowd, Stack, running_stack
from loadtest.wire_ws import Socket, connect, encode

CLIENT: Final = Path(__file__).parents[1] / "clients" / "js"
PLAYWRIGHT: Final = CLIENT / "node_modules" / ".bin" / "playwright"
PASSWORD: Final = "quatro palavras bem incomuns"  # noqa: S105  # of somebody who lives as long as the test
LOGIN: Final = "somebody"
PAYERS: Final = 100
TIMEOUT_S: Final = 600


class PagesError(Exception):
    """The pages cannot be measured: one sentence, and what the browser's runner said."""


def measure_pages(report: Reporter, *, entries: int, slowdown: int, rounds: int) -> dict[str, Any]:
    """The figures. Raises PagesError."""
    chromium = os.environ.get("PAYHUB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise PagesError("There is no chromium here: install it, or name one by PAYHUB_CHROMIUM.")
    if not PLAYWRIGHT.exists() or not (CLIENT / "build" / "app.html").exists():
        raise PagesError("The client is not built: make setup.")
    report.note("Starting PostgreSQL, Valkey and a hub in a temporary folder …")
    with running_stack(1) as stack:
        account = _register(stack.urls[0])
        crowd = stack.seed(PAYERS)
        report.note(f"Paying them {entries:,} times …")
        asyncio.run(_pay(report, stack, crowd, account, entries))
        report.note(f"Opening pages with the processor slowed down {slowdown} times …")
        figures = _look(stack, chromium, entries, slowdown, rounds)
    return {**figures, "entries": entries, "slowdown": slowdown, "rounds": rounds}


def _register(url: str) -> int:
    body = {"tenant": TENANT, "name": "Somebody", "login": LOGIN, "password": PASSWORD}
    request = urllib.request.Request(  # noqa: S310  # our own hub
        f"{url}/v1/register", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return int(json.load(answer)["account"])


async def _pay(report: Reporter, stack: Stack, crowd: Crowd, account: int, entries: int) -> None:
    done = 0
    with report.progress("payments", entries) as bar:

        async def pay(at: int) -> None:
            nonlocal done
            person = crowd.people[at]
            answered: asyncio.Queue[str] = asyncio.Queue()
            one = Socket(
                on_paid=lambda paid: answered.put_nowait(paid.status),
                on_refused=lambda refused: answered.put_nowait(refused.code),
            )
            await connect(stack.urls[0], person.token, one)
            for number in range(at, entries, PAYERS):
                one.send(encode(Pay(number + 1, uuid7(), person.account, account, 100 + number)))
                if (status := await answered.get()) != "posted":
                    raise PagesError(f"A payment was answered {status}.")
                done += 1
                bar.reach(done)
            one.close()

        await asyncio.gather(*(pay(at) for at in range(PAYERS)))


def _look(stack: Stack, chromium: str, entries: int, slowdown: int, rounds: int) -> dict[str, Any]:
    out = stack.folder / "pages.json"
    lab = {
        "url": stack.urls[0],
        "tenant": TENANT,
        "login": LOGIN,
        "password": PASSWORD,
        "entries": entries,
        "slowdown": slowdown,
        "rounds": rounds,
        "out": str(out),
    }
    done = subprocess.run(
        [str(PLAYWRIGHT), "test", "--config", "playwright.lab.config.ts"],
        cwd=CLIENT,
        env={**os.environ, "PAYHUB_LAB": json.dumps(lab), "PAYHUB_CHROMIUM": chromium},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise PagesError(f"The pages could not be measured.\n{done.stdout[-4000:]}")
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures

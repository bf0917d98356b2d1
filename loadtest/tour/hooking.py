"""The chapter of webhooks: a merchant's own server is told of a payment, checks who says so, is away, is told later.

The server here is a stranger's, too: it knows the standard's three headers and its secret, and nothing else of Payhub.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

from loadtest.tour.stage import TIMEOUT_S, Stage, TourError, money, new_id

TOLERANCE_S = 300
# Somebody who was away is knocked at again: the first times within seconds.
BACK_S = 30.0
# Four payments, and one of them again.
TAKEN = 5


class Letter(NamedTuple):
    """What came: its id, its moment, its signatures, its bytes."""

    id: str
    timestamp: str
    signatures: str
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """What it says."""
        message: dict[str, Any] = json.loads(self.body)
        return message

    def is_signed(self, secret: str) -> bool:
        """Whether whoever knows the secret wrote these very bytes just now (Standard Webhooks)."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        wanted = hmac.digest(key, f"{self.id}.{self.timestamp}.".encode() + self.body, hashlib.sha256)
        signatures = (one.partition(",")[2] for one in self.signatures.split() if one.startswith("v1,"))
        is_now = abs(time.time() - int(self.timestamp)) <= TOLERANCE_S
        return is_now and any(hmac.compare_digest(base64.b64decode(one), wanted) for one in signatures)


class Mailbox:
    """A server on this machine, which says yes to everything."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}/payhub"

    def open(self) -> None:
        """Listen; again on the same port."""
        letters = self.letters

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                id_, at, signatures = (self.headers[f"webhook-{one}"] for one in ("id", "timestamp", "signature"))
                letters.append(Letter(id_, at, signatures, body))
                self.send_response(204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Nobody listens any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    async def next(self, within_s: float = TIMEOUT_S) -> Letter:
        """The next letter. Raises TourError."""
        deadline = time.monotonic() + within_s
        while not self.letters:
            if time.monotonic() > deadline:
                raise TourError("No webhook came. Look at .payhub/logs.")
            await asyncio.sleep(0.02)
        return self.letters.pop(0)


async def webhooks(stage: Stage) -> None:
    """A merchant's own server is told, in order and signed, whether it is there or not."""
    box = Mailbox()
    box.open()
    made = await stage.step(
        stage.cafe, "wants its server to be told of payments", "state", type_="create_webhook", url=box.url
    )
    if "webhook" not in made:
        raise TourError(f"The café has no webhook: {made['message']}")
    webhook = made["webhook"]["webhook"]
    try:
        await _tell(stage, box, webhook, made["secret"])
    finally:
        await stage.step(stage.cafe, "removes it", type_="delete_webhook", webhook=webhook)
        box.close()


async def _tell(stage: Stage, box: Mailbox, webhook: str, secret: str) -> None:
    cafe = stage.cafe
    await stage.step(cafe, "tries it", "code", type_="test_webhook", webhook=webhook)
    stage.note(cafe, f"  hears {(await box.next()).told['type']}")
    first = await _paid(stage, box, 420)
    stage.note(cafe, f"  checks the signature: {_verdict(first, secret)}")
    forged = first._replace(body=first.body.replace(b'"amount":420', b'"amount":920'))
    stage.note(cafe, f"  checks one that says R$ 9.20: {_verdict(forged, secret)}")
    rotated = await stage.step(cafe, "wants a new secret", type_="rotate_webhook_secret", webhook=webhook)
    second = await _paid(stage, box, 430)
    old, new = _verdict(second, secret), _verdict(second, rotated["secret"])
    stage.note(cafe, f"  checks it with the old secret: {old}; with the new one: {new}")
    box.close()
    stage.note(cafe, "switches its server off")
    for amount in (440, 450):
        await _pay(stage, amount)
    # Somebody has knocked.
    await _tried(stage, webhook, lambda codes: any(code != "taken" for code in codes))
    box.open()
    stage.note(cafe, "switches it on again")
    for _ in range(2):
        _show(stage, await box.next(BACK_S))
    number = first.told["data"]["number"]
    does = "wants the first one once more"
    await stage.step(
        cafe, does, type_="replay_webhook", webhook=webhook, account=cafe.account, number=number, only=True
    )
    again = await box.next()
    stage.note(cafe, f"  hears it under the same id: {'yes' if again.id == first.id else 'no'}")
    # The answer to the last one is written down a moment after it was given.
    codes = await _tried(stage, webhook, lambda codes: codes.count("taken") >= TAKEN)
    failed = sorted({*codes} - {"taken"})
    stage.note(cafe, f"  reads what was tried: {codes.count('taken')} taken, and {', '.join(failed)}")


async def _tried(stage: Stage, webhook: str, is_enough: Callable[[list[str]], bool]) -> list[str]:
    """What came of each attempt, as soon as it is enough. Raises TourError."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        answer = await stage.cafe.ask("webhook_attempts", webhook=webhook, limit=200)
        codes = [one["code"] for one in answer["attempts"]]
        if is_enough(codes):
            return codes
        await asyncio.sleep(0.05)
    raise TourError("Nobody tries to reach the webhook. Look at .payhub/logs.")


async def _pay(stage: Stage, amount: int) -> None:
    ana, cafe = stage.ana, stage.cafe
    pay = {"payment": new_id(), "payer": ana.account, "payee": cafe.account, "amount": amount}
    await stage.step(ana, f"pays the café {money(amount)}", "status", type_="pay", **pay)


async def _paid(stage: Stage, box: Mailbox, amount: int) -> Letter:
    await _pay(stage, amount)
    letter = await box.next()
    _show(stage, letter)
    return letter


def _show(stage: Stage, letter: Letter) -> None:
    told = letter.told
    stage.note(stage.cafe, f"  hears {told['type']} {money(told['data']['amount'])}")


def _verdict(letter: Letter, secret: str) -> str:
    return "holds" if letter.is_signed(secret) else "does not hold"

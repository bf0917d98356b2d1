"""Users for locust: one pays over a WebSocket, the other over HTTP.

    PAYHUB_PEOPLE_FILE=people.json locust -f loadtest/locustfile.py --headless -u 50 -r 50 -t 10s -H http://…

The file holds what `payhub seed --json` prints. It runs in a process of its own: locust makes every socket
cooperative, which must not meet asyncio, so nothing here imports the other load tests.
"""

import itertools
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import websocket
from locust import HttpUser, User, between, events, task
from locust.exception import StopUser

from loadtest.ids import uuid7

JSON = "payhub.v1.json"
ANSWER_SECONDS = 10


class People:
    """The people of the file, in pairs: each user pays from one to the next."""

    def __init__(self) -> None:
        self._people: list[dict[str, Any]] = []
        self._next = itertools.count()
        self._lock = threading.Lock()

    def draw(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A payer and a payee."""
        with self._lock:
            self._people = self._people or read_people()
            at = next(self._next)
        return self._people[at % len(self._people)], self._people[(at + 1) % len(self._people)]


def read_people() -> list[dict[str, Any]]:
    """The people of PAYHUB_PEOPLE_FILE; at least two."""
    name = os.environ.get("PAYHUB_PEOPLE_FILE")
    if not name:
        raise StopUser("PAYHUB_PEOPLE_FILE names no file: save what `payhub seed --json` prints and name it there.")
    people: list[dict[str, Any]] = json.loads(Path(name).read_text())["people"]
    if len(people) < 2:
        raise StopUser(f"{name} holds fewer than two people.")
    return people


PEOPLE = People()


class WebSocketUser(User):
    """Somebody with a wallet: one socket, one payment after the other, each answered after its commit."""

    wait_time = between(0.01, 0.05)

    def on_start(self) -> None:
        """Connect and authenticate."""
        self.payer, self.payee = PEOPLE.draw()
        url = "ws" + (self.host or "http://127.0.0.1:8080").removeprefix("http").rstrip("/") + "/v1/native"
        self.socket = websocket.create_connection(
            url, subprotocols=[JSON], timeout=ANSWER_SECONDS, suppress_origin=True
        )
        self.next_id = 0
        self.measure("authenticate", {"type": "authenticate", "token": self.payer["token"]}, "welcome")

    def on_stop(self) -> None:
        """Leave in order."""
        self.socket.close()

    @task(9)
    def pay(self) -> None:
        """Pay one cent."""
        message = {
            "type": "pay",
            "id": self.new_id(),
            "payment": uuid7(),
            "payer": self.payer["account"],
            "payee": self.payee["account"],
            "amount": 1,
        }
        self.measure("pay", message, "payment")

    @task(1)
    def read_balance(self) -> None:
        """Look at the balance."""
        message = {"type": "balance", "id": self.new_id(), "account": self.payer["account"]}
        self.measure("balance", message, "balance_state")

    def new_id(self) -> int:
        """The next correlation id."""
        self.next_id += 1
        return self.next_id

    def measure(self, name: str, message: dict[str, Any], expected: str) -> None:
        """Send a message, wait for its answer, tell locust."""
        began = time.perf_counter()
        error: Exception | None = None
        text = ""
        try:
            self.socket.send(json.dumps(message))
            text = str(self.socket.recv())
            answer = json.loads(text)
            if answer["type"] != expected or answer.get("status", "posted") != "posted":
                error = RuntimeError(text[:200])
        except (OSError, ValueError, websocket.WebSocketException) as raised:
            error = raised
        events.request.fire(  # type: ignore[no-untyped-call]
            request_type="WS",
            name=name,
            response_time=(time.perf_counter() - began) * 1000,
            response_length=len(text),
            exception=error,
            context={},
        )


class PaymentsApiUser(HttpUser):
    """A shop's server: the same payments over HTTP, its connection kept alive."""

    wait_time = between(0.01, 0.05)

    def on_start(self) -> None:
        """Take a token; there is no session to open."""
        self.payer, self.payee = PEOPLE.draw()
        self.client.headers["Authorization"] = f"Bearer {self.payer['token']}"

    @task(9)
    def pay(self) -> None:
        """Pay one cent."""
        body = {
            "payment": uuid7(),
            "payer": self.payer["account"],
            "payee": self.payee["account"],
            "amount": 1,
        }
        self.client.post("/v1/payments", json=body)

    @task(1)
    def read_balance(self) -> None:
        """Look at the balance."""
        self.client.get(f"/v1/accounts/{self.payer['account']}/balance", name="/v1/accounts/{account}/balance")

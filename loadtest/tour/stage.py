"""Where a tour takes place: people with sockets, what they ask, and how it is shown."""

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any, NamedTuple, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hub.protocol.codec import JSON

TIMEOUT_S = 10.0
# Several tours in a row are more log-ins than one address has at once; each wait that the hub asks for is some seconds.
LOG_INS_MAX = 10
NAMES = {"ana": "Ana", "bruno": "Bruno", "cafe": "Café", "operator": "Operator"}
# Answers' fields that are money.
AMOUNTS = frozenset({"amount", "available", "fee", "held", "max", "next_max", "charged_back", "owed", "posted", "sum"})

Say: TypeAlias = Callable[[str], None]
Wire: TypeAlias = dict[str, Any]


class TourError(Exception):
    """The tour cannot go on: one sentence that says what to do."""


class Place(NamedTuple):
    """A running hub, the page with its mails, and everybody's password in the demo's tenant."""

    url: str
    mailbox: str
    tenant: str
    password: str


class Person:
    """Somebody of the demo, connected. Answers are matched by id; events wait until they are looked at."""

    def __init__(self, name: str, socket: ClientConnection, token: str, welcome: Wire) -> None:
        self.name = name
        self.token = token
        self.account: int = welcome["accounts"][0]["account"]
        self._socket = socket
        self._events: list[Wire] = []
        self._asked = 0

    async def ask(self, type_: str, **fields: Any) -> Wire:
        """Send a command; its answer, a refusal included."""
        self._asked += 1
        await self._socket.send(json.dumps({"type": type_, "id": self._asked, **fields}))
        while (answer := await self._hear()).get("id") != self._asked:
            self._events.append(answer)
        return answer

    async def tell(self, type_: str, **fields: Any) -> None:
        """Send a command that has no answer."""
        await self._socket.send(json.dumps({"type": type_, **fields}))

    async def event(self, type_: str = "event") -> Wire:
        """The next event."""
        while True:
            message = self._events.pop(0) if self._events else await self._hear()
            if message["type"] == type_:
                return message

    def forget_events(self) -> None:
        """What has been heard so far is of no interest."""
        self._events.clear()

    async def closed(self) -> int:
        """Wait until the hub closes the connection: with which code."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._hear()
        return self._socket.close_code or 0

    async def _hear(self) -> Wire:
        try:
            message: Wire = json.loads(await asyncio.wait_for(self._socket.recv(), TIMEOUT_S))
        except TimeoutError:
            raise TourError("The hub says nothing. Look at .payhub/logs.") from None
        return message


class Stage:
    """The people, and a way to show what they do."""

    def __init__(self, place: Place, people: dict[str, Person], say: Say, shows_messages: bool) -> None:
        self.url, self.mailbox, self.tenant, _ = place
        self.ana, self.bruno, self.cafe, self.operator = (people[login] for login in NAMES)
        self._say = say
        self._shows_messages = shows_messages

    def title(self, text: str) -> None:
        """Begin a part."""
        self._say(text)

    def note(self, who: Person | None, text: str) -> None:
        """Say something."""
        self._say(f"  {who.name if who else '':10}{text}")

    async def step(self, who: Person, does: str, *shown: str, type_: str, **fields: Any) -> Wire:
        """Somebody asks for something: what they do, what is answered."""
        answer = await who.ask(type_, **fields)
        if self._shows_messages:
            self._say(f"            > {json.dumps({'type': type_, **fields}, ensure_ascii=False)}")
            self._say(f"            < {json.dumps(answer, ensure_ascii=False)}")
        what = answer.get("code") if answer["type"] == "error" else ""
        what = what or ", ".join(show(answer, name) for name in shown if find(answer, name) is not None)
        self._say(f"  {who.name:10}{does:58}{what or 'done'}")
        return answer

    async def sees(self, who: Person, *shown: str, type_: str = "event") -> Wire:
        """Somebody hears of it."""
        event = await who.event(type_)
        if self._shows_messages:
            self._say(f"            < {json.dumps(event, ensure_ascii=False)}")
        self.note(who, f"  sees {', '.join(show(event, name) for name in shown if find(event, name) is not None)}")
        return event


def find(answer: Wire, name: str) -> Any:
    """A field of an answer, or of the one thing that it holds."""
    if name in answer:
        return answer[name]
    for value in answer.values():
        if isinstance(value, dict) and name in value:
            return value[name]
    return None


def show(answer: Wire, name: str) -> str:
    """A field for people."""
    value = find(answer, name)
    if name in {"status", "what"}:
        return str(value)
    if name == "hold":
        return f"hold {money(value)}"
    return f"{name.replace('_', ' ')} {money(value) if name in AMOUNTS else value}"


def money(amount: int) -> str:
    """Minor units of the demo's currency."""
    sign = "-" if amount < 0 else ""
    return f"{sign}R$ {abs(amount) // 100:,}.{abs(amount) % 100:02d}"


def new_id() -> str:
    """A payment's, a charge's, a dispute's: made here, before anything is sent."""
    return str(uuid.uuid4())


async def log_in(url: str, tenant: str, login: str, password: str) -> Wire:
    """Trade a login for tokens. Raises TourError."""
    return await come_in(url, "login", {"tenant": tenant, "login": login, "password": password})


async def come_in(url: str, way: str, body: Wire) -> Wire:
    """Tokens, over HTTP, waiting as told when too many came from this address. Raises TourError."""
    head = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/{way}", json.dumps(body).encode(), head)  # noqa: S310
    for _ in range(LOG_INS_MAX):
        status, answer = await asyncio.to_thread(_send, request)
        if status in {HTTPStatus.OK, HTTPStatus.CREATED}:
            return answer
        if "retry_after_ms" not in answer:
            break
        await asyncio.sleep(answer["retry_after_ms"] / 1_000)
    raise TourError(f"{body['login']} cannot come in ({way}): {answer.get('title', status)}")


def _send(request: urllib.request.Request) -> tuple[int, Wire]:
    """The status and the body of what is answered. Raises TourError."""
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError as error:
        raise TourError(f"Nobody answers at {request.host} ({error}). Start it with `make run`.") from None


@asynccontextmanager
async def open_stage(place: Place, say: Say, shows_messages: bool) -> AsyncIterator[Stage]:
    """Everybody of the demo, logged in and connected."""
    people: dict[str, Person] = {}
    async with AsyncExitStack() as stack:
        for login, name in NAMES.items():
            token = (await log_in(place.url, place.tenant, login, place.password))["access_token"]
            people[login] = await stack.enter_async_context(connected(place.url, name, token))
        yield Stage(place, people, say, shows_messages)


@asynccontextmanager
async def connected(url: str, name: str, token: str) -> AsyncIterator[Person]:
    """Whoever has this token, with a socket."""
    where = url.replace("http", "ws", 1) + "/v1/native"
    async with connect(where, subprotocols=[JSON], compression=None) as socket:  # type: ignore[list-item]
        await socket.send(json.dumps({"type": "authenticate", "token": token}))
        yield Person(name, socket, token, json.loads(await asyncio.wait_for(socket.recv(), TIMEOUT_S)))

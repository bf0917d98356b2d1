"""A client of the socket that knows the wire protocol and nothing of the hub's code."""

import asyncio
import itertools
import json
import uuid
from typing import Any

import msgpack  # type: ignore[import-untyped]
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

JSON = "payhub.v1.json"
MSGPACK = "payhub.v1.msgpack"
PATIENCE_S = 15.0

Wire = dict[str, Any]


class Stranger:
    """One connection. `ask` matches answers by id; events and other notices wait in `heard`."""

    def __init__(self, connection: ClientConnection, subprotocol: str) -> None:
        self.connection = connection
        self.subprotocol = subprotocol
        self.heard: list[Wire] = []
        self._ids = itertools.count(1)

    @classmethod
    async def connect(
        cls,
        url: str,
        subprotocol: str = JSON,
        *,
        origin: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> "Stranger":
        connection = await connect(
            url,
            subprotocols=[Subprotocol(subprotocol)],
            compression=None,
            origin=None if origin is None else Origin(origin),
            additional_headers=headers,
            ping_interval=None,
            max_size=None,
            max_queue=None,
            close_timeout=1,
            proxy=None,
        )
        return cls(connection, subprotocol)

    async def __aenter__(self) -> "Stranger":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()

    async def send(self, message: Wire) -> None:
        if self.subprotocol == MSGPACK:
            await self.connection.send(msgpack.packb(message))
        else:
            await self.connection.send(json.dumps(message))

    async def receive(self, timeout_s: float = PATIENCE_S) -> Wire:
        async with asyncio.timeout(timeout_s):
            data = await self.connection.recv()
        message: Wire = json.loads(data) if isinstance(data, str) else msgpack.unpackb(data)
        return message

    async def ask(self, type_: str, **fields: Any) -> Wire:
        """Send a command and wait for its answer; whatever comes before it is kept."""
        return await self.answer(await self.submit(type_, **fields))

    async def submit(self, type_: str, **fields: Any) -> int:
        """Send a command without waiting; the id of its answer."""
        id_ = next(self._ids)
        await self.send({"type": type_, "id": id_, **fields})
        return id_

    async def answer(self, id_: int) -> Wire:
        """The answer with this id; answers may overtake each other."""
        for at, kept in enumerate(self.heard):
            if kept.get("id") == id_:
                return self.heard.pop(at)
        while True:
            message = await self.receive()
            if message.get("id") == id_:
                return message
            self.heard.append(message)

    async def authenticate(self, token: str) -> Wire:
        await self.send({"type": "authenticate", "token": token})
        return await self.receive()

    async def pay(self, payer: int, payee: int, amount: int, payment: str | None = None, **more: Any) -> Wire:
        return await self.ask(
            "pay", payment=payment or str(uuid.uuid4()), payer=payer, payee=payee, amount=amount, **more
        )

    async def events(self, count: int, timeout_s: float = PATIENCE_S) -> list[Wire]:
        """The next `count` events, those that were kept first."""
        found = [message for message in self.heard if message["type"] == "event"]
        self.heard = [message for message in self.heard if message["type"] != "event"]
        async with asyncio.timeout(timeout_s):
            while len(found) < count:
                message = await self.receive(timeout_s)
                (found if message["type"] == "event" else self.heard).append(message)
        return found

    async def hear(self, type_: str, timeout_s: float = PATIENCE_S) -> Wire:
        """The next message of a type that nobody asked for, one that was kept first."""
        for at, kept in enumerate(self.heard):
            if kept["type"] == type_:
                return self.heard.pop(at)
        async with asyncio.timeout(timeout_s):
            while (message := await self.receive(timeout_s))["type"] != type_:
                self.heard.append(message)
        return message

    async def closed(self, timeout_s: float = PATIENCE_S) -> int:
        """Read until the other side closes; its code (1006: the connection just went away)."""
        try:
            while True:
                self.heard.append(await self.receive(timeout_s))
        except ConnectionClosed:
            pass
        received = self.connection.protocol.close_rcvd
        return 1006 if received is None else int(received.code)

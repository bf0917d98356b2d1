"""One person at all doors of one hub."""

from collections import Counter
from collections.abc import Sequence

from tests.hub.walling.commands import Command, ask_socket, ask_web
from tests.hub.walling.doors import SUBPROTOCOLS, Answer, Closed, Message, Socket, Web
from tests.hub.walling.worlds import Side


class Voice:
    """It connects when it has something to say, and again when it was hung up on."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._web = Web(side.hub.port)
        self._sockets: dict[str, Socket] = {}
        self._heard: list[bytes] = []
        # Of commands: the same at both hubs, however often one of them hung up.
        self._ids: Counter[str] = Counter()

    async def ask(
        self, command: Command, message: Message, token: str, *headers: str, query: Message | None = None
    ) -> Answer:
        """Ask at the command's door; once more, where the hub had hung up. Raises Closed."""
        self._ids[command.door] += 1
        try:
            return await self._ask(command, message, token, headers, query or {})
        except Closed:
            return await self._ask(command, message, token, headers, query or {})

    async def _ask(
        self, command: Command, message: Message, token: str, headers: Sequence[str], query: Message
    ) -> Answer:
        if command.door not in SUBPROTOCOLS:
            bearer = "" if command.is_public else token
            return await ask_web(self._web, command, message, bearer, *headers, query=query)
        socket = self._sockets.get(command.door)
        if socket is None or not socket.is_open:
            if socket is not None:
                self._heard += socket.heard
                await socket.leave()
            socket = self._sockets[command.door] = await Socket.enter(self._side.hub.port, command.door, token)
        return await ask_socket(socket, command, message, self._ids[command.door])

    def listen(self) -> list[bytes]:
        """What came unasked since the last time."""
        heard, self._heard = self._heard, []
        for socket in self._sockets.values():
            socket.listen()
            heard += socket.heard
            socket.heard = []
        return heard

    async def leave(self) -> None:
        """Hang up everywhere."""
        await self._web.leave()
        for socket in self._sockets.values():
            await socket.leave()
        self._sockets.clear()

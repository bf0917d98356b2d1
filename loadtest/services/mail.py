"""A mail server that takes everything, fast, and fails where and how it is told to. It keeps ids and no mail.

python -m loadtest.services.mail PORT [FILE]    takes mails until SIGTERM, then says as JSON how many, and how many
                                                twice. FILE gets when each came (loadtest/services/arrivals.py)
"""

import asyncio
import base64
import json
import re
import signal
import ssl
import sys
import time
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, cast

import uvloop

from loadtest.services.arrivals import write_arrivals

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(rb"<([^>]*)>")


class Act(Enum):
    """What a server does that does not answer."""

    HANG = "hang"  # says nothing more
    RESET = "reset"  # ends the connection


class Step(Enum):
    """Where a conversation is."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    MESSAGE = "message"  # after its final dot


class Fault(NamedTuple):
    """At this step, this in place of the right answer. `times`: so often, None: always. `recipient`: only of theirs."""

    step: Step
    answer: bytes | Act
    times: int | None = None
    recipient: bytes | None = None


class MailServer:
    """Listens on loopback. What it took: `ids`, a count for each Message-ID, and `came`, when it was there first."""

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        is_implicit: bool = False,
        login: tuple[str, str] | None = None,
        extensions: Sequence[str] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"),
        keeps: bool = False,
    ) -> None:
        """`context`: offers STARTTLS. `login`: wants it. `keeps`: keeps mails, as (sender, recipient, bytes)."""
        self.ids: Counter[bytes] = Counter()
        self.came: dict[bytes, float] = {}
        self.mails: list[tuple[bytes, bytes, bytes]] = []
        self.taken = 0
        self.connections = 0
        self.open: set[_Session] = set()
        self.context = None if is_implicit else context
        self.login = login
        self.extensions = tuple(extensions)
        self.keeps = keeps
        self._implicit = context if is_implicit else None
        self._faults: list[tuple[Fault, list[int]]] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int = 0) -> "MailServer":
        """Listen; `port` 0: on any."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Session(self), "127.0.0.1", port or self.port, ssl=self._implicit, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Go down: nobody is listening, and whoever was connected is not any more. `start` comes back."""
        if self._server is not None:
            self._server.close()
            for one in list(self.open):
                one.transport.abort()
            await self._server.wait_closed()
            self._server = None

    def plan(self, *faults: Fault) -> None:
        """From now on these faults, and no others."""
        self._faults = [(fault, [fault.times if fault.times is not None else sys.maxsize]) for fault in faults]

    def take(self, sender: bytes, recipient: bytes, content: bytes) -> None:
        """A mail is here, its dots still doubled."""
        if self.keeps:
            self.mails.append((sender, recipient, content.replace(b"\r\n..", b"\r\n.")))

    def fault(self, step: Step, recipient: bytes) -> bytes | Act | None:
        """What goes wrong here now, if something does."""
        for planned, left in self._faults:
            if planned.step is step and left[0] > 0 and planned.recipient in (None, recipient):
                left[0] -= 1
                return planned.answer
        return None

    async def __aenter__(self) -> "MailServer":
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


class _Session(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._buffer = b""
        self._is_content = False
        self._is_sealed = False
        self._is_known = server.login is None
        self._is_hung = False
        # Between MAIL and the end of the mail: another MAIL is refused until then, or until RSET (RFC 5321, 4.1.4).
        self._is_begun = self._has_recipient = False
        self._sender = self._recipient = b""
        self._out: list[bytes] = []
        self._asked: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own are not of asyncio's class.
        self.transport = cast(asyncio.Transport, transport)
        is_new = not self._is_sealed
        self._is_sealed = transport.get_extra_info("sslcontext") is not None
        if is_new:
            self._server.connections += 1
            self._server.open.add(self)
            self._say(Step.CONNECT, b"220 mail.test ESMTP")
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.open.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while not self._is_hung and not self.transport.is_closing():
            end = b"\r\n.\r\n" if self._is_content else b"\r\n"
            if self._is_content and self._buffer.startswith(b".\r\n"):
                content, self._buffer = b"", self._buffer[3:]
                self._take(content)
                continue
            at = self._buffer.find(end)
            if at < 0:
                break
            piece, self._buffer = self._buffer[:at], self._buffer[at + len(end) :]
            if self._is_content:
                self._take(piece + b"\r\n")
            else:
                self._obey(piece)
        self._flush()

    def _obey(self, line: bytes) -> None:
        if self._asked:
            self._log_in(line)
            return
        verb, _, rest = line.partition(b" ")
        verb = verb.upper()
        if verb == b"EHLO":
            self._say(Step.EHLO, self._greeting())
        elif verb == b"STARTTLS" and self._server.context is not None and not self._is_sealed:
            self._say(Step.STARTTLS, b"220 2.0.0 go")
            self._flush()
            if not self._is_hung and not self.transport.is_closing():
                self._is_hung = True
                asyncio.get_running_loop().create_task(self._seal(self._server.context))
        elif verb == b"AUTH":
            self._begin_log_in(rest)
        elif verb == b"MAIL":
            if self._is_begun:
                self._out.append(b"503 5.5.1 nested\r\n")
                return
            self._sender = self._address(rest)
            right = b"250 2.1.0 ok" if self._is_known else b"530 5.7.0 who are you"
            self._is_begun = self._say(Step.MAIL, right).startswith(b"2")
        elif verb == b"RCPT":
            self._recipient = self._address(rest)
            right = b"250 2.1.5 ok" if self._is_begun else b"503 5.5.1 from whom"
            self._has_recipient = self._say(Step.RCPT, right).startswith(b"2")
        elif verb == b"DATA":
            right = b"354 go on" if self._has_recipient else b"554 5.5.1 no valid recipients"
            self._is_content = self._say(Step.DATA, right).startswith(b"354")
        elif verb == b"QUIT":
            self._out.append(b"221 2.0.0 bye\r\n")
            self._flush()
            self.transport.close()
        else:
            self._is_begun = self._has_recipient = False
            self._out.append(b"250 2.0.0 ok\r\n")

    def _take(self, content: bytes) -> None:
        self._is_content = self._is_begun = self._has_recipient = False
        if not content:
            self._out.append(b"554 5.5.1 nobody to give it to\r\n")
            return
        found = _MESSAGE_ID.search(content)
        answer = self._server.fault(Step.MESSAGE, self._recipient)
        if answer is None or isinstance(answer, Act):
            # Taken; whether its sender hears of it is another matter.
            self._server.taken += 1
            id_ = found[1] if found else b""
            self._server.ids[id_] += 1
            self._server.came.setdefault(id_, time.time())
            self._server.take(self._sender, self._recipient, content)
        self._do(b"250 2.0.0 Ok: queued as %X" % self._server.taken if answer is None else answer)

    def _greeting(self) -> bytes:
        lines = ["mail.test", *self._server.extensions]
        if self._server.context is not None and not self._is_sealed:
            lines.append("STARTTLS")
        if self._server.login is not None:
            lines.append("AUTH PLAIN LOGIN")
        return "\r\n".join(f"250{'-' if at < len(lines) - 1 else ' '}{line}" for at, line in enumerate(lines)).encode()

    def _begin_log_in(self, rest: bytes) -> None:
        method, _, first = rest.partition(b" ")
        if method.upper() == b"PLAIN" and first:
            self._check(base64.b64decode(first).split(b"\0")[1:])
        elif method.upper() == b"LOGIN":
            self._asked = [first.decode()] if first else ["?"]
            self._out.append(b"334 VXNlcm5hbWU6\r\n" if not first else b"334 UGFzc3dvcmQ6\r\n")
        else:
            self._out.append(b"504 5.5.4 no such method\r\n")

    def _log_in(self, line: bytes) -> None:
        if self._asked == ["?"]:
            self._asked = [line.decode()]
            self._out.append(b"334 UGFzc3dvcmQ6\r\n")
            return
        user, self._asked = self._asked[0], []
        self._check([base64.b64decode(user), base64.b64decode(line)])

    def _check(self, told: list[bytes]) -> None:
        wanted = self._server.login
        self._is_known = wanted is None or told == [one.encode() for one in wanted]
        self._say(Step.AUTH, b"235 2.7.0 welcome" if self._is_known else b"535 5.7.8 no")

    async def _seal(self, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        self._buffer = b""
        # What comes sealed before we hear that the handshake is done waits for the transport that seals the answer.
        self._is_sealed = True
        try:
            sealed = await loop.start_tls(self.transport, self, context, server_side=True)
        except (OSError, ssl.SSLError):
            return
        if sealed is not None:
            self.transport = sealed
            self._is_hung = False
            self.data_received(b"")

    def _say(self, step: Step, right: bytes) -> bytes:
        """Returns what was said, if anything was."""
        wrong = self._server.fault(step, self._recipient)
        answer = right if wrong is None else wrong
        self._do(answer)
        return answer if isinstance(answer, bytes) else b""

    def _do(self, answer: bytes | Act) -> None:
        if answer is Act.HANG:
            self._flush()
            self._is_hung = True
        elif answer is Act.RESET:
            self._flush()
            self.transport.abort()
        else:
            assert isinstance(answer, bytes)
            self._out.append(answer + b"\r\n")
            if answer.startswith(b"421"):
                self._flush()
                self.transport.close()

    def _flush(self) -> None:
        if self._out and not self.transport.is_closing():
            self.transport.write(b"".join(self._out))
        self._out.clear()

    @staticmethod
    def _address(rest: bytes) -> bytes:
        found = _ADDRESS.search(rest)
        return found[1] if found else b""


async def _serve(port: int, file: Path | None) -> dict[str, Any]:
    stopped = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stopped.set)
    async with MailServer() as server:
        await server.stop()
        await server.start(port)
        print(server.port, flush=True)
        await stopped.wait()
        if file is not None:
            # A Message-ID is <delivery@domain>.
            named = {id_: id_.decode().strip("<>").partition("@")[0] for id_ in server.ids}
            write_arrivals(file, [(named[id_], count, server.came[id_]) for id_, count in server.ids.items()])
        twice = sum(1 for count in server.ids.values() if count > 1)
        return {"taken": server.taken, "ids": len(server.ids), "twice": twice, "connections": server.connections}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_serve(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))))

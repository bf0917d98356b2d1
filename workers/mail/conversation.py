"""One open connection to a relay: mail after mail, each in two round trips where the relay allows it.

aiosmtplib opens it (greeting, EHLO, STARTTLS, AUTH), and then hands its transport to a protocol that can have several
answers outstanding, which its own cannot: RFC 2920 lets the envelope travel at once. What a server says is read as a
code; its words go nowhere.
"""

import asyncio
import re
import ssl
from collections import deque
from typing import Final, NamedTuple, cast

import aiosmtplib

from workers.mail.relays import Relay, Tls
from workers.mail.statuses import CLOSING, UNWELCOME, Reply, of_content, of_recipient, of_sender
from workers.outcome import Later, Outcome, Refused

# A server that answers with more than this is none.
ANSWER_SIZE_MAX: Final = 32_768
READY_FOR_CONTENT: Final = 354
_LINE: Final = re.compile(rb"([2-5][0-9]{2})([ -]|$)")


class Patience(NamedTuple):
    """How long each step may take, in seconds. RFC 5321 (4.5.3.2) asks for minutes, of whoever talks to strangers.

    `taken_s`: from the last byte of the mail to the answer. Who gives up there does not know whether it was taken.
    """

    open_s: float = 15.0
    answer_s: float = 30.0
    taken_s: float = 120.0
    goodbye_s: float = 1.0


class RelayAway(Exception):
    """The relay cannot be spoken to now. `code`: why, a stable word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ConnectionLost(Exception):
    """It ended, or makes no sense any more. `is_sent`: the whole mail had left, and may have been taken."""

    def __init__(self, code: str, *, is_sent: bool) -> None:
        super().__init__(code)
        self.code = code
        self.is_sent = is_sent


class _Answers(asyncio.Protocol):
    """Takes a server's answers apart, and keeps them in their order until somebody asks."""

    def __init__(self) -> None:
        self.is_lost = False
        self._buffer = b""
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Read all whole answers."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > ANSWER_SIZE_MAX or len(self._replies) > 100:
            self.connection_lost(None)
            return
        for line in lines:
            found = _LINE.match(line)
            if found is None:
                # Whatever this is, nothing after it can be believed.
                self.connection_lost(None)
                return
            if found[2] != b"-":
                self._replies.append(Reply(int(found[1]), line[4:].strip()))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let nobody wait any longer."""
        self.is_lost = True
        self._wake()

    def eof_received(self) -> bool:
        """Close."""
        return False

    async def next(self) -> Reply | None:
        """The next answer; None: there will be none."""
        while not self._replies:
            if self.is_lost:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._replies.popleft()

    @property
    def is_silent(self) -> bool:
        """Whether nothing came that nobody asked for: a server that closes says so first (421)."""
        return not self._replies and not self._buffer

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Conversation:
    """An open connection. One mail at a time."""

    def __init__(self, transport: asyncio.Transport, extensions: frozenset[str], patience: Patience) -> None:
        self.mails = 0
        self._transport = transport
        self._extensions = extensions
        self._patience = patience
        self._answers = _Answers()
        transport.set_protocol(self._answers)

    @property
    def is_usable(self) -> bool:
        """Whether another mail can be sent here."""
        return not self._answers.is_lost and not self._transport.is_closing() and self._answers.is_silent

    async def send(self, return_path: str, recipient: str, message: bytes) -> Outcome:
        """Hand in one mail. Addresses are checked already. Raises ConnectionLost."""
        is_wide = not recipient.isascii()
        if is_wide and "smtputf8" not in self._extensions:
            return Refused("address_needs_smtputf8")
        self.mails += 1
        mail = f"MAIL FROM:<{return_path}>{' SMTPUTF8 BODY=8BITMIME' if is_wide else ''}\r\n".encode()
        rcpt = f"RCPT TO:<{recipient}>\r\n".encode()
        try:
            async with asyncio.timeout(self._patience.answer_s):
                is_fast = "pipelining" in self._extensions
                refused = await (self._offer_at_once(mail, rcpt) if is_fast else self._offer(mail, rcpt))
                if refused is not None and self.is_usable:
                    # What was begun would be in the next one's way.
                    self._transport.write(b"RSET\r\n")
                    await self._read()
        except TimeoutError:
            self.abort()
            raise ConnectionLost("relay_silent", is_sent=False) from None
        return refused if refused is not None else await self._hand_over(message)

    async def _offer_at_once(self, mail: bytes, rcpt: bytes) -> Outcome | None:
        self._transport.write(mail + rcpt + b"DATA\r\n")
        sender = await self._read()
        if sender.code == CLOSING:
            return of_sender(sender)
        recipient = await self._read()
        if recipient.code == CLOSING:
            return of_recipient(recipient)
        content = await self._read()
        refused = _judge(sender, recipient, content)
        if refused is not None and content.code == READY_FOR_CONTENT:
            # It waits for a mail although nobody is to have it (RFC 2920, 3.1): an empty one, which it refuses.
            self._transport.write(b".\r\n")
            await self._read()
        return refused

    async def _offer(self, mail: bytes, rcpt: bytes) -> Outcome | None:
        for command, judge in ((mail, of_sender), (rcpt, of_recipient)):
            self._transport.write(command)
            reply = await self._read()
            if reply.code >= 300:
                return judge(reply)
        self._transport.write(b"DATA\r\n")
        reply = await self._read()
        return None if reply.code == READY_FOR_CONTENT else _unready(reply)

    async def _hand_over(self, message: bytes) -> Outcome:
        """The mail itself, its dots doubled (RFC 5321, 4.5.2)."""
        stuffed = message.replace(b"\r\n.", b"\r\n..")
        self._transport.write((b"." + stuffed if stuffed.startswith(b".") else stuffed) + b".\r\n")
        try:
            async with asyncio.timeout(self._patience.taken_s):
                return of_content(await self._read(is_sent=True))
        except TimeoutError:
            self.abort()
            raise ConnectionLost("relay_silent", is_sent=True) from None

    async def _read(self, *, is_sent: bool = False) -> Reply:
        reply = await self._answers.next()
        if reply is None:
            self.abort()
            raise ConnectionLost("connection_lost", is_sent=is_sent)
        if reply.code == CLOSING:
            self.abort()
        return reply

    async def close(self) -> None:
        """Say goodbye, and wait for no more than a moment."""
        if self.is_usable:
            self._transport.write(b"QUIT\r\n")
            try:
                async with asyncio.timeout(self._patience.goodbye_s):
                    await self._answers.next()
            except TimeoutError:
                pass
        self._transport.close()

    def abort(self) -> None:
        """End it at once."""
        self._answers.is_lost = True
        self._transport.abort()


def _judge(sender: Reply, recipient: Reply, content: Reply) -> Outcome | None:
    """None: it may be handed over."""
    if sender.code >= 300:
        return of_sender(sender)
    if recipient.code >= 300:
        return of_recipient(recipient)
    return None if content.code == READY_FOR_CONTENT else _unready(content)


def _unready(reply: Reply) -> Outcome:
    # Neither a refusal nor the word that it is ready: two of us talk past each other.
    return of_content(reply) if reply.code >= 400 else Later("relay_confused", is_theirs=True)


async def open_conversation(
    relay: Relay, patience: Patience, name: str, context: ssl.SSLContext | None = None
) -> Conversation:
    """Connect, seal, log in. `name`: what we call ourselves (EHLO). Raises RelayAway."""
    client = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        username=relay.user,
        password=relay.password,
        local_hostname=name,
        timeout=patience.open_s,
        use_tls=relay.tls is Tls.IMPLICIT,
        start_tls={Tls.REQUIRED: True, Tls.OPTIONAL: None}.get(relay.tls, False),
        validate_certs=relay.tls is not Tls.OPTIONAL,
        tls_context=None if relay.tls is Tls.OPTIONAL else context,
    )
    try:
        async with asyncio.timeout(patience.open_s):
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError, TimeoutError) as error:
        client.close()
        raise RelayAway(_why(error)) from None
    except BaseException:
        client.close()
        raise
    if client.transport is None:
        raise RelayAway("relay_unreachable")
    return Conversation(cast(asyncio.Transport, client.transport), frozenset(client.esmtp_extensions), patience)


def _why(error: Exception) -> str:
    """A stable word for what kept us out. What they said is not in it."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return "relay_login_refused"
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return "relay_tls_failed"
    if isinstance(error, TimeoutError):
        return "relay_silent"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return "relay_login_refused" if error.code in UNWELCOME else "relay_refused"
    if isinstance(error, OSError):
        return "relay_unreachable"
    return "relay_unfit"

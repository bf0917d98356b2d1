"""People who can be reached when no socket is there: each registers a phone, and confirms an e-mail address.

All of it goes over the wire, as an app does it: the code that confirms an address is read out of the mail that a worker
sends to a relay of ours. It writes to no database.
"""

import asyncio
import base64
import re
import secrets
from collections.abc import Sequence
from typing import Any, Literal

from hub.protocol.notices import RegisterPhone
from hub.protocol.people import ConfirmContact, EditProfile, SendConfirmation
from loadtest.report import Reporter
from loadtest.services.mail import MailServer
from loadtest.services.push import TOPIC
from loadtest.services.web_push import Browser
from loadtest.stack import Person, Stack, free_ports, running_worker
from loadtest.wire_ws import Socket, connect_patiently

AT_ONCE = 32
PATIENCE_S = 60.0
Provider = Literal["apple", "firebase", "web"]
# The plain part of a mail, and the code in it. (A digit on either side would make it another number.)
_PLAIN = re.compile(rb"Content-Type: text/plain.*?\r\n\r\n(.*?)\r\n--", re.DOTALL)
_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


class ReachableError(Exception):
    """Somebody got no code: one sentence."""


async def make_reachable(
    stack: Stack, report: Reporter, people: Sequence[Person], provider: Provider, origin: str
) -> list[Browser]:
    """Give each of these a phone at this provider, or a browser, and a mailbox. Which browsers, if any.

    `origin`: where browsers are pushed to. Raises ReachableError, CommandRefused, Lost.
    """
    (port,) = free_ports(1)
    mailbox = _Mailbox()
    await mailbox.start(port)
    settings = {
        "PAYHUB_SMTP_URL": f"smtp://127.0.0.1:{port}?starttls=never",
        "PAYHUB_PUBLIC_URL": "https://pay.example",
    }
    turn = asyncio.Semaphore(AT_ONCE)
    browsers = [Browser(origin) for _ in people] if provider == "web" else []
    done = 0

    async def one(at: int, person: Person) -> None:
        nonlocal done
        async with turn:
            phone = _register(provider, browsers[at] if browsers else None)
            await _reach(stack.urls[at % len(stack.urls)], person, phone, at, mailbox)
        done += 1
        bar.reach(done)

    with running_worker(stack, **settings), report.progress("phones and mailboxes", len(people)) as bar:
        try:
            await asyncio.gather(*(one(at, person) for at, person in enumerate(people)))
        finally:
            # First, or the worker would wait for us to say goodbye while we wait for its end.
            await mailbox.stop()
    return browsers


def _register(provider: Provider, browser: Browser | None) -> RegisterPhone:
    if browser is not None:
        return RegisterPhone(1, provider, "pt", endpoint=browser.endpoint, p256dh=browser.p256dh, auth=browser.auth)
    more: dict[str, Any] = {"topic": TOPIC} if provider == "apple" else {}
    return RegisterPhone(1, provider, "pt", secrets.token_hex(32), **more)


async def _reach(url: str, person: Person, phone: RegisterPhone, at: int, mailbox: "_Mailbox") -> None:
    address = f"{person.person}@mailbox.example"
    code = mailbox.expect(address)
    # Each from an address of its own, as behind a proxy.
    from_ = f"10.{at // 65_536 % 256}.{at // 256 % 256}.{at % 256}"
    socket = await connect_patiently(url, person.token, Socket(), PATIENCE_S, from_)
    await socket.ask(phone)
    await socket.ask(EditProfile(2, person.person, email=address))
    await socket.ask(SendConfirmation(3, "email"))
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = await code
    except TimeoutError:
        raise ReachableError("The mail with somebody's code did not come.") from None
    await socket.ask(ConfirmContact(4, "email", said))
    socket.close()


class _Mailbox(MailServer):
    """Everybody's mailbox: tells the code in a mail to whoever waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[bytes, asyncio.Future[str]] = {}

    def expect(self, address: str) -> asyncio.Future[str]:
        """The code that will be sent to this address."""
        code = self._codes[address.encode()] = asyncio.get_running_loop().create_future()
        return code

    def take(self, sender: bytes, recipient: bytes, content: bytes) -> None:
        """Look for a code in it."""
        waiting = self._codes.get(recipient)
        part = _PLAIN.search(content)
        if waiting is None or waiting.done() or part is None:
            return
        found = _CODE.search(base64.b64decode(part[1]).decode())
        if found is not None:
            waiting.set_result(found[0])

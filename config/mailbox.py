"""The mailbox of `payhub run`: a mail server on loopback that keeps what it gets in memory, and a page that shows it.

For a machine without a relay: what would have been mailed can be read here. It passes nothing on, writes nothing to
disk or a log, and forgets the oldest. A mail is shown as mail programs do: without scripts, and asking nobody.
"""

import asyncio
import contextlib
import email
import email.policy
import itertools
import logging
from collections import deque
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from config.logs import configure_logs
from config.settings import Settings, address, with_port

MAILS_KEPT: Final = 200
# Ours have some ten kilobytes. All that is kept fits into memory at any size.
MAIL_SIZE_MAX: Final = 262_144
PAGE: Final = Path(__file__).parent / "mailbox_page"
_FILES: Final = {"/": "text/html", "/mailbox.css": "text/css", "/mailbox.js": "text/javascript"}
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
# Of a mail: it shows itself and nothing else. Its links open in a tab that knows nothing of this page.
_MAIL_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)


class Kept(NamedTuple):
    """One mail. `sender`, `recipients`: of the envelope. `number` counts up from 1."""

    number: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    def read(self) -> EmailMessage:
        """The mail, taken apart."""
        found = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        return found


class Mailbox:
    """The last mails. Its method is what aiosmtpd calls."""

    def __init__(self) -> None:
        self._mails: deque[Kept] = deque(maxlen=MAILS_KEPT)
        self._numbers = itertools.count(1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        recipients = tuple(str(one) for one in envelope.rcpt_tos)
        number = next(self._numbers)
        self._mails.append(Kept(number, datetime.now(UTC), envelope.mail_from or "", recipients, content))
        return f"250 2.0.0 Ok: queued as {number}"

    def after(self, number: int) -> list[Kept]:
        """Mails that came later, newest first."""
        return [one for one in reversed(self._mails) if one.number > number]

    def find(self, number: int) -> Kept:
        """One mail. Raises LookupError."""
        for one in self._mails:
            if one.number == number:
                return one
        raise LookupError(number)


def build_app(mailbox: Mailbox) -> Starlette:
    """The page and what it asks for."""

    def find(request: Request) -> Kept:
        try:
            return mailbox.find(int(request.path_params["number"]))
        except LookupError:
            raise HTTPException(404) from None

    async def show_file(request: Request) -> Response:
        name = request.url.path.strip("/") or "index.html"
        return Response((PAGE / name).read_bytes(), media_type=_FILES[request.url.path], headers=_HEADERS)

    async def list_mails(request: Request) -> Response:
        text = request.query_params.get("after", "0")
        after = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
        return JSONResponse([_in_short(one) for one in mailbox.after(after)], headers=_HEADERS)

    async def show_mail(request: Request) -> Response:
        return JSONResponse(_in_full(find(request)), headers=_HEADERS)

    async def show_html(request: Request) -> Response:
        html = _body(find(request), "html").replace("<head>", '<head><base target="_blank">', 1)
        headers = _HEADERS | {"content-security-policy": _MAIL_POLICY}
        return HTMLResponse(html.encode("utf-8", "replace"), headers=headers)

    return Starlette(
        routes=[
            *(Route(path, show_file) for path in _FILES),
            Route("/mails", list_mails),
            Route("/mails/{number:int}", show_mail),
            Route("/mails/{number:int}/html", show_html),
        ],
        # A page from elsewhere whose name was made to point here has another host, and reads nobody's codes.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", "::1"])],
    )


def keep(settings: Settings) -> None:
    """Take mails and show them until SIGTERM or SIGINT."""
    configure_logs(settings.log_level, "mailbox")
    # aiosmtpd would log every command, and so every address.
    logging.getLogger("mail").propagate = False
    logging.getLogger("mail").addHandler(logging.NullHandler())
    asyncio.run(_keep(settings.mailbox_listen))


async def _keep(listen: str) -> None:
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    host, port = address(with_port(listen, 1))

    def converse() -> SMTP:
        return SMTP(
            mailbox, hostname="mailbox.localhost", enable_SMTPUTF8=True, data_size_limit=MAIL_SIZE_MAX, loop=loop
        )

    async with await loop.create_server(converse, host, port):
        page_host, page_port = address(listen)
        config = uvicorn.Config(
            build_app(mailbox), page_host, page_port, log_config=None, access_log=False, lifespan="off", ws="none"
        )
        with contextlib.suppress(KeyboardInterrupt):
            await uvicorn.Server(config).serve()


def _in_short(one: Kept) -> dict[str, Any]:
    mail = one.read()
    return {
        "number": one.number,
        "at": one.at.isoformat(),
        "from": _header(mail, "from"),
        "to": ", ".join(one.recipients),
        "subject": _header(mail, "subject"),
    }


def _in_full(one: Kept) -> dict[str, Any]:
    head = one.content.partition(b"\r\n\r\n")[0]
    return {
        **_in_short(one),
        "envelope": {"from": one.sender, "to": list(one.recipients)},
        "headers": head.decode("utf-8", "replace"),
        "text": _body(one, "plain"),
        "has_html": bool(_body(one, "html")),
    }


def _header(mail: EmailMessage, name: str) -> str:
    try:
        return str(mail[name] or "").encode("utf-8", "replace").decode()
    except (ValueError, LookupError, AttributeError, TypeError):
        # Whatever it is, it is no header; the headers as they came are shown beside.
        return ""


def _body(one: Kept, kind: str) -> str:
    """The part of this kind, "" if there is none that can be read."""
    try:
        part = one.read().get_body((kind,))
        return "" if part is None else str(part.get_content())
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return ""

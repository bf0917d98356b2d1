"""Where mails are handed in: a relay's URL, taken apart. Pure."""

import ipaddress
from enum import Enum
from typing import Final, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

# RFC 6409 and RFC 8314.
PORTS: Final = {"smtp": 587, "smtps": 465}


class Tls(Enum):
    """How a connection is sealed."""

    IMPLICIT = "implicit"  # from its first byte
    REQUIRED = "required"  # after STARTTLS, or not at all
    OPTIONAL = "optional"  # if they can; whoever listens in can keep it from being so, and nobody's name is checked
    NEVER = "never"


class RelayRefused(ValueError):
    """The relay cannot be used as it is written: one sentence that says why, without the URL."""


class Relay(NamedTuple):
    """One relay."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Relay({self.host!r}, {self.port})"


def read_relays(urls: str, password: str | None) -> list[Relay]:
    """Relays, with commas between: smtp://user@host:587, smtps://host, smtp://host?starttls=optional.

    The first is used while it answers, then the next. Raises RelayRefused.
    """
    return [_read(url.strip(), password) for url in urls.split(",") if url.strip()]


def _read(url: str, password: str | None) -> Relay:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise RelayRefused("A relay's URL is smtp://host:587 or smtps://host:465.") from None
    host = parts.hostname
    if not host or parts.path.strip("/") or parts.password is not None:
        raise RelayRefused("A relay's URL is smtp://host:587 or smtps://host:465; its password is in a file.")
    tls = _tls(parts.scheme, parts.query, host)
    user = unquote(parts.username) if parts.username else None
    if user and password is None:
        raise RelayRefused("A relay with a user needs a password, in a file.")
    if user and tls in (Tls.OPTIONAL, Tls.NEVER) and not _is_loopback(host):
        raise RelayRefused("A relay that is told a password has to be spoken to by TLS.")
    return Relay(host, port, tls, user, password if user else None)


def _tls(scheme: str, query: str, host: str) -> Tls:
    if scheme == "smtps":
        return Tls.IMPLICIT
    asked = parse_qs(query).get("starttls", [])
    try:
        return Tls(asked[0]) if asked else Tls.OPTIONAL if _is_loopback(host) else Tls.REQUIRED
    except ValueError:
        raise RelayRefused("starttls is required, optional or never.") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""The hub's one door to servers that are not ours: a JSON document, fetched with distrust. It alone knows httpx2.

Where a request goes is decided once: the name is resolved, every address that comes of it has to be a public one, and
the connection is made to that very address, so that no name leads inside (CWE-918) and none changes its mind on the way
(DNS rebinding). No redirect is followed, no proxy asked, nothing unpacked; what comes back is bounded in size and time.
It never sends a cookie or a credential.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import httpx2

from hub.jws import JwsRefused, read_object

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]

# A provider's keys have a few kilobytes.
BODY_SIZE_MAX: Final = 256 * 1024
# From the first question to the last byte; a person is waiting.
FETCH_TIMEOUT_S: Final = 5.0
CONNECT_TIMEOUT_S: Final = 2.0
URL_LENGTH_MAX: Final = 500
# Fetches under way at once. Each provider is asked once at a time: so many are many tenants'.
FETCHES_MAX: Final = 64
# Names that nobody answers for hold a thread for as long as the system's resolver likes: these, and no others.
RESOLVERS: Final = ThreadPoolExecutor(8, thread_name_prefix="resolve")
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
# Global unicast (RFC 4291, 2.4); what lies outside of it is nobody's server.
IPV6_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
# What Python's list of networks that are not global leaves out: all of RFC 6890's 192.0.0.0/24, where some clouds keep
# their secrets, and the relays of 6to4 (RFC 7526).
ALSO_NOT_GLOBAL: Final = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))


class OutsideRefused(Exception):
    """We do not ask there, or do not take what was answered: asking again will not help."""


class OutsideUnavailable(Exception):
    """Nobody answered in time, or with an error: later it may be different."""


class Target(NamedTuple):
    """Where a URL leads: the host as it is written, and the address that was looked at."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address

    @property
    def authority(self) -> str:
        """The host, and the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The same place by its address."""
        literal = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{self.scheme}://{literal}:{self.port}{self.path}"


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, by the system's resolver."""
    find = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(RESOLVERS, find)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Outside:
    """Fetches documents. `internal`: networks of ours that may be asked too; loopback there even without TLS."""

    def __init__(
        self,
        internal: Sequence[str] = (),
        *,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = FETCH_TIMEOUT_S,
    ) -> None:
        self._internal: list[Network] = [ipaddress.ip_network(network) for network in internal]
        self._resolve = resolve
        self._tls = ssl.create_default_context() if tls is None else tls
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(FETCHES_MAX)

    async def fetch(self, url: str) -> dict[str, Any]:
        """The JSON object at `url`. Raises OutsideRefused, OutsideUnavailable."""
        try:
            async with asyncio.timeout(self._timeout_s), self._slots:
                body = await self._read(await self._find(url))
        except TimeoutError:
            raise OutsideUnavailable("no answer in time") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise OutsideUnavailable(type(error).__name__) from None
        try:
            return read_object(body)
        except JwsRefused:
            raise OutsideRefused("the answer is no JSON object") from None

    async def _find(self, url: str) -> Target:
        scheme, host, port, path = self.read_url(url)
        found = [ipaddress.ip_address(one.partition("%")[0]) for one in await self._resolve(host, port)]
        if not found:
            raise OutsideUnavailable("no address")
        # All of them: a name with one good address and one that is ours is no mistake of its owner's.
        if not all(map(self._is_allowed, found)):
            raise OutsideRefused("the name leads to an address that is not public")
        if scheme == "http" and not all(address.is_loopback for address in found):
            raise OutsideRefused("only https")
        return Target(scheme, host, port, path, found[0])

    def read_url(self, url: str) -> tuple[str, str, int, str]:
        """Scheme, host, port and path of a URL that may be asked, by its letters alone. Raises OutsideRefused."""
        if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or {*url} & {" ", "\\"}:
            raise OutsideRefused("no URL")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise OutsideRefused("no URL") from None
        if parts.scheme not in DEFAULT_PORTS or (parts.scheme == "http" and not self._internal):
            raise OutsideRefused("only https")
        if not parts.hostname or "@" in parts.netloc or parts.fragment or port == 0:
            raise OutsideRefused("no URL of a document")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme], path

    def _is_allowed(self, address: Address) -> bool:
        if any(address in network for network in self._internal):
            return True
        if isinstance(address, ipaddress.IPv6Address):
            # Addresses that hold an IPv4 one lead to it, wherever that is.
            if address.ipv4_mapped or address.sixtofour or address.teredo:
                return False
            return address in IPV6_UNICAST and address.is_global
        if address.is_multicast or any(address in network for network in ALSO_NOT_GLOBAL):
            return False
        return address.is_global

    async def _read(self, target: Target) -> bytes:
        transport = httpx2.AsyncHTTPTransport(verify=self._tls, trust_env=False, retries=0)
        timeout = httpx2.Timeout(self._timeout_s, connect=CONNECT_TIMEOUT_S)
        # A client for one request: a kept connection is to an address, and would serve another name at it.
        async with (
            httpx2.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "GET",
                target.url,
                headers={"host": target.authority, "accept": "application/json", "accept-encoding": "identity"},
                extensions={"sni_hostname": target.host},
            ) as response,
        ):
            if response.is_redirect:
                raise OutsideRefused("a redirect")
            if response.status_code >= 500 or response.status_code == 429:
                raise OutsideUnavailable(f"status {response.status_code}")
            if response.status_code != 200:
                raise OutsideRefused(f"status {response.status_code}")
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise OutsideRefused("packed")
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > BODY_SIZE_MAX:
                    raise OutsideRefused("too large")
            return bytes(body)

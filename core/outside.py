"""The one door to servers that somebody else chose: documents are fetched, messages are brought, both with distrust.

Where a request goes is decided once: the name is resolved, every address that comes of it has to be a public one, and
the connection is made to that very address, so that no name leads inside (CWE-918) and none changes its mind on the way
(DNS rebinding). No redirect is followed, no proxy asked, nothing unpacked; what comes back is bounded in size and time.
It never sends a cookie, nor a credential but what its caller brings.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import httpx2

from core.json_object import NoObject, read_object

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]

# A provider's keys have a few kilobytes.
BODY_SIZE_MAX: Final = 256 * 1024
# From the first question to the last byte; a person is waiting.
FETCH_TIMEOUT_S: Final = 5.0
CONNECT_TIMEOUT_S: Final = 2.0
URL_LENGTH_MAX: Final = 500
# Until whoever is brought something has answered. Standard Webhooks asks for 15 to 30 seconds.
POST_TIMEOUT_S: Final = 15.0
POST_CONNECT_TIMEOUT_S: Final = 3.0
# What is said beside the status is nobody's concern: so much of it is read that the connection can be used again.
REMARKS_SIZE_MAX: Final = 4 * 1024
REMARKS_TIMEOUT_S: Final = 0.5
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
    """Nobody answered in time, or with an error: later it may be different.

    `code`: why, a stable word: no_address, timeout, connection_failed.
    """

    def __init__(self, message: str, code: str = "connection_failed") -> None:
        super().__init__(message)
        self.code = code


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


class Answered(NamedTuple):
    """What came back: the status, and how long they ask us to wait, in seconds, if they do (RFC 9110, 10.2.3)."""

    status: int
    after_s: float | None = None


class Way:
    """A way to one place, at the address that was looked at; its connection is kept while there is more to bring."""

    def __init__(self, client: httpx2.AsyncClient, target: Target, timeout_s: float) -> None:
        self._client = client
        self._target = target
        self._timeout_s = timeout_s

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answered:
        """Bring this, and hear the status, whatever it is. Raises OutsideUnavailable."""
        target = self._target
        try:
            async with asyncio.timeout(self._timeout_s):
                request = self._client.build_request(
                    "POST",
                    target.url,
                    content=body,
                    headers={**headers, "host": target.authority, "accept-encoding": "identity"},
                    extensions={"sni_hostname": target.host},
                )
                response = await self._client.send(request, stream=True)
        except (TimeoutError, httpx2.TimeoutException):
            raise OutsideUnavailable("no answer in time", "timeout") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise OutsideUnavailable(type(error).__name__) from None
        try:
            with suppress(TimeoutError, httpx2.HTTPError, OSError):
                async with asyncio.timeout(REMARKS_TIMEOUT_S):
                    size = 0
                    async for piece in response.aiter_raw():
                        size += len(piece)
                        if size > REMARKS_SIZE_MAX:
                            break
        finally:
            with suppress(httpx2.HTTPError, OSError):
                await response.aclose()
        return Answered(response.status_code, _read_wait(response.headers.get("retry-after", "")))


def _read_wait(text: str) -> float | None:
    """Seconds, where seconds are said; a date is not worth a clock of theirs."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, by the system's resolver."""
    find = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(RESOLVERS, find)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Outside:
    """Fetches documents, and opens ways.

    `internal`: networks of ours that may be asked too; loopback there even without TLS.
    """

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
            raise OutsideUnavailable("no answer in time", "timeout") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise OutsideUnavailable(type(error).__name__) from None
        try:
            return read_object(body)
        except NoObject:
            raise OutsideRefused("the answer is no JSON object") from None

    @asynccontextmanager
    async def open(self, url: str, timeout_s: float = POST_TIMEOUT_S) -> AsyncIterator[Way]:
        """A way to bring something to `url`. Raises OutsideRefused, OutsideUnavailable."""
        target = await self.find(url)
        timeout = httpx2.Timeout(timeout_s, connect=POST_CONNECT_TIMEOUT_S)
        transport = httpx2.AsyncHTTPTransport(
            verify=self._tls, trust_env=False, retries=0, limits=httpx2.Limits(max_connections=1)
        )
        async with httpx2.AsyncClient(
            transport=transport, timeout=timeout, follow_redirects=False, trust_env=False
        ) as client:
            yield Way(client, target, timeout_s)

    async def find(self, url: str) -> Target:
        """Where a URL leads now. Raises OutsideRefused, OutsideUnavailable."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._find(url)
        except TimeoutError:
            raise OutsideUnavailable("no address in time", "no_address") from None
        except (OSError, UnicodeError):
            raise OutsideUnavailable("no address", "no_address") from None

    async def _find(self, url: str) -> Target:
        scheme, host, port, path = self.read_url(url)
        found = [ipaddress.ip_address(one.partition("%")[0]) for one in await self._resolve(host, port)]
        if not found:
            raise OutsideUnavailable("no address", "no_address")
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

"""HTTP heads and bodies that are too long, too slow or never end; and the road to the upgrade."""

import asyncio
import time

import pytest

from tests.hub.conftest import Hubs
from tests.hub.raw import WEB, RawSocket, upgrade_request

MEGABYTE = 1 << 20


async def test_a_head_above_eight_kilobytes_is_refused_and_closed(hubs: Hubs) -> None:
    for head in (
        b"GET /healthz HTTP/1.1\r\nhost: hub\r\nx: " + b"a" * 8192 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: hub\r\n" + b"x: 1\r\n" * 2000 + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nhost: hub\r\n\r\n",
        upgrade_request("payhub.v1.json", "x: " + "a" * 8192),
    ):
        raw = await RawSocket.connect(hubs.a.port)
        raw.send(head)
        answer = await raw.head()
        assert answer.startswith("HTTP/1.1 431")
        assert await raw.seconds_until_closed() < 5


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\nhost: hub\r\nx: ", id="a header line"),
        pytest.param(b"GET /", id="a path"),
        pytest.param(
            b"GET /healthz HTTP/1.1\r\nhost: hub\r\n\r\nGET /healthz HTTP/1.1\r\nhost: hub\r\nx: ",
            id="a second head",
        ),
        pytest.param(
            b"POST /v1/login HTTP/1.1\r\nhost: hub\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ",
            id="a trailer",
        ),
        pytest.param(
            b"POST /v1/login HTTP/1.1\r\nhost: hub\r\ntransfer-encoding: chunked\r\n\r\n1;x=",
            id="a chunk's extension",
        ),
        pytest.param(b"POST /v1/login HTTP/1.1\r\nhost: hub\r\ncontent-length: 99999999\r\n\r\n", id="a body"),
    ],
)
async def test_a_line_of_sixty_four_megabytes_does_not_fill_the_memory(hubs: Hubs, beginning: bytes) -> None:
    before = hubs.a.rss_bytes()
    raw = await RawSocket.connect(hubs.a.port)
    raw.send(beginning)
    grown = 0
    try:
        for _ in range(64):
            raw.send(b"a" * MEGABYTE)
            await asyncio.wait_for(raw.writer.drain(), 10)
            grown = max(grown, hubs.a.rss_bytes() - before)
    except (ConnectionError, TimeoutError):
        pass
    assert grown < 8 * MEGABYTE
    assert await raw.seconds_until_closed() < 15


async def test_slow_heads_and_silent_connections_are_closed_within_five_seconds(hubs: Hubs) -> None:
    silent = await RawSocket.connect(hubs.a.port)
    half = await RawSocket.connect(hubs.a.port)
    half.send(b"GET /healthz HTTP/1.1\r\nhost:")
    dripped = await RawSocket.connect(hubs.a.port)
    late = await RawSocket.connect(hubs.a.port)
    late.send(b"GET /healthz HTTP/1.1\r\nhost: hub\r\n\r\n")
    assert (await late.head()).startswith("HTTP/1.1 200")
    late.send(b"GET /heal")

    async def drip() -> None:
        for byte in b"GET /healthz HTTP/1.1\r\nhost: hub\r\nx: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":
            dripped.send(bytes((byte,)))
            await asyncio.sleep(0.5)

    dripping = asyncio.create_task(drip())
    seconds = await asyncio.gather(*(raw.seconds_until_closed() for raw in (silent, half, dripped, late)))
    dripping.cancel()
    assert all(3 < one < 10 for one in seconds), seconds


async def test_a_second_head_that_begins_behind_a_body_is_timed_too(hubs: Hubs) -> None:
    raw = await RawSocket.connect(hubs.a.port)
    raw.send(b"GET /healthz HTTP/1.1\r\nhost: hub\r\n\r\nGET /heal")
    assert 3 < await raw.seconds_until_closed() < 10


async def test_a_slow_body_is_closed(hubs: Hubs) -> None:
    raw = await RawSocket.connect(hubs.a.port)
    raw.send(b"POST /v1/login HTTP/1.1\r\nhost: hub\r\ncontent-length: 100\r\n\r\n{")
    assert 5 < await raw.seconds_until_closed() < 20


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\xff\xfe\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS on a plain port
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: hub\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: hub\r\ncontent-length: -1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: hub\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nho st: hub\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nhost: hub\r\n\r\n",
        b"GET /%zz%00 HTTP/1.1\r\nhost: hub\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_answered_or_closed(hubs: Hubs, line: bytes) -> None:
    raw = await RawSocket.connect(hubs.a.port)
    raw.send(line)
    started = time.monotonic()
    async with asyncio.timeout(15):
        answer = await raw.reader.read(64)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    assert time.monotonic() - started < 10


async def test_an_upgrade_elsewhere_is_refused(hubs: Hubs) -> None:
    for target in ("/", "/v1/socke", "/v1/socket/", "/v1/native/", "/v1/native/../x", "/healthz", "/v1/accounts"):
        raw = await RawSocket.connect(hubs.a.port)
        assert not (await raw.upgrade(target=target)).startswith("HTTP/1.1 101"), target


async def test_a_token_in_the_address_is_refused(hubs: Hubs) -> None:
    for target in ("/v1/native?token=eyJ", "/v1/native?a=1&access_token=eyJ", "/v1/native?TOKEN=eyJ"):
        raw = await RawSocket.connect(hubs.a.port)
        assert (await raw.upgrade(target=target)).startswith("HTTP/1.1 400"), target


ORIGINS = {
    "evil": ("https://evil.example",),
    "ours as a prefix": ("https://app.example.com.evil.io",),
    "ours as a suffix": ("https://evilapp.example.com",),
    "null": ("null",),
    "empty": ("",),
    "upper case": ("https://APP.example.com",),
    "another port": ("https://app.example.com:8443",),
    "http": ("http://app.example.com",),
    "a look-alike": ("https://xn--pp-8ka.example.com",),
    "a slash behind": ("https://app.example.com/",),
    "user information": ("https://app.example.com@evil.example",),
    "none": (),
    "two in one header": ("https://app.example.com https://evil.example",),
    "two headers": ("https://app.example.com", "https://evil.example"),
    "the same twice": ("https://app.example.com", "https://app.example.com"),
}


@pytest.mark.parametrize("origins", ORIGINS.values(), ids=ORIGINS)
async def test_a_page_of_another_origin_gets_no_upgrade(hubs: Hubs, origins: tuple[str, ...]) -> None:
    raw = await RawSocket.connect(hubs.a.port)
    head = await raw.upgrade("payhub.v1.json", *(f"Origin: {origin}" for origin in origins), target=WEB)
    # The library beneath us refuses two of them by itself.
    assert head.startswith(("HTTP/1.1 403", "HTTP/1.1 400"))


async def test_our_own_page_gets_one(hubs: Hubs) -> None:
    await RawSocket.upgraded(hubs.a.port, "payhub.v1.json", "Origin: https://app.example.com", target=WEB)


async def test_no_known_subprotocol_is_closed_with_its_own_code(hubs: Hubs) -> None:
    for offered in ("", "mqtt", "payhub.v2.json", "PAYHUB.V1.JSON"):
        raw = await RawSocket.connect(hubs.a.port)
        head = await raw.upgrade(offered)
        if head.startswith("HTTP/1.1 101"):
            assert await raw.close_code() == 4504
        else:
            assert head.startswith("HTTP/1.1 400"), head

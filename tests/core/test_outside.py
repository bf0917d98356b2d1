"""Where the hub may be sent, and what it takes from there: no name leads inside, and nothing is endless."""

import asyncio
import datetime
import gzip
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from core.outside import BODY_SIZE_MAX, Outside, OutsideRefused, OutsideUnavailable, Target, resolve
from tests.hub.oidc import JSON, Answer, OidcServer

LOOPBACK = ["127.0.0.0/8", "::1/128"]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OidcServer]:
    running = await OidcServer().start()
    yield running
    await running.stop()


INSIDE = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0.0.0.0/",
    "https://0/",
    "https://localhost/",
    "https://localhost.localdomain/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://192.0.0.192/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/",
    "https://[2001:0:a00:1::]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
]
NO_URLS = [
    "",
    "http://example.com/",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "data:application/json,{}",
    "//example.com/",
    "/jwks",
    "https://",
    "https:///path",
    "https://user:password@example.com/",
    "https://example.com@evil.example/",
    "https://example.com\\@evil.example/",
    "https://example.com/ x",
    "https://example.com/\r\nhost: evil",
    "https://example.com/#part",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://[::1/",
    "https://ex\u00e4mple.com/",
    "https://example.com/" + "x" * 500,
    "\ud800",
]


class Watched(Outside):
    """Fails where it would connect."""

    async def _read(self, target: Target) -> bytes:
        raise AssertionError(f"it connects to {target.address}")


@pytest.mark.parametrize("url", INSIDE)
async def test_no_address_of_ours_is_asked_however_it_is_written(url: str) -> None:
    # What no resolver knows is as good as refused; nothing is ever connected to.
    with pytest.raises((OutsideRefused, OutsideUnavailable)):
        await Watched().fetch(url)


@pytest.mark.parametrize("url", NO_URLS)
async def test_what_is_no_https_url_is_not_even_resolved(url: str) -> None:
    async def no_resolver(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host} was resolved")

    with pytest.raises(OutsideRefused):
        await Outside(resolve=no_resolver).fetch(url)


async def test_one_address_of_ours_among_good_ones_is_enough_to_refuse(server: OidcServer) -> None:
    for addresses in (["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], ["2606:2800:220:1::1", "::1"]):

        async def resolver(host: str, port: int, found: list[str] = addresses) -> list[str]:
            return found

        with pytest.raises(OutsideRefused, match="not public"):
            await Outside(resolve=resolver).fetch(f"https://idp.example:{server.port}/")
    assert server.asked == []


async def test_a_name_is_resolved_once_and_that_address_is_connected_to(server: OidcServer) -> None:
    """A name that changes its mind between the look and the connection (DNS rebinding) changes nothing."""
    answers = [["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]]

    async def resolver(host: str, port: int) -> list[str]:
        assert host == "idp.example"
        return answers.pop(0)

    outside = Outside(LOOPBACK, resolve=resolver)
    document = await outside.fetch(f"http://idp.example:{server.port}/.well-known/openid-configuration")
    assert document["issuer"] == server.issuer
    assert len(answers) == 2
    # The server hears the name that it was asked by.
    assert f"host: idp.example:{server.port}\r\n" in server.heads[0].lower()
    with pytest.raises(OutsideRefused):
        await outside.fetch(f"http://idp.example:{server.port}/")


@pytest.mark.parametrize("url", [*INSIDE, *NO_URLS])
async def test_nothing_is_brought_to_an_address_of_ours(url: str) -> None:
    with pytest.raises((OutsideRefused, OutsideUnavailable)):
        async with Outside().open(url):
            raise AssertionError("a way was opened")


async def test_a_way_stays_at_the_address_that_was_looked_at(server: OidcServer) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def resolver(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async def take(_: str) -> Answer:
        return 302, {"location": f"{server.issuer}/elsewhere", "retry-after": "7"}, b""

    server.instead = take
    async with Outside(LOOPBACK, resolve=resolver).open(f"http://hooks.example:{server.port}/in") as way:
        for _ in range(2):
            answered = await way.post(b"{}", {"x-own": "1"})
            assert (answered.status, answered.after_s) == (302, 7.0)
    assert server.asked == ["/in", "/in"]
    assert len(answers) == 1


async def test_loopback_is_asked_where_a_setting_says_so_and_nothing_else_is(server: OidcServer) -> None:
    url = f"{server.issuer}/jwks"
    assert "keys" in await Outside(LOOPBACK).fetch(url)
    for internal in ([], ["10.0.0.0/8"], ["127.0.0.2/32"]):
        with pytest.raises(OutsideRefused):
            await Outside(internal).fetch(url)

    async def resolver(host: str, port: int) -> list[str]:
        return ["10.1.2.3"]

    # An internal network is asked with TLS only.
    with pytest.raises(OutsideRefused, match="only https"):
        await Outside(["10.0.0.0/8"], resolve=resolver).fetch("http://idp.internal/")


async def test_no_redirect_is_followed(server: OidcServer) -> None:
    for status in (301, 302, 303, 307, 308):

        async def redirect(path: str, status: int = status) -> Answer | None:
            return (status, {"location": f"{server.issuer}/jwks"}, b"") if path == "/" else None

        server.instead = redirect
        with pytest.raises(OutsideRefused, match="redirect"):
            await Outside(LOOPBACK).fetch(server.issuer + "/")
    assert set(server.asked) == {"/"}


ANSWERS: dict[str, tuple[Answer, type[Exception]]] = {
    "a page": ((200, {"content-type": "text/html"}, b"<!doctype html>"), OutsideRefused),
    "a list": ((200, JSON, b"[]"), OutsideRefused),
    "half an object": ((200, JSON, b'{"a":'), OutsideRefused),
    "a name twice": ((200, JSON, b'{"keys":[],"keys":[]}'), OutsideRefused),
    "very deep": ((200, JSON, b'{"a":' * 20_000), OutsideRefused),
    "nan": ((200, JSON, b'{"a":NaN}'), OutsideRefused),
    "nothing": ((200, JSON, b""), OutsideRefused),
    "no utf-8": ((200, JSON, b'{"a":"\xff"}'), OutsideRefused),
    "too large": ((200, JSON, b" " * (BODY_SIZE_MAX + 1)), OutsideRefused),
    "packed": ((200, {**JSON, "content-encoding": "gzip"}, gzip.compress(b"{}" + b" " * 10**7)), OutsideRefused),
    "packed otherwise": ((200, {**JSON, "content-encoding": "br"}, b"x"), OutsideRefused),
    "not found": ((404, JSON, b"{}"), OutsideRefused),
    "forbidden": ((403, JSON, b"{}"), OutsideRefused),
    "created": ((201, JSON, b"{}"), OutsideRefused),
    "an error": ((500, JSON, b"{}"), OutsideUnavailable),
    "busy": ((503, JSON, b"{}"), OutsideUnavailable),
    "too many": ((429, JSON, b"{}"), OutsideUnavailable),
}


@pytest.mark.parametrize(("answer", "error"), ANSWERS.values(), ids=ANSWERS)
async def test_what_is_no_document_is_refused(server: OidcServer, answer: Answer, error: type[Exception]) -> None:
    async def instead(_: str) -> Answer:
        return answer

    server.instead = instead
    with pytest.raises(error):
        await Outside(LOOPBACK).fetch(server.issuer + "/")


async def test_whoever_answers_too_slowly_is_left(server: OidcServer) -> None:
    async def never(_: str) -> Answer:
        await asyncio.sleep(30)
        return 200, JSON, b"{}"

    server.instead = never
    started = time.monotonic()
    with pytest.raises(OutsideUnavailable, match="in time"):
        await Outside(LOOPBACK, timeout_s=0.5).fetch(server.issuer + "/")
    assert time.monotonic() - started < 2


async def test_an_endless_answer_and_one_that_drips_are_cut() -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            while True:
                size = 65_536 if path == b"/flood" else 1
                writer.write(f"{size:x}\r\n".encode() + b" " * size + b"\r\n")
                await writer.drain()
                await asyncio.sleep(0 if path == b"/flood" else 0.05)
        except ConnectionError:
            writer.close()

    pouring = await asyncio.start_server(pour, "127.0.0.1", 0)
    port = pouring.sockets[0].getsockname()[1]
    try:
        with pytest.raises(OutsideRefused, match="too large"):
            await Outside(LOOPBACK).fetch(f"http://127.0.0.1:{port}/flood")
        with pytest.raises(OutsideUnavailable):
            await Outside(LOOPBACK, timeout_s=0.7).fetch(f"http://127.0.0.1:{port}/drip")
    finally:
        pouring.close()


async def test_nobody_listening_is_unavailable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(OutsideUnavailable):
        await Outside(LOOPBACK).fetch(f"http://127.0.0.1:{port}/")

    async def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    with pytest.raises(OutsideUnavailable):
        await Outside(resolve=unknown).fetch("https://no-such-name.example/")


async def test_no_proxy_of_the_environment_is_asked(server: OidcServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert "keys" in await Outside(LOOPBACK).fetch(f"{server.issuer}/jwks")


async def test_the_systems_resolver_gives_every_address() -> None:
    assert "127.0.0.1" in await resolve("localhost", 443)
    assert await resolve("127.0.0.1", 443) == ["127.0.0.1"]


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's certificate for this name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "certificate.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


async def test_a_certificate_is_checked_against_the_name_and_not_the_address(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"said": "by idp.example"}).encode()
        writer.write(f"HTTP/1.1 200 X\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    secure = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=certificate(tmp_path, "idp.example"))
    port = secure.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
    try:
        outside = Outside(LOOPBACK, resolve=resolver, tls=trusting)
        assert await outside.fetch(f"https://idp.example:{port}/") == {"said": "by idp.example"}
        with pytest.raises(OutsideUnavailable):
            await outside.fetch(f"https://another.example:{port}/")
        async with outside.open(f"https://idp.example:{port}/") as way:
            assert (await way.post(b"{}", {})).status == 200
        async with outside.open(f"https://another.example:{port}/") as way:
            with pytest.raises(OutsideUnavailable) as caught:
                await way.post(b"{}", {})
        assert caught.value.code == "connection_failed"
        # Nobody whom the system does not trust.
        with pytest.raises(OutsideUnavailable):
            await Outside(LOOPBACK, resolve=resolver).fetch(f"https://idp.example:{port}/")
    finally:
        secure.close()


async def test_the_watch_itself_would_see_a_connection() -> None:
    async def public(host: str, port: int) -> list[str]:
        return ["93.184.216.34"]

    with pytest.raises(AssertionError, match=r"93\.184"):
        await Watched(resolve=public).fetch("https://idp.example/")


def test_public_addresses_are_allowed() -> None:
    outside = Outside()
    for address in ("93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001::1"):
        assert outside._is_allowed(ipaddress.ip_address(address)), address

"""Pages are served with a policy that lets nothing else in, parts for ever, each as small as the browser takes it."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest_asyncio
from starlette.applications import Starlette

from hub.limits import ADDRESS_FILE, Limits
from hub.site import PLACE, Site

SCRIPT = b"console.log('a till');" * 100
PAGE = b"<!doctype html><title>Payhub</title>" + PLACE + b'<script type="module" src="/assets/app-1.js"></script>'


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    (tmp_path / "assets").mkdir()
    (tmp_path / "app.html").write_bytes(PAGE)
    (tmp_path / "pos.html").write_bytes(PAGE)
    (tmp_path / "assets" / "app-1.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "app-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "assets" / "app-1.js.br").write_bytes(b"packed by the build")
    (tmp_path / "assets" / "font.woff2").write_bytes(b"wOF2")
    (tmp_path / "sw.js").write_bytes(b"self.skipWaiting()")
    (tmp_path / "manifest.json").write_bytes(b"{}")
    place = {"tenant": "demo", "name": "</script><b>"}
    site = Site(tmp_path, place, "https://pay.example.com")
    transport = httpx2.ASGITransport(Starlette(routes=site.routes(Limits(), lambda: 0.0)))
    async with httpx2.AsyncClient(transport=transport, base_url="https://pay.example.com") as found:
        yield found


async def test_the_root_leads_to_the_wallet_and_a_page_answers_below_its_root(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/app/")
    assert (await client.get("/app?tenant=b")).headers["location"] == "/app/?tenant=b"
    for path in ("/app/", "/app/activity", "/app/payment/1", "/pos/"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    # What was not built is not there.
    assert (await client.get("/console/")).status_code == 404


async def test_a_page_is_told_where_it_is_and_cannot_be_broken_out_of(client: httpx2.AsyncClient) -> None:
    text = (await client.get("/app/")).text
    said = text.split('id="place">')[1].split("</script>")[0]
    assert json.loads(said) == {"tenant": "demo", "name": "</script><b>"}


async def test_a_page_lets_nothing_else_in_and_is_asked_for_again(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/app/")
    policy = dict(one.split(" ", 1) for one in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' wss://pay.example.com"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-cache"
    again = await client.get("/app/", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]


async def test_a_part_is_kept_for_ever_and_served_as_small_as_it_is_taken(client: httpx2.AsyncClient) -> None:
    tags = set()
    for accepted, coding in (("br, gzip", "br"), ("gzip;q=1.0", "gzip"), ("identity", None), ("zstd", None)):
        async with client.stream("GET", "/assets/app-1.js", headers={"accept-encoding": accepted}) as answer:
            assert answer.headers.get("content-encoding") == coding
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["vary"] == "accept-encoding"
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
            tags.add(answer.headers["etag"])
    assert len(tags) == 3
    assert "vary" not in (await client.get("/assets/font.woff2")).headers


async def test_what_is_not_there_is_not_remembered_as_missing(client: httpx2.AsyncClient) -> None:
    for path in ("/assets/app-0.js", "/assets/app-1.js.br", "/assets/..%2Fapp.html"):
        answer = await client.get(path)
        assert answer.status_code == 404, path
    assert (await client.get("/assets/app-0.js")).headers["cache-control"] == "no-store"
    assert (await client.get("/manifest.json")).status_code == 404


async def test_whoever_asks_too_often_is_told_to_wait_and_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "robots.txt").write_text("User-agent: *")
    now = 1_000.0
    app = Starlette(routes=Site(tmp_path, {}).routes(Limits(), lambda: now))

    async def ask(address: str) -> httpx2.Response:
        transport = httpx2.ASGITransport(app, client=(address, 1))
        async with httpx2.AsyncClient(transport=transport, base_url="https://pay.example.com") as found:
            return await found.get("/robots.txt")

    for _ in range(int(ADDRESS_FILE.burst)):
        assert (await ask("192.0.2.1")).status_code == 200
    refused = await ask("192.0.2.1")
    assert (refused.status_code, refused.headers["retry-after"], refused.content) == (429, "1", b"")
    assert (await ask("192.0.2.2")).status_code == 200
    now += 1
    assert (await ask("192.0.2.1")).status_code == 200


async def test_the_worker_is_asked_for_each_time(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/sw.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


def test_without_a_build_there_is_no_page(tmp_path: Path) -> None:
    assert Site(tmp_path, {}).pages == {}
    assert Site(None, {}).pages == {}

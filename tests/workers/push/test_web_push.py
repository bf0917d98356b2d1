"""A browser, and nobody else, can read what it gets; services are told what they want to know, and trusted with little."""

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator
from ssl import SSLContext
from typing import Any

import pytest
import pytest_asyncio
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from core.notices.targets import FirebaseTarget, WebTarget
from loadtest.services.certificates import Certificates
from loadtest.services.http2 import Act, Said
from loadtest.services.web_push import Browser, WebPushService
from tests.workers.push.conftest import BODY, TITLE, Clock, envelope
from workers.outcome import AFTER_S_MAX, Delivered, Gone, Later, Outcome, Refused
from workers.push import web_push
from workers.push.message import Envelope, Push
from workers.push.web_push import (
    HEADER_BYTES,
    PLAIN_BYTES,
    TAG_BYTES,
    VAPID_RENEW_S,
    VAPID_S,
    VapidKey,
    WebSender,
    encode_web,
    encrypt,
    topic_of,
)


async def here(_host: str, _port: int) -> str:
    return "127.0.0.1"


@pytest.fixture(scope="session")
def vapid() -> VapidKey:
    return VapidKey(ec.generate_private_key(ec.SECP256R1()), "mailto:push@example.com")


@pytest_asyncio.fixture
async def service(certificates: Certificates, clock: Clock) -> AsyncIterator[WebPushService]:
    service = WebPushService(certificates.server_context(), clock=clock)
    await service.server.start()
    yield service
    await service.server.stop()


@pytest_asyncio.fixture
async def sender(service: WebPushService, vapid: VapidKey, clock: Clock, tls: SSLContext) -> AsyncIterator[WebSender]:
    hosts = (f"localhost:{service.server.port}",)
    sender = WebSender(
        lambda slug: None if slug == "other" else vapid, tls, here, hosts=hosts, clock=clock, timeout_s=1.0
    )
    yield sender
    await sender.close()


def to(browser: Browser, **more: Any) -> Envelope:
    return envelope(WebTarget(browser.endpoint, browser.p256dh, browser.auth), **more)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_example_of_rfc_8291_comes_out_byte_for_byte() -> None:
    # RFC 8291, 5 and appendix A.
    private = int.from_bytes(_bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        _bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        _bytes("BTBZMqHH6r4Tts7J_aSIgg"),
        key=ec.derive_private_key(private, ec.SECP256R1()),
        salt=_bytes("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert body == _bytes(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


async def test_a_browser_reads_what_was_pushed_and_nothing_more(
    service: WebPushService, sender: WebSender, vapid: VapidKey, clock: Clock
) -> None:
    browser = Browser(service.origin)
    message = to(browser, collapse="payment", badge=3, clears=("a",), expires_at=int(clock.now) + 600)
    assert await sender.send(message) == Delivered()
    (request,) = service.requests
    assert browser.open(request.body) == {
        "id": message.push.id,
        "title": TITLE,
        "body": BODY,
        "tag": "payment",
        "badge": 3,
        "clears": ["a"],
        "data": {"kind": "payment_received"},
    }
    told = {name: value for name, value in request.headers.items() if name in {"ttl", "urgency", "topic"}}
    assert told == {"ttl": "600", "urgency": "high", "topic": topic_of("payment").decode()}
    assert service.senders == {vapid.public_text}
    with pytest.raises(InvalidTag):
        Browser(service.origin).open(request.body)


async def test_all_bodies_have_one_length_and_none_is_like_another(service: WebPushService, sender: WebSender) -> None:
    browser = Browser(service.origin)
    texts: list[dict[str, Any]] = [{}, {}, {"body": "x" * 9_000}, {"title": None, "body": None, "clears": ("a",)}]
    for more in texts:
        assert await sender.send(to(browser, **more)) == Delivered()
    bodies = [request.body for request in service.requests]
    assert {len(body) for body in bodies} == {HEADER_BYTES + PLAIN_BYTES + 1 + TAG_BYTES}
    # A salt and a key of its own each.
    assert len({body[:16] for body in bodies}) == len({body[21:86] for body in bodies}) == 4
    assert browser.open(bodies[3])["clears"] == ["a"]
    assert browser.open(bodies[2])["body"].endswith("x…")
    assert (service.requests[3].headers["urgency"], service.requests[0].headers["urgency"]) == ("normal", "high")


def test_a_topic_means_nothing_to_the_service() -> None:
    assert len(topic_of("payment")) == 32 and topic_of("payment") != topic_of("payment2")
    assert topic_of("payment").replace(b"-", b"").replace(b"_", b"").isalnum()


def test_what_cannot_be_made_to_fit_is_none() -> None:
    assert encode_web(Push("id", TITLE, "x", {"kind": "x" * 3_000})) is None


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        *((Said(status), Delivered()) for status in (200, 201, 202)),
        (Said(404), Gone("unsubscribed")),
        (Said(410), Gone("unsubscribed")),
        (Said(413), Refused("too_large")),
        (Said(400), Refused("status_400")),
        (Said(307, headers=(("location", "https://localhost/elsewhere"),)), Refused("status_307")),
        (Said(401), Later("credentials", 60.0)),
        (Said(403), Later("credentials", 60.0)),
        (Said(429), Later("too_many_requests")),
        (Said(429, headers=(("retry-after", "11"),)), Later("too_many_requests", 11.0)),
        (Said(500), Later("status_500", None, True)),
        (Said(503, headers=(("retry-after", "7"),)), Later("unavailable", 7.0, True)),
        (Said(503, headers=(("retry-after", "9" * 30),)), Later("unavailable", AFTER_S_MAX, True)),
        (Act.HANG, Later("timeout", None, True)),
        (Act.RESET, Later("reset")),
        (Act.GARBAGE, Later("protocol", None, True)),
        (Act.ENDLESS, Later("too_large")),
        (Act.DROP, Later("lost", None, True)),
    ],
)
async def test_every_answer_has_its_outcome(
    service: WebPushService, sender: WebSender, said: Said | Act, outcome: Outcome,
    quiet_log: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    browser = Browser(service.origin)
    service.faults[browser.name] = deque([said])
    assert await sender.send(to(browser)) == outcome
    assert {request.path for request in service.requests} == {"/wpush/v2/" + browser.name}


async def test_a_service_that_is_down_is_asked_later_and_the_other_is_not(
    service: WebPushService, certificates: Certificates, vapid: VapidKey, clock: Clock, tls: SSLContext
) -> None:
    other = WebPushService(certificates.server_context(), host="other.localhost", clock=clock)
    await other.server.start()
    hosts = (f"localhost:{service.server.port}", f"other.localhost:{other.server.port}")
    sender = WebSender(lambda _: vapid, tls, here, hosts=hosts, clock=clock)
    away, there = to(Browser(service.origin)), to(Browser(other.origin))
    assert sender.service_of(away) != sender.service_of(there)
    await service.server.stop()
    assert await sender.send(away) == Later("unreachable", None, True)
    assert await sender.send(there) == Delivered()
    await sender.close()
    await other.server.stop()


async def test_one_token_serves_all_pushes_to_a_service_for_hours(
    service: WebPushService, sender: WebSender, clock: Clock
) -> None:
    browser = Browser(service.origin)
    await asyncio.gather(*(sender.send(to(browser)) for _ in range(50)))
    assert len({request.headers["authorization"] for request in service.requests}) == 1
    clock.now += VAPID_S - VAPID_RENEW_S
    assert await sender.send(to(browser)) == Delivered()
    assert len({request.headers["authorization"] for request in service.requests}) == 2


@pytest.mark.parametrize("endpoint", ["https://localhost/x", "http://localhost:{}/x", "https://127.0.0.1:{}/x"])
async def test_an_endpoint_elsewhere_is_never_asked(service: WebPushService, sender: WebSender, endpoint: str) -> None:
    browser = Browser(service.origin)
    target = WebTarget(endpoint.format(service.server.port), browser.p256dh, browser.auth)
    assert await sender.send(envelope(target)) == Refused("unknown_service")
    assert service.server.connections == 0


async def test_an_address_that_is_not_public_is_never_connected_to(
    service: WebPushService, vapid: VapidKey, tls: SSLContext
) -> None:
    looked: list[tuple[str, int]] = []

    async def find(host: str, port: int) -> str:
        looked.append((host, port))
        raise PermissionError

    sender = WebSender(lambda _: vapid, tls, find, hosts=(f"localhost:{service.server.port}",))
    assert await sender.send(to(Browser(service.origin))) == Refused("not_public")
    assert (looked, service.server.connections) == ([("localhost", service.server.port)], 0)
    await sender.close()


async def test_keys_that_are_no_point_detach_the_browser(service: WebPushService, sender: WebSender) -> None:
    target = WebTarget(Browser(service.origin).endpoint, "AAAA", "AAAA")
    assert await sender.send(envelope(target)) == Gone("bad_keys")


async def test_connections_to_many_services_are_not_kept_for_ever(
    service: WebPushService, sender: WebSender, monkeypatch: pytest.MonkeyPatch, vapid: VapidKey, tls: SSLContext
) -> None:
    monkeypatch.setattr(web_push, "CLIENTS_MAX", 1)
    port = service.server.port
    sender = WebSender(lambda _: vapid, tls, here, hosts=(f"localhost:{port}", f"push.localhost:{port}"))
    for host in ("localhost", "push.localhost", "localhost"):
        browser = Browser(f"https://{host}:{port}")
        service.faults[browser.name] = deque([Said(201)])
        assert await sender.send(to(browser)) == Delivered()
    assert service.server.connections == 3
    await asyncio.sleep(0.05)
    assert len(service.server.open) == 1
    await sender.close()


async def test_what_no_key_is_for_is_refused_here(service: WebPushService, sender: WebSender) -> None:
    browser = Browser(service.origin)
    assert await sender.send(to(browser)._replace(tenant="other")) == Refused("not_configured")
    assert await sender.send(envelope(FirebaseTarget("x" * 30))) == Refused("not_configured")
    assert await sender.send(to(browser, data={"kind": "x" * 3_000})) == Refused("too_large")
    assert not service.requests

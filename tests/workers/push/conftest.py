"""Push services on loopback with real TLS, and phones that are known there."""

import uuid
from collections.abc import AsyncIterator, Iterator
from ssl import SSLContext
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from core.notices.targets import AppleTarget, FirebaseTarget, Target
from loadtest.services.apple import AppleService
from loadtest.services.certificates import Certificates
from loadtest.services.firebase import FirebaseService
from workers.push.apns import AppleKey, AppleSender
from workers.push.fcm import FirebaseSender, ServiceAccount
from workers.push.http2 import tls_context
from workers.push.message import Envelope, Push

TOPIC = "com.example.pay"
TITLE, BODY = "Zé da Esquina", "Recebeu R$ 12,34"


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("push"))


@pytest.fixture(scope="session")
def tls(certificates: Certificates) -> SSLContext:
    return tls_context(str(certificates.ca_file))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def apple_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest_asyncio.fixture
async def apple(
    certificates: Certificates, apple_key: ec.EllipticCurvePrivateKey, clock: Clock
) -> AsyncIterator[AppleService]:
    keys = {("TEAM", "KEY"): apple_key.public_key()}
    service = AppleService(certificates.server_context(), keys, frozenset({TOPIC}), clock=clock)
    await service.server.start()
    yield service
    await service.server.stop()


@pytest_asyncio.fixture
async def apple_sender(
    apple: AppleService, apple_key: ec.EllipticCurvePrivateKey, clock: Clock, tls: SSLContext
) -> AsyncIterator[AppleSender]:
    sender = AppleSender(lambda _: key_at(apple, apple_key), tls, clock=clock, timeout_s=1.0)
    yield sender
    await sender.close()


def key_at(apple: AppleService, key: ec.EllipticCurvePrivateKey, team: str = "TEAM") -> AppleKey:
    at = ("localhost", apple.server.port)
    return AppleKey("KEY", team, key, (TOPIC,), (at, at))


def apple_envelope(token: str = "ab" * 32, /, **more: Any) -> Envelope:
    return envelope(AppleTarget(token, TOPIC), **more)


def envelope(target: Target, *, registered_at: float = 0.0, **more: Any) -> Envelope:
    push = Push(str(uuid.uuid4()), TITLE, BODY, {"kind": "payment_received"}, is_urgent=True)
    return Envelope("a-tenant", target, push._replace(**more), registered_at)


@pytest.fixture
def quiet_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that is logged at any level; nothing of a push is in it at the end."""
    with caplog.at_level("DEBUG"):
        yield caplog
    told = "\n".join(str(vars(record)) for record in caplog.records)
    assert not any(secret in told for secret in (TITLE, BODY, "ab" * 32, FIREBASE_TOKEN, "BEGIN PRIVATE", "earer "))


@pytest.fixture(scope="session")
def firebase_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest_asyncio.fixture
async def firebase(
    certificates: Certificates, firebase_key: rsa.RSAPrivateKey, clock: Clock
) -> AsyncIterator[FirebaseService]:
    accounts = {"push@example.com": firebase_key.public_key()}
    service = FirebaseService(certificates.server_context(), accounts, clock=clock)
    await service.server.start()
    yield service
    await service.server.stop()


@pytest_asyncio.fixture
async def firebase_sender(
    firebase: FirebaseService, firebase_key: rsa.RSAPrivateKey, clock: Clock, tls: SSLContext
) -> AsyncIterator[FirebaseSender]:
    account = ServiceAccount("a-project", "push@example.com", firebase_key, "k1", firebase.url + "/token", firebase.url)
    sender = FirebaseSender(lambda slug: None if slug == "other" else account, tls, clock=clock, timeout_s=1.0)
    yield sender
    await sender.close()


FIREBASE_TOKEN = "f" * 100 + ":APA91b-_"


def firebase_envelope(token: str = FIREBASE_TOKEN, /, **more: Any) -> Envelope:
    return envelope(FirebaseTarget(token), **more)

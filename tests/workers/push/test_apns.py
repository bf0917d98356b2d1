"""Apple is told what its documentation asks for, and each of its answers comes to one outcome."""

import asyncio
import json
import uuid
from collections import deque
from ssl import SSLContext

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from core.notices.targets import AppleTarget, FirebaseTarget
from loadtest.services.apple import AppleService, refusal
from loadtest.services.http2 import Act, Said
from tests.workers.push.conftest import BODY, TITLE, TOPIC, Clock, apple_envelope, envelope, key_at
from workers.outcome import AFTER_S_MAX, Delivered, Gone, Later, Outcome, Refused
from workers.push.apns import BODY_SIZE_MAX, TOKEN_S, TOKEN_S_MIN, AppleSender, encode_apple
from workers.push.message import Push

TOKEN = "ab" * 32


async def test_a_push_arrives_with_what_apple_wants_to_know(
    apple: AppleService, apple_sender: AppleSender, clock: Clock
) -> None:
    message = apple_envelope(collapse="c" * 64, badge=3, expires_at=int(clock.now) + 600)
    assert await apple_sender.send(message) == Delivered(message.push.id)
    request = apple.requests[0]
    assert request.path == f"/3/device/{TOKEN}"
    told = {name: value for name, value in request.headers.items() if name.startswith("apns-")}
    assert told == {
        "apns-id": message.push.id,
        "apns-topic": TOPIC,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int(clock.now) + 600),
        "apns-collapse-id": "c" * 64,
    }
    assert json.loads(request.body) == {
        "aps": {
            "alert": {"title": TITLE, "body": BODY},
            "sound": "default",
            "badge": 3,
            "thread-id": "c" * 64,
        },
        "id": message.push.id,
        "kind": "payment_received",
    }


async def test_a_push_that_takes_away_is_neither_seen_nor_heard(apple: AppleService, apple_sender: AppleSender) -> None:
    message = apple_envelope(title=None, body=None, badge=0, clears=("a", "b"), collapse="c")
    assert isinstance(await apple_sender.send(message), Delivered)
    request = apple.requests[0]
    assert (request.headers["apns-push-type"], request.headers["apns-priority"]) == ("background", "5")
    assert "apns-collapse-id" not in request.headers
    assert json.loads(request.body) == {
        "aps": {"content-available": 1},
        "id": message.push.id,
        "kind": "payment_received",
        "clears": ["a", "b"],
        "badge": 0,
    }


async def test_what_is_not_urgent_says_so(apple: AppleService, apple_sender: AppleSender) -> None:
    await apple_sender.send(apple_envelope(is_urgent=False))
    assert apple.requests[0].headers["apns-priority"] == "5"


def test_a_long_text_is_cut_and_nothing_else(apple: AppleService) -> None:
    for text in ("a" * 9_000, "é" * 9_000, "\n" * 9_000, '"' * 9_000, "🤑" * 9_000):
        encoded = encode_apple(Push("id", TITLE, text, {"kind": "news"}))
        assert encoded is not None and len(encoded) <= BODY_SIZE_MAX
        alert = json.loads(encoded)["aps"]["alert"]
        assert alert["title"] == TITLE and alert["body"].endswith("…") and len(alert["body"]) > 300
    assert encode_apple(Push("id", TITLE, "x", {"kind": "x" * 5_000})) is None


async def test_what_cannot_be_made_to_fit_is_refused_here(apple: AppleService, apple_sender: AppleSender) -> None:
    assert await apple_sender.send(apple_envelope(data={"kind": "x" * 5_000})) == Refused("too_large")
    assert not apple.requests


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        *((refusal(400, reason), Gone(code)) for reason, code in (
            ("BadDeviceToken", "bad_device_token"),
            ("DeviceTokenNotForTopic", "not_for_topic"),
        )),
        *((refusal(400, reason), Refused(code)) for reason, code in (
            ("BadCollapseId", "bad_collapse_id"),
            ("BadExpirationDate", "bad_expiration"),
            ("BadMessageId", "bad_id"),
            ("BadPriority", "bad_priority"),
            ("BadTopic", "bad_topic"),
            ("DuplicateHeaders", "duplicate_headers"),
            ("InvalidPushType", "bad_push_type"),
            ("MissingDeviceToken", "no_token"),
            ("MissingTopic", "no_topic"),
            ("PayloadEmpty", "empty"),
            ("TopicDisallowed", "topic_disallowed"),
        )),
        (refusal(400, "IdleTimeout"), Later("idle_timeout", None, True)),
        *((refusal(403, reason), Later("credentials", 60.0, True)) for reason in (
            "BadCertificate",
            "BadCertificateEnvironment",
            "ExpiredProviderToken",
            "Forbidden",
            "InvalidProviderToken",
            "MissingProviderToken",
            "BadEnvironmentKeyIdInToken",
            "UnrelatedKeyIdInToken",
        )),
        (refusal(404, "BadPath"), Refused("bad_path")),
        (refusal(405, "MethodNotAllowed"), Refused("bad_method")),
        (refusal(410, "Unregistered", 2_000_000), Gone("unregistered")),
        (refusal(410, "ExpiredToken", 2_000_000), Gone("expired_token")),
        (refusal(410, "Unregistered", 1_000_000), Later("unregistered")),
        (refusal(410, "ExpiredToken"), Later("expired_token")),
        (refusal(413, "PayloadTooLarge"), Refused("too_large")),
        (refusal(429, "TooManyRequests"), Later("too_many_requests")),
        (refusal(429, "TooManyRequests", retry_after="7"), Later("too_many_requests", 7.0)),
        (refusal(429, "TooManyProviderTokenUpdates"), Later("too_many_tokens", TOKEN_S_MIN, True)),
        (refusal(500, "InternalServerError"), Later("internal", None, True)),
        (refusal(503, "ServiceUnavailable", retry_after="30"), Later("unavailable", 30.0, True)),
        (refusal(503, "ServiceUnavailable", retry_after="99999999"), Later("unavailable", AFTER_S_MAX, True)),
        (refusal(503, "ServiceUnavailable", retry_after="Fri, 15 Jan 2027 08:01:00 GMT"), Later("unavailable", 60.0, True)),
        (refusal(503, "ServiceUnavailable", retry_after="Fri, 15 Jan 2021 08:01:00 GMT"), Later("unavailable", 0.0, True)),
        (refusal(503, "Shutdown", retry_after="soon"), Later("shutdown", None, True)),
        (Said(502, b"<html>"), Later("status_502", None, True)),
        (Said(400, b"[1, 2"), Refused("status_400")),
        (Said(400, b'{"reason": 7}'), Refused("status_400")),
        (refusal(400, "SomethingNew"), Refused("status_400")),
        (Said(302, headers=(("location", "https://localhost/secret"),)), Refused("status_302")),
    ],
)  # fmt: skip
async def test_every_answer_has_its_outcome(
    apple: AppleService, apple_sender: AppleSender, said: Said, outcome: Outcome,
    quiet_log: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    apple.faults[TOKEN] = deque([said])
    assert await apple_sender.send(apple_envelope(registered_at=1_500.0)) == outcome


@pytest.mark.parametrize(
    ("act", "code", "is_theirs"),
    [
        (Act.HANG, "timeout", True),
        (Act.RESET, "reset", False),
        (Act.GARBAGE, "protocol", True),
        (Act.DROP, "lost", True),
    ],
)
async def test_a_service_that_breaks_off_is_asked_later(
    apple: AppleService, apple_sender: AppleSender, act: Act, code: str, is_theirs: bool,
    quiet_log: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    apple.faults[TOKEN] = deque([act])
    assert await apple_sender.send(apple_envelope()) == Later(code, None, is_theirs)


async def test_a_service_that_is_down_is_asked_later(apple: AppleService, apple_sender: AppleSender) -> None:
    await apple.server.stop()
    assert await apple_sender.send(apple_envelope()) == Later("unreachable", None, True)
    await apple.server.start()
    assert isinstance(await apple_sender.send(apple_envelope()), Delivered)


async def test_a_lost_answer_is_asked_for_again_under_the_same_id(
    apple: AppleService, apple_sender: AppleSender
) -> None:
    apple.faults[TOKEN] = deque([Act.DROP, Said(200)])
    message = apple_envelope()
    assert isinstance(await apple_sender.send(message), Delivered)
    assert [request.headers["apns-id"] for request in apple.requests] == [message.push.id] * 2


async def test_one_token_is_used_for_fifty_minutes(
    apple: AppleService, apple_sender: AppleSender, clock: Clock
) -> None:
    await asyncio.gather(*(apple_sender.send(apple_envelope()) for _ in range(20)))
    clock.now += TOKEN_S - 1
    await apple_sender.send(apple_envelope())
    assert len(apple.tokens) == 1
    clock.now += 2
    assert isinstance(await apple_sender.send(apple_envelope()), Delivered)
    assert len(apple.tokens) == 2
    for text in apple.tokens:
        assert jwt.get_unverified_header(text) == {"alg": "ES256", "kid": "KEY", "typ": "JWT"}
        assert set(jwt.decode(text, options={"verify_signature": False})) == {"iss", "iat"}


@pytest.mark.parametrize("reason", ["ExpiredProviderToken", "InvalidProviderToken"])
async def test_a_token_that_is_refused_is_made_again_once_and_no_sooner_than_apple_allows(
    apple: AppleService, apple_sender: AppleSender, clock: Clock, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    await apple_sender.send(apple_envelope("cd" * 32))
    clock.now += TOKEN_S_MIN
    # Many are refused at once: one token is made for all.
    apple.faults[TOKEN] = deque([refusal(403, reason)] * 10 + [Said(200)])
    outcomes = await asyncio.gather(*(apple_sender.send(apple_envelope()) for _ in range(10)))
    assert {type(outcome) for outcome in outcomes} == {Delivered}
    texts = {request.headers["authorization"] for request in apple.requests}
    assert len(texts) == 2
    assert not caplog.records
    # Right after that there is nothing to be made: somebody has to look.
    apple.faults[TOKEN] = deque([refusal(403, reason)])
    outcomes = await asyncio.gather(*(apple_sender.send(apple_envelope()) for _ in range(10)))
    assert {*outcomes} == {Later("credentials", 60.0, True)}
    assert {request.headers["authorization"] for request in apple.requests} == texts
    told = [vars(record) for record in caplog.records]
    assert [(one["message"], one["levelname"], one["key"], one["reason"]) for one in told] == [
        ("push_credentials_refused", "ERROR", "KEY", reason)
    ]


async def test_a_key_that_apple_does_not_know_is_told_to_the_operator(
    apple: AppleService, apple_sender: AppleSender, quiet_log: pytest.LogCaptureFixture
) -> None:
    apple.keys["TEAM", "KEY"] = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert await apple_sender.send(apple_envelope()) == Later("credentials", 60.0, True)
    assert "push_credentials_refused" in quiet_log.text


async def test_each_team_has_a_connection_of_its_own(
    apple: AppleService, apple_key: ec.EllipticCurvePrivateKey, clock: Clock, tls: SSLContext
) -> None:
    apple.keys["OTHER", "KEY"] = apple_key.public_key()
    sender = AppleSender(
        lambda slug: key_at(apple, apple_key, "OTHER" if slug == "other" else "TEAM"), tls, clock=clock
    )
    for slug in ("one", "two", "other"):
        assert isinstance(await sender.send(apple_envelope()._replace(tenant=slug)), Delivered)
    assert apple.server.connections == 2
    await sender.close()


async def test_what_no_key_is_for_is_refused_here(
    apple: AppleService, apple_sender: AppleSender, tls: SSLContext
) -> None:
    sender = AppleSender(lambda _: None, tls)
    assert await sender.send(apple_envelope()) == Refused("not_configured")
    assert await apple_sender.send(envelope(AppleTarget(TOKEN, "com.example.other"))) == Refused("unknown_topic")
    assert await apple_sender.send(envelope(FirebaseTarget("x" * 30))) == Refused("not_configured")
    assert not apple.requests


def test_production_and_sandbox_are_two_services(tls: SSLContext) -> None:
    sender = AppleSender(lambda _: None, tls)
    assert sender.service_of(envelope(AppleTarget(TOKEN, TOPIC))) == "apple"
    assert sender.service_of(envelope(AppleTarget(TOKEN, TOPIC, True))) == "apple-sandbox"


async def test_five_hundred_pushes_on_one_connection_arrive_once_each_through_goaways(
    apple: AppleService, apple_key: ec.EllipticCurvePrivateKey, clock: Clock, tls: SSLContext
) -> None:
    apple.server.goaway_after = 120
    # As patient as in life: five connections, one after the other, may take more than a second on a busy machine.
    sender = AppleSender(lambda _: key_at(apple, apple_key), tls, clock=clock)
    ids = [str(uuid.uuid4()) for _ in range(500)]
    outcomes = await asyncio.gather(*(sender.send(apple_envelope(id=id_)) for id_ in ids))
    await sender.close()
    assert outcomes == [Delivered(id_) for id_ in ids]
    assert set(apple.ids) == {*ids} and set(apple.ids.values()) == {1}
    assert apple.server.connections >= 5


def test_nothing_of_a_push_is_in_what_is_said_of_it() -> None:
    message = apple_envelope(clears=("secret",), collapse="secret")
    assert repr(message) == f"Envelope({message.push.id})"
    assert repr(message.push) == f"Push({message.push.id})"

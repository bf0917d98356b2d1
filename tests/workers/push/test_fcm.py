"""Firebase is told what its reference asks for, each of its answers comes to one outcome, and one token serves all."""

import asyncio
import json
from collections import deque

import pytest

from core.notices.targets import AppleTarget, FirebaseTarget
from loadtest.services.firebase import FirebaseService, refusal
from loadtest.services.http2 import Act, Said
from tests.workers.push.conftest import (
    BODY,
    FIREBASE_TOKEN,
    TITLE,
    Clock,
    envelope,
    firebase_envelope,
)
from workers.outcome import Delivered, Gone, Later, Outcome, Refused
from workers.push.fcm import BODY_SIZE_MAX, EARLY_S, PAUSE_S, FirebaseSender, encode_firebase
from workers.push.message import Push


async def test_a_push_arrives_with_what_firebase_wants_to_know(
    firebase: FirebaseService, firebase_sender: FirebaseSender, clock: Clock
) -> None:
    message = firebase_envelope(collapse="payment", badge=3, expires_at=int(clock.now) + 600)
    assert await firebase_sender.send(message) == Delivered(f"projects/p/messages/{message.push.id}")
    (request,) = firebase.requests
    assert request.path == "/v1/projects/a-project/messages:send"
    assert json.loads(request.body) == {
        "message": {
            "token": FIREBASE_TOKEN,
            "notification": {"title": TITLE, "body": BODY},
            "data": {"kind": "payment_received", "id": message.push.id},
            "android": {
                "priority": "HIGH",
                "ttl": "600s",
                "collapse_key": "payment",
                "notification": {"tag": "payment", "notification_count": 3},
            },
        }
    }


async def test_a_push_that_takes_away_shows_nothing(firebase: FirebaseService, firebase_sender: FirebaseSender) -> None:
    message = firebase_envelope(title=None, body=None, badge=0, clears=("a", "b"))
    assert isinstance(await firebase_sender.send(message), Delivered)
    assert json.loads(firebase.requests[0].body) == {
        "message": {
            "token": FIREBASE_TOKEN,
            "data": {"kind": "payment_received", "id": message.push.id, "clears": "a,b", "badge": "0"},
            "android": {"priority": "NORMAL", "ttl": "2419200s"},
        }
    }


def test_a_long_text_is_cut_and_what_does_not_fit_is_none() -> None:
    target = FirebaseTarget(FIREBASE_TOKEN)
    encoded = encode_firebase(Push("id", TITLE, "é" * 9_000, {"from": "x", "kind": "news"}), target, 0.0)
    assert encoded is not None and BODY_SIZE_MAX - 4 <= len(encoded) <= BODY_SIZE_MAX
    assert json.loads(encoded)["message"]["data"] == {"kind": "news", "id": "id"}
    assert encode_firebase(Push("id", TITLE, "x", {"kind": "x" * 5_000}), target, 0.0) is None


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (refusal(404, "NOT_FOUND", "UNREGISTERED"), Gone("unregistered")),
        (refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"), Gone("bad_device_token")),
        (refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", field="message.token"), Gone("bad_device_token")),
        (refusal(400, "INVALID_ARGUMENT", field="message.token"), Gone("bad_device_token")),
        (refusal(400, "INVALID_ARGUMENT", field="message.data[0].value"), Refused("invalid")),
        (refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", field="message.android.ttl"), Refused("invalid")),
        (refusal(400, "INVALID_ARGUMENT"), Refused("invalid")),
        (refusal(400, "FAILED_PRECONDITION"), Refused("status_400")),
        (refusal(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), Gone("sender_mismatch")),
        (refusal(403, "PERMISSION_DENIED"), Later("credentials", 60.0, True)),
        (refusal(401, "UNAUTHENTICATED"), Later("credentials", 60.0, True)),
        (refusal(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), Later("credentials", 60.0, True)),
        (refusal(404, "NOT_FOUND"), Later("credentials", 60.0, True)),
        (refusal(413, ""), Refused("too_large")),
        (refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), Later("too_many_requests", 60.0)),
        (refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", retry_after="9"), Later("too_many_requests", 9.0)),
        (refusal(500, "INTERNAL", "INTERNAL"), Later("status_500", None, True)),
        (refusal(503, "UNAVAILABLE", "UNAVAILABLE", retry_after="30"), Later("unavailable", 30.0, True)),
        (Said(502, b"<html>"), Later("status_502", None, True)),
        (Said(400, b'{"error": []}'), Refused("status_400")),
        (Said(200, b"no name"), Delivered(None)),
        (Act.HANG, Later("timeout", None, True)),
        (Act.RESET, Later("reset")),
        (Act.GARBAGE, Later("protocol", None, True)),
    ],
)
async def test_every_answer_has_its_outcome(
    firebase: FirebaseService, firebase_sender: FirebaseSender, clock: Clock, said: Said | Act, outcome: Outcome,
    quiet_log: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    firebase.faults[FIREBASE_TOKEN] = deque([said])
    assert await firebase_sender.send(firebase_envelope()) == outcome


async def test_hundreds_fetch_one_access_token(firebase: FirebaseService, firebase_sender: FirebaseSender) -> None:
    outcomes = await asyncio.gather(*(firebase_sender.send(firebase_envelope()) for _ in range(300)))
    assert {type(outcome) for outcome in outcomes} == {Delivered}
    assert firebase.asked_for_tokens == 1
    assert len(firebase.ids) == 300 and set(firebase.ids.values()) == {1}


async def test_an_access_token_is_renewed_before_it_ends_and_nobody_waits(
    firebase: FirebaseService, firebase_sender: FirebaseSender, clock: Clock
) -> None:
    await firebase_sender.send(firebase_envelope())
    clock.now += firebase.access_s - EARLY_S + 1
    firebase.token_faults.append(Act.HANG)
    assert isinstance(await firebase_sender.send(firebase_envelope()), Delivered)
    assert firebase.asked_for_tokens == 2
    await asyncio.sleep(1.1)
    # It was not answered: the old one is good for a while yet.
    assert isinstance(await firebase_sender.send(firebase_envelope()), Delivered)
    clock.now += EARLY_S
    assert isinstance(await firebase_sender.send(firebase_envelope()), Delivered)
    assert firebase.asked_for_tokens == 3


async def test_an_access_token_that_is_not_taken_is_renewed_once(
    firebase: FirebaseService, firebase_sender: FirebaseSender, clock: Clock
) -> None:
    await firebase_sender.send(firebase_envelope())
    firebase.tokens.update(dict.fromkeys(firebase.tokens, 0.0))
    outcomes = await asyncio.gather(*(firebase_sender.send(firebase_envelope()) for _ in range(50)))
    assert {type(outcome) for outcome in outcomes} == {Delivered}
    assert firebase.asked_for_tokens == 2


async def test_an_account_that_google_does_not_know_is_told_to_the_operator(
    firebase: FirebaseService, firebase_sender: FirebaseSender, clock: Clock, quiet_log: pytest.LogCaptureFixture
) -> None:
    firebase.accounts.clear()
    outcomes = await asyncio.gather(*(firebase_sender.send(firebase_envelope()) for _ in range(20)))
    assert {*outcomes} == {Later("no_access", 60.0, True)}
    assert await firebase_sender.send(firebase_envelope()) == Later("no_access", 60.0, True)
    assert firebase.asked_for_tokens == 1
    assert quiet_log.text.count("push_credentials_refused") == 1
    clock.now += PAUSE_S
    await firebase_sender.send(firebase_envelope())
    assert firebase.asked_for_tokens == 2


@pytest.mark.parametrize("said", [Said(503), Said(200, b"{}"), Said(200, b"x"), Act.RESET])
async def test_no_access_token_is_no_fault_of_a_push(
    firebase: FirebaseService, firebase_sender: FirebaseSender, clock: Clock, said: Said | Act
) -> None:
    firebase.token_faults.append(said)
    outcome = await firebase_sender.send(firebase_envelope())
    assert isinstance(outcome, Later) and outcome.is_theirs
    clock.now += PAUSE_S
    assert isinstance(await firebase_sender.send(firebase_envelope()), Delivered)


async def test_a_service_that_is_down_is_asked_later(
    firebase: FirebaseService, firebase_sender: FirebaseSender
) -> None:
    await firebase.server.stop()
    outcomes = await asyncio.gather(*(firebase_sender.send(firebase_envelope()) for _ in range(50)))
    assert {*outcomes} == {Later("unreachable", None, True)}
    await firebase.server.start()


async def test_what_no_account_is_for_is_refused_here(
    firebase: FirebaseService, firebase_sender: FirebaseSender
) -> None:
    assert await firebase_sender.send(firebase_envelope()._replace(tenant="other")) == Refused("not_configured")
    assert await firebase_sender.send(envelope(AppleTarget("ab" * 32, "x"))) == Refused("not_configured")
    assert firebase_sender.service_of(firebase_envelope()) == "firebase"
    assert not firebase.requests

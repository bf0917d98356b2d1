"""Signatures as the standard says, checked with its own library, and what a receiver has to refuse."""

import base64
import json
import time
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from core.webhooks.signing import PREFIX, TOLERANCE_S, draw_secret, is_signed, sign

ID = "4f0d5c0e-6f0a-4a57-9c1f-2b8f2f0f7a11"
BODY = json.dumps({"type": "payment.received", "data": {"amount": 5, "metadata": {"order": "17 é"}}}).encode()
SECRET = draw_secret()


def headers(**changed: str) -> dict[str, str]:
    """Signed now: what was signed when this file was read may be too old by the time it is looked at."""
    now = int(time.time())
    signed = {"webhook-id": ID, "webhook-timestamp": str(now), "webhook-signature": sign([SECRET], ID, now, BODY)}
    return signed | {name.replace("_", "-"): value for name, value in changed.items()}


def both(given: dict[str, str], body: bytes, secret: str = SECRET) -> tuple[bool, bool]:
    """What we say, and what the standard's library says."""
    ours = is_signed(
        secret, given["webhook-id"], given["webhook-timestamp"], given["webhook-signature"], body, time.time()
    )
    try:
        Webhook(secret).verify(body.decode(), given, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return ours, False
    return ours, True


def test_a_signed_message_is_taken_by_both() -> None:
    assert both(headers(), BODY) == (True, True)
    assert len(base64.b64decode(SECRET.removeprefix(PREFIX))) == 32
    assert draw_secret() != SECRET


def test_the_standards_own_example_holds() -> None:
    """The values of the specification's example."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signed = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_replaced_either_is_enough() -> None:
    new, old = draw_secret(), draw_secret()
    given = headers(webhook_signature=sign([new, old], ID, int(time.time()), BODY))
    assert both(given, BODY, new) == both(given, BODY, old) == (True, True)
    assert both(given, BODY, draw_secret()) == (False, False)


def bad() -> dict[str, tuple[dict[str, str], bytes]]:
    """What does not show that we said this, just now."""
    now = int(time.time())
    escaped = json.dumps(json.loads(BODY), ensure_ascii=False).encode()
    return {
        "another byte": (headers(), BODY.replace(b"5", b"6")),
        "cut": (headers(), BODY[:-1]),
        "nothing": (headers(), b""),
        "re-serialised": (headers(), json.dumps(json.loads(BODY), separators=(",", ":")).encode()),
        "unescaped": (headers(), escaped),
        "in another order": (headers(), json.dumps(dict(reversed(json.loads(BODY).items()))).encode()),
        "another id": (headers(webhook_id=ID[:-1] + "2"), BODY),
        "another time": (headers(webhook_timestamp=str(now + 1)), BODY),
        "too old": (
            headers(
                webhook_timestamp=str(now - TOLERANCE_S - 1),
                webhook_signature=sign([SECRET], ID, now - TOLERANCE_S - 1, BODY),
            ),
            BODY,
        ),
        "too new": (
            headers(
                webhook_timestamp=str(now + TOLERANCE_S + 3_600),
                webhook_signature=sign([SECRET], ID, now + TOLERANCE_S + 3_600, BODY),
            ),
            BODY,
        ),
        "no time": (headers(webhook_timestamp="now"), BODY),
        "a signature cut": (headers(webhook_signature=sign([SECRET], ID, now, BODY)[:-4]), BODY),
        "another version": (headers(webhook_signature=sign([SECRET], ID, now, BODY).replace("v1", "v2")), BODY),
        "no signature": (headers(webhook_signature="v1,"), BODY),
        "noise": (headers(webhook_signature="v1,%%%"), BODY),
    }


@pytest.mark.parametrize("name", bad())
def test_what_was_not_signed_like_this_is_refused_by_both(name: str) -> None:
    assert both(*bad()[name]) == (False, False)


def test_the_edge_of_the_tolerance_is_within() -> None:
    at = 1_700_000_000
    signed = sign([SECRET], ID, at, BODY)
    for now, is_taken in ((at - 300, True), (at + 300, True), (at - 301, False), (at + 301, False)):
        assert is_signed(SECRET, ID, str(at), signed, BODY, now) is is_taken


def test_a_secret_shows_in_no_representation() -> None:
    made: Any = __import__("core.webhooks.webhooks", fromlist=["Made"]).Made
    webhook: Any = type("W", (), {"id": "an id"})()
    assert SECRET not in repr(made(webhook, SECRET))

"""What a phone or a browser registers is taken in one spelling, or refused with its field and without its value."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.errors import Refusal
from core.notices.deliveries import Road
from core.notices.targets import (
    AppleTarget,
    FirebaseTarget,
    WebTarget,
    address_of,
    from_text,
    is_push_endpoint,
    read_target,
    to_text,
)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


POINT = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
KEYS = {"p256dh": _text(POINT), "auth": _text(b"a" * 16)}
ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAAB-x_y"


def test_an_apple_token_is_kept_in_small_letters() -> None:
    target = read_target(Road.APPLE, token="AB" * 32, topic="com.example.pay", is_sandbox=True)
    assert target == AppleTarget("ab" * 32, "com.example.pay", True)


def test_each_target_comes_back_from_its_text() -> None:
    for target in (
        read_target(Road.APPLE, token="ab" * 32, topic="com.example.pay"),
        read_target(Road.FIREBASE, token="x" * 152 + ":APA91b-_"),
        read_target(Road.WEB, endpoint=ENDPOINT, p256dh=KEYS["p256dh"], auth=KEYS["auth"]),
    ):
        assert from_text(to_text(target)) == target
        assert address_of(target) in {"com.example.pay/" + "ab" * 32, "x" * 152 + ":APA91b-_", ENDPOINT}


def test_a_text_that_is_none_of_ours_is_refused_without_its_words() -> None:
    for text in ("{}", '{"to":"apple","token":1,"topic":"x"}', '{"to":"mail","token":"secret"}', "secret"):
        with pytest.raises(ValueError, match=r"^no target$"):
            from_text(text)


def test_no_target_says_its_address_in_a_log_line() -> None:
    for target in (AppleTarget("secret", "secret"), FirebaseTarget("secret"), WebTarget("secret", "secret", "secret")):
        assert "secret" not in repr(target)


@pytest.mark.parametrize(
    ("road", "given", "field"),
    [
        (Road.APPLE, {"topic": "com.example.pay"}, "address"),
        (Road.APPLE, {"token": "ab" * 31, "topic": "com.example.pay"}, "address"),
        (Road.APPLE, {"token": "ab" * 101, "topic": "com.example.pay"}, "address"),
        (Road.APPLE, {"token": "a" * 65, "topic": "com.example.pay"}, "address"),
        (Road.APPLE, {"token": "zz" * 32, "topic": "com.example.pay"}, "address"),
        (Road.APPLE, {"token": "ab" * 31 + "a\n", "topic": "com.example.pay"}, "address"),
        (Road.APPLE, {"token": "ab" * 32}, "topic"),
        (Road.APPLE, {"token": "ab" * 32, "topic": "com.example\r\nx: y"}, "topic"),
        (Road.APPLE, {"token": "ab" * 32, "topic": "a" * 156}, "topic"),
        (Road.FIREBASE, {}, "address"),
        (Road.FIREBASE, {"token": "short"}, "address"),
        (Road.FIREBASE, {"token": "x" * 1025}, "address"),
        (Road.FIREBASE, {"token": "x" * 30 + '"'}, "address"),
        (Road.WEB, KEYS, "endpoint"),
        (Road.WEB, {**KEYS, "endpoint": "https://example.com/x"}, "endpoint"),
        (Road.WEB, {"endpoint": ENDPOINT, "p256dh": KEYS["p256dh"]}, "auth"),
        (Road.WEB, {"endpoint": ENDPOINT, **KEYS, "auth": _text(b"a" * 15)}, "auth"),
        (Road.WEB, {"endpoint": ENDPOINT, **KEYS, "auth": KEYS["auth"] + "=="}, "auth"),
        (Road.WEB, {"endpoint": ENDPOINT, **KEYS, "auth": KEYS["auth"][:-1] + "B"}, "auth"),
        (Road.WEB, {"endpoint": ENDPOINT, **KEYS, "auth": "é" * 22}, "auth"),
        (Road.WEB, {"endpoint": ENDPOINT, "auth": KEYS["auth"]}, "p256dh"),
        (Road.WEB, {"endpoint": ENDPOINT, **KEYS, "p256dh": "A" * 100_000}, "p256dh"),
        (Road.WEB, {"endpoint": ENDPOINT, **KEYS, "p256dh": _text(b"\4" + b"\1" * 64)}, "p256dh"),
        (Road.WEB, {"endpoint": ENDPOINT, **KEYS, "p256dh": _text(b"\2" + POINT[1:33])}, "p256dh"),
        (Road.MAIL, {"token": "ab" * 32}, "provider"),
    ],
)
def test_what_is_not_right_is_refused_with_its_field(road: Road, given: dict[str, str], field: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_target(road, **given)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.field) == ("invalid_field", field)
    assert not any(value and value in str(caught.value) for value in given.values())


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:APA91b",
        "https://fcm.googleapis.com:443/wp/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/QOabc",
        "https://db5p.notify.windows.com/w/?token=BQYAAAC%2bx%3d",
    ],
)
def test_an_endpoint_of_a_known_push_service_is_taken(endpoint: str) -> None:
    assert is_push_endpoint(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "HTTPS://fcm.googleapis.com/x",
        "https://fcm.googleapis.com",
        "https://fcm.googleapis.com/",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:0443/x",
        "https://FCM.googleapis.com/x",
        "https://fcm.googleapis.com./x",
        "https://evil.example/fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://evil.example#@fcm.googleapis.com/x",
        "https://evil.example?.push.apple.com/x",
        "https://evil.example\\.push.apple.com/x",
        "https://evilpush.apple.com/x",
        "https://.push.apple.com/x",
        "https://push.apple.com/x",
        "https://a:b@web.push.apple.com/x",
        "https://web.push.apple.com/x#fragment",
        "https://web.push.apple.com/x y",
        "https://web.push.apple.com/x\r\nhost: y",
        "https://web.push.apple.com/é",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://web.push.apple.com/" + "x" * 1_000,
        "",
    ],
)
def test_no_other_spelling_leads_anywhere(endpoint: str) -> None:
    assert not is_push_endpoint(endpoint)


def test_other_hosts_are_taken_when_they_are_named() -> None:
    assert is_push_endpoint("https://push.example:8443/x", ("push.example:8443",))
    assert not is_push_endpoint("https://push.example/x", ("push.example:8443",))
    assert not is_push_endpoint(ENDPOINT, ("push.example",))

"""Where a push goes: what phones and browsers register, checked letter by letter, and kept as JSON to be sealed. Pure.

A browser's subscription names a URL that we shall ask: whoever registers one could send us anywhere (CWE-918), so only
the known push services' hosts are taken. That what is registered answers at all, only the first push tells.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from core.errors import Refusal
from core.notices.deliveries import Road

# Apple's have 32 bytes today; its documentation says not to count on that.
APPLE_TOKEN: Final = re.compile(r"(?:[0-9a-f]{2}){32,100}")
# A bundle id (letters, digits, hyphens and dots), perhaps with a suffix of Apple's such as .voip.
TOPIC: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,154}")
# Google's have some 160 letters and no stated length; a sealed target has room for 4,000 bytes.
FIREBASE_TOKEN: Final = re.compile(r"[A-Za-z0-9_:-]{20,1024}")
# The longest seen, Microsoft's, have some 500 letters.
ENDPOINT_LENGTH_MAX: Final = 1_000
PATH: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]+")
HTTPS_PORT: Final = 443
# RFC 8291, 3.1 and 3.2: an uncompressed point of P-256, and a secret.
P256DH_BYTES: Final = 65
AUTH_BYTES: Final = 16
# Chrome and its kin, Firefox, Safari, Edge. One that begins with a dot stands for every host below it.
PUSH_HOSTS: Final = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
)


class AppleTarget(msgspec.Struct, frozen=True, tag="apple", tag_field="to", forbid_unknown_fields=True):
    """An app on an Apple device. `topic`: its bundle id; `is_sandbox`: it was built for development."""

    token: str
    topic: str
    is_sandbox: bool = False

    def __repr__(self) -> str:
        return "AppleTarget(…)"


class FirebaseTarget(msgspec.Struct, frozen=True, tag="firebase", tag_field="to", forbid_unknown_fields=True):
    """An app on an Android device, as Firebase knows it."""

    token: str

    def __repr__(self) -> str:
        return "FirebaseTarget(…)"


class WebTarget(msgspec.Struct, frozen=True, tag="web", tag_field="to", forbid_unknown_fields=True):
    """A browser's subscription. `p256dh`, `auth`: its keys, as in PushSubscription.toJSON()."""

    endpoint: str
    p256dh: str
    auth: str

    def __repr__(self) -> str:
        return "WebTarget(…)"

    @property
    def origin(self) -> str:
        """The push service: scheme, host and port where it is not 443."""
        return "https://" + urlsplit(self.endpoint).netloc


Target: TypeAlias = AppleTarget | FirebaseTarget | WebTarget


def read_target(
    road: Road,
    *,
    token: str | None = None,
    topic: str | None = None,
    is_sandbox: bool = False,
    endpoint: str | None = None,
    p256dh: str | None = None,
    auth: str | None = None,
    hosts: Sequence[str] = PUSH_HOSTS,
) -> Target:
    """What a client registers, in one spelling; what is not of its road is overlooked.

    `hosts`: where endpoints may be: a host, ".host" for all below it, "host:port" for another port than 443.
    Raises Refusal (invalid_field) with the field, and never with its value.
    """
    if road is Road.APPLE:
        return AppleTarget(
            _matched(APPLE_TOKEN, (token or "").lower(), "address", "That is no device token of Apple's."),
            _matched(TOPIC, topic or "", "topic", "That is no bundle id."),
            is_sandbox,
        )
    if road is Road.FIREBASE:
        return FirebaseTarget(_matched(FIREBASE_TOKEN, token or "", "address", "That is no token of Firebase's."))
    if road is Road.WEB:
        if not is_push_endpoint(endpoint or "", hosts):
            raise Refusal("invalid_field", "That is no endpoint of a push service known here.", field="endpoint")
        _read_point(p256dh or "")
        if len(_decoded(auth or "", "auth")) != AUTH_BYTES:
            raise Refusal("invalid_field", "It has to be 16 bytes in base64url.", field="auth")
        return WebTarget(endpoint or "", p256dh or "", auth or "")
    raise Refusal("invalid_field", "No push goes that way.", field="provider")


def is_push_endpoint(endpoint: str, hosts: Sequence[str] = PUSH_HOSTS) -> bool:
    """Whether a URL is https, of one of these hosts, and in no spelling that two parsers read in two ways."""
    if len(endpoint) > ENDPOINT_LENGTH_MAX or not endpoint.isascii():
        return False
    scheme, _, rest = endpoint.partition("://")
    netloc, slash, path = rest.partition("/")
    if scheme != "https" or not slash or PATH.fullmatch("/" + path) is None:
        return False
    host = netloc.removesuffix(f":{HTTPS_PORT}")
    return any(_is_below(host, known) if known[0] == "." else host == known for known in hosts)


def address_of(target: Target) -> str:
    """What makes it the same phone, whatever else is registered with it."""
    if isinstance(target, WebTarget):
        return target.endpoint
    if isinstance(target, AppleTarget):
        return f"{target.topic}/{target.token}"
    return target.token


def to_text(target: Target) -> str:
    """As JSON, to be sealed."""
    return msgspec.json.encode(target).decode()


def from_text(text: str) -> Target:
    """What to_text wrote. Raises ValueError, which says nothing of it."""
    try:
        return msgspec.json.decode(text, type=Target)  # type: ignore[no-any-return]  # a union is no type to mypy
    except msgspec.DecodeError:
        raise ValueError("no target") from None


# One label or more of a host's name (RFC 1035, 2.3.1), before a known end.
_LABELS: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")


def _is_below(host: str, known: str) -> bool:
    return host.endswith(known) and _LABELS.fullmatch(host[: -len(known)]) is not None


def _matched(pattern: re.Pattern[str], text: str, field: str, why: str) -> str:
    if pattern.fullmatch(text) is None:
        raise Refusal("invalid_field", why, field=field)
    return text


def _decoded(text: str, field: str) -> bytes:
    """Base64url without padding, in its one spelling (RFC 7515, 2)."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise Refusal("invalid_field", "That is no base64url.", field=field)
    return data


def _read_point(text: str) -> None:
    """A point that is not on the curve would give away our key's remainders (RFC 8291, 7)."""
    point = _decoded(text[: P256DH_BYTES * 2], "p256dh")
    try:
        if len(point) != P256DH_BYTES:
            raise ValueError
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError:
        raise Refusal("invalid_field", "It has to be a point of P-256 in base64url.", field="p256dh") from None

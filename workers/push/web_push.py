"""Pushes to browsers (RFC 8030): known there by a key of ours (VAPID, RFC 8292), read by the browser alone (RFC 8291).

All bodies have one length, so that it says nothing of what is in them. Where a subscription leads a stranger has said:
only the known push services' hosts are asked, at an address that `find` has looked at, and no redirect is followed.
"""

import base64
import hashlib
import os
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.notices.targets import PUSH_HOSTS, WebTarget, is_push_endpoint
from core.notices.vapid import public_text
from workers.outcome import Delivered, Gone, Later, Outcome, Refused
from workers.push.http2 import ASK_S, Answer, Client, Find, Unanswered, once
from workers.push.message import Envelope, Push, encode_within
from workers.push.signing import sign
from workers.push.waiting import read_wait

# Services take 4,096 bytes, Firefox on Android some 3,000; a notification has a few hundred.
PLAIN_BYTES: Final = 2_048
# RFC 8188: salt, record size, length of the key's id, the key.
HEADER_BYTES: Final = 16 + 4 + 1 + 65
TAG_BYTES: Final = 16
RECORD_BYTES: Final = 4_096
# A last record ends its contents with this (RFC 8188, 2).
LAST: Final = b"\2"
# RFC 8292, 2: a day at most. It is sent with every push, and made again in good time.
VAPID_S: Final = 12 * 3_600
VAPID_RENEW_S: Final = 3_600
LASTS_S_MAX: Final = 28 * 86_400
# RFC 8030, 5.4.
TOPIC_LENGTH: Final = 32
# Connections to so many services at once; Microsoft has dozens of hosts. The one that was needed longest ago is closed.
CLIENTS_MAX: Final = 64
# One for each key and service, of half a kilobyte.
TOKENS_MAX: Final = 1_000
# A key of ours that is not taken is for a person to look at; a subscription may also be another key's.
CREDENTIALS_S: Final = 60.0


class VapidKey(NamedTuple):
    """The key by which push services know us, and whom they write to when something is wrong (mailto: or https:)."""

    key: EllipticCurvePrivateKey
    subject: str

    def __repr__(self) -> str:
        return f"VapidKey({self.subject!r})"

    @property
    def public_text(self) -> str:
        """What browsers subscribe with."""
        return public_text(self.key.public_key())


class WebSender:
    """Hands pushes to browsers' services. `key_of`: the key of a tenant's, by its slug.

    `find`: an address of a host that may be asked; raises OSError, and PermissionError for where we do not go.
    `hosts`: where endpoints may be (core/notices/targets.py).
    """

    def __init__(
        self,
        key_of: Callable[[str], VapidKey | None],
        tls: ssl.SSLContext,
        find: Find,
        *,
        hosts: Sequence[str] = PUSH_HOSTS,
        clock: Callable[[], float] = time.time,
        timeout_s: float = ASK_S,
    ) -> None:
        self._key_of = key_of
        self._tls = tls
        self._find = find
        self._hosts = hosts
        self._clock = clock
        self._timeout_s = timeout_s
        self._clients: OrderedDict[str, Client] = OrderedDict()
        self._tokens: OrderedDict[tuple[EllipticCurvePrivateKey, str], tuple[bytes, float]] = OrderedDict()

    def service_of(self, message: Envelope) -> str:
        """The origin of the endpoint: each fails by itself."""
        return message.target.origin if isinstance(message.target, WebTarget) else ""

    async def send(self, message: Envelope) -> Outcome:
        """Hand a push over once."""
        target, push = message.target, message.push
        vapid = self._key_of(message.tenant)
        if vapid is None or not isinstance(target, WebTarget):
            return Refused("not_configured")
        if not is_push_endpoint(target.endpoint, self._hosts):
            # It was known when the browser registered it.
            return Refused("unknown_service")
        now = self._clock()
        plain = encode_web(push)
        if plain is None:
            return Refused("too_large")
        try:
            body = encrypt(plain, _bytes(target.p256dh), _bytes(target.auth), PLAIN_BYTES)
        except ValueError:
            return Gone("bad_keys")
        headers = [
            (b"authorization", self._authorization(vapid, target.origin, now)),
            (b"content-encoding", b"aes128gcm"),
            (b"content-type", b"application/octet-stream"),
            (b"ttl", str(push.lasts_s(now, LASTS_S_MAX)).encode()),
            (b"urgency", b"high" if push.is_urgent and not push.is_silent else b"normal"),
        ]
        if push.collapse is not None:
            headers.append(once(b"topic", topic_of(push.collapse)))
        endpoint = urlsplit(target.endpoint)
        path = endpoint.path + (f"?{endpoint.query}" if endpoint.query else "")
        client = self._client(target.origin)
        try:
            answer = await client.post(path.encode(), headers, body, self._timeout_s)
        except Unanswered as error:
            if error.code == "not_public":
                return Refused("not_public")
            return Later(error.code, is_theirs=error.is_theirs)
        return self._outcome(answer)

    async def close(self) -> None:
        """Let go of connections."""
        for client in self._clients.values():
            await client.close()

    def _client(self, origin: str) -> Client:
        found = self._clients.get(origin)
        if found is None:
            idle = next((name for name, one in self._clients.items() if one.is_idle), None)
            if len(self._clients) >= CLIENTS_MAX and idle is not None:
                self._clients.pop(idle).end()
            parts = urlsplit(origin)
            found = Client(parts.hostname or "", parts.port or 443, tls=self._tls, find=self._find)
            self._clients[origin] = found
        self._clients.move_to_end(origin)
        return found

    def _authorization(self, vapid: VapidKey, origin: str, now: float) -> bytes:
        """One for all pushes to a service, as RFC 8292 (2.1) would have it."""
        header, ends_at = self._tokens.get((vapid.key, origin), (b"", 0.0))
        if not VAPID_RENEW_S < ends_at - now <= VAPID_S:
            ends_at = int(now) + VAPID_S
            token = sign(vapid.key, {"aud": origin, "exp": ends_at, "sub": vapid.subject})
            header = f"vapid t={token}, k={vapid.public_text}".encode()
            self._tokens[vapid.key, origin] = header, ends_at
            if len(self._tokens) > TOKENS_MAX:
                self._tokens.popitem(last=False)
        return header

    def _outcome(self, answer: Answer) -> Outcome:
        wait = read_wait(answer.headers, self._clock())
        match answer.status:
            case 200 | 201 | 202 | 204:
                return Delivered()
            case 404 | 410:
                return Gone("unsubscribed")
            case 401 | 403:
                # Of this subscription, perhaps: it was made with another key of ours. Its tries are used up in time.
                return Later("credentials", CREDENTIALS_S if wait is None else wait)
            case 413:
                return Refused("too_large")
            case 429:
                return Later("too_many_requests", wait)
            case status if status >= 500:
                return Later("unavailable" if status == 503 else f"status_{status}", wait, is_theirs=True)
            case status:
                return Refused(f"status_{status}")


def encode_web(push: Push) -> bytes | None:
    """What the service worker gets, its text made shorter where it has to be; None: it cannot be made to fit."""

    def build(body: str | None) -> dict[str, Any]:
        told: dict[str, Any] = {"id": push.id, "title": push.title, "body": body, "tag": push.collapse}
        told |= {"badge": push.badge, "clears": push.clears or None, "data": push.data or None}
        return {name: value for name, value in told.items() if value is not None}

    return encode_within(PLAIN_BYTES, build, push.body)


def topic_of(collapse: str) -> bytes:
    """What the service replaces an undelivered push by: 32 letters that mean nothing to it (RFC 8030, 5.4)."""
    return _text(hashlib.sha256(collapse.encode()).digest()).encode()[:TOPIC_LENGTH]


def encrypt(
    plain: bytes,
    p256dh: bytes,
    auth: bytes,
    padded_to: int = 0,
    *,
    key: EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """One record of aes128gcm for a browser's keys (RFC 8291, 3; RFC 8188, 2), with a key and a salt of its own.

    `padded_to`: the plain text looks at least so long. `key`, `salt`: only the example of the RFC says them.
    Raises ValueError where p256dh is no point of P-256.
    """
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), p256dh)
    ours = key or generate_private_key(SECP256R1())
    salt = salt or os.urandom(16)
    public = _point(ours.public_key())
    secret = _derive(ours.exchange(ECDH(), theirs), auth, b"WebPush: info\0" + p256dh + public, 32)
    content_key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    padded = plain + LAST + bytes(max(0, padded_to - len(plain)))
    assert len(padded) + TAG_BYTES <= RECORD_BYTES
    header = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(public)]) + public
    return header + AESGCM(content_key).encrypt(nonce, padded, None)


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def _point(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

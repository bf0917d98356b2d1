"""A browsers' push service (RFC 8030) that checks who sends (RFC 8292), and browsers that can read what they get.

What a body holds the service cannot know: a Browser decrypts it, by its own reading of RFC 8188 and RFC 8291.
"""

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from loadtest.services.http2 import Act, Http2Server, Request, Said

PATH: Final = "/wpush/v2/"
BODY_SIZE_MAX: Final = 4_096
EXPIRES_S_MAX: Final = 86_400


class Browser:
    """One subscription. `endpoint`, `p256dh`, `auth`: as PushSubscription.toJSON() tells them."""

    def __init__(self, origin: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = secrets.token_bytes(16)
        self._public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.name = secrets.token_urlsafe(20)
        self.endpoint = origin + PATH + self.name
        self.p256dh, self.auth = _text(self._public), _text(self._auth)

    def open(self, body: bytes) -> dict[str, Any]:
        """What the service worker gets to see. Raises ValueError."""
        salt, record_size, key_length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, sealed = body[21 : 21 + key_length], body[21 + key_length :]
        if len(sealed) > record_size:
            raise ValueError("more than one record")
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        mixed = _hkdf(
            self._auth, self._key.exchange(ec.ECDH(), point), b"WebPush: info\x00" + self._public + sender, 32
        )
        key = _hkdf(salt, mixed, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = _hkdf(salt, mixed, b"Content-Encoding: nonce\x00", 12)
        plain = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")
        if not plain.endswith(b"\x02"):
            raise ValueError("no last record")
        told: dict[str, Any] = json.loads(plain[:-1])
        return told


class WebPushService:
    """Takes pushes for any subscription. `faults`: by its name, what is answered, and the last for ever."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        *,
        keeps: bool = True,
        host: str = "localhost",
        port: int | None = None,
        clock: Callable[[], float] = time.time,
        on_taken: Callable[[str, bytes], None] = lambda name, body: None,
    ) -> None:
        """`port`: where others see it, if a gate stands before it. `on_taken`: hears of each push that is taken.

        It is told for whom a push is, and gets it as it is sealed.
        """
        self.server = Http2Server(self._answer, tls)
        self._port = port
        self.clock, self._host, self._keeps, self._on_taken = clock, host, keeps, on_taken
        self.faults: dict[str, deque[Said | Act]] = {}
        self.got: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.senders: set[str] = set()
        self._checked: dict[str, float] = {}

    @property
    def origin(self) -> str:
        """Where it is."""
        return f"https://{self._host}:{self._port or self.server.port}"

    def _answer(self, request: Request) -> Said | Act:
        if self._keeps:
            self.requests.append(request)
        name = request.path.removeprefix(PATH)
        faults = self.faults.get(name)
        if faults:
            return faults.popleft() if len(faults) > 1 else faults[0]
        status = self._check(request)
        if status != 201:
            return Said(status)
        self.got[name] += 1
        self._on_taken(name, request.body)
        return Said(201, headers=(("location", f"{self.origin}/m/{name}"),))

    def _check(self, request: Request) -> int:
        headers = request.headers
        if not request.path.startswith(PATH):
            return 404
        if not self._is_known(headers.get("authorization", "")):
            return 403
        if not headers.get("ttl", "").isdigit() or headers.get("content-encoding") != "aes128gcm":
            return 400
        if headers.get("urgency", "normal") not in {"very-low", "low", "normal", "high"}:
            return 400
        topic = headers.get("topic", "")
        if len(topic) > 32 or (not topic.replace("-", "").replace("_", "").isalnum() and topic):
            return 400
        return 413 if len(request.body) > BODY_SIZE_MAX else 201

    def _is_known(self, authorization: str) -> bool:
        """Each token is verified once."""
        ends_at = self._checked.get(authorization)
        if ends_at is None:
            try:
                scheme, _, rest = authorization.partition(" ")
                told = dict(part.strip().split("=", 1) for part in rest.split(","))
                public = base64.urlsafe_b64decode(told["k"] + "=" * (-len(told["k"]) % 4))
                claims = jwt.decode(
                    told["t"],
                    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public),
                    algorithms=["ES256"],
                    audience=self.origin,
                    options={"verify_exp": False, "require": ["aud", "exp", "sub"]},
                )
            except (jwt.InvalidTokenError, KeyError, ValueError):
                return False
            if scheme != "vapid" or not claims["sub"].startswith(("mailto:", "https:")):
                return False
            ends_at = self._checked[authorization] = float(claims["exp"])
            self.senders.add(told["k"])
        return 0 < ends_at - self.clock() <= EXPIRES_S_MAX


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, for one block."""
    extracted = hmac.digest(salt, secret, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)[:length]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

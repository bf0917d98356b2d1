"""Pushes to Apple's devices: the provider API of APNs over HTTP/2, known there by a signed token.

The delivery's id is the apns-id, and what replaces an older notification says so: a push that was sent twice is seen
once. One connection carries one team's pushes only; with another team's token Apple ends it.
"""

import logging
import ssl
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from core.notices.targets import AppleTarget
from workers.outcome import AFTER_S_MAX, Delivered, Gone, Later, Outcome, Refused
from workers.push.http2 import ASK_S, Answer, Client, Unanswered, once
from workers.push.message import COLLAPSE_BYTES_MAX, Envelope, Push, encode_within
from workers.push.signing import sign
from workers.push.waiting import read_wait

log = logging.getLogger(__name__)

HOST: Final = "api.push.apple.com"
SANDBOX_HOST: Final = "api.sandbox.push.apple.com"
BODY_SIZE_MAX: Final = 4_096
# Apple takes a token for an hour, and none that is made more often than every twenty minutes.
TOKEN_S: Final = 50 * 60.0
TOKEN_S_MIN: Final = 20 * 60.0
# What has no end of its own is kept there so long for a phone that is off.
LASTS_S_MAX: Final = 7 * 86_400
# What is wrong with our credentials is wrong with each push: the operator is told so often.
TELL_S: Final = 60.0
# It is for a person to mend; until then each probe would be refused like the one before.
CREDENTIALS_S: Final = 60.0

# Of Apple's reasons (Handling notification responses from APNs), those that say more than their status.
GONE: Final = {"BadDeviceToken": "bad_device_token", "DeviceTokenNotForTopic": "not_for_topic"}
UNREGISTERED: Final = {"Unregistered": "unregistered", "ExpiredToken": "expired_token"}
# A new token of ours may mend these.
STALE: Final = frozenset({"ExpiredProviderToken", "InvalidProviderToken"})
WORDS: Final = {
    "BadCollapseId": "bad_collapse_id",
    "BadExpirationDate": "bad_expiration",
    "BadMessageId": "bad_id",
    "BadPriority": "bad_priority",
    "BadTopic": "bad_topic",
    "DuplicateHeaders": "duplicate_headers",
    "InvalidPushType": "bad_push_type",
    "MissingDeviceToken": "no_token",
    "MissingTopic": "no_topic",
    "PayloadEmpty": "empty",
    "TopicDisallowed": "topic_disallowed",
    "BadPath": "bad_path",
    "MethodNotAllowed": "bad_method",
    "PayloadTooLarge": "too_large",
    "BadCertificate": "credentials",
    "BadCertificateEnvironment": "credentials",
    "BadEnvironmentKeyIdInToken": "credentials",
    "ExpiredProviderToken": "credentials",
    "Forbidden": "credentials",
    "InvalidProviderToken": "credentials",
    "MissingProviderToken": "credentials",
    "UnrelatedKeyIdInToken": "credentials",
    "IdleTimeout": "idle_timeout",
    "TooManyProviderTokenUpdates": "too_many_tokens",
    "TooManyRequests": "too_many_requests",
    "InternalServerError": "internal",
    "ServiceUnavailable": "unavailable",
    "Shutdown": "shutdown",
}


class AppleKey(NamedTuple):
    """An operator's key of Apple's. `topics`: the bundle ids that it is for; `hosts`: where Apple is, if not there.

    `hosts`: (host, port) of production and of the sandbox.
    """

    key_id: str
    team_id: str
    key: EllipticCurvePrivateKey
    topics: tuple[str, ...]
    hosts: tuple[tuple[str, int], tuple[str, int]] = ((HOST, 443), (SANDBOX_HOST, 443))

    def __repr__(self) -> str:
        return f"AppleKey({self.key_id!r}, {self.team_id!r})"


class _Told(msgspec.Struct):
    """The body of a refusal. `timestamp`: since when nobody is there, in milliseconds since 1970."""

    reason: str = ""
    timestamp: int = 0


class AppleSender:
    """Hands pushes to Apple. `key_of`: the key of a tenant's, by its slug."""

    def __init__(
        self,
        key_of: Callable[[str], AppleKey | None],
        tls: ssl.SSLContext,
        *,
        clock: Callable[[], float] = time.time,
        timeout_s: float = ASK_S,
    ) -> None:
        self._key_of = key_of
        self._tls = tls
        self._clock = clock
        self._timeout_s = timeout_s
        self._ways: dict[tuple[str, str, str, int], _Way] = {}

    def service_of(self, message: Envelope) -> str:
        """Production or the sandbox: they fail apart."""
        is_sandbox = isinstance(message.target, AppleTarget) and message.target.is_sandbox
        return "apple-sandbox" if is_sandbox else "apple"

    async def send(self, message: Envelope) -> Outcome:
        """Hand a push over once."""
        target, push = message.target, message.push
        key = self._key_of(message.tenant)
        if key is None or not isinstance(target, AppleTarget):
            return Refused("not_configured")
        if target.topic not in key.topics:
            return Refused("unknown_topic")
        now = self._clock()
        body = encode_apple(push)
        if body is None:
            return Refused("too_large")
        way = self._way(key, target.is_sandbox)
        headers = [
            (b"authorization", way.token(now)),
            (b"apns-topic", target.topic.encode()),
            (b"apns-push-type", b"background" if push.is_silent else b"alert"),
            (b"apns-priority", b"10" if push.is_urgent and not push.is_silent else b"5"),
            once(b"apns-expiration", str(int(now) + push.lasts_s(now, LASTS_S_MAX)).encode()),
            once(b"apns-id", push.id.encode()),
        ]
        if push.collapse is not None and not push.is_silent:
            headers.append(once(b"apns-collapse-id", push.collapse.encode()[:COLLAPSE_BYTES_MAX]))
        path = f"/3/device/{target.token}".encode()
        try:
            answer = await way.client.post(path, headers, body, self._timeout_s)
            if answer.status == 403 and _told(answer).reason in STALE and way.renew(headers[0][1], self._clock()):
                headers[0] = (b"authorization", way.token(self._clock()))
                answer = await way.client.post(path, headers, body, self._timeout_s)
        except Unanswered as error:
            return Later(error.code, is_theirs=error.is_theirs)
        return self._outcome(answer, message, way)

    async def close(self) -> None:
        """Let go of connections."""
        for way in self._ways.values():
            await way.client.close()

    def _way(self, key: AppleKey, is_sandbox: bool) -> "_Way":
        host, port = key.hosts[is_sandbox]
        name = (key.team_id, key.key_id, host, port)
        found = self._ways.get(name)
        if found is None:
            found = self._ways[name] = _Way(key, Client(host, port, tls=self._tls))
        return found

    def _outcome(self, answer: Answer, message: Envelope, way: "_Way") -> Outcome:
        if answer.status == 200:
            return Delivered(message.push.id)
        now = self._clock()
        told = _told(answer)
        code = WORDS.get(told.reason, f"status_{answer.status}")
        wait = read_wait(answer.headers, now)
        match answer.status:
            case 400 if told.reason in GONE:
                return Gone(GONE[told.reason])
            case 400 if told.reason == "IdleTimeout":
                return Later(code, wait, is_theirs=True)
            case 410:
                # A phone may have come back after the day on which it was gone.
                code = UNREGISTERED.get(told.reason, "unregistered")
                return Gone(code) if told.timestamp / 1000 > message.registered_at else Later(code, wait)
            case 403:
                way.tell_operator(told.reason if told.reason in WORDS else "", now)
                return Later(code, wait or CREDENTIALS_S, is_theirs=True)
            case 429 if told.reason == "TooManyProviderTokenUpdates":
                way.tell_operator(told.reason, now)
                return Later(code, min(wait or TOKEN_S_MIN, AFTER_S_MAX), is_theirs=True)
            case 429:
                return Later(code, wait)
            case status if status >= 500:
                return Later(code, wait, is_theirs=True)
            case _:
                return Refused(code)


class _Way:
    """One key's connection to one of Apple's hosts, and its token."""

    def __init__(self, key: AppleKey, client: Client) -> None:
        self.client = client
        self._key = key
        self._token = b""
        self._made_at = self._told_at = float("-inf")

    def token(self, now: float) -> bytes:
        """The authorization header; made again in time."""
        if not 0 <= now - self._made_at < TOKEN_S:
            self._make(now)
        return self._token

    def renew(self, refused: bytes, now: float) -> bool:
        """Whether another token can be tried in place of one that was refused."""
        if refused != self._token:
            # Somebody else has made one since.
            return True
        if now - self._made_at < TOKEN_S_MIN:
            return False
        self._make(now)
        return True

    def tell_operator(self, reason: str, now: float) -> None:
        """Say that our credentials are not taken."""
        if now - self._told_at >= TELL_S:
            self._told_at = now
            log.error(
                "push_credentials_refused",
                extra={"provider": "apple", "key": self._key.key_id, "team": self._key.team_id, "reason": reason},
            )

    def _make(self, now: float) -> None:
        self._made_at = now
        claims = {"iss": self._key.team_id, "iat": int(now)}
        self._token = b"bearer " + sign(self._key.key, claims, self._key.key_id).encode()


def encode_apple(push: Push) -> bytes | None:
    """The body, its text made shorter where it has to be; None: it cannot be made to fit."""

    def build(body: str | None) -> dict[str, Any]:
        told: dict[str, Any] = {**push.data, "id": push.id}
        if push.clears:
            told["clears"] = push.clears
        if push.is_silent:
            # Such a push may hold nothing that is seen or heard: what the icon says, the app sets.
            if push.badge is not None:
                told["badge"] = push.badge
            return {"aps": {"content-available": 1}, **told}
        alert = {name: text for name, text in (("title", push.title), ("body", body)) if text is not None}
        aps: dict[str, Any] = {"alert": alert, "sound": "default"}
        if push.badge is not None:
            aps["badge"] = push.badge
        if push.collapse is not None:
            aps["thread-id"] = push.collapse
        if push.clears:
            # An extension of the app's takes away what is told anew.
            aps["mutable-content"] = 1
        return {**told, "aps": aps}

    return encode_within(BODY_SIZE_MAX, build, push.body)


def _told(answer: Answer) -> _Told:
    try:
        return msgspec.json.decode(answer.body, type=_Told)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Told()

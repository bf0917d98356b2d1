"""Apple's push service as its documentation describes it: checks tokens and pushes, answers, and keeps ids."""

import json
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from loadtest.services.http2 import Act, Http2Server, Request, Said

PATH: Final = "/3/device/"
BODY_SIZE_MAX: Final = 4_096
TOKEN_S_MAX: Final = 3_600


def refusal(status: int, reason: str, timestamp: int | None = None, **headers: str) -> Said:
    """What Apple says no with. `timestamp`: in milliseconds since 1970."""
    told = {"reason": reason} | ({} if timestamp is None else {"timestamp": timestamp})
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Said(status, json.dumps(told).encode(), lines)


class AppleService:
    """`keys`: public keys by (team, key id). `faults`: by device token, what is answered, and the last for ever."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        keys: dict[tuple[str, str], EllipticCurvePublicKey],
        topics: frozenset[str],
        *,
        keeps: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`keeps`: whole requests, to be looked at; otherwise their ids alone."""
        self.server = Http2Server(self._answer, tls)
        self.keys, self.topics, self.clock = keys, topics, clock
        self.faults: dict[str, deque[Said | Act]] = {}
        self.ids: Counter[str] = Counter()
        self.came: dict[str, float] = {}
        self.requests: list[Request] = []
        self.tokens: set[str] = set()
        self._keeps = keeps
        self._checked: dict[str, float] = {}

    def _answer(self, request: Request) -> Said | Act:
        if self._keeps:
            self.requests.append(request)
        token = request.path.removeprefix(PATH)
        faults = self.faults.get(token)
        if faults:
            return faults.popleft() if len(faults) > 1 else faults[0]
        refused = self._check(request, token)
        if refused is not None:
            return refused
        id_ = request.headers["apns-id"]
        self.ids[id_] += 1
        self.came.setdefault(id_, self.clock())
        return Said(200, headers=(("apns-id", id_),))

    def _check(self, request: Request, token: str) -> Said | None:
        headers = request.headers
        if headers[":method"] != "POST":
            return refusal(405, "MethodNotAllowed")
        if not request.path.startswith(PATH):
            return refusal(404, "BadPath")
        reason = self._check_token(headers.get("authorization", ""))
        if reason is not None:
            return refusal(403, reason)
        if headers.get("apns-topic") not in self.topics:
            return refusal(400, "TopicDisallowed")
        if len(token) != 64:
            return refusal(400, "BadDeviceToken")
        if len(headers.get("apns-collapse-id", "").encode()) > 64:
            return refusal(400, "BadCollapseId")
        if len(request.body) > BODY_SIZE_MAX:
            return refusal(413, "PayloadTooLarge")
        push_type, priority = headers.get("apns-push-type"), headers.get("apns-priority")
        if push_type not in {"alert", "background"}:
            return refusal(400, "InvalidPushType")
        if priority not in {"5", "10"} or (push_type == "background" and priority != "5"):
            return refusal(400, "BadPriority")
        return None if request.body else refusal(400, "PayloadEmpty")

    def _check_token(self, authorization: str) -> str | None:
        """Why a provider token is not taken. Each is verified once."""
        text = authorization.removeprefix("bearer ")
        made_at = self._checked.get(text)
        if made_at is None:
            try:
                team = jwt.decode(text, options={"verify_signature": False})["iss"]
                key = self.keys[team, jwt.get_unverified_header(text)["kid"]]
                claims = jwt.decode(text, key, algorithms=["ES256"], options={"verify_iat": False, "require": ["iat"]})
                made_at = float(claims["iat"])
            except (jwt.InvalidTokenError, KeyError):
                return "InvalidProviderToken"
            self._checked[text] = made_at
            self.tokens.add(text)
        return None if abs(self.clock() - made_at) <= TOKEN_S_MAX else "ExpiredProviderToken"

"""Firebase as its documentation describes it: gives access tokens for assertions, takes pushes, and keeps ids."""

import json
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from loadtest.services.http2 import Act, Http2Server, Request, Said

TOKEN_PATH: Final = "/token"  # noqa: S105  # where one is fetched
SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
KIND: Final = "type.googleapis.com/"


def refusal(status: int, word: str, code: str | None = None, *, field: str | None = None, **headers: str) -> Said:
    """What Firebase says no with. `code`: of Firebase itself; `field`: what is invalid."""
    details: list[dict[str, Any]] = []
    if code is not None:
        details.append({"@type": KIND + "google.firebase.fcm.v1.FcmError", "errorCode": code})
    if field is not None:
        details.append({"@type": KIND + "google.rpc.BadRequest", "fieldViolations": [{"field": field}]})
    told = {"error": {"code": status, "status": word, "message": "No.", "details": details}}
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Said(status, json.dumps(told).encode(), lines)


class FirebaseService:
    """`accounts`: public keys by e-mail. `faults`: by device token, what is answered, and the last for ever.

    `token_faults`: the same of questions for access tokens, each answered once.
    """

    def __init__(
        self,
        tls: ssl.SSLContext,
        accounts: dict[str, RSAPublicKey],
        *,
        keeps: bool = True,
        port: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`port`: where others see it, if a gate stands before it."""
        self._port = port
        self.server = Http2Server(self._answer, tls)
        self.accounts, self.clock = accounts, clock
        self.faults: dict[str, deque[Said | Act]] = {}
        self.token_faults: deque[Said | Act] = deque()
        self.access_s = 3_600
        self.tokens: dict[str, float] = {}
        self.asked_for_tokens = 0
        self.ids: Counter[str] = Counter()
        self.came: dict[str, float] = {}
        self.requests: list[Request] = []
        self._keeps = keeps

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://localhost:{self._port or self.server.port}"

    def _answer(self, request: Request) -> Said | Act:
        if request.path == TOKEN_PATH:
            self.asked_for_tokens += 1
            return self.token_faults.popleft() if self.token_faults else self._grant(request)
        if self._keeps:
            self.requests.append(request)
        ends_at = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "), 0.0)
        if self.clock() >= ends_at:
            return refusal(401, "UNAUTHENTICATED")
        message = json.loads(request.body)["message"]
        faults = self.faults.get(message["token"])
        if faults:
            return faults.popleft() if len(faults) > 1 else faults[0]
        self.ids[message["data"]["id"]] += 1
        self.came.setdefault(message["data"]["id"], self.clock())
        return Said(200, json.dumps({"name": f"projects/p/messages/{message['data']['id']}"}).encode())

    def _grant(self, request: Request) -> Said:
        form = parse_qs(request.body.decode())
        try:
            (text,) = form["assertion"]
            email = jwt.decode(text, options={"verify_signature": False})["iss"]
            claims = jwt.decode(
                text,
                self.accounts[email],
                algorithms=["RS256"],
                audience=self.url + TOKEN_PATH,
                options={"verify_iat": False, "verify_exp": False, "require": ["iat", "exp"]},
            )
        except (jwt.InvalidTokenError, KeyError, ValueError):
            return Said(400, b'{"error": "invalid_grant"}')
        is_now = claims["iat"] <= self.clock() < claims["exp"] <= claims["iat"] + 3_600
        if (
            claims["scope"] != SCOPE
            or not is_now
            or form["grant_type"] != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        ):
            return Said(400, b'{"error": "invalid_grant"}')
        token = f"access-{len(self.tokens)}"
        self.tokens[token] = self.clock() + self.access_s
        return Said(200, json.dumps({"access_token": token, "expires_in": self.access_s}).encode())

"""Pushes to Android devices: HTTP v1 of Firebase Cloud Messaging, known there by a service account's access token.

Firebase knows no id of ours: the app gets it with the push, and a notification replaces the one with the same tag, so
that a push that was sent twice is seen once.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from core.notices.targets import FirebaseTarget
from workers.outcome import Delivered, Gone, Later, Outcome, Refused
from workers.push.http2 import ASK_S, Answer, Client, Unanswered
from workers.push.message import Envelope, Push, encode_within
from workers.push.signing import sign
from workers.push.waiting import read_wait

log = logging.getLogger(__name__)

URL: Final = "https://fcm.googleapis.com"
TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105  # where one is fetched
SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Firebase takes 4,096 bytes of a message's contents; what is around them is counted too, to be on the safe side.
BODY_SIZE_MAX: Final = 4_096
LASTS_S_MAX: Final = 28 * 86_400
# An assertion is good for an hour at most, and needed for a second.
ASSERTION_S: Final = 600
# A new access token is fetched so long before the old one ends.
EARLY_S: Final = 300.0
# Whoever says that a token lasts longer than a day is not believed.
ACCESS_S_MAX: Final = 86_400.0
# After a token was not given, it is not asked for again at once.
PAUSE_S: Final = 5.0
# Google asks for a minute where a quota was used up and no time was said.
QUOTA_S: Final = 60.0
TELL_S: Final = 60.0
CREDENTIALS_S: Final = 60.0
# Names that Firebase keeps for itself in `data` (reference of the Message resource).
RESERVED: Final = frozenset({"from", "message_type", "notification"})

_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST: Final = "type.googleapis.com/google.rpc.BadRequest"


class ServiceAccount(NamedTuple):
    """An operator's account with Firebase. `url`: where Firebase is asked."""

    project: str
    email: str
    key: RSAPrivateKey
    key_id: str | None = None
    token_url: str = TOKEN_URL
    url: str = URL

    def __repr__(self) -> str:
        return f"ServiceAccount({self.project!r})"


class NoAccess(Exception):
    """There is no access token. `is_refused`: they do not know us; otherwise they did not answer."""

    def __init__(self, code: str, *, is_refused: bool) -> None:
        super().__init__(code)
        self.code = code
        self.is_refused = is_refused


class _Detail(msgspec.Struct):
    kind: str = msgspec.field(name="@type", default="")
    error_code: str = msgspec.field(name="errorCode", default="")
    violations: list[dict[str, Any]] = msgspec.field(name="fieldViolations", default_factory=list)


class _Error(msgspec.Struct):
    status: str = ""
    details: list[_Detail] = msgspec.field(default_factory=list)


class _Told(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float = 3_600.0


class FirebaseSender:
    """Hands pushes to Firebase. `account_of`: the account of a tenant's, by its slug."""

    def __init__(
        self,
        account_of: Callable[[str], ServiceAccount | None],
        tls: ssl.SSLContext,
        *,
        clock: Callable[[], float] = time.time,
        timeout_s: float = ASK_S,
    ) -> None:
        self._account_of = account_of
        self._tls = tls
        self._clock = clock
        self._timeout_s = timeout_s
        self._clients: dict[str, Client] = {}
        self._accesses: dict[tuple[str, str], _Access] = {}

    def service_of(self, message: Envelope) -> str:
        """There is one."""
        return "firebase"

    async def send(self, message: Envelope) -> Outcome:
        """Hand a push over once."""
        account = self._account_of(message.tenant)
        if account is None or not isinstance(message.target, FirebaseTarget):
            return Refused("not_configured")
        body = encode_firebase(message.push, message.target, self._clock())
        if body is None:
            return Refused("too_large")
        access = self._access(account)
        client = self._client(account.url)
        path = f"/v1/projects/{account.project}/messages:send".encode()
        try:
            token = await access.token()
            answer = await self._post(client, path, token, body)
            if answer.status == 401 and _code(_told(answer)) != "THIRD_PARTY_AUTH_ERROR":
                answer = await self._post(client, path, await access.token(instead_of=token), body)
        except Unanswered as error:
            return Later(error.code, is_theirs=error.is_theirs)
        except NoAccess as error:
            if error.is_refused:
                access.tell_operator(error.code)
            return Later(error.code, CREDENTIALS_S if error.is_refused else None, is_theirs=True)
        return self._outcome(answer, message, access)

    async def close(self) -> None:
        """Let go of connections."""
        for client in self._clients.values():
            await client.close()

    async def _post(self, client: Client, path: bytes, token: bytes, body: bytes) -> Answer:
        headers = [(b"authorization", token), (b"content-type", b"application/json")]
        return await client.post(path, headers, body, self._timeout_s)

    def _client(self, url: str) -> Client:
        parts = urlsplit(url)
        found = self._clients.get(parts.netloc)
        if found is None:
            found = self._clients[parts.netloc] = Client(parts.hostname or "", parts.port or 443, tls=self._tls)
        return found

    def _access(self, account: ServiceAccount) -> "_Access":
        name = (account.email, account.token_url)
        found = self._accesses.get(name)
        if found is None:
            client = self._client(account.token_url)
            found = self._accesses[name] = _Access(account, client, self._clock, self._timeout_s)
        return found

    def _outcome(self, answer: Answer, message: Envelope, access: "_Access") -> Outcome:
        if answer.status == 200:
            return Delivered(_name(answer))
        told = _told(answer)
        code = _code(told)
        wait = read_wait(answer.headers, self._clock())
        match answer.status:
            case 404 if code == "UNREGISTERED":
                return Gone("unregistered")
            case 400 if _is_about_token(told):
                return Gone("bad_device_token")
            case 403 if code == "SENDER_ID_MISMATCH":
                return Gone("sender_mismatch")
            case 401 | 403 | 404:
                access.tell_operator(code if code.isascii() and len(code) <= 60 else "")
                return Later("credentials", wait or CREDENTIALS_S, is_theirs=True)
            case 413:
                return Refused("too_large")
            case 429:
                # A phone's quota looks like the project's: others are not held back for it.
                return Later("too_many_requests", QUOTA_S if wait is None else wait)
            case status if status >= 500:
                return Later("unavailable" if status == 503 else f"status_{status}", wait, is_theirs=True)
            case status:
                return Refused("invalid" if code == "INVALID_ARGUMENT" else f"status_{status}")


class _Access:
    """One account's access token: fetched by one for all who wait, and again before it ends."""

    def __init__(self, account: ServiceAccount, client: Client, clock: Callable[[], float], timeout_s: float) -> None:
        self._account, self._client, self._clock, self._timeout_s = account, client, clock, timeout_s
        self._token = b""
        self._ends_at = self._told_at = self._refused_at = float("-inf")
        self._why_not = NoAccess("no_access", is_refused=False)
        self._fetching: asyncio.Task[None] | None = None

    async def token(self, instead_of: bytes = b"") -> bytes:
        """The authorization header. `instead_of`: one that was not taken. Raises NoAccess."""
        if self._token == instead_of:
            self._ends_at = float("-inf")
        now = self._clock()
        if now < self._ends_at - EARLY_S:
            return self._token
        if self._fetching is None:
            if now - self._refused_at < PAUSE_S:
                if now < self._ends_at:
                    return self._token
                raise NoAccess(self._why_not.code, is_refused=self._why_not.is_refused)
            self._fetching = asyncio.create_task(self._fetch())
        if now < self._ends_at:
            # It is good for a while yet: nobody waits.
            return self._token
        # Whoever stops waiting does not stop it for the others.
        await asyncio.shield(self._fetching)
        if self._clock() < self._ends_at:
            return self._token
        raise NoAccess(self._why_not.code, is_refused=self._why_not.is_refused)

    def tell_operator(self, reason: str) -> None:
        """Say that our credentials are not taken."""
        now = self._clock()
        if now - self._told_at >= TELL_S:
            self._told_at = now
            log.error(
                "push_credentials_refused",
                extra={"provider": "firebase", "project": self._account.project, "reason": reason},
            )

    async def _fetch(self) -> None:
        try:
            now = self._clock()
            self._token, seconds = await self._ask(now)
            self._ends_at = now + min(seconds, ACCESS_S_MAX)
        except NoAccess as error:
            self._why_not, self._refused_at = error, self._clock()
        finally:
            self._fetching = None

    async def _ask(self, now: float) -> tuple[bytes, float]:
        """An access token for an assertion (RFC 7523, 4)."""
        account = self._account
        claims = {
            "iss": account.email,
            "scope": SCOPE,
            "aud": account.token_url,
            "iat": int(now),
            "exp": int(now) + ASSERTION_S,
        }
        form = {"grant_type": GRANT, "assertion": sign(account.key, claims, account.key_id)}
        try:
            answer = await self._client.post(
                (urlsplit(account.token_url).path or "/").encode(),
                [(b"content-type", b"application/x-www-form-urlencoded")],
                urlencode(form).encode(),
                self._timeout_s,
            )
        except Unanswered as error:
            raise NoAccess(error.code, is_refused=False) from None
        if answer.status != 200:
            raise NoAccess("no_access", is_refused=answer.status in {400, 401, 403})
        try:
            granted = msgspec.json.decode(answer.body, type=_Granted)
            return b"Bearer " + granted.access_token.encode("ascii"), granted.expires_in
        except (msgspec.DecodeError, UnicodeError):
            raise NoAccess("no_access", is_refused=False) from None


def encode_firebase(push: Push, target: FirebaseTarget, now: float) -> bytes | None:
    """The body, its text made shorter where it has to be; None: it cannot be made to fit."""
    data = {name: value for name, value in push.data.items() if name not in RESERVED}
    data["id"] = push.id
    if push.clears:
        data["clears"] = ",".join(push.clears)
    android: dict[str, Any] = {
        "priority": "HIGH" if push.is_urgent and not push.is_silent else "NORMAL",
        "ttl": f"{push.lasts_s(now, LASTS_S_MAX)}s",
    }
    if push.collapse is not None:
        android["collapse_key"] = push.collapse

    def build(body: str | None) -> dict[str, Any]:
        if push.is_silent:
            if push.badge is not None:
                data["badge"] = str(push.badge)
            return {"message": {"token": target.token, "data": data, "android": android}}
        shown = {name: text for name, text in (("title", push.title), ("body", body)) if text is not None}
        looks: dict[str, Any] = {}
        if push.collapse is not None:
            looks["tag"] = push.collapse
        if push.badge is not None:
            looks["notification_count"] = push.badge
        more = {**android, "notification": looks} if looks else android
        return {"message": {"token": target.token, "notification": shown, "data": data, "android": more}}

    return encode_within(BODY_SIZE_MAX, build, push.body)


def _told(answer: Answer) -> _Told:
    try:
        return msgspec.json.decode(answer.body, type=_Told)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Told()


def _code(told: _Told) -> str:
    codes = [detail.error_code for detail in told.error.details if detail.kind == _ERROR]
    return codes[0] if codes else told.error.status


def _is_about_token(told: _Told) -> bool:
    """Whether what is invalid is the token: it is named, or nothing else is."""
    if _code(told) != "INVALID_ARGUMENT":
        return False
    fields = [
        violation.get("field")
        for detail in told.error.details
        if detail.kind == _BAD_REQUEST
        for violation in detail.violations
    ]
    return fields == ["message.token"] if fields else any(detail.kind == _ERROR for detail in told.error.details)


def _name(answer: Answer) -> str | None:
    """What Firebase calls it: projects/…/messages/…"""
    try:
        name = msgspec.json.decode(answer.body, type=dict[str, str]).get("name")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return name if name is None or len(name) <= 200 else None

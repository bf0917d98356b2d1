"""Who somebody is elsewhere: identity tokens of OpenID providers, and the keys that they are signed with.

A provider's keys are found through its discovery document, kept for a while, and asked for again when a token names
one that is not known, but not as often as somebody sends such tokens. While a provider is away, keys that are not too
old go on working. It never lets anybody in by itself, and no token enters a log line or an exception.
"""

import asyncio
import hmac
import logging
import math
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple, NoReturn

from core.outside import Outside, OutsideRefused, OutsideUnavailable
from core.people.providers import Provider
from hub import jws
from hub.jws import JwsRefused, Verifier
from hub.limits import Bucket, Limit

log = logging.getLogger(__name__)

DISCOVERY: Final = "/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0, 4
# Some providers put a person's groups in.
TOKEN_BYTES_MAX: Final = 16 * 1024
# Providers publish a key some time before they use it; one that they took back is ours no longer than this.
FRESH_S: Final = 600.0
# A provider that cannot be asked for a day is one whose keys nobody vouches for any more.
STALE_S: Final = 86_400.0
# How often a provider is asked again because of unknown keys: whoever makes up tokens makes us ask no more than that.
ASK_AGAIN: Final = Limit(1 / 30, 5)
# After a failure, nobody else waits for the next one.
PAUSE_S: Final = 5.0
KEYS_MAX: Final = 50
ISSUERS_MAX: Final = 1_000
# Clocks of other houses.
LEEWAY_S: Final = 60
TIME_MAX: Final = 2**53 - 1
VALUE_LENGTH_MAX: Final = 255  # OpenID Connect Core, 2: `sub`
# Parameters that change what a signature means, or say where to find the key: none is followed, all are refused.
REFUSED_HEADERS: Final = frozenset({"crit", "b64", "enc", "zip", "jku", "jwk", "x5u", "x5c"})
# An identity token has no type or this one (RFC 8725, 3.11): an access token of the same provider does not pass.
TYPES: Final = frozenset({"JWT", "jwt"})


class IdentityCode(StrEnum):
    """Why an identity token is refused, in the order of the checks. Stable: clients may depend on them."""

    TOO_LARGE = "identity_too_large"
    MALFORMED = "identity_malformed"
    HEADER = "identity_header"
    TYPE = "identity_type"
    ALGORITHM = "identity_algorithm"
    KEY_UNKNOWN = "identity_key_unknown"
    SIGNATURE = "identity_signature"
    ISSUER = "identity_issuer"
    AUDIENCE = "identity_audience"
    TIMES = "identity_times"
    NOT_YET_VALID = "identity_not_yet_valid"
    EXPIRED = "identity_expired"
    NONCE = "identity_nonce"
    CLAIM = "identity_claim"


class IdentityRefused(Exception):
    """The token does not say who somebody is. `code` says why, and is all that is said."""

    def __init__(self, code: IdentityCode) -> None:
        super().__init__(code.value)
        self.code = code


class ProviderUnavailable(Exception):
    """The provider's keys cannot be had, and those that are known are too old."""


class Shown(NamedTuple):
    """What a token says: the value of the provider's claim, and a name if it has one."""

    value: str
    name: str | None

    def __repr__(self) -> str:
        return "Shown(…)"


class _Issuer:
    """One provider's keys, by their names."""

    def __init__(self) -> None:
        self.keys: dict[str, Verifier] = {}
        self.asked_at = -math.inf
        self.failed_at = -math.inf
        self.again = Bucket(ASK_AGAIN)
        self.asking = asyncio.Lock()


class Identities:
    """Judges identity tokens. One object serves a whole process.

    `clock` is monotonic; `now` is seconds since the epoch.
    """

    def __init__(
        self,
        outside: Outside,
        *,
        clock: Callable[[], float] = time.monotonic,
        fresh_s: float = FRESH_S,
        stale_s: float = STALE_S,
    ) -> None:
        self._outside = outside
        self._clock = clock
        self._fresh_s = fresh_s
        self._stale_s = stale_s
        self._issuers: dict[str, _Issuer] = {}

    def check_issuer(self, issuer: str) -> None:
        """That a provider may be asked at this address, as far as its letters say. Raises OutsideRefused."""
        self._outside.read_url(issuer + DISCOVERY)

    async def verify(self, provider: Provider, token: str, nonce: str, now: float) -> Shown:
        """Who it is, by a token that this provider made for us and for this nonce.

        Raises IdentityRefused, ProviderUnavailable.
        """
        try:
            parts = jws.split(token, TOKEN_BYTES_MAX)
        except JwsRefused as error:
            _refuse(IdentityCode.TOO_LARGE if error.is_large else IdentityCode.MALFORMED)
        kid, algorithm = _read_header(parts.header, provider.algorithms)
        verifier = await self._find(provider.issuer, kid)
        # The key's own algorithm, and never another because the token says so.
        if verifier.algorithm != algorithm:
            _refuse(IdentityCode.ALGORITHM)
        if not verifier.holds(parts):
            _refuse(IdentityCode.SIGNATURE)
        try:
            claims = jws.read_object(parts.payload)
        except JwsRefused:
            _refuse(IdentityCode.MALFORMED)
        return _read_claims(claims, provider, nonce, now)

    async def _find(self, issuer: str, kid: str) -> Verifier:
        known = self._issuers.get(issuer)
        if known is None:
            while len(self._issuers) >= ISSUERS_MAX:
                del self._issuers[next(iter(self._issuers))]
            known = self._issuers[issuer] = _Issuer()
        if self._clock() - known.asked_at >= self._fresh_s or kid not in known.keys:
            async with known.asking:
                await self._ask_if_due(issuer, known, kid)
        if self._clock() - known.asked_at >= self._stale_s:
            raise ProviderUnavailable
        verifier = known.keys.get(kid)
        if verifier is None:
            _refuse(IdentityCode.KEY_UNKNOWN)
        return verifier

    async def _ask_if_due(self, issuer: str, known: _Issuer, kid: str) -> None:
        """Ask for the keys, unless somebody else just has, just could not, or this is asked for too often."""
        now = self._clock()
        if now - known.failed_at < PAUSE_S:
            return
        if now - known.asked_at < self._fresh_s and (kid in known.keys or known.again.spend(now)):
            return
        try:
            # What the provider no longer names is dropped.
            known.keys = await self._ask(issuer)
            known.asked_at = now
        except (OutsideRefused, OutsideUnavailable) as error:
            known.failed_at = self._clock()
            log.warning("provider_not_asked", extra={"error": type(error).__name__, "code": str(error)})

    async def _ask(self, issuer: str) -> dict[str, Verifier]:
        discovered = await self._outside.fetch(issuer.removesuffix("/") + DISCOVERY)
        # OpenID Connect Discovery, 4.3: one that speaks for another is none.
        if discovered.get("issuer") != issuer or not isinstance(discovered.get("jwks_uri"), str):
            raise OutsideRefused("the discovery document is another issuer's")
        document = await self._outside.fetch(discovered["jwks_uri"])
        listed = document.get("keys")
        if not isinstance(listed, list):
            raise OutsideRefused("no keys")
        return _read_keys(listed[:KEYS_MAX])


def _read_keys(listed: Sequence[object]) -> dict[str, Verifier]:
    """The keys that are for signing and that we understand. Of two with one name, neither."""
    found: dict[str, Verifier] = {}
    doubled: set[str] = set()
    for jwk in listed:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or not isinstance(jwk.get("kid"), str):
            continue
        operations = jwk.get("key_ops", ["verify"])
        if not isinstance(operations, list) or "verify" not in operations:
            continue
        try:
            verifier = jws.read_key(jwk, is_bare=False)
        except JwsRefused:
            continue
        if jwk.get("alg", verifier.algorithm) != verifier.algorithm:
            continue
        if jwk["kid"] in found:
            doubled.add(jwk["kid"])
        found[jwk["kid"]] = verifier
    return {kid: verifier for kid, verifier in found.items() if kid not in doubled}


def _read_header(header: dict[str, Any], algorithms: Sequence[str]) -> tuple[str, str]:
    kid, algorithm = header.get("kid"), header.get("alg")
    if REFUSED_HEADERS & header.keys() or not isinstance(kid, str) or len(kid) > VALUE_LENGTH_MAX:
        _refuse(IdentityCode.HEADER)
    if "typ" in header and header["typ"] not in TYPES:
        _refuse(IdentityCode.TYPE)
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        _refuse(IdentityCode.ALGORITHM)
    return kid, algorithm


def _read_claims(claims: dict[str, Any], provider: Provider, nonce: str, now: float) -> Shown:
    if claims.get("iss") != provider.issuer:
        _refuse(IdentityCode.ISSUER)
    _check_audience(claims, provider.audience)
    issued_at, expires_at = _read_time(claims, "iat"), _read_time(claims, "exp")
    not_before = _read_time(claims, "nbf") if "nbf" in claims else issued_at
    if max(issued_at, not_before) > now + LEEWAY_S:
        _refuse(IdentityCode.NOT_YET_VALID)
    if expires_at + LEEWAY_S <= now:
        _refuse(IdentityCode.EXPIRED)
    claimed = claims.get("nonce")
    if not isinstance(claimed, str) or not hmac.compare_digest(claimed.encode(errors="replace"), nonce.encode()):
        _refuse(IdentityCode.NONCE)
    return Shown(_read_value(claims, provider.claim), _read_name(claims))


def _read_time(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 1 <= value <= TIME_MAX:  # a bool is an int to isinstance
        _refuse(IdentityCode.TIMES)
    return value


def _check_audience(claims: dict[str, Any], audience: str) -> None:
    """OpenID Connect Core, 3.1.3.7: it is for us, and if for others too, it was made at our request."""
    given = claims.get("aud")
    audiences = [given] if isinstance(given, str) else given
    if not isinstance(audiences, list) or audience not in audiences:
        _refuse(IdentityCode.AUDIENCE)
    if ("azp" in claims or len(audiences) > 1) and claims.get("azp") != audience:
        _refuse(IdentityCode.AUDIENCE)


def _read_value(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= VALUE_LENGTH_MAX or not value.isprintable():
        _refuse(IdentityCode.CLAIM)
    # An address that nobody has shown to be theirs is anybody's.
    if name == "email" and claims.get("email_verified") is not True:
        _refuse(IdentityCode.CLAIM)
    return value


def _read_name(claims: dict[str, Any]) -> str | None:
    name = claims.get("name")
    return name if isinstance(name, str) else None


def _refuse(code: IdentityCode) -> NoReturn:
    # Without the error that led here: it holds pieces of the token.
    raise IdentityRefused(code) from None

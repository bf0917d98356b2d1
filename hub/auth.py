"""Access tokens: who speaks, signed by this instance and believed for five minutes (RFC 9068, RFC 8725).

A machine's token says in `scope` what it may do (RFC 9068, 2.2.3), a till's in `cnf` which key it is bound to
(RFC 9449, 6.1), a seat's in `act` who really speaks (RFC 8693, 4.1). It reads no database and never asks the token how
to verify it: the key is looked up by name, the algorithm is the key's. No token enters a log line or an exception.
"""

import re
import uuid
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple, NoReturn

from core.errors import Unavailable
from core.keyring import SigningKey
from core.people.persons import Role
from hub import jws
from hub.doors import Door
from hub.jws import JwsRefused, Verifier

ISSUER = "payhub"
TYPE = "at+jwt"  # RFC 9068, 2.1: no other kind of token passes for an access token
# A stolen token works no longer than this; a live socket presents a fresh one before it ends.
TOKEN_LIFETIME_S = 300
# No token of ours is valid for longer, whatever it says.
TOKEN_LIFETIME_MAX_S = 3_600
# Ours are 500 to 1,000 bytes. Checked before anything is parsed.
TOKEN_BYTES_MAX = 2_048
# Clocks under NTP differ by far less; this forgives one that is being stepped, and lengthens every token
# by as much.
LEEWAY_S = 5

HEADER_NAMES = frozenset({"alg", "kid", "typ"})
CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TENANT_ID_MAX = 2**31 - 1
TIME_MAX = 2**53 - 1
# Ways in which somebody proved who they are, by RFC 8176; a person has a few.
PROOF = re.compile(r"[a-z]{2,8}")
PROOFS_MAX = 8
DOORS = {door.value: door for door in Door}
ROLES = {int(role): role for role in Role}
# Of more kinds than there are now, so that a hub of the version before reads what a later one issues.
SCOPES_MAX = 40
SCOPE = re.compile(r"[a-z_]{1,20}:(read|write)")
THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class TokenCode(StrEnum):
    """Why a token is refused, in the order of the checks. Stable: clients may depend on them."""

    TOO_LARGE = "token_too_large"
    MALFORMED = "token_malformed"
    HEADER = "token_header"
    TYPE = "token_type"
    KEY_UNKNOWN = "token_key_unknown"
    ALGORITHM = "token_algorithm"
    SIGNATURE = "token_signature"
    CLAIMS = "token_claims"
    ISSUER = "token_issuer"
    AUDIENCE = "token_audience"
    NOT_YET_VALID = "token_not_yet_valid"
    EXPIRED = "token_expired"


class TokenRefused(Exception):
    """The token does not prove who speaks. `code` says why, and is all that is said."""

    def __init__(self, code: TokenCode) -> None:
        super().__init__(code.value)
        self.code = code


class Principal(NamedTuple):
    """Who speaks. `expires_at` is seconds since the epoch: the token's end, not the session's.

    `proved_at`, `proofs`: when the person last proved who they are, seconds since the epoch (0: never), and how.
    `scopes`: what a machine may do, or who sits in a seat; None: a person, who may do what the role allows.
    `thumbprint`: the key that the token is bound to (RFC 7638); without a proof by that key it is worth nothing.
    `actor`: who really speaks, for `person_id`, from a seat, and `login` the log-in session that they do it from; None:
    the person, or a machine of theirs.
    """

    tenant_id: int
    person_id: str
    role: Role
    session_id: str
    expires_at: int
    door: Door
    proved_at: int = 0
    proofs: tuple[str, ...] = ()
    scopes: frozenset[str] | None = None
    thumbprint: str | None = None
    actor: str | None = None
    login: str | None = None


class Issued(NamedTuple):
    """A fresh access token and its end, in seconds since the epoch."""

    token: str
    expires_at: int

    def __repr__(self) -> str:
        return f"Issued(token=…, expires_at={self.expires_at})"


class _Known(NamedTuple):
    verifier: Verifier
    verifies_until: float  # when the last token it can have signed is over


class Tokens:
    """Issues and verifies access tokens with the keys that core.keyring.load_keys gave.

    `now` is seconds since the epoch everywhere. One object serves all connections of a process.
    """

    def __init__(self, keys: Iterable[SigningKey], *, lifetime_s: int = TOKEN_LIFETIME_S) -> None:
        if not 1 <= lifetime_s <= TOKEN_LIFETIME_MAX_S:
            raise ValueError(f"A token lives 1 to {TOKEN_LIFETIME_MAX_S} seconds.")
        self._lifetime_s = lifetime_s
        self._signers: list[SigningKey] = []
        self._known: dict[str, _Known] = {}
        self.replace_keys(keys)

    def replace_keys(self, keys: Iterable[SigningKey]) -> None:
        """Use these keys from now on. Call it more often than core.keyring.ANNOUNCEMENT_DELAY."""
        signers = sorted(keys, key=lambda key: (key.signs_from, key.kid), reverse=True)
        self._signers, self._known = signers, {key.kid: self._to_known(key) for key in signers}

    def issue(
        self,
        tenant_id: int,
        person_id: str,
        role: Role,
        session_id: str,
        now: float,
        door: Door = Door.NATIVE,
        *,
        proved_at: int | None = None,
        proofs: Iterable[str] = (),
        scopes: Iterable[str] | None = None,
        thumbprint: str | None = None,
        until: float | None = None,
        actor: tuple[str, str] | None = None,
    ) -> Issued:
        """A token signed by the newest key in use at `now`. Raises core.errors.Unavailable if none does.

        `proved_at`, `proofs`: when and how its person last proved who they are (RFC 9068, 2.2.1; RFC 8176). `scopes`
        and `thumbprint`: see Principal. `until`: it ends by then, if that is sooner. `actor`: who speaks from a seat,
        and from which log-in session.
        """
        key = self._signer(now)
        issued_at = int(now)
        expires_at = issued_at + self._lifetime_s
        if until is not None:
            expires_at = max(min(expires_at, int(until)), issued_at + 1)
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": door.value,
            "sub": person_id,
            "tid": tenant_id,
            "sid": session_id,
            "role": int(role),
            "iat": issued_at,
            "exp": expires_at,
            "jti": str(uuid.uuid4()),
        }
        if proved_at is not None:
            claims |= {"auth_time": proved_at, "amr": list(proofs)}
        if scopes is not None:
            claims["scope"] = " ".join(sorted(scopes))
        if thumbprint is not None:
            claims["cnf"] = {"jkt": thumbprint}
        if actor is not None:
            claims["act"] = {"sub": actor[0], "sid": actor[1]}
        headers = {"kid": key.kid, "typ": TYPE}
        return Issued(jws.sign(claims, key.private_key, key.algorithm, headers), expires_at)

    def verify(self, token: str | bytes, now: float) -> Principal:
        """Who speaks, if the token holds at `now`. Raises TokenRefused, and nothing else for any input."""
        try:
            parts = jws.split(token, TOKEN_BYTES_MAX)
            if not self._find_verifier(parts.header, now).holds(parts):
                _refuse(TokenCode.SIGNATURE)
            claims = jws.read_object(parts.payload)
        except JwsRefused as error:
            _refuse(TokenCode.TOO_LARGE if error.is_large else TokenCode.MALFORMED)
        return _read_principal(claims, now)

    def _signer(self, now: float) -> SigningKey:
        for key in self._signers:
            if key.signs_from.timestamp() <= now and (key.signs_until is None or now < key.signs_until.timestamp()):
                return key
        raise Unavailable("No key signs tokens at this time.")

    def _to_known(self, key: SigningKey) -> _Known:
        over = float("inf") if key.signs_until is None else key.signs_until.timestamp()
        return _Known(
            jws.verifier(key.algorithm, key.private_key.public_key()),
            over + self._lifetime_s + LEEWAY_S,
        )

    def _find_verifier(self, header: dict[str, Any], now: float) -> Verifier:
        # Exactly these three: crit, jku, jwk, x5u, x5c, zip and whatever is invented next are refused unread.
        if header.keys() != HEADER_NAMES:
            _refuse(TokenCode.HEADER)
        if header["typ"] != TYPE:
            _refuse(TokenCode.TYPE)
        kid = header["kid"]
        known = self._known.get(kid) if isinstance(kid, str) else None
        if known is None or now >= known.verifies_until:
            _refuse(TokenCode.KEY_UNKNOWN)
        if header["alg"] != known.verifier.algorithm:
            _refuse(TokenCode.ALGORITHM)
        return known.verifier


def _read_principal(claims: dict[str, Any], now: float) -> Principal:
    """Read strictly even though the signature held: a claim of another type is a bug that must not pay."""
    if claims.get("iss") != ISSUER:
        _refuse(TokenCode.ISSUER)
    audience = claims.get("aud")
    if not isinstance(audience, str) or audience not in DOORS:  # a list that contains one is not one
        _refuse(TokenCode.AUDIENCE)
    tenant_id = _read_int(claims, "tid", 1, TENANT_ID_MAX)
    role = ROLES.get(_read_int(claims, "role", 0, max(ROLES)))
    person_id, session_id = _read_uuid(claims, "sub"), _read_uuid(claims, "sid")
    if role is None or not isinstance(claims.get("jti"), str):
        _refuse(TokenCode.CLAIMS)
    expires_at = _read_expiry(claims, now)
    proved_at, proofs = _read_proofs(claims, now)
    scopes = _read_scopes(claims)
    actor, login = _read_actor(claims)
    # From a seat somebody speaks for a merchant, and never without limits.
    if actor is not None and (scopes is None or role is not Role.MERCHANT):
        _refuse(TokenCode.CLAIMS)
    return Principal(
        tenant_id,
        person_id,
        role,
        session_id,
        expires_at,
        DOORS[audience],
        proved_at=proved_at,
        proofs=proofs,
        scopes=scopes,
        thumbprint=_read_thumbprint(claims),
        actor=actor,
        login=login,
    )


def _read_proofs(claims: dict[str, Any], now: float) -> tuple[int, tuple[str, ...]]:
    """When and how somebody proved who they are. A token of an older hub, or of a command line, says neither."""
    if "auth_time" not in claims and "amr" not in claims:
        return 0, ()
    proved_at, proofs = _read_int(claims, "auth_time", 1, TIME_MAX), claims.get("amr")
    if proved_at > now + LEEWAY_S or not isinstance(proofs, list) or len(proofs) > PROOFS_MAX:
        _refuse(TokenCode.CLAIMS)
    if not all(isinstance(one, str) and PROOF.fullmatch(one) for one in proofs):
        _refuse(TokenCode.CLAIMS)
    return proved_at, tuple(proofs)


def _read_scopes(claims: dict[str, Any]) -> frozenset[str] | None:
    """Names with one space between; none of them twice. A null is no missing claim: that would be every right."""
    if "scope" not in claims:
        return None
    text = claims["scope"]
    names = text.split(" ") if isinstance(text, str) else []
    if not 1 <= len(names) <= SCOPES_MAX or len({*names}) < len(names) or not all(map(SCOPE.fullmatch, names)):
        _refuse(TokenCode.CLAIMS)
    return frozenset(names)


def _read_thumbprint(claims: dict[str, Any]) -> str | None:
    """Bound by a key's thumbprint and by nothing else: an unknown way of binding is not overlooked."""
    if "cnf" not in claims:
        return None
    cnf = claims["cnf"]
    value = cnf.get("jkt") if isinstance(cnf, dict) and cnf.keys() == {"jkt"} else None
    if not isinstance(value, str) or THUMBPRINT.fullmatch(value) is None:
        _refuse(TokenCode.CLAIMS)
    return value


def _read_actor(claims: dict[str, Any]) -> tuple[str | None, str | None]:
    """Who speaks from a seat, and from which log-in; nobody speaks for one who speaks for another."""
    if "act" not in claims:
        return None, None
    act = claims["act"]
    if not isinstance(act, dict) or act.keys() != {"sub", "sid"}:
        _refuse(TokenCode.CLAIMS)
    return _read_uuid(act, "sub"), _read_uuid(act, "sid")


def _read_expiry(claims: dict[str, Any], now: float) -> int:
    issued_at = _read_int(claims, "iat", 1, TIME_MAX)
    expires_at = _read_int(claims, "exp", issued_at + 1, issued_at + TOKEN_LIFETIME_MAX_S)
    not_before = _read_int(claims, "nbf", 1, TIME_MAX) if "nbf" in claims else issued_at
    if max(issued_at, not_before) > now + LEEWAY_S:
        _refuse(TokenCode.NOT_YET_VALID)
    if expires_at + LEEWAY_S <= now:
        _refuse(TokenCode.EXPIRED)
    return expires_at


def _read_int(claims: dict[str, Any], name: str, smallest: int, largest: int) -> int:
    value = claims.get(name)
    if type(value) is not int or not smallest <= value <= largest:  # a bool is an int to isinstance
        _refuse(TokenCode.CLAIMS)
    return value


def _read_uuid(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or CANONICAL_UUID.fullmatch(value) is None:
        _refuse(TokenCode.CLAIMS)
    return value


def _refuse(code: TokenCode) -> NoReturn:
    # Without the error that led here: it holds pieces of the token.
    raise TokenRefused(code) from None

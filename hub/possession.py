"""Proofs of possession: that whoever sends a token holds the key that it is bound to (RFC 9449).

Over HTTP a proof is made for one request: its method, its address, its token, a nonce of this instance. On a socket it
is made for one connection: the hub's challenge, the token, the door, the tenant. Pure: whether a nonce is ours and
whether a proof was used before is for others. No proof enters a log line or an exception.
"""

import hmac
import re
from enum import StrEnum
from typing import Any, Final, NamedTuple, NoReturn
from urllib.parse import urlsplit

from hub import jws
from hub.doors import Door
from hub.jws import JwsRefused

TYPE_OF_REQUESTS: Final = "dpop+jwt"  # RFC 9449, 4.2
TYPE_OF_SOCKETS: Final = "payhub-socket+jwt"  # a proof for one is none for the other
ALGORITHMS: Final = ("ES256", "EdDSA")
# Honest ones have about 600 bytes. Checked before anything is parsed.
PROOF_BYTES_MAX: Final = 2_048
# A till's clock may be off by a minute, and its proof be a minute on its way with the nonce that it waited for. How
# fresh a proof is, the nonce says: the clock is only to notice one that will be refused tomorrow.
SKEW_S: Final = 120
HEADER_NAMES: Final = frozenset({"alg", "jwk", "typ"})
TIME_MAX: Final = 2**53 - 1
# RFC 9449, 4.2 asks for 96 random bits at least; a UUID has 36 characters.
JTI: Final = re.compile(r"[!-~]{12,100}")
NONCE_LENGTH_MAX: Final = 200
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class ProofCode(StrEnum):
    """Why a proof is refused, in the order of the checks. Stable: clients may depend on them."""

    MISSING = "proof_missing"
    TOO_LARGE = "proof_too_large"
    MALFORMED = "proof_malformed"
    HEADER = "proof_header"
    TYPE = "proof_type"
    ALGORITHM = "proof_algorithm"
    KEY = "proof_key"
    SIGNATURE = "proof_signature"
    CLAIMS = "proof_claims"
    METHOD = "proof_method"
    ADDRESS = "proof_address"
    DOOR = "proof_door"
    TENANT = "proof_tenant"
    HASH = "proof_hash"
    OTHER_KEY = "proof_other_key"
    NONCE = "proof_nonce"
    CLOCK = "proof_clock"
    REPLAYED = "proof_replayed"


class ProofRefused(Exception):
    """The sender has not shown to hold the key. `code` says why, and is all that is said."""

    def __init__(self, code: ProofCode) -> None:
        super().__init__(code.value)
        self.code = code


class Proof(NamedTuple):
    """A key that somebody holds, shown with this nonce. `thumbprint` is RFC 7638's."""

    thumbprint: str
    algorithm: str
    nonce: str
    jti: str

    @property
    def things(self) -> tuple[str, str]:
        """What may not be used again: the nonce by anybody, the proof's id by this key."""
        return f"nonce {self.nonce}", f"proof {self.thumbprint} {self.jti}"


def read_request_proof(text: str, *, method: str, address: str, token: str | None, now: float) -> Proof:
    """The proof of a request to `address` with this token; None: there is no token yet. Raises ProofRefused.

    A proof without a nonce comes back with an empty one.
    """
    claims, thumbprint, algorithm = _read(text, TYPE_OF_REQUESTS)
    jti, nonce = claims.get("jti"), claims.get("nonce", "")
    if not isinstance(jti, str) or JTI.fullmatch(jti) is None or not isinstance(nonce, str):
        _refuse(ProofCode.CLAIMS)
    if len(nonce) > NONCE_LENGTH_MAX:
        _refuse(ProofCode.CLAIMS)
    if claims.get("htm") != method:
        _refuse(ProofCode.METHOD)
    if not _is_same_address(claims.get("htu"), address):
        _refuse(ProofCode.ADDRESS)
    if token is not None:
        _check_token(claims, token)
    _check_clock(claims, now)
    return Proof(thumbprint, algorithm, nonce, jti)


def check_socket_proof(
    text: str, *, challenge: str, token: str, thumbprint: str, door: Door, tenant: str, now: float
) -> None:
    """That the connection which was given this challenge holds the key of the token. Raises ProofRefused."""
    claims, shown, _ = _read(text, TYPE_OF_SOCKETS)
    if claims.get("aud") != door.value:
        _refuse(ProofCode.DOOR)
    if claims.get("tenant") != tenant:
        _refuse(ProofCode.TENANT)
    _check_token(claims, token)
    if not hmac.compare_digest(shown, thumbprint):
        _refuse(ProofCode.OTHER_KEY)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not _is_same(nonce, challenge):
        _refuse(ProofCode.NONCE)
    _check_clock(claims, now)


def _read(text: str, type_: str) -> tuple[dict[str, Any], str, str]:
    """The claims under a signature that holds, and the thumbprint and algorithm of the key that made it."""
    try:
        parts = jws.split(text, PROOF_BYTES_MAX)
    except JwsRefused as error:
        _refuse(ProofCode.TOO_LARGE if error.is_large else ProofCode.MALFORMED)
    header = parts.header
    # Exactly these three: crit, kid, jku, x5u, x5c and whatever is invented next are refused unread.
    if header.keys() != HEADER_NAMES:
        _refuse(ProofCode.HEADER)
    if header["typ"] != type_:
        _refuse(ProofCode.TYPE)
    if header["alg"] not in ALGORITHMS:
        _refuse(ProofCode.ALGORITHM)
    try:
        verifier = jws.read_key(header["jwk"])
    except JwsRefused:
        _refuse(ProofCode.KEY)
    if verifier.algorithm != header["alg"]:
        _refuse(ProofCode.ALGORITHM)
    if not verifier.holds(parts):
        _refuse(ProofCode.SIGNATURE)
    try:
        claims = jws.read_object(parts.payload)
    except JwsRefused:
        _refuse(ProofCode.CLAIMS)
    return claims, jws.thumbprint(header["jwk"]), verifier.algorithm


def _check_token(claims: dict[str, Any], token: str) -> None:
    hash_ = claims.get("ath")
    if not isinstance(hash_, str) or not _is_same(hash_, jws.hash_of(token)):
        _refuse(ProofCode.HASH)


def _is_same(claimed: str, known: str) -> bool:
    return hmac.compare_digest(claimed.encode(errors="replace"), known.encode())


def _check_clock(claims: dict[str, Any], now: float) -> None:
    issued_at = claims.get("iat")
    if type(issued_at) is not int or not 1 <= issued_at <= TIME_MAX:  # a bool is an int to isinstance
        _refuse(ProofCode.CLAIMS)
    if abs(issued_at - now) > SKEW_S:
        _refuse(ProofCode.CLOCK)


def _is_same_address(claimed: object, address: str) -> bool:
    """Whether both name the same resource, without query and fragment (RFC 9449, 4.3, check 9)."""
    if not isinstance(claimed, str) or len(claimed) > PROOF_BYTES_MAX:
        return False
    try:
        return _normalise(claimed) == _normalise(address)
    except ValueError:
        return False


def _normalise(address: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(address)
    if parts.scheme not in DEFAULT_PORTS or parts.hostname is None or "@" in parts.netloc:
        raise ValueError
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme], parts.path or "/"


def _refuse(code: ProofCode) -> NoReturn:
    # Without the error that led here: it holds pieces of the proof.
    raise ProofRefused(code) from None

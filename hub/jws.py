"""Signed texts, strictly: compact JWS taken apart and checked, public keys as JWK (RFC 7515, 7517, 7638, 8725).

The only module that knows PyJWT. What is signed, by whom and what it means is for others: access tokens
(hub/auth.py), proofs of possession (hub/possession.py), identity tokens (hub/identity.py). It never asks a text how to
verify it, and no text enters a log line or an exception.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from core import json_object

PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey
PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey

# Below this a public JWK passes for an HMAC secret (CVE-2026-48526) and an unknown `crit` is overlooked
# (CVE-2026-32597). Neither is reached from here; a library with known holes is not loaded all the same.
PYJWT_MIN: Final = (2, 13)
if tuple(map(int, jwt.__version__.split(".")[:2])) < PYJWT_MIN:
    raise ImportError(f"PyJWT {jwt.__version__} has known holes: install 2.13 or newer.")

# One kind of key, one algorithm (RFC 8725, 3.1), by `kty` and `crv`.
ALGORITHM_OF: Final = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "RS256"}
# What a thumbprint is made of (RFC 7638, 3.2; RFC 8037, 2), and all that a bare key may hold.
MEMBERS: Final = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
# Members of private keys (RFC 7518, 6.2.2, 6.3.2) and of secrets (6.4).
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
COORDINATE_BYTES: Final = 32
# RFC 7518, 3.3 asks for 2,048 bits; above 4,096 a check costs more than anybody needs.
RSA_BITS_MIN, RSA_BITS_MAX = 2_048, 4_096
RSA_EXPONENT_MAX: Final = 2**32
# A key of small order has signatures that anybody can make (RFC 8032, 5.1; the y coordinates of order 1, 2, 4 and 8).
ED25519_PRIME: Final = 2**255 - 19
SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        ED25519_PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)


class JwsRefused(Exception):
    """The text is no acceptable JWS, or the key none. `is_large`: it was not even looked at."""

    def __init__(self, *, is_large: bool = False) -> None:
        super().__init__("refused")
        self.is_large = is_large


class Parts(NamedTuple):
    """A compact JWS taken apart. The payload is as it was signed: read it when the signature held."""

    header: dict[str, Any]
    payload: bytes
    signature: bytes
    signed: bytes


class Verifier(NamedTuple):
    """A public key with the one algorithm that it is for."""

    algorithm: str
    mathematics: jwt.algorithms.Algorithm
    public_key: PublicKey

    def holds(self, parts: Parts) -> bool:
        """Whether the signature is this key's."""
        return self.mathematics.verify(parts.signed, self.public_key, parts.signature)


def sign(claims: Mapping[str, Any], private_key: PrivateKey, algorithm: str, header: Mapping[str, Any]) -> str:
    """A compact JWS of these claims."""
    return jwt.encode(dict(claims), private_key, algorithm, dict(header))


def verifier(algorithm: str, public_key: PublicKey) -> Verifier:
    """The key, ready to check what it signed."""
    return Verifier(algorithm, jwt.get_algorithm_by_name(algorithm), public_key)


def split(text: str | bytes, size_max: int) -> Parts:
    """Take a compact JWS apart. Raises JwsRefused, and nothing else, for whatever it is given."""
    if not isinstance(text, str | bytes):
        _refuse()
    if len(text) > size_max:
        raise JwsRefused(is_large=True)
    if isinstance(text, str):
        if not text.isascii():
            _refuse()
        text = text.encode()
    segments = text.split(b".")
    if len(segments) != 3:
        _refuse()
    header, payload, signature = map(_decode_segment, segments)
    return Parts(read_object(header), payload, signature, text[: text.rindex(b".")])


def read_object(text: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8 without a repeated name, a NaN or more depth than Python has. Raises JwsRefused."""
    try:
        return json_object.read_object(text)
    except json_object.NoObject:
        _refuse()


def encode_segment(plain: bytes) -> str:
    """Base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def hash_of(token: str) -> str:
    """A token's SHA-256 as proofs name it (`ath`: RFC 9449, 4.2)."""
    return encode_segment(hashlib.sha256(token.encode()).digest())


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The key's SHA-256 thumbprint (RFC 7638). The key is one that `read_key` took."""
    members = {name: jwk[name] for name in MEMBERS[jwk["kty"]]}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return encode_segment(hashlib.sha256(text.encode()).digest())


def read_key(jwk: object, *, is_bare: bool = True) -> Verifier:
    """A public key out of its JWK. Bare: it holds what makes the key, and nothing else. Raises JwsRefused.

    A private or secret key is refused in any case: it has been told to somebody.
    """
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kty"), str) or PRIVATE_MEMBERS & jwk.keys():
        _refuse()
    kty, crv = jwk["kty"], jwk.get("crv")
    names = MEMBERS.get(kty)
    if names is None or (crv is not None and not isinstance(crv, str)):
        _refuse()
    algorithm = ALGORITHM_OF.get((kty, crv))
    if algorithm is None or not set(names) <= jwk.keys() or (is_bare and jwk.keys() != set(names)):
        _refuse()
    numbers = [_decode_member(jwk[name]) for name in names if name not in {"crv", "kty"}]
    try:
        public_key = _PUBLIC_KEYS[kty](*numbers)
    except ValueError:
        _refuse()
    return verifier(algorithm, public_key)


def _ed25519(x: bytes) -> Ed25519PublicKey:
    if len(x) != COORDINATE_BYTES:
        _refuse()
    y = int.from_bytes(x, "little") & (2**255 - 1)
    if y >= ED25519_PRIME or y in SMALL_ORDER_Y:
        _refuse()
    return Ed25519PublicKey.from_public_bytes(x)


def _p256(x: bytes, y: bytes) -> EllipticCurvePublicKey:
    if len(x) != COORDINATE_BYTES or len(y) != COORDINATE_BYTES:
        _refuse()
    # Refuses a point that is not on the curve.
    return EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1()).public_key()


def _rsa(e: bytes, n: bytes) -> RSAPublicKey:
    modulus, exponent = int.from_bytes(n, "big"), int.from_bytes(e, "big")
    # Exponents of 1 and 3 and even ones are mistakes or traps.
    if not RSA_BITS_MIN <= modulus.bit_length() <= RSA_BITS_MAX or not 65_537 <= exponent <= RSA_EXPONENT_MAX:
        _refuse()
    return RSAPublicNumbers(exponent, modulus).public_key()


_PUBLIC_KEYS: Final[Mapping[str, Any]] = {"OKP": _ed25519, "EC": _p256, "RSA": _rsa}


def _decode_member(value: object) -> bytes:
    if not isinstance(value, str) or not value.isascii():
        _refuse()
    return _decode_segment(value.encode())


def _decode_segment(segment: bytes) -> bytes:
    """Base64url without padding, in the one spelling that these bytes have."""
    try:
        plain = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    except ValueError:
        _refuse()
    if base64.urlsafe_b64encode(plain).rstrip(b"=") != segment:
        _refuse()
    return plain


def _refuse() -> NoReturn:
    # Without the error that led here: it holds pieces of the text.
    raise JwsRefused from None

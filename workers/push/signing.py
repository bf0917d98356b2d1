"""Signs the tokens by which push services know us (RFC 7519). The workers' one door to PyJWT; keys are read from files.

No key and no token enters a log line or an exception.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from workers.secret_file import read_secret

SigningKey: TypeAlias = EllipticCurvePrivateKey | RSAPrivateKey

# RFC 7518, 3.3.
RSA_BITS_MIN: Final = 2_048


class KeyUnusable(Exception):
    """A key cannot be used: a sentence that says why, with nothing of it."""


def read_key(pem: bytes) -> SigningKey:
    """A private key for ES256 or RS256, from PKCS #8 (what a .p8 file holds) or SEC 1. Raises KeyUnusable."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable("is no private key in PEM without a password") from None
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    if isinstance(key, RSAPrivateKey) and key.key_size >= RSA_BITS_MIN:
        return key
    raise KeyUnusable("is neither a key of P-256 nor one of RSA with 2,048 bits or more")


def read_key_file(path: Path) -> SigningKey:
    """The same from a file. Raises KeyUnusable."""
    try:
        return read_key(read_secret(path))
    except OSError as error:
        raise KeyUnusable(f"cannot be read: {error.strerror}") from None


def sign(key: SigningKey, claims: Mapping[str, Any], key_id: str | None = None) -> str:
    """A token with these claims. `key_id`: which key of ours it is, where they know several."""
    algorithm = "RS256" if isinstance(key, RSAPrivateKey) else "ES256"
    return jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": key_id} if key_id else None)

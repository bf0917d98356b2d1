"""The key by which browsers' push services know this installation (VAPID, RFC 8292).

Browsers subscribe with its public half, and hear from its owner alone. It is made out of the installation's secrets,
so hubs and workers have the same one, it is in every backup with them, and there is no file to lose.
"""

import base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.keys.safe import Safe

SECRETS: Final = ("push/vapid 1", "push/vapid 2")
# Of P-256 (SEC 2, 2.4.2).
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


async def read_vapid_key(keys: Safe) -> EllipticCurvePrivateKey:
    """The installation's. Raises what Safe.secret raises."""
    # Twice as many bits as the order has: no number is likelier than another (FIPS 186-5, A.2.1).
    bits = b"".join([await keys.secret(name) for name in SECRETS])
    return derive_private_key(int.from_bytes(bits) % (ORDER - 1) + 1, SECP256R1())


def public_text(key: EllipticCurvePublicKey) -> str:
    """What PushManager.subscribe() takes as its applicationServerKey: the point uncompressed, in base64url."""
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

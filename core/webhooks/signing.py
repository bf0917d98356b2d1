"""Signatures of webhooks, and how a receiver checks them (Standard Webhooks 1.0). Pure.

Signed is `id.timestamp.body`, byte by byte as it is sent, with HMAC-SHA256. While a secret is replaced, both sign, and
a receiver that knows either is content.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
# The standard asks for 24 to 64.
SECRET_BYTES: Final = 32
# How far a message's time may be from a receiver's clock.
TOLERANCE_S: Final = 300
# An old secret signs for so long after it was replaced: a day to roll the new one out.
OVERLAP_S: Final = 86_400


def draw_secret() -> str:
    """A new secret, as it is shown once and sealed."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secrets_: Sequence[str], message_id: str, at_s: int, body: bytes) -> str:
    """The signatures of a message by each secret, with spaces between: the `webhook-signature` header."""
    return " ".join(f"v1,{base64.b64encode(_digest(one, message_id, at_s, body)).decode()}" for one in secrets_)


def is_signed(secret: str, message_id: str, timestamp: str, signatures: str, body: bytes, now_s: float) -> bool:
    """What a receiver asks: signed by this secret, these very bytes, and just now."""
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now_s - int(timestamp)) > TOLERANCE_S:
        return False
    wanted = _digest(secret, message_id, int(timestamp), body)
    found = False
    for one in signatures.split(" "):
        version, _, text = one.partition(",")
        try:
            given = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        found |= version == "v1" and hmac.compare_digest(given, wanted)
    return found


def _digest(secret: str, message_id: str, at_s: int, body: bytes) -> bytes:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return hmac.digest(key, f"{message_id}.{at_s}.".encode() + body, hashlib.sha256)

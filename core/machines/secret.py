"""An API key as a text: found by scanners, checked before anybody is asked, worth nothing to who reads its hash. Pure.

    phk_ + 43 characters of 256 random bits + 6 characters of their CRC-32

in digits, capitals and small letters. A scanner that finds such a text in a repository knows by the checksum that it
is a key and no accident; the hub refuses a mistyped one without a look into the database.
"""

import hashlib
import re
import secrets
import zlib
from typing import Final

PREFIX: Final = "phk_"
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_BITS: Final = 256
RANDOM_LENGTH: Final = 43
CHECKSUM_LENGTH: Final = 6
SHAPE: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")
# Enough to tell one's keys apart, too little to help a guess: 238 bits are left.
BEGINNING_LENGTH: Final = len(PREFIX) + 3


def draw_secret() -> str:
    """A new key."""
    body = PREFIX + _to_text(secrets.randbits(RANDOM_BITS), RANDOM_LENGTH)
    return body + _checksum(body)


def is_well_formed(text: str) -> bool:
    """Whether the text can be a key: its shape and its checksum are right."""
    return SHAPE.fullmatch(text) is not None and _checksum(text[:-CHECKSUM_LENGTH]) == text[-CHECKSUM_LENGTH:]


def hash_of(text: str) -> bytes:
    """What a key is kept as. Of 256 random bits one round of SHA-256 is enough."""
    return hashlib.sha256(text.encode()).digest()


def _checksum(body: str) -> str:
    return _to_text(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def _to_text(number: int, length: int) -> str:
    marks = []
    for _ in range(length):
        number, rest = divmod(number, len(ALPHABET))
        marks.append(ALPHABET[rest])
    return "".join(reversed(marks))

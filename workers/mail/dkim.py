"""Signs mails for their domain (DKIM, RFC 6376; Ed25519 by RFC 8463), relaxed in headers and body. Pure.

dkimpy checks every signature in the tests. It signs 125 mails a second with RSA of 2048 bits, in Python alone; this
signs with the library that holds our other keys. It asks no network for a key and checks no mail.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from workers.secret_file import read_secret

# RFC 8301, 3.2: verifiers need not take less than 1024, and signers should use 2048.
RSA_BITS_MIN: Final = 2048
# Named once more than they are there: nobody on the way can add a second one (RFC 6376, 8.15).
SEALED_TWICE: Final = (b"from", b"to", b"subject", b"date")
_UNFOLD: Final = re.compile(rb"\r\n(?=[ \t])")
# All but a single blank, which is what most are.
_BLANKS: Final = re.compile(rb"[ \t]{2,}|\t")
_UNTIDY: Final = re.compile(rb" [ \r]")
_TRAILING: Final = re.compile(rb"[ \t]+(?=\r\n)")


class KeyRefused(Exception):
    """The file of the key cannot be used: one sentence that says why."""


class DkimKey(NamedTuple):
    """A key, and the name under which the domain publishes its other half: <selector>._domainkey.<domain>."""

    key: RSAPrivateKey | Ed25519PrivateKey
    domain: str
    selector: str

    @property
    def is_slow(self) -> bool:
        """Whether to sign takes longer than to hand it to another thread: RSA takes ten times as long as Ed25519."""
        return isinstance(self.key, RSAPrivateKey)

    def __repr__(self) -> str:
        return f"DkimKey({self.domain!r}, {self.selector!r})"


def read_key(path: Path, domain: str, selector: str) -> DkimKey:
    """A private key in PEM. Raises KeyRefused."""
    try:
        key = load_pem_private_key(read_secret(path), password=None)
    except OSError as error:
        raise KeyRefused(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused(f"{path} is no private key in PEM without a password.") from None
    if isinstance(key, RSAPrivateKey) and key.key_size < RSA_BITS_MIN:
        raise KeyRefused(f"{path} is an RSA key of {key.key_size} bits: make one of {RSA_BITS_MIN}.")
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise KeyRefused(f"{path} is neither an RSA key nor an Ed25519 key.")
    return DkimKey(key, domain, selector)


class Unsigned(NamedTuple):
    """A mail that only lacks its signature. `head`: the field so far; `hashed`: what is to be signed."""

    head: bytes
    hashed: bytes
    message: bytes

    def signed(self, signature: bytes) -> bytes:
        """The mail with its signature in front."""
        written = base64.b64encode(signature)
        folded = b"\r\n ".join(written[at : at + 72] for at in range(0, len(written), 72))
        return b"DKIM-Signature: " + self.head + folded + b"\r\n" + self.message


def signed(message: bytes, key: DkimKey, at_s: int) -> bytes:
    """The mail with its signature in front. `at_s`: when it was signed, in Unix time."""
    mail = prepared(message, key, at_s)
    return mail.signed(sign(key, mail.hashed))


def sign(key: DkimKey, hashed: bytes) -> bytes:
    """The signature of a mail. With RSA it takes longer than all else about a mail, and another thread may run."""
    if isinstance(key.key, RSAPrivateKey):
        return key.key.sign(hashed, PKCS1v15(), Prehashed(SHA256()))
    # RFC 8463, 3: the hash is what is signed.
    return key.key.sign(hashed)


def prepared(message: bytes, key: DkimKey, at_s: int) -> Unsigned:
    """All of it but the signature."""
    head, _, body = message.partition(b"\r\n\r\n")
    fields = [(name.lower(), value) for name, _, value in (one.partition(b":") for one in _tidy(head).split(b"\r\n"))]
    digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
    # From the last to the first of each name, as verifiers look for them; ours are there once.
    names = [*(name for name, _ in fields), *SEALED_TWICE]
    algorithm = "rsa-sha256" if isinstance(key.key, RSAPrivateKey) else "ed25519-sha256"
    field = (
        f"v=1; a={algorithm}; c=relaxed/relaxed; d={key.domain};\r\n s={key.selector}; t={at_s};\r\n"
        f" h={b':'.join(names).decode()};\r\n bh={digest};\r\n b="
    ).encode()
    said = [*fields, (b"dkim-signature", _tidy(field))]
    hashed = hashlib.sha256(b"\r\n".join(name + b":" + value.strip(b" ") for name, value in said)).digest()
    return Unsigned(field, hashed, message)


def relaxed_body(body: bytes) -> bytes:
    """The body as it is hashed (RFC 6376, 3.4.4)."""
    # Ours is base64 between two boundaries and has none of that; to look is cheaper than to replace.
    if b"\t" in body or _UNTIDY.search(body):
        body = _BLANKS.sub(b" ", _TRAILING.sub(b"", body))
    if not body.endswith(b"\r\n"):
        return body + b"\r\n" if body else b""
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    return b"" if body == b"\r\n" else body


def _tidy(head: bytes) -> bytes:
    """Each field on one line, its blanks one each (RFC 6376, 3.4.2)."""
    head = _UNFOLD.sub(b"", head)
    return _BLANKS.sub(b" ", head) if b"  " in head or b"\t" in head else head

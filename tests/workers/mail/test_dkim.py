"""Signatures, checked by dkimpy as a receiver would."""

import base64
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from workers.mail.dkim import DkimKey, KeyRefused, read_key, relaxed_body, signed
from workers.mail.message import Letter, Sender, write

# It ships no types.
library: Any = dkim
RSA = rsa.generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
LETTER = Letter(
    str(uuid.uuid4()), "ana@example.com", "Você recebeu", "Olá\n", "<p>Olá</p>", "pt", "https://pay.example/off"
)
MAIL = write(LETTER, Sender("Café da Praça, a melhor de toda a cidade", "no-reply@pay.example"), datetime.now(UTC))


def published(key: rsa.RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    """What the domain's name server says."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public.public_bytes_raw())


def is_right(mail: bytes, key: rsa.RSAPrivateKey | Ed25519PrivateKey = RSA) -> bool:
    asked: list[bytes] = []

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return published(key)

    verdict = bool(library.verify(mail, dnsfunc=look_up))
    assert set(asked) <= {b"s1._domainkey.pay.example."}
    return verdict


def sign(mail: bytes, key: rsa.RSAPrivateKey | Ed25519PrivateKey = RSA) -> bytes:
    return signed(mail, DkimKey(key, "pay.example", "s1"), int(time.time()))


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_a_receiver_finds_it_right(key: rsa.RSAPrivateKey | Ed25519PrivateKey) -> None:
    mail = sign(MAIL, key)
    assert mail.endswith(MAIL)
    assert is_right(mail, key)
    assert all(len(line) < 400 for line in mail.split(b"\r\n"))


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_both_signatures_of_one_mail_are_right(key: rsa.RSAPrivateKey | Ed25519PrivateKey) -> None:
    other = ED25519 if key is RSA else RSA
    assert is_right(sign(sign(MAIL, other), key), key)


@pytest.mark.parametrize(
    ("part", "other"),
    [(b"To: ana@", b"To: eva@"), (b"From: ", b"From: x"), (b"Auto-Submitted: auto", b"Auto-Submitted: no"), (b"/off>", b"/on>"),
     (b"\r\n\r\n--=_", b"\r\n\r\nx--=_"), (b"MIME-Version", b"Subject: and another\r\nMIME-Version")],
)  # fmt: skip
def test_whatever_is_changed_or_added_breaks_it(part: bytes, other: bytes) -> None:
    mail = sign(MAIL)
    assert mail.count(part) == 1
    assert not is_right(mail.replace(part, other))


def test_what_servers_may_do_on_the_way_does_not_break_it() -> None:
    mail = sign(MAIL)
    assert is_right(b"Received: by somebody\r\n" + mail.replace(b"To: ana", b"TO:   ana") + b"\r\n\r\n")


@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n", b"\r\n\r\n", b"a", b"a\r\n", b"a \t b  \r\n\r\n c\t\r\n \r\n\r\n", b" \r\n", b"a\r\n\r\n\r\n"],
)
def test_the_body_is_hashed_as_the_library_does(body: bytes) -> None:
    assert relaxed_body(body) == library.canonicalization.Relaxed.canonicalize_body(body)
    assert is_right(sign(MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body))


def test_a_key_is_read_and_a_bad_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"

    def write_key(key: rsa.RSAPrivateKey | Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> Path:
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return path

    assert is_right(signed(MAIL, read_key(write_key(RSA), "pay.example", "s1"), int(time.time())))
    assert "PRIVATE" not in repr(read_key(path, "pay.example", "s1"))
    with pytest.raises(KeyRefused, match="1024 bits"):
        read_key(write_key(rsa.generate_private_key(65537, 1024)), "pay.example", "s1")
    with pytest.raises(KeyRefused, match="neither"):
        read_key(write_key(ec.generate_private_key(ec.SECP256R1())), "pay.example", "s1")
    path.write_text("no key")
    with pytest.raises(KeyRefused, match="no private key"):
        read_key(path, "pay.example", "s1")
    with pytest.raises(KeyRefused, match="cannot be read"):
        read_key(tmp_path / "nowhere", "pay.example", "s1")

"""A mail as bytes (RFC 5322, MIME): a text part and an HTML part that say the same. Pure.

Python's own writer is right for every mail there can be, and takes thirty times as long; this one writes one shape.
Nothing from outside can add a header or end one: what would is cleaned out of words and refused in addresses.
"""

import base64
import email.utils
import re
import struct
import uuid
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from workers.inert import inert

# RFC 5321, 4.5.3.1.
LOCAL_PART_MAX: Final = 64
ADDRESS_MAX: Final = 254
# Long enough for every subject of ours; the rest of a longer one would be cut by whoever shows it, too.
SUBJECT_MAX: Final = 150
NAME_MAX: Final = 80
# RFC 2045, 6.8: an encoded line has at most 76 characters. RFC 2047, 2: an encoded word has at most 75.
LINE_SIZE: Final = 76
WORD_BYTES: Final = 45
# Subjects and names of houses, of which there are few and none is a person's.
WORDS_KEPT: Final = 1_024
# A dot-atom on the left, a host name or an address in brackets on the right: no quoting, no comment, no route. Letters
# beyond ASCII are for SMTPUTF8 (RFC 6531).
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f.:]+\]")
_URL: Final = re.compile(r"https?://[!-;=?-~]{1,2000}")


class AddressRefused(ValueError):
    """No mail can be sent to, or from, this address. The message never holds it."""


class Letter(NamedTuple):
    """What is to be sent. `delivery_id`: a UUID that is the same at every try. `language`: pt or en (RFC 3282).

    `unsubscribe`: an https link that takes a POST (RFC 8058), for what can be turned off; None for everything else.
    """

    delivery_id: str
    to: str
    subject: str
    text: str
    html: str
    language: str
    unsubscribe: str | None = None


class Sender(NamedTuple):
    """Whom mails come from: the name of the tenant's house, and an address at a domain of ours."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The address' domain, which signs (DKIM) and names (Message-ID)."""
        return self.address.rpartition("@")[2]


def check_address(address: str) -> str:
    """The address, its domain in ASCII (IDNA). Raises AddressRefused."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local.encode("utf-8", "replace")) > LOCAL_PART_MAX:
        raise AddressRefused("no address")
    if inert(address, ADDRESS_MAX) != address or any(one.isspace() for one in local):
        raise AddressRefused("no address")
    try:
        host = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        raise AddressRefused("no domain") from None
    if not _DOMAIN.fullmatch(host) or len(local) + 1 + len(host) > ADDRESS_MAX:
        raise AddressRefused("no domain")
    return f"{local}@{host}"


def write(letter: Letter, sender: Sender, at: datetime) -> bytes:
    """The whole mail, its lines ended by CRLF. Raises AddressRefused.

    `at`: when it was first to be sent. Of one delivery the bytes are the same at every try.
    """
    id_ = uuid.UUID(letter.delivery_id)
    # Never in base64, and so never in a part.
    boundary = f"=_{id_.hex}"
    headers = [
        f"From: {_mailbox(sender)}",
        f"To: {check_address(letter.to)}",
        f"Subject: {encode_words(inert(letter.subject, SUBJECT_MAX))}",
        f"Date: {email.utils.format_datetime(at)}",
        f"Message-ID: <{id_}@{check_domain(sender.domain)}>",
        f"Content-Language: {'pt-BR' if letter.language == 'pt' else 'en'}",
        # RFC 3834, 5: nobody's out-of-office reply is to answer it.
        "Auto-Submitted: auto-generated",
    ]
    if letter.unsubscribe is not None:
        if not _URL.fullmatch(letter.unsubscribe):
            raise AddressRefused("no link to unsubscribe")
        headers += [f"List-Unsubscribe: <{letter.unsubscribe}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    headers += ["MIME-Version: 1.0", f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"', "", ""]
    return b"".join(
        (
            "\r\n".join(headers).encode(),
            _part(boundary, "plain", letter.text),
            _part(boundary, "html", letter.html),
            f"--{boundary}--\r\n".encode(),
        )
    )


def check_domain(domain: str) -> str:
    """The domain, if it is one. Raises AddressRefused."""
    if not _DOMAIN.fullmatch(domain):
        raise AddressRefused("no domain")
    return domain


@lru_cache(maxsize=WORDS_KEPT)
def encode_words(text: str) -> str:
    """A header's words: as they are if ASCII and short, otherwise encoded and folded (RFC 2047)."""
    if text.isascii() and len(text) <= LINE_SIZE - len("Subject: ") and "=?" not in text:
        return text
    words, piece = [], ""
    for one in text:
        if len((piece + one).encode()) > WORD_BYTES:
            words.append(piece)
            piece = ""
        piece += one
    words.append(piece)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word.encode()).decode()}?=" for word in words)


@lru_cache(maxsize=WORDS_KEPT)
def _mailbox(sender: Sender) -> str:
    address = check_address(sender.address)
    if not (name := inert(sender.name, NAME_MAX)):
        return address
    if not name.isascii() or "=?" in name:
        return f"{encode_words(name)}\r\n <{address}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"\r\n <{address}>'


def _part(boundary: str, kind: str, text: str) -> bytes:
    head = f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    encoded = base64.b64encode(text.replace("\n", "\r\n").encode("utf-8", "replace"))
    return head.encode() + b"\r\n".join(_lines(len(encoded)).unpack(encoded)) + b"\r\n"


@lru_cache(maxsize=WORDS_KEPT)
def _lines(size: int) -> struct.Struct:
    """Cuts so much into lines: in one call, in place of one for each."""
    whole, rest = divmod(size, LINE_SIZE)
    return struct.Struct(f"{LINE_SIZE}s" * whole + f"{rest}s" * bool(rest))

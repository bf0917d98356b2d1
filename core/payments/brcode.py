"""BR Code: the text in a Pix QR code, written and read. Pure: no I/O.

EMV QRCPS, merchant-presented mode (EMVCo, v1.1), as the Banco Central's BR Code manual narrows it: fields of two digits
of id, two of length, and so many characters, the last of them a CRC. Reading is strict: what is not exactly right was
damaged on its way, and nobody pays by a guess.
"""

import re
import unicodedata
from binascii import crc_hqx
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from uuid import UUID

from core.errors import Refusal

# The manual's: more than that makes a QR code that no phone's camera reads.
LENGTH_MAX = 512
FIELD_LENGTH_MAX = 99
HEAD_LENGTH = 4
KEY_LENGTH_MAX = 77
URL_LENGTH_MAX = 77
NAME_LENGTH_MAX = 25
CITY_LENGTH_MAX = 15
TXID_LENGTH_MAX = 25
# "9999999999.99": as many as the amount's 13 characters hold.
AMOUNT_MAX = 10**12 - 1
NO_TXID: Final = "***"
# For a name of which nothing is left: a reader refuses an empty one.
NAMELESS: Final = "-"
DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GUI: Final = "br.gov.bcb.pix"
BRL: Final = "986"

PAYLOAD_FORMAT, INITIATION, CATEGORY, CURRENCY, AMOUNT = "00", "01", "52", "53", "54"
COUNTRY, NAME, CITY, MORE, CRC = "58", "59", "60", "62", "63"
ACCOUNTS: Final = range(26, 52)
MANDATORY: Final = frozenset({PAYLOAD_FORMAT, CATEGORY, CURRENCY, COUNTRY, NAME, CITY, MORE, CRC})
ACCOUNT_GUI, ACCOUNT_KEY, ACCOUNT_INFO, ACCOUNT_URL = "00", "01", "02", "25"
MORE_TXID = "05"
ANYTIME, ONCE = "11", "12"


class Code(NamedTuple):
    """What a BR Code says. Either `key` (static: the payee's Pix key) or `url` (dynamic: where to ask, no scheme).

    `amount` is centavos; None: the payer says it. `name` and `city` are the payee's, `info` a line for the payer.
    `is_once`: pays once, and never again.
    """

    name: str
    city: str
    key: str | None = None
    url: str | None = None
    amount: int | None = None
    info: str | None = None
    txid: str = NO_TXID
    is_once: bool = False


def write(code: Code) -> str:
    """The text; names and `info` are folded to fit. Raises ValueError when another field is too long or not ASCII."""
    if (code.key is None) == (code.url is None):
        raise ValueError("A BR Code has either a key or a URL.")
    amount = None if code.amount is None or code.amount > AMOUNT_MAX else f"{code.amount // 100}.{code.amount % 100:02}"
    account = _write(((ACCOUNT_GUI, GUI), (ACCOUNT_KEY, code.key), (ACCOUNT_URL, code.url)))
    room = FIELD_LENGTH_MAX - len(account) - HEAD_LENGTH
    if code.key is not None and code.info is not None and room > 0:
        account += _write(((ACCOUNT_INFO, fold(code.info, room)),))
    text = _write(
        (
            (PAYLOAD_FORMAT, "01"),
            (INITIATION, ONCE if code.is_once else ANYTIME),
            ("26", account),
            (CATEGORY, "0000"),
            (CURRENCY, BRL),
            (AMOUNT, amount),
            (COUNTRY, "BR"),
            (NAME, fold(code.name, NAME_LENGTH_MAX)),
            (CITY, fold(code.city, CITY_LENGTH_MAX)),
            (MORE, _write(((MORE_TXID, code.txid),))),
        )
    )
    text += f"{CRC}04"
    return text + crc(text)


def read(text: str) -> Code:
    """What the text says. Raises Refusal code_damaged when it is no BR Code, or not exactly one."""
    if not 8 <= len(text) <= LENGTH_MAX or not (text.isascii() and text.isprintable()):
        raise damaged("A BR Code has up to 512 plain characters.")
    if text[-8:-4] != f"{CRC}04" or crc(text[:-4]) != text[-4:]:
        raise damaged("The checksum is not this text's.")
    fields = _read(text)
    if next(iter(fields)) != PAYLOAD_FORMAT or list(fields)[-1] != CRC or not fields.keys() >= MANDATORY:
        raise damaged("A field is missing, or out of its place.")
    if (fields[PAYLOAD_FORMAT], fields[CURRENCY], fields[COUNTRY]) != ("01", BRL, "BR"):
        raise damaged("It is not in reais.")
    if fields.get(INITIATION, ANYTIME) not in {ANYTIME, ONCE} or not re.fullmatch("[0-9]{4}", fields[CATEGORY]):
        raise damaged("A field says what it cannot.")
    account = _account(fields)
    more = _read(fields[MORE])
    code = Code(
        name=_within(fields[NAME], NAME_LENGTH_MAX),
        city=_within(fields[CITY], CITY_LENGTH_MAX),
        key=account.get(ACCOUNT_KEY),
        url=account.get(ACCOUNT_URL),
        amount=_to_amount(fields[AMOUNT]) if AMOUNT in fields else None,
        info=account.get(ACCOUNT_INFO),
        txid=more.get(MORE_TXID, NO_TXID),
        is_once=fields.get(INITIATION) == ONCE,
    )
    if (code.key is None) == (code.url is None):
        raise damaged("It has neither a key nor a URL, or both.")
    if code.txid != NO_TXID and not re.fullmatch(f"[A-Za-z0-9]{{1,{TXID_LENGTH_MAX}}}", code.txid):
        raise damaged("Its transaction id is not one.")
    return code


def crc(text: str) -> str:
    """CRC-16/CCITT-FALSE (polynomial 0x1021, from 0xFFFF) as four capital hex digits (EMV QRCPS, 4.7.3)."""
    return f"{crc_hqx(text.encode('ascii'), 0xFFFF):04X}"


def fold(text: str, length_max: int) -> str:
    """Text as banks write it: plain capitals, digits, a few marks, single spaces, cut."""
    # Capitals first: what has no decomposition may have a capital that is plain, as ß has SS. And again: º becomes o.
    plain = unicodedata.normalize("NFKD", text.upper()).encode("ascii", "ignore").decode().upper()
    words = re.sub("[^A-Z0-9 .,&'/-]", " ", plain).split()
    return " ".join(words)[:length_max].rstrip() or NAMELESS


def to_txid(charge_id: str) -> str:
    """A charge's UUID as a transaction id: 25 digits of base 36, the manual's longest."""
    number, digits = UUID(charge_id).int, ""
    for _ in range(TXID_LENGTH_MAX):
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits


def from_txid(txid: str) -> str | None:
    """The UUID that `to_txid` made this of, or None: somebody else made it."""
    if not re.fullmatch(f"[0-9A-Z]{{{TXID_LENGTH_MAX}}}", txid):
        return None
    number = int(txid, 36)
    return str(UUID(int=number)) if number < 2**128 else None


def damaged(why: str) -> Refusal:
    """The refusal of a text that was not read right. `why` is for whoever builds codes; the advice is for all."""
    return Refusal(
        "code_damaged", f"{why} Scan or copy it again; if it stays so, ask the payee for another.", field="code"
    )


def _write(fields: Iterable[tuple[str, str | None]]) -> str:
    return "".join(f"{id_}{len(_checked(value)):02}{value}" for id_, value in fields if value is not None)


def _checked(value: str) -> str:
    if not 1 <= len(value) <= FIELD_LENGTH_MAX or not (value.isascii() and value.isprintable()):
        raise ValueError("A field of a BR Code has 1 to 99 plain characters.")
    return value


def _read(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for id_, value in _fields(text):
        if id_ in fields:
            raise damaged(f"Field {id_} stands twice.")
        fields[id_] = value
    return fields


def _fields(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        head = text[at : at + 4]
        # Only ASCII gets here, so a digit is one of ten.
        if len(head) < 4 or not head.isdigit():
            raise damaged("A field does not begin with its id and length.")
        end = at + 4 + int(head[2:])
        if end == at + 4 or end > len(text):
            raise damaged(f"Field {head[:2]} is empty, or longer than the text.")
        yield head[:2], text[at + 4 : end]
        at = end


def _account(fields: dict[str, str]) -> dict[str, str]:
    """The Pix account among those of all arrangements that the code names."""
    accounts = [_read(value) for id_, value in fields.items() if int(id_) in ACCOUNTS]
    of_pix = [one for one in accounts if one.get(ACCOUNT_GUI, "").lower() == GUI]
    if len(of_pix) != 1:
        raise damaged("It names no Pix account, or two.")
    return of_pix[0]


def _to_amount(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,10})(?:\.([0-9]{1,2}))?", text)
    if not found:
        raise damaged("Its amount is not one.")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _within(text: str, length_max: int) -> str:
    if len(text) > length_max:
        raise damaged("A name is too long.")
    return text

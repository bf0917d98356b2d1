"""One payment as a file states it, and what can be wrong with it. Pure: no asyncio, no I/O.

Every format ends here, so that a value is good or bad whatever file it came in: whole numbers of ASCII digits and
nothing else (no signs, no spaces, no separators, no 1e3), text without control characters.
"""

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from core.errors import Refusal
from core.forbidden import find_forbidden
from core.nouns import AMOUNT_MAX, DESCRIPTION_LENGTH_MAX

ACCOUNT_MAX = 10**12 - 1
# EndToEndId and its kin: ISO 20022 Max35Text.
REFERENCE_LENGTH_MAX = 35
# A year's payroll of a city, or a day's payouts of a marketplace. Beyond it, send two files.
LINES_MAX = 1_000_000
# The accounts of an atomic bulk stay locked until all of it is posted: some seconds for so many.
ATOMIC_LINES_MAX = 100_000
# A million transactions of pain.001 with about a kilobyte each.
FILE_SIZE_MAX = 1024**3

# No control characters, no marks that turn the reading direction, no halves of characters: as the wire's own texts.
NOT_PLAIN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# ISO 20022's amounts: no sign, no separators, no exponent.
DECIMAL: Final = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?")
# ISO 4217's currencies that do not have two decimals.
DECIMALS: Final = {
    currency: decimals
    for decimals, currencies in (
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    )
    for currency in currencies.split()
}


class LineCode(StrEnum):
    """What is wrong with a line. Stored in bulk_lines.code. The last three are found where all lines are known."""

    MALFORMED_LINE = "malformed_line"
    MISSING = "missing"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    TOO_LONG = "too_long"
    NOT_PLAIN_TEXT = "not_plain_text"
    CARD_DATA_IN_TEXT = "card_data_in_text"
    DOCUMENT_IN_TEXT = "document_in_text"
    WRONG_CURRENCY = "wrong_currency"
    WRONG_PAYER = "wrong_payer"
    DATE_NOT_REACHED = "date_not_reached"
    NOT_SUPPORTED = "not_supported"
    ACCOUNT_NOT_FOUND = "account_not_found"
    ACCOUNTS_MUST_DIFFER = "accounts_must_differ"
    DUPLICATE_REFERENCE = "duplicate_reference"


class Line(NamedTuple):
    """One payment of a file. Money in minor units; None where it could not be read, or is not given.

    `payer` is None where the bulk's own account pays. `code` is a LineCode and `field` the column; None: good so far.
    """

    payer: int | None
    payee: int | None
    amount: int | None
    description: str | None
    reference: str | None
    code: str | None = None
    field: str | None = None


class Ground(NamedTuple):
    """What a file is read for: who pays, in which currency, and what day it is there."""

    account: int
    may_name_payers: bool
    currency: str
    today: date

    @property
    def decimals(self) -> int:
        """How many decimals the currency has (ISO 4217)."""
        return DECIMALS.get(self.currency, 2)

    def payer_of(self, text: str) -> tuple[int | None, str | None]:
        """The payer that a file names, None if it is the bulk's own account; and what is wrong with it."""
        found = read_account_number(text)
        if found == self.account:
            return None, None
        if found is None or not self.may_name_payers:
            return None, LineCode.WRONG_PAYER
        return found, None


class Parser(Protocol):
    """Takes a file piece by piece, as it arrives, and gives its lines. It never holds more than a line or two."""

    def feed(self, data: bytes) -> list[Line]:
        """The lines that this piece completes. Raises Refusal when the file is none of this format."""

    def close(self) -> list[Line]:
        """The lines that the file's end completes. Raises Refusal when it is not whole, or its totals are not right."""


MakeParser = Callable[[Ground], Parser]


def malformed(sentence: str) -> Refusal:
    """The file as a whole cannot be read; the sentence says where and why."""
    return Refusal("malformed_file", sentence)


def read_number(text: str, most: int) -> tuple[int | None, str | None]:
    """A whole number from 1 to `most`, or what is wrong with the text."""
    if not text:
        return None, LineCode.MISSING
    # isdigit alone also likes ²; 20 digits are far above any number here and cost nothing to read.
    if not (text.isascii() and text.isdigit()) or len(text) > 20:
        return None, LineCode.NOT_A_NUMBER
    number = int(text)
    return (number, None) if 1 <= number <= most else (None, LineCode.OUT_OF_RANGE)


def read_account_number(text: str) -> int | None:
    """An account's number, or None."""
    return read_number(text, ACCOUNT_MAX)[0]


def read_text(text: str, length_max: int) -> tuple[str | None, str | None]:
    """Text or None where there is none, or what is wrong with it."""
    if len(text) > length_max:
        return None, LineCode.TOO_LONG
    if not text.isprintable() and NOT_PLAIN.search(text):
        return None, LineCode.NOT_PLAIN_TEXT
    forbidden = find_forbidden(text)
    if forbidden is not None:
        return None, LineCode(forbidden.value)
    return text or None, None


def read_line(payer: int | None, payee: str, amount: str, description: str, reference: str) -> Line:
    """A line out of its texts, `amount` in minor units. It names the first column that is wrong."""
    payee_number, wrong_payee = read_number(payee, ACCOUNT_MAX)
    units, wrong_amount = read_number(amount, AMOUNT_MAX)
    what, wrong_description = read_text(description, DESCRIPTION_LENGTH_MAX)
    mark, wrong_reference = read_text(reference, REFERENCE_LENGTH_MAX)
    if not (wrong_payee or wrong_amount or wrong_description or wrong_reference):
        return Line(payer, payee_number, units, what, mark)
    code, field = next(
        (code, field)
        for code, field in (
            (wrong_payee, "payee"),
            (wrong_amount, "amount"),
            (wrong_description, "description"),
            (wrong_reference, "reference"),
        )
        if code
    )
    return Line(payer, payee_number, units, what, mark, code, field)


def to_minor_units(text: str, decimals: int) -> str:
    """12.5 of a currency with two decimals as 1250. What is no such amount comes back as it is, and is no number."""
    found = DECIMAL.fullmatch(text)
    if found is None:
        return text
    fraction = (found[2] or "").rstrip("0")
    return text if len(fraction) > decimals else found[1] + fraction.ljust(decimals, "0")

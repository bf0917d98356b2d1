"""What must not stand in a text that is kept or shown: card numbers, security codes, a person's CPF. Pure.

A card number in a description is a card number in every backup (PCI DSS 4.0.1, 3.3 and 3.5); it is refused before it
is anywhere. It never changes a text: a masked one would say something else than what its writer signed.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final


class Forbidden(StrEnum):
    """What was found. The names are the error codes."""

    CARD_DATA = "card_data_in_text"
    DOCUMENT = "document_in_text"


_DIGIT: Final = re.compile(r"\d")
# Digits of any script, with up to three marks between two of them: 4111 1111…, 4111-1111…, 4.1.1.1…, fullwidth ones.
_DIGITS: Final = re.compile(r"\d(?:[\W_]{0,3}\d){10,}")
_GROUP: Final = re.compile(r"\d+")
# Lengths by the first digits, of networks that cards in Brazil and abroad carry (ISO/IEC 7812-1).
_NETWORKS: Final = (
    (re.compile(r"4"), (13, 16, 19)),  # Visa
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"3(?:0[0-5]|[689])"), (14, 16, 19)),  # Diners Club
    (re.compile(r"6(?:011|4[4-9]|5)"), (16, 19)),  # Discover, and most of Elo
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 19)),  # JCB
    (re.compile(r"62"), (16, 17, 18, 19)),  # UnionPay
    (re.compile(r"5(?:0[0-9]|[6-8])|6(?:36|39|7)"), (16, 18, 19)),  # Maestro, Elo
    (re.compile(r"606282|3841|637"), (13, 16, 19)),  # Hipercard
)
_SHORTEST, _LONGEST = 13, 19
# The three or four digits on the back, with a word that says what they are.
_SECURITY_CODE: Final = re.compile(
    r"(?<![a-z])(?:cvv2?|cvc2?|cvn|cid|security code|c[oó]digo de seguran[cç]a)[\W_]{0,5}\d{3,4}(?!\d)", re.IGNORECASE
)
# The magnetic stripe: track 1 and track 2 (ISO/IEC 7813).
_TRACK: Final = re.compile(r"%?B\d{13,19}\^|;?\d{13,19}=\d{7}")
# Written as one, or called one.
_CPF: Final = re.compile(
    r"(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)"
    r"|(?<![a-z])cpf[\W_]{0,5}(?:n[º°o.]{0,2}\W{0,2})?\d{11}(?!\d)",
    re.IGNORECASE,
)


def find_forbidden(text: str) -> Forbidden | None:
    """The first thing in the text that must not be there; None: it may be kept."""
    if _DIGIT.search(text) is None:
        return None
    plain = _plain(text)
    if _SECURITY_CODE.search(plain) or _TRACK.search(plain):
        return Forbidden.CARD_DATA
    for run in _DIGITS.finditer(plain):
        if _has_card(_GROUP.findall(run[0])):
            return Forbidden.CARD_DATA
    for found in _CPF.finditer(plain):
        if is_cpf("".join(_GROUP.findall(found[0]))[-11:]):
            return Forbidden.DOCUMENT
    return None


def is_card_number(digits: str) -> bool:
    """Whether these digits are a card number of a known network, with the right check digit (ISO/IEC 7812-1, Luhn)."""
    return any(len(digits) in lengths and network.match(digits) for network, lengths in _NETWORKS) and _luhn(digits)


def is_cpf(digits: str) -> bool:
    """Whether these eleven digits are a CPF: two check digits modulo 11 (Receita Federal)."""
    if len(digits) != 11 or len({*digits}) == 1:
        return False
    for length in (9, 10):
        total = sum(int(digit) * weight for digit, weight in zip(digits, range(length + 1, 1, -1), strict=False))
        if int(digits[length]) != total * 10 % 11 % 10:
            return False
    return True


def _plain(text: str) -> str:
    """Digits of every script and width as ASCII, invisible characters gone: what a person reads."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.digit(one)) if one.isdigit() else one for one in folded if unicodedata.category(one) != "Cf"
    )


def _has_card(groups: list[str]) -> bool:
    """Whether some neighbouring groups of digits, together, are a card number."""
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > _LONGEST:
                break
            if len(digits) >= _SHORTEST and is_card_number(digits):
                return True
    # One group with more digits than a card has: it may hide among others, at either end.
    return any(
        len(group) > _LONGEST and (is_card_number(group[:16]) or is_card_number(group[-16:])) for group in groups
    )


def _luhn(digits: str) -> bool:
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0

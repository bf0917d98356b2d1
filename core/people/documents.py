"""CPF and CNPJ: how they are written, and whether their check digits are right. Pure.

Check digits find a slip of the finger. Whether a number was ever issued, and to whom, only Receita Federal knows.
"""

import re
from operator import mul
from typing import Final

from core.errors import Refusal
from core.forbidden import is_cpf

# What people write between the characters; nothing else is forgiven.
_MARKS: Final = str.maketrans("", "", " ./-")
_CPF: Final = re.compile(r"[0-9]{11}")
# Twelve characters, then two digits. Letters come in with the numbers that are issued from July 2026 on (IN RFB
# 2.229/2024); those that were issued before stay as they are, and are checked by the same rule.
_CNPJ: Final = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
CNPJ_WEIGHTS: Final = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)

DOCUMENT_INVALID: Final = "document_invalid"


def read_cpf(text: str) -> str:
    """The CPF as it is kept: eleven digits. Raises Refusal `document_invalid`."""
    digits = text.translate(_MARKS)
    if _CPF.fullmatch(digits) is None or not is_cpf(digits):
        raise Refusal(DOCUMENT_INVALID, field="cpf")
    return digits


def read_cnpj(text: str) -> str:
    """The CNPJ as it is kept: fourteen characters, letters upper case. Raises Refusal `document_invalid`."""
    # Before capitals are made: other alphabets have letters whose capital is one of ours.
    plain = text.translate(_MARKS).upper() if text.isascii() else ""
    if _CNPJ.fullmatch(plain) is None or not is_cnpj(plain):
        raise Refusal(DOCUMENT_INVALID, field="cnpj")
    return plain


def is_cnpj(plain: str) -> bool:
    """Whether these fourteen characters are a CNPJ: two check digits modulo 11 over the characters' values.

    A character's value is its ASCII code less 48: digits count as themselves, A is 17 and Z 42 (Nota Técnica conjunta
    COCAD/SUARA/RFB 49/2024). Weights run 2 to 9 from the right, and begin anew. Nobody has the number of noughts.
    """
    if plain == "0" * 14:
        return False
    values = [ord(mark) - 48 for mark in plain]
    for length in (12, 13):
        rest = sum(map(mul, values[:length], CNPJ_WEIGHTS[-length:])) % 11
        if values[length] != (0 if rest < 2 else 11 - rest):
            return False
    return True

"""Documents and contacts that are right and nobody's. Pure, but for the lot."""

import random
import string
from typing import Final

from core.people.documents import CNPJ_WEIGHTS

LOT: Final = random.Random()


def new_cpf(lot: random.Random = LOT) -> str:
    """A CPF that nobody in the tests has."""
    digits = [lot.randrange(10) for _ in range(9)]
    if len({*digits}) == 1:
        return new_cpf(lot)
    for length in (9, 10):
        total = sum(digit * weight for digit, weight in zip(digits, range(length + 1, 1, -1), strict=False))
        digits.append(total * 10 % 11 % 10)
    return "".join(map(str, digits))


def new_cnpj(lot: random.Random = LOT) -> str:
    """A CNPJ with letters that nobody in the tests has."""
    body = "".join(lot.choices(string.ascii_uppercase + string.digits, k=12))
    for length in (12, 13):
        rest = sum((ord(mark) - 48) * weight for mark, weight in zip(body, CNPJ_WEIGHTS[-length:], strict=True)) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return body


def new_email(lot: random.Random = LOT, words: str = "somebody") -> str:
    """An address that nobody in the tests has."""
    return f"{words}-{lot.getrandbits(64):016x}@example.com"


def new_phone(lot: random.Random = LOT) -> str:
    """A mobile telephone in São Paulo that nobody in the tests has."""
    return f"+55119{lot.randrange(10**8):08}"

"""Numbers, addresses and cards for tests: drawn, with the right check digits; cards as people spell them, too. Pure."""

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


# First digits and length, of every network that is known.
NETWORKS: Final = [
    ("4", 16),
    ("4", 13),
    ("4", 19),
    ("51", 16),
    ("55", 16),
    ("2221", 16),
    ("2720", 16),
    ("34", 15),
    ("37", 15),
    ("300", 14),
    ("36", 14),
    ("38", 14),
    ("6011", 16),
    ("644", 16),
    ("65", 16),
    ("3528", 16),
    ("3589", 16),
    ("62", 16),
    ("62", 19),
    ("5067", 16),
    ("636368", 16),
    ("6277", 16),
    ("606282", 16),
    ("401178", 16),
    ("438935", 16),
    ("506699", 16),
    ("650031", 16),
    ("58", 16),
]


def card_number(dice: random.Random, prefix: str, length: int) -> str:
    """A number with the right check digit (ISO/IEC 7812-1)."""
    body = prefix + "".join(str(dice.randrange(10)) for _ in range(length - len(prefix) - 1))
    total = sum(sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


def card_spellings(number: str) -> list[str]:
    """One card number, in every way that somebody may write it into a text."""
    fours = [number[at : at + 4] for at in range(0, len(number), 4)]
    wide = "".join(chr(0xFF10 + int(digit)) for digit in number)
    arabic = "".join(chr(0x0660 + int(digit)) for digit in number)
    return [
        number,
        " ".join(fours),
        "-".join(fours),
        ".".join(fours),
        "_".join(fours),
        " - ".join(fours),
        " ".join(number),
        "/".join(fours),
        "\u200b".join(number),
        "\u00a0".join(fours),
        wide,
        arabic,
        " ".join(fours) + " 12/29",
        f"order 77 {number}",
        f"7 {' '.join(fours)} 9",
        f"card:{number}.",
        f"({number})",
        "\u2011".join(fours),
        f"x{number}y",
        f"\u00e9{number}",
        f"12345678{number}",
        "\n".join(fours),
    ]

"""Secrets that nobody else has: drawn, spelled in every way, and known again in whatever they were turned into. Pure."""

import base64
import random
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import quote

from tests.numbers import NETWORKS, card_number, card_spellings, new_cpf

# A needle shorter than this turns up by chance in a database's pages.
NEEDLE_BYTES_MIN: Final = 9
NEEDLE_MARKS_MAX: Final = 60


class Canary(NamedTuple):
    """A secret. `text`: as somebody writes it; `secret`: what must be nowhere, in plain characters."""

    kind: str
    text: str
    secret: str


def draw_forbidden(dice: random.Random) -> list[Canary]:
    """What nobody may write anywhere: card numbers in all spellings, security codes, tracks, CPFs in texts."""
    found = []
    for at in range(len(card_spellings("4" * 16)) * 6):
        prefix, length = NETWORKS[at % len(NETWORKS)]
        number = card_number(dice, prefix, length)
        text = card_spellings(number)[at // 6]
        # Of digits glued to more than a card has, sixteen are looked at from either end.
        if length == 16 or not text.startswith("12345678"):
            found.append(Canary("card", text, number))
    for at in range(24):
        word = ("CVV", "cvc2", "cvv2:", "Security code", "código de segurança", "CVN")[at % 6]
        # A code has too few digits to be known again: what stands around it tells whose it was.
        text = f"q{dice.getrandbits(40):010x} {word} {dice.randrange(1_000):03d}"
        found.append(Canary("code", text, text))
    for at in range(18):
        number = card_number(dice, *NETWORKS[at % len(NETWORKS)])
        expiry = f"2912{dice.randrange(1_000):03d}"
        text = f"%B{number}^SILVA/ANA^{expiry}00000000?" if at % 2 else f";{number}={expiry}0000?"
        found.append(Canary("track", text, number))
    for at in range(24):
        plain = new_cpf(dice)
        dotted = f"{plain[:3]}.{plain[3:6]}.{plain[6:9]}-{plain[9:]}"
        text = (dotted, f"CPF {plain}", f"cpf: {dotted}", f"o CPF nº {plain}")[at % 4]
        found.append(Canary("cpf", text, dotted if dotted in text else plain))
    return found


def draw_passwords(dice: random.Random, count: int) -> list[Canary]:
    """What opens a door: typed, hashed, and never kept."""
    found = [f"pässword-{dice.getrandbits(64):016x}" for _ in range(count)]
    return [Canary("password", text, text) for text in found]


def needles(canary: Canary) -> Iterator[bytes]:
    """What it may have become on its way: another encoding, an escape, a dump's spelling."""
    for text in {canary.text, canary.secret}:
        # Of what is long, the end tells it from others: tokens begin alike.
        yield from _encoded(text[-NEEDLE_MARKS_MAX:])


def _encoded(text: str) -> Iterator[bytes]:
    raw = text.encode()
    if len(raw) >= NEEDLE_BYTES_MIN:
        yield raw
        yield raw.hex().encode()
        yield from _base64(raw)
        if not text.isascii():
            yield text.encode("unicode_escape")
        if (quoted := quote(text, safe="")) != text:
            yield quoted.encode()


def _base64(raw: bytes) -> Iterable[bytes]:
    """It may begin at any of three places within a longer text: what does not depend on its neighbours."""
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw)
        yield whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]

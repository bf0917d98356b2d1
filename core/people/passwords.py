"""Which passwords nobody may choose: those that are guessed first (NIST SP 800-63B-4, 3.1.1.2; OWASP ASVS 5.0, 6.2).

Two lists are asked. One is a file of breached passwords that the operator of the installation brings, in the form that
such lists are given away in: SHA-1 in hexadecimal, a colon, a count; one a line, sorted. It is searched where it lies,
by halves, however large. The other is a rule instead of a list: the words that everybody begins with, in English and
Portuguese, and what anybody would try here (the login, the tenant), with what people put around words. Nothing is asked
of a password's characters, and a phrase of three other words is refused by neither.
"""

import asyncio
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from core.errors import Refusal

SHA1_HEX = 40
# A line is 40 digits, a colon, a count of at most ten digits, and an end of one or two bytes.
LINE_BYTES_MAX = 64

# What is thought of first when a password is asked for. No list was copied: these are the obvious ones.
OBVIOUS: Final = """
password passwort pass word senha segredo secret admin administrator administrador root user usuario guest login welcome
bemvindo letmein entrar default change changeme mudar trocar test teste testing hello ola master computer computador
internet service servico system sistema server servidor company empresa payhub hub pay payment pagamento money dinheiro
bank banco pix real reais conta account card cartao love amor iloveyou teamo jesus deus god familia family princess
princesa princesinha angel anjo sunshine football futebol flamengo corinthians palmeiras brasil brazil saopaulo rio
monkey dragon shadow superman batman summer winter spring autumn verao inverno primavera outono january janeiro december
dezembro monday segunda friday sexta weekend demo the my meu minha is and
"""
WORDS: Final = frozenset(OBVIOUS.split())
# Rows of keyboards, the alphabet and the digits.
ROWS: Final = (
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
)
RUNS: Final = (*ROWS, *(row[::-1] for row in ROWS))
RUN_LENGTH_MIN = 3
# What people write for letters; a 1 is either of two.
LETTERS: Final = tuple(
    str.maketrans({"@": "a", "4": "a", "3": "e", "1": one, "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"})
    for one in ("i", "l")
)
# With this many different words, obvious as each is, a phrase is one that nobody tries.
WORDS_ENOUGH = 3
# A date between two signs: as much around words is tried through. More than that, unless it is a run, is chance.
FILLING_MAX = 10
# Shorter pieces of a login are part of anything.
CONTEXT_LENGTH_MIN = 3
# Shorter words in signs and digits are signs and digits.
DISGUISED_LENGTH_MIN = 4
FILLING = re.compile(r"[\W\d_]")
SIGNS = re.compile(r"[\W_]")
LINE_HASH = re.compile(rb"[0-9A-F]{40}")


class Policy:
    """What a chosen password is held against. Made once for a process: it opens the file, and keeps none of it."""

    def __init__(self, breached: "BreachedFile | None" = None) -> None:
        self._breached = breached

    async def refuse_weak(self, password: str, *context: str) -> None:
        """Raises Refusal (`password_too_weak`) for one that is guessed first.

        `context`: what anybody would try here: the login, the tenant's slug and name.
        """
        plain = unicodedata.normalize("NFC", password)
        is_weak = is_obvious(plain, context)
        if not is_weak and self._breached is not None:
            is_weak = await asyncio.to_thread(self._breached.holds, plain)
        if is_weak:
            raise Refusal("password_too_weak", field="password")


class BreachedFile:
    """A sorted file of SHA-1 hashes, searched by halves; in memory is one line at a time.

    Raises OSError when it cannot be read, ValueError when it is no such file or is not sorted.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDONLY)
        try:
            self._size = os.fstat(self._handle).st_size
            hashes = [self._line_at(self._size * at // 8)[1] for at in range(8)] if self._size else []
            if hashes != sorted(hashes):
                raise ValueError("Its lines are not sorted by their hashes.")
        except ValueError:
            os.close(self._handle)
            raise

    def holds(self, password: str) -> bool:
        """Whether this password was seen in a breach. About forty short reads in a file of forty gigabytes."""
        plain = password.encode(errors="surrogatepass")
        wanted = hashlib.sha1(plain, usedforsecurity=False).hexdigest().upper().encode()
        low, high = 0, self._size
        # The line that is sought begins at or after `low` and before `high`.
        while low < high:
            start, line_hash, end = self._line_at((low + high) // 2)
            if line_hash == wanted:
                return True
            if line_hash < wanted:
                low = end
            else:
                high = start
        return False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def _line_at(self, at: int) -> tuple[int, bytes, int]:
        """Where the line begins that this byte stands in, its hash, and where the next one begins."""
        first = max(at - LINE_BYTES_MAX, 0)
        piece = os.pread(self._handle, 2 * LINE_BYTES_MAX, first)
        before = piece.rfind(b"\n", 0, at - first)
        end = piece.find(b"\n", at - first)
        end = len(piece) if end < 0 else end + 1
        line_hash = piece[before + 1 : before + 1 + SHA1_HEX].upper()
        if (before < 0 < first) or LINE_HASH.fullmatch(line_hash) is None:
            raise ValueError("A line of it is no SHA-1 in hexadecimal, a colon and a count.")
        return first + before + 1, line_hash, first + end


def is_obvious(password: str, context: Iterable[str] = ()) -> bool:
    """Whether a password is made of what everybody tries: known words, runs of keys, dates and signs, and repeats."""
    folded = _fold(password)
    if len(set(folded)) <= 2:
        return True
    words = WORDS | {word for text in context for word in _words_of(text)}
    return _is_made_of(folded, words)


def _fold(text: str) -> str:
    """Lower case, without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in apart if not unicodedata.combining(mark))


def _words_of(text: str) -> set[str]:
    """What a login or a name gives away: its words, and all of it."""
    folded = _fold(text)
    found = {*re.split(r"[\W\d_]+", folded), FILLING.sub("", folded), SIGNS.sub("", folded), folded}
    return {word for word in found if len(word) >= CONTEXT_LENGTH_MIN}


def _is_made_of(folded: str, words: frozenset[str]) -> bool:
    """Whether words, runs, repeats and a little filling are all there is, with fewer different words than a phrase has.

    From left to right: which sets of words can reach each place, and with how little filling.
    """
    spellings = (folded, *(folded.translate(letters) for letters in LETTERS))
    longest = max(map(len, words))
    reached: list[dict[frozenset[str], int]] = [{} for _ in range(len(folded) + 1)]
    reached[0][frozenset()] = 0

    def reach(place: int, used: frozenset[str], filling: int) -> None:
        if len(used) < WORDS_ENOUGH and filling <= FILLING_MAX:
            reached[place][used] = min(filling, reached[place].get(used, filling))

    for at, here in enumerate(reached[:-1]):
        if not here:
            continue
        pieces = {
            (end, spelling[at:end])
            for spelling in spellings
            for end in range(at + 1, min(at + longest, len(folded)) + 1)
            if spelling[at:end] in words and (spelling is folded or end - at >= DISGUISED_LENGTH_MIN)
        }
        for used, filling in here.items():
            for end, word in pieces:
                reach(end, used | {word}, filling)
            for end in _run_ends(folded, at):
                reach(end, used, filling)
            if FILLING.match(folded, at):
                reach(at + 1, used, filling + 1)
    return bool(reached[-1])


def _run_ends(folded: str, at: int) -> Iterator[int]:
    """Where a run of keys that begins here may end, or one letter again and again."""
    for end in range(at + RUN_LENGTH_MIN, len(folded) + 1):
        piece = folded[at:end]
        if len(set(piece)) > 1 and not any(piece in run for run in RUNS):
            break
        yield end

"""The phrases of each language, out of its file: read once, and each knows what it cannot be said without. Pure.

They are plain words and are escaped where the layout puts them into a page. What they are filled with is never read as
a phrase.
"""

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from core.notices.kinds import NoticeKind

TEMPLATES: Final = Path(__file__).parent / "templates"
LAYOUTS: Final = Environment(
    loader=FileSystemLoader(TEMPLATES),
    undefined=StrictUndefined,
    autoescape=select_autoescape(["html"]),
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Phrase(NamedTuple):
    """A phrase. `needs`: names without which it is left out."""

    words: str
    needs: frozenset[str]

    def say(self, given: Mapping[str, Any]) -> str | None:
        """The phrase, filled; None: something that it needs is not known."""
        if not self.needs:
            return self.words
        return None if any(given[name] is None for name in self.needs) else self.words.format_map(given)


class Notice(NamedTuple):
    """The phrases of one kind, for one or for many."""

    title: Phrase
    push: Phrase
    headline: Phrase
    lead: tuple[Phrase, ...]
    action: Phrase


class Common(NamedTuple):
    """What all kinds share."""

    phrases: Mapping[str, Phrase]
    rows: Mapping[str, str]
    reasons: Mapping[str, str]


@cache
def notice(kind: NoticeKind, language: str, *, is_many: bool) -> Notice:
    """The phrases of a kind; what it has no words for when there are many is said as of one."""
    lines = _read(language)[kind.name.lower()]
    chosen = {**lines, **{name.removeprefix("many_"): lines[name] for name in lines if name.startswith("many_")}}
    if not is_many:
        chosen = lines
    return Notice(
        read_phrase(chosen["title"]),
        read_phrase(chosen["push"]),
        read_phrase(chosen.get("headline", chosen["title"])),
        tuple(read_phrase(one) for one in chosen["lead"]),
        read_phrase(chosen["action"]),
    )


@cache
def common(language: str) -> Common:
    """What all kinds share."""
    lines = _read(language)
    return Common(
        {name: read_phrase(words) for name, words in lines["common"].items()}, lines["rows"], lines["reasons"]
    )


def read_phrase(words: str) -> Phrase:
    """A phrase with its needs."""
    return Phrase(words, frozenset(name for _, name, _, _ in string.Formatter().parse(words) if name is not None))


@cache
def _read(language: str) -> dict[str, Any]:
    return tomllib.loads((TEMPLATES / f"{language}.toml").read_text("utf-8"))

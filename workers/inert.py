"""Words from outside that can do nothing where they are shown: one line, and what one sees is what is there. Pure."""

import re
from typing import Final

# Controls and ends of lines; marks that are not seen, or turn the direction of writing (UAX 9); halves of characters.
_UNSEEN: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# Not the hard blank, which keeps an amount on its line.
_BLANKS: Final = re.compile(r" {2,}")


def inert(text: str, size_max: int) -> str:
    """The words on one line, at most `size_max` characters of them."""
    # Nearly all are harmless as they are: to look costs a tenth of replacing.
    if text.isprintable() and "  " not in text:
        return text[: 4 * size_max].strip()[:size_max]
    return _BLANKS.sub(" ", _UNSEEN.sub(" ", text[: 4 * size_max])).strip()[:size_max]

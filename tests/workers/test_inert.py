"""Words from outside, made harmless."""

import pytest

from workers.inert import inert


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  a\tb\r\n c ", "a b c"),
        ("a\u202eb\u2066c\u200bd", "a b c d"),
        ("a\x00b\x1b[31m", "a b [31m"),
        ("a\ud800b", "a b"),
        ("R$\u00a01,00 ✓ 💸 ção", "R$\u00a01,00 ✓ 💸 ção"),
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrst"),
        ("\u202e" * 100, ""),
    ],
)
def test_what_is_seen_is_what_is_there(text: str, shown: str) -> None:
    assert inert(text, 20) == shown

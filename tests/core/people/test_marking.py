"""Marks: of this installation, of every part, and of where each ends."""

import secrets

from core.people.marking import MARK_BYTES, Marks


def test_a_mark_depends_on_every_part_and_on_where_they_end() -> None:
    marks = Marks(secrets.token_bytes(32))
    made = {
        marks.of("a", "b", "c"),
        marks.of("a", "bc"),
        marks.of("ab", "c"),
        marks.of("a", "b", "c", ""),
        marks.of("a", "b"),
        marks.of("a", 1),
        Marks(secrets.token_bytes(32)).of("a", "b", "c"),
    }
    assert len(made) == 7
    assert {len(one) for one in made} == {MARK_BYTES}
    assert marks.of("a", 1, b"x", "\ud800") == marks.of("a", "1", "x", "\ud800")


def test_the_secret_is_in_no_repr() -> None:
    secret = secrets.token_bytes(32)
    assert secret.hex() not in repr(Marks(secret))

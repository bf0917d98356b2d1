"""The search that finds no word where none may be finds one where there is one."""

import base64
import gzip
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from core.database import Pool
from tests.conftest import Database
from tests.core.keys.canary import dump, found_in, fresh_canary


@pytest.mark.parametrize(
    "write",
    [
        lambda word: word.encode(),
        lambda word: word.encode().hex().encode(),
        lambda word: base64.b64encode(b"x" + word.encode()),
        lambda word: base64.b64encode(b"xy" + word.encode() + b"z"),
        lambda word: base64.urlsafe_b64encode(word.encode()),
        lambda word: json.dumps({"name": word}).encode(),
        lambda word: quote(f"/{word}").encode(),
        lambda word: f"x{word.upper()}x".encode("utf-16-le"),
        lambda word: repr(word.encode()).encode(),
    ],
)
def test_a_word_is_found_in_every_spelling(write: object) -> None:
    word, other = fresh_canary(), fresh_canary()
    assert callable(write)
    assert found_in(b"before" + write(word) + b"after", [word, other]) == {word}


def test_a_word_that_is_not_there_is_not_found() -> None:
    assert found_in(gzip.compress(b"x" * 1_000) + fresh_canary().encode(), [fresh_canary()]) == set()


async def test_a_word_in_a_table_is_found_in_the_dump(admin: Pool, database: Database, tmp_path: Path) -> None:
    words = [fresh_canary() for _ in range(3)]
    await admin.execute("create table payhub.nest (a text, b bytea, c jsonb)")
    try:
        await admin.execute(
            "insert into payhub.nest values ($1, $2, $3)", words[0], words[1].encode(), json.dumps({"x": words[2]})
        )
        assert found_in(dump(database.admin_url, tmp_path / "dump.sql"), [*words, fresh_canary()]) == {*words}
    finally:
        await admin.execute("drop table payhub.nest")

"""Ids as the standard wants them."""

import time
import uuid

import pytest

from loadtest.ids import MAKERS, uuid7


@pytest.mark.parametrize(("kind", "version"), [("v7", 7), ("v4", 4)])
def test_ids_are_canonical_uuids_of_their_version_and_never_the_same(kind: str, version: int) -> None:
    made = [MAKERS[kind]() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    for one in made:
        parsed = uuid.UUID(one)
        assert (str(parsed), parsed.version, parsed.variant) == (one, version, uuid.RFC_4122)


def test_version_7_begins_with_the_time() -> None:
    before = time.time_ns() // 1_000_000
    moment = int(uuid7().replace("-", "")[:12], 16)
    assert before <= moment <= time.time_ns() // 1_000_000

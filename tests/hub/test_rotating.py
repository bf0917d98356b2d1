"""Three rotations of the signing keys under load, on two hubs, with tokens of a few seconds."""

import pytest_asyncio

from tests.hub.quick_hub import KEYS_READ_S, TOKEN_LIFETIME_S
from tests.hub.rotating import Report, Times, show, turn, two_hubs

TIMES = Times(TOKEN_LIFETIME_S, every_s=2, delay_s=1, read_s=KEYS_READ_S)


@pytest_asyncio.fixture(scope="module")
async def report() -> Report:
    async with two_hubs(("-m", "tests.hub.quick_hub")) as (database, hubs):
        return await turn(database, hubs, TIMES, walkers=6, stayers=4)


async def test_no_valid_token_is_refused_while_the_keys_turn(report: Report) -> None:
    assert report.refused == [], show(report)
    assert report.checked > 200
    assert len(report.by_kid) == 4
    # Each retired key's tokens went on until they were over.
    assert len(report.after) == 3
    assert report.renewed > 10


async def test_no_token_of_an_old_key_is_taken_when_its_overlap_is_over(report: Report) -> None:
    assert report.old_taken == []

"""A short walk along the walls, and every planted hole. The long walk is `python -m tests.hub.walls`."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from config.embedded import Servers
from tests.hub.walling.leaks import HOLES, Hole, planted
from tests.hub.walling.others import Disturbed, Others
from tests.hub.walling.schemas import Schema
from tests.hub.walling.walk import Walk
from tests.hub.walling.worlds import Worlds, two_worlds
from tests.hub.walls import read_documents

SEED = 20_261_125
# Every field is tried at every door by everybody who may ask, and then some at random.
TRIES = 5_000
# What is hard to make up is asked for until it was understood, but not for ever.
MORE_TRIES = 500
MORE_MAX = 8
TRIES_TO_FIND = 1_500


class Ground(NamedTuple):
    """Two worlds whose hubs have holes that are closed, with another tenant in the first."""

    worlds: Worlds
    documents: tuple[Schema, Schema]
    switch: Path
    far: Others


@pytest_asyncio.fixture(scope="module")
async def ground(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    folder = tmp_path_factory.mktemp("walls")
    switch = folder / "hole"
    switch.write_text("")
    command = ("-m", "tests.hub.walling.leaky", str(switch), "serve")
    async with two_worlds(servers, folder, command=command) as worlds:
        documents = await read_documents(worlds.real.hub.url)
        far = await Walk(worlds, documents, SEED, homes=[]).bring_in_another_tenant("far-away")
        yield Ground(worlds, documents, switch, far)
        await far.leave()


_slugs = itertools.count()


async def walk_for(ground: Ground, homes: int, only: frozenset[str] | None = None) -> Walk:
    """New walkers who have settled in tenants of their own."""
    opened = [await ground.worlds.open_home(f"home-{next(_slugs)}") for _ in range(homes)]
    walk = Walk(ground.worlds, ground.documents, SEED, homes=opened, only=only)
    await walk.settle()
    return walk


async def test_no_command_at_either_door_leads_through_a_wall(ground: Ground) -> None:
    walk = await walk_for(ground, 2)
    try:
        await walk.meet_another_tenant(ground.far)
        await walk.run(TRIES)
        for _ in range(MORE_MAX):
            if walk.unreached:
                await walk.run(MORE_TRIES)
        await walk.compare_own_rows()
        await walk.meet_neighbours()
        await walk.run(TRIES // 3)
    finally:
        await walk.leave()
    assert walk.leaks == []
    assert walk.unreached == []
    assert walk.tries >= TRIES
    for side in (ground.worlds.real, ground.worlds.without):
        assert side.hub.bugs() == []


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
async def test_a_planted_hole_is_found(ground: Ground, hole: Hole) -> None:
    walk = await walk_for(ground, 1, hole.commands)
    admins = ground.worlds.real.admin, ground.worlds.without.admin
    tenants = [ground.far.tenant_id or 0, *(walker.home.tenant.id for walker in walk.walkers)]
    try:
        if hole.is_near:
            await walk.meet_neighbours()
        else:
            await walk.meet_another_tenant(ground.far)
        async with planted(hole, admins, ground.switch, tenants):
            # A log-in costs as much time as fifty other commands.
            await walk.run(TRIES_TO_FIND, most=1, at_a_time=5 if hole.costs_hashes else 60)
    except Disturbed:
        # So wide that another tenant could not pay any more before a difference was seen: found, too.
        assert "Pay" in hole.commands
        return
    finally:
        await walk.leave()
    assert walk.leaks != [], (walk.codes, walk.kinds, walk.fields)
    assert {leak.command for leak in walk.leaks} <= {"", *hole.commands}

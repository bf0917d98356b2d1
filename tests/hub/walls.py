"""Walks along the walls between tenants, and between people, of a live hub.

    python -m tests.hub.walls --tries 100000

It starts servers and two hubs of its own: one with the others, one without them. The same seed asks the same.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2

from config.embedded import temporary_servers
from tests.hub.walling.walk import TRIED, Walk
from tests.hub.walling.worlds import two_worlds

HOMES = 6


async def read_documents(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a running hub says may be asked."""
    async with httpx2.AsyncClient() as client:
        answers = [await client.get(f"{url}/docs/{name}.json") for name in ("asyncapi", "openapi")]
    return answers[0].json(), answers[1].json()


async def _main(tries: int, seconds: float, seed: int, folder: Path) -> int:
    with temporary_servers(durable=False) as servers:
        async with two_worlds(servers, folder) as worlds:
            homes = [await worlds.open_home(f"home-{at}") for at in range(HOMES)]
            walk = Walk(worlds, await read_documents(worlds.real.hub.url), seed, homes=homes)
            try:
                _say(f"Settling {HOMES} homes in two worlds …")
                await walk.settle()
                _say("Others move in: another tenant …")
                await walk.meet_another_tenant(await walk.bring_in_another_tenant("far-away"))
                await walk.run(tries * 3 // 4, seconds * 3 / 4, say=_say)
                await walk.compare_own_rows()
                _say("… and people of the same tenant …")
                await walk.meet_neighbours()
                await walk.run(tries - walk.tries, seconds / 4, say=_say)
            finally:
                await walk.leave()
                _summarise(walk)
            bugs = [*worlds.real.hub.bugs(), *worlds.without.hub.bugs()]
            for bug in bugs:
                _say(f"bug: {bug}")
    return len(walk.leaks) + len(bugs) + len(walk.unreached)


def _summarise(walk: Walk) -> None:
    for (name, door), tally in sorted(walk.tallies.items()):
        share = tally.reached / tally.meant if tally.meant else 0
        _say(f"{name:24} {door:18} {tally.tries:>6,} tries  {share:>4.0%} past validation  {tally.done:>6,} done")
    _say(f"drawn by lot: {sorted(f'{command}{path}' for command, path in walk.drawn.known)}")
    _say(f"answers: {dict(walk.codes.most_common())}")
    _say(f"kinds: { {kind: walk.kinds[kind] for kind in TRIED} }")
    fields = Counter(field for field, _, _ in walk.fields.elements())
    _say(f"{len(fields)} fields took ids of others, {len(walk.fields)} with door and role")
    for leak in walk.leaks:
        _say(f"HOLE {leak}")
    for name in walk.unreached:
        _say(f"NOT REACHED {name}")
    _say(f"{walk.tries:,} tries, {len(walk.leaks)} holes")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=3_600.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        sys.exit(min(asyncio.run(_main(given.tries, given.seconds, given.seed, Path(made))), 1))

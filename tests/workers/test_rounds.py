"""A worker's rounds go on after a failure, and come back at once while there is more to do."""

import asyncio

from workers.rounds import Round, go_round, rounds_done


async def test_a_failed_round_is_tried_again() -> None:
    calls = 0
    done = asyncio.Event()

    async def work() -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionError("the server is away")
        done.set()
        return 0

    task = asyncio.create_task(go_round(Round("fails-once", 60.0, work)))
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()

    assert rounds_done.labels("fails-once", "failed")._value.get() == 1


async def test_a_full_round_is_repeated_without_waiting() -> None:
    left = [5, 5, 5, 2]
    empty = asyncio.Event()

    async def work() -> int:
        done = left.pop(0)
        if not left:
            empty.set()
        return done

    task = asyncio.create_task(go_round(Round("busy", 3600.0, work, full=5)))
    await asyncio.wait_for(empty.wait(), 5)
    task.cancel()
    assert left == []

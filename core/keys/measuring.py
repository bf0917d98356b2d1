"""How fast keys are here: sealing and opening, keys that are kept and keys that are fetched, making and destroying.

It measures on one core of this machine, against the database of keys that the safe is on, with persons of a tenant that
does not exist. Their keys are destroyed at the end; that they were stays written.
"""

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Final

from core.audit.trail import NOBODY
from core.keys import store
from core.keys.safe import Safe

PERSONS: Final = 2_000
BATCH: Final = 100
ERASED: Final = 50
TEXT: Final = "Two coffees and a cake, table seven, paid by somebody who likes long words"
PLACE: Final = ("measured", "text_sealed", "0b8c2a8e-6f0d-4f3e-9f57-0f2f4f6d9a11")
# No tenant has this number: they count from one.
NO_TENANT: Final = 2**31 - 1


async def measure(safe: Safe, seconds: float) -> dict[str, float | int]:
    """Figures by name, all per second but where a name ends in its unit."""
    persons = [str(uuid.uuid4()) for _ in range(PERSONS)]
    began = time.perf_counter()
    for at in range(0, PERSONS, BATCH):
        await safe.of(NO_TENANT, persons[at : at + BATCH], create=True)
    made = PERSONS / (time.perf_counter() - began)
    try:
        return {"made": round(made), **await _measure(safe, persons, seconds)}
    finally:
        await store.destroy(safe.pool, [(NO_TENANT, person) for person in persons], NOBODY, "measured")


async def _measure(safe: Safe, persons: list[str], seconds: float) -> dict[str, float | int]:
    person = persons[0]
    cipher = await safe.one(NO_TENANT, person)
    sealed = cipher.seal(*PLACE, TEXT)

    async def kept() -> None:
        await safe.of(NO_TENANT, (person,))

    async def fetched() -> None:
        safe.forget(NO_TENANT, person)
        await safe.of(NO_TENANT, (person,))

    async def many_fetched() -> None:
        for one in persons[:BATCH]:
            safe.forget(NO_TENANT, one)
        await safe.of(NO_TENANT, persons[:BATCH])

    async def fetched_at_once() -> None:
        for one in persons[:BATCH]:
            safe.forget(NO_TENANT, one)
        await asyncio.gather(*(safe.one(NO_TENANT, one) for one in persons[:BATCH]))

    async def indexed() -> None:
        await safe.index(NO_TENANT, "login", "somebody@example.com")

    figures: dict[str, float | int] = {
        "sealed": _rate(lambda: cipher.seal(*PLACE, TEXT), seconds),
        "opened": _rate(lambda: cipher.open(*PLACE, sealed), seconds),
        "kept": await _async_rate(kept, seconds),
        "fetched_one_by_one": await _async_rate(fetched, seconds),
        "fetched_by_a_hundred_at_once": BATCH * await _async_rate(fetched_at_once, seconds),
        "fetched_by_the_hundred": BATCH * await _async_rate(many_fetched, seconds),
        "indexed": await _async_rate(indexed, seconds),
    }
    erasures = []
    for one in persons[-ERASED:]:
        began = time.perf_counter()
        await safe.destroy(NO_TENANT, one, NOBODY, "measured")
        erasures.append(1_000 * (time.perf_counter() - began))
    return figures | {
        "seal_us": round(1e6 / figures["sealed"], 2),
        "erased_p50_ms": round(statistics.median(erasures), 2),
    }


def _rate(work: Callable[[], object], seconds: float) -> int:
    """How often a second. The clock is looked at every hundred times."""
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(100):
            work()
        count += 100
    return round(count / (time.perf_counter() - began))


async def _async_rate(work: Callable[[], Awaitable[None]], seconds: float) -> int:
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(10):
            await work()
        count += 10
    return round(count / (time.perf_counter() - began))

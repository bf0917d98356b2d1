"""When what came to a server of ours was there first, and how often it came: a file with a line for each id."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Arrival(NamedTuple):
    """`times`: how often it came; `at`: when first, in Unix time."""

    times: int
    at: float


def write_arrivals(file: Path, found: Iterable[tuple[str, int, float]]) -> None:
    """Id, how often, and when first."""
    file.write_text("".join(f"{id_} {times} {at:.6f}\n" for id_, times, at in found))


def read_arrivals(file: Path) -> dict[str, Arrival]:
    """What write_arrivals wrote, by id."""
    lines = (line.rsplit(" ", 2) for line in file.read_text().splitlines())
    return {id_: Arrival(int(times), float(at)) for id_, times, at in lines}

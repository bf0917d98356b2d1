"""When what came to a server of ours was there first, and how often it came: a file with a line for each id.

Of what is sealed the server knows no id: another file keeps it as it came, for whoever can open it.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

# When it came; how long the name is of whom it is for, and how long what came.
_SEALED: Final = struct.Struct(">dHI")


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


def write_sealed(file: IO[bytes], at: float, name: str, body: bytes) -> None:
    """Something came for `name` that only they can open."""
    file.write(_SEALED.pack(at, len(name), len(body)) + name.encode() + body)


def open_arrivals(file: Path, open_: Callable[[str, bytes], str]) -> dict[str, Arrival]:
    """What write_sealed wrote, by id; `open_` finds the id in what came for somebody."""
    found: dict[str, Arrival] = {}
    for at, name, body in _read_sealed(file):
        id_ = open_(name, body)
        earlier = found.get(id_)
        found[id_] = Arrival(1, at) if earlier is None else Arrival(earlier.times + 1, earlier.at)
    return found


def _read_sealed(file: Path) -> Iterator[tuple[float, str, bytes]]:
    with file.open("rb") as content:
        while head := content.read(_SEALED.size):
            at, name, size = _SEALED.unpack(head)
            yield at, content.read(name).decode(), content.read(size)

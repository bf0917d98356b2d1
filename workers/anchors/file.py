"""Heads in append-only files of a folder: one JSON line per head, a new file for each day (UTC), none ever rewritten.

Put the folder on another volume than the database's, and let its file system or a collector keep what is written.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core.proof.anchors import Anchored, Waiting
from core.proof.kept import to_line
from workers.anchors.places import Outcome, PlaceAway

NAME: Final = "file"
# For its owner, and for a group that collects; nobody but its owner adds to it.
MODE: Final = 0o640


class AnchorFiles:
    """The files of one folder."""

    name = NAME

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock

    async def take(self, waiting: Sequence[Waiting]) -> AsyncIterator[Sequence[Outcome]]:
        """Append them, and wait until the disk has them."""
        day = datetime.fromtimestamp(self._clock(), UTC).date()
        content = b"".join(to_line(one.head) for one in waiting)
        try:
            await asyncio.to_thread(append, self._folder / f"heads-{day}.jsonl", content)
        except OSError as error:
            raise PlaceAway(error.strerror or type(error).__name__) from None
        yield [Anchored(one.head) for one in waiting]

    async def close(self) -> None:
        """Hold nothing open."""


def append(path: Path, content: bytes) -> None:
    """Add to a file, durably: it and its name are on the disk afterwards. Raises OSError.

    One write: lines of two workers do not mix. A line that somebody left half written ends before ours begins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            content = b"\n" + content
        while content:
            content = content[os.write(handle, content) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

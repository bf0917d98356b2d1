"""What every place is to a worker: it takes heads, and says which it has for good."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, TypeAlias

from core.proof.anchors import Anchored, Refused, Waiting

Outcome: TypeAlias = Anchored | Refused


class PlaceAway(Exception):
    """The place cannot take anything now, or not from us: a word for the log. It is asked again."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class HeadNotTaken(PlaceAway):
    """The same of one head: others may be taken."""


class Place(Protocol):
    """Where heads are kept. Bringing one twice does no harm: it is the same head."""

    @property
    def name(self) -> str:
        """What core.proof.anchors knows it by."""

    def take(self, waiting: Sequence[Waiting]) -> AsyncIterator[Sequence[Outcome]]:
        """Keep these heads; each outcome is told when it is for good. Raises PlaceAway."""

    async def close(self) -> None:
        """Let go of connections."""

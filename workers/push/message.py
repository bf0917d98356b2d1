"""What is pushed, whatever service carries it. Pure.

What a lock screen shows, others than its owner see: the text is made elsewhere (workers/texts), nothing is added here.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from core.notices.targets import Target

# Apple's, the shortest of all (apns-collapse-id).
COLLAPSE_BYTES_MAX: Final = 64
ELLIPSIS: Final = "…"


class Push(NamedTuple):
    """A notification, or without title and body, word to the app that nobody sees.

    `id`: a UUID, the same at every try, by which whoever gets it twice knows. `data`: for the app. `collapse`: what it
    replaces on the screen, and is replaced by. `badge`: what the app's icon says; None: what it says already.
    `expires_at`: in seconds since 1970, after which it is of no use. `clears`: what is to be taken away, by `collapse`.
    """

    id: str
    title: str | None = None
    body: str | None = None
    data: dict[str, str] = {}  # noqa: RUF012  # never changed
    collapse: str | None = None
    badge: int | None = None
    expires_at: int | None = None
    is_urgent: bool = False
    clears: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Push({self.id})"

    @property
    def is_silent(self) -> bool:
        """Whether nobody is to see or hear it."""
        return self.title is None and self.body is None

    def lasts_s(self, now: float, longest_s: int) -> int:
        """For how many seconds more it is worth keeping."""
        return longest_s if self.expires_at is None else max(0, min(int(self.expires_at - now), longest_s))


class Envelope(NamedTuple):
    """A push on its way. `tenant`: the slug of whose it is; `registered_at`: when its phone was, since 1970."""

    tenant: str
    target: Target
    push: Push
    registered_at: float = 0.0

    def __repr__(self) -> str:
        return f"Envelope({self.push.id})"


def encode_within(size_max: int, build: Callable[[str | None], Any], body: str | None) -> bytes | None:
    """The JSON of build(body) in so many bytes, the text made shorter where it has to be; None: it cannot be."""
    encoded = msgspec.json.encode(build(body))
    if len(encoded) <= size_max or not body:
        return encoded if len(encoded) <= size_max else None

    def cut(kept: int) -> bytes:
        return msgspec.json.encode(build(body[:kept] + ELLIPSIS if kept else None))

    # How many bytes a character has in JSON depends on which it is: the longest that fits is looked for.
    kept = bisect_right(range(1, len(body)), size_max, key=lambda kept: len(cut(kept)))
    encoded = cut(kept)
    return encoded if len(encoded) <= size_max else None

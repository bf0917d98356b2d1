"""Ids by kind, gathered from what was said and answered. Pure."""

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Container, Iterator
from typing import Any, Final

from tests.hub.walling.schemas import SAME_KIND, Ids, Schema, admits, is_uuid

# Of many, some old ones and the newest.
KEPT_MAX: Final = 100
UUID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Of the ids that a UUID stands for, one of another kind is tried now and then.
ANY_KIND_SHARE: Final = 0.2
FIRST_MAX: Final = 8
FIRST_SHARE: Final = 0.4


class Things:
    """The ids of one household."""

    def __init__(self) -> None:
        self._known: dict[str, list[Any]] = defaultdict(list)

    def add(self, kind: str, *values: Any) -> None:
        """Know more."""
        kept = self._known[kind]
        for value in values:
            if value not in kept:
                kept.append(value)
                if len(kept) > KEPT_MAX:
                    kept.pop(KEPT_MAX // 3)

    def merge(self, others: "Things") -> None:
        """Know what others know."""
        for kind, values in others._known.items():
            self.add(kind, *values)

    def gather(self, told: Any, ids: Ids) -> None:
        """Know every id in a message."""
        for kind, value in _ids_in(told, ids, ""):
            self.add(kind, value)

    def gather_common(self, told: Any, ids: Ids, also: "Things", unless: "Things") -> None:
        """Know every id in a message that one household knows, too, and another does not."""
        for kind, value in _ids_in(told, ids, ""):
            if value in also.of(kind) and not unless.has(value):
                self.add(kind, value)

    def has(self, value: Any) -> bool:
        """Whether it is known, of whatever kind."""
        return any(value in kept for kept in self._known.values())

    def everything(self) -> Iterator[Any]:
        """All of every kind."""
        return itertools.chain.from_iterable(self._known.values())

    def of(self, kind: str) -> list[Any]:
        """All of a kind."""
        return self._known.get(kind, [])

    def draw(self, random_: random.Random, kind: str, schema: Schema, unless: Container[Any] = ()) -> Any:
        """One that may stand where the schema is; None: there is none. `unless`: none of these."""
        kinds = [kind]
        if is_uuid(schema) and (not self.of(kind) or random_.random() < ANY_KIND_SHARE):
            kinds = list(self._known)
        found = [
            one
            for one in itertools.chain.from_iterable(map(self.of, kinds))
            if admits(schema, one) and one not in unless
        ]
        # What was made with care comes first, and leads further than what was made at random.
        return random_.choice(found[:FIRST_MAX] if random_.random() < FIRST_SHARE else found) if found else None


def _ids_in(told: Any, ids: Ids, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(told, dict):
        for key, value in told.items():
            yield from _ids_in(value, ids, key)
    elif isinstance(told, list):
        for value in told:
            yield from _ids_in(value, ids, name)
    elif isinstance(told, str):
        if UUID.fullmatch(told):
            yield SAME_KIND.get(name, name), told
        elif ids.kind_of(name, {"type": "string"}) is not None:
            yield name, told
    elif type(told) is int and (kind := ids.kind_of(name, {"type": "integer"})) is not None:
        yield kind, told

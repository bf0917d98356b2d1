"""Two answers side by side: alike but for clocks and what hubs draw by lot. Pure."""

import json
import re
from collections.abc import Container, Iterator
from typing import Any, Final

from tests.hub.walling.doors import TIME, Answer

# UUIDs, and account numbers.
IDS: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9]{12}\b")


class Drawn:
    """What hubs draw by lot: new account numbers, new tokens. Where they stand is learned from two that do not differ.

    What each hub drew is remembered, so that it is known again wherever it turns up later. An id that nobody gave and
    that none of the others has is drawn, too.
    """

    def __init__(self) -> None:
        self.known: set[tuple[str, str]] = set()
        # What is long enough to be nothing else, by its name wherever it stands: receipts, secrets, tokens.
        self._names: set[str] = set()
        self._lots: dict[Any, Any] = {}

    def learn(self, command: str, one: Answer, other: Answer) -> bool:
        """Take what differs for drawn. False: they differ in more than values."""
        told, also = _parse(one.body), _parse(other.body)
        if (one.status, one.head, one.code) != (other.status, other.head, other.code):
            return False
        if told is None or also is None:
            return bool(one.plain == other.plain)
        if _shape(told) != _shape(also):
            return False
        for (path, value), (_, second) in zip(_leaves(told), _leaves(also), strict=True):
            if value != second and self._lots.get(value) != second:
                self.known.add((command, path))
                self._lots[value] = second
                if _is_long(value):
                    self._names.add(path.rsplit(".", 1)[1])
        return True

    def are_alike(self, command: str, one: Answer, other: Answer, others: Container[str]) -> bool:
        """Whether nothing tells them apart, byte by byte, but clocks and lots. `others`: what their ids are."""
        if one.plain == other.plain:
            return True
        told, also = _parse(one.body), _parse(other.body)
        if told is None or also is None or one.plain_head != other.plain_head:
            return False
        if _shape(told) != _shape(also) or list(_names(told)) != list(_names(also)):
            # What hubs draw may also be what a list is in order of.
            return bool(self._in_order(command, told) == self._in_order(command, also))
        pairs = list(zip(_leaves(told), _leaves(also), strict=True))
        for (path, value), (_, second) in pairs:
            if value != second and (self._is_lot(command, path, value) or _are_ids(value, second, others)):
                self._lots[value] = second
        if all(value == second or self._lots.get(value) == second for (_, value), (_, second) in pairs):
            return True
        return bool(self._in_order(command, told) == self._in_order(command, also))

    def _in_order(self, command: str, told: Any, path: str = "") -> Any:
        """Without lots, and lists in an order that does not come from them."""
        if isinstance(told, dict):
            return {key: self._in_order(command, value, f"{path}.{key}") for key, value in told.items()}
        if isinstance(told, list):
            return sorted((self._in_order(command, value, f"{path}[]") for value in told), key=json.dumps)
        is_lot = self._is_lot(command, path, told) or told in self._lots or told in self._lots.values()
        return type(told).__name__ if is_lot else told

    def _is_lot(self, command: str, path: str, value: Any) -> bool:
        return (command, path) in self.known or (_is_long(value) and path.rsplit(".", 1)[1] in self._names)


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 36


def _are_ids(value: Any, second: Any, others: Container[str]) -> bool:
    """Whether both name something, and not something of the others'."""
    texts = str(value), str(second)
    return all(IDS.fullmatch(text) for text in texts) and texts[0] not in others


def _parse(body: bytes) -> Any:
    if not body.startswith(b"{"):
        return None
    return json.loads(TIME.sub(b"0", body))


def _leaves(told: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(told, dict):
        for key, value in told.items():
            yield from _leaves(value, f"{path}.{key}")
    elif isinstance(told, list):
        for value in told:
            yield from _leaves(value, f"{path}[]")
    else:
        yield path, told


def _names(told: Any) -> Iterator[str]:
    """The names of all fields, in their order."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield key
            yield from _names(value)
    elif isinstance(told, list):
        for value in told:
            yield from _names(value)


def _shape(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: _shape(value) for key, value in told.items()}
    if isinstance(told, list):
        return [_shape(value) for value in told]
    return type(told).__name__

"""A JSON object that somebody else wrote, read strictly: one reading, or none. Pure."""

import json
from typing import Any, NoReturn


class NoObject(ValueError):
    """The bytes are no JSON object, or one that two readers may read differently."""

    def __init__(self) -> None:
        super().__init__("no JSON object")


def read_object(text: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8 without a repeated name, a NaN or more depth than Python has. Raises NoObject."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise NoObject from None
    if not isinstance(value, dict):
        raise NoObject
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NoObject
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise NoObject

"""Free texts in messages, looked at once for all: none may hold a card number or a CPF (core/forbidden.py). Pure.

Which fields are free texts is said where their types are (fields.FREE); a message type without any costs one lookup.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, inspect

from core.forbidden import Forbidden, find_forbidden

Find: TypeAlias = Callable[[Any], Forbidden | None]


def watch(messages: Iterable[type]) -> dict[type, tuple[tuple[str, Find], ...]]:
    """For each message type that holds free texts: the fields, and what looks into each."""
    found = {}
    for message in messages:
        struct = inspect.type_info(message)
        assert isinstance(struct, inspect.StructType)
        fields = tuple(
            (field.encode_name, find) for field in struct.fields if (find := _find_in(field.type)) is not None
        )
        if fields:
            found[message] = fields
    return found


def complaint_about(message: Any, watched: dict[type, tuple[tuple[str, Find], ...]]) -> tuple[str, Forbidden] | None:
    """The first field of a message with something forbidden in it, and what that is."""
    for name, find in watched.get(type(message), ()):
        value = getattr(message, name)
        if value is not UNSET and (found := find(value)) is not None:
            return name, found
    return None


def _find_in(kind: inspect.Type, is_free: bool = False) -> Find | None:
    if isinstance(kind, inspect.Metadata):
        return _find_in(kind.type, is_free or bool((kind.extra or {}).get("free_text")))
    if isinstance(kind, inspect.StrType):
        return find_forbidden if is_free else None
    if isinstance(kind, inspect.UnionType):
        return _by_type(kind)
    if isinstance(kind, inspect.DictType):
        return _in_pairs(_find_in(kind.key_type, is_free), _find_in(kind.value_type, is_free))
    if isinstance(kind, inspect.CollectionType):
        return _any_of(_find_in(kind.item_type, is_free), iter)
    if isinstance(kind, inspect.StructType):
        watched = watch([kind.cls])
        return _in_struct(watched) if watched else None
    return None


def _by_type(kind: inspect.UnionType) -> Find | None:
    """One of several: a text or nothing, or structs of several types."""
    texts = [find for one in kind.types if not isinstance(one, inspect.StructType) and (find := _find_in(one))]
    watched = watch([one.cls for one in kind.types if isinstance(one, inspect.StructType)])
    if not texts and not watched:
        return None

    in_struct = _in_struct(watched)

    def find_by_type(value: Any) -> Forbidden | None:
        if isinstance(value, msgspec.Struct):
            return in_struct(value)
        return next((found for one in texts if isinstance(value, str | dict | list) and (found := one(value))), None)

    return find_by_type


def _in_struct(watched: dict[type, tuple[tuple[str, Find], ...]]) -> Find:
    def find_in_struct(value: Any) -> Forbidden | None:
        found = complaint_about(value, watched)
        return None if found is None else found[1]

    return find_in_struct


def _in_pairs(find_key: Find | None, find_value: Find | None) -> Find | None:
    finds = (_any_of(find_key, dict.keys), _any_of(find_value, dict.values))
    known = [find for find in finds if find is not None]
    if not known:
        return None
    return lambda value: next((found for find in known if (found := find(value)) is not None), None)


def _any_of(find: Find | None, items: Callable[[Any], Iterable[Any]]) -> Find | None:
    if find is None:
        return None
    one = find

    def find_any(value: Any) -> Forbidden | None:
        return next((found for item in items(value) if (found := one(item)) is not None), None)

    return find_any

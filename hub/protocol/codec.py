"""Bytes to messages and back, for both subprotocols. A refusal is a ProtocolError with a stable code.

The size is checked before anything is decoded; what is decoded goes straight into typed fields, so that
no input builds a structure larger than itself. It never keeps state between messages.
"""

import json
import operator
import re
from collections.abc import Callable
from functools import reduce
from typing import Annotated, Any, Final

import msgpack  # type: ignore[import-untyped]
import msgspec
from msgspec import UNSET

from core.nouns import BALANCE_MAX
from hub.protocol.catalogue import FROM_CLIENT, FROM_HUB
from hub.protocol.codes import MEANINGS, ErrorCode
from hub.protocol.fields import Message
from hub.protocol.free_text import complaint_about, watch

# Before authentication only a token is expected; after it, the largest honest message is a resume.
SIZE_MAX_BEFORE_AUTHENTICATION = 4 * 1024
SIZE_MAX = 64 * 1024

MSGPACK: Final = "payhub.v1.msgpack"
JSON: Final = "payhub.v1.json"


# To the decoders, one of these; to the rest of the hub, a Message.
FROM_ANY_CLIENT: Final[Any] = reduce(operator.or_, FROM_CLIENT)
FROM_ANY_HUB: Final[Any] = reduce(operator.or_, FROM_HUB)


class ProtocolError(Exception):
    """A frame that is no acceptable message.

    `code` is the stable code, `field` the offending field if it is known, `id` the correlation id if it could
    be read, `fatal` whether the bytes are so wrong that the connection should end.
    """

    def __init__(self, code: ErrorCode, message: str, *, field: str | None = None, id: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.id = id
        self.fatal = code in {ErrorCode.MALFORMED, ErrorCode.DUPLICATE_FIELD, ErrorCode.TOO_LARGE}


class Envelope(msgspec.Struct):
    """What is read of a message that was refused, to answer the right command."""

    id: Annotated[int, msgspec.Meta(ge=0, le=BALANCE_MAX)] | None = None


def _field_counts() -> dict[type, tuple[int, tuple[str, ...]]]:
    """For each message: how many fields it always has (its type counts), and the names of the optional ones."""
    counts: dict[type, tuple[int, tuple[str, ...]]] = {}
    for message in FROM_CLIENT:
        fields = msgspec.structs.fields(message)
        optional = tuple(field.name for field in fields if field.default is UNSET)
        counts[message] = (1 + len(fields) - len(optional), optional)
    return counts


def _fields_with_maps() -> dict[type, tuple[str, ...]]:
    """For each message that may hold maps inside: the fields that do."""
    found: dict[type, tuple[str, ...]] = {}
    for message in FROM_CLIENT:
        struct = msgspec.inspect.type_info(message)
        assert isinstance(struct, msgspec.inspect.StructType)
        names = tuple(field.name for field in struct.fields if _holds_maps(field.type))
        if names:
            found[message] = names
    return found


def _holds_maps(kind: msgspec.inspect.Type) -> bool:
    if isinstance(kind, msgspec.inspect.StructType | msgspec.inspect.DictType):
        return True
    if isinstance(kind, msgspec.inspect.Metadata):
        return _holds_maps(kind.type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return any(map(_holds_maps, kind.types))
    if isinstance(kind, msgspec.inspect.CollectionType):
        return _holds_maps(kind.item_type)
    return isinstance(kind, msgspec.inspect.TupleType) and any(map(_holds_maps, kind.item_types))


COUNTS: Final = _field_counts()
WITH_MAPS: Final = _fields_with_maps()
FREE_TEXTS: Final = watch(FROM_CLIENT)
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


class Codec:
    """One subprotocol's encoding."""

    def __init__(
        self,
        subprotocol: str,
        decode: Callable[[bytes], Any],
        encode: Callable[[Message], bytes],
        envelope: Callable[[bytes], Envelope],
        has_doubles: Callable[[bytes, Message], bool],
    ) -> None:
        self.subprotocol = subprotocol
        self.is_binary = subprotocol == MSGPACK
        self.encode = encode
        self._decode = decode
        self._envelope = envelope
        self._has_doubles = has_doubles

    def decode(self, data: bytes, size_max: int = SIZE_MAX) -> Message:
        """The message in `data`. Raises ProtocolError, and nothing else, whatever the bytes."""
        if len(data) > size_max:
            raise ProtocolError(ErrorCode.TOO_LARGE, f"The message has {len(data)} bytes; {size_max} are allowed here.")
        try:
            message: Message = self._decode(data)
            # The decoder keeps the last of two equal keys; money must not depend on which one somebody else keeps.
            if self._has_doubles(data, message):
                raise ProtocolError(ErrorCode.DUPLICATE_FIELD, "A field stands twice.", id=getattr(message, "id", None))
            found = complaint_about(message, FREE_TEXTS)
            if found is not None:
                field, what = found
                code = ErrorCode(what.value)
                raise ProtocolError(code, MEANINGS[code].advice, id=getattr(message, "id", None), field=field)
        except msgspec.ValidationError as error:
            raise self._explain(data, str(error)) from None
        except ProtocolError:
            raise
        except Exception:
            # DecodeError, RecursionError from deep nesting, OverflowError, UnicodeDecodeError: no message either way.
            raise ProtocolError(ErrorCode.MALFORMED, f"The bytes are no {self.subprotocol} message.") from None
        return message

    def read_id(self, data: bytes) -> int | None:
        """The correlation id of a message that is not carried out, if it can be read."""
        try:
            return self._envelope(data).id
        except Exception:
            return None

    def _explain(self, data: bytes, complaint: str) -> ProtocolError:
        id_ = self.read_id(data)
        if complaint.startswith("Expected `object`") and "at `$" not in complaint:
            return ProtocolError(ErrorCode.MALFORMED, "A message is a map with a type.")
        if "at `$.type`" in complaint or "missing required field `type`" in complaint:
            return ProtocolError(ErrorCode.UNKNOWN_TYPE, "There is no such message type.", id=id_, field="type")
        found = _AT.search(complaint)
        named = re.search(r"field `(\w+)`", complaint)
        field = found.group(1) if found and found.group(1) else named.group(1) if named else None
        return ProtocolError(ErrorCode.INVALID_FIELD, _AT.sub("", complaint) + ".", id=id_, field=field)


def _count_msgpack_fields(data: bytes) -> int:
    """The number of pairs in the outermost map, from its header."""
    first = data[0]
    if first & 0xF0 == 0x80:
        return first & 0x0F
    return int.from_bytes(data[1:3] if first == 0xDE else data[1:5], "big")


def _has_doubles_in_msgpack(data: bytes, message: Message) -> bool:
    """Whether a key stands twice. The outermost map is only counted; those inside are decoded once more."""
    kind = type(message)
    always, optional = COUNTS[kind]
    present = always + sum([getattr(message, name) is not UNSET for name in optional]) if optional else always
    if _count_msgpack_fields(data) != present:
        return True
    if kind not in WITH_MAPS or all(getattr(message, name) is UNSET for name in WITH_MAPS[kind]):
        return False
    try:
        msgpack.unpackb(data, object_pairs_hook=_refuse_doubles)
    except Doubled:
        return True
    return False


def _has_doubles_in_json(data: bytes, message: Message) -> bool:
    try:
        json.loads(data, object_pairs_hook=_refuse_doubles)
    except Doubled:
        return True
    return False


class Doubled(Exception):
    """A key stands twice in one map."""


def _refuse_doubles(pairs: list[tuple[Any, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise Doubled


CODECS: Final[dict[str, Codec]] = {
    MSGPACK: Codec(
        MSGPACK,
        msgspec.msgpack.Decoder(FROM_ANY_CLIENT).decode,
        msgspec.msgpack.Encoder().encode,
        msgspec.msgpack.Decoder(Envelope).decode,
        _has_doubles_in_msgpack,
    ),
    JSON: Codec(
        JSON,
        msgspec.json.Decoder(FROM_ANY_CLIENT).decode,
        msgspec.json.Encoder().encode,
        msgspec.json.Decoder(Envelope).decode,
        _has_doubles_in_json,
    ),
}

# What a client decodes.
decode_from_hub: Final[dict[str, Callable[[bytes], Message]]] = {
    MSGPACK: msgspec.msgpack.Decoder(FROM_ANY_HUB).decode,
    JSON: msgspec.json.Decoder(FROM_ANY_HUB).decode,
}

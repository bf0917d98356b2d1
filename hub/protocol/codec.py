"""Bytes to messages and back, for both subprotocols. A refusal is a ProtocolError with a stable code.

The size is checked before anything is decoded; what is decoded goes straight into typed fields, so that
no input builds a structure larger than itself. It never keeps state between messages.
"""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, Final, get_args

import msgspec
from msgspec import UNSET

from core.nouns import BALANCE_MAX
from hub.protocol.codes import ErrorCode
from hub.protocol.messages import FromClient, FromHub, Message

# Before authentication only a token is expected; after it, the largest honest message is a resume.
SIZE_MAX_BEFORE_AUTHENTICATION = 4 * 1024
SIZE_MAX = 64 * 1024

MSGPACK: Final = "payhub.v1.msgpack"
JSON: Final = "payhub.v1.json"


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


def _field_counts(union: Any) -> dict[type, tuple[int, tuple[str, ...]]]:
    """For each message: how many fields it always has (its type counts), and the names of the optional ones."""
    counts = {}
    for message in get_args(union):
        fields = msgspec.structs.fields(message)
        optional = tuple(field.name for field in fields if field.default is UNSET)
        counts[message] = (1 + len(fields) - len(optional), optional)
    return counts


COUNTS: Final = _field_counts(FromClient)
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


class Codec:
    """One subprotocol's encoding."""

    def __init__(
        self,
        subprotocol: str,
        decode: Callable[[bytes], FromClient],
        encode: Callable[[Message], bytes],
        envelope: Callable[[bytes], Envelope],
        count_fields: Callable[[bytes], int],
    ) -> None:
        self.subprotocol = subprotocol
        self.is_binary = subprotocol == MSGPACK
        self.encode = encode
        self._decode = decode
        self._envelope = envelope
        self._count_fields = count_fields

    def decode(self, data: bytes, size_max: int = SIZE_MAX) -> FromClient:
        """The message in `data`. Raises ProtocolError, and nothing else, whatever the bytes."""
        if len(data) > size_max:
            raise ProtocolError(ErrorCode.TOO_LARGE, f"The message has {len(data)} bytes; {size_max} are allowed here.")
        try:
            message = self._decode(data)
            # The decoder keeps the last of two equal keys; money must not depend on which one somebody else keeps.
            always, optional = COUNTS[type(message)]
            present = always + sum([getattr(message, name) is not UNSET for name in optional]) if optional else always
            if self._count_fields(data) != present:
                raise ProtocolError(ErrorCode.DUPLICATE_FIELD, "A field stands twice.", id=getattr(message, "id", None))
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


def _count_json_fields(data: bytes) -> int:
    """The number of pairs in the outermost object, repeats included. Messages hold no objects inside."""
    return len(json.loads(data, object_pairs_hook=list))


CODECS: Final[dict[str, Codec]] = {
    MSGPACK: Codec(
        MSGPACK,
        msgspec.msgpack.Decoder(FromClient).decode,
        msgspec.msgpack.Encoder().encode,
        msgspec.msgpack.Decoder(Envelope).decode,
        _count_msgpack_fields,
    ),
    JSON: Codec(
        JSON,
        msgspec.json.Decoder(FromClient).decode,
        msgspec.json.Encoder().encode,
        msgspec.json.Decoder(Envelope).decode,
        _count_json_fields,
    ),
}

# What a client decodes.
decode_from_hub: Final[dict[str, Callable[[bytes], FromHub]]] = {
    MSGPACK: msgspec.msgpack.Decoder(FromHub).decode,
    JSON: msgspec.json.Decoder(FromHub).decode,
}

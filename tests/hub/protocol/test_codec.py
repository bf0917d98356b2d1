"""The codec against itself, against another msgpack, and against whatever can be sent."""

import json
import math
import time
import tracemalloc
from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.protocol.catalogue import FROM_CLIENT, FROM_HUB
from hub.protocol.codec import CODECS, JSON, MSGPACK, SIZE_MAX, ProtocolError, decode_from_hub
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import Message
from hub.protocol.messages import Pay
from tests.hub.protocol.examples import EXAMPLES, PAYMENT, VECTORS, from_client, to_row

BOTH = (JSON, MSGPACK)
PAY: dict[str, Any] = {"type": "pay", "id": 7, "payment": PAYMENT, "payer": 1, "payee": 2, "amount": 3}


def encode(subprotocol: str, value: Any) -> bytes:
    return json.dumps(value).encode() if subprotocol == JSON else msgpack.packb(value, use_bin_type=True)


def refusal(subprotocol: str, data: bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        CODECS[subprotocol].decode(data)
    return caught.value


def test_there_is_an_example_of_every_message() -> None:
    assert {type(one) for one in EXAMPLES} == {*FROM_CLIENT, *FROM_HUB}


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda one: type(one).__name__)
def test_every_message_comes_back_as_it_was(message: Message) -> None:
    for subprotocol in BOTH:
        data = CODECS[subprotocol].encode(message)
        decode = CODECS[subprotocol].decode if message in from_client() else decode_from_hub[subprotocol]
        assert decode(data) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda one: type(one).__name__)
def test_another_msgpack_reads_the_same_and_writes_what_we_read(message: Message) -> None:
    value = json.loads(CODECS[JSON].encode(message))
    data = CODECS[MSGPACK].encode(message)
    read = msgpack.unpackb(data)
    # Bytes as JSON has them, in base64.
    assert msgspec.to_builtins(read) == value
    again = msgpack.packb(read)
    decode = CODECS[MSGPACK].decode if message in from_client() else decode_from_hub[MSGPACK]
    assert decode(again) == message


def test_the_vectors_still_hold() -> None:
    rows = json.loads(VECTORS.read_text())
    # To change the wire is to break somebody: add a message, and run the script that writes this file.
    assert rows == [to_row(message) for message in EXAMPLES]
    for row, message in zip(rows, EXAMPLES, strict=True):
        for subprotocol, data in ((JSON, row["json"].encode()), (MSGPACK, bytes.fromhex(row["msgpack"]))):
            decode = CODECS[subprotocol].decode if row["from"] == "client" else decode_from_hub[subprotocol]
            assert decode(data) == message


@pytest.mark.parametrize("name", ["amount", "type", "id", "payment"])
def test_a_field_that_stands_twice_is_refused(name: str) -> None:
    text = json.dumps(PAY)[:-1] + f', "{name}": {json.dumps(PAY[name])}}}'
    error = refusal(JSON, text.encode())
    assert (error.code, error.fatal) == (ErrorCode.DUPLICATE_FIELD, True)
    pairs = b"".join(msgpack.packb(part) for pair in PAY.items() for part in pair)
    twice = msgpack.packb(name) + msgpack.packb(PAY[name])
    for head in (bytes((0x80 | 7,)), b"\xde\x00\x07", b"\xdf\x00\x00\x00\x07"):
        assert refusal(MSGPACK, head + pairs + twice).code is ErrorCode.DUPLICATE_FIELD
    assert CODECS[MSGPACK].decode(b"\xdf\x00\x00\x00\x06" + pairs) == Pay(7, PAYMENT, 1, 2, 3)


def test_an_optional_field_is_left_out_and_never_null() -> None:
    for subprotocol in BOTH:
        error = refusal(subprotocol, encode(subprotocol, {**PAY, "description": None}))
        assert (error.code, error.field) == (ErrorCode.INVALID_FIELD, "description")


HUGE = [head + b"\xff\xff\xff\xff" for head in (b"\xdd", b"\xdf", b"\xc6", b"\xc9", b"\xdb")]


@pytest.mark.parametrize(
    "data",
    [*HUGE, *(b"\x81\xa4type" + one for one in HUGE), *(b"\x82\xa4type\xa3pay\xa2id" + one for one in HUGE)],
)
def test_announcing_four_billion_of_anything_costs_nothing(data: bytes) -> None:
    started = time.perf_counter()
    refusal(MSGPACK, data)
    assert time.perf_counter() - started < 0.05


@pytest.mark.parametrize("depth", [16, 600, 1_024, 30_000])
def test_depth_is_refused_and_never_exhausts_the_stack(depth: int) -> None:
    inside = {**PAY, "description": "X"}
    for data, subprotocol in (
        (b"\x91" * depth + b"\x00", MSGPACK),
        (b"\x81\xa1a" * (depth // 2) + b"\x00", MSGPACK),
        (msgpack.packb(inside)[:-2] + b"\x91" * depth + b"\x00", MSGPACK),
        (b"[" * depth + b"]" * depth, JSON),
        (b'{"a":' * (depth // 4) + b"1" + b"}" * (depth // 4), JSON),
        (json.dumps(inside).replace('"X"', "[" * depth + "]" * depth).encode(), JSON),
        (b'{"type":"nothing","x":' + b"[" * depth + b"]" * depth + b"}", JSON),
    ):
        assert refusal(subprotocol, data).code in {
            ErrorCode.MALFORMED,
            ErrorCode.INVALID_FIELD,
            ErrorCode.UNKNOWN_TYPE,
            ErrorCode.TOO_LARGE,
        }


AMOUNTS = [
    math.nan,
    math.inf,
    -0.0,
    1.0,
    0.01,
    True,
    "1e3",
    "\u0661\u0660",
    "1",
    -1,
    0,
    2**63,
    2**64 - 1,
    10**13 + 1,
    None,
    [1],
    {"a": 1},
]


@pytest.mark.parametrize("amount", AMOUNTS, ids=repr)
def test_only_whole_minor_units_in_range_are_an_amount(amount: Any) -> None:
    for subprotocol in BOTH:
        error = refusal(subprotocol, encode(subprotocol, {**PAY, "amount": amount}))
        assert error.code in {ErrorCode.INVALID_FIELD, ErrorCode.MALFORMED}
        if error.code is ErrorCode.INVALID_FIELD:
            assert error.field == "amount"


@pytest.mark.parametrize(
    "spelled",
    ["1e400", "-0.0", "1e2", "100.0", "1" + "0" * 30, "NaN", "Infinity", "01", "+1", "0x1", "1_000", "٣"],
)
def test_json_numbers_have_one_spelling(spelled: str) -> None:
    error = refusal(JSON, json.dumps({**PAY, "amount": "X"}).replace('"X"', spelled).encode())
    assert error.code in {ErrorCode.INVALID_FIELD, ErrorCode.MALFORMED}


@pytest.mark.parametrize(
    "text", ["a\nb", "\r\n", "\x1b[0m", "\x00", "\u202e", "\u2069", "\u2028", "\x9b", "", "x" * 141], ids=repr
)
def test_text_that_breaks_lines_screens_or_reading_order_is_refused(text: str) -> None:
    for subprotocol in BOTH:
        error = refusal(subprotocol, encode(subprotocol, {**PAY, "description": text}))
        assert (error.code, error.field, error.id) == (ErrorCode.INVALID_FIELD, "description", 7)


def test_lone_surrogates_are_no_text() -> None:
    for spelled in (b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xed\xa0\x80"'):
        data = json.dumps({**PAY, "description": "X"}).encode().replace(b'"X"', spelled)
        assert refusal(JSON, data).code in {ErrorCode.MALFORMED, ErrorCode.INVALID_FIELD}
    bytes_ = msgpack.packb({**PAY, "description": "XYZ"}).replace(b"XYZ", b"\xed\xa0\x80")
    assert refusal(MSGPACK, bytes_).code in {ErrorCode.MALFORMED, ErrorCode.INVALID_FIELD}


def test_an_emoji_is_text() -> None:
    for subprotocol in BOTH:
        decoded = CODECS[subprotocol].decode(encode(subprotocol, {**PAY, "description": "😀👩‍👩‍👧"}))
        assert decoded == Pay(7, PAYMENT, 1, 2, 3, "😀👩‍👩‍👧")


def test_unknown_things_are_named_with_the_id_they_answer() -> None:
    for subprotocol in BOTH:
        error = refusal(subprotocol, encode(subprotocol, {**PAY, "extra": 1}))
        assert (error.code, error.field, error.id, error.fatal) == (
            ErrorCode.INVALID_FIELD,
            "extra",
            7,
            False,
        )
        error = refusal(subprotocol, encode(subprotocol, {**PAY, "type": "transfer"}))
        assert (error.code, error.field, error.id, error.fatal) == (ErrorCode.UNKNOWN_TYPE, "type", 7, False)
        error = refusal(subprotocol, encode(subprotocol, {key: value for key, value in PAY.items() if key != "payee"}))
        assert (error.code, error.field, error.id) == (ErrorCode.INVALID_FIELD, "payee", 7)


def test_nothing_may_stand_behind_a_message() -> None:
    for subprotocol, behind in ((JSON, b"{}"), (JSON, b"\x00"), (MSGPACK, b"\xc0")):
        assert refusal(subprotocol, encode(subprotocol, PAY) + behind).code is ErrorCode.MALFORMED


def test_size_is_checked_before_anything_else() -> None:
    error = refusal(JSON, b"[" * (SIZE_MAX + 1))
    assert (error.code, error.fatal) == (ErrorCode.TOO_LARGE, True)


WORST = {
    "empty arrays": (MSGPACK, b"\xdd" + (SIZE_MAX - 5).to_bytes(4, "big") + b"\x90" * (SIZE_MAX - 5)),
    "an unknown field of empty arrays": (MSGPACK, b"\x81\xa1a\xdd\x00\x00\xff\x00" + b"\x90" * 65280),
    "in doubt, of one byte each": (
        MSGPACK,
        b"\x83\xa4type\xa6resume\xa2id\x01\xa8in_doubt\xdd\x00\x00\xfe\x00" + b"\xa0" * 65024,
    ),
    "many fields": (MSGPACK, b"\xdf\x00\x00\x55\x00" + b"\xa1a\x01" * 21760),
    "json arrays": (JSON, b'{"type":"ping","id":1,"x":[' + b"[]," * 21000 + b"[]]}"),
    "json escapes": (JSON, b'{"type":"ping","id":1,"x":"' + b"\\u0041" * 10900 + b'"}'),
    "json fields": (JSON, b'{"type":"ping","id":1' + b',"a":1' * 10900 + b"}"),
    "json digits": (JSON, b'{"type":"ping","id":' + b"1" * 65000 + b"}"),
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_of_sixty_four_kilobytes_costs_little(name: str) -> None:
    subprotocol, data = WORST[name]
    assert len(data) <= SIZE_MAX
    refusal(subprotocol, data)
    tracemalloc.start()
    try:
        refusal(subprotocol, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 << 20
    best = min(_seconds(subprotocol, data) for _ in range(5))
    assert best < 0.02


def _seconds(subprotocol: str, data: bytes) -> float:
    started = time.perf_counter()
    refusal(subprotocol, data)
    return time.perf_counter() - started


def survive(data: bytes) -> None:
    for subprotocol in BOTH:
        try:
            message = CODECS[subprotocol].decode(data)
        except ProtocolError as error:
            assert isinstance(error.code, ErrorCode)  # noqa: PT017  # either outcome is right
        else:
            assert CODECS[subprotocol].decode(CODECS[subprotocol].encode(message)) == message
        CODECS[subprotocol].read_id(data)


@given(st.binary(max_size=300))
@settings(max_examples=400)
def test_random_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    survive(data)


@given(st.data())
@settings(max_examples=400)
def test_damaged_messages_are_refused_or_read_and_nothing_else(data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(from_client()))
    damaged = bytearray(CODECS[data.draw(st.sampled_from(BOTH))].encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(damaged) - 1, 0)))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    survive(bytes(damaged))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "type",
        "id",
        "payment",
        "payer",
        "payee",
        "amount",
        "description",
        "account",
        "after",
        "follow",
        "in_doubt",
        "token",
        "number",
    ]
)
TYPES = st.sampled_from(sorted(str(one.__struct_config__.tag) for one in FROM_CLIENT))


@given(TYPES | VALUES, st.dictionaries(FIELDS, VALUES, max_size=6))
@settings(max_examples=400)
def test_random_values_in_known_fields_are_refused_or_read_and_nothing_else(type_: Any, fields: dict[str, Any]) -> None:
    survive(json.dumps({**fields, "type": type_}).encode())
    survive(msgpack.packb({**fields, "type": type_}, unicode_errors="surrogatepass"))

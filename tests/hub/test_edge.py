"""RFC 6455 at the edge: frames that no honest client sends, byte by byte (Autobahn's groups 1 to 7)."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from core.people.opening import Tenant
from tests.hub.conftest import Enter, Hubs
from tests.hub.raw import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame, RawSocket, close_payload, frame
from tests.hub.stranger import JSON, MSGPACK


async def live(hubs: Hubs, enter: Enter, tenant: Tenant) -> RawSocket:
    """An authenticated socket."""
    somebody = await enter(tenant)
    raw = await RawSocket.upgraded(hubs.a.port)
    raw.send(frame(json.dumps({"type": "authenticate", "token": somebody.token}).encode()))
    welcome = await raw.frame()
    assert welcome is not None
    assert b'"welcome"' in welcome.payload
    return raw


async def ask(raw: RawSocket, *pieces: bytes, pause_s: float = 0.0) -> Frame | None:
    for piece in pieces:
        raw.send(piece)
        await raw.writer.drain()
        await asyncio.sleep(pause_s)
    async with asyncio.timeout(10):
        return await raw.frame()


PING_MESSAGE = b'{"type":"ping","id":7}'


async def test_compression_is_not_negotiated(hubs: Hubs) -> None:
    raw = await RawSocket.connect(hubs.a.port)
    head = await raw.upgrade(JSON, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
    assert head.startswith("HTTP/1.1 101")
    assert "extensions" not in head.lower()
    raw.send(frame(b"\xcb\x48\xcd\xc9\xc9\x07\x00", rsv=4))
    assert await raw.close_code() == 1002


@pytest.mark.parametrize(
    ("bytes_", "code"),
    [
        pytest.param(frame(PING_MESSAGE, rsv=4), 1002, id="rsv1"),
        pytest.param(frame(PING_MESSAGE, rsv=2), 1002, id="rsv2"),
        pytest.param(frame(PING_MESSAGE, rsv=1), 1002, id="rsv3"),
        *(
            pytest.param(frame(b"", opcode=opcode), 1002, id=f"opcode {opcode}")
            for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
        ),
        pytest.param(frame(PING_MESSAGE, masked=False), 1002, id="unmasked"),
        pytest.param(frame(b"x" * 126, opcode=PING), 1002, id="a ping of 126 bytes"),
        pytest.param(frame(b"x" * 126, opcode=PONG), 1002, id="a pong of 126 bytes"),
        pytest.param(frame(b"x", opcode=PING, fin=False), 1002, id="a ping in pieces"),
        pytest.param(frame(b"\x03", opcode=CLOSE), 1002, id="a close of one byte"),
        *(
            pytest.param(frame(close_payload(code), opcode=CLOSE), 1002, id=f"close {code}")
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
        ),
        pytest.param(
            frame(close_payload(1000) + b"\xff\xfe", opcode=CLOSE),
            1007,
            id="a close reason that is not utf-8",
        ),
        pytest.param(frame(close_payload(1000) + b"x" * 124, opcode=CLOSE), 1002, id="a close of 126 bytes"),
        pytest.param(frame(b"x", opcode=CONT), 1002, id="a continuation of nothing"),
        pytest.param(frame(b"a", fin=False) + frame(b"b"), 1002, id="a message within a message"),
        pytest.param(
            frame(b"a", fin=False) + frame(close_payload(1000), opcode=CLOSE),
            1002,
            id="a close within a message",
        ),
        pytest.param(frame(b"\xff\xfe\x80"), 1007, id="text that is not utf-8"),
        pytest.param(frame(b"\xed\xa0\x80"), 1007, id="text with a surrogate"),
        pytest.param(
            frame(b"\xce\xba\xe1", fin=False) + frame(b"\xbd\xff", CONT), 1007, id="pieces that are not utf-8"
        ),
        pytest.param(b"\x81\xff" + b"\xff" * 8 + b"\0\0\0\0", 1009, id="2^64 - 1 bytes announced"),
        pytest.param(
            b"\x81\xff" + (65537).to_bytes(8, "big") + b"\0\0\0\0", 1009, id="one byte above 64 KiB announced"
        ),
        pytest.param(frame(close_payload(1000), opcode=CLOSE), 1000, id="close 1000 is echoed"),
        pytest.param(frame(close_payload(3000), opcode=CLOSE), 3000, id="close 3000 is echoed"),
        pytest.param(frame(close_payload(4999), opcode=CLOSE), 4999, id="close 4999 is echoed"),
        pytest.param(frame(b"", opcode=CLOSE), 1005, id="a close without a code is echoed"),
    ],
)
async def test_wrong_frames_are_answered_as_the_rfc_says(
    hubs: Hubs, enter: Enter, tenant: Tenant, bytes_: bytes, code: int
) -> None:
    raw = await live(hubs, enter, tenant)
    raw.send(bytes_)
    assert await raw.close_code(timeout_s=5) == code


async def test_a_close_frame_ends_the_conversation_even_with_more_behind_it(
    hubs: Hubs, enter: Enter, tenant: Tenant
) -> None:
    raw = await live(hubs, enter, tenant)
    raw.send(frame(close_payload(1000), opcode=CLOSE) + frame(PING_MESSAGE) * 5)
    found = await raw.frames(timeout_s=5)
    assert [one.opcode for one in found] == [CLOSE]


async def test_a_ping_is_answered_with_its_own_bytes_even_between_fragments(
    hubs: Hubs, enter: Enter, tenant: Tenant
) -> None:
    raw = await live(hubs, enter, tenant)
    pong = await ask(
        raw,
        frame(PING_MESSAGE[:5], fin=False) + frame(b"\x00\xffprobe", opcode=PING) + frame(PING_MESSAGE[5:], CONT),
    )
    assert pong == Frame(PONG, b"\x00\xffprobe")
    answer = await raw.frame()
    assert answer is not None
    assert json.loads(answer.payload)["type"] == "pong"


@pytest.mark.parametrize("mask", [b"\x81\x82\x83\x84", b"\x82\x81\xff\xfe", b"\0\0\0\0", b"\x82\x8a\x00\x00"])
async def test_a_frame_may_be_cut_anywhere(hubs: Hubs, enter: Enter, tenant: Tenant, mask: bytes) -> None:
    raw = await live(hubs, enter, tenant)
    for message in (PING_MESSAGE, PING_MESSAGE + b" " * 200):
        whole = frame(message, mask=mask)
        for cut in (*range(1, 12), len(whole) - 1):
            # With the next message right behind it, so that a lost boundary shows.
            answer = await ask(raw, whole[:cut], whole[cut:] + frame(PING_MESSAGE, mask=mask), pause_s=0.01)
            assert answer is not None, f"cut at {cut}"
            assert json.loads(answer.payload)["type"] == "pong", f"cut at {cut}"
            again = await raw.frame()
            assert again is not None, f"cut at {cut}"
            assert json.loads(again.payload)["type"] == "pong", f"cut at {cut}"


async def test_frames_may_arrive_byte_by_byte(hubs: Hubs, enter: Enter, tenant: Tenant) -> None:
    raw = await live(hubs, enter, tenant)
    pieces = [bytes((byte,)) for byte in frame(PING_MESSAGE)]
    answer = await ask(raw, *pieces, pause_s=0.002)
    assert answer is not None
    assert json.loads(answer.payload)["id"] == 7


async def test_a_thousand_frames_may_arrive_in_one_write(hubs: Hubs, enter: Enter, tenant: Tenant) -> None:
    raw = await live(hubs, enter, tenant)
    raw.send(b"".join(frame(b'{"type":"ping","id":%d}' % at) for at in range(400)))
    ids: list[int] = []
    async with asyncio.timeout(10):
        while len(ids) < 400:
            one = await raw.frame()
            assert one is not None
            ids.append(json.loads(one.payload)["id"])
    assert ids == list(range(400))


@pytest.mark.parametrize(("subprotocol", "opcode"), [(MSGPACK, TEXT), (JSON, BINARY)])
async def test_the_other_kind_of_frame_is_refused(hubs: Hubs, subprotocol: str, opcode: int) -> None:
    raw = await RawSocket.upgraded(hubs.a.port, subprotocol)
    raw.send(frame(PING_MESSAGE, opcode=opcode))
    assert await raw.close_code() == 1003


@pytest.mark.parametrize("size", [4 * 1024 + 1, 60 * 1024, 1 << 20])
async def test_a_stranger_may_send_four_kilobytes_at_most(hubs: Hubs, size: int) -> None:
    raw = await RawSocket.upgraded(hubs.a.port)
    raw.send(frame(b" " * size)[: 8 * 1024])
    assert await raw.close_code() == 1009


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1 << 20])
async def test_a_message_has_sixty_four_kilobytes_at_most(hubs: Hubs, enter: Enter, tenant: Tenant, size: int) -> None:
    raw = await live(hubs, enter, tenant)
    raw.send(frame(b" " * size)[: 70 * 1024])
    assert await raw.close_code() == 1009


async def test_a_message_of_exactly_sixty_four_kilobytes_is_read(hubs: Hubs, enter: Enter, tenant: Tenant) -> None:
    raw = await live(hubs, enter, tenant)
    answer = await ask(raw, frame(PING_MESSAGE + b" " * (64 * 1024 - len(PING_MESSAGE))))
    assert answer is not None
    assert json.loads(answer.payload)["type"] == "pong"


async def test_fragments_together_may_not_exceed_the_size_either(hubs: Hubs, enter: Enter, tenant: Tenant) -> None:
    raw = await live(hubs, enter, tenant)
    raw.send(frame(b" " * 30_000, fin=False) + frame(b" " * 30_000, CONT, fin=False) + frame(b" " * 30_000, CONT))
    assert await raw.close_code() == 1009


@pytest.mark.parametrize("piece", [b"", b"x"])
async def test_endless_fragments_are_cut_short(hubs: Hubs, enter: Enter, tenant: Tenant, piece: bytes) -> None:
    raw = await live(hubs, enter, tenant)
    started = time.monotonic()
    raw.send(frame(b"", fin=False) + frame(piece, CONT, fin=False) * 10_000)
    assert await raw.close_code(timeout_s=6) == 1002
    assert time.monotonic() - started < 5


async def test_a_flood_of_pings_is_closed(hubs: Hubs, enter: Enter, tenant: Tenant) -> None:
    raw = await live(hubs, enter, tenant)
    raw.send(frame(b"ping", opcode=PING) * 50_000)
    frames = await raw.frames(timeout_s=5)
    assert frames[-1].opcode == CLOSE
    assert int.from_bytes(frames[-1].payload[:2], "big") == 4005
    # A pong per ping would make us the amplifier.
    assert sum(one.opcode == PONG for one in frames) <= 50


BEGINNINGS = {
    "one byte": frame(PING_MESSAGE)[:1],
    "a header": frame(PING_MESSAGE)[:2],
    "a header and its mask": frame(PING_MESSAGE)[:6],
    "all but the last byte": frame(PING_MESSAGE)[:-1],
    "most of a large one": frame(b" " * 60_000)[:50_000],
    "half a ping": frame(b"x" * 20, opcode=PING)[:5],
    "a first fragment": frame(b"x", fin=False),
}


async def test_a_message_that_is_never_finished_is_closed_within_five_seconds(
    hubs: Hubs, enter: Enter, tenant: Tenant
) -> None:
    sockets = [await live(hubs, enter, tenant) for _ in BEGINNINGS]
    dripped = await live(hubs, enter, tenant)
    honest = await live(hubs, enter, tenant)
    for raw, beginning in zip(sockets, BEGINNINGS.values(), strict=True):
        raw.send(beginning)
    assert await ask(honest, frame(PING_MESSAGE)[:3], frame(PING_MESSAGE)[3:], pause_s=0.2) is not None

    async def drip() -> None:
        for byte in frame(b" " * 1000):
            dripped.send(bytes((byte,)))
            await asyncio.sleep(0.3)

    dripping = asyncio.create_task(drip())
    seconds = await asyncio.gather(*(raw.seconds_until_closed() for raw in (*sockets, dripped)))
    dripping.cancel()
    assert all(3 < one < 10 for one in seconds), dict(zip((*BEGINNINGS, "dripped"), seconds, strict=True))
    # Having paused within a message, and between messages for longer than that, is no offence.
    assert await ask(honest, frame(PING_MESSAGE)) is not None


async def test_a_closing_peer_that_does_not_read_is_let_go(hubs: Hubs, enter: Enter, tenant: Tenant) -> None:
    somebody = await enter(tenant)
    before = sockets_of(hubs)
    for farewell in (frame(close_payload(1000), opcode=CLOSE), frame(b"", opcode=3)):
        raw = await RawSocket.upgraded(hubs.a.port, receive_buffer=2048)
        raw.send(frame(json.dumps({"type": "authenticate", "token": somebody.token}).encode()))
        assert await raw.frame() is not None
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        # More answers than the kernel takes, fewer than make a slow consumer.
        for at in range(200):
            raw.send(frame(b'{"type":"accounts","id":%d}' % at))
        raw.send(farewell)
    await asyncio.sleep(0.5)
    deadline = time.monotonic() + 5
    while sockets_of(hubs) > before:
        assert time.monotonic() < deadline, "the hub keeps a socket that said goodbye"
        await asyncio.sleep(0.1)


def sockets_of(hubs: Hubs) -> int:
    """The hub's TCP connections: those of /proc/net/tcp on its port that a process still holds."""
    port = f":{hubs.a.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(port) and row[3] in {"01", "08"} for row in rows)

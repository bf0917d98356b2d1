"""A question is answered once, or unanswered in its time, whatever the server does with the connection."""

import asyncio
import gc
import random
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

import pytest
import uvloop

from loadtest.services.certificates import Certificates
from loadtest.services.http2 import Act, Http2Server, Request, Said
from workers.push import http2
from workers.push.http2 import ANSWER_SIZE_MAX, STREAMS_MAX, TRIES_MAX, Answer, Client, Unanswered, once, tls_context


class Service:
    """Answers by the path, and counts what it was asked by the header `id`."""

    def __init__(self, certificates: Certificates, tls: SSLContext, **more: Any) -> None:
        self.server = Http2Server(self._answer, certificates.server_context(), **more)
        self.tls = tls
        self.acts: dict[str, list[Act]] = {}
        self.ids: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}

    def _answer(self, request: Request) -> Said | Act:
        acts = self.acts.get(request.path)
        if acts:
            return acts.pop(0)
        id_ = request.headers.get("id", "")
        self.ids[id_] += 1
        self.bodies[id_] = request.body
        return Said(200, id_.encode(), (("x-id", id_),))

    def client(self, **more: Any) -> Client:
        return Client("localhost", self.server.port, tls=self.tls, **more)


@asynccontextmanager
async def serving(certificates: Certificates, tls: SSLContext, **more: Any) -> AsyncIterator[Service]:
    service = Service(certificates, tls, **more)
    await service.server.start()
    try:
        yield service
    finally:
        await service.server.stop()


@pytest.fixture
async def service(certificates: Certificates, tls: SSLContext) -> AsyncIterator[Service]:
    async with serving(certificates, tls) as service:
        yield service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    client = service.client()
    yield client
    await client.close()


async def ask(client: Client, id_: object = "1", path: str = "/", body: bytes = b"x", timeout_s: float = 3.0) -> Answer:
    return await client.post(path.encode(), [once(b"id", str(id_).encode())], body, timeout_s)


async def unanswered(asking: Awaitable[Answer]) -> Unanswered:
    with pytest.raises(Unanswered) as caught:
        await asking
    return caught.value


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_an_answer_has_a_status_headers_and_a_body(service: Service, client: Client) -> None:
    answer = await ask(client, "me", body=b"hello")
    assert (answer.status, answer.headers[b"x-id"], answer.body) == (200, b"me", b"me")
    assert service.bodies == {"me": b"hello"}


async def test_it_is_the_same_on_the_loop_that_workers_run_on(certificates: Certificates, tls: SSLContext) -> None:
    async def talk() -> None:
        async with serving(certificates, tls) as service:
            client = service.client()
            service.server.goaway_after = 60
            assert {answer.status for answer in await asyncio.gather(*(ask(client, n) for n in range(200)))} == {200}
            assert set(service.ids.values()) == {1}
            await service.server.stop()
            assert (await unanswered(ask(client))).code in {"unreachable", "lost"}
            await client.close()

    await asyncio.to_thread(uvloop.run, talk())


async def test_five_hundred_are_asked_at_once_on_one_connection(service: Service, client: Client) -> None:
    service.server.delay_s = 0.3
    answers = await asyncio.gather(*(ask(client, n, body=b"x" * 700) for n in range(500)))
    assert [answer.body for answer in answers] == [str(n).encode() for n in range(500)]
    assert (service.server.connections, service.server.most_at_once) == (1, 500)
    assert set(service.ids.values()) == {1}


async def test_bodies_pass_through_narrow_windows(certificates: Certificates, tls: SSLContext) -> None:
    async with serving(certificates, tls, window=1_000) as service:
        client = service.client()
        bodies = [bytes([n]) * 4_000 for n in range(100)]
        await asyncio.gather(*(ask(client, n, body=body) for n, body in enumerate(bodies)))
        assert [service.bodies[str(n)] for n in range(100)] == bodies
        await client.close()


async def test_no_more_are_under_way_than_the_server_allows(certificates: Certificates, tls: SSLContext) -> None:
    async with serving(certificates, tls, streams_max=1) as service:
        client = service.client(connections_max=1)
        service.server.delay_s = 0.02
        first = asyncio.gather(*(ask(client, n) for n in range(30)))
        await until(lambda: len(service.ids) > 3)
        assert service.server.most_at_once == 1
        # Apple begins with one, and allows more to whom it knows.
        next(iter(service.server.open)).change_streams_max(10)
        await first
        assert service.server.most_at_once == 10
        assert (set(service.ids.values()), service.server.connections) == ({1}, 1)
        await client.close()


async def test_a_second_connection_is_made_when_the_first_is_full(service: Service, client: Client) -> None:
    service.server.delay_s = 0.1
    await asyncio.gather(*(ask(client, n) for n in range(STREAMS_MAX + 200)))
    assert service.server.connections == 2


async def test_a_goaway_loses_and_doubles_nothing(service: Service, client: Client) -> None:
    service.server.goaway_after, service.server.delay_s = 40, 0.05
    answers = await asyncio.gather(*(ask(client, n) for n in range(300)))
    assert [answer.body for answer in answers] == [str(n).encode() for n in range(300)]
    assert service.server.connections >= 8
    assert len(service.ids) == 300 and set(service.ids.values()) == {1}


@pytest.mark.parametrize("act", [Act.REFUSE, Act.QUIT, Act.DROP])
async def test_what_was_not_looked_at_or_lost_is_asked_again(service: Service, client: Client, act: Act) -> None:
    service.acts["/"] = [act]
    assert (await ask(client, "me")).body == b"me"
    assert service.ids == {"me": 1}


async def test_a_question_is_not_asked_for_ever_where_every_connection_is_lost(
    service: Service, client: Client
) -> None:
    service.acts["/"] = [Act.DROP] * 10
    error = await unanswered(ask(client))
    assert (error.code, error.is_theirs) == ("lost", True)
    assert len(service.acts["/"]) == 7


@pytest.mark.parametrize(
    ("act", "code", "is_theirs"),
    [
        (Act.RESET, "reset", False),
        (Act.ENDLESS, "too_large", False),
        (Act.NO_STATUS, "protocol", False),
        (Act.GARBAGE, "protocol", True),
    ],
)
async def test_a_bad_answer_is_none_and_the_next_question_is_answered(
    service: Service, client: Client, act: Act, code: str, is_theirs: bool
) -> None:
    # Garbage ends the connection, for others too: whose it was is not known, so it is asked again.
    service.acts["/"] = [act] * (TRIES_MAX if act is Act.GARBAGE else 1)
    error = await unanswered(ask(client))
    assert (error.code, error.is_theirs) == (code, is_theirs)
    assert not service.acts["/"]
    assert (await ask(client, "next")).body == b"next"


async def test_no_garbage_keeps_a_question_beyond_its_time_or_breaks_the_client(
    service: Service, client: Client
) -> None:
    dice = random.Random(7)
    for round_ in range(24):
        garbage = dice.randbytes(dice.choice((9, 64, 3_000)))
        if round_ % 2:
            # Frames of known kinds, with anything in them.
            garbage = b"\0\0" + bytes([dice.randrange(40), dice.randrange(11)]) + garbage
        service.server.garbage, service.acts["/"] = garbage, [Act.GARBAGE] * 5
        error = await unanswered(ask(client, round_, timeout_s=0.05))
        assert error.code in {"protocol", "timeout", "lost", "reset"}
        service.acts.clear()
        assert (await ask(client, f"after {round_}")).status == 200


async def test_a_server_that_fell_silent_is_noticed_and_one_that_is_not_needed_is_left(
    service: Service, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http2, "PING_S", 0.05)
    await ask(client)
    await asyncio.sleep(0.3)
    assert len(service.server.open) == 1
    service.server.is_mute = True
    await until(lambda: not service.server.open)
    service.server.is_mute = False
    monkeypatch.setattr(http2, "IDLE_S", 0.1)
    await ask(client)
    await until(lambda: not service.server.open)
    assert (await ask(client)).status == 200


async def test_one_that_hangs_holds_up_no_other(service: Service, client: Client) -> None:
    service.acts["/slow"] = [Act.HANG]
    slow = asyncio.create_task(ask(client, "slow", "/slow", timeout_s=0.5))
    await asyncio.sleep(0.1)
    assert (await ask(client, "fast")).status == 200
    error = await unanswered(slow)
    # Somebody was answered since: it is this one.
    assert (error.code, error.is_theirs) == ("timeout", False)
    assert service.server.connections == 1
    await until(lambda: service.server.at_once == 0)


async def test_where_nobody_is_answered_it_is_the_whole_service(service: Service, client: Client) -> None:
    await ask(client)
    # More than are asked: the first whose time is over ends the connection, and the others may be asked once more.
    service.acts["/"] = [Act.HANG] * 500
    errors = await asyncio.gather(*(unanswered(ask(client, n, timeout_s=0.3)) for n in range(50)))
    assert {(error.code, error.is_theirs) for error in errors} == {("timeout", True)}
    service.acts["/"] = []
    assert (await ask(client)).status == 200


async def test_a_server_that_takes_connections_and_is_mute_is_waited_for_no_longer_than_asked(
    service: Service, client: Client
) -> None:
    service.server.is_mute = True
    begun = time.monotonic()
    error = await unanswered(ask(client, timeout_s=0.3))
    assert (error.code, error.is_theirs) == ("timeout", True)
    assert time.monotonic() - begun < 1.0


async def test_a_server_that_is_down_is_unreachable_and_found_again(service: Service, client: Client) -> None:
    await ask(client)
    await service.server.stop()
    errors = await asyncio.gather(*(unanswered(ask(client, n)) for n in range(200)))
    assert {error.code for error in errors} <= {"unreachable", "lost"}
    await service.server.start()
    assert (await ask(client, "back")).body == b"back"


async def test_memory_stays_bounded_while_nobody_answers(service: Service) -> None:
    client = service.client()
    await ask(client)
    service.server.is_mute = True
    tracemalloc.start()
    for round_ in range(6):
        await asyncio.gather(*(unanswered(ask(client, n, body=b"x" * 4_000, timeout_s=0.05)) for n in range(200)))
        gc.collect()
        if round_ == 1:
            before = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    await client.close()
    # Four rounds of eight hundred kilobytes each would be more than three megabytes.
    assert grown < 600_000


async def test_whoever_stops_waiting_takes_no_other_with_them(service: Service, client: Client) -> None:
    service.server.delay_s = 0.2
    tasks = [asyncio.create_task(ask(client, n)) for n in range(20)]
    await asyncio.sleep(0.05)
    for task in tasks[:10]:
        task.cancel()
    await asyncio.gather(*tasks[:10], return_exceptions=True)
    assert [answer.status for answer in await asyncio.gather(*tasks[10:])] == [200] * 10
    assert service.server.connections == 1
    assert client.is_idle


async def test_a_certificate_of_nobody_is_not_trusted(service: Service) -> None:
    client = Client("localhost", service.server.port, tls=tls_context())
    assert (await unanswered(ask(client))).code == "tls"
    await client.close()


async def test_a_server_of_another_name_is_not_trusted(service: Service) -> None:
    async def find(_host: str, _port: int) -> str:
        return "127.0.0.1"

    client = Client("elsewhere.localhost", service.server.port, tls=service.tls, find=find)
    assert (await unanswered(ask(client))).code == "tls"
    await client.close()


async def test_a_server_without_http2_is_none(certificates: Certificates, tls: SSLContext) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", ssl=certificates.server_context("http/1.1"))
    client = Client("localhost", server.sockets[0].getsockname()[1], tls=tls)
    assert (await unanswered(ask(client))).code in {"no_http2", "tls"}
    await client.close()
    server.close()


async def test_where_we_do_not_go_nobody_is_connected_to(service: Service) -> None:
    async def find(_host: str, _port: int) -> str:
        raise PermissionError

    client = service.client(find=find)
    error = await unanswered(ask(client))
    assert (error.code, error.is_theirs) == ("not_public", False)
    assert service.server.connections == 0
    await client.close()


async def test_closing_lets_what_is_under_way_end(service: Service) -> None:
    client = service.client()
    service.server.delay_s = 0.2
    asked = asyncio.create_task(ask(client, "me"))
    await until(lambda: service.server.at_once == 1)
    await client.close()
    assert (await asked).body == b"me"
    assert (await unanswered(ask(client))).code == "closed"
    await until(lambda: not service.server.open)


async def test_what_is_sent_and_received_is_in_no_exception(service: Service, client: Client) -> None:
    service.acts["/secret"] = [Act.RESET]
    error = await unanswered(ask(client, "secret", "/secret", b"secret"))
    assert "secret" not in f"{error!r} {error.__cause__!r} {vars(error)}"


async def test_an_answer_of_the_largest_size_is_read(certificates: Certificates, tls: SSLContext) -> None:
    server = Http2Server(lambda _: Said(200, bytes(ANSWER_SIZE_MAX)), certificates.server_context())
    client = Client("localhost", await server.start(), tls=tls)
    for _ in range(80):  # more than the window of the connection
        assert len((await ask(client)).body) == ANSWER_SIZE_MAX
    await client.close()
    await server.stop()

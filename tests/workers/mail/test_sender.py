"""Mails to a real server on loopback, which behaves, and does not."""

import asyncio
import logging
import ssl
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from loadtest.services.mail import Act, Fault, MailServer, Step
from tests.workers.mail.conftest import Seals
from workers.mail.conversation import Patience
from workers.mail.message import Letter, Sender, write
from workers.mail.relays import Relay, Tls
from workers.mail.sender import MailSender
from workers.outcome import Delivered, Gone, Later, Outcome, Refused

TO = "maria.segredo@example.com"
PATH = "bounces+token@pay.example"
QUICK = Patience(open_s=0.4, answer_s=0.4, taken_s=0.4, goodbye_s=0.2)


def mail(delivery_id: str | None = None) -> bytes:
    letter = Letter(
        delivery_id or str(uuid.uuid4()), TO, "Oi", "Olá, Maria Segredo\n.\n", "<p>Olá, Maria Segredo</p>", "pt"
    )
    return write(letter, Sender("Banco da Praça", "no-reply@pay.example"), datetime.now(UTC))


def relay(server: MailServer, tls: Tls = Tls.NEVER, login: tuple[str, str] | None = None) -> Relay:
    return Relay("127.0.0.1", server.port, tls, *(login or (None, None)))


def sender(*servers: MailServer, **choice: object) -> MailSender:
    given = {"patience": QUICK, "name": "worker.test", **choice}
    return MailSender([relay(one) for one in servers], **given)  # type: ignore[arg-type]


async def send(to: MailSender, recipient: str = TO, message: bytes | None = None) -> Outcome:
    try:
        return await to.send(PATH, recipient, message or mail())
    finally:
        await to.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer(keeps=True) as running:
        yield running


@pytest.mark.parametrize("extensions", [("PIPELINING", "8BITMIME"), ()])
async def test_a_mail_arrives_as_it_was_written(extensions: tuple[str, ...]) -> None:
    message = mail().replace(b"\r\n\r\n", b"\r\nX-Dot: 1\r\n\r\n", 1) + b".\r\n..\r\n"
    async with MailServer(keeps=True, extensions=extensions) as server:
        assert await send(sender(server), message=message) == Delivered("1")
        assert server.mails == [(PATH.encode(), TO.encode(), message)]


@pytest.mark.parametrize("tls", [Tls.REQUIRED, Tls.IMPLICIT])
async def test_it_seals_and_logs_in(seals: Seals, tls: Tls) -> None:
    login = ("payhub", "s3cret")
    async with MailServer(context=seals.server, is_implicit=tls is Tls.IMPLICIT, login=login, keeps=True) as server:
        to = MailSender([relay(server, tls, login)], "worker.test", patience=Patience(), context=seals.client)
        for _ in range(3):
            assert isinstance(await to.send(PATH, TO, mail()), Delivered)
        await to.close()
        assert server.connections == 1
        assert len(server.mails) == 3


async def test_a_wrong_password_is_theirs_and_is_told_to_the_operator(
    seals: Seals, caplog: pytest.LogCaptureFixture
) -> None:
    async with MailServer(context=seals.server, login=("payhub", "s3cret")) as server:
        to = MailSender(
            [relay(server, Tls.REQUIRED, ("payhub", "wr0ng"))], "worker.test", patience=Patience(), context=seals.client
        )
        with caplog.at_level(logging.WARNING):
            assert await send(to) == Later("relay_login_refused", is_theirs=True)
        assert [(one.message, one.__dict__["code"]) for one in caplog.records] == [
            ("mail_relay_away", "relay_login_refused")
        ]
        assert server.taken == 0


async def test_nothing_is_sent_to_a_stranger_or_in_the_clear(seals: Seals) -> None:
    async with MailServer(context=seals.server) as server:
        to = MailSender(
            [relay(server, Tls.REQUIRED)], "worker.test", patience=Patience(), context=ssl.create_default_context()
        )
        assert await send(to) == Later("relay_tls_failed", is_theirs=True)
    async with MailServer() as plain:
        to = MailSender([relay(plain, Tls.REQUIRED)], "worker.test", patience=Patience(), context=seals.client)
        assert await send(to) == Later("relay_unfit", is_theirs=True)
        assert server.taken == plain.taken == 0


async def test_optional_tls_takes_any_certificate(seals: Seals) -> None:
    async with MailServer(context=seals.server) as server:
        to = MailSender([relay(server, Tls.OPTIONAL)], "worker.test", patience=Patience())
        assert isinstance(await send(to), Delivered)


async def test_a_hundred_at_once_share_few_connections(server: MailServer) -> None:
    to = sender(server, connections_max=4, mails_per_connection=10)
    outcomes = await asyncio.gather(*(to.send(PATH, TO, mail()) for _ in range(100)))
    await to.close()
    assert all(isinstance(one, Delivered) for one in outcomes)
    assert 10 <= server.connections <= 13
    assert len(server.ids) == 100


async def test_an_idle_connection_is_closed(server: MailServer) -> None:
    to = sender(server, idle_s=0.05)
    assert isinstance(await to.send(PATH, TO, mail()), Delivered)
    await until(lambda: not server.open)
    assert isinstance(await send(to), Delivered)
    assert server.connections == 2


async def test_a_connection_that_was_closed_meanwhile_costs_no_try(server: MailServer) -> None:
    to = sender(server)
    assert isinstance(await to.send(PATH, TO, mail()), Delivered)
    port = server.port
    await server.stop()
    await server.start(port)
    assert isinstance(await send(to), Delivered)


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
@pytest.mark.parametrize(
    ("step", "answer", "outcome"),
    [
        (Step.RCPT, b"451 4.2.1 not now", Later("smtp_4.2.1")),
        (Step.RCPT, b"450 busy", Later("smtp_450")),
        (Step.RCPT, b"550 5.1.1 no maria.segredo here", Gone("smtp_5.1.1")),
        (Step.RCPT, b"550-5.1.1 nobody\r\n550 5.1.1 of that name", Gone("smtp_5.1.1")),
        (Step.RCPT, b"550 we do not like you", Refused("smtp_550")),
        (Step.RCPT, b"554 5.7.1 spam", Refused("smtp_5.7.1")),
        (Step.RCPT, b"421 4.3.2 closing", Later("smtp_4.3.2", is_theirs=True)),
        (Step.RCPT, b"530 5.7.0 log in", Later("smtp_5.7.0", is_theirs=True)),
        (Step.MAIL, b"550 5.7.1 not from you", Later("smtp_5.7.1", is_theirs=True)),
        (Step.MAIL, b"452 4.3.1 disk full", Later("smtp_4.3.1", is_theirs=True)),
        (Step.MAIL, b"421 busy", Later("smtp_421", is_theirs=True)),
        (Step.DATA, b"451 4.3.0 later", Later("smtp_4.3.0")),
        (Step.DATA, b"250 2.0.0 what", Later("relay_confused", is_theirs=True)),
        (Step.MESSAGE, b"451 4.7.1 greylisted", Later("smtp_4.7.1")),
        (Step.MESSAGE, b"554 5.6.0 what is that", Refused("smtp_5.6.0")),
        (Step.MESSAGE, b"421 4.3.2 closing", Later("smtp_4.3.2", is_theirs=True)),
    ],
)
async def test_each_refusal_has_its_outcome_and_the_next_mail_goes(
    extensions: tuple[str, ...], step: Step, answer: bytes, outcome: Outcome
) -> None:
    async with MailServer(extensions=extensions) as server:
        server.plan(Fault(step, answer, times=1))
        to = sender(server)
        assert await to.send(PATH, TO, mail()) == outcome
        assert server.taken == 0
        assert isinstance(await send(to), Delivered)
        assert server.taken == 1
        assert server.connections == (2 if answer.startswith(b"421") else 1)


async def test_a_relay_that_wants_a_mail_for_nobody_gets_an_empty_one(server: MailServer) -> None:
    server.plan(Fault(Step.RCPT, b"550 5.1.1 no", times=1), Fault(Step.DATA, b"354 go on", times=1))
    to = sender(server)
    assert await to.send(PATH, TO, mail()) == Gone("smtp_5.1.1")
    assert server.taken == 0
    assert isinstance(await send(to), Delivered)
    assert (server.taken, server.connections) == (1, 1)


async def test_only_the_one_who_is_gone_is_gone(server: MailServer) -> None:
    server.plan(Fault(Step.RCPT, b"550 5.1.1 no", recipient=b"gone@example.com"))
    to = sender(server)
    gone, here = await asyncio.gather(to.send(PATH, "gone@example.com", mail()), to.send(PATH, TO, mail()))
    await to.close()
    assert isinstance(gone, Gone)
    assert isinstance(here, Delivered)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(Step.CONNECT, Act.HANG), Later("relay_silent", is_theirs=True)),
        (Fault(Step.CONNECT, Act.RESET), Later("relay_unreachable", is_theirs=True)),
        (Fault(Step.CONNECT, b"554 go away"), Later("relay_refused", is_theirs=True)),
        (Fault(Step.CONNECT, b"\xff\x00 what is this"), Later("relay_refused", is_theirs=True)),
        (Fault(Step.EHLO, Act.HANG), Later("relay_silent", is_theirs=True)),
        (Fault(Step.MAIL, Act.HANG), Later("relay_silent", is_theirs=True)),
        (Fault(Step.MAIL, Act.RESET), Later("connection_lost", is_theirs=True)),
        (Fault(Step.MAIL, b"HTTP/1.1 400 Bad Request"), Later("connection_lost", is_theirs=True)),
        (Fault(Step.RCPT, Act.HANG), Later("relay_silent", is_theirs=True)),
        (Fault(Step.DATA, Act.RESET), Later("connection_lost", is_theirs=True)),
        (Fault(Step.MESSAGE, Act.HANG), Later("answer_lost")),
        (Fault(Step.MESSAGE, Act.RESET), Later("answer_lost")),
        (Fault(Step.MESSAGE, b"\x00" * 100), Later("answer_lost")),
        (Fault(Step.MESSAGE, b"a" * 100_000), Later("answer_lost")),
    ],
)
async def test_whatever_a_relay_does_there_is_an_outcome_within_the_deadline(
    server: MailServer, fault: Fault, outcome: Outcome
) -> None:
    server.plan(fault)
    async with asyncio.timeout(QUICK.open_s + QUICK.taken_s + 1):
        assert await send(sender(server)) == outcome


async def test_a_lost_answer_is_sent_again_under_the_same_id(server: MailServer) -> None:
    delivery = str(uuid.uuid4())
    server.plan(Fault(Step.MESSAGE, Act.RESET, times=1))
    to = sender(server)
    assert await to.send(PATH, TO, mail(delivery)) == Later("answer_lost")
    assert isinstance(await send(to, message=mail(delivery)), Delivered)
    assert server.ids == {f"<{delivery}@pay.example>".encode(): 2}


async def test_nobody_waits_long_for_a_relay_that_is_down(server: MailServer) -> None:
    server.plan(Fault(Step.CONNECT, Act.HANG))
    to = sender(server, connections_max=4)
    async with asyncio.timeout(QUICK.open_s * 2 + 1):
        outcomes = await asyncio.gather(*(to.send(PATH, TO, mail()) for _ in range(200)))
    await to.close()
    assert set(outcomes) == {Later("relay_silent", is_theirs=True)}
    await server.stop()
    assert await send(sender(server)) == Later("relay_unreachable", is_theirs=True)


async def test_the_second_relay_stands_in(server: MailServer) -> None:
    async with MailServer() as down:
        await down.stop()
        to = sender(down, server)
        assert isinstance(await send(to), Delivered)


async def test_an_address_beyond_ascii_needs_a_relay_that_knows_them() -> None:
    async with MailServer(extensions=()) as old, MailServer() as new:
        assert await send(sender(old), "joão@exemplo.com.br") == Refused("address_needs_smtputf8")
        assert isinstance(await send(sender(new), "joão@exemplo.com.br"), Delivered)


@pytest.mark.parametrize(
    "recipient",
    ["", "a", "a@", "@b.c", "a b@c.d", "a@b.c>\r\nRCPT TO:<x@y.z", "a@b.c\r\nDATA", "a@b c", "<a@b.c>", "a@@b.c", 'a"@b.c',
     "a@b..c", "a@-b.c", "\u202ea@b.c", "a\ud800@b.c", "a\x00@b.c", "a" * 65 + "@b.c", "a@" + "b" * 255 + ".c"],
)  # fmt: skip
async def test_what_is_no_address_is_refused_and_asks_nobody(server: MailServer, recipient: str) -> None:
    assert await send(sender(server), recipient) == Refused("address_malformed")
    assert server.connections == 0


async def test_no_log_line_holds_anything_personal(server: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    said = b"5.1.1 maria.segredo@example.com is no mailbox"
    with caplog.at_level(logging.DEBUG):
        for step in (Step.RCPT, Step.MESSAGE, Step.MAIL, Step.CONNECT):
            server.plan(Fault(step, b"550 " + said))
            await send(sender(server))
        server.plan(Fault(Step.MESSAGE, Act.RESET))
        await send(sender(server))
    told = "".join(f"{one.getMessage()} {one.__dict__}" for one in caplog.records)
    assert "mail_sender_refused" in told
    assert "segredo" not in told.lower()


async def until(true: object, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.01)

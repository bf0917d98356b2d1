"""A person whose page is closed gets the mail: from the payment over the ladder to a real SMTP conversation."""

import asyncio
import email
import email.policy
import logging
import re
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio

from config.settings import Settings
from core.audit.trail import By
from core.database import Pool, in_tenant
from core.ledger.posting import post_payments
from core.ledger.reading import acknowledge
from core.notices.deliveries import State, bounce, read_dead
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave_code
from core.notices.news import SECRET as NEWS_SECRET
from core.notices.news import Text as News
from core.notices.news import read_unsubscribe, send
from core.notices.seen import SECRET, hear_delivery, read_seen
from core.privacy.consents import Text as Words
from core.privacy.consents import give, set_purpose
from core.proof.notary import Signer
from loadtest.services.mail import Act, Fault, MailServer, Step
from tests.conftest import Books, Database, seal_all
from tests.core.notices.reaching import give_mailbox
from tests.workers.test_delivering import until
from workers.mail.verp import ReturnPaths
from workers.reaching import RETURN_PATHS, open_roads
from workers.rounds import go_round


@pytest_asyncio.fixture
async def relay() -> AsyncIterator[MailServer]:
    async with MailServer(keeps=True) as server:
        yield server


@pytest.fixture
def settings(database: Database, relay: MailServer, tmp_path: Path) -> Settings:
    return Settings.from_environment(
        {
            "PAYHUB_DATABASE_URL": database.app_url,
            "PAYHUB_KEYS_DATABASE_URL": database.keys_url,
            "PAYHUB_SMTP_URL": f"smtp://127.0.0.1:{relay.port}?starttls=never",
            "PAYHUB_PUBLIC_URL": "https://pay.example",
            "PAYHUB_BOUNCES_DIR": str(tmp_path / "bounces"),
            "PAYHUB_DATA_DIR": str(tmp_path),
        }
    )


@pytest_asyncio.fixture
async def books(books: Books, admin: Pool) -> Books:
    """Four people, whose notices climb as fast as may be."""
    await admin.execute(
        "insert into ladders (tenant_id, kind, socket_s, push_s, has_push, has_mail)"
        " select $1, kind, 2, 0, true, true from unnest($2::smallint[]) as kind",
        books.tenant.id,
        [int(kind) for kind in NoticeKind if kind is not NoticeKind.CONTACT_CODE],
    )
    # What they were funded with is heard.
    await acknowledge(
        books.pool,
        [(books.tenant.id, books.account(at), person.person_id, 1) for at, person in enumerate(books.people)],
    )
    return books


@asynccontextmanager
async def working(books: Books, settings: Settings) -> AsyncIterator[None]:
    """What a worker does to reach people."""
    roads = await open_roads(settings, books.pool, books.keys)
    tasks = [*roads.tasks(), *(asyncio.create_task(go_round(one)) for one in roads.rounds(books.pool))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def pay(books: Books, signer: Signer, amount: int = 123) -> str:
    payment = books.payment(0, 1, amount)
    async with books.pool.acquire() as connection:
        await post_payments(connection, [payment])
    await seal_all(books.pool, signer)
    return payment.id


def mails_to(relay: MailServer, address: str) -> list[EmailMessage]:
    return [
        email.message_from_bytes(content, policy=email.policy.default)
        for _, to, content in relay.mails
        if to.decode() == address
    ]


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


async def has_mail(relay: MailServer, address: str, count: int = 1) -> bool:
    return len(mails_to(relay, address)) >= count


async def test_news_come_by_mail_to_who_agreed_and_say_how_to_end_them(
    books: Books, settings: Settings, relay: MailServer, admin: Pool
) -> None:
    tenant, by = books.tenant.id, By(books.people[0].person_id)
    await set_purpose(books.pool, tenant, "offers", Words("Ofertas", "Podemos?", "Offers", "May we?"), by)
    addresses = [await give_mailbox(books, at) for at in range(3)]
    for at in (1, 2):
        await give(books.pool, tenant, books.people[at].person_id, "offers", 1, By(), "http")
    # It is night for the one, all day long.
    await admin.execute(
        "insert into notice_settings (tenant_id, person_id, quiet_from, quiet_to) values ($1, $2, '00:00', '23:59:59')",
        tenant,
        uuid.UUID(books.people[2].person_id),
    )
    news_id = str(uuid.uuid4())
    await send(books.pool, tenant, news_id, "offers", News("100 % <b>Pix</b>", "Agora dá.\n\nÉ só pedir."), by)
    async with working(books, settings):
        await until(lambda: has_mail(relay, addresses[1]))
        (mail,) = mails_to(relay, addresses[1])
        assert "100 % <b>Pix</b>" in text_of(mail) and "É só pedir." in text_of(mail)
        assert "100 % &lt;b&gt;Pix&lt;/b&gt;" in text_of(mail, "html")
        assert "/s/" not in text_of(mail)
        link = mail["list-unsubscribe"].strip("<>")
        assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        assert link in text_of(mail) and link in text_of(mail, "html")
        token = link.removeprefix("https://pay.example/u/")
        assert read_unsubscribe(await books.keys.secret(NEWS_SECRET), token) == (
            tenant,
            news_id,
            books.people[1].person_id,
        )
    assert mails_to(relay, addresses[0]) == mails_to(relay, addresses[2]) == []


async def test_whoever_does_not_acknowledge_gets_the_mail_and_its_link_ends_it(
    books: Books, settings: Settings, relay: MailServer, signer: Signer, admin: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = await give_mailbox(books, 1)
    async with working(books, settings):
        payment = await pay(books, signer)
        paid = time.monotonic()
        await until(lambda: has_mail(relay, address))
        took = time.monotonic() - paid
        # Two seconds for the socket, and at most one more.
        assert 1.5 < took < 3.5
        (mail,) = mails_to(relay, address)
        assert mail["From"].addresses[0].display_name == books.tenant.name
        for kind in ("plain", "html"):
            assert "1,23" in text_of(mail, kind)
        assert payment in text_of(mail)
        assert mail["Content-Language"] == "pt-BR"
        # The bounce of it would come to an address of its own.
        (sender,) = [sender.decode() for sender, to, _ in relay.mails if to.decode() == address]
        named = ReturnPaths(await books.keys.secret(RETURN_PATHS), settings.mail_domain).read(sender)
        assert named is not None
        assert named.tenant_id == books.tenant.id
        assert mail["Message-ID"] == f"<{named.delivery_id}@{settings.mail_from.partition('@')[2]}>"
        # The link says that it was seen, and nothing is told again.
        (token,) = set(re.findall(r"https://pay\.example/s/([A-Za-z0-9_-]{43})", text_of(mail)))
        seen = read_seen(await books.keys.secret(SECRET), token)
        assert seen == (named.tenant_id, named.delivery_id)
        assert await hear_delivery(books.pool, *seen) == books.people[1].person_id
    assert len(mails_to(relay, address)) == 1
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert address not in logged
    assert "1,23" not in logged


async def test_whoever_acknowledges_in_time_gets_none(
    books: Books, settings: Settings, relay: MailServer, signer: Signer
) -> None:
    address = await give_mailbox(books, 1)
    async with working(books, settings):
        await pay(books, signer)
        await acknowledge(books.pool, [(books.tenant.id, books.account(1), books.people[1].person_id, 2)])
        await asyncio.sleep(3.0)
    assert mails_to(relay, address) == []


async def test_a_code_is_there_within_a_second_and_only_at_its_address(
    books: Books, settings: Settings, relay: MailServer
) -> None:
    address = await give_mailbox(books, 2)
    cipher = await books.keys.one(books.tenant.id, books.people[2].person_id)
    async with working(books, settings):
        began = time.monotonic()
        async with in_tenant(books.pool, books.tenant.id) as connection:
            await leave_code(connection, books.tenant.id, cipher, (6, 1), "845210", timedelta(minutes=10))
        await until(lambda: has_mail(relay, address))
        assert time.monotonic() - began < 1.5
    (mail,) = mails_to(relay, address)
    assert "845210" in text_of(mail)
    assert "845210" not in mail["Subject"]
    assert "/s/" not in text_of(mail)


async def test_a_relay_that_is_down_loses_nothing_and_is_told_everything_when_it_returns(
    books: Books, settings: Settings, relay: MailServer, signer: Signer, admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.breaker.PROBE_S", 0.2)
    monkeypatch.setattr("workers.delivering.PROBE_S", 0.2)
    addresses = [await give_mailbox(books, at) for at in range(4)]
    await relay.stop()
    async with working(books, settings):
        for payer in range(4):
            payment = books.payment(payer, (payer + 1) % 4, 5)
            async with books.pool.acquire() as connection:
                await post_payments(connection, [payment])
        await seal_all(books.pool, signer)

        async def is_tried() -> bool:
            return bool(
                await admin.fetchval(
                    "select count(*) from deliveries where tenant_id = $1 and code is not null", books.tenant.id
                )
            )

        await until(is_tried)
        await asyncio.sleep(1.0)
        await relay.start()

        async def are_there() -> bool:
            return all(len(mails_to(relay, address)) == 2 for address in addresses)

        await until(are_there, 10.0)
    # One for what they sent and one for what they got, each once.
    assert set(relay.ids.values()) == {1}
    assert await read_dead(books.pool, books.tenant.id, 10) == []


async def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_id(
    books: Books, settings: Settings, relay: MailServer, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.delivering.BACKOFF_S", 0.1)
    address = await give_mailbox(books, 1)
    # It was taken, and the connection broke before that was said.
    relay.plan(Fault(Step.MESSAGE, Act.RESET, times=1))
    async with working(books, settings):
        await pay(books, signer)
        await until(lambda: has_mail(relay, address))
        await asyncio.sleep(0.5)
    assert len({mail["Message-ID"] for mail in mails_to(relay, address)}) == 1


async def test_an_address_that_nobody_has_is_written_to_once_and_no_more(
    books: Books, settings: Settings, relay: MailServer, signer: Signer, admin: Pool
) -> None:
    address = await give_mailbox(books, 1)
    relay.plan(Fault(Step.RCPT, b"550 5.1.1 no such user", recipient=address.encode()))
    async with working(books, settings):
        await pay(books, signer)

        async def is_gone() -> bool:
            found = await admin.fetch("select state from deliveries where tenant_id = $1", books.tenant.id)
            return [row[0] for row in found] == [State.GONE]

        await until(is_gone)
        relay.plan()
        await pay(books, signer)
        await asyncio.sleep(3.0)
    assert mails_to(relay, address) == []


async def test_a_bounce_takes_the_address_away_until_it_is_confirmed_anew(
    books: Books, settings: Settings, relay: MailServer, signer: Signer, admin: Pool, tmp_path: Path
) -> None:
    address = await give_mailbox(books, 1)
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "bounces" / folder).mkdir(parents=True)
    async with working(books, settings):
        await pay(books, signer)
        await until(lambda: has_mail(relay, address))
    (sender,) = [sender.decode() for sender, to, _ in relay.mails if to.decode() == address]
    report = (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {sender}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    (tmp_path / "bounces" / "new" / "1").write_bytes(report.encode())
    async with working(books, settings):

        async def is_let_go() -> bool:
            return not await admin.fetchval(
                "select count(*) from held_fields where tenant_id = $1 and person_id = $2",
                books.tenant.id,
                books.people[1].person_id,
            )

        async def is_read() -> bool:
            return any((tmp_path / "bounces" / "cur").iterdir())

        await until(is_let_go)
        await until(is_read)
    # A path that nobody made says nothing, of anybody.
    assert not await bounce(books.pool, books.tenant.id, str(uuid.uuid4()), "5.1.1", is_gone=True)


async def test_a_broken_seal_is_set_aside_and_holds_up_nobody(
    books: Books, settings: Settings, relay: MailServer, signer: Signer, admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.delivering.BACKOFF_S", 0.02)
    monkeypatch.setattr("workers.delivering.BACKOFF_FACTOR", 1.0)
    broken, whole = await give_mailbox(books, 1), await give_mailbox(books, 2)
    await admin.execute(
        "update person_fields set sealed = sealed || '\\x00'::bytea where tenant_id = $1 and person_id = $2",
        books.tenant.id,
        books.people[1].person_id,
    )
    async with books.pool.acquire() as connection:
        await post_payments(connection, [books.payment(0, 1, 5), books.payment(0, 2, 5)])
    await seal_all(books.pool, signer)
    async with working(books, settings):
        await until(lambda: has_mail(relay, whole))

        async def is_set_aside() -> bool:
            return [one.code for one in await read_dead(books.pool, books.tenant.id, 10)] == ["not_composed"]

        await until(is_set_aside)
    assert mails_to(relay, broken) == []

"""Bounces as servers write them, out of a real Maildir."""

import logging
import uuid
from pathlib import Path

import pytest

from workers.mail.bounces import PARTS_MAX, SIZE_MAX, Bounce, BounceRefused, read_bounce, walk
from workers.mail.verp import Named, ReturnPaths

PATHS = ReturnPaths(b"k" * 32, "pay.example")
DELIVERY = Named(7, "0198f0aa-1111-7abc-8def-000000000001")
PATH = PATHS.make(*DELIVERY)

POSTFIX = """Return-Path: <>
Delivered-To: {path}
Received: by mx.pay.example (Postfix) id 4D1; Wed, 25 Nov 2026 14:00:00 -0300 (-03)
Date: Wed, 25 Nov 2026 14:00:00 -0300 (-03)
From: MAILER-DAEMON@mx.pay.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {path}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4D1.1764090000/mx.pay.example"

This is a MIME-encapsulated message.

--4D1.1764090000/mx.pay.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

<maria@example.com>: host mx.example.com[192.0.2.1] said: {status} no such user

--4D1.1764090000/mx.pay.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.pay.example
X-Postfix-Queue-ID: 4D1
Arrival-Date: Wed, 25 Nov 2026 14:00:00 -0300 (-03)

Final-Recipient: rfc822; maria@example.com
Original-Recipient: rfc822;maria@example.com
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 550 {status} no such user

--4D1.1764090000/mx.pay.example
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <{path}>
Subject: =?utf-8?b?T2k=?=
To: maria@example.com

--4D1.1764090000/mx.pay.example--
"""

EXCHANGE = """From: <postmaster@contoso.example>
To: <{path}>
Date: Wed, 25 Nov 2026 17:00:00 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="abc-def"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: pt-BR
MIME-Version: 1.0
Subject: =?utf-8?B?TsOjbyBlbnRyZWd1ZQ==?=

--abc-def
Content-Type: multipart/alternative; boundary="inner-1"

--inner-1
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: base64

PGI+TsOjbyBlbnRyZWd1ZTwvYj4=

--inner-1--
--abc-def
Content-Type: message/delivery-status

Reporting-MTA: dns;mail.contoso.example

Final-recipient: RFC822;joao@contoso.example
Action: failed
Status: 5.1.10
Diagnostic-code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found

--abc-def
Content-Type: message/rfc822

From: <no-reply@pay.example>
Subject: Oi

oi

--abc-def--
"""

EXIM = """Return-path: <>
Envelope-to: {path}
To: somebody@elsewhere.example
From: Mail Delivery System <Mailer-Daemon@exim.example>
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary=1764090000-eximdsn-1
MIME-Version: 1.0

--1764090000-eximdsn-1
Content-type: text/plain; charset=us-ascii

mailbox is full: retry timeout exceeded

--1764090000-eximdsn-1
Content-type: message/delivery-status

Reporting-MTA: dns; exim.example

Action: delayed
Final-Recipient: rfc822;a@exim.example
Status: 4.0.0

Action: failed
Final-Recipient: rfc822;b@exim.example
Status: 5.2.2 (mailbox full)

--1764090000-eximdsn-1--
"""


def test_a_server_says_that_nobody_is_there() -> None:
    bounce = read_bounce(POSTFIX.format(path=PATH, action="failed", status="5.1.1").encode(), PATHS)
    assert bounce == Bounce(DELIVERY, "5.1.1", True)
    assert bounce.is_gone


def test_another_writes_it_in_another_way_with_other_line_ends() -> None:
    bounce = read_bounce(EXCHANGE.format(path=PATH).replace("\n", "\r\n").encode(), PATHS)
    assert bounce == Bounce(DELIVERY, "5.1.10", True)
    assert bounce.is_gone


def test_of_several_recipients_the_one_that_failed_counts_and_a_full_mailbox_is_not_gone() -> None:
    bounce = read_bounce(EXIM.format(path=PATH.upper()).encode(), PATHS)
    assert bounce == Bounce(DELIVERY, "5.2.2", True)
    assert not bounce.is_gone


def test_a_delay_is_not_permanent() -> None:
    bounce = read_bounce(POSTFIX.format(path=PATH, action="delayed", status="4.4.1").encode(), PATHS)
    assert bounce == Bounce(DELIVERY, "4.4.1", False)


@pytest.mark.parametrize(
    "mail",
    [
        POSTFIX.format(path=PATH, action="delivered", status="2.0.0"),
        POSTFIX.format(path="bounces+" + "a" * 55 + "@pay.example", action="failed", status="5.1.1"),
        POSTFIX.format(path=ReturnPaths(b"j" * 32, "pay.example").make(*DELIVERY), action="failed", status="5.1.1"),
        POSTFIX.format(path=PATH, action="failed", status="nonsense"),
        f"From: ana@example.com\nTo: {PATH}\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nback soon",
        f"To: {PATH}\nContent-Type: multipart/report; boundary=x\n\nno part at all",
        f"To: {PATH}\nContent-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n--x--",
        "",
        "\x00\x01\x02",
    ],
)
def test_everything_else_says_nothing(mail: str) -> None:
    assert read_bounce(mail.encode(), PATHS) is None


def test_a_large_one_is_read_by_its_beginning() -> None:
    large = POSTFIX.format(path=PATH, action="failed", status="5.1.1").encode() + b"x" * 3 * SIZE_MAX
    assert read_bounce(large, PATHS) == Bounce(DELIVERY, "5.1.1", True)


def poison() -> bytes:
    levels = (f'Content-Type: multipart/mixed; boundary="{at}"\n\n--{at}\n' for at in range(PARTS_MAX * 50))
    return f"To: {PATH}\n".encode() + "".join(levels).encode()


def test_a_russian_doll_is_refused_at_once() -> None:
    with pytest.raises(BounceRefused):
        read_bounce(poison(), PATHS)


async def test_a_maildir_is_read_once_and_poison_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    bounce = POSTFIX.format(path=PATH, action="failed", status="5.1.1").encode()
    for name, content in {"1.a": poison(), "2.b": bounce, "3.c": b"hello"}.items():
        (tmp_path / "new" / name).write_bytes(content)
    secret = tmp_path / "secret"
    secret.write_bytes(bounce)
    (tmp_path / "new" / "4.d").symlink_to(secret)
    told: list[Bounce] = []

    async def take(one: Bounce) -> None:
        told.append(one)

    with caplog.at_level(logging.DEBUG):
        assert await walk(tmp_path, PATHS, take) == 3
        assert await walk(tmp_path, PATHS, take) == 0
    assert told == [Bounce(DELIVERY, "5.1.1", True)]
    assert sorted(one.name for one in (tmp_path / "cur").iterdir()) == ["2.b:2,S", "3.c:2,S"]
    assert [one.name for one in (tmp_path / "poison").iterdir()] == ["1.a"]
    assert "maria" not in "".join(str(one.__dict__) for one in caplog.records)


async def test_a_bounce_that_could_not_be_told_comes_again(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1").write_bytes(EXCHANGE.format(path=PATH).encode())
    told: list[Bounce] = []

    async def fail(_one: Bounce) -> None:
        raise ConnectionError

    async def take(one: Bounce) -> None:
        told.append(one)

    with pytest.raises(ConnectionError):
        await walk(tmp_path, PATHS, fail)
    assert await walk(tmp_path, PATHS, take) == 1
    assert len(told) == 1
    assert uuid.UUID(told[0].delivery.delivery_id)


async def test_no_maildir_is_no_bounce(tmp_path: Path) -> None:
    async def take(_one: Bounce) -> None:
        raise AssertionError

    assert await walk(tmp_path / "nowhere", PATHS, take) == 0

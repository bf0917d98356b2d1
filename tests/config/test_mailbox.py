"""The mailbox as a process, with mails over a real socket and its page over HTTP."""

import http.client
import json
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from config.launcher import free_pair
from config.mailbox import MAIL_SIZE_MAX, MAILS_KEPT
from tests.config.conftest import STAND_IN, Launched, free_ports, wait_until


class Running(NamedTuple):
    port: int
    log: Path

    def get(self, path: str, host: str | None = None) -> tuple[int, http.client.HTTPMessage, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers={"host": host or f"127.0.0.1:{self.port}"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        status, _, body = self.get(path)
        assert status == 200, path
        return json.loads(body)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    port = free_ports(2)
    log = tmp_path_factory.mktemp("mailbox") / "mailbox.log"
    environment = {**os.environ, "PAYHUB_MAILBOX_LISTEN": f"127.0.0.1:{port}", "PAYHUB_LOG_LEVEL": "debug"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(STAND_IN), "mailbox"], env=environment, stdout=output, stderr=output
        )
    try:
        wait_until(lambda: (listens(port) and listens(port + 1)) or process.poll() is not None, "the mailbox listens")
        yield Running(port, log)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM)


def mail(
    subject: str = "Olá", html: str | None = "<html><head></head><body><b>Oi, Segredo</b></body></html>"
) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Banco <no-reply@bank.example>"
    made["To"] = "segredo@example.com"
    made["Subject"] = subject
    made.set_content("Oi, Segredo\n")
    if html is not None:
        made.add_alternative(html, subtype="html")
    return made


def send(to: Running, *mails: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", to.port + 1, timeout=5) as client:
        for one in mails:
            client.send_message(one, from_addr="bounces+x@bank.example")


def test_what_is_sent_can_be_read_newest_first(mailbox: Running) -> None:
    send(mailbox, mail("Primeiro"), mail("Segundo ✓"))
    newest, older, *_ = mailbox.json("/mails")
    assert (newest["subject"], older["subject"]) == ("Segundo ✓", "Primeiro")
    assert newest["to"] == "segredo@example.com"
    assert mailbox.json(f"/mails?after={older['number']}") == [newest]
    full = mailbox.json(f"/mails/{newest['number']}")
    assert full["text"] == "Oi, Segredo\r\n"
    assert full["envelope"] == {"from": "bounces+x@bank.example", "to": ["segredo@example.com"]}
    assert "Content-Type: multipart/alternative" in full["headers"]
    assert mailbox.get(f"/mails/{newest['number'] + 1000}")[0] == 404


def test_a_mail_is_shown_where_it_can_do_nothing(mailbox: Running) -> None:
    nasty = "<html><head></head><body><script>alert(1)</script><img src=https://tracker.example/x></body></html>"
    send(mailbox, mail("<script>alert(1)</script>", nasty))
    number = mailbox.json("/mails")[0]["number"]
    _, headers, body = mailbox.get(f"/mails/{number}/html")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert re.search(r"sandbox(?! *[^;]*allow-scripts)", policy)
    assert "script-src" not in policy
    assert "https:" not in policy
    assert '<base target="_blank">' in body
    assert headers["cache-control"] == "no-store"


def test_the_page_asks_nobody_else(mailbox: Running) -> None:
    for path in ("/", "/mailbox.css", "/mailbox.js"):
        status, headers, body = mailbox.get(path)
        assert status == 200
        assert "http://" not in body
        assert "https://" not in body
        assert "innerHTML" not in body
        assert "unsafe" not in headers["content-security-policy"]
    assert 'sandbox="allow-popups' in mailbox.get("/")[2]


def test_a_page_from_elsewhere_reads_nothing(mailbox: Running) -> None:
    assert mailbox.get("/mails", host="evil.example")[0] == 400
    assert mailbox.get("/mails", host=f"localhost:{mailbox.port}")[0] == 200


def test_bad_mails_are_kept_and_harm_nobody(mailbox: Running) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox.port + 1, timeout=5) as client:
        for content in (b"\r\n", b"Subject: =?utf-8?b?!!!?=\r\nContent-Type: text/html; charset=nonsense\r\n\r\n\xff\xfe", b"From: \x00<\xed\xa0\x80>\r\n\r\nx"):  # fmt: skip
            client.sendmail("", ["a@b.example"], content)
        with pytest.raises(smtplib.SMTPException):
            client.sendmail("a@b.example", ["a@b.example"], b"x" * (MAIL_SIZE_MAX + 1))
    for one in mailbox.json("/mails")[:3]:
        mailbox.json(f"/mails/{one['number']}")
        assert mailbox.get(f"/mails/{one['number']}/html")[0] == 200


@pytest.mark.parametrize("query", ["x", "-1", "9" * 50, "%00", "²"])
def test_a_bad_question_is_a_question_for_all(mailbox: Running, query: str) -> None:
    assert mailbox.get(f"/mails?after={query.replace('²', '%C2%B2')}")[0] == 200


def test_only_the_last_are_kept(mailbox: Running) -> None:
    send(mailbox, *(mail(f"Nr. {number}", None) for number in range(MAILS_KEPT + 5)))
    kept = mailbox.json("/mails")
    assert len(kept) == MAILS_KEPT
    assert kept[0]["subject"] == f"Nr. {MAILS_KEPT + 4}"
    assert mailbox.json(f"/mails/{kept[0]['number']}")["has_html"] is False


def test_nothing_of_a_mail_is_logged(mailbox: Running) -> None:
    send(mailbox, mail())
    said = mailbox.log.read_text().lower()
    assert "segredo" not in said
    assert "bank.example" not in said


def test_a_taken_port_is_another_one() -> None:
    port = free_ports(2)
    assert free_pair(f"127.0.0.1:{port}") == f"127.0.0.1:{port}"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        assert free_pair(f"127.0.0.1:{port}") != f"127.0.0.1:{port}"


def test_a_run_says_where_its_mailbox_is(launch: Callable[..., Launched]) -> None:
    launched = launch(STAND_IN="mailbox", PAYHUB_MAILBOX_LISTEN=f"127.0.0.1:{free_ports(2)}")
    launched.wait_for("Ctrl-C stops it")
    line = next(one for one in launched.said if "Mailbox" in one)
    found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
    assert found is not None
    running = Running(int(found[1]), Path())
    wait_until(lambda: listens(running.port + 1) and listens(running.port), "the mailbox listens")
    send(running, mail("Oi"))
    assert running.json("/mails")[0]["subject"] == "Oi"
    launched.process.send_signal(signal.SIGINT)
    assert launched.finish() == 0
    assert launched.saw("Stopping mailbox")
    assert not listens(running.port)

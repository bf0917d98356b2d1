"""Mails as bytes, read back by Python's own reader."""

import email
import email.policy
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from workers.mail.message import AddressRefused, Letter, Sender, check_address, write

AT = datetime(2026, 11, 25, 14, 30, tzinfo=timezone(timedelta(hours=-3)))
ID = "0198f0aa-1111-7abc-8def-000000000001"
SENDER = Sender("Café da Praça", "no-reply@pay.example")
LETTER = Letter(ID, "ana@example.com", "Você recebeu um pagamento", "Olá\n\nAté já.\n", "<p>Olá ✓</p>", "pt")


def read(content: bytes) -> email.message.EmailMessage:
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, email.message.EmailMessage)
    assert not found.defects
    return found


def test_it_is_read_as_it_was_meant() -> None:
    content = write(LETTER, SENDER, AT)
    mail = read(content)
    assert mail["from"] == "Café da Praça <no-reply@pay.example>"
    assert mail["to"] == "ana@example.com"
    assert mail["subject"] == "Você recebeu um pagamento"
    assert mail["date"].datetime == AT
    assert mail["message-id"] == f"<{ID}@pay.example>"
    assert mail["content-language"] == "pt-BR"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert (plain.get_content_type(), plain.get_content()) == ("text/plain", "Olá\r\n\r\nAté já.\r\n")
    assert (html.get_content_type(), html.get_content()) == ("text/html", "<p>Olá ✓</p>")
    assert content.isascii()
    assert all(len(line) <= 78 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_only_what_can_be_turned_off_says_how() -> None:
    assert read(write(LETTER, SENDER, AT))["list-unsubscribe"] is None
    news = read(write(LETTER._replace(unsubscribe="https://pay.example/n/abc?x=1"), SENDER, AT))
    assert news["list-unsubscribe"] == "<https://pay.example/n/abc?x=1>"
    assert news["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


def test_the_bytes_are_the_same_at_every_try() -> None:
    assert write(LETTER, SENDER, AT) == write(LETTER, SENDER, AT)


@pytest.mark.parametrize(
    "subject",
    ["Oi\r\nBcc: eve@example.com", "Oi\nBcc: eve@example.com", "Oi\rBcc: eve@example.com", "Oi\x00\x1b[31m", "Oi\x85\u2028Bcc: x",
     "\u202eiO", "Oi\ud800", "", "x" * 5000, "é" * 5000, "💸" * 400, "=?utf-8?b?QmNjOiBldmU=?="],
)  # fmt: skip
def test_no_subject_and_no_name_of_a_house_adds_a_header(subject: str) -> None:
    for letter, sender in (
        (LETTER._replace(subject=subject), SENDER),
        (LETTER, SENDER._replace(name=subject)),
    ):
        content = write(letter, sender, AT)
        mail = read(content)
        assert sorted({name.lower() for name in mail}) == sorted(
            ["from", "to", "subject", "date", "message-id", "content-language", "auto-submitted", "mime-version", "content-type"]
        )  # fmt: skip
        assert len(mail.keys()) == 9
        assert mail["from"].addresses[0].addr_spec == "no-reply@pay.example"
        assert all(len(line) <= 200 for line in content.split(b"\r\n"))
        assert not any(one in "\r\n\x00\x1b\u202e\u2028\ud800" for one in f"{mail['subject']}{mail['from']}")


def test_a_subject_that_looks_encoded_is_shown_as_it_is() -> None:
    assert (
        read(write(LETTER._replace(subject="=?utf-8?b?QmNjOiBldmU=?="), SENDER, AT))["subject"]
        == "=?utf-8?b?QmNjOiBldmU=?="
    )


@pytest.mark.parametrize(
    "link", ["https://x.example/\r\nBcc: a@b.c", "javascript:alert(1)", "https://x.example/>,<mailto:a@b.c"]
)
def test_no_link_to_unsubscribe_adds_a_header(link: str) -> None:
    with pytest.raises(AddressRefused):
        write(LETTER._replace(unsubscribe=link), SENDER, AT)


@pytest.mark.parametrize(
    "address", ["a@b.c\r\nBcc: x@y.z", "a@b.c,x@y.z", "nobody", "a b@c.d", "a@b.c>", "a\u202e@b.c", "a@b\u0000.c"]
)
def test_an_address_that_is_none_is_refused_and_never_told(address: str) -> None:
    for letter, sender in ((LETTER._replace(to=address), SENDER), (LETTER, SENDER._replace(address=address))):
        with pytest.raises(AddressRefused) as refused:
            write(letter, sender, AT)
        assert address not in str(refused.value)


def test_addresses_of_everybody_are_taken() -> None:
    for address in (
        "a@b.c",
        "maria.o'neil+x@sub.example.com.br",
        "joão@exemplo.com.br",
        "x@[127.0.0.1]",
        "a@localhost",
    ):
        assert check_address(address) == address
    assert check_address("ana@açaí.com.br") == "ana@xn--aa-4iaz.com.br"


def test_halves_of_characters_and_dots_in_a_body_are_inert() -> None:
    mail = read(write(LETTER._replace(text="a\ud800b\n.\nQUIT\n", html="\udfff"), SENDER, AT))
    assert next(mail.iter_parts()).get_content() == "a?b\r\n.\r\nQUIT\r\n"


def test_a_delivery_has_an_id() -> None:
    with pytest.raises(ValueError, match="UUID"):
        write(LETTER._replace(delivery_id="x\r\ny"), SENDER, datetime.now(UTC))
    assert uuid.UUID(ID)

"""Every kind of notice as people read it."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from core.notices.facts import Facts
from core.notices.kinds import FAMILIES, Family, NoticeKind
from workers.texts.given import House, Links, MailText, Private
from workers.texts.phrases import _read
from workers.texts.rendering import LANGUAGES, render_mail, render_push

AT = datetime(2026, 11, 25, 17, 30, tzinfo=UTC)
HOUSE = House("Banco da Praça", "BRL", ZoneInfo("America/Sao_Paulo"), "https://pay.example", "ajuda@praca.example")
LINKS = Links(
    "https://pay.example/n/see", "https://pay.example/n/seen", "https://pay.example/n/me", "https://pay.example/n/off"
)
SECRET = Private(
    "Ana Souza", "482913", "iPhone da Ana", "Chrome da Ana", "Chave da Ana", "Título da Ana", "Um.\n\nDois."
)
SUBJECT = str(uuid.uuid4())
ONE = Facts(AT, amount=123_456, subject=SUBJECT, network="201.17.0.0/16", lines=10, refused=2, ends_at=AT + timedelta(days=1), code="insufficient_funds")  # fmt: skip
MANY = Facts(AT, count=3, total=15_000)
BARE = Facts(AT)


class Page(HTMLParser):
    """What is in a mail: its tags, links and words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def mail(
    kind: NoticeKind, language: str, facts: Facts = ONE, private: Private = SECRET, house: House = HOUSE
) -> MailText:
    return render_mail(kind, language, facts, house, private, LINKS)


@pytest.mark.parametrize("facts", [ONE, MANY, BARE], ids=["one", "many", "bare"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("private", [SECRET, Private()], ids=["known", "erased"])
def test_every_kind_is_said_in_both_languages(kind: NoticeKind, language: str, facts: Facts, private: Private) -> None:
    push = render_push(kind, language, facts, HOUSE)
    said = mail(kind, language, facts, private)
    page = Page(said.html)
    words = " ".join(page.words)
    assert not page.open
    assert said.subject == push.title
    assert 5 < len(push.title) <= 60
    assert 5 < len(push.body) <= 80
    for text in (push.title, push.body, said.subject, said.text, words):
        assert "None" not in text
        assert "{" not in text
    # Neither on a locked screen nor in anybody's log.
    for public in (push.title, push.body, said.subject):
        assert not any(one in public for one in ("Ana", "482913", "R$", "1.234", "150", SUBJECT))
    assert said.text.startswith("Banco da Praça\n\n")
    assert "\n\n\n" not in said.text
    assert ("Ana" in said.text) is (private is SECRET)
    assert LINKS.see in page.links
    assert LINKS.see in said.text
    family = FAMILIES[kind]
    assert (LINKS.unsubscribe in page.links) is (family is Family.NEWS)
    assert (LINKS.not_me in page.links) is (family is Family.SECURITY)
    assert (LINKS.seen in page.links) is (family not in (Family.CODE, Family.NEWS))
    assert len(said.html) < 12_000


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", NoticeKind)
def test_a_mail_asks_nobody_for_anything(kind: NoticeKind, language: str) -> None:
    said = mail(kind, language)
    page = Page(said.html)
    assert set(page.tags) <= {"html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "h1", "p", "a", "br", "span"}  # fmt: skip
    assert not [name for name, _ in page.attributes if name in ("src", "srcset", "background") or name.startswith("on")]
    assert set(page.links) <= set(LINKS)
    assert "url(" not in said.html
    assert "@import" not in said.html


@pytest.mark.parametrize("kind", NoticeKind)
def test_both_languages_have_the_same_phrases_with_the_same_needs(kind: NoticeKind) -> None:
    portuguese, english = (_read(language)[kind.name.lower()] for language in LANGUAGES)
    assert portuguese.keys() == english.keys()
    for name, words in portuguese.items():
        mine, theirs = (re.findall(r"{(\w+)}", str(one)) for one in (words, english[name]))
        assert sorted(mine) == sorted(theirs), name


def test_no_phrase_is_nobodys() -> None:
    for language in LANGUAGES:
        kinds = {kind.name.lower() for kind in NoticeKind}
        assert _read(language).keys() == kinds | {"common", "rows", "reasons"}


def test_amounts_and_moments_are_written_as_each_language_does() -> None:
    portuguese, english = (mail(NoticeKind.PAYMENT_RECEIVED, language).text for language in LANGUAGES)
    assert "Você recebeu R$\u00a01.234,56" in portuguese
    assert "Quando: 25 de novembro de 2026, 14:30 (GMT-3)" in portuguese
    assert "You received R$1,234.56" in english
    assert "When: 25 November 2026, 14:30 (GMT-3)" in english
    yen = HOUSE._replace(currency="JPY", time_zone=ZoneInfo("Asia/Tokyo"))
    assert "JPY\u00a0123.456" in mail(NoticeKind.PAYMENT_RECEIVED, "pt", house=yen).text
    assert "26 de novembro de 2026, 02:30 (GMT+9)" in mail(NoticeKind.PAYMENT_RECEIVED, "pt", house=yen).text
    dinar = HOUSE._replace(currency="BHD", time_zone=ZoneInfo("Asia/Kolkata"))
    assert "BHD\u00a0123.456" in mail(NoticeKind.PAYMENT_RECEIVED, "en", house=dinar).text
    assert "23:00 (GMT+5:30)" in mail(NoticeKind.PAYMENT_RECEIVED, "en", house=dinar).text
    assert "17:30 (GMT)" in mail(NoticeKind.PAYMENT_RECEIVED, "en", house=HOUSE._replace(time_zone=UTC)).text


def test_several_are_told_as_one() -> None:
    said = mail(NoticeKind.PAYMENT_RECEIVED, "pt", MANY)
    assert said.subject == "Você recebeu 3 pagamentos"
    assert "3 pagamentos, R$\u00a0150,00 no total." in said.text
    assert "Quantas vezes: 3" in mail(NoticeKind.NEW_DEVICE, "pt", MANY).text


def test_a_reason_is_said_in_words_and_an_unknown_one_is_no_accident() -> None:
    assert "Motivo: Saldo insuficiente" in mail(NoticeKind.PAYMENT_REFUSED, "pt").text
    assert (
        "Reason: It could not be completed" in mail(NoticeKind.PAYMENT_REFUSED, "en", Facts(AT, code="brand_new")).text
    )


NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></tr></table><h1>x",
    "{{ 7 * 7 }}{% for x in y %}",
    "{amount} {house.__class__} {0} {",
    "a\r\nBcc: eve@example.com\r\n\r\nhello",
    "\u202egnp.exe\u2066\u200b",
    "nul\x00 \x1b[31mred",
    "half \ud800 of one",
    "&amp;&#60;b&#62;",
    "x" * 10_000,
    "💸" * 500,
    "",
    " \n ",
]


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.parametrize(
    "kind", [NoticeKind.NEW_DEVICE, NoticeKind.CONTACT_CODE, NoticeKind.NEWS, NoticeKind.PAYMENT_RECEIVED]
)
def test_whatever_somebody_is_called_is_inert(kind: NoticeKind, nasty: str) -> None:
    house = HOUSE._replace(name=nasty, support=nasty)
    said = mail(kind, "pt", Facts(AT, subject=nasty, network=nasty, code=nasty), Private(*[nasty] * 7), house)
    plain = mail(kind, "pt", Facts(AT), Private(*["a"] * 7))
    page = Page(said.html)
    assert not page.open
    assert set(page.tags) <= set(Page(plain.html).tags)
    assert set(page.links) == set(Page(plain.html).links)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    for text in (said.subject, said.text, said.html, *render_push(kind, "pt", ONE, house)):
        text.encode()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200b]", text)
    assert "\n" not in said.subject
    assert ("7 * 7" in said.text) is ("7 * 7" in nasty)
    assert not re.search(r"^Bcc:", said.text, re.MULTILINE) or kind is NoticeKind.NEWS
    assert len(said.html) < 40_000


def test_what_mails_share_holds_nothing_of_anybody() -> None:
    ana, eve = (
        render_mail(
            NoticeKind.NEW_DEVICE,
            "pt",
            Facts(AT, subject=f"{name}-subject", network=f"{name}-network"),
            HOUSE._replace(name=f"{name}-house"),
            Private(*[f"{name}-100%s-%(name)s"] * 5),
            Links(*[f"https://{name}.example/"] * 3),
        )
        for name in ("ana", "eve")
    )
    for one, other in zip(ana, eve, strict=True):
        assert "eve" not in one
        assert one.replace("ana", "eve") == other
    assert "eve-100%s-%(name)s" in eve.text


def test_what_is_sealed_is_never_shown_by_accident() -> None:
    assert "Ana" not in repr(SECRET)

"""Makes the words of a notice: for a phone's screen, and for a mail. Pure.

A push says nothing personal and no amount: anybody may see the screen. A subject neither: it is in everybody's logs.
"""

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from markupsafe import escape

from core.notices.facts import Facts
from core.notices.kinds import FAMILIES, Family, NoticeKind
from core.payments.money import money
from workers.inert import inert
from workers.texts.given import House, Links, MailText, Private, PushText
from workers.texts.moments import moment
from workers.texts.phrases import LAYOUTS, Common, common, notice

LANGUAGES: Final = ("pt", "en")
# What somebody chose to be called, or calls a thing: more would push the rest of the mail away.
NAME_MAX: Final = 80
NEWS_MAX: Final = 4_000
# A few kilobytes each. Kinds in two languages, for one and for many, and what is known of them differs little.
FORMS_MAX: Final = 512
_HTML: Final = LAYOUTS.get_template("layout.html")
_TEXT: Final = LAYOUTS.get_template("layout.txt")
# The colour of each family: in light, in dark.
_COLOURS: Final = {
    Family.MONEY: ("#0b6b4f", "#4fd1a5"),
    Family.SECURITY: ("#8a4b08", "#f2b366"),
    Family.CODE: ("#3b3f9e", "#a9adff"),
    Family.SERVICE: ("#1b5a94", "#84c1f5"),
    Family.NEWS: ("#6b2f85", "#dba6f2"),
}
# Which facts are rows, in their order; one without a value is left out.
_DEALINGS: Final = ["count", "at", "ends_at", "reason", "lines", "refused", "network", "subject"]
_ROWS: Final = {
    Family.MONEY: _DEALINGS,
    Family.SERVICE: _DEALINGS,
    Family.SECURITY: ["count", "at", "ends_at", "device", "session", "passkey", "network", "subject"],
    Family.CODE: ["ends_at"],
    Family.NEWS: [],
}
_NEWS: Final = ("news_title", "news_body")
_COUNTED: Final = ("amount", "total", "count", "lines", "refused")
_SAID: Final = ("house", "support", "at", "ends_at", "subject", "network", "reason")
_NAMES: Final = (*_COUNTED, *_SAID, *Private._fields, *Links._fields)
_GAP: Final = re.compile(r"\0([a-z_]+)\0")
# Of whom nobody is reminded.
_TOLD_ONCE: Final = (Family.CODE, Family.NEWS)


def render_push(kind: NoticeKind, language: str, facts: Facts, house: House) -> PushText:
    """The words for a phone."""
    said = notice(kind, language, is_many=facts.count > 1)
    given = {"count": facts.count, "house": inert(house.name, NAME_MAX)}
    return PushText(said.title.say(given) or "", said.push.say(given) or "")


def render_mail(
    kind: NoticeKind, language: str, facts: Facts, house: House, private: Private, links: Links
) -> MailText:
    """The words of a mail."""
    given = _given(language, facts, house, private, common(language)) | _allowed(FAMILIES[kind], links)
    # News say the same to everybody, and have as many paragraphs as they have.
    news = {name: given[name] for name in _NEWS if given[name] is not None}
    known = frozenset(name for name in given if given[name] is not None).difference(news)
    form = _form(kind, language, facts.count > 1, known, tuple(news.items()))
    words = {name: str(given[name]) for name in known}
    return MailText(
        form.subject % words, form.text % words, form.html % {name: escape(one) for name, one in words.items()}
    )


class _Form(NamedTuple):
    """A mail with gaps for what differs from person to person, to be filled by `%`. In `html`, with what is escaped."""

    subject: str
    text: str
    html: str


@lru_cache(maxsize=FORMS_MAX)
def _form(
    kind: NoticeKind, language: str, is_many: bool, known: frozenset[str], news: tuple[tuple[str, str], ...]
) -> _Form:
    """What all mails share of whose facts the same are known: made once, since to fill it takes a tenth as long.

    Nothing of a person is in it, and nothing of a tenant but its news.
    """
    # No words hold a NUL: inert takes it out.
    given: dict[str, Any] = dict.fromkeys(_NAMES) | {name: f"\0{name}\0" for name in known} | dict(news)
    said, shared = notice(kind, language, is_many=is_many), common(language)
    family = FAMILIES[kind]
    title = said.title.say(given) or ""
    page = {
        "language": "pt-BR" if language == "pt" else "en",
        "house": given["house"],
        "title": title,
        "headline": said.headline.say(given) or title,
        "lead": _lead([one.say(given) for one in said.lead]),
        "code": given["code"] if family is Family.CODE else None,
        "rows": _rows(family, given, shared, is_counted=not is_many or "count" in said.title.needs),
        "action": said.action.say(given),
        "links": {name: given[name] for name in Links._fields},
        "colour": _COLOURS[family],
        "say": {name: phrase.say(given) for name, phrase in shared.phrases.items()},
        "why": shared.phrases["why_news" if family is Family.NEWS else "why"].say(given),
    }
    return _Form(
        *(_GAP.sub(r"%(\1)s", one.replace("%", "%%")) for one in (title, _TEXT.render(page), _HTML.render(page)))
    )


def _allowed(family: Family, links: Links) -> dict[str, str | None]:
    """The links that mails of this family have."""
    return {
        "see": links.see,
        "seen": None if family in _TOLD_ONCE else links.seen,
        "not_me": links.not_me if family is Family.SECURITY else None,
        "unsubscribe": links.unsubscribe if family is Family.NEWS else None,
    }


def _given(language: str, facts: Facts, house: House, private: Private, shared: Common) -> dict[str, Any]:
    """All that phrases may ask for. What comes from people is harmless words here already."""
    return {
        "house": inert(house.name, NAME_MAX),
        "support": inert(house.support, 2 * NAME_MAX) or None,
        "amount": None if facts.amount is None else money(facts.amount, house.currency, language),
        "total": None if facts.total is None else money(facts.total, house.currency, language),
        "count": facts.count,
        "at": moment(facts.at, house.time_zone, language),
        "ends_at": None if facts.ends_at is None else moment(facts.ends_at, house.time_zone, language),
        "subject": _words(facts.subject),
        "network": _words(facts.network),
        "lines": facts.lines,
        "refused": facts.refused,
        "reason": None if facts.code is None else shared.reasons.get(facts.code, shared.reasons["other"]),
        "name": _words(private.name),
        "code": _words(private.code),
        "device": _words(private.device),
        "session": _words(private.session),
        "passkey": _words(private.passkey),
        "news_title": _words(private.news_title),
        "news_body": None if private.news_body is None else _paragraphs(private.news_body[:NEWS_MAX]),
    }


def _paragraphs(text: str) -> str | None:
    """Each on one line, with an empty one between."""
    pieces = (inert(piece, NEWS_MAX) for piece in text.replace("\r\n", "\n").split("\n\n"))
    return "\n\n".join(filter(None, pieces)) or None


def _words(text: str | None) -> str | None:
    return None if text is None else inert(text, NAME_MAX) or None


def _lead(said: list[str | None]) -> list[str]:
    """Paragraphs, each on one line."""
    return [piece for one in said if one is not None for piece in one.split("\n\n") if piece]


def _rows(family: Family, given: dict[str, Any], shared: Common, *, is_counted: bool) -> list[tuple[str, str]]:
    """Facts as a table. How many is in it only where the title does not say it."""
    hidden = {"count"} if is_counted else set()
    names = [name for name in _ROWS[family] if name not in hidden and given[name] is not None]
    return [(shared.rows[name], str(given[name])) for name in names]

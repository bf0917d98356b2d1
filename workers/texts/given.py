"""What a text is made of beside its facts, and what comes out. Pure."""

from datetime import tzinfo
from typing import NamedTuple


class House(NamedTuple):
    """The tenant, as people know it. `currency`: ISO 4217. `support`: how to reach them, one line, or ""."""

    name: str
    currency: str
    time_zone: tzinfo
    public_url: str
    support: str = ""


class Private(NamedTuple):
    """What was sealed: for the recipient's eyes, in a mail and never in a push. None: not known, or erased."""

    name: str | None = None
    code: str | None = None
    device: str | None = None
    session: str | None = None
    passkey: str | None = None
    news_title: str | None = None
    # Paragraphs, with empty lines between.
    news_body: str | None = None

    def __repr__(self) -> str:
        return "Private()"


class Links(NamedTuple):
    """Where a reader goes. `seen`: says that it was read. `not_me`: of what may be somebody else's doing.

    `unsubscribe`: of news, and nothing else.
    """

    see: str
    seen: str | None = None
    not_me: str | None = None
    unsubscribe: str | None = None


class PushText(NamedTuple):
    """For a locked screen that anybody may see: no name, no amount."""

    title: str
    body: str


class MailText(NamedTuple):
    """A mail's words. `text` and `html` say the same."""

    subject: str
    text: str
    html: str

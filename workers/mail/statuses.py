"""What a mail server's refusal means: its code and enhanced status (RFC 5321, RFC 3463) as an outcome. Pure.

The words of a refusal are never kept: they hold addresses, and each server has its own.
"""

import re
from typing import Final, NamedTuple

from workers.outcome import Delivered, Gone, Later, Outcome, Refused

# Where they say that nobody has this address, or nobody any more. A bare 550 is no such word: many servers say it of
# mail that they merely dislike, and then the address would be lost for their mood.
GONE: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
# They want us to log in first, or to speak TLS: what an operator mends, and nothing about this mail.
UNWELCOME: Final = frozenset({530, 534, 535, 538})
CLOSING: Final = 421
_STATUS: Final = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?= |$)")
_QUEUED: Final = re.compile(rb"(?:queued as|id=) ?([0-9A-Za-z._-]{1,64})")


class Reply(NamedTuple):
    """One answer of a server. `text` is its last line without the code."""

    code: int
    text: bytes = b""

    @property
    def status(self) -> str | None:
        """The enhanced status, where they give one."""
        found = _STATUS.match(self.text)
        return found[0].decode() if found else None

    @property
    def word(self) -> str:
        """The refusal as a short stable code."""
        return f"smtp_{self.status or self.code}"


def of_sender(reply: Reply) -> Later:
    """MAIL FROM was refused: they do not want us now, whoever it is for."""
    return Later(reply.word, is_theirs=True)


def of_recipient(reply: Reply) -> Outcome:
    """RCPT TO was refused."""
    if reply.code == CLOSING or reply.code in UNWELCOME:
        return Later(reply.word, is_theirs=True)
    if reply.code < 500:
        return Later(reply.word)
    return Gone(reply.word) if reply.status in GONE else Refused(reply.word)


def of_content(reply: Reply) -> Outcome:
    """The answer to DATA or to the mail itself, when it is the last word."""
    if 200 <= reply.code < 300:
        queued = _QUEUED.search(reply.text)
        return Delivered(queued[1].decode() if queued else None)
    if reply.code == CLOSING:
        return Later(reply.word, is_theirs=True)
    return Later(reply.word) if reply.code < 500 else Refused(reply.word)

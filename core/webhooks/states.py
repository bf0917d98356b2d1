"""The words of webhooks: how one stands, and what came of an attempt. Pure."""

from enum import IntEnum, StrEnum
from typing import Final


class State(IntEnum):
    """Whether anything is brought there, and if not, why. Stored in webhooks.state."""

    ACTIVE = 0
    STOPPED = 1  # by its merchant, or an operator
    FAILING = 2  # the schedule was over, and nobody had taken anything
    GONE = 3  # it said so itself: 410
    REFUSING = 4  # it answers, and takes nothing of what it is brought
    ENDED = 5  # its merchant is none any more


class Code(StrEnum):
    """What came of an attempt. Stored in webhook_attempts.code; never renamed."""

    TAKEN = "taken"  # 2xx
    REFUSED = "refused"  # a 4xx that is about this event
    GONE = "gone"  # 410
    BUSY = "busy"  # 429, 503
    ERROR = "error"  # any other 5xx, and answers that are none
    REDIRECT = "redirect"  # 3xx is never followed
    NOT_THERE = "not_there"  # 401, 403, 404, 405, 407: whatever is brought would be answered so
    TIMEOUT = "timeout"
    CONNECTION_FAILED = "connection_failed"
    NO_ADDRESS = "no_address"
    ADDRESS_REFUSED = "address_refused"  # its name leads where nobody may be sent
    UNREADABLE = "unreadable"  # nobody can read any more where it is


# A wrong path, a token that ran out: the fault of how the place is set up, and of no event.
NOT_THERE: Final = frozenset({401, 403, 404, 405, 407})
BUSY: Final = frozenset({429, 503})


def code_of(status: int) -> Code:
    """What an answer means."""
    if 200 <= status < 300:
        return Code.TAKEN
    if 300 <= status < 400:
        return Code.REDIRECT
    if status == 410:
        return Code.GONE
    if status in BUSY:
        return Code.BUSY
    if status in NOT_THERE:
        return Code.NOT_THERE
    return Code.REFUSED if 400 <= status < 500 else Code.ERROR

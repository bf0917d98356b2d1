"""How a notice climbs: what each kind's roads are, and how long each has before the next. Pure.

A socket that is there acknowledges within a second or two. Whoever has heard nothing of their money ten seconds later
is told by phone, and five minutes after that by mail; a warning is in more of a hurry. Tenants may say otherwise for
themselves (`ladders`).
"""

from enum import IntEnum
from typing import Final, NamedTuple

from core.notices.kinds import FAMILIES, Family, NoticeKind


class Rung(IntEnum):
    """What a notice does next. Stored in notices.rung."""

    PUSH = 1
    MAIL = 2
    TOP = 3  # it has been told on every road there is


class Ladder(NamedTuple):
    """The socket has so many seconds alone, and then the phone, before the mail."""

    socket_s: int
    push_s: int
    has_push: bool = True
    has_mail: bool = True


# No shorter: an acknowledgement takes its time, and so does writing it down.
SOCKET_S_MIN: Final = 2
SOCKET_S_MAX: Final = 86_400
PUSH_S_MAX: Final = 7 * 86_400

OF_FAMILY: Final[dict[Family, Ladder]] = {
    Family.MONEY: Ladder(10, 300),
    Family.SECURITY: Ladder(5, 60),
    # Asked for this minute, and for the contact alone.
    Family.CODE: Ladder(0, 0, has_push=False),
    Family.SERVICE: Ladder(60, 3_600),
    Family.NEWS: Ladder(60, 86_400),
}
LADDERS: Final[dict[NoticeKind, Ladder]] = {
    **{kind: OF_FAMILY[family] for kind, family in FAMILIES.items()},
    # To the contact that it is about, whoever holds the phone now.
    NoticeKind.CONTACT_CHANGED: Ladder(0, 0, has_push=False),
    NoticeKind.CLAIMED: Ladder(0, 0, has_push=False),
}
# What keeps quiet hours, and can be turned off.
CAN_WAIT: Final = frozenset(kind for kind, family in FAMILIES.items() if family in {Family.SERVICE, Family.NEWS})


def first_rung(kind: NoticeKind) -> Rung:
    """Where a kind of notice begins to climb when the socket's time is over."""
    return Rung.PUSH if LADDERS[kind].has_push else Rung.MAIL

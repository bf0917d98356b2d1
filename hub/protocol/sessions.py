"""Where a person is logged in: sessions listed, named and ended."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.fields import FREE, PLAIN_TEXT_PATTERN, UUID_PATTERN, Command, Message, Name

# A sentence that whoever reads the audit trail years later understands.
REASON_LENGTH_MAX = 200

SessionId: TypeAlias = Annotated[
    str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A log-in session's id.")
]
PersonId: TypeAlias = Annotated[
    str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A person's id.")
]
Reason: TypeAlias = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=REASON_LENGTH_MAX,
        pattern=PLAIN_TEXT_PATTERN,
        extra=FREE,
        description="Why, for the audit trail, which outlives the person: a case's number, never a name.",
    ),
]
DoorName: TypeAlias = Literal["web", "native", "installation"]


class ReadSessions(Command, frozen=True, tag="sessions", gc=False):
    """Where you are logged in. Operators: where a person is; that you looked is written down."""

    person: PersonId | UnsetType = UNSET


class NameSession(Command, frozen=True, tag="name_session", gc=False):
    """Give one of your sessions a name that you know it by."""

    session: SessionId
    name: Name


class EndSession(Command, frozen=True, tag="end_session", gc=False):
    """End a session of yours; its sockets are closed on every hub. Operators: anybody's, with a reason."""

    session: SessionId
    reason: Reason | UnsetType = UNSET


class EndSessions(Command, frozen=True, tag="end_sessions", gc=False):
    """End all your sessions but this one. Operators: all of a person, with a reason."""

    person: PersonId | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET


class SessionState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A live session. `proofs`: how its person proved who they are (RFC 8176). `current`: the one that asks.

    `door`: web (a page), native (a program), installation (opened on its command line). `network`: where from, cut to
    what names no single person. `last_seen_at` is right to about a minute. `device`: the same for all log-ins from it.
    """

    session: str
    made_at: str
    last_seen_at: str
    door: DoorName
    proofs: list[str]
    name: str | UnsetType = UNSET
    network: str | UnsetType = UNSET
    device: str | UnsetType = UNSET
    current: bool | UnsetType = UNSET


class SessionsAnswer(Message, frozen=True, tag="session_states", gc=False):
    """Live sessions, the one heard of last first; 200 at most."""

    id: int
    sessions: list[SessionState]


class SessionNamed(Message, frozen=True, tag="session_named", gc=False):
    """The session's name from now on."""

    id: int
    session: str
    name: str


class SessionsEnded(Message, frozen=True, tag="sessions_ended", gc=False):
    """These sessions are over: their tokens open nothing any more."""

    id: int
    sessions: list[str]


FROM_CLIENT: Final[tuple[type[Message], ...]] = (ReadSessions, NameSession, EndSession, EndSessions)
FROM_HUB: Final[tuple[type[Message], ...]] = (SessionsAnswer, SessionNamed, SessionsEnded)

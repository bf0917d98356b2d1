"""What a connection may do now: a state machine over messages. Pure: no asyncio, no I/O, no clock.

    NEW ──authenticate──► CHECKING ──begin──► LIVE ──renew──► LIVE
     │                       │                 │
     └────────── end ◄───────┴─────────────────┘

It holds who speaks, which accounts are theirs, what they follow and how much is in flight. Time is told to it.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from core.audit.trail import By
from core.people.persons import STAFF, PersonStatus, Role
from core.people.proofs import has_factor
from core.people.standing import ACTIVE, Standing
from hub.auth import Principal
from hub.doors import Door
from hub.protocol.codes import CloseCode, ErrorCode
from hub.protocol.factors import (
    AskStepUp,
    ConfirmPasskey,
    ConfirmTotp,
    EnrolPasskey,
    EnrolTotp,
    ReadFactors,
    StepUp,
)
from hub.protocol.fields import FOLLOWED_MAX, Message
from hub.protocol.messages import Authenticate, Ping, ReadProfile, Renew
from hub.protocol.terminals import AskChallenge

# A first message within this, or the socket is somebody's parking place.
AUTHENTICATION_TIMEOUT_S = 5.0
# Unanswered commands of one connection; above it the hub stops reading until answers leave.
IN_FLIGHT_MAX = 256
# Who sees all of the tenant's money; the one of them acts on it.
OVERSEERS = frozenset({Role.OPERATOR, Role.AUDITOR})
# What somebody may do who still has to enrol a second factor, or to prove it.
WHILE_HELD: Final[frozenset[type]] = frozenset(
    {
        ReadProfile,
        Ping,
        Renew,
        ReadFactors,
        EnrolTotp,
        ConfirmTotp,
        EnrolPasskey,
        ConfirmPasskey,
        AskStepUp,
        StepUp,
    }
)
# Refused messages in a row before the hub takes the client for broken.
BAD_MESSAGES_MAX = 10
# What is said before anybody is known, and not again.
BEFORE_A_SESSION = frozenset({Authenticate, AskChallenge})


class State(Enum):
    """Where a session stands."""

    NEW = "new"
    CHECKING = "checking"
    LIVE = "live"
    ENDED = "ended"


class Session:
    """One connection's standing. `door` is where it came in; None, over HTTP: any token will do."""

    __slots__ = (
        "_bad_messages",
        "accounts",
        "began_at",
        "bell",
        "challenge",
        "door",
        "followed",
        "host",
        "in_flight",
        "is_held",
        "network",
        "only",
        "principal",
        "standing",
        "started_at",
        "state",
        "watching",
    )

    def __init__(
        self, now: float, door: Door | None = None, network: str | None = None, host: str | None = None
    ) -> None:
        self.door = door
        # Where from, to the address: looked at, never written down.
        self.host = host
        # Where from, for the audit trail.
        self.network = network
        self.state = State.NEW
        self.started_at = now
        self.principal: Principal | None = None
        self.accounts: frozenset[int] = frozenset()
        # How the speaker stands with the tenant, as far as this hub knows.
        self.standing: Standing = ACTIVE
        # The one account that a till may use, of all that are its merchant's.
        self.only: int | None = None
        self.followed: set[int] = set()
        # What is told besides events: "alerts", "bulk:<id>".
        self.watching: set[str] = set()
        # Since when the speaker's device is known, seconds since the epoch: rules look at how new it is.
        self.began_at: int | None = None
        # The number of the last of the speaker's notices that was told here.
        self.bell = 0
        # Whether the speaker may do no more than enrol a second factor and prove it.
        self.is_held = False
        # What a till was given to sign on this connection.
        self.challenge: str | None = None
        self.in_flight = 0
        self._bad_messages = 0

    def check(self, message: Message) -> ErrorCode | None:
        """Whether this kind of message may come now. A first token puts the session into CHECKING."""
        if self.state is State.LIVE:
            if type(message) in BEFORE_A_SESSION:
                return ErrorCode.ALREADY_AUTHENTICATED
            self._bad_messages = 0
            return self.withholds(type(message)) if self.is_held else None
        if type(message) is Authenticate:
            if self.state is State.NEW:
                self.state = State.CHECKING
                return None
            return ErrorCode.ALREADY_AUTHENTICATED
        if type(message) is AskChallenge and self.state is State.NEW:
            return None
        return ErrorCode.AUTHENTICATION_REQUIRED

    def withholds(self, command: type) -> ErrorCode | None:
        """Why this kind of command is not for this speaker yet, if it is not."""
        return ErrorCode.SECOND_FACTOR_REQUIRED if self.is_held and command not in WHILE_HELD else None

    def welcomes(self, principal: Principal) -> bool:
        """Whether the token was made for the door that this session came in by."""
        return self.door is None or principal.door == self.door

    def begin(
        self, principal: Principal, accounts: Iterable[int], began_at: int | None = None, *, needs_factor: bool = False
    ) -> None:
        """The token was good: this person, these accounts. `needs_factor`: without one, it is not enough."""
        self.state = State.LIVE
        self.is_held = needs_factor and not has_factor(principal.proofs)
        self.principal = principal
        self.keep_accounts(accounts)
        self.began_at = began_at

    def keep_accounts(self, accounts: Iterable[int]) -> None:
        """These are the person's accounts now; a till may use its own of them, and no other."""
        self.accounts = frozenset(accounts if self.only is None else {self.only}.intersection(accounts))

    def renew(self, principal: Principal, *, needs_factor: bool = False) -> bool:
        """Take a newer token of the same session. False: it is somebody else's or another session's."""
        current = self.speaker
        # A new role is a new session: what was granted to the old one is not asked about again. A new proof of who
        # speaks is what a step-up gives.
        same = principal._replace(expires_at=current.expires_at, proved_at=current.proved_at, proofs=current.proofs)
        if same != current:
            return False
        self.principal = principal
        self.is_held = needs_factor and not has_factor(principal.proofs)
        return True

    def end(self) -> None:
        """Nothing is allowed any more."""
        self.state = State.ENDED

    @property
    def speaker(self) -> Principal:
        """Who speaks. Only of a session that has begun."""
        assert self.principal is not None, "the session has not begun"
        return self.principal

    @property
    def by(self) -> By:
        """Who acts, and from where, for the audit trail."""
        principal = self.principal
        if principal is None:
            return By(network=self.network)
        return By(principal.actor or principal.person_id, principal.session_id, self.network)

    @property
    def asker(self) -> str:
        """Who really asks: from a seat, whoever sits there; a machine's merchant. Only of a session that has begun."""
        principal = self.speaker
        return principal.actor or principal.person_id

    @property
    def is_machine(self) -> bool:
        """Whether no person speaks, but a key or a till."""
        principal = self.principal
        return principal is not None and principal.scopes is not None and principal.actor is None

    @property
    def role(self) -> Role | None:
        """What the speaker is here. Whoever of the staff is not active is nobody but themselves. None: nobody yet."""
        if self.principal is None:
            return None
        role = self.principal.role
        return Role.CUSTOMER if role in STAFF and self.standing.status is not PersonStatus.ACTIVE else role

    @property
    def scopes(self) -> frozenset[str] | None:
        """What a machine that speaks may do, or who sits in a seat; None: a person speaks for themselves."""
        return None if self.principal is None else self.principal.scopes

    @property
    def is_operator(self) -> bool:
        """Whether the speaker may act on any of the tenant's accounts."""
        return self.role is Role.OPERATOR

    @property
    def oversees(self) -> bool:
        """Whether the speaker may see all of the tenant's money."""
        return self.role in OVERSEERS

    def may_use(self, account: int) -> bool:
        """Whether the speaker may pay from this account, and change what is about it."""
        return account in self.accounts or self.is_operator

    def may_see(self, account: int) -> bool:
        """Whether the speaker may read or follow this account."""
        return account in self.accounts or self.oversees

    def has_asked(self, asked_by: str) -> bool:
        """Whether the speaker is who asked for something. A till is not: it sees its own account and no other."""
        return self.only is None and asked_by == self.asker

    def may_follow(self, *accounts: int) -> bool:
        """Whether all of these may be followed beside those that are."""
        return len(self.followed.union(accounts)) <= FOLLOWED_MAX

    def must_close(self, now_s: float) -> CloseCode | None:
        """Why the session has to end by `now_s` (seconds since the epoch), if it has to."""
        if self.state in {State.NEW, State.CHECKING} and now_s - self.started_at >= AUTHENTICATION_TIMEOUT_S:
            return CloseCode.AUTHENTICATION_TIMEOUT
        if self.state is State.LIVE and self.speaker.expires_at <= now_s:
            return CloseCode.TOKEN_EXPIRED
        return None

    def next_deadline(self) -> float:
        """When `must_close` has to be asked again, in seconds since the epoch."""
        if self.state is State.LIVE:
            return float(self.speaker.expires_at)
        return self.started_at + AUTHENTICATION_TIMEOUT_S

    def count_bad_message(self) -> bool:
        """Note a refused message. True: one too many in a row."""
        self._bad_messages += 1
        return self._bad_messages >= BAD_MESSAGES_MAX

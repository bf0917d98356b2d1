"""The session's states, walked at random: no loop, no clock, no sleep."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.people.persons import Role
from hub.auth import Principal
from hub.doors import Door
from hub.protocol.catalogue import FROM_CLIENT
from hub.protocol.codes import CloseCode, ErrorCode
from hub.protocol.fields import FOLLOWED_MAX, Message
from hub.protocol.messages import Authenticate
from hub.protocol.terminals import AskChallenge
from hub.session import AUTHENTICATION_TIMEOUT_S, BAD_MESSAGES_MAX, Session, State
from tests.hub.protocol.examples import from_client

OTHERS = [message for message in from_client() if not isinstance(message, Authenticate | AskChallenge)]
PRINCIPAL = Principal(7, "person", Role.CUSTOMER, "session", 2_000, Door.NATIVE)


class SessionMachine(RuleBasedStateMachine):
    """Every message in every state, as time goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.session = Session(self.now)
        self.bad = 0

    @rule(seconds=st.floats(0, 3))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_token_comes(self) -> None:
        was = self.session.state
        refusal = self.session.check(Authenticate("x"))
        if was is State.NEW:
            assert (refusal, self.session.state) == (None, State.CHECKING)
        else:
            assert refusal is ErrorCode.ALREADY_AUTHENTICATED
            assert self.session.state is was

    @rule()
    def a_challenge_is_asked_for(self) -> None:
        was = self.session.state
        expected = {State.NEW: None, State.LIVE: ErrorCode.ALREADY_AUTHENTICATED}
        refusal = self.session.check(AskChallenge(1))
        assert refusal is expected.get(was, ErrorCode.AUTHENTICATION_REQUIRED)
        assert self.session.state is was

    @rule(message=st.sampled_from(OTHERS))
    def a_command_comes(self, message: Message) -> None:
        refusal = self.session.check(message)
        assert refusal is (None if self.session.state is State.LIVE else ErrorCode.AUTHENTICATION_REQUIRED)
        if refusal is None:
            self.bad = 0

    @rule()
    def nonsense_comes(self) -> None:
        self.bad += 1
        assert self.session.count_bad_message() == (self.bad >= BAD_MESSAGES_MAX)

    @precondition(lambda self: self.session.state is State.CHECKING)
    @rule(accounts=st.sets(st.integers(1, 5)), role=st.sampled_from(Role), seconds=st.integers(0, 60))
    def the_token_is_good(self, accounts: set[int], role: Role, seconds: int) -> None:
        self.session.begin(PRINCIPAL._replace(role=role, expires_at=int(self.now) + seconds), accounts)

    @precondition(lambda self: self.session.state is State.LIVE)
    @rule(
        change=st.sampled_from([{}, {"tenant_id": 8}, {"person_id": "other"}, {"session_id": "other"}]),
        seconds=st.integers(0, 60),
    )
    def a_newer_token_comes(self, change: dict[str, object], seconds: int) -> None:
        before = self.session.speaker
        newer = before._replace(expires_at=int(self.now) + seconds, **change)  # type: ignore[arg-type]
        assert self.session.renew(newer) == (not change)
        assert self.session.speaker == (before if change else newer)

    @rule()
    def it_ends(self) -> None:
        self.session.end()

    @invariant()
    def it_closes_in_time_and_for_the_right_reason(self) -> None:
        code = self.session.must_close(self.now)
        if self.session.state in {State.NEW, State.CHECKING}:
            late = self.now >= 1_000.0 + AUTHENTICATION_TIMEOUT_S
            assert code is (CloseCode.AUTHENTICATION_TIMEOUT if late else None)
        elif self.session.state is State.LIVE:
            over = self.now >= self.session.speaker.expires_at
            assert code is (CloseCode.TOKEN_EXPIRED if over else None)
        else:
            assert code is None
        if code is None and self.session.state is not State.ENDED:
            assert self.session.next_deadline() > self.now
            assert self.session.must_close(self.session.next_deadline()) is not None

    @invariant()
    def nobody_uses_what_is_not_theirs(self) -> None:
        for account in range(1, 7):
            allowed = account in self.session.accounts or self.session.is_operator
            assert self.session.may_use(account) == allowed
        if self.session.principal is None:
            assert not any(self.session.may_use(account) for account in range(7))


TestSession = SessionMachine.TestCase
TestSession.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_there_is_a_limit_to_what_is_followed() -> None:
    session = Session(0.0)
    assert session.may_follow(*range(FOLLOWED_MAX))
    assert not session.may_follow(*range(FOLLOWED_MAX + 1))
    session.followed.update(range(FOLLOWED_MAX))
    assert session.may_follow(0, 1)
    assert not session.may_follow(0, FOLLOWED_MAX)


def test_every_message_was_tried() -> None:
    assert {type(message) for message in OTHERS} | {Authenticate, AskChallenge} == set(FROM_CLIENT)

"""Tills: paired by a code, named, allowed to refund or not, revoked; and how they show their key on a socket."""

from typing import Annotated, Final, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.api_keys import MerchantId
from hub.protocol.fields import UUID_PATTERN, AccountId, Command, Message, Name

TerminalId: TypeAlias = Annotated[str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36)]


class AskChallenge(Command, frozen=True, tag="challenge", gc=False):
    """Tills, before they authenticate: something to sign. It is for this connection alone."""


class CreatePairingCode(Command, frozen=True, tag="create_pairing_code", gc=False):
    """Merchants: make a code that takes one till in, within ten minutes. It is never shown again.

    The till will make and watch charges for `account`; with `may_refund` it may give back what that was paid.
    """

    account: AccountId
    name: Name
    may_refund: bool | UnsetType = UNSET
    person: MerchantId | UnsetType = UNSET


class ReadTerminals(Command, frozen=True, tag="terminals", gc=False):
    """A merchant's tills: those that live first, each group newest first."""

    person: MerchantId | UnsetType = UNSET


class ChangeTerminal(Command, frozen=True, tag="change_terminal", gc=False):
    """Name a till anew, or change whether it may refund. With another right it has to log in again."""

    terminal: TerminalId
    name: Name | UnsetType = UNSET
    may_refund: bool | UnsetType = UNSET


class RevokeTerminal(Command, frozen=True, tag="revoke_terminal", gc=False):
    """End a till for good. Its sockets are closed."""

    terminal: TerminalId


class TerminalState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A till as it stands. `algorithm` is its key's; the key itself never leaves it.

    `name` is left out while personal data cannot be read.
    """

    terminal: str
    person: str
    account: int
    may_refund: bool
    algorithm: str
    paired_at: str
    name: str | UnsetType = UNSET
    revoked_at: str | UnsetType = UNSET
    last_used_on: str | UnsetType = UNSET
    last_used_network: str | UnsetType = UNSET


class Challenge(Message, frozen=True, tag="challenge_state", gc=False):
    """Sign this with the token's hash, the door and the tenant: the `proof` of `authenticate`. `at`: our clock."""

    id: int
    nonce: str
    at: str


class PairingCodeMade(Message, frozen=True, tag="pairing_code_made", gc=False):
    """A code to be typed into a till. Small letters, spaces and dashes do not matter."""

    id: int
    code: str
    account: int
    expires_at: str

    def __repr__(self) -> str:
        return f"PairingCodeMade(id={self.id}, code=…, account={self.account})"


class TerminalAnswer(Message, frozen=True, tag="terminal_state", gc=False):
    """One till."""

    id: int
    terminal: TerminalState


class TerminalsAnswer(Message, frozen=True, tag="terminal_states", gc=False):
    """A merchant's tills."""

    id: int
    terminals: list[TerminalState]


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    AskChallenge,
    CreatePairingCode,
    ReadTerminals,
    ChangeTerminal,
    RevokeTerminal,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (Challenge, PairingCodeMade, TerminalAnswer, TerminalsAnswer)

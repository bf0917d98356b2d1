"""What a machine may do, or who sits in a seat: a command is carried out if their scopes allow it, and nothing else."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from msgspec import UNSET

from hub.commands.refusal import CommandRefused
from hub.commands.table import ROWS
from hub.protocol import steps
from hub.protocol.codes import ErrorCode
from hub.protocol.messages import Acknowledge, Follow, Ping, Renew, Resume, Unfollow
from hub.protocol.scopes import INCLUDED_IN, Scope
from hub.session import Session

# All of these; None: no machine and no seat may, whatever it has.
Needs: TypeAlias = frozenset[Scope] | None

NOTHING: Final[frozenset[Scope]] = frozenset()
FOLLOWING: Final = frozenset({Scope.ACCOUNTS_READ})
# A payment that is given up can never be made: whoever settles, writes.
SETTLING: Final = frozenset({Scope.PAYMENTS_WRITE})

COMMANDS: Final[dict[type, Needs]] = {
    Ping: NOTHING,
    Renew: NOTHING,
    Follow: FOLLOWING,
    Unfollow: FOLLOWING,
    Acknowledge: FOLLOWING,
    **{row.takes: None if row.scope is None else frozenset({row.scope}) for row in ROWS},
}
PARTS: Final[dict[type, Needs]] = {
    part: COMMANDS[command] for parts in (steps.PARTS, steps.DISPUTE_PARTS) for command, part in parts.items()
}


def _of_parts(command: Any) -> Needs:
    found: set[Scope] = set()
    for part in command.parts:
        needs = PARTS[type(part)]
        if needs is None:
            return None
        found |= needs
    return frozenset(found)


def _of_resume(command: Resume) -> Needs:
    return FOLLOWING if command.in_doubt is UNSET else FOLLOWING | SETTLING


# Those whose needs hang on what is in them.
BY_CONTENT: Final[dict[type, Callable[[Any], Needs]]] = {
    steps.Link: _of_parts,
    steps.DryRun: _of_parts,
    Resume: _of_resume,
}


def needs_of(command: Any) -> Needs:
    """The scopes that a command needs of a machine."""
    by_content = BY_CONTENT.get(type(command))
    return COMMANDS.get(type(command)) if by_content is None else by_content(command)


def require_scope(session: Session, needs: Needs) -> None:
    """Raises CommandRefused `scope_missing` unless a person speaks for themselves, or has, in a seat, all of these."""
    granted = session.scopes
    if granted is None:
        return
    if needs is None:
        raise CommandRefused(
            ErrorCode.SCOPE_MISSING, "This is the merchant's own: no key, no till and no seat may do it."
        )
    missing = [scope for scope in Scope if scope in needs and not granted & {scope, INCLUDED_IN.get(scope, scope)}]
    if missing:
        raise CommandRefused(ErrorCode.SCOPE_MISSING, f"This needs the scope {' and '.join(missing)}.")

"""Tills of merchants: codes to pair them with, their names and rights, their end; and proofs that they hold a key."""

import secrets
from typing import Final

from msgspec import UNSET, UnsetType

from core.errors import NotFound
from core.machines import pairing as core_pairing
from core.machines import terminals as core_terminals
from core.machines.pairing import Wanted
from core.machines.terminals import Terminal
from hub.commands.context import Context, end_everywhere
from hub.commands.keying import merchant_of, whose
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset, time_of, time_or_unset, to_time
from hub.possession import ProofCode
from hub.protocol import terminals
from hub.protocol.codes import ErrorCode
from hub.protocol.scopes import Scope
from hub.protocol.terminals import TerminalState
from hub.session import Session

# A till makes and watches charges, takes what customers have reserved for its merchant (which is how it sells without
# a network), and reads the account that all of it is paid to. Nothing of it brings money out of that account.
SCOPES: Final = (
    Scope.ACCOUNTS_READ,
    Scope.PAYMENTS_READ,
    Scope.HOLDS_WRITE,
    Scope.CHARGES_READ,
    Scope.CHARGES_WRITE,
)
REFUNDING: Final = (*SCOPES, Scope.REFUNDS_WRITE)
CHALLENGE_BYTES: Final = 32


def scopes_of(may_refund: bool) -> tuple[Scope, ...]:
    """What a till may do."""
    return REFUNDING if may_refund else SCOPES


def challenge(context: Context, session: Session, command: terminals.AskChallenge) -> terminals.Challenge:
    """Something to sign, for this connection. A later one takes its place."""
    session.challenge = secrets.token_urlsafe(CHALLENGE_BYTES)
    return terminals.Challenge(command.id, session.challenge, to_time(int(context.now() * 1_000_000)))


def proof_refused(context: Context, code: ProofCode) -> CommandRefused:
    """What is told of a proof that was refused. A till whose clock is wrong is told what time it is."""
    if code is ProofCode.CLOCK:
        return CommandRefused(ErrorCode.CLOCK_SKEWED, at=to_time(int(context.now() * 1_000_000)))
    return CommandRefused(ErrorCode.POSSESSION_REFUSED, f"The proof was refused: {code}.")


async def create_pairing_code(
    context: Context, session: Session, command: terminals.CreatePairingCode
) -> terminals.PairingCodeMade:
    """Make a code for one till."""
    merchant = merchant_of(session, command.person)
    wanted = Wanted(command.account, command.name, command.may_refund is True)
    made = await core_pairing.make_code(
        context.pool, context.keys, session.speaker.tenant_id, merchant, wanted, session.by
    )
    return terminals.PairingCodeMade(command.id, made.code, command.account, time_of(made.expires_at))


async def list_terminals(
    context: Context, session: Session, command: terminals.ReadTerminals
) -> terminals.TerminalsAnswer:
    """A merchant's tills."""
    merchant = merchant_of(session, command.person)
    found = await core_terminals.list_terminals(
        context.pool, context.keys, session.speaker.tenant_id, merchant, session.by
    )
    return terminals.TerminalsAnswer(command.id, list(map(_to_state, found)))


async def change_terminal(
    context: Context, session: Session, command: terminals.ChangeTerminal
) -> terminals.TerminalAnswer:
    """Name a till, allow it to refund, or no longer."""
    tenant_id = session.speaker.tenant_id
    may_refund = None if isinstance(command.may_refund, UnsetType) else command.may_refund
    try:
        terminal, ended = await core_terminals.change_terminal(
            context.pool,
            context.keys,
            tenant_id,
            command.terminal,
            given(command.name),
            may_refund,
            session.by,
            whose=whose(session),
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="terminal") from None
    if ended is not None:
        end_everywhere(context, tenant_id, [ended])
    return terminals.TerminalAnswer(command.id, _to_state(terminal))


async def revoke_terminal(
    context: Context, session: Session, command: terminals.RevokeTerminal
) -> terminals.TerminalAnswer:
    """End a till."""
    tenant_id = session.speaker.tenant_id
    try:
        terminal = await core_terminals.revoke_terminal(
            context.pool, context.keys, tenant_id, command.terminal, session.by, whose=whose(session)
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="terminal") from None
    end_everywhere(context, tenant_id, [terminal.session_id])
    return terminals.TerminalAnswer(command.id, _to_state(terminal))


def _to_state(terminal: Terminal) -> TerminalState:
    return TerminalState(
        terminal.id,
        terminal.person_id,
        terminal.account,
        terminal.may_refund,
        terminal.algorithm,
        time_of(terminal.paired_at),
        or_unset(terminal.name),
        time_or_unset(terminal.revoked_at),
        UNSET if terminal.last_used_on is None else terminal.last_used_on.isoformat(),
        or_unset(terminal.last_used_network),
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(
        terminals.CreatePairingCode,
        terminals.PairingCodeMade,
        create_pairing_code,
        "POST",
        "/v1/terminals/codes",
        201,
    ),
    Row(terminals.ReadTerminals, terminals.TerminalsAnswer, list_terminals, "GET", "/v1/terminals"),
    Row(terminals.ChangeTerminal, terminals.TerminalAnswer, change_terminal, "PUT", "/v1/terminals/{terminal}"),
    Row(terminals.RevokeTerminal, terminals.TerminalAnswer, revoke_terminal, "DELETE", "/v1/terminals/{terminal}"),
)

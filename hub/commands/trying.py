"""Trying without doing: whatever moves money, up to the entries it would make, rolled back."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET

from core.ledger.entries import entries_of
from core.ledger.rehearsing import rehearse
from core.nouns import Entry, Payment, Posting, what_happened
from hub.commands import disputing
from hub.commands.context import Context
from hub.commands.paying import to_outcome, to_payments
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.protocol import steps
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import Command
from hub.protocol.scopes import Scope
from hub.session import Session

COMMANDS_ABOUT_DISPUTES: Final[dict[type, type[Command]]] = {
    part: command for command, part in steps.DISPUTE_PARTS.items()
}


async def dry_run(context: Context, session: Session, command: steps.DryRun) -> steps.Tried:
    """What a command would be answered; it is refused where that would be."""
    if any(type(part) in COMMANDS_ABOUT_DISPUTES for part in command.parts):
        return await _try_dispute(context, session, command)
    payments = await to_payments(context, session, command.parts)
    if command.linked is True:
        payments = [payment._replace(group=1) for payment in payments]
    postings, entries = await rehearse(context.pool, payments, context.keys)
    return _to_tried(session, command.id, payments, postings, entries)


async def _try_dispute(context: Context, session: Session, command: steps.DryRun) -> steps.Tried:
    if len(command.parts) > 1:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "A command about a dispute is tried alone.", field="parts")
    (part,) = command.parts
    whole = COMMANDS_ABOUT_DISPUTES[type(part)](id=command.id, **msgspec.structs.asdict(part))
    done = await disputing.act(context, session, whole, is_rehearsal=True)
    entries = [
        entry
        for payment, posting in zip(done.batch, done.postings, strict=True)
        for entry in entries_of(payment, posting)
    ]
    tried = _to_tried(session, command.id, done.batch, done.postings, entries)
    return msgspec.structs.replace(tried, dispute=disputing.to_dispute_state(done.dispute))


def _to_tried(
    session: Session, id_: int, payments: Sequence[Payment], postings: Sequence[Posting], entries: Sequence[Entry]
) -> steps.Tried:
    return steps.Tried(
        id_, list(map(to_outcome, payments, postings)), [_to_entry_tried(session, entry) for entry in entries]
    )


def _to_entry_tried(session: Session, entry: Entry) -> steps.EntryTried:
    # Balances are told of accounts that the speaker may see.
    mine: tuple[Any, ...] = ()
    if session.may_use(entry.account):
        mine = entry.number, entry.balance, UNSET if entry.held is None else entry.held
    return steps.EntryTried(
        entry.account,
        entry.payment,
        what_happened(entry),
        entry.amount,
        entry.counterparty,
        entry.hold or UNSET,
        entry.fee or UNSET,
        *mine,
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(steps.DryRun, steps.Tried, dry_run, "POST", "/v1/payments/dry-run", scope=Scope.PAYMENTS_WRITE),
)

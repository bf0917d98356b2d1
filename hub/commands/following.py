"""Following accounts, acknowledging events, and coming back after a disconnect."""

from msgspec import UnsetType

from core.ledger.reading import read_account
from core.nouns import Account
from hub.audience import Listener
from hub.commands.context import Context, to_account_state
from hub.commands.paying import settle
from hub.commands.reading import seen_account
from hub.commands.refusal import CommandRefused
from hub.commands.values import given
from hub.protocol.codes import ErrorCode
from hub.protocol.messages import Acknowledge, Follow, Following, Resume, Resumed, Unfollow, Unfollowed
from hub.session import Session


async def follow(context: Context, session: Session, listener: Listener, command: Follow) -> Following:
    """Start sending an account's events. The answer leaves before the first of them."""
    found = await seen_account(context, session, command.account)
    # Checked after the wait, in the same turn of the loop in which it begins: many may be asked at once.
    if not session.may_follow(command.account):
        raise CommandRefused(ErrorCode.TOO_MANY_FOLLOWED)
    after = found.version if isinstance(command.after, UnsetType) else command.after
    _check_cursor(after, found)
    return Following(command.id, found.id, after, found.version, found.balance)


def begin(context: Context, session: Session, listener: Listener, answer: Following) -> None:
    """Let the events flow, now that the answer has left."""
    tenant_id = session.speaker.tenant_id
    session.followed.add(answer.account)
    context.audience.follow(listener, (tenant_id, answer.account), answer.number, answer.latest)


async def unfollow(context: Context, session: Session, listener: Listener, command: Unfollow) -> Unfollowed:
    """Stop sending an account's events."""
    if command.account not in session.followed:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="account")
    session.followed.discard(command.account)
    context.audience.unfollow(listener, (session.speaker.tenant_id, command.account))
    return Unfollowed(command.id, command.account)


def acknowledge(context: Context, session: Session, listener: Listener, command: Acknowledge) -> None:
    """Note how far the speaker has seen; written with everybody else's in a moment."""
    speaker = session.speaker
    sent = context.audience.sent(listener, (speaker.tenant_id, command.account))
    if sent is None:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="account")
    if command.number > sent:
        raise CommandRefused(ErrorCode.CURSOR_OUT_OF_RANGE, field="number")
    if session.only is not None or speaker.actor is not None:
        # That a till has seen it, or somebody in a seat, does not mean that their merchant has.
        return
    key = speaker.tenant_id, command.account, speaker.person_id
    if command.number > context.acknowledged.get(key, 0):
        context.acknowledged[key] = command.number


async def resume(
    context: Context, session: Session, listener: Listener, command: Resume
) -> tuple[Resumed, list[Following]]:
    """Settle payments in doubt, then follow each account from where it was left.

    All or nothing: a bad account or cursor refuses the command before anything is fenced.
    """
    wanted = given(command.follow, [])
    in_doubt = given(command.in_doubt, [])
    found: list[tuple[Account, int]] = []
    for account_id, after in wanted:
        if not session.may_see(account_id):
            raise CommandRefused(ErrorCode.NOT_FOUND, field="follow")
        account = await read_account(context.pool, session.speaker.tenant_id, account_id)
        if account is None:
            raise CommandRefused(ErrorCode.NOT_FOUND, field="follow")
        _check_cursor(after, account, field="follow")
        found.append((account, after))
    if not session.may_follow(*(account.id for account, _ in found)):
        raise CommandRefused(ErrorCode.TOO_MANY_FOLLOWED)
    # Taken before the wait for the settlement, so that nobody else takes the places meanwhile.
    added = {account.id for account, _ in found} - session.followed
    session.followed |= added
    try:
        settled = await settle(context, session, in_doubt)
    except BaseException:
        session.followed -= added
        raise
    followings = [
        Following(command.id, account.id, after, account.version, account.balance) for account, after in found
    ]
    return Resumed(command.id, settled, [to_account_state(account) for account, _ in found]), followings


def _check_cursor(after: int, account: Account, field: str = "after") -> None:
    if after > account.version:
        raise CommandRefused(ErrorCode.CURSOR_OUT_OF_RANGE, field=field)

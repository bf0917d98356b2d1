"""Reading accounts, balances, history and profiles."""

from typing import Final

from msgspec import UNSET

from core.ledger.reading import read_account, read_entries_before
from core.nouns import BALANCE_MAX, Account
from core.people.opening import list_accounts
from core.people.persons import read_payee_name, read_person
from hub.commands.context import Context, to_account_state, to_entry_state
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.protocol.messages import (
    AccountAnswer,
    AccountsAnswer,
    BalanceAnswer,
    FindPayee,
    HistoryAnswer,
    PayeeAnswer,
    ProfileAnswer,
    ReadAccount,
    ReadAccounts,
    ReadBalance,
    ReadHistory,
    ReadProfile,
)
from hub.protocol.scopes import Scope
from hub.session import Session


async def own_account(context: Context, session: Session, account_id: int) -> Account:
    """The account as it stands; not found if it is not the speaker's to use."""
    return await _account(context, session, account_id, is_theirs=session.may_use(account_id))


async def seen_account(context: Context, session: Session, account_id: int) -> Account:
    """The account as it stands; not found if it is not the speaker's to see."""
    return await _account(context, session, account_id, is_theirs=session.may_see(account_id))


async def _account(context: Context, session: Session, account_id: int, *, is_theirs: bool) -> Account:
    if is_theirs:
        account = await read_account(context.pool, session.speaker.tenant_id, account_id)
        if account is not None:
            return account
    raise CommandRefused(ErrorCode.NOT_FOUND, field="account")


async def account(context: Context, session: Session, command: ReadAccount) -> AccountAnswer:
    """One account."""
    return AccountAnswer(command.id, to_account_state(await seen_account(context, session, command.account)))


async def accounts(context: Context, session: Session, command: ReadAccounts) -> AccountsAnswer:
    """All accounts of the speaker."""
    speaker = session.speaker
    found = await list_accounts(context.pool, speaker.tenant_id, speaker.person_id)
    # Accounts opened since the session began are the speaker's, too.
    session.keep_accounts(one.id for one in found)
    return AccountsAnswer(command.id, [to_account_state(one) for one in found if one.id in session.accounts])


async def balance(context: Context, session: Session, command: ReadBalance) -> BalanceAnswer:
    """A balance with the number of the event it stands after."""
    state = to_account_state(await seen_account(context, session, command.account))
    return BalanceAnswer(command.id, state.account, state.posted, state.held, state.available, state.number)


async def history(context: Context, session: Session, command: ReadHistory) -> HistoryAnswer:
    """A page of entries below `before`, newest first."""
    await seen_account(context, session, command.account)
    limit = given(command.limit, PAGE_LENGTH)
    before = given(command.before, BALANCE_MAX)
    entries = await read_entries_before(
        context.pool, session.speaker.tenant_id, command.account, before, limit, context.keys
    )
    last = entries[-1].number if entries else 1
    return HistoryAnswer(
        command.id, command.account, [to_entry_state(entry) for entry in entries], last if last > 1 else UNSET
    )


async def profile(context: Context, session: Session, command: ReadProfile) -> ProfileAnswer:
    """Who the speaker is."""
    speaker = session.speaker
    person = await read_person(context.pool, context.keys, speaker.tenant_id, speaker.person_id)
    tenant = context.tenants[speaker.tenant_id]
    return ProfileAnswer(
        command.id, person.id, person.display_name or "", person.role.name.lower(), tenant.slug, tenant.currency
    )


async def payee(context: Context, session: Session, command: FindPayee) -> PayeeAnswer:
    """The name behind an account number."""
    name = await read_payee_name(context.pool, context.keys, session.speaker.tenant_id, command.account)
    return PayeeAnswer(command.id, command.account, name)


ROWS: Final = (
    Row(ReadAccounts, AccountsAnswer, accounts, "GET", "/v1/accounts", scope=Scope.ACCOUNTS_READ),
    Row(ReadAccount, AccountAnswer, account, "GET", "/v1/accounts/{account}", scope=Scope.ACCOUNTS_READ),
    Row(ReadBalance, BalanceAnswer, balance, "GET", "/v1/accounts/{account}/balance", scope=Scope.ACCOUNTS_READ),
    Row(ReadHistory, HistoryAnswer, history, "GET", "/v1/accounts/{account}/history", scope=Scope.ACCOUNTS_READ),
    Row(ReadProfile, ProfileAnswer, profile, "GET", "/v1/profile", scope=Scope.ACCOUNTS_READ),
    Row(FindPayee, PayeeAnswer, payee, "GET", "/v1/payees/{account}", scope=Scope.PAYEES_READ),
)

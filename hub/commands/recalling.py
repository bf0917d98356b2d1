"""Looking back: entries that fit a search, balances at a past moment, sums, refusals, whole lives of payments."""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from core.ledger import recalling
from core.ledger.reading import Life, read_payments
from core.ledger.recalling import Refused, Search
from core.machines.seats import read_askers
from core.nouns import DONE, Kind, PaymentStatus
from core.people.persons import Role
from hub.commands.context import STATUS_NAMES, Context, to_entry_state
from hub.commands.operating import require_overseer
from hub.commands.reading import own_account, seen_account
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import from_time, given, or_unset, to_time
from hub.protocol import histories
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.protocol.scopes import Scope
from hub.session import Session

# The hub's clock and the ledger's may differ by so much.
CLOCKS_DIFFER_US: Final = 60_000_000


async def balance_at(context: Context, session: Session, command: histories.ReadBalanceAt) -> Any:
    """The balance at a past moment."""
    account = await seen_account(context, session, command.account)
    at_us = from_time(command.at)
    if at_us > context.now() * 1_000_000 + CLOCKS_DIFFER_US:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "Nobody knows the balance of a moment to come.", field="at")
    found = await recalling.read_balance_at(context.pool, session.speaker.tenant_id, account.id, at_us)
    return histories.BalanceAtAnswer(command.id, account.id, command.at, found.balance, found.held, found.number)


async def search(context: Context, session: Session, command: histories.SearchEntries) -> Any:
    """A page of entries that fit."""
    account = await seen_account(context, session, command.account)
    if command.value is not UNSET and command.key is UNSET:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "A value is looked for under a key.", field="value")
    wanted = Search(
        _time_or_none(command.from_at),
        _time_or_none(command.to_at),
        given(command.amount_min),
        given(command.amount_max),
        None if isinstance(command.direction, UnsetType) else command.direction == "in",
        given(command.counterparty),
        None if isinstance(command.kind, UnsetType) else [int(Kind[command.kind.upper()])],
        given(command.text),
        given(command.key),
        given(command.value),
    )
    limit = given(command.limit, PAGE_LENGTH)
    tenant_id = session.speaker.tenant_id
    found = await recalling.search_entries(
        context.pool, tenant_id, account.id, wanted, given(command.before), limit, context.keys
    )
    return histories.SearchAnswer(
        command.id, account.id, list(map(to_entry_state, found.entries)), UNSET if found.next is None else found.next
    )


async def totals(context: Context, session: Session, command: histories.ReadTotals) -> Any:
    """Sums between two moments."""
    account = await seen_account(context, session, command.account)
    from_us, to_us = from_time(command.from_at), from_time(command.to_at)
    if to_us < from_us:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "The end comes before the beginning.", field="to_at")
    found = await recalling.read_totals(context.pool, session.speaker.tenant_id, account.id, from_us, to_us)
    return histories.TotalsAnswer(command.id, account.id, *found)


async def sales(context: Context, session: Session, command: histories.ReadSales) -> Any:
    """What was sold and given back, span by span."""
    account = await seen_account(context, session, command.account)
    edges = [from_time(edge) for edge in command.edges]
    if edges != sorted(edges):
        raise CommandRefused(ErrorCode.INVALID_FIELD, "Each edge comes after the one before it.", field="edges")
    number, found = await recalling.read_sales(context.pool, session.speaker.tenant_id, account.id, edges)
    return histories.SalesAnswer(command.id, account.id, number, [histories.SalesSpan(*span) for span in found])


async def refusals(context: Context, session: Session, command: histories.ReadRefusals) -> Any:
    """Payments that were refused."""
    account = await seen_account(context, session, command.account)
    status = None
    if not isinstance(command.status, UnsetType):
        status = {name: number for number, name in STATUS_NAMES.items()}.get(command.status)
        if status is None:
            raise CommandRefused(ErrorCode.INVALID_FIELD, "There is no such status.", field="status")
    limit = given(command.limit, PAGE_LENGTH)
    found, last = await recalling.read_refused(
        context.pool,
        session.speaker.tenant_id,
        account.id,
        status,
        _time_or_none(command.before),
        given(command.before_payment),
        limit,
        context.keys,
    )
    return histories.RefusalsAnswer(
        command.id,
        account.id,
        list(map(_to_refusal, found)),
        UNSET if last is None else to_time(last[0]),
        UNSET if last is None else last[1],
    )


async def payment(context: Context, session: Session, command: histories.ReadPayment) -> Any:
    """A payment's whole life, for its two parties and operators."""
    speaker = session.speaker
    life = (await read_payments(context.pool, speaker.tenant_id, [command.payment], context.keys)).get(command.payment)
    # Not for whoever asked for it and is none of them any more: they were an operator, or sat in somebody's seat.
    if life is None or not (session.may_see(life.payer) or session.may_see(life.payee)):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payment")
    if life.status not in DONE and not session.may_see(life.payer) and not session.has_asked(life.asked_by):
        # What was refused was never the payee's to know.
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payment")
    is_payees = session.may_see(life.payee)
    limit = given(command.limit, PAGE_LENGTH)
    steps = await recalling.read_steps(
        context.pool, speaker.tenant_id, life.id, _time_or_none(command.after), given(command.after_step), limit
    )
    is_full = len(steps) == limit
    askers = await _read_askers(context, session, life, [step.id for step in steps])
    return histories.LifeAnswer(
        command.id,
        msgspec.structs.replace(_to_life(life, session), **askers.get(life.id, {})),
        [
            histories.StepState(
                step.id,
                Kind(step.kind).name.lower(),
                step.amount,
                to_time(step.judged_at_us),
                (is_payees and step.fee) or UNSET,
                **askers.get(step.id, {}),
            )
            for step in steps
        ],
        to_time(steps[-1].judged_at_us) if is_full else UNSET,
        steps[-1].id if is_full else UNSET,
    )


async def _read_askers(
    context: Context, session: Session, life: Life, steps: list[str]
) -> dict[str, dict[str, str | UnsetType]]:
    """Who of a merchant's people asked for what the merchant paid, or did as payee: `by` and `by_name`, by its id."""
    speaker = session.speaker
    ids = [*([life.id] if session.may_use(life.payer) else ()), *(steps if session.may_use(life.payee) else ())]
    if session.role is not Role.MERCHANT or not ids:
        return {}
    found, names = await read_askers(context.pool, context.keys, speaker.tenant_id, speaker.person_id, ids)
    return {one: {"by": person, "by_name": or_unset(names.get(person))} for one, person in found.items()}


async def set_account_metadata(context: Context, session: Session, command: histories.SetAccountMetadata) -> Any:
    """Write the words about an account."""
    account = await own_account(context, session, command.account)
    text = msgspec.json.encode(command.metadata).decode()
    await recalling.set_account_metadata(context.pool, session.speaker.tenant_id, account.id, text)
    return histories.AccountMetadataAnswer(command.id, account.id, command.metadata)


async def account_metadata(context: Context, session: Session, command: histories.ReadAccountMetadata) -> Any:
    """The words about an account."""
    account = await seen_account(context, session, command.account)
    words = await recalling.read_account_metadata(context.pool, session.speaker.tenant_id, account.id)
    return histories.AccountMetadataAnswer(command.id, account.id, words)


async def find_accounts(context: Context, session: Session, command: histories.FindAccounts) -> Any:
    """The accounts with a word."""
    require_overseer(session)
    limit = given(command.limit, PAGE_LENGTH)
    after = given(command.after, 0)
    tenant_id = session.speaker.tenant_id
    found = await recalling.find_accounts(context.pool, tenant_id, command.key, command.value, after, limit + 1)
    page = [histories.AccountWords(account, msgspec.json.decode(words)) for account, words in found[:limit]]
    return histories.AccountsFound(command.id, page, page[-1].account if len(found) > limit else UNSET)


def _to_life(life: Life, session: Session) -> histories.LifeState:
    # What is kept of the amount is between the payee and the institution; which rule decided, the institution's alone
    # unless it stood in the payer's way.
    is_payees = session.may_see(life.payee)
    is_rule_told = session.oversees or (life.status != PaymentStatus.POSTED and session.may_see(life.payer))
    return histories.LifeState(
        life.id,
        Kind(life.kind).name.lower(),
        STATUS_NAMES[life.status],
        life.payer,
        life.payee,
        life.amount,
        to_time(life.judged_at_us),
        life.captured,
        life.refunded,
        life.held or UNSET,
        life.disputed or UNSET,
        (is_payees and life.fee) or UNSET,
        (is_payees and life.fee_returned) or UNSET,
        (is_payees and life.shared) or UNSET,
        UNSET if life.expires_at_us is None else to_time(life.expires_at_us),
        life.in_review or UNSET,
        or_unset(life.subject),
        or_unset(life.charge),
        or_unset(life.rule) if is_rule_told else UNSET,
        or_unset(life.description),
        UNSET if life.metadata is None else msgspec.json.decode(life.metadata),
    )


def _to_refusal(one: Refused) -> histories.RefusalState:
    return histories.RefusalState(
        one.id,
        STATUS_NAMES[one.status],
        Kind(one.kind).name.lower(),
        one.payee,
        one.amount,
        to_time(one.judged_at_us),
        or_unset(one.subject),
        or_unset(one.rule),
        or_unset(one.description),
    )


def _time_or_none(value: str | UnsetType) -> int | None:
    return None if isinstance(value, UnsetType) else from_time(value)


ROWS: Final[tuple[Row, ...]] = (
    Row(
        histories.ReadBalanceAt,
        histories.BalanceAtAnswer,
        balance_at,
        "GET",
        "/v1/accounts/{account}/balance-at",
        scope=Scope.REPORTS_READ,
    ),
    Row(
        histories.SearchEntries,
        histories.SearchAnswer,
        search,
        "GET",
        "/v1/accounts/{account}/entries",
        scope=Scope.REPORTS_READ,
    ),
    Row(
        histories.ReadTotals,
        histories.TotalsAnswer,
        totals,
        "GET",
        "/v1/accounts/{account}/totals",
        scope=Scope.REPORTS_READ,
    ),
    Row(
        histories.ReadSales,
        histories.SalesAnswer,
        sales,
        "POST",
        "/v1/accounts/{account}/sales",
        scope=Scope.REPORTS_READ,
    ),
    Row(
        histories.ReadRefusals,
        histories.RefusalsAnswer,
        refusals,
        "GET",
        "/v1/accounts/{account}/refusals",
        scope=Scope.REPORTS_READ,
    ),
    Row(
        histories.ReadPayment, histories.LifeAnswer, payment, "GET", "/v1/payments/{payment}", scope=Scope.PAYMENTS_READ
    ),
    Row(
        histories.SetAccountMetadata,
        histories.AccountMetadataAnswer,
        set_account_metadata,
        "PUT",
        "/v1/accounts/{account}/metadata",
        scope=Scope.ACCOUNTS_WRITE,
    ),
    Row(
        histories.ReadAccountMetadata,
        histories.AccountMetadataAnswer,
        account_metadata,
        "GET",
        "/v1/accounts/{account}/metadata",
        scope=Scope.ACCOUNTS_READ,
    ),
    Row(histories.FindAccounts, histories.AccountsFound, find_accounts, "GET", "/v1/metadata/accounts"),
)

"""Files of payments: sent, checked line by line, approved, followed while they are posted."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, UnsetType

from core.bulk import bulks as core_bulks
from core.bulk.bulks import OVER, Bulk, BulkStatus, Order, Progress
from core.bulk.lines import Ground, Line, LineCode, read_line
from core.bulk.receiving import FORMATS, receive_lines
from core.bulk.receiving import receive_file as receive_in_core
from core.bulk.report import Result, read_results, write_csv
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset, time_of, time_or_unset
from hub.protocol.bulks import (
    AddBulkLines,
    ApproveBulk,
    BulkAnswer,
    BulkLine,
    BulkProgress,
    BulkReport,
    BulksAnswer,
    BulkState,
    CancelBulk,
    CloseBulk,
    CreateBulk,
    LineResult,
    ReadBulk,
    ReadBulkReport,
    ReadBulks,
)
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.protocol.scopes import Scope
from hub.session import Session, State

# A screen shows a few; each costs a row of a query four times a second.
WATCHED_MAX = 20
# Told at most so often.
PROGRESS_S = 0.25

MEDIA_TYPES: Final = tuple(FORMATS)
STATUS_NAMES: Final = {status: status.name.lower() for status in BulkStatus}


@dataclass(slots=True)
class Watch:
    """Who watches a bulk, and what they were told last."""

    sessions: set[Session] = field(default_factory=set)
    told: Progress | None = None


async def seen_bulk(context: Context, session: Session, bulk_id: str) -> Bulk:
    """The bulk as it stands; not found if its account is not the speaker's to see, whoever made it."""
    bulk = await core_bulks.read_bulk(context.pool, session.speaker.tenant_id, bulk_id)
    if bulk is None or not session.may_see(bulk.account):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="bulk")
    return bulk


async def own_bulk(context: Context, session: Session, bulk_id: str) -> Bulk:
    """The same, if its account is the speaker's to use."""
    bulk = await seen_bulk(context, session, bulk_id)
    if not session.may_use(bulk.account):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="bulk")
    return bulk


async def made_bulk(context: Context, session: Session, bulk_id: str) -> Bulk:
    """The same, for what only its maker may do, who must still be allowed to use the account."""
    bulk = await own_bulk(context, session, bulk_id)
    if not (_is_maker(session, bulk) and session.may_use(bulk.account)):
        raise CommandRefused(ErrorCode.FORBIDDEN)
    return bulk


async def create(context: Context, session: Session, command: CreateBulk) -> BulkAnswer:
    """Announce a file."""
    if not session.may_use(command.account):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="account")
    order = Order(
        command.bulk,
        command.account,
        command.atomic,
        command.again is True,
        given(command.lines),
        given(command.amount),
    )
    speaker = session.speaker
    bulk = await core_bulks.create_bulk(context.pool, speaker.tenant_id, order, session.asker, session.began_at)
    return BulkAnswer(command.id, to_state(bulk))


async def add_lines(context: Context, session: Session, command: AddBulkLines) -> BulkAnswer:
    """The next lines of a stream."""
    bulk = await made_bulk(context, session, command.bulk)
    if bulk.status != BulkStatus.RECEIVING:
        raise CommandRefused(ErrorCode.BULK_WRONG_STATUS, field="bulk")
    ground = _ground(context, session, bulk)
    lines = [_to_line(ground, line) for line in command.lines]
    await receive_lines(
        context.pool,
        context.keys,
        session.speaker.tenant_id,
        bulk,
        command.first,
        lines,
        msgspec.json.encode(command.lines),
    )
    return await read(context, session, ReadBulk(command.id, command.bulk))


async def receive_file(
    context: Context, session: Session, bulk_id: str, media_type: str, data: AsyncIterable[bytes]
) -> BulkAnswer:
    """A whole file."""
    bulk = await made_bulk(context, session, bulk_id)
    make_parser = FORMATS.get(media_type)
    if make_parser is None:
        raise CommandRefused(ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    ground = _ground(context, session, bulk)
    bulk = await receive_in_core(context.pool, context.keys, session.speaker.tenant_id, bulk, make_parser, ground, data)
    return BulkAnswer(0, to_state(bulk))


async def close(context: Context, session: Session, command: CloseBulk) -> BulkAnswer:
    """The stream's end."""
    bulk = await made_bulk(context, session, command.bulk)
    if bulk.status == BulkStatus.RECEIVING:
        bulk = await core_bulks.close_file(context.pool, session.speaker.tenant_id, bulk.id, bulk.attempt)
    return BulkAnswer(command.id, to_state(bulk))


async def approve(context: Context, session: Session, command: ApproveBulk) -> BulkAnswer:
    """Four eyes: somebody else who may use the account."""
    bulk = await own_bulk(context, session, command.bulk)
    if not session.may_use(bulk.account):
        raise CommandRefused(ErrorCode.MAKER_CANNOT_APPROVE)
    speaker = session.speaker
    bulk = await core_bulks.approve_bulk(
        context.pool, speaker.tenant_id, bulk.id, speaker.person_id, may_name_payers=session.is_operator
    )
    return BulkAnswer(command.id, to_state(bulk))


async def cancel(context: Context, session: Session, command: CancelBulk) -> BulkAnswer:
    """Give it up."""
    bulk = await own_bulk(context, session, command.bulk)
    bulk = await core_bulks.cancel_bulk(context.pool, session.speaker.tenant_id, bulk.id)
    return BulkAnswer(command.id, to_state(bulk))


async def read(context: Context, session: Session, command: ReadBulk) -> BulkAnswer:
    """A bulk as it stands, and from now on, over a socket, its progress."""
    bulk = await seen_bulk(context, session, command.bulk)
    # Over HTTP there is nobody to tell later.
    if not isinstance(command.watch, UnsetType) and session.door is not None:
        _watch(context, session, bulk, wanted=command.watch)
    return BulkAnswer(command.id, to_state(bulk))


async def read_all(context: Context, session: Session, command: ReadBulks) -> BulksAnswer:
    """A page of an account's bulks; operators and auditors may ask for everybody's."""
    account = given(command.account)
    if account is None and not session.oversees:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "Name one of your accounts.", field="account")
    if account is not None and not session.may_see(account):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="account")
    limit = given(command.limit, PAGE_LENGTH)
    found = await core_bulks.list_bulks(
        context.pool,
        session.speaker.tenant_id,
        account,
        None if isinstance(command.status, UnsetType) else BulkStatus[command.status.upper()],
        given(command.before),
        limit,
    )
    return BulksAnswer(command.id, [to_state(bulk) for bulk in found], found[-1].id if len(found) == limit else UNSET)


async def report(context: Context, session: Session, command: ReadBulkReport) -> BulkReport:
    """A page of lines and what became of them."""
    bulk = await seen_bulk(context, session, command.bulk)
    limit = given(command.limit, PAGE_LENGTH)
    after = given(command.after, 0)
    found = await read_results(
        context.pool, context.keys, session.speaker.tenant_id, bulk, after, limit, only_wrong=command.wrong is True
    )
    return BulkReport(
        command.id,
        bulk.id,
        [_to_result(result) for result in found],
        found[-1].number if len(found) == limit else UNSET,
    )


async def report_csv(context: Context, session: Session, bulk_id: str, *, wrong: bool) -> AsyncIterator[bytes]:
    """All lines as CSV, in pieces; the first refusal comes before the first piece."""
    bulk = await seen_bulk(context, session, bulk_id)
    return write_csv(context.pool, context.keys, session.speaker.tenant_id, bulk, only_wrong=wrong)


async def tell_progress(context: Context) -> None:
    """Tell who watches bulks that have moved. One question for all of them, and none while nobody watches."""
    watched: dict[tuple[int, str], Watch] = context.watched_bulks
    for key, watch in list(watched.items()):
        watch.sessions = {one for one in watch.sessions if one.state is State.LIVE and topic(key[1]) in one.watching}
        if not watch.sessions:
            del watched[key]
    if not watched:
        return
    for progress in await core_bulks.read_progress(context.pool, list(watched)):
        key = progress.tenant_id, progress.id
        found = watched.get(key)
        if found is None or found.told == progress:
            continue
        found.told = progress
        context.tell(progress.tenant_id, topic(progress.id), to_progress(progress))
        if progress.status in OVER:
            del watched[key]
            for session in found.sessions:
                session.watching.discard(topic(progress.id))


def topic(bulk_id: str) -> str:
    """What a session watches."""
    return f"bulk:{bulk_id}"


def to_state(bulk: Bulk) -> BulkState:
    """A bulk as the wire shows it."""
    return BulkState(
        bulk.id,
        bulk.account,
        bulk.is_atomic,
        STATUS_NAMES[BulkStatus(bulk.status)],  # type: ignore[arg-type]
        bulk.maker,
        bulk.lines,
        bulk.good,
        bulk.lines - bulk.good,
        bulk.good_amount,
        bulk.through,
        bulk.posted,
        bulk.posted_amount,
        bulk.refused,
        time_of(bulk.created_at),
        time_or_unset(bulk.checked_at),
        time_or_unset(bulk.approved_at),
        time_or_unset(bulk.finished_at),
        bulk.approver or UNSET,
        bulk.failed_line or UNSET,
        bulk.failed_code or UNSET,
    )


def to_progress(progress: Progress) -> BulkProgress:
    """A bulk's progress as the wire shows it."""
    return BulkProgress(
        progress.id,
        STATUS_NAMES[BulkStatus(progress.status)],  # type: ignore[arg-type]
        progress.lines,
        progress.good,
        progress.lines - progress.good,
        progress.through,
        progress.posted,
        progress.refused,
    )


def _is_maker(session: Session, bulk: Bulk) -> bool:
    return bulk.maker == session.asker


def _watch(context: Context, session: Session, bulk: Bulk, *, wanted: bool) -> None:
    name = topic(bulk.id)
    if not wanted:
        session.watching.discard(name)
        return
    if bulk.status in OVER:
        return
    if name not in session.watching and sum(one.startswith("bulk:") for one in session.watching) >= WATCHED_MAX:
        raise CommandRefused(ErrorCode.TOO_MANY_FOLLOWED)
    session.watching.add(name)
    context.watched_bulks.setdefault((session.speaker.tenant_id, bulk.id), Watch()).sessions.add(session)


def _ground(context: Context, session: Session, bulk: Bulk) -> Ground:
    tenant = context.tenants[session.speaker.tenant_id]
    today = datetime.fromtimestamp(context.now(), ZoneInfo(tenant.time_zone)).date()
    return Ground(bulk.account, session.is_operator, tenant.currency, today)


def _to_line(ground: Ground, told: BulkLine) -> Line:
    """A message's line, judged like a file's."""
    payer, wrong = (None, None) if isinstance(told.payer, UnsetType) else ground.payer_of(str(told.payer))
    line = read_line(
        payer,
        str(told.payee),
        str(told.amount),
        given(told.description, ""),
        given(told.reference, ""),
    )
    # Here a number is one: what is no good of it is its size.
    if line.code == LineCode.NOT_A_NUMBER:
        line = line._replace(code=LineCode.OUT_OF_RANGE)
    return line._replace(code=wrong, field="payer") if wrong and not line.code else line


def _to_result(result: Result) -> LineResult:
    return LineResult(
        result.number,
        result.payer,
        result.status,
        payee=or_unset(result.payee),
        amount=or_unset(result.amount),
        description=or_unset(result.description),
        reference=or_unset(result.reference),
        payment=or_unset(result.payment),
        code=or_unset(result.code),
        field=or_unset(result.field),
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(CreateBulk, BulkAnswer, create, "POST", "/v1/bulks", 201, scope=Scope.BULKS_WRITE),
    Row(ReadBulks, BulksAnswer, read_all, "GET", "/v1/bulks", scope=Scope.BULKS_READ),
    Row(ReadBulk, BulkAnswer, read, "GET", "/v1/bulks/{bulk}", scope=Scope.BULKS_READ),
    Row(AddBulkLines, BulkAnswer, add_lines, "POST", "/v1/bulks/{bulk}/lines", scope=Scope.BULKS_WRITE),
    Row(CloseBulk, BulkAnswer, close, "POST", "/v1/bulks/{bulk}/close", scope=Scope.BULKS_WRITE),
    Row(ApproveBulk, BulkAnswer, approve, "POST", "/v1/bulks/{bulk}/approve"),
    Row(CancelBulk, BulkAnswer, cancel, "POST", "/v1/bulks/{bulk}/cancel", scope=Scope.BULKS_WRITE),
    Row(ReadBulkReport, BulkReport, report, "GET", "/v1/bulks/{bulk}/lines", scope=Scope.BULKS_READ),
)

"""Payments at a later date, once or again and again."""

from collections.abc import Awaitable, Callable
from datetime import date, time
from itertools import islice
from typing import Any, Final

from msgspec import UNSET, UnsetType

from core.database import Pool
from core.errors import NotFound
from core.keys.safe import Safe
from core.payments import schedules as core_schedules
from core.payments.calendar import Closed, Occurrence, Plan, Rule, check_plan, has_holidays, occurrences
from core.payments.schedules import IfUnpaid, Order, Outcome, Schedule, coming, read_outcomes, read_place
from hub.commands.context import STATUS_NAMES, Context
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, time_of, time_or_unset
from hub.protocol import schedules
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.protocol.scopes import Scope
from hub.session import Session

# The money is there when the day begins, and the night limit (until six) is over.
AT: Final = "06:00"
ATTEMPTS: Final = 3
RETRY_AFTER_S: Final = 4 * 3_600
DATES: Final = 12
OUTCOMES: Final = 20


async def create_schedule(context: Context, session: Session, command: schedules.CreateSchedule) -> Any:
    """Make a schedule."""
    if not session.may_use(command.payer):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payer")
    order = Order(
        command.schedule,
        command.payer,
        command.payee,
        command.amount,
        given(command.description),
        _to_plan(command),
        given(command.attempts, ATTEMPTS),
        given(command.retry_after_s, RETRY_AFTER_S),
        IfUnpaid[given(command.if_unpaid, "skip").upper()],
    )
    speaker = session.speaker
    made = await core_schedules.create_schedule(context.pool, context.keys, speaker.tenant_id, speaker.person_id, order)
    return schedules.ScheduleAnswer(command.id, _to_state(made))


async def preview_schedule(context: Context, session: Session, command: schedules.PreviewSchedule) -> Any:
    """The next dates, without making anything."""
    plan = _to_plan(command)
    check_plan(plan)
    place = await read_place(context.pool, session.speaker.tenant_id)
    dates = islice(occurrences(plan, place), given(command.limit, DATES))
    return schedules.PreviewAnswer(command.id, list(map(_to_date, dates)), has_holidays(place.country))


async def schedule(context: Context, session: Session, command: schedules.ReadSchedule) -> Any:
    """One schedule with its dates and outcomes."""
    found = await _seen(context, session, command.schedule)
    tenant_id = session.speaker.tenant_id
    place = await read_place(context.pool, tenant_id)
    outcomes = await read_outcomes(context.pool, tenant_id, found.order.id, OUTCOMES)
    return schedules.ScheduleFileAnswer(
        command.id,
        _to_state(found),
        list(map(_to_date, coming(found, place, DATES))),
        list(map(_to_outcome, outcomes)),
    )


async def list_schedules(context: Context, session: Session, command: schedules.ReadSchedules) -> Any:
    """A page of an account's schedules."""
    if not session.may_see(command.account):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="account")
    limit = given(command.limit, PAGE_LENGTH)
    found = await core_schedules.list_schedules(
        context.pool, context.keys, session.speaker.tenant_id, command.account, given(command.before), limit + 1
    )
    page = list(map(_to_state, found[:limit]))
    return schedules.SchedulesAnswer(command.id, page, page[-1].schedule if len(found) > limit else UNSET)


def _changing(change: Callable[[Pool, Safe, int, str], Awaitable[Schedule]]) -> Callable[[Context, Session, Any], Any]:
    async def handle(context: Context, session: Session, command: Any) -> schedules.ScheduleAnswer:
        found = await _own(context, session, command.schedule)
        changed = await change(context.pool, context.keys, session.speaker.tenant_id, found.order.id)
        return schedules.ScheduleAnswer(command.id, _to_state(changed))

    return handle


async def _own(context: Context, session: Session, schedule_id: str) -> Schedule:
    """The schedule, to change it; somebody else's is like one that is not there."""
    found = await _seen(context, session, schedule_id)
    if not session.may_use(found.order.payer):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="schedule")
    return found


async def _seen(context: Context, session: Session, schedule_id: str) -> Schedule:
    """The schedule, to read it."""
    try:
        found = await core_schedules.read_schedule(context.pool, context.keys, session.speaker.tenant_id, schedule_id)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="schedule") from None
    if not session.may_see(found.order.payer):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="schedule")
    return found


def _to_plan(command: Any) -> Plan:
    return Plan(
        Rule[command.rule.upper()],
        _to_day(command.first_on, "first_on"),
        time.fromisoformat(given(command.at, AT)),
        given(command.day),
        Closed[given(command.on_closed, "same").upper()],
        None if isinstance(command.until, UnsetType) else _to_day(command.until, "until"),
        given(command.times),
    )


def _to_day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandRefused(ErrorCode.INVALID_FIELD, f"{text} is no day of the calendar.", field=field) from None


def _to_state(one: Schedule) -> schedules.ScheduleState:
    order, plan = one.order, one.order.plan
    return schedules.ScheduleState(
        order.id,
        order.payer,
        order.payee,
        order.amount,
        Rule(plan.rule).name.lower(),
        plan.first_on.isoformat(),
        plan.at.strftime("%H:%M"),
        Closed(plan.on_closed).name.lower(),
        order.attempts_max,
        order.retry_after_s,
        IfUnpaid(order.if_unpaid).name.lower(),
        one.status.name.lower(),
        time_of(one.created_at),
        UNSET if plan.day is None else plan.day,
        UNSET if plan.until is None else plan.until.isoformat(),
        UNSET if plan.times is None else plan.times,
        UNSET if order.description is None else order.description,
        time_or_unset(one.due_at),
    )


def _to_date(one: Occurrence) -> schedules.DateState:
    return schedules.DateState(one.number, one.day.isoformat(), time_of(one.due_at))


def _to_outcome(one: Outcome) -> schedules.OutcomeState:
    return schedules.OutcomeState(
        one.day.isoformat(), one.attempt, str(one.payment), STATUS_NAMES[one.status], time_of(one.at)
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(
        schedules.CreateSchedule,
        schedules.ScheduleAnswer,
        create_schedule,
        "POST",
        "/v1/schedules",
        201,
        scope=Scope.SCHEDULES_WRITE,
    ),
    Row(
        schedules.PreviewSchedule,
        schedules.PreviewAnswer,
        preview_schedule,
        "POST",
        "/v1/schedules/preview",
        scope=Scope.SCHEDULES_READ,
    ),
    Row(
        schedules.ReadSchedule,
        schedules.ScheduleFileAnswer,
        schedule,
        "GET",
        "/v1/schedules/{schedule}",
        scope=Scope.SCHEDULES_READ,
    ),
    Row(
        schedules.ReadSchedules,
        schedules.SchedulesAnswer,
        list_schedules,
        "GET",
        "/v1/accounts/{account}/schedules",
        scope=Scope.SCHEDULES_READ,
    ),
    Row(
        schedules.PauseSchedule,
        schedules.ScheduleAnswer,
        _changing(core_schedules.pause_schedule),
        "POST",
        "/v1/schedules/{schedule}/pause",
        scope=Scope.SCHEDULES_WRITE,
    ),
    Row(
        schedules.ResumeSchedule,
        schedules.ScheduleAnswer,
        _changing(core_schedules.resume_schedule),
        "POST",
        "/v1/schedules/{schedule}/resume",
        scope=Scope.SCHEDULES_WRITE,
    ),
    Row(
        schedules.CancelSchedule,
        schedules.ScheduleAnswer,
        _changing(core_schedules.cancel_schedule),
        "POST",
        "/v1/schedules/{schedule}/cancel",
        scope=Scope.SCHEDULES_WRITE,
    ),
)

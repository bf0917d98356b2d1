"""Payments at a later date, once or again and again."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.fields import PAGE_LENGTH_MAX, UUID_PATTERN, AccountId, Amount, Command, Description, Message

# What a screen shows; a plan goes on for longer.
DATES_MAX = 60

ScheduleId: TypeAlias = Annotated[
    str,
    Meta(
        pattern=UUID_PATTERN,
        min_length=36,
        max_length=36,
        description="A UUID made by whoever makes the schedule: its idempotency key.",
    ),
]
Date: TypeAlias = Annotated[
    # This century alone: the calendars of holidays end with it.
    str, Meta(pattern=r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", max_length=10, description="In the tenant's time zone.")
]
Clock: TypeAlias = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]
RuleName: TypeAlias = Literal[
    "once", "daily", "weekly", "monthly", "yearly", "every_business_day", "nth_business_day", "nth_working_day"
]
OnClosed: TypeAlias = Literal["same", "before", "after"]
IfUnpaid: TypeAlias = Literal["skip", "pause"]
Day: TypeAlias = Annotated[int, Meta(ge=1, le=31)]
Times: TypeAlias = Annotated[int, Meta(ge=1, le=10_000)]


class CreateSchedule(Command, frozen=True, tag="create_schedule", gc=False):
    """Pay on later dates: on `first_on`, and then as `rule` says, until a day, so many times, or without end.

    `day`: of the month, or the n of an nth day (payday in Brazil: the 5th working day). `on_closed`: what happens on a
    day on which banks rest. `at`: local time, six in the morning if not said, so that the money is there when the day
    begins. When funds are lacking, a date is attempted `attempts` times, `retry_after_s` apart; `if_unpaid`: then it
    is skipped, or the schedule pauses. The same id again gives the schedule as it stands.
    """

    schedule: ScheduleId
    payer: AccountId
    payee: AccountId
    amount: Amount
    rule: RuleName
    first_on: Date
    at: Clock | UnsetType = UNSET
    day: Day | UnsetType = UNSET
    on_closed: OnClosed | UnsetType = UNSET
    until: Date | UnsetType = UNSET
    times: Times | UnsetType = UNSET
    attempts: Annotated[int, Meta(ge=1, le=10)] | UnsetType = UNSET
    retry_after_s: Annotated[int, Meta(ge=60, le=604_800)] | UnsetType = UNSET
    if_unpaid: IfUnpaid | UnsetType = UNSET
    description: Description | UnsetType = UNSET


class PreviewSchedule(Command, frozen=True, tag="preview_schedule", gc=False):
    """The next dates that a schedule would have. Nothing is made."""

    rule: RuleName
    first_on: Date
    at: Clock | UnsetType = UNSET
    day: Day | UnsetType = UNSET
    on_closed: OnClosed | UnsetType = UNSET
    until: Date | UnsetType = UNSET
    times: Times | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=DATES_MAX)] | UnsetType = UNSET


class ReadSchedule(Command, frozen=True, tag="schedule", gc=False):
    """One schedule: its next dates, and what became of the last ones."""

    schedule: ScheduleId


class ReadSchedules(Command, frozen=True, tag="schedules", gc=False):
    """An account's schedules, newest first, below the schedule `before`."""

    account: AccountId
    before: ScheduleId | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)] | UnsetType = UNSET


class PauseSchedule(Command, frozen=True, tag="pause_schedule", gc=False):
    """Let nothing be paid until it is resumed."""

    schedule: ScheduleId


class ResumeSchedule(Command, frozen=True, tag="resume_schedule", gc=False):
    """Go on with the next date to come. Those missed meanwhile are not made up for."""

    schedule: ScheduleId


class CancelSchedule(Command, frozen=True, tag="cancel_schedule", gc=False):
    """End it for good."""

    schedule: ScheduleId


class ScheduleState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A schedule as it stands: active, paused, cancelled or completed. `due_at`: its next attempt, if it is active."""

    schedule: str
    payer: int
    payee: int
    amount: int
    rule: str
    first_on: str
    at: str
    on_closed: str
    attempts: int
    retry_after_s: int
    if_unpaid: str
    status: str
    created_at: str
    day: int | UnsetType = UNSET
    until: str | UnsetType = UNSET
    times: int | UnsetType = UNSET
    description: str | UnsetType = UNSET
    due_at: str | UnsetType = UNSET


class DateState(Struct, frozen=True, gc=False):
    """One date of a schedule: its number, the day that the rule names, and the moment it is due."""

    number: int
    day: str
    due_at: str


class OutcomeState(Struct, frozen=True, gc=False):
    """What became of one attempt at one date: the payment and its status."""

    day: str
    attempt: int
    payment: str
    status: str
    at: str


class ScheduleAnswer(Message, frozen=True, tag="schedule_state", gc=False):
    """A schedule after what was asked."""

    id: int
    schedule: ScheduleState


class ScheduleFileAnswer(Message, frozen=True, tag="schedule_file", gc=False):
    """A schedule, its next dates, and what became of the last ones, the latest first."""

    id: int
    schedule: ScheduleState
    coming: list[DateState]
    outcomes: list[OutcomeState]


class SchedulesAnswer(Message, frozen=True, tag="schedule_states", gc=False):
    """A page of schedules, newest first. `next` is the `before` of the next page; none: this was the last."""

    id: int
    schedules: list[ScheduleState]
    next: str | UnsetType = UNSET


class PreviewAnswer(Message, frozen=True, tag="schedule_preview", gc=False):
    """Dates to come. `holidays`: whether the holidays of the tenant's country are known; if not, only weekends rest."""

    id: int
    dates: list[DateState]
    holidays: bool


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    CreateSchedule,
    PreviewSchedule,
    ReadSchedule,
    ReadSchedules,
    PauseSchedule,
    ResumeSchedule,
    CancelSchedule,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (ScheduleAnswer, ScheduleFileAnswer, SchedulesAnswer, PreviewAnswer)

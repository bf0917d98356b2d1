"""Examples of hub/protocol/schedules.py."""

from hub.protocol import schedules
from hub.protocol.fields import Message

SCHEDULE = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-000000000001"
AT = "2026-03-01T12:34:56.789012Z"
RENT = schedules.ScheduleState(
    SCHEDULE,
    1,
    2,
    3,
    "monthly",
    "2026-03-31",
    "06:00",
    "after",
    3,
    3_600,
    "skip",
    "active",
    AT,
    day=31,
    until="2027-03-31",
    times=12,
    description="Rent é",
    due_at=AT,
)
ONCE = schedules.ScheduleState(
    SCHEDULE, 1, 2, 3, "once", "2026-03-31", "06:00", "same", 1, 60, "pause", "completed", AT
)
DATE = schedules.DateState(1, "2026-03-31", AT)

EXAMPLES: tuple[Message, ...] = (
    schedules.CreateSchedule(
        1,
        SCHEDULE,
        123456789012,
        210987654321,
        5,
        "monthly",
        "2026-03-31",
        at="23:59",
        day=31,
        on_closed="before",
        until="2027-03-31",
        times=12,
        attempts=10,
        retry_after_s=604_800,
        if_unpaid="pause",
        description="Rent",
    ),
    schedules.CreateSchedule(1, SCHEDULE, 1, 2, 3, "once", "2026-03-31"),
    schedules.PreviewSchedule(
        2, "nth_working_day", "2026-03-01", at="00:00", day=5, on_closed="after", until="2027-01-01", times=3, limit=60
    ),
    schedules.PreviewSchedule(2, "every_business_day", "2026-03-01"),
    schedules.ReadSchedule(3, SCHEDULE),
    schedules.ReadSchedules(4, 123456789012, before=SCHEDULE, limit=10),
    schedules.ReadSchedules(4, 123456789012),
    schedules.PauseSchedule(5, SCHEDULE),
    schedules.ResumeSchedule(6, SCHEDULE),
    schedules.CancelSchedule(7, SCHEDULE),
    schedules.ScheduleAnswer(1, RENT),
    schedules.ScheduleFileAnswer(
        3, ONCE, [DATE], [schedules.OutcomeState("2026-03-31", 1, PAYMENT, "insufficient_funds", AT)]
    ),
    schedules.SchedulesAnswer(4, [RENT, ONCE], next=SCHEDULE),
    schedules.SchedulesAnswer(4, []),
    schedules.PreviewAnswer(2, [DATE], True),
)

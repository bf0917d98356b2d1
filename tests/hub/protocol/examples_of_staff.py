"""Examples of hub/protocol/staff.py."""

from hub.protocol import staff
from hub.protocol.fields import Message

PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
OTHER = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
ENTRY = "ffffffff-ffff-4fff-bfff-ffffffffffff"
AT = "2026-03-01T12:34:56.789012Z"

EXAMPLES: tuple[Message, ...] = (
    staff.SetRole(1, PERSON, "support", case="case-2026/17"),
    staff.SetRole(1, PERSON, "auditor"),
    staff.ReadRoleRequests(2),
    staff.ReadPeopleSettings(3),
    staff.SetPeopleSettings(4, merchants_begin_pending=False, customers_need=["cpf", "birth_date"]),
    staff.SetPeopleSettings(
        4,
        customers_begin_pending=True,
        pending_are_paid=True,
        pending_pay=True,
        merchants_need=[],
        needs_second_operator=True,
    ),
    staff.ReadTrail(5),
    staff.ReadTrail(
        5,
        who=PERSON,
        what="person.status_set",
        about=OTHER,
        since=AT,
        before="2026-03-02T09:34:56-03:00",
        before_entry=ENTRY,
        limit=10,
    ),
    staff.RoleSet(1, PERSON, "customer", "customer", waits=True),
    staff.RoleSet(1, PERSON, "auditor", "customer"),
    staff.RoleRequests(2, [staff.RoleRequestState(PERSON, "support", OTHER, AT)]),
    staff.PeopleSettingsAnswer(3, False, True, True, False, ["cpf", "birth_date"], [], True),
    staff.TrailPage(
        5,
        [
            staff.TrailEntry(
                ENTRY,
                AT,
                "person.status_set",
                who=PERSON,
                about=OTHER,
                why="case-2026/17",
                session=ENTRY,
                network="203.0.113.0/24",
                details='{"after": "blocked"}',
            ),
            staff.TrailEntry(ENTRY, AT, "key.rotated"),
        ],
        next_before=AT,
        next_entry=ENTRY,
    ),
    staff.TrailPage(5, []),
)

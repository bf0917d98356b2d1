"""Who works for the tenant: roles, what the tenant asks of its people, and the audit trail."""

from typing import Annotated, Final, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.fields import PAGE_LENGTH_MAX, UUID_PATTERN, Command, Message, Role, Time
from hub.protocol.people import Case, FieldName, PersonId

EntryId: TypeAlias = Annotated[
    str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="An entry's id.")
]
What: TypeAlias = Annotated[
    str, Meta(pattern="^[a-z_]+[.][a-z_]+$", max_length=60, description="What was done: session.started, setting.rule…")
]
About: TypeAlias = Annotated[
    str, Meta(pattern="^[A-Za-z0-9._:/-]{1,200}$", description="The id of what it was done to.")
]
Needed: TypeAlias = Annotated[list[FieldName], Meta(max_length=10)]


class SetRole(Command, frozen=True, tag="set_role", gc=False):
    """Operators: give somebody a role; their sessions end, and begin anew with it. Never one's own.

    Where the tenant wants two operators to agree on staff, the first one asks, and it is done when another one says the
    same within a week.
    """

    person: PersonId
    role: Role
    case: Case | UnsetType = UNSET


class ReadRoleRequests(Command, frozen=True, tag="role_requests", gc=False):
    """Operators and auditors: roles that wait for a second operator, oldest first."""


class ReadPeopleSettings(Command, frozen=True, tag="people_settings", gc=False):
    """Operators and auditors: what the tenant asks of its people."""


class SetPeopleSettings(Command, frozen=True, tag="set_people_settings", gc=False):
    """Operators: change what the tenant asks of its people; what is left out stays.

    `customers_begin_pending`, `merchants_begin_pending`: whoever registers waits for an operator; whoever names a CPF
    does so anyway, for else it would show whether somebody has it. `pending_are_paid`, `pending_pay`: what they may
    meanwhile. `customers_need`, `merchants_need`: what they have to say of themselves. `needs_second_operator`: for a
    role among the staff; only the administrator gives that up again.
    """

    customers_begin_pending: bool | UnsetType = UNSET
    merchants_begin_pending: bool | UnsetType = UNSET
    pending_are_paid: bool | UnsetType = UNSET
    pending_pay: bool | UnsetType = UNSET
    customers_need: Needed | UnsetType = UNSET
    merchants_need: Needed | UnsetType = UNSET
    needs_second_operator: bool | UnsetType = UNSET


class ReadTrail(Command, frozen=True, tag="trail", gc=False):
    """The audit trail, newest first. Operators and auditors: the tenant's, and that they read it is written down.

    Anybody else: what they did, and what was done to their profile, contacts, role and sessions; not who of the staff
    it was, nor why. The next page begins before `before` and `before_entry`, which come together.
    """

    who: PersonId | UnsetType = UNSET
    what: What | UnsetType = UNSET
    about: About | UnsetType = UNSET
    since: Time | UnsetType = UNSET
    before: Time | UnsetType = UNSET
    before_entry: EntryId | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)] | UnsetType = UNSET


class RoleSet(Message, frozen=True, tag="role_set", gc=False):
    """The person's role. `waits`: it is what it was before, until another operator says the same."""

    id: int
    person: str
    role: str
    before: str
    waits: bool | UnsetType = UNSET


class RoleRequestState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A role that waits for a second operator."""

    person: str
    role: str
    asked_by: str
    asked_at: str


class RoleRequests(Message, frozen=True, tag="role_request_states", gc=False):
    """All that wait."""

    id: int
    requests: list[RoleRequestState]


class PeopleSettingsAnswer(Message, frozen=True, tag="people_settings_state", gc=False):
    """What the tenant asks of its people."""

    id: int
    customers_begin_pending: bool
    merchants_begin_pending: bool
    pending_are_paid: bool
    pending_pay: bool
    customers_need: list[FieldName]
    merchants_need: list[FieldName]
    needs_second_operator: bool


class TrailEntry(Struct, frozen=True, omit_defaults=True, gc=False):
    """One entry. Without `who`, the installation did it, or (in one's own) somebody of the staff. `details`: JSON."""

    entry: str
    at: str
    what: str
    who: str | UnsetType = UNSET
    about: str | UnsetType = UNSET
    why: str | UnsetType = UNSET
    session: str | UnsetType = UNSET
    network: str | UnsetType = UNSET
    details: str | UnsetType = UNSET


class TrailPage(Message, frozen=True, tag="trail_page", gc=False):
    """A page, newest first. `next_…` begin the next page; none: this was the last."""

    id: int
    entries: list[TrailEntry]
    next_before: str | UnsetType = UNSET
    next_entry: str | UnsetType = UNSET


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    SetRole,
    ReadRoleRequests,
    ReadPeopleSettings,
    SetPeopleSettings,
    ReadTrail,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (RoleSet, RoleRequests, PeopleSettingsAnswer, TrailPage)

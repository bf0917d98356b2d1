"""Security incidents (LGPD art. 48; Resolução CD/ANPD 15/2024): written down, counted, told. For operators."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.disputes import STORY_PATTERN
from hub.protocol.fields import FREE, UUID_PATTERN, Command, Message, Time
from hub.protocol.privacy import PageLength, PersonId

NOTE_LENGTH_MAX: Final = 4_000
# More than there are.
TABLES_MAX: Final = 200

IncidentId: TypeAlias = Annotated[
    str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A UUID made by whoever writes it down.")
]
Note: TypeAlias = Annotated[str, Meta(min_length=1, max_length=NOTE_LENGTH_MAX, pattern=STORY_PATTERN, extra=FREE)]
TableName: TypeAlias = Annotated[str, Meta(pattern="^[a-z_]{1,63}$", description="A table of the record.")]


class IncidentNotes(Struct, frozen=True, omit_defaults=True, gc=False, forbid_unknown_fields=True):
    """What the institution says of it. `not_told_why`: that nobody has to be told, and why (art. 10, § 1, VIII)."""

    what: Note
    cause: Note | UnsetType = UNSET
    measures_before: Note | UnsetType = UNSET
    measures_after: Note | UnsetType = UNSET
    risks: Note | UnsetType = UNSET
    mitigation: Note | UnsetType = UNSET
    delay: Note | UnsetType = UNSET
    not_told_why: Note | UnsetType = UNSET
    vulnerable: Note | UnsetType = UNSET


class RecordIncident(Command, frozen=True, tag="record_incident", gc=False):
    """Write an incident down, and find whom it concerns. The clocks run from `known_at`.

    `scope` store: everything that was there by `ended_at`, as when a copy got out; traffic: what came about from
    `began_at` to `ended_at`. `tables`: what was hit; none: all personal data. `keys_too`: their keys were hit as well.
    """

    incident: IncidentId
    known_at: Time
    began_at: Time
    ended_at: Time
    scope: Literal["store", "traffic"]
    notes: IncidentNotes
    tables: Annotated[list[TableName], Meta(min_length=1, max_length=TABLES_MAX)] | UnsetType = UNSET
    keys_too: bool | UnsetType = UNSET


class ReviseIncident(Command, frozen=True, tag="revise_incident", gc=False):
    """Add what was learned or done since, as a revision. What is left out stays as it was."""

    incident: IncidentId
    notes: IncidentNotes | UnsetType = UNSET
    told_authority_at: Time | UnsetType = UNSET
    told_persons_at: Time | UnsetType = UNSET


class ReadIncident(Command, frozen=True, tag="incident", gc=False):
    """An incident as it is known now. The drafts and the list of persons are files, over HTTP."""

    incident: IncidentId


class ReadIncidents(Command, frozen=True, tag="incidents", gc=False):
    """The register, the latest known first, before the incident `before`."""

    before: IncidentId | UnsetType = UNSET
    limit: PageLength | UnsetType = UNSET


class ReadIncidentPersons(Command, frozen=True, tag="incident_persons", gc=False):
    """Ids of whom an incident concerns, in their order, after `after`."""

    incident: IncidentId
    after: PersonId | UnsetType = UNSET
    limit: PageLength | UnsetType = UNSET


class FigureState(Struct, frozen=True, gc=False):
    """A kind of data that was hit: of how many persons, and whether all of it is noise without their keys."""

    kind: str
    persons: int
    sealed: bool


class IncidentState(Struct, frozen=True, omit_defaults=True, gc=False):
    """An incident. `tell_by` and `complement_by`: the first moments that are too late.

    `criteria`: which of art. 5's criteria the register sees met (III financial data, IV authentication data).
    """

    incident: str
    revision: int
    recorded_at: str
    known_at: str
    began_at: str
    ended_at: str
    scope: str
    keys_too: bool
    tables: list[str]
    notes: IncidentNotes
    persons: int
    total_persons: int
    figures: list[FigureState]
    criteria: list[str]
    tell_by: str
    small_agent: bool
    told_authority_at: str | UnsetType = UNSET
    complement_by: str | UnsetType = UNSET
    told_persons_at: str | UnsetType = UNSET


class IncidentAnswer(Message, frozen=True, tag="incident_state", gc=False):
    """One incident."""

    id: int
    incident: IncidentState


class IncidentsAnswer(Message, frozen=True, tag="incident_states", gc=False):
    """A page of the register. `next` is the `before` of the next page; none: this was the last."""

    id: int
    incidents: list[IncidentState]
    next: str | UnsetType = UNSET


class IncidentPersonsAnswer(Message, frozen=True, tag="incident_person_ids", gc=False):
    """A page of persons. `next` is the `after` of the next page; none: this was the last."""

    id: int
    incident: str
    persons: list[str]
    next: str | UnsetType = UNSET


# Over HTTP alone


class FetchAuthorityDraft(Struct, frozen=True, forbid_unknown_fields=True):
    """The draft of what the ANPD is told (art. 6), as Markdown."""

    incident: IncidentId


class FetchPersonsDraft(Struct, frozen=True, forbid_unknown_fields=True):
    """The draft of what the people concerned are told (art. 9), as Markdown."""

    incident: IncidentId


class FetchPersonsList(Struct, frozen=True, forbid_unknown_fields=True):
    """Ids of all whom an incident concerns, as CSV."""

    incident: IncidentId


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    RecordIncident,
    ReviseIncident,
    ReadIncident,
    ReadIncidents,
    ReadIncidentPersons,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (IncidentAnswer, IncidentsAnswer, IncidentPersonsAnswer)

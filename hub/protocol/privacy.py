"""What is held about a person: shown, handed over as files, shared with whom, and erased (LGPD art. 18)."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.fields import PAGE_LENGTH_MAX, UUID_PATTERN, Command, Message

Language: TypeAlias = Literal["pt", "en"]
ExportId: TypeAlias = Annotated[
    str,
    Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A UUID made by whoever asks."),
]
PersonId: TypeAlias = Annotated[str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36)]
DisclosureId: TypeAlias = Annotated[str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36)]
PageLength: TypeAlias = Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)]
# A merchant's hundred thousand payments are ten; a thousand is more than any account can have.
VOLUMES_MAX: Final = 1_000


class ReadData(Command, frozen=True, tag="my_data", gc=False):
    """What is held about the speaker, in short: which kinds, how much of each, why, for how long (art. 19, I)."""

    language: Language | UnsetType = UNSET


class AskExport(Command, frozen=True, tag="ask_export", gc=False):
    """Ask for everything that is held about the speaker, as JSON and as PDF (art. 18, II and V; art. 19, II).

    One at a time and a few a day. The files are the speaker's to fetch for seven days, over HTTP.
    """

    export: ExportId
    language: Language | UnsetType = UNSET


class ReadExport(Command, frozen=True, tag="export", gc=False):
    """An export as it stands. With `watch`, the socket is told of its progress until it is ready."""

    export: ExportId
    watch: bool | UnsetType = UNSET


class ReadExports(Command, frozen=True, tag="exports", gc=False):
    """The speaker's exports, newest first, before the one called `before`."""

    before: ExportId | UnsetType = UNSET
    limit: PageLength | UnsetType = UNSET


class ReadDisclosures(Command, frozen=True, tag="disclosures", gc=False):
    """Who was told what about the speaker (art. 18, VII), newest first, before the one called `before`."""

    before: DisclosureId | UnsetType = UNSET
    limit: PageLength | UnsetType = UNSET


class ReadErasure(Command, frozen=True, tag="erasure", gc=False):
    """What erasing the speaker would meet, or what became of it. Operators may name somebody else."""

    person: PersonId | UnsetType = UNSET


class Erase(Command, frozen=True, tag="erase", gc=False):
    """End the relationship and erase the speaker (art. 18, VI): for good, as far as nothing obliges to keep it.

    `person` says again who it is: the speaker or, for operators who were asked to, somebody else. Accounts are closed
    and sessions end; what the law obliges to keep is kept until its day, and nobody can use it meanwhile.
    """

    person: PersonId


class HeldState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A kind of data that is held: how many rows, `at_least` so many where counting on would take long."""

    section: str
    title: str
    count: int
    purpose: str
    basis: str
    kept: str
    recipients: list[str]
    law: str | UnsetType = UNSET
    at_least: bool | UnsetType = UNSET


class DataAnswer(Message, frozen=True, tag="data_held", gc=False):
    """What is held, by whom, and whom to ask."""

    id: int
    controller: str
    held: list[HeldState]
    officer: str | UnsetType = UNSET
    contact: str | UnsetType = UNSET


class ExportState(Struct, frozen=True, omit_defaults=True, gc=False):
    """An export as it stands: waiting, making, ready, expired or failed. `done` of `total` things are told.

    When it is ready: the bytes of the JSON, the volumes of the PDF, and until when they can be fetched.
    """

    export: str
    status: str
    language: str
    asked_at: str
    done: int
    total: int
    json_size: int | UnsetType = UNSET
    volumes: int | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET


class ExportAnswer(Message, frozen=True, tag="export_state", gc=False):
    """One export."""

    id: int
    export: ExportState


class ExportsAnswer(Message, frozen=True, tag="export_states", gc=False):
    """A page of exports. `next` is the `before` of the next page; none: this was the last."""

    id: int
    exports: list[ExportState]
    next: str | UnsetType = UNSET


class ExportProgress(Message, frozen=True, tag="export_progress", gc=False):
    """How far an export is that this session watches, at most four times a second. The last says ready or failed."""

    export: str
    status: str
    done: int
    total: int


class DisclosureState(Struct, frozen=True, omit_defaults=True, gc=False):
    """What somebody was told once. `consent`: the purpose of consent that it rested on."""

    disclosure: str
    at: str
    recipient: str
    purpose: str
    basis: str
    kinds: list[str]
    consent: str | UnsetType = UNSET


class DisclosuresAnswer(Message, frozen=True, tag="disclosure_states", gc=False):
    """A page of disclosures. `next` is the `before` of the next page; none: this was the last."""

    id: int
    disclosures: list[DisclosureState]
    next: str | UnsetType = UNSET


class ObstacleState(Struct, frozen=True, omit_defaults=True, gc=False):
    """What has to be done first, and what it is about: a dispute, a payment, a schedule or a bulk."""

    code: str
    advice: str
    account: int | UnsetType = UNSET
    about: str | UnsetType = UNSET


class DutyState(Struct, frozen=True, gc=False):
    """What has to be kept, by which rule, and the first day on which it has not (LGPD art. 16, I)."""

    code: str
    law: str
    until: str
    tables: list[str]


class ErasureAnswer(Message, frozen=True, tag="erasure_state", gc=False):
    """An erasure: not asked, waiting for its day, erasing or erased.

    Where it was not asked for, `obstacles` and `kept` are what asking would meet now.
    """

    id: int
    person: str
    status: str
    obstacles: list[ObstacleState]
    kept: list[DutyState]
    due_on: str | UnsetType = UNSET
    asked_at: str | UnsetType = UNSET
    erased_at: str | UnsetType = UNSET


# Over HTTP alone


class FetchJson(Struct, frozen=True, forbid_unknown_fields=True):
    """A finished export as JSON; its schema is in /docs/person-export.schema.json."""

    export: ExportId


class FetchPdf(Struct, frozen=True, forbid_unknown_fields=True):
    """A finished export as PDF: its volume, counted from 1."""

    export: ExportId
    volume: Annotated[int, Meta(ge=1, le=VOLUMES_MAX)] | UnsetType = UNSET


class ReadRecordJson(Struct, frozen=True, forbid_unknown_fields=True):
    """The record of processing (art. 37) as a value, for operators and auditors."""

    language: Language | UnsetType = UNSET


class ReadRecordPage(Struct, frozen=True, forbid_unknown_fields=True):
    """The record of processing (art. 37) as a page in Markdown, for operators and auditors."""

    language: Language | UnsetType = UNSET


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    ReadData,
    AskExport,
    ReadExport,
    ReadExports,
    ReadDisclosures,
    ReadErasure,
    Erase,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    DataAnswer,
    ExportAnswer,
    ExportsAnswer,
    ExportProgress,
    DisclosuresAnswer,
    ErasureAnswer,
)

"""What is held about a person: shown in short, and handed over as files that only they can fetch."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from msgspec import UNSET

from core.privacy import exports as core_exports
from core.privacy.controller import read_controller
from core.privacy.disclosures import list_disclosures
from core.privacy.exports import Export, Progress, ask_export, fetch_file, read_export
from core.privacy.states import ExportStatus, Form
from core.privacy.summary import Held, summarise
from hub.commands.bulking import WATCHED_MAX
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset, time_of, time_or_unset
from hub.protocol import privacy
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.session import Session, State

# Portuguese, unless somebody says otherwise: it is a Brazilian right.
LANGUAGE: Final = "pt"
OVER: Final = frozenset({ExportStatus.READY, ExportStatus.EXPIRED, ExportStatus.FAILED})


@dataclass(slots=True)
class Watch:
    """Who watches an export, and what they were told last."""

    sessions: set[Session] = field(default_factory=set)
    told: Progress | None = None


async def data(context: Context, session: Session, command: privacy.ReadData) -> privacy.DataAnswer:
    """What is held about the speaker, in short."""
    speaker = session.speaker
    held = await summarise(context.pool, speaker.tenant_id, speaker.person_id, given(command.language, LANGUAGE))
    controller, _ = await read_controller(context.pool, speaker.tenant_id)
    officer = " · ".join(filter(None, (controller.officer, controller.officer_contact)))
    return privacy.DataAnswer(
        command.id,
        controller.name,
        [_to_held(one) for one in held],
        officer or UNSET,
        or_unset(controller.contact),
    )


async def ask(context: Context, session: Session, command: privacy.AskExport) -> privacy.ExportAnswer:
    """Ask for everything."""
    speaker = session.speaker
    made = await ask_export(
        context.pool,
        speaker.tenant_id,
        speaker.person_id,
        command.export,
        given(command.language, LANGUAGE),
        session.by,
    )
    return privacy.ExportAnswer(command.id, to_state(made))


async def export(context: Context, session: Session, command: privacy.ReadExport) -> privacy.ExportAnswer:
    """An export as it stands, and from now on, over a socket, its progress."""
    speaker = session.speaker
    found = await read_export(context.pool, speaker.tenant_id, speaker.person_id, command.export)
    watch = given(command.watch)
    # Over HTTP there is nobody to tell later.
    if watch is not None and session.door is not None:
        _watch(context, session, found, wanted=watch)
    return privacy.ExportAnswer(command.id, to_state(found))


async def list_exports(context: Context, session: Session, command: privacy.ReadExports) -> privacy.ExportsAnswer:
    """A page of the speaker's exports."""
    speaker, limit = session.speaker, given(command.limit, PAGE_LENGTH)
    found = await core_exports.list_exports(
        context.pool, speaker.tenant_id, speaker.person_id, limit + 1, given(command.before)
    )
    page = [to_state(one) for one in found[:limit]]
    return privacy.ExportsAnswer(command.id, page, page[-1].export if len(found) > limit else UNSET)


async def disclosures(
    context: Context, session: Session, command: privacy.ReadDisclosures
) -> privacy.DisclosuresAnswer:
    """A page of who was told what about the speaker."""
    speaker, limit = session.speaker, given(command.limit, PAGE_LENGTH)
    found = await list_disclosures(context.pool, speaker.tenant_id, speaker.person_id, limit + 1, given(command.before))
    page = [
        privacy.DisclosureState(
            one.id, time_of(one.at), one.recipient, one.purpose, one.basis, one.kinds, or_unset(one.consent)
        )
        for one in found[:limit]
    ]
    return privacy.DisclosuresAnswer(command.id, page, page[-1].disclosure if len(found) > limit else UNSET)


async def fetch(
    context: Context, session: Session, export_id: str, form: Form, volume: int = 0
) -> AsyncIterator[bytes]:
    """A finished file, in pieces; the first refusal comes before the first piece."""
    speaker = session.speaker
    return await fetch_file(
        context.pool, context.keys, speaker.tenant_id, speaker.person_id, export_id, form, volume, session.by
    )


async def tell_progress(context: Context) -> None:
    """Tell who watches exports that have moved. One question for all of them, and none while nobody watches."""
    watched: dict[tuple[int, str], Watch] = context.watched_exports
    for key, watch in list(watched.items()):
        watch.sessions = {one for one in watch.sessions if one.state is State.LIVE and topic(key[1]) in one.watching}
        if not watch.sessions:
            del watched[key]
    if not watched:
        return
    for progress in await core_exports.read_progress(context.pool, list(watched)):
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


def topic(export_id: str) -> str:
    """What a session watches."""
    return f"export:{export_id}"


def to_state(one: Export) -> privacy.ExportState:
    """An export as the wire shows it."""
    is_ready = one.status == ExportStatus.READY
    return privacy.ExportState(
        one.id,
        ExportStatus(one.status).name.lower(),
        one.language,
        time_of(one.asked_at),
        one.done,
        one.total,
        one.json_size if is_ready else UNSET,
        one.volumes if is_ready else UNSET,
        time_or_unset(one.finished_at),
        time_or_unset(one.expires_at),
    )


def to_progress(progress: Progress) -> privacy.ExportProgress:
    """An export's progress as the wire shows it."""
    name = ExportStatus(progress.status).name.lower()
    return privacy.ExportProgress(progress.id, name, progress.done, progress.total)


def _watch(context: Context, session: Session, one: Export, *, wanted: bool) -> None:
    name = topic(one.id)
    if not wanted:
        session.watching.discard(name)
        return
    if one.status in OVER:
        return
    if name not in session.watching and sum(each.startswith("export:") for each in session.watching) >= WATCHED_MAX:
        raise CommandRefused(ErrorCode.TOO_MANY_FOLLOWED)
    session.watching.add(name)
    context.watched_exports.setdefault((session.speaker.tenant_id, one.id), Watch()).sessions.add(session)


def _to_held(one: Held) -> privacy.HeldState:
    basis = one.explained["basis"]
    assert isinstance(basis, dict)
    return privacy.HeldState(
        one.section,
        str(one.explained["title"]),
        one.rows,
        str(one.explained["purpose"]),
        str(basis["article"]),
        str(one.explained["retention"]),
        list(one.explained["recipients"]),  # type: ignore[call-overload]
        or_unset(basis["law"]),
        one.is_more or UNSET,
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(privacy.ReadData, privacy.DataAnswer, data, "GET", "/v1/privacy/data"),
    Row(privacy.AskExport, privacy.ExportAnswer, ask, "POST", "/v1/privacy/exports", 201),
    Row(privacy.ReadExports, privacy.ExportsAnswer, list_exports, "GET", "/v1/privacy/exports"),
    Row(privacy.ReadExport, privacy.ExportAnswer, export, "GET", "/v1/privacy/exports/{export}"),
    Row(privacy.ReadDisclosures, privacy.DisclosuresAnswer, disclosures, "GET", "/v1/privacy/disclosures"),
)

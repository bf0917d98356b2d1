"""What is known of people: read, looked for, changed."""

from typing import Any, Final

from msgspec import UNSET, UnsetType

from core.people import knowing
from core.people.contacts import Address, to_address
from core.people.fields import BY_NAME, FIELDS, Kind, Value
from core.people.knowing import Look, Seen, mask
from core.people.persons import Role
from core.people.profiles import Known
from core.people.profiles import edit_profile as edit_in_core
from hub.commands.context import Context, to_account_state
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import from_time, given, or_unset, time_of, time_or_unset, to_datetime
from hub.protocol import people
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.session import Session

# What people can be found by, in the order of the command.
FOUND_BY: Final = ("cpf", "cnpj", "email", "phone", "login", "account", "name")


async def read_person(context: Context, session: Session, command: people.ReadPerson) -> people.PersonAnswer:
    """A person as they are known."""
    look = look_of(session, command)
    with_accounts = look is None or not look.is_masked or not isinstance(command.case, UnsetType)
    seen = await knowing.read_person(
        context.pool, context.keys, session.speaker.tenant_id, command.person, look, with_accounts=with_accounts
    )
    return _to_answer(command.id, seen, look)


async def find_people(context: Context, session: Session, command: people.FindPeople) -> people.PeopleFound:
    """Who has this."""
    wanted = [(name, value) for name in FOUND_BY if not isinstance(value := getattr(command, name), UnsetType)]
    if len(wanted) != 1:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "Look for one thing at a time.", field="cpf")
    ((name, value),) = wanted
    look = _as_staff(session, command)
    found = await knowing.find_people(context.pool, context.keys, session.speaker.tenant_id, name, str(value), look)
    return people.PeopleFound(
        command.id,
        [
            people.FoundState(one.id, one.role.name.lower(), _status(one.status), one.is_theirs, or_unset(one.name))
            for one in found
        ],
    )


async def edit_profile(context: Context, session: Session, command: people.EditProfile) -> people.ProfileEdited:
    """Write fields anew, or take them away."""
    speaker = session.speaker
    if command.person != speaker.person_id and isinstance(command.reason, UnsetType):
        raise CommandRefused(ErrorCode.REASON_NEEDED, field="reason")
    changed = await edit_in_core(
        context.pool,
        context.keys,
        speaker.tenant_id,
        command.person,
        given_fields(command),
        given(command.remove, []),
        session.by,
        why_of(command),
    )
    return people.ProfileEdited(command.id, command.person, changed)  # type: ignore[arg-type]


async def history(context: Context, session: Session, command: people.ReadProfileHistory) -> people.ProfileHistory:
    """A page of what was known."""
    look = look_of(session, command)
    limit = given(command.limit, PAGE_LENGTH)
    place = given(command.before), given(command.before_field), given(command.before_number)
    if len({part is None for part in place}) > 1:
        raise CommandRefused(
            ErrorCode.INVALID_FIELD, "before, before_field and before_number come together.", field="before"
        )
    at, field, number = place
    before = None
    if at is not None and field is not None and number is not None:
        before = to_datetime(from_time(at)), BY_NAME[field].kind, number
    found = await knowing.read_fields_history(
        context.pool,
        context.keys,
        session.speaker.tenant_id,
        command.person,
        look,
        limit + 1,
        kind=None if isinstance(command.field, UnsetType) else BY_NAME[command.field].kind,
        before=before,
    )
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    is_masked = look is not None and look.is_masked
    return people.ProfileHistory(
        command.id,
        command.person,
        [_to_field(known, is_masked=is_masked) for known in page],
        is_masked or UNSET,
        UNSET if last is None else time_of(last.set_at),
        UNSET if last is None else _name(last.kind),
        UNSET if last is None else last.number,
    )


def look_of(session: Session, command: Any) -> Look | None:
    """How the speaker looks at the person whom the command names; None: at themselves."""
    return None if command.person == session.speaker.person_id else _as_staff(session, command)


def _as_staff(session: Session, command: Any) -> Look:
    is_support = session.role is Role.SUPPORT
    if is_support and isinstance(command.reason, UnsetType):
        raise CommandRefused(ErrorCode.REASON_NEEDED, field="reason")
    return Look(session.by, why_of(command), is_masked=is_support)


def why_of(command: Any) -> str | None:
    """Why, as the trail keeps it: the reason, and the case's number."""
    parts = given(command.reason), given(command.case)
    return " ".join(part for part in parts if part is not None) or None


def given_fields(command: Any) -> dict[str, Value]:
    """The fields of a person that a command, or a registration, brings."""
    found: dict[str, Value] = {}
    for name in BY_NAME:
        value = getattr(command, name, UNSET)
        if isinstance(value, people.Address):
            found[name] = Address(
                value.street,
                value.city,
                value.postal_code,
                value.country,
                given(value.number),
                given(value.complement),
                given(value.district),
                given(value.state),
            )
        elif not isinstance(value, UnsetType):
            found[name] = value
    return found


def _to_answer(id_: int, seen: Seen, look: Look | None) -> people.PersonAnswer:
    is_masked = look is not None and look.is_masked
    accounts = seen.accounts
    return people.PersonAnswer(
        id_,
        seen.id,
        seen.role.name.lower(),
        _status(seen.status),
        time_of(seen.opened_at),
        [_to_field(known, is_masked=is_masked) for known in seen.fields],
        or_unset(seen.name),
        or_unset(seen.login if not is_masked else None),
        is_masked or UNSET,
        UNSET if accounts is None else [to_account_state(account) for account in accounts],
        UNSET if accounts is not None else list(seen.account_numbers),
        UNSET if look is None or seen.reason is None else seen.reason.value,
        time_or_unset(seen.status_set_at),
        UNSET if look is None else or_unset(seen.status_set_by),
    )


def _to_field(known: Known, *, is_masked: bool) -> people.FieldState:
    shown = mask(known) if is_masked else known
    is_address = shown.kind is Kind.ADDRESS and shown.value is not None
    return people.FieldState(
        _name(shown.kind),
        shown.number,
        time_of(shown.set_at),
        UNSET if is_address else or_unset(shown.value),
        _to_address(shown.value) if is_address and shown.value is not None else UNSET,
        time_or_unset(shown.held_at),
        or_unset(shown.set_by),
        or_unset(shown.session_id),
    )


def _to_address(kept: str) -> people.Address:
    found = to_address(kept)
    return people.Address(
        found.street,
        found.city,
        found.postal_code,
        found.country,
        or_unset(found.number),
        or_unset(found.complement),
        or_unset(found.district),
        or_unset(found.state),
    )


def _name(kind: Kind) -> Any:
    return FIELDS[kind].name


def _status(status: Any) -> Any:
    return status.name.lower()


ROWS: Final[tuple[Row, ...]] = (
    # What is looked for stands in no address: addresses are in everybody's logs.
    Row(people.FindPeople, people.PeopleFound, find_people, "POST", "/v1/people/search"),
    Row(people.ReadPerson, people.PersonAnswer, read_person, "GET", "/v1/people/{person}"),
    Row(people.EditProfile, people.ProfileEdited, edit_profile, "PATCH", "/v1/people/{person}"),
    Row(people.ReadProfileHistory, people.ProfileHistory, history, "GET", "/v1/people/{person}/history"),
)

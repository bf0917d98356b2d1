"""Live traffic and who is connected: what hubs hold in memory, put together for whoever oversees a tenant.

Each hub counts its own seconds. While somebody watches a tenant, the others say theirs once a second; of those that are
over already, and of who is connected, they are asked (hub/asking.py). Redis may lose any of it: every answer says how
many hubs it comes from. It holds no money and decides nothing.
"""

from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

from msgspec import UNSET

from core.audit.trail import Act, note
from core.database import in_tenant
from core.notices.outbox import read_outbox_age
from hub.commands.context import STATUS_NAMES, Context
from hub.commands.row import Row
from hub.commands.values import given, or_unset, to_time
from hub.presence import Departure, Present
from hub.protocol import oversight
from hub.protocol.fields import PAGE_LENGTH
from hub.session import Session, State
from hub.traffic import SHOWN_S, Second, merge, percentile_us

TOPIC: Final = "traffic"
# After a second's end: when hubs say theirs, and when what was heard is told.
SAID_AFTER_S: Final = 0.1
TOLD_AFTER_S: Final = 0.4

DoorName: TypeAlias = Literal["web", "native", "machine", "seat"]


class Said(NamedTuple):
    """What one hub says of a tenant: its seconds, and how many connections it has."""

    seconds: list[Second]
    sessions: int


async def traffic(context: Context, session: Session, command: oversight.ReadTraffic) -> oversight.TrafficAnswer:
    """The last two minutes; with `watch`, each further second as it ends."""
    tenant_id, now = session.speaker.tenant_id, context.now()
    if command.watch is not UNSET:
        _watch(context, session, wanted=command.watch)
    said = [_said(context, tenant_id, now), *(_to_said(one) for one in await context.asking.ask(TOPIC, tenant_id))]
    seconds = merge(second for one in said for second in one.seconds)
    return oversight.TrafficAnswer(
        command.id,
        to_time(int(now) * 1_000_000),
        len(said),
        context.broker.others + 1,
        sum(one.sessions for one in said),
        await _outbox_ms(context, tenant_id),
        [_to_second(second) for second in seconds],
    )


async def connections(
    context: Context, session: Session, command: oversight.ReadConnections
) -> oversight.ConnectionsAnswer:
    """Who is connected and who left, on every hub that answers."""
    tenant_id, person, limit = session.speaker.tenant_id, given(command.person), given(command.limit, PAGE_LENGTH)
    fields = [person, limit]
    answers = [_connected(context, tenant_id, fields), *await context.asking.ask("connections", tenant_id, fields)]
    present = [Present(*row) for _, rows, _ in answers for row in rows]
    departures = [Departure(*row) for _, _, rows in answers for row in rows]
    async with in_tenant(context.pool, tenant_id) as connection:
        details = {"connections": len(present), "departures": len(departures)}
        await note(connection, tenant_id, session.by, Act.PERSONAL_DATA_READ, person, details=details)
    return oversight.ConnectionsAnswer(
        command.id,
        len(answers),
        context.broker.others + 1,
        sum(total for total, _, _ in answers),
        [_to_connected(one) for one in sorted(present, key=lambda one: one.since, reverse=True)],
        [_to_departure(one) for one in sorted(departures, key=lambda one: one.at, reverse=True)],
    )


def answer_hub(context: Context, what: str, tenant_id: int, fields: Any) -> Any:
    """What another hub asks for: plain values, as they travel."""
    if what == TOPIC:
        return _said(context, tenant_id, context.now())
    return _connected(context, tenant_id, fields)


def say_seconds(context: Context) -> None:
    """Tell the other hubs the second that is over, of the tenants that somebody watches there."""
    for channel in context.broker.wanted(f"{TOPIC}:"):
        tenant_id = int(channel.partition(":")[2])
        context.broker.publish(channel, _said(context, tenant_id, context.now(), 1))


def hear_second(context: Context, tenant_id: int, hint: Any) -> None:
    """Another hub's last second, for whoever watches here."""
    if tenant_id in context.watched_traffic:
        context.heard_traffic.setdefault((tenant_id, int(context.now()) - 1), []).append(_to_said(hint))


async def tell_seconds(context: Context) -> None:
    """Tell whoever watches the second that is over."""
    now = context.now()
    at = int(now) - 1
    for tenant_id, watching in list(context.watched_traffic.items()):
        gone = {one for one in watching if one.state is not State.LIVE or TOPIC not in one.watching}
        watching -= gone
        if not watching:
            del context.watched_traffic[tenant_id]
            context.broker.forget(_channel(tenant_id))
            continue
        said = [_said(context, tenant_id, now, 1), *context.heard_traffic.get((tenant_id, at), ())]
        merged = merge(second for one in said for second in one.seconds)
        second = next((one for one in merged if one.at == at), Second(at, {}, {}))
        message = oversight.TrafficSecond(
            _to_second(second),
            len(said),
            context.broker.others + 1,
            sum(one.sessions for one in said),
            await _outbox_ms(context, tenant_id),
        )
        context.tell(tenant_id, TOPIC, message)
    context.heard_traffic = {key: heard for key, heard in context.heard_traffic.items() if key[1] > at}


def _watch(context: Context, session: Session, *, wanted: bool) -> None:
    # A request over HTTP has nobody to tell.
    if session.door is None:
        return
    if not wanted:
        session.watching.discard(TOPIC)
        return
    tenant_id = session.speaker.tenant_id
    session.watching.add(TOPIC)
    if tenant_id not in context.watched_traffic:
        context.watched_traffic[tenant_id] = set()
        context.broker.listen_to(_channel(tenant_id))
    context.watched_traffic[tenant_id].add(session)


def _channel(tenant_id: int) -> str:
    return f"{TOPIC}:{tenant_id}"


async def _outbox_ms(context: Context, tenant_id: int) -> int:
    return int(await read_outbox_age(context.pool, tenant_id) * 1_000)


def _said(context: Context, tenant_id: int, now: float, length_s: int = SHOWN_S) -> Said:
    return Said(context.traffic.past(tenant_id, now, length_s), context.count_present(tenant_id))


def _to_said(hint: Any) -> Said:
    """As another hub said it."""
    seconds, sessions = hint
    return Said([Second(*second) for second in seconds], sessions)


def _connected(context: Context, tenant_id: int, fields: Any) -> tuple[int, list[Present], list[Departure]]:
    person, limit = fields
    present = context.present(tenant_id, person)
    latest = sorted(present, key=lambda one: one.since, reverse=True)[:limit]
    return len(present), latest, context.departures.latest(tenant_id, person, limit)


def _to_second(second: Second) -> oversight.SecondState:
    return oversight.SecondState(
        to_time(second.at * 1_000_000),
        {STATUS_NAMES[status]: count for status, count in sorted(second.counts.items())},
        or_unset(percentile_us(second.took, 0.5)),
        or_unset(percentile_us(second.took, 0.99)),
    )


def _to_connected(one: Present) -> oversight.ConnectedState:
    return oversight.ConnectedState(
        one.person_id,
        one.role,
        one.session_id,
        cast(DoorName, one.door),
        _to_time(one.since),
        one.in_flight,
        one.following,
        _to_time(one.seen_at) if one.seen_at else UNSET,
        or_unset(one.network),
        one.is_behind or UNSET,
    )


def _to_departure(one: Departure) -> oversight.DepartureState:
    return oversight.DepartureState(
        one.person_id,
        one.role,
        one.session_id,
        cast(DoorName, one.door),
        _to_time(one.since),
        _to_time(one.at),
        one.code,
        or_unset(one.network),
        one.by_hub or UNSET,
    )


def _to_time(seconds: float) -> str:
    return to_time(int(seconds * 1_000_000))


ROWS: Final[tuple[Row, ...]] = (
    Row(oversight.ReadTraffic, oversight.TrafficAnswer, traffic, "GET", "/v1/traffic"),
    Row(oversight.ReadConnections, oversight.ConnectionsAnswer, connections, "GET", "/v1/connections"),
)

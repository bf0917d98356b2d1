"""The hub as one Starlette application: its parts put together, its routes, its background work, its end."""

import asyncio
import base64
import hashlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from core.database import Pool, open_pool
from core.errors import CoreError, Unavailable
from core.keyring import Purpose, SigningKey, load_keys
from core.keys.choosing import Choice, open_safe
from core.keys.erasing import replay
from core.keys.safe import Safe
from core.ledger.batcher import FLIGHTS_MAX, Batcher
from core.ledger.posting import Posters
from core.ledger.reading import acknowledge, read_entries_after, read_versions
from core.nonces import Nonces
from core.notices.targets import PUSH_HOSTS
from core.nouns import Payment, Posting
from core.outside import Outside
from core.people.demands import read_demands
from core.people.marking import Marks
from core.people.passkeys import relying_party
from core.people.passwords import BreachedFile, Policy
from core.people.proving import Means
from core.people.sessions import find_revoked
from core.people.sightings import touch
from core.people.standing import find_restood
from core.privacy.making import SCHEMA
from core.privacy.schema import read_schema
from core.proof.notary import Notary, Signer
from core.seeding import DEMO_PASSWORD, DEMO_PEOPLE
from hub import documents, http, metrics, pages
from hub.asking import Asking
from hub.audience import Audience
from hub.auth import TOKEN_LIFETIME_S, Tokens
from hub.broker import CONTROL, Broker
from hub.commands import bulking, consenting, exporting, inspecting, noticing, proving
from hub.commands.context import STATUS_NAMES, Context, announce, spread, to_event
from hub.connection import Connections, serve
from hub.doors import PATHS, Door, Doors
from hub.identity import Identities
from hub.limits import Limits
from hub.presence import Departures
from hub.site import Site
from hub.traffic import Traffic, count_pairs

log = logging.getLogger(__name__)

# For everything but posting, which has its own connections.
POOL_SIZE = 8
# Spent limits are told to the other hubs this often: what a limit may be overshot by.
LIMITS_REPORT_S = 0.25
ACKNOWLEDGEMENTS_WRITE_S = 1.0
# An ended session's sockets are closed within this even when the hint was lost.
SESSIONS_SWEEP_S = 2.5
# A session that has just ended is remembered for longer than any beginning of one can take.
ENDED_REMEMBERED_S = 60.0
# When sessions were last heard of is written this often, and of each about once a minute.
SEEN_WRITE_S = 10.0
SEEN_AGAIN_S = 55.0
# What a tenant asks of its people holds on every hub within this.
DEMANDS_READ_S = 2.5
# The log waits a little longer for the roots of batches (core/proof/sealing.py) before it finds them itself.
ROOTS_TOLD_S = 0.3
# New signing keys are read this often; they are announced for longer before they sign.
KEYS_READ_S = 10.0
# At the end, connections are closed in slices spread over most of the time there is.
DRAIN_SLICE_S = 0.05
DRAIN_SHARE = 0.5


class Options(NamedTuple):
    """What an operator may change about a hub."""

    database_url: str
    redis_url: str
    keys: Choice
    allowed_origins: Sequence[str]
    drain_seconds: float
    trusted_proxies: Sequence[str] = ()
    public_url: str = ""
    breached_passwords: Path | None = None
    # Whether answers carry receipts at once.
    receipts: bool = True
    internal_networks: Sequence[str] = ()
    webhook_networks: Sequence[str] = ()
    # The built client, whose people come in at it, and whether the demo's are offered there.
    client_dir: Path | None = None
    web_tenant: str = ""
    web_demo: bool = False
    # Of how many visits pages tell how they felt, from 0 to 1.
    web_vitals: float = 0.0
    push_hosts: Sequence[str] = ()
    # Not an operator's to change: tests that turn keys do not wait for minutes.
    token_lifetime_s: int = TOKEN_LIFETIME_S
    keys_read_s: float = KEYS_READ_S


class Hub:
    """One hub process: made, started, drained, closed."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.connections = Connections()
        self.context: Context | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._looks: set[asyncio.Task[None]] = set()
        self._answered = dict.fromkeys(STATUS_NAMES, 0)
        self._traffic = Traffic()
        # Up to when it was looked for notices to tell.
        self._rung_at: datetime | None = None
        # (tenant, session) → when it was last written that it was heard of.
        self._seen_written: dict[tuple[int, str], float] = {}
        self._posters: Posters | None = None
        self._pool: Pool | None = None
        self._keys: Safe | None = None
        self._signing_keys: dict[Purpose, list[SigningKey]] = {}
        self._signer: Signer | None = None
        self._notary: Notary | None = None

    async def start(self) -> Context:
        """Connect and begin.

        Raises core.errors.Unavailable when PostgreSQL cannot be reached, KeysRefused for another installation's master
        key.
        """
        options = self._options
        pool = await open_pool(options.database_url, size_max=POOL_SIZE, name="payhub-hub")
        self._pool = pool
        keys = self._keys = await open_safe(options.keys, name="payhub-hub")
        posters = self._posters = Posters(options.database_url, FLIGHTS_MAX, keys)
        await posters.open()
        # Before anybody is served: a database that came out of a backup brings no erased person back.
        await replay(pool, keys)
        self._signing_keys = {purpose: await load_keys(pool, keys.master, purpose) for purpose in Purpose}
        secret = await keys.secret("hints")
        self._signer = Signer(self._signing_keys[Purpose.PROOFS])
        notary = self._notary = Notary(posters, pool, self._signer, time.time)
        party = relying_party(options.public_url, options.allowed_origins)

        async def read_after(tenant_id: int, account: int, after: int, limit: int) -> Any:
            return await read_entries_after(pool, tenant_id, account, after, limit, keys)

        async def versions(followed: list[tuple[int, int]]) -> list[int | None]:
            return await read_versions(pool, followed)

        broker = Broker(options.redis_url, secret, self._hear)
        context = self.context = Context(
            pool=pool,
            keys=keys,
            batcher=Batcher(notary if options.receipts else posters, on_commit=self._on_commit),
            audience=Audience(read_after, versions, to_event),
            broker=broker,
            tokens=Tokens(self._signing_keys[Purpose.TOKENS], lifetime_s=options.token_lifetime_s),
            signer=self._signer,
            limits=Limits(),
            doors=Doors(options.allowed_origins),
            nonces=Nonces(await keys.secret("nonces")),
            identities=Identities(Outside(options.internal_networks)),
            webhooks=Outside(options.webhook_networks),
            push_hosts=(*PUSH_HOSTS, *options.push_hosts),
            end_session=self._end_session,
            restand=self._restand,
            means=Means(pool, keys, Marks(await keys.secret("marks")), party),
            tell=self.connections.tell,
            present=self.connections.present,
            count_present=self.connections.count_present,
            departures=Departures(),
            traffic=self._traffic,
            asking=Asking(broker, self._answer_hub),
            passwords=Policy(_open_breached(options.breached_passwords)),
            public_url=options.public_url.rstrip("/"),
        )
        context.broker.start()
        self._tasks = [
            asyncio.create_task(work)
            for work in (
                context.audience.sweep(),
                self._every(LIMITS_REPORT_S, self._report_limits),
                self._every(bulking.PROGRESS_S, self._tell_progress),
                self._every(consenting.TOLD_EVERY_S, self._tell_due),
                self._every(noticing.TOLD_EVERY_S, self._tell_notices),
                self._every(ACKNOWLEDGEMENTS_WRITE_S, self._write_acknowledgements),
                self._every(SESSIONS_SWEEP_S, self._sweep_sessions),
                self._every(SESSIONS_SWEEP_S, self._sweep_standings),
                self._every(SEEN_WRITE_S, self._write_seen),
                self._every(DEMANDS_READ_S, self._read_demands),
                self._every(options.keys_read_s, self._read_keys),
                self._tell_traffic(),
                self._every(ROOTS_TOLD_S, notary.tell_roots),
            )
        ]
        return context

    def read_site(self) -> Site:
        """The web client's files; none where it was not built."""
        options = self._options
        place: dict[str, Any] = {"tenant": options.web_tenant} if options.web_tenant else {}
        place["vitals"] = options.web_vitals
        if options.web_demo:
            people = [[person.login, person.name] for person in DEMO_PEOPLE]
            place["demo"] = {"people": people, "password": DEMO_PASSWORD}
        return Site(options.client_dir, place, options.public_url)

    async def drain(self) -> None:
        """Take nothing new, answer what is under way, and send each client away with its own moment to come back."""
        context = self.context
        if context is None or context.draining:
            return
        context.draining = True
        deadline = asyncio.get_running_loop().time() + self._options.drain_seconds
        spread_s = self._options.drain_seconds * DRAIN_SHARE
        remaining = list(self.connections.all)
        # Those with nothing in flight first; one in the middle of a payment gets its answer.
        remaining.sort(key=lambda connection: connection.session.in_flight)
        slices = max(int(spread_s / DRAIN_SLICE_S), 1)
        size = -(-len(remaining) // slices) if remaining else 0
        while remaining:
            for connection in remaining[:size]:
                connection.drain(retry_after_ms=random.randint(50, 2_000))  # noqa: S311
            del remaining[:size]
            await asyncio.sleep(DRAIN_SLICE_S if remaining else 0)
        while self.connections.all and asyncio.get_running_loop().time() < deadline - 0.5:
            await asyncio.sleep(0.02)
        for connection in list(self.connections.all):
            connection.cut()

    async def close(self) -> None:
        """Answer every payment that was taken, write what is left, disconnect."""
        if self.context is None:
            return
        await self.context.batcher.close()
        await self._quietly(self._write_acknowledgements)
        await asyncio.gather(*self.context.afterwards)
        if self._notary is not None:
            await self._quietly(self._notary.tell_roots)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._looks, return_exceptions=True)
        await self.context.audience.close()
        await self.context.broker.close()
        if self._posters is not None:
            self._posters.close()
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), timeout=2)
            except TimeoutError:
                self._pool.terminate()
        if self._keys is not None:
            await self._keys.close()

    async def ready(self) -> dict[str, bool]:
        """What the hub needs in order to serve, and whether it is there. Redis is a hint and not needed."""
        assert self.context is not None
        try:
            async with asyncio.timeout(2):
                database = (await read_versions(self.context.pool, [(0, 0)])) == [None]
        except (CoreError, OSError, TimeoutError):
            database = False
        return {"database": database, "redis": self.context.broker.is_connected, "draining": self.context.draining}

    def collect(self) -> None:
        """Bring the gauges up to date."""
        context = self.context
        if context is None:
            return
        # Counted in a plain dict on the hot path, and handed over when somebody looks.
        for status, count in self._answered.items():
            metrics.payments.labels(STATUS_NAMES[status]).inc(count)
            self._answered[status] = 0
        metrics.waiting.set(context.batcher.waiting)
        metrics.followed.set(context.audience.followed)
        metrics.mended.set(context.audience.mended)
        metrics.redis_up.set(context.broker.is_connected)
        metrics.hints_dropped.set(context.broker.dropped)
        metrics.hints_forged.set(context.broker.forged)

    def _on_commit(self, batch: Sequence[Payment], postings: Sequence[Posting], took_s: float) -> None:
        assert self.context is not None
        metrics.batch_size.observe(len(batch))
        metrics.batch_seconds.observe(took_s)
        pairs = count_pairs([payment[0] for payment in batch], [posting[0] for posting in postings])
        for (_, status), count in pairs.items():
            self._answered[status] += count
        self._traffic.count(pairs, took_s, self.context.now())
        announce(self.context, batch, postings)

    def _hear(self, channel: str, hint: Any) -> None:
        assert self.context is not None
        kind, _, tenant = channel.partition(":")
        if kind == "events":
            spread(self.context, int(tenant), hint)
        elif kind == "traffic":
            inspecting.hear_second(self.context, int(tenant), hint)
        elif channel == CONTROL and self.context.asking.hear(hint):
            return
        elif channel == CONTROL and hint[0] == "end_session":
            self._end_session(hint[1], hint[2])
        elif channel == CONTROL and hint[0] == "restand":
            self._restand(hint[1], hint[2])
        elif channel == CONTROL and hint[0] == "spent":
            self.context.limits.hear(self.context.now(), ((tuple(key), count) for key, count in hint[1]))

    async def _report_limits(self) -> None:
        assert self.context is not None
        spent = self.context.limits.report(self.context.now())
        if spent:
            self.context.broker.publish(CONTROL, ["spent", spent])

    async def _tell_progress(self) -> None:
        assert self.context is not None
        await bulking.tell_progress(self.context)
        await exporting.tell_progress(self.context)

    async def _tell_due(self) -> None:
        assert self.context is not None
        await consenting.tell_due(self.context)

    async def _tell_notices(self) -> None:
        assert self.context is not None
        self._rung_at = await noticing.tell_notices(self.context, self.connections.behind, self._rung_at)

    async def _tell_traffic(self) -> None:
        """A moment after each second, so that those of all hubs are over; once they were heard, it is told."""
        assert self.context is not None
        context = self.context

        async def say() -> None:
            inspecting.say_seconds(context)

        async def tell() -> None:
            await inspecting.tell_seconds(context)

        while True:
            await asyncio.sleep(1 - context.now() % 1 + inspecting.SAID_AFTER_S)
            await self._quietly(say)
            await asyncio.sleep(inspecting.TOLD_AFTER_S - inspecting.SAID_AFTER_S)
            await self._quietly(tell)

    def _answer_hub(self, what: str, tenant_id: int, fields: Any) -> Any:
        """What another hub asks this one."""
        assert self.context is not None
        return inspecting.answer_hub(self.context, what, tenant_id, fields)

    async def _write_acknowledgements(self) -> None:
        assert self.context is not None
        seen, self.context.acknowledged = self.context.acknowledged, {}
        try:
            await acknowledge(self.context.pool, [(*key, number) for key, number in seen.items()])
        except Exception:
            for key, number in seen.items():
                self.context.acknowledged[key] = max(number, self.context.acknowledged.get(key, 0))
            raise

    def _end_session(self, tenant_id: int, session_id: str) -> None:
        context = self.context
        assert context is not None
        context.ended[tenant_id, session_id] = context.now() + ENDED_REMEMBERED_S
        remembered = context.remembered
        for key, (_, known) in list(remembered.items()):
            speaker = known.speaker
            if speaker.tenant_id == tenant_id and session_id in {speaker.session_id, speaker.login}:
                del remembered[key]
        self.connections.end_session(tenant_id, session_id)

    async def _sweep_sessions(self) -> None:
        context = self.context
        assert context is not None
        now = context.now()
        context.ended = {key: until for key, until in context.ended.items() if until > now}
        for tenant_id, session_id in await find_revoked(context.pool, list(self.connections.live_sessions())):
            self._end_session(tenant_id, session_id)

    async def _write_seen(self) -> None:
        assert self.context is not None
        now = self.context.now()
        seen, self.context.seen = self.context.seen, {}
        for key, at in self.connections.seen(now - 2 * SEEN_WRITE_S):
            seen[key] = max(at, seen.get(key, 0.0))
        written = self._seen_written
        due = {key: at for key, at in seen.items() if at - written.get(key, 0.0) >= SEEN_AGAIN_S}
        # Kept for longer than anything is heard of again.
        self._seen_written = {key: at for key, at in written.items() if at > now - 2 * SEEN_AGAIN_S} | due
        await touch(self.context.pool, {key: datetime.fromtimestamp(at, UTC) for key, at in due.items()})

    async def _read_demands(self) -> None:
        assert self.context is not None
        known = list(self.context.demands)
        if known:
            self.context.demands |= await read_demands(self.context.pool, known)
            await self.context.read_quotas(known)

    async def _sweep_standings(self) -> None:
        assert self.context is not None
        known = self.connections.standings()
        for (tenant_id, person_id), standing in (await find_restood(self.context.pool, known)).items():
            self.connections.restand(tenant_id, person_id, standing)

    def _restand(self, tenant_id: int, person_id: str | None) -> None:
        """Look how somebody stands who is known here. Whatever fails, the sweep comes round."""
        self._forget_standing(tenant_id, person_id)
        known = {
            key: one
            for key, one in self.connections.standings().items()
            if key[0] == tenant_id and person_id in {None, key[1]}
        }
        if not known or self.context is None:
            return
        pool = self.context.pool

        async def look() -> None:
            for key, standing in (await find_restood(pool, known)).items():
                self.connections.restand(*key, standing)

        task = asyncio.create_task(self._quietly(look))
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)

    def _forget_standing(self, tenant_id: int, person_id: str | None) -> None:
        """Requests begin anew."""
        assert self.context is not None
        remembered = self.context.remembered
        for key, (_, known) in list(remembered.items()):
            if known.speaker.tenant_id == tenant_id and person_id in {None, known.speaker.person_id}:
                del remembered[key]

    async def _read_keys(self) -> None:
        assert self.context is not None
        assert self._signer is not None
        context = self.context
        for purpose, known in self._signing_keys.items():
            self._signing_keys[purpose] = await load_keys(context.pool, context.keys.master, purpose, known)
        context.tokens.replace_keys(self._signing_keys[Purpose.TOKENS])
        self._signer.replace_keys(self._signing_keys[Purpose.PROOFS])

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._quietly(work)

    async def _quietly(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            # It comes round again; what is missing meanwhile is in PostgreSQL.
            log.warning("background_work_failed", extra={"work": work.__name__, "error": type(error).__name__})


def _open_breached(path: Path | None) -> BreachedFile | None:
    if path is None:
        return None
    try:
        return BreachedFile(path)
    except (OSError, ValueError) as error:
        raise Unavailable(f"The file of breached passwords cannot be searched: {error}") from error


def is_ready(state: dict[str, bool]) -> bool:
    """Whether clients may be sent here. Redis is a hint: without it, events come a little later."""
    return state["database"] and not state["draining"]


def create_app(hub: Hub) -> Starlette:
    """The application around a hub that has been started."""
    assert hub.context is not None
    context = hub.context
    site = hub.read_site()

    def socket(door: Door) -> Socket:
        return Socket(partial(serve, context, hub.connections, door))

    async def home(_: Request) -> Response:
        return HTMLResponse(
            HOME, headers={"content-security-policy": "default-src 'none'; style-src 'sha256-" + HOME_STYLE_HASH + "'"}
        )

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        state = await hub.ready()
        return JSONResponse(state, 200 if is_ready(state) else 503)

    def document(content: Any) -> Callable[[Request], Awaitable[Response]]:
        body = msgspec.json.encode(content)

        async def serve_document(_: Request) -> Response:
            return Response(body, media_type="application/json", headers={"cache-control": "max-age=60"})

        return serve_document

    async def proof_keys(_: Request) -> Response:
        # For whoever checks a receipt, without an account here. They change when a new one is announced.
        body = msgspec.json.encode({"keys": proving.list_keys(context)})
        return Response(body, media_type="application/json", headers={"cache-control": "max-age=10"})

    async def export_schema(_: Request) -> Response:
        # What a person's export looks like here: as the tables are.
        body = msgspec.json.encode(await read_schema(context.pool))
        return Response(body, media_type="application/json", headers={"cache-control": "max-age=60"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await hub.close()

    app = Starlette(
        routes=[
            *(WebSocketRoute(path, socket(door)) for door, path in PATHS.items()),
            *http.routes(context),
            *pages.routes(context),
            *(site.routes(context.limits, context.now) if site.pages else [Route("/", home)]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/docs/asyncapi.json", document(documents.asyncapi())),
            Route("/docs/openapi.json", document(documents.openapi())),
            Route("/docs/codes", document(documents.codes())),
            Route("/docs/proof-keys.json", proof_keys),
            Route(SCHEMA, export_schema),
        ],
        exception_handlers={HTTPException: http.no_such_page},
        lifespan=lifespan,
    )
    # A path has one spelling. Starlette would send the client to another, at whatever host it said that we are.
    app.router.redirect_slashes = False
    return app


HOME_STYLE = """
:root { color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif; }
body { max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; letter-spacing: -.01em; } code { font-size: .95em; }
"""
HOME_STYLE_HASH = base64.b64encode(hashlib.sha256(HOME_STYLE.encode()).digest()).decode()
HOME = f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Payhub</title><style>{HOME_STYLE}</style>
<h1>This is a Payhub hub, and it is up.</h1>
<p>Its web client was not built: <code>make setup</code> builds it, and a restart serves it.</p>
<p>Programs speak to it over a WebSocket at <code>/v1/native</code>, web pages at <code>/v1/socket</code>,
and both over HTTP.
What they may say: <a href="/docs/asyncapi.json">the socket</a>, <a href="/docs/openapi.json">the HTTP API</a>,
<a href="/docs/codes">every code and what to do about it</a>.</p>
<p>To watch two people of the demo pay each other, type <code>.venv/bin/payhub tour</code> in another terminal.</p>
"""


class Socket:
    """An ASGI application as a WebSocket route's endpoint."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._app(scope, receive, send)

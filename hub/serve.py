"""One hub process: from its options to its last answer."""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from config.logs import configure_logs
from config.settings import Settings, address
from core.errors import CoreError
from core.keys.choosing import Choice
from hub.app import Hub, Options, create_app, is_ready
from hub.edge import EdgeHttp, EdgeWebSocket
from hub.protocol.codec import SIZE_MAX

log = logging.getLogger(__name__)

BACKLOG = 2048
KEEP_ALIVE_S = 30
# When the collector looks for cycles: after so many objects that were made and are not gone yet, and at older ones
# after so many looks. What is under way at full speed is more than its own 700, and goes by itself; closed connections
# are cycles, so the oldest are looked at about as often as it would (after 50,000 objects; its own are 70,000).
COLLECT_AFTER = (5_000, 5, 2)
PING_INTERVAL_S = 25.0
PING_TIMEOUT_S = 10.0


class HubServer(uvicorn.Server):
    """uvicorn, told to stop only when the hub has sent its clients away."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain
        self._signals = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains; a second one ends at once."""
        self._signals += 1
        if self._signals > 1:
            self.force_exit = self.should_exit = True
        else:
            asyncio.get_event_loop().call_soon_threadsafe(self._drain)


class ServeError(Exception):
    """The hub cannot serve: one sentence that says why and what to do."""


def serve(settings: Settings, **times: Any) -> None:
    """Serve until SIGTERM or SIGINT. Raises ServeError with a sentence for the operator.

    `times`: those of hub.app.Options that are not an operator's to change.
    """
    configure_logs(settings.log_level, "hub")
    options = Options(
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        keys=Choice(**settings.key_choice()),
        allowed_origins=settings.allowed_origins,
        drain_seconds=settings.drain_seconds,
        trusted_proxies=settings.trusted_proxies,
        public_url=settings.public_url,
        breached_passwords=Path(settings.breached_passwords_file) if settings.breached_passwords_file else None,
        receipts=settings.receipts,
        internal_networks=settings.internal_networks,
        webhook_networks=settings.webhook_networks,
        client_dir=Path(settings.client_dir) if settings.client_dir else None,
        web_tenant=settings.web_tenant,
        web_demo=settings.web_demo,
        web_vitals=settings.web_vitals,
        push_hosts=settings.push_hosts,
        **times,
    )
    listener = listen(*address(settings.listen))
    admin_listener = listen(*address(settings.admin_listen))
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(_serve(options, listener, admin_listener))


async def _serve(options: Options, listener: socket.socket, admin_listener: socket.socket) -> None:
    hub = Hub(options)
    try:
        await hub.start()
    except CoreError as error:
        raise ServeError(str(error)) from error
    _settle_memory()

    def drain() -> None:
        task = asyncio.get_running_loop().create_task(hub.drain())
        task.add_done_callback(lambda _: setattr(server, "should_exit", True))

    server = HubServer(_config(create_app(hub), options.trusted_proxies), drain)
    admin = uvicorn.Server(_config(create_admin_app(hub)))
    admin.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    admin_task = asyncio.create_task(admin._serve([admin_listener]))
    log.info("hub_started")
    with server.capture_signals():
        await server._serve([listener])
        # A signal that was only asking for this end must not be raised again.
        server._captured_signals.clear()
    admin.should_exit = True
    await admin_task
    log.info("hub_stopped")


def _settle_memory() -> None:
    """Keep the collector of cycles away from what stays: it would look through all of it, a tenth of a second long."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def create_admin_app(hub: Hub) -> Starlette:
    """What only operators' machines may reach."""

    async def metrics(_: Request) -> Response:
        hub.collect()
        return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})

    async def readyz(_: Request) -> Response:
        state = await hub.ready()
        return JSONResponse(state, 200 if is_ready(state) else 503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/readyz", readyz)])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket of its own that shares the port with other hubs (SO_REUSEPORT): the kernel spreads clients."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ServeError(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another address.") from error
    listener.setblocking(False)
    return listener


def _config(app: Any, trusted_proxies: Sequence[str] = ()) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=EdgeHttp,
        ws=EdgeWebSocket,
        ws_max_size=SIZE_MAX,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_INTERVAL_S,
        ws_ping_timeout=PING_TIMEOUT_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
    )


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()

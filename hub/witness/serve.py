"""One witness process: from its folder to its end. It speaks plain HTTP: for other machines, put TLS before it."""

import logging
from pathlib import Path

import uvicorn

from config.logs import configure_logs
from core.proof.cosignatures import kid_of
from hub.edge import EdgeHttp
from hub.witness.app import create_app
from hub.witness.key import open_key
from hub.witness.store import Store

log = logging.getLogger(__name__)

STORE_NAME = "witness.sqlite"
KEEP_ALIVE_S = 60
BACKLOG = 256


def open_store(folder: Path) -> Store:
    """The memory of the witness in this folder. Raises KeyRefused, sqlite3.Error."""
    key = open_key(folder)
    return Store(folder / STORE_NAME, kid_of(key.public_key()))


def serve(folder: Path, host: str, port: int, log_level: str) -> None:
    """Serve until SIGTERM or SIGINT. Raises KeyRefused, sqlite3.Error, OSError."""
    configure_logs(log_level, "witness")
    key = open_key(folder)
    app = create_app(open_store(folder), key)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=EdgeHttp,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
        backlog=BACKLOG,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
    log.info("witness_started")
    uvicorn.Server(config).run()
    log.info("witness_stopped")

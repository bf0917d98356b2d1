"""Logs: one JSON object per line, with the trace id of what was being done, and no personal data.

Only what is listed here by name gets into a line. A value from outside cannot break out of its line:
control characters are escaped by the JSON encoding.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

# Extra fields that code may put into a line. Anything else is dropped: better a poorer line than a leaked name.
ALLOWED_FIELDS = frozenset(
    {
        "error",
        "payments",
        "work",
        "command",
        "path",
        "connections",
        "seconds",
        "count",
        "code",
        "process",
        "address",
        "tenant_id",
        "missing",
        "place",
        "size",
        "kept_size",
        "institution",
    }
)


def configure_logs(level: str, process: str) -> None:
    """Send every logger's lines to standard output as JSON. `process` says who speaks: hub, worker."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(allow=ALLOWED_FIELDS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_process(process),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _shorten_exception,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(noisy)
        logger.handlers[:] = []
        logger.propagate = True
    # One line per request or handshake would hold addresses and paths; the metrics count them.
    logging.getLogger("uvicorn.access").setLevel(logging.ERROR)
    logging.getLogger("httpx2").setLevel(max(logging.WARNING, root.level))
    # It tells every header that it packs, and so tokens and devices.
    logging.getLogger("hpack").setLevel(max(logging.WARNING, root.level))
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))


def _name_process(process: str) -> structlog.typing.Processor:
    def name(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return name


def _shorten_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The exception's type and where it was raised; its message may hold what somebody sent."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    if isinstance(given, BaseException):
        given = (type(given), given, given.__traceback__)
    if given and given[0] is not None:
        frames = []
        traceback = given[2]
        while traceback is not None:
            code = traceback.tb_frame.f_code
            frames.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{traceback.tb_lineno} {code.co_name}")
            traceback = traceback.tb_next
        event["exception"] = given[0].__name__
        event["where"] = frames[-8:]
    return event


def _to_json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()

"""One command as one row: what it takes, what it gives, who does it, and where it stands in the HTTP API."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from hub.commands.context import Context
from hub.commands.rights import NOBODY, Right
from hub.protocol.fields import Message
from hub.protocol.scopes import Scope
from hub.session import Session


class Row(NamedTuple):
    """A command that both doors know. `handle` raises CommandRefused or core's errors; it never answers twice.

    `status` is the HTTP status of a good answer. Fields that stand in `path` in braces are taken from there; with
    GET and DELETE all others come from the query. `scope`: what a machine or a seat needs for it; None: it is for
    people themselves. A command with parts needs what its parts need (hub/commands/scoping.py). `right`: who may ask;
    it is written in hub/commands/rights.py alone.
    """

    takes: type[Message]
    gives: type[Message]
    handle: Callable[[Context, Session, Any], Awaitable[Message]]
    method: str
    path: str
    status: int = 200
    scope: Scope | None = None
    right: Right = NOBODY

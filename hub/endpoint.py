"""One row of the HTTP API, and what every handler of one is given.

It knows no route and no document; hub/http.py puts the rows together and serves them.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hub import metrics
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.commands.rights import NOBODY, Right
from hub.limits import Bucket, Limit, address_key
from hub.protocol.codes import ErrorCode
from hub.protocol.scopes import Scope
from hub.session import Session


class Nothing(msgspec.Struct, frozen=True):
    """Done; there is nothing to say."""


class Call(NamedTuple):
    """One request on its way to its handler."""

    context: Context
    request: Request
    session: Session
    body: Any


class Endpoint(NamedTuple):
    """One row of the API: where, what goes in, what comes out, who does it.

    With `consumes`, the body is a file of one of these media types, which `handle` reads as it arrives (hub/edge.py
    lets files pass on these paths). With `produces`, so is the answer, and `handle` gives the response itself.
    `right`: who may ask, if it is not public. `otherwise`: another good answer, which says what is still to do; its
    status is 202. `scope`: what a machine needs for it, where `takes` is no command that says so. `proves`: it takes a
    proof of possession in the header DPoP.
    """

    method: str
    path: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    handle: Callable[[Call], Awaitable[msgspec.Struct | Response]]
    status: int = 200
    public: bool = False
    right: Right = NOBODY
    scope: Scope | None = None
    proves: bool = False
    consumes: tuple[str, ...] = ()
    produces: str | None = None
    otherwise: type[msgspec.Struct] | None = None


def to_handler(
    handler: Callable[[Context, Session, Any], Awaitable[msgspec.Struct]],
) -> Callable[[Call], Awaitable[Any]]:
    """A command's handler, for a request."""

    async def handle(call: Call) -> msgspec.Struct:
        return await handler(call.context, call.session, call.body)

    return handle


def spend(context: Context, kind: str, tenant_id: int, who: str, limit: Limit) -> None:
    """Take one from a shared bucket, or refuse."""
    spend_from(context, context.limits.bucket(kind, tenant_id, who, limit))


def spend_from(context: Context, bucket: Bucket) -> None:
    """Take one from this bucket, or refuse."""
    wait = bucket.spend(context.now())
    if wait:
        metrics.rate_refusals.inc()
        raise CommandRefused(ErrorCode.RATE_LIMITED, retry_after_ms=int(wait * 1000) + 1)


def address_of(request: Request) -> str:
    """Who the request's address stands for."""
    return address_key(request.client.host) if request.client else "unix"

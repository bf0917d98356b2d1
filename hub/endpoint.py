"""What the endpoints of the HTTP API have in common: a request on its way, a row of their table, its limits."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from core.people.opening import Tenant, find_tenant
from hub import metrics
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.limits import ADDRESS_LOGIN, LOGIN, Limit, address_key
from hub.protocol.codes import ErrorCode
from hub.protocol.scopes import Scope
from hub.session import Session

Slug = Annotated[str, Meta(min_length=3, max_length=40, description="The tenant's short name.")]


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
    `scope`: what a machine needs for it, where `takes` is no command that says so. `proves`: it takes a proof of
    possession in the header DPoP.
    """

    method: str
    path: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    handle: Callable[[Call], Awaitable[msgspec.Struct | Response]]
    status: int = 200
    public: bool = False
    scope: Scope | None = None
    proves: bool = False
    consumes: tuple[str, ...] = ()
    produces: str | None = None


def spend(context: Context, kind: str, tenant_id: int, who: str, limit: Limit) -> None:
    """Take one from a shared bucket, or refuse."""
    wait = context.limits.bucket(kind, tenant_id, who, limit).spend(context.now())
    if wait:
        metrics.rate_refusals.inc()
        raise CommandRefused(ErrorCode.RATE_LIMITED, retry_after_ms=int(wait * 1000) + 1)


async def enter(call: Call, slug: str, login: str | None) -> Tenant:
    """The tenant somebody wants to enter, if they have not knocked too often.

    One that does not exist is answered in the words of a wrong password.
    """
    context = call.context
    if login is not None:
        # A refresh token is no guess: its 256 random bits need no such limit, and many people share an address.
        spend(context, "address-login", 0, address_of(call.request), ADDRESS_LOGIN)
    tenant = await find_tenant(context.pool, slug)
    if tenant is None:
        raise CommandRefused(ErrorCode.CREDENTIALS_REFUSED)
    context.tenants[tenant.id] = tenant
    if login is not None:
        spend(context, "login", tenant.id, login.lower(), LOGIN)
    return tenant


def address_of(request: Request) -> str:
    """Who the request's address stands for."""
    return address_key(request.client.host) if request.client else "unix"

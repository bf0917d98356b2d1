"""Coming in and going out, over HTTP: register, log in, refresh, log out.

It knows no password and no token by its bytes for longer than a request takes, and never says which of them was wrong.
"""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from core.people.credentials import check_password
from core.people.opening import Tenant, find_tenant
from core.people.persons import Role, read_nameless
from core.people.sessions import RefreshTokenReused, revoke, rotate, start_session
from hub.commands import operating
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.commands.values import to_time
from hub.doors import door_for
from hub.endpoint import Call, Endpoint, Nothing, address_of, spend
from hub.limits import ADDRESS_LOGIN, LOGIN
from hub.protocol import fields
from hub.protocol.codes import ErrorCode

Slug = Annotated[str, Meta(min_length=3, max_length=40, description="The tenant's short name.")]


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new customer with one account, logged in."""

    tenant: Slug
    name: fields.Name
    login: fields.Login
    password: fields.Password


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login and its password."""

    tenant: Slug
    login: fields.Login
    password: fields.Password


class RefreshTokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refresh token. It works once; the answer holds the next."""

    tenant: Slug
    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class LogOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """End this session on every device that shares its tokens."""


class TokensAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An access token for requests and sockets, and a refresh token for the next one."""

    person: str
    access_token: str
    expires_at: str
    refresh_token: str
    account: int | UnsetType = UNSET


async def register(call: Call) -> TokensAnswer:
    """Open a person and an account, and log in."""
    body: Register = call.body
    tenant = await enter(call, body.tenant, body.login)
    opened = await operating.enter(call.context, tenant.id, Role.CUSTOMER, body.name, body.login, body.password)
    return await start(call, tenant, opened.person_id, Role.CUSTOMER, opened.account_id)


async def log_in(call: Call) -> TokensAnswer:
    """Check the password and start a session."""
    body: LogIn = call.body
    tenant = await enter(call, body.tenant, body.login)
    person_id = await check_password(call.context.pool, call.context.keys, tenant.id, body.login, body.password)
    # The limit is for guesses; whoever knows the password did not guess.
    guessed = await _login_key(call.context, tenant.id, body.login)
    call.context.limits.bucket("login", tenant.id, guessed, LOGIN).give_back()
    person = await read_nameless(call.context.pool, tenant.id, person_id)
    return await start(call, tenant, person_id, person.role)


async def refresh(call: Call) -> TokensAnswer:
    """Trade a refresh token for new tokens. One that was used before ends the session everywhere."""
    body: RefreshTokens = call.body
    context = call.context
    tenant = await enter(call, body.tenant, None)
    try:
        rotated = await rotate(context.pool, tenant.id, body.refresh_token)
    except RefreshTokenReused as error:
        context.end_everywhere(tenant.id, error.session_id)
        raise
    issued = context.tokens.issue(
        tenant.id,
        rotated.person_id,
        rotated.role,
        rotated.session_id,
        context.now(),
        door_for(call.request.headers.raw),
    )
    return TokensAnswer(rotated.person_id, issued.token, to_time(issued.expires_at * 1_000_000), rotated.refresh_token)


async def log_out(call: Call) -> Nothing:
    """End the session: its refresh tokens, its sockets on every hub."""
    speaker = call.session.speaker
    await revoke(call.context.pool, speaker.tenant_id, speaker.session_id)
    call.context.end_everywhere(speaker.tenant_id, speaker.session_id)
    return Nothing()


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
        spend(context, "login", tenant.id, await _login_key(context, tenant.id, login), LOGIN)
    return tenant


async def _login_key(context: Context, tenant_id: int, login: str) -> str:
    """What stands for a log-in in the limits that hubs tell each other: nothing that names anybody."""
    return (await context.keys.index(tenant_id, "login limit", login.lower())).hex()


async def start(call: Call, tenant: Tenant, person_id: str, role: Role, account: int | None = None) -> TokensAnswer:
    """A session of somebody who has shown who they are, and its first tokens."""
    context, door = call.context, door_for(call.request.headers.raw)
    started = await start_session(context.pool, tenant.id, person_id)
    issued = context.tokens.issue(tenant.id, person_id, role, started.session_id, context.now(), door)
    return TokensAnswer(
        person_id,
        issued.token,
        to_time(issued.expires_at * 1_000_000),
        started.refresh_token,
        UNSET if account is None else account,
    )


ENDPOINTS: Final = (
    Endpoint("POST", "/v1/register", Register, TokensAnswer, register, 201, public=True),
    Endpoint("POST", "/v1/login", LogIn, TokensAnswer, log_in, public=True),
    Endpoint("POST", "/v1/refresh", RefreshTokens, TokensAnswer, refresh, public=True),
    Endpoint("POST", "/v1/logout", LogOut, Nothing, log_out),
)

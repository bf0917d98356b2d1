"""Coming in and going out, over HTTP: register, log in, refresh, log out.

It knows no password and no token by its bytes for longer than a request takes, and never says which of them was wrong.
"""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from core.people.credentials import PasswordRefused, check_password
from core.people.opening import Tenant, find_tenant
from core.people.persons import Role, read_person
from core.people.sessions import Arrival, RefreshTokenReused, note_refusal, revoke, rotate, start_session
from hub.commands import operating
from hub.commands.context import end_everywhere, warn_everywhere
from hub.commands.refusal import CommandRefused
from hub.commands.values import given, or_unset, to_time
from hub.doors import Door, door_for
from hub.endpoint import Call, Endpoint, Nothing, address_of, spend
from hub.limits import ADDRESS_LOGIN, LOGIN
from hub.protocol import fields
from hub.protocol.codes import ErrorCode
from hub.protocol.sessions import SecurityAlert

# RFC 8176.
BY_PASSWORD: Final = ("pwd",)

Slug = Annotated[str, Meta(min_length=3, max_length=40, description="The tenant's short name.")]


DeviceSecret = Annotated[
    str, Meta(min_length=1, max_length=200, description="What an earlier log-in from this device was given to bring.")
]
SessionName = Annotated[fields.Name, Meta(description="What its owner will know this session by.")]


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new customer with one account, logged in."""

    tenant: Slug
    name: fields.Name
    login: fields.Login
    password: fields.Password
    session_name: SessionName | UnsetType = UNSET


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login and its password."""

    tenant: Slug
    login: fields.Login
    password: fields.Password
    device: DeviceSecret | UnsetType = UNSET
    session_name: SessionName | UnsetType = UNSET


class RefreshTokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refresh token. It works once; the answer holds the next."""

    tenant: Slug
    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class LogOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """End this session on every device that shares its tokens."""


class TokensAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An access token for requests and sockets, and a refresh token for the next one.

    `device`: this log-in came from a device that was not known; keep it there, and bring it to every later log-in.
    """

    person: str
    access_token: str
    expires_at: str
    refresh_token: str
    account: int | UnsetType = UNSET
    device: str | UnsetType = UNSET


async def register(call: Call) -> TokensAnswer:
    """Open a person and an account, and log in."""
    body: Register = call.body
    tenant = await _enter(call, body.tenant, body.login)
    opened = await operating.enter(call.context, tenant.id, Role.CUSTOMER, body.name, body.login, body.password)
    arrival = _arrival(call, UNSET, body.session_name, BY_PASSWORD)
    return await _start(call, tenant, opened.person_id, Role.CUSTOMER, arrival, opened.account_id)


async def log_in(call: Call) -> TokensAnswer:
    """Check the password and start a session."""
    body: LogIn = call.body
    tenant = await _enter(call, body.tenant, body.login)
    try:
        person_id = await check_password(call.context.pool, tenant.id, body.login, body.password)
    except PasswordRefused as refused:
        await note_refusal(
            call.context.pool, tenant.id, call.session.network, refused.person_id, {"proofs": BY_PASSWORD}
        )
        raise
    # The limit is for guesses; whoever knows the password did not guess.
    call.context.limits.bucket("login", tenant.id, body.login.lower(), LOGIN).give_back()
    person = await read_person(call.context.pool, tenant.id, person_id)
    arrival = _arrival(call, body.device, body.session_name, BY_PASSWORD)
    return await _start(call, tenant, person_id, person.role, arrival)


async def refresh(call: Call) -> TokensAnswer:
    """Trade a refresh token for new tokens. One that was used before ends the session everywhere."""
    body: RefreshTokens = call.body
    context = call.context
    tenant = await _enter(call, body.tenant, None)
    try:
        rotated = await rotate(context.pool, tenant.id, body.refresh_token, network=call.session.network)
    except RefreshTokenReused as error:
        end_everywhere(context, tenant.id, [error.session_id])
        raise
    issued = context.tokens.issue(
        tenant.id,
        rotated.person_id,
        rotated.role,
        rotated.session_id,
        context.now(),
        door_for(call.request.headers.raw),
        proved_at=rotated.proved_at,
        proofs=rotated.proofs,
    )
    return TokensAnswer(rotated.person_id, issued.token, to_time(issued.expires_at * 1_000_000), rotated.refresh_token)


async def log_out(call: Call) -> Nothing:
    """End the session: its refresh tokens, its sockets on every hub."""
    speaker = call.session.speaker
    await revoke(call.context.pool, speaker.tenant_id, speaker.session_id, call.session.by)
    end_everywhere(call.context, speaker.tenant_id, [speaker.session_id])
    return Nothing()


async def _enter(call: Call, slug: str, login: str | None) -> Tenant:
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


def _arrival(call: Call, device: str | UnsetType, name: str | UnsetType, proofs: tuple[str, ...]) -> Arrival:
    door = door_for(call.request.headers.raw)
    return Arrival(door.value, call.session.network, given(device), given(name), proofs)


async def _start(
    call: Call, tenant: Tenant, person_id: str, role: Role, arrival: Arrival, account: int | None = None
) -> TokensAnswer:
    context = call.context
    now = int(context.now())
    started = await start_session(context.pool, tenant.id, person_id, arrival)
    issued = context.tokens.issue(
        tenant.id,
        person_id,
        role,
        started.session_id,
        now,
        Door(arrival.door),
        proved_at=now,
        proofs=arrival.proofs,
    )
    device = started.device
    if device is not None and device.is_new and account is None:
        alert = SecurityAlert(
            "new_device",
            to_time(now * 1_000_000),
            session=started.session_id,
            network=or_unset(arrival.network),
            name=or_unset(arrival.name),
        )
        warn_everywhere(context, tenant.id, person_id, alert)
    return TokensAnswer(
        person_id,
        issued.token,
        to_time(issued.expires_at * 1_000_000),
        started.refresh_token,
        or_unset(account),
        or_unset(None if device is None else device.secret),
    )


ENDPOINTS: Final = (
    Endpoint("POST", "/v1/register", Register, TokensAnswer, register, 201, public=True),
    Endpoint("POST", "/v1/login", LogIn, TokensAnswer, log_in, public=True),
    Endpoint("POST", "/v1/refresh", RefreshTokens, TokensAnswer, refresh, public=True),
    Endpoint("POST", "/v1/logout", LogOut, Nothing, log_out),
)

"""Coming in and going out, over HTTP: register, log in by one step, two or a passkey, refresh, log out.

It knows no password and no token by its bytes for longer than a request takes, and never says which of them was wrong,
nor whether there is such a login: an attempt is counted, looked at and answered alike for all of them.
"""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from core.audit.trail import Act, By
from core.errors import Conflict, CoreError, CredentialsRefused, ProofRefused
from core.people.challenges import make_challenge
from core.people.credentials import PasswordRefused, check_password, normalise_login
from core.people.devices import find_device
from core.people.factors import Offer, read_offer
from core.people.opening import Tenant, find_tenant
from core.people.passkeys import request_options
from core.people.persons import PersonStatus, Role, read_nameless
from core.people.proofs import PASSWORD
from core.people.proving import Brought, log_in_by_ticket, note_refused, take_answer
from core.people.proving import ask_passkey as ask_passkey_of
from core.people.proving import log_in_by_passkey as by_passkey
from core.people.sessions import Arrival, RefreshTokenReused, Started, note_refusal, revoke, rotate, start_session
from core.people.throttles import count_attempt, count_log_in, count_proof, count_stranger, forgive
from core.people.tickets import TICKET_LIFETIME, issue_ticket, mark_of, try_ticket
from hub.commands import operating
from hub.commands.context import Context, end_everywhere
from hub.commands.knowing import given_fields
from hub.commands.refusal import CommandRefused
from hub.commands.rights import LEAVES
from hub.commands.stepping_up import kinds_of
from hub.commands.values import given, or_unset, to_time
from hub.doors import Door, door_for
from hub.endpoint import Call, Endpoint, Nothing, address_of, spend
from hub.limits import ADDRESS_DEVICE, ADDRESS_LOGIN
from hub.protocol import fields, people
from hub.protocol.codes import ErrorCode
from hub.protocol.factors import Code, Credential, ProofKind, RecoveryCode

BY_PASSWORD: Final = (PASSWORD,)
# What a passkey's challenge is spent for: as the second step of one log-in, or instead of a password.
SECOND_STEP: Final = "passkey.second_step"
ALONE: Final = "passkey.alone"
ONE_THING: Final = "Bring one thing: a code, a recovery_code, or a credential."

Slug = Annotated[str, Meta(min_length=3, max_length=40, description="The tenant's short name.")]


DeviceSecret = Annotated[
    str, Meta(min_length=1, max_length=200, description="What an earlier log-in from this device was given to bring.")
]
SessionName = Annotated[fields.Name, Meta(description="What its owner will know this session by.")]


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new customer or merchant with one account, logged in. What else has to be said, the tenant says.

    A contact or a CPF that is somebody else's is taken like any other: nothing here tells whose anything is. Who names
    a CPF, and every merchant, waits until the tenant has looked at them, unless it wants that otherwise.
    """

    tenant: Slug
    name: fields.Name
    login: fields.Login
    password: fields.Password
    role: Annotated[str, Meta(pattern="^(customer|merchant)$")] | UnsetType = UNSET
    cpf: people.Cpf | UnsetType = UNSET
    cnpj: people.Cnpj | UnsetType = UNSET
    legal_name: fields.Name | UnsetType = UNSET
    trade_name: fields.Name | UnsetType = UNSET
    category: people.Category | UnsetType = UNSET
    email: people.Email | UnsetType = UNSET
    phone: people.Phone | UnsetType = UNSET
    birth_date: people.BirthDate | UnsetType = UNSET
    address: people.Address | UnsetType = UNSET
    session_name: SessionName | UnsetType = UNSET


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login and its password. Whoever has a second factor is answered 202, with a ticket for the second step."""

    tenant: Slug
    login: fields.Login
    password: fields.Password
    device: DeviceSecret | UnsetType = UNSET
    session_name: SessionName | UnsetType = UNSET


class ProveLogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The second step: the ticket, and one of a code, a recovery code or a passkey's answer."""

    tenant: Slug
    ticket: Annotated[str, Meta(min_length=1, max_length=200)]
    code: Code | UnsetType = UNSET
    recovery_code: RecoveryCode | UnsetType = UNSET
    credential: Credential | UnsetType = UNSET
    device: DeviceSecret | UnsetType = UNSET
    session_name: SessionName | UnsetType = UNSET


class AskPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To log in by a passkey alone: what the page gives to navigator.credentials.get. Good for minutes, and once."""

    tenant: Slug


class LogInByPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the browser answered. The passkey says who comes, and its authenticator has to know its holder."""

    tenant: Slug
    credential: Credential
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
    `account`, and `status` if it is not active: of somebody who has just registered.
    """

    person: str
    access_token: str
    expires_at: str
    refresh_token: str
    account: int | UnsetType = UNSET
    device: str | UnsetType = UNSET
    status: people.StatusName | UnsetType = UNSET


class FactorNeeded(msgspec.Struct, frozen=True, omit_defaults=True):
    """The password was right, and is not enough. The ticket lasts until `expires_at` and a few tries.

    `factors`: what the second step takes. `passkey`: what the page gives to navigator.credentials.get.
    """

    ticket: str
    expires_at: str
    factors: list[ProofKind]
    passkey: str | UnsetType = UNSET


class PasskeyAsked(msgspec.Struct, frozen=True):
    """What the page gives to navigator.credentials.get, as JSON text."""

    options: str


async def register(call: Call) -> TokensAnswer:
    """Open a person and an account, and log in."""
    body: Register = call.body
    context = call.context
    spend(context, "address-login", 0, address_of(call.request), ADDRESS_LOGIN)
    tenant = await _tenant(context, body.tenant)
    role, about = Role[given(body.role, "customer").upper()], given_fields(body)
    # A registration has a name of its own; as a field it is written with the person.
    about.pop("name")
    count = count_stranger(context.means.marks, tenant.id, address_of(call.request), call.session.network)
    await count_attempt(context.pool, count)
    try:
        opened = await operating.enter(
            context, tenant, role, body.name, body.login, body.password, about, call.session.by
        )
    except Conflict:
        # Whoever tries out which logins there are is slowed down like whoever tries out passwords.
        raise
    except (CoreError, CommandRefused):
        await forgive(context.pool, count)
        raise
    await forgive(context.pool, count)
    arrival = _arrival(call, UNSET, body.session_name, BY_PASSWORD)._replace(is_registering=True)
    started = await start_session(context.pool, tenant.id, opened.person_id, arrival)
    answer = _let_in(call, tenant, opened.person_id, role, arrival, started, account=opened.account_id)
    if opened.status is not PersonStatus.ACTIVE:
        answer = msgspec.structs.replace(answer, status=opened.status.name.lower())
    return answer


async def log_in(call: Call) -> TokensAnswer | FactorNeeded:
    """Check the password; then start a session, or ask for the second factor."""
    body: LogIn = call.body
    context, network = call.context, call.session.network
    tenant, device_id = await _knock(call, body.tenant, body.login, given(body.device))
    address = address_of(call.request)
    count = count_log_in(context.means.marks, tenant.id, body.login, device_id, address, network)
    await count_attempt(context.pool, count)
    try:
        person_id = await check_password(context.pool, context.keys, tenant.id, body.login, body.password)
    except PasswordRefused as refused:
        await note_refusal(context.pool, tenant.id, network, refused.person_id, {"with": "password"})
        raise
    # What is counted is guesses; whoever knows the password did not guess.
    await forgive(context.pool, count)
    offer = await read_offer(context.pool, tenant.id, person_id)
    if not offer.is_empty:
        return await _ask_factor(call, tenant, person_id, device_id, offer)
    person = await read_nameless(context.pool, tenant.id, person_id)
    arrival = _arrival(call, body.device, body.session_name, BY_PASSWORD)
    started = await start_session(context.pool, tenant.id, person_id, arrival)
    return _let_in(call, tenant, person_id, person.role, arrival, started)


async def prove_log_in(call: Call) -> TokensAnswer:
    """Check the second factor and start a session."""
    body: ProveLogIn = call.body
    context = call.context
    code, recovery_code, credential = map(given, (body.code, body.recovery_code, body.credential))
    if sum(one is not None for one in (code, recovery_code, credential)) != 1:
        raise CommandRefused(ErrorCode.INVALID_FIELD, ONE_THING, field="code")
    spend(context, "address-login", 0, address_of(call.request), ADDRESS_LOGIN)
    tenant = await _tenant(context, body.tenant)
    half = await try_ticket(context.pool, tenant.id, body.ticket)
    now = context.now()
    arrival = _arrival(call, body.device, body.session_name, BY_PASSWORD)
    # Six digits can be guessed; nothing else that is brought here can.
    count = count_proof(context.means.marks, tenant.id, half.person_id, half.device_id) if code is not None else None
    try:
        answer = None
        if credential is not None:
            made_for = mark_of(body.ticket)
            answer = await take_answer(context.means, tenant.id, SECOND_STEP, made_for, credential, now)
        brought = Brought(code, recovery_code, answer)
        started, _, arrival = await log_in_by_ticket(
            context.means, tenant.id, body.ticket, half, brought, arrival, now, count
        )
    except ProofRefused as refused:
        warned = half.person_id if half.device_id is None else None
        await _note_unproved(call, tenant, half.person_id, refused, warned)
        raise
    person = await read_nameless(context.pool, tenant.id, half.person_id)
    return _let_in(call, tenant, half.person_id, person.role, arrival, started)


async def ask_passkey(call: Call) -> PasskeyAsked:
    """Ask for whichever passkey somebody has for this hub."""
    body: AskPasskey = call.body
    context = call.context
    spend(context, "address-login", 0, address_of(call.request), ADDRESS_LOGIN)
    tenant = await _tenant(context, body.tenant)
    if context.means.party is None:
        raise CommandRefused(ErrorCode.PASSKEYS_NOT_SET_UP)
    challenge = make_challenge(context.means.marks, tenant.id, ALONE, "", context.now())
    return PasskeyAsked(request_options(context.means.party, challenge, (), needs_verification=True))


async def log_in_by_passkey(call: Call) -> TokensAnswer:
    """Check a passkey's answer and start a session for whomever it is."""
    body: LogInByPasskey = call.body
    context = call.context
    spend(context, "address-login", 0, address_of(call.request), ADDRESS_LOGIN)
    tenant = await _tenant(context, body.tenant)
    arrival = _arrival(call, body.device, body.session_name, ())
    try:
        answer = await take_answer(context.means, tenant.id, ALONE, "", body.credential, context.now())
        started, proved, arrival = await by_passkey(context.means, tenant.id, answer, arrival)
    except CredentialsRefused:
        # Whose passkey it is may not log in. It is told like any other that is not good.
        refused = ProofRefused("person_not_active")
        await _note_unproved(call, tenant, None, refused)
        raise refused from None
    except ProofRefused as refused:
        await _note_unproved(call, tenant, None, refused)
        raise
    person = await read_nameless(context.pool, tenant.id, proved.person_id)
    return _let_in(call, tenant, proved.person_id, person.role, arrival, started)


async def refresh(call: Call) -> TokensAnswer:
    """Trade a refresh token for new tokens. One that was used before ends the session everywhere."""
    body: RefreshTokens = call.body
    context = call.context
    # A refresh token is no guess: its 256 random bits need no limit of their own, and many people share an address.
    tenant = await _tenant(context, body.tenant)
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


async def enter(call: Call, slug: str) -> Tenant:
    """The tenant that somebody wants to enter by another door than these. Raises CommandRefused."""
    return await _tenant(call.context, slug)


async def start(call: Call, tenant: Tenant, person_id: str, role: Role) -> TokensAnswer:
    """Let in a person who has proved elsewhere who they are."""
    arrival = _arrival(call, UNSET, UNSET, ())
    started = await start_session(call.context.pool, tenant.id, person_id, arrival)
    return _let_in(call, tenant, person_id, role, arrival, started)


async def _tenant(context: Context, slug: str) -> Tenant:
    """The tenant somebody wants to enter. One that does not exist is answered in the words of a wrong password."""
    tenant = await find_tenant(context.pool, slug)
    if tenant is None:
        raise CommandRefused(ErrorCode.CREDENTIALS_REFUSED)
    context.tenants[tenant.id] = tenant
    return tenant


async def _knock(call: Call, slug: str, login: str, device: str | None) -> tuple[Tenant, str | None]:
    """The tenant, and the device if it is one that this login's person is known to use.

    Strangers of one address share a limit. A known device does not share it with them: whoever floods the door from
    the same network keeps nobody out who has been in before.
    """
    context, address = call.context, address_of(call.request)
    if device is None:
        spend(context, "address-login", 0, address, ADDRESS_LOGIN)
        return await _tenant(context, slug), None
    spend(context, "address-device", 0, address, ADDRESS_DEVICE)
    tenant = await _tenant(context, slug)
    try:
        known = await find_device(context.pool, context.keys, tenant.id, normalise_login(login), device)
    except ValueError:
        known = None
    if known is None:
        spend(context, "address-login", 0, address, ADDRESS_LOGIN)
    return tenant, known


async def _ask_factor(call: Call, tenant: Tenant, person_id: str, device_id: str | None, offer: Offer) -> FactorNeeded:
    context = call.context
    ticket = await issue_ticket(context.pool, tenant.id, person_id, device_id, call.session.network)
    now = context.now()
    passkey = ask_passkey_of(context.means, tenant.id, SECOND_STEP, mark_of(ticket), offer, now)
    ends_at = int(now) + int(TICKET_LIFETIME.total_seconds())
    kinds = kinds_of(offer, passkey is not None)
    return FactorNeeded(ticket, to_time(ends_at * 1_000_000), kinds, or_unset(passkey))


def _arrival(call: Call, device: str | UnsetType, name: str | UnsetType, proofs: tuple[str, ...]) -> Arrival:
    door = door_for(call.request.headers.raw)
    return Arrival(door.value, call.session.network, given(device), given(name), proofs)


def _let_in(
    call: Call,
    tenant: Tenant,
    person_id: str,
    role: Role,
    arrival: Arrival,
    started: Started,
    *,
    account: int | None = None,
) -> TokensAnswer:
    """The tokens of a session that has just begun. `account`: of somebody who is new, and whose every device is."""
    context = call.context
    now = int(context.now())
    door, proofs = Door(arrival.door), arrival.proofs
    issued = context.tokens.issue(
        tenant.id, person_id, role, started.session_id, now, door, proved_at=now, proofs=proofs
    )
    device = started.device
    return TokensAnswer(
        person_id,
        issued.token,
        to_time(issued.expires_at * 1_000_000),
        started.refresh_token,
        or_unset(account),
        or_unset(None if device is None else device.secret),
    )


async def _note_unproved(
    call: Call, tenant: Tenant, person_id: str | None, refused: ProofRefused, warned: str | None = None
) -> None:
    """Write down that somebody was not let in; and warn whoever's password or passkey somebody else seems to have."""
    by = By(network=call.session.network)
    await note_refused(call.context.pool, tenant.id, by, Act.SESSION_REFUSED, person_id, refused, warned)


ENDPOINTS: Final = (
    Endpoint("POST", "/v1/register", Register, TokensAnswer, register, 201, public=True),
    Endpoint("POST", "/v1/login", LogIn, TokensAnswer, log_in, public=True, otherwise=FactorNeeded),
    Endpoint("POST", "/v1/login/factor", ProveLogIn, TokensAnswer, prove_log_in, public=True),
    Endpoint("POST", "/v1/login/passkey/options", AskPasskey, PasskeyAsked, ask_passkey, public=True),
    Endpoint("POST", "/v1/login/passkey", LogInByPasskey, TokensAnswer, log_in_by_passkey, public=True),
    Endpoint("POST", "/v1/refresh", RefreshTokens, TokensAnswer, refresh, public=True),
    Endpoint("POST", "/v1/logout", LogOut, Nothing, log_out, right=LEAVES),
)

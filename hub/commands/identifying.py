"""From a token to a session."""

from msgspec import UNSET, UnsetType

from core.errors import KeysRefused, KeysUnavailable, NotFound
from core.keys.cipher import Cipher
from core.machines.networks import is_inside
from core.machines.standing import read_standing
from core.people.beginnings import read_beginning
from core.people.demands import DEFAULT, read_demands
from core.people.opening import Tenant, read_tenant
from core.people.persons import STAFF, PersonStatus, open_name
from hub.auth import Principal, TokenCode, TokenRefused
from hub.commands.context import Context, to_account_state
from hub.commands.pairing import proof_refused
from hub.commands.refusal import CommandRefused
from hub.commands.values import or_unset, to_time
from hub.possession import ProofCode, ProofRefused, check_socket_proof
from hub.protocol.codes import ErrorCode
from hub.protocol.messages import Authenticate, Renew, Renewed, Welcome
from hub.session import Session


def verify(context: Context, session: Session, token: str) -> Principal:
    """The principal that the token names. Raises CommandRefused."""
    try:
        principal = context.tokens.verify(token, context.now())
        if not session.welcomes(principal):
            raise TokenRefused(TokenCode.AUDIENCE)
    except TokenRefused as error:
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED, f"The token was refused: {error.code}.") from None
    return principal


async def begin_session(context: Context, session: Session, principal: Principal) -> Welcome:
    """Check that the person and the login still stand, and load what the session may use."""
    tenant_id, person_id = principal.tenant_id, principal.person_id
    try:
        tenant = await _tenant_of(context, tenant_id)
        if tenant_id not in context.demands:
            context.demands |= await read_demands(context.pool, [tenant_id])
            await context.read_quotas([tenant_id])
        if principal.scopes is not None:
            await _check_machine(context, session, principal)
        cipher = await _cipher_of(context, tenant_id, person_id)
        # Last, so that what changes after it finds a session to tell.
        found = await read_beginning(context.pool, tenant_id, person_id, principal.session_id)
    except NotFound:
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED) from None
    # A new role is a new session; and one that was ended while this was read, nobody will look for again.
    is_other = found.role is not principal.role or any(
        (tenant_id, one) in context.ended for one in (principal.session_id, principal.login)
    )
    if found.is_over or is_other:
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED, "The session was ended. Log in again.")
    standing, accounts = found.standing, found.accounts
    needs = needs_factor(context, principal)
    session.begin(principal, (account.id for account in accounts), found.began_at, needs_factor=needs)
    session.standing = standing
    session.bell = found.bell
    return Welcome(
        person=person_id,
        name=(found.name.plain if cipher is None else open_name(cipher, found.name)) or "",
        role=found.role.name.lower(),
        tenant=tenant.slug,
        currency=tenant.currency,
        accounts=[to_account_state(account) for account in accounts if account.id in session.accounts],
        expires_at=to_time(int(principal.expires_at * 1_000_000)),
        at=to_time(int(context.now() * 1_000_000)),
        # What the merchant is told is told to nobody in a seat.
        notices=UNSET if principal.actor is not None else found.bell or UNSET,
        status=UNSET if standing.status is PersonStatus.ACTIVE else standing.status.name.lower(),
        actor=or_unset(principal.actor),
    )


async def _check_machine(context: Context, session: Session, principal: Principal) -> None:
    """A key is used from its networks alone, its tokens too; a till uses its account alone. A seat only has to be."""
    standing = await read_standing(context.pool, principal.tenant_id, principal.session_id)
    if standing is None or (standing.networks is not None and not is_inside(standing.networks, session.host)):
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED, "The session was ended. Log in again.")
    session.only = standing.account


async def _cipher_of(context: Context, tenant_id: int, person_id: str) -> Cipher | None:
    """The person's key, for their name. None while none can be had: whoever wants to pay does not wait for a name."""
    try:
        return await context.keys.one(tenant_id, person_id)
    except (KeysUnavailable, KeysRefused):
        return None


def needs_factor(context: Context, principal: Principal) -> bool:
    """Whether the tenant asks its staff for a second factor, and this is somebody of it."""
    demands = context.demands.get(principal.tenant_id, DEFAULT)
    return principal.role in STAFF and demands.operators_need_factor


async def authenticate(context: Context, session: Session, command: Authenticate) -> Welcome:
    """The first message."""
    principal = verify(context, session, command.token)
    if principal.thumbprint is not None:
        await _check_proof(context, session, principal, principal.thumbprint, command)
    return await begin_session(context, session, principal)


async def _check_proof(
    context: Context, session: Session, principal: Principal, thumbprint: str, command: Authenticate
) -> None:
    """That whoever sends a bound token on this connection holds its key. Raises CommandRefused."""
    if session.challenge is None or isinstance(command.proof, UnsetType):
        raise proof_refused(context, ProofCode.MISSING)
    try:
        check_socket_proof(
            command.proof,
            challenge=session.challenge,
            token=command.token,
            thumbprint=thumbprint,
            door=principal.door,
            tenant=(await _tenant_of(context, principal.tenant_id)).slug,
            now=context.now(),
        )
    except ProofRefused as error:
        raise proof_refused(context, error.code) from None
    except NotFound:
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED) from None


async def _tenant_of(context: Context, tenant_id: int) -> Tenant:
    if tenant_id not in context.tenants:
        context.tenants[tenant_id] = await read_tenant(context.pool, tenant_id)
    return context.tenants[tenant_id]


async def renew(context: Context, session: Session, command: Renew) -> Renewed:
    """A newer token for the same session."""
    principal = verify(context, session, command.token)
    if not session.renew(principal, needs_factor=needs_factor(context, principal)):
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED, "The token is another session's.", field="token")
    return Renewed(command.id, to_time(int(principal.expires_at * 1_000_000)))

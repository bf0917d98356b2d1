"""From a token to a session."""

from core.errors import KeysRefused, KeysUnavailable, NotFound
from core.people.opening import list_accounts, read_tenant
from core.people.persons import Person, read_nameless, read_person
from core.people.sessions import find_revoked, read_session_start
from hub.auth import Principal, TokenCode, TokenRefused
from hub.commands.context import Context, to_account_state
from hub.commands.refusal import CommandRefused
from hub.commands.values import to_time
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
    # Revoked, expired, or its person is no longer active: one question answers all three.
    if await find_revoked(context.pool, [(tenant_id, principal.session_id)]):
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED, "The session was ended. Log in again.")
    try:
        person = await _read_person(context, tenant_id, person_id)
        if tenant_id not in context.tenants:
            context.tenants[tenant_id] = await read_tenant(context.pool, tenant_id)
    except NotFound:
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED) from None
    tenant = context.tenants[tenant_id]
    accounts = await list_accounts(context.pool, tenant_id, person_id)
    began_at = await read_session_start(context.pool, tenant_id, principal.session_id)
    session.begin(principal, (account.id for account in accounts), began_at)
    return Welcome(
        person=person_id,
        name=person.display_name or "",
        role=person.role.name.lower(),
        tenant=tenant.slug,
        currency=tenant.currency,
        accounts=[to_account_state(account) for account in accounts],
        expires_at=to_time(int(principal.expires_at * 1_000_000)),
        at=to_time(int(context.now() * 1_000_000)),
    )


async def _read_person(context: Context, tenant_id: int, person_id: str) -> Person:
    """The person; without the name while no key can be had: whoever wants to pay does not wait for it."""
    try:
        return await read_person(context.pool, context.keys, tenant_id, person_id)
    except (KeysUnavailable, KeysRefused):
        return await read_nameless(context.pool, tenant_id, person_id)


async def authenticate(context: Context, session: Session, command: Authenticate) -> Welcome:
    """The first message."""
    return await begin_session(context, session, verify(context, session, command.token))


async def renew(context: Context, session: Session, command: Renew) -> Renewed:
    """A newer token for the same session."""
    principal = verify(context, session, command.token)
    if not session.renew(principal):
        raise CommandRefused(ErrorCode.AUTHENTICATION_FAILED, "The token is another session's.", field="token")
    return Renewed(command.id, to_time(int(principal.expires_at * 1_000_000)))

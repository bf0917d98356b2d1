"""People who are known elsewhere: found by what their identity provider says, linked, or opened as customers.

It believes what it is told: that a token held is for the hub to say. What identifies somebody elsewhere it keeps as a
keyed hash, and never tells.
"""

from typing import Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import Conflict, CoreError, NotFound, Refusal
from core.keys.safe import Safe
from core.nonces import spend
from core.people.credentials import find_person, normalise_login
from core.people.opening import Opened, open_person
from core.people.persons import STAFF, PersonStatus, Role, normalise_display_name
from core.people.providers import Provider
from core.people.settings import read_settings

# What somebody is called whose provider does not say.
NAMELESS: Final = "New customer"
KIND: Final = "external identity"

FIND: Final = """
select persons.id::text, persons.role, persons.status
  from external_identities
  join persons on persons.tenant_id = external_identities.tenant_id and persons.id = external_identities.person_id
 where external_identities.tenant_id = $1 and external_identities.hash = $2
"""
READ_PERSON: Final = """
select id::text, role, status from persons where tenant_id = $1 and id = $2 for key share
"""
LINK: Final = """
insert into external_identities (tenant_id, hash, provider, person_id, linked_by) values ($1, $2, $3, $4, $5)
    on conflict do nothing
returning true
"""
UNLINK: Final = """
delete from external_identities where tenant_id = $1 and provider = $2 and person_id = $3 returning true
"""


class Identity(NamedTuple):
    """What a provider's token said: the value of its claim, a name if there was one, and the nonce it was made for.

    The nonce is remembered until `until_s`, seconds since the epoch.
    """

    value: str
    name: str | None
    nonce: str
    until_s: float

    def __repr__(self) -> str:
        return "Identity(…)"


class Known(NamedTuple):
    """Who it is here."""

    person_id: str
    role: Role


class NonceUsed(CoreError):
    """The token's nonce was used before: it is somebody's copy."""


async def come_in(
    pool: Pool, keys: Safe, tenant_id: int, provider: Provider, identity: Identity, network: str | None
) -> Known:
    """Who comes in with this identity. Somebody unknown is opened as a customer, where the provider may do that.

    Whoever is blocked comes in as by a password: to read, and to defend themselves. Raises Refusal `identity_unknown`
    for who is not known, closed or not to be let in this way; NonceUsed.
    """
    digest = await _digest(keys, tenant_id, provider, identity.value)
    known = await _enter(pool, tenant_id, provider, digest, identity, network)
    if known is not None:
        return known
    person_id = await _find_by_login(pool, keys, tenant_id, provider, identity.value)
    if person_id is not None:
        return await _enter_first(pool, tenant_id, provider, digest, identity, network, person_id)
    if not provider.opens_people:
        raise Refusal("identity_unknown")
    try:
        return await _open(pool, keys, tenant_id, provider, digest, identity, network)
    except Conflict:
        # Somebody was quicker, on another hub perhaps: this one comes in as who that is.
        known = await _enter(pool, tenant_id, provider, digest, identity, network)
        if known is None:
            raise Refusal("identity_unknown") from None
        return known


async def link(pool: Pool, keys: Safe, tenant_id: int, provider: Provider, person_id: str, value: str, by: By) -> None:
    """Let this person come in with this identity. Once more is the same.

    Raises NotFound when there is no such person, Conflict when the identity is somebody else's.
    """
    digest = await _digest(keys, tenant_id, provider, value)
    async with in_tenant(pool, tenant_id) as connection:
        if await connection.fetchrow(READ_PERSON, tenant_id, person_id) is None:
            raise NotFound
        if not await connection.fetchval(LINK, tenant_id, digest, provider.id, person_id, by.person_id):
            row = await connection.fetchrow(FIND, tenant_id, digest)
            if row is None or row[0] != person_id:
                raise Conflict("The identity is somebody else's.")
            return
        await _note_link(connection, tenant_id, provider, person_id, by)


async def unlink(pool: Pool, tenant_id: int, provider_id: str, person_id: str, by: By) -> None:
    """Let this person come in by this provider no longer. Sessions go on. Raises NotFound."""
    async with in_tenant(pool, tenant_id) as connection:
        if not await connection.fetch(UNLINK, tenant_id, provider_id, person_id):
            raise NotFound
        details = {"provider": provider_id}
        await note(connection, tenant_id, by, Act.EXTERNAL_IDENTITY_UNLINKED, person_id, details=details)


async def _enter(
    pool: Pool, tenant_id: int, provider: Provider, digest: bytes, identity: Identity, network: str | None
) -> Known | None:
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(FIND, tenant_id, digest)
        if row is None:
            return None
        known = _admit(provider, *row)
        await _use(connection, tenant_id, provider, identity, known.person_id, network)
    return known


async def _enter_first(
    pool: Pool,
    tenant_id: int,
    provider: Provider,
    digest: bytes,
    identity: Identity,
    network: str | None,
    person_id: str,
) -> Known:
    """Somebody who logs in by that name here: the identity is theirs from now on."""
    async with in_tenant(pool, tenant_id) as connection:
        row = await connection.fetchrow(READ_PERSON, tenant_id, person_id)
        if row is None:
            raise Refusal("identity_unknown")
        known = _admit(provider, *row)
        if await connection.fetchval(LINK, tenant_id, digest, provider.id, person_id, None):
            await _note_link(connection, tenant_id, provider, person_id, By(person_id, None, network))
        await _use(connection, tenant_id, provider, identity, person_id, network)
    return known


async def _open(
    pool: Pool, keys: Safe, tenant_id: int, provider: Provider, digest: bytes, identity: Identity, network: str | None
) -> Known:
    settings = await read_settings(pool, tenant_id)
    # A provider says who somebody is, and nothing of what the tenant wants to know before it activates anybody.
    is_short = settings.begins_pending(Role.CUSTOMER) or bool(settings.needs(Role.CUSTOMER))
    status = PersonStatus.PENDING if is_short else PersonStatus.ACTIVE

    async def within(connection: Connection, opened: Opened) -> None:
        if not await connection.fetchval(LINK, tenant_id, digest, provider.id, opened.person_id, None):
            raise Conflict
        by = By(opened.person_id, None, network)
        details = {"provider": provider.id, "account": opened.account_id, "status": status.name.lower()}
        await note(connection, tenant_id, by, Act.PERSON_OPENED, opened.person_id, details=details)
        await _note_link(connection, tenant_id, provider, opened.person_id, by)
        await _use(connection, tenant_id, provider, identity, opened.person_id, network)

    opened = await open_person(pool, keys, tenant_id, Role.CUSTOMER, _name(identity.name), status=status, within=within)
    return Known(opened.person_id, Role.CUSTOMER)


async def _use(
    connection: Connection, tenant_id: int, provider: Provider, identity: Identity, person_id: str, network: str | None
) -> None:
    if not await spend(connection, tenant_id, [f"login {identity.nonce}"], identity.until_s):
        raise NonceUsed
    by, details = By(person_id, None, network), {"provider": provider.id}
    await note(connection, tenant_id, by, Act.EXTERNAL_IDENTITY_USED, person_id, details=details)


async def _note_link(connection: Connection, tenant_id: int, provider: Provider, person_id: str, by: By) -> None:
    details = {"provider": provider.id}
    await note(connection, tenant_id, by, Act.EXTERNAL_IDENTITY_LINKED, person_id, details=details)


def _admit(provider: Provider, person_id: str, role: int, status: int) -> Known:
    if status == PersonStatus.CLOSED or (role in STAFF and not provider.admits_operators):
        raise Refusal("identity_unknown")
    return Known(person_id, Role(role))


async def _find_by_login(pool: Pool, keys: Safe, tenant_id: int, provider: Provider, value: str) -> str | None:
    if not provider.is_login:
        return None
    try:
        return await find_person(pool, keys, tenant_id, normalise_login(value))
    except ValueError:
        return None


async def _digest(keys: Safe, tenant_id: int, provider: Provider, value: str) -> bytes:
    """By issuer and claim, too: what another provider calls its people means nothing here."""
    if provider.is_login:
        try:
            value = normalise_login(value)
        except ValueError:
            raise Refusal("identity_unknown") from None
    return await keys.index(tenant_id, KIND, f"{provider.issuer}\n{provider.claim}\n{value}")


def _name(name: str | None) -> str:
    try:
        return normalise_display_name(name or NAMELESS)
    except ValueError:
        return NAMELESS

"""Identity providers, for operators: which are believed, and who their people are here."""

from typing import Final

from core.errors import NotFound
from core.outside import OutsideRefused
from core.people import external as core_external
from core.people import providers as core_providers
from core.people.providers import Provider
from hub.commands.context import Context
from hub.commands.operating import require_operator, require_overseer
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.protocol import providers
from hub.protocol.codes import ErrorCode
from hub.protocol.providers import IdentityProviderState
from hub.session import Session


async def set_identity_provider(
    context: Context, session: Session, command: providers.SetIdentityProvider
) -> providers.IdentityProviderAnswer:
    """Believe a provider from the next log-in on. It is not asked before somebody comes with one of its tokens."""
    require_operator(session)
    try:
        context.identities.check_issuer(command.issuer)
    except OutsideRefused:
        raise CommandRefused(
            ErrorCode.INVALID_FIELD, "An issuer is an https URL without a query.", field="issuer"
        ) from None
    if "?" in command.issuer or "#" in command.issuer:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "An issuer is an https URL without a query.", field="issuer")
    if len({*command.algorithms}) < len(command.algorithms):
        raise CommandRefused(ErrorCode.INVALID_FIELD, "An algorithm stands twice.", field="algorithms")
    provider = Provider(
        command.provider,
        command.issuer,
        command.audience,
        command.claim,
        command.names == "login",
        command.algorithms,
        command.opens_people is True,
        command.admits_operators is True,
    )
    await core_providers.set_provider(context.pool, session.speaker.tenant_id, provider, session.by)
    return providers.IdentityProviderAnswer(command.id, _to_state(provider))


async def list_identity_providers(
    context: Context, session: Session, command: providers.ReadIdentityProviders
) -> providers.IdentityProvidersAnswer:
    """The providers that are believed."""
    require_overseer(session)
    found = await core_providers.list_providers(context.pool, session.speaker.tenant_id)
    return providers.IdentityProvidersAnswer(command.id, list(map(_to_state, found)))


async def remove_identity_provider(
    context: Context, session: Session, command: providers.RemoveIdentityProvider
) -> providers.IdentityProviderRemoved:
    """Believe one no longer."""
    require_operator(session)
    try:
        await core_providers.remove_provider(context.pool, session.speaker.tenant_id, command.provider, session.by)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="provider") from None
    return providers.IdentityProviderRemoved(command.id, command.provider)


async def link_identity(
    context: Context, session: Session, command: providers.LinkIdentity
) -> providers.IdentityLinked:
    """Let a person come in by a provider."""
    require_operator(session)
    tenant_id = session.speaker.tenant_id
    try:
        provider = await core_providers.read_provider(context.pool, tenant_id, command.provider)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="provider") from None
    try:
        await core_external.link(
            context.pool, context.keys, tenant_id, provider, command.person, command.external_id, session.by
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    return providers.IdentityLinked(command.id, command.provider, command.person, True)


async def unlink_identity(
    context: Context, session: Session, command: providers.UnlinkIdentity
) -> providers.IdentityLinked:
    """Let a person come in by a provider no longer."""
    require_operator(session)
    try:
        await core_external.unlink(
            context.pool, session.speaker.tenant_id, command.provider, command.person, session.by
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    return providers.IdentityLinked(command.id, command.provider, command.person, False)


def _to_state(provider: Provider) -> IdentityProviderState:
    return IdentityProviderState(
        provider.id,
        provider.issuer,
        provider.audience,
        provider.claim,
        "login" if provider.is_login else "external_id",
        [*provider.algorithms],
        provider.opens_people,
        provider.admits_operators,
    )


PEOPLE: Final = "/v1/identity-providers/{provider}/people/{person}"
ROWS: Final[tuple[Row, ...]] = (
    Row(
        providers.SetIdentityProvider,
        providers.IdentityProviderAnswer,
        set_identity_provider,
        "PUT",
        "/v1/identity-providers/{provider}",
    ),
    Row(
        providers.ReadIdentityProviders,
        providers.IdentityProvidersAnswer,
        list_identity_providers,
        "GET",
        "/v1/identity-providers",
    ),
    Row(
        providers.RemoveIdentityProvider,
        providers.IdentityProviderRemoved,
        remove_identity_provider,
        "DELETE",
        "/v1/identity-providers/{provider}",
    ),
    Row(providers.LinkIdentity, providers.IdentityLinked, link_identity, "PUT", PEOPLE),
    Row(providers.UnlinkIdentity, providers.IdentityLinked, unlink_identity, "DELETE", PEOPLE),
)

"""API keys of merchants: made, listed, rotated, revoked, by the merchant or an operator, never by a key."""

from datetime import timedelta
from typing import Final

from msgspec import UNSET, UnsetType

from core.errors import NotFound
from core.machines import api_keys as core_keys
from core.machines.api_keys import ApiKey, Wish
from core.machines.networks import read_network
from core.people.persons import Role
from hub.commands.context import Context, end_everywhere
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset, time_of, time_or_unset
from hub.protocol import api_keys
from hub.protocol.api_keys import ApiKeyState
from hub.protocol.codes import ErrorCode
from hub.session import Session


def merchant_of(session: Session, person: str | UnsetType) -> str:
    """Whose machines a command is about: the speaker's own, or, for an operator, those of the merchant it names."""
    speaker = session.speaker
    if session.is_operator:
        if isinstance(person, UnsetType):
            raise CommandRefused(ErrorCode.INVALID_FIELD, "Say which merchant's it is.", field="person")
        return person
    if speaker.role != Role.MERCHANT:
        raise CommandRefused(ErrorCode.FORBIDDEN)
    if person not in {UNSET, speaker.person_id}:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person")
    return speaker.person_id


def whose(session: Session) -> str | None:
    """Whose machines the speaker may touch; None: everybody's."""
    if session.is_operator:
        return None
    return merchant_of(session, UNSET)


async def create_api_key(context: Context, session: Session, command: api_keys.CreateApiKey) -> api_keys.ApiKeyMade:
    """Make a key."""
    merchant = merchant_of(session, command.person)
    if len({*command.scopes}) < len(command.scopes):
        raise CommandRefused(ErrorCode.INVALID_FIELD, "A scope stands twice.", field="scopes")
    wish = Wish(command.name, command.scopes, _read_networks(command.networks), _to_span(command.expires_in_s))
    try:
        made = await core_keys.make_key(
            context.pool, context.keys, session.speaker.tenant_id, merchant, wish, session.by
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    return api_keys.ApiKeyMade(command.id, _to_state(context, made.key), made.secret)


async def list_api_keys(context: Context, session: Session, command: api_keys.ReadApiKeys) -> api_keys.ApiKeysAnswer:
    """A merchant's keys."""
    merchant = merchant_of(session, command.person)
    found = await core_keys.list_keys(context.pool, context.keys, session.speaker.tenant_id, merchant, session.by)
    return api_keys.ApiKeysAnswer(command.id, [_to_state(context, key) for key in found])


async def rotate_api_key(context: Context, session: Session, command: api_keys.RotateApiKey) -> api_keys.ApiKeyRotated:
    """Make a key's successor."""
    tenant_id = session.speaker.tenant_id
    overlap, lasts = timedelta(seconds=command.overlap_s), _to_span(command.expires_in_s)
    try:
        made, old = await core_keys.rotate_key(
            context.pool, context.keys, tenant_id, command.key, overlap, lasts, session.by, whose=whose(session)
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="key") from None
    if not command.overlap_s:
        end_everywhere(context, tenant_id, [old.id])
    return api_keys.ApiKeyRotated(command.id, _to_state(context, made.key), made.secret, _to_state(context, old))


async def revoke_api_key(context: Context, session: Session, command: api_keys.RevokeApiKey) -> api_keys.ApiKeyAnswer:
    """End a key."""
    tenant_id = session.speaker.tenant_id
    try:
        key = await core_keys.revoke_key(
            context.pool, context.keys, tenant_id, command.key, session.by, whose=whose(session)
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="key") from None
    end_everywhere(context, tenant_id, [key.id])
    return api_keys.ApiKeyAnswer(command.id, _to_state(context, key))


def _read_networks(networks: list[str] | UnsetType) -> list[str] | None:
    if isinstance(networks, UnsetType):
        return None
    try:
        return list(dict.fromkeys(map(read_network, networks)))
    except ValueError:
        raise CommandRefused(
            ErrorCode.INVALID_FIELD, "Write networks like 192.0.2.0/24 or 2001:db8::/48.", field="networks"
        ) from None


def _to_span(seconds: int | UnsetType) -> timedelta | None:
    found = given(seconds)
    return None if found is None else timedelta(seconds=found)


def _to_state(context: Context, key: ApiKey) -> ApiKeyState:
    is_over = key.expires_at is not None and key.expires_at.timestamp() <= context.now()
    return ApiKeyState(
        key.id,
        key.person_id,
        key.beginning,
        [*key.scopes],
        "revoked" if key.revoked_at is not None else "expired" if is_over else "active",
        time_of(key.made_at),
        or_unset(key.name),
        UNSET if key.networks is None else [*key.networks],
        time_or_unset(key.expires_at),
        time_or_unset(key.revoked_at),
        or_unset(key.successor),
        UNSET if key.last_used_on is None else key.last_used_on.isoformat(),
        or_unset(key.last_used_network),
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(api_keys.CreateApiKey, api_keys.ApiKeyMade, create_api_key, "POST", "/v1/api-keys", 201),
    Row(api_keys.ReadApiKeys, api_keys.ApiKeysAnswer, list_api_keys, "GET", "/v1/api-keys"),
    Row(api_keys.RotateApiKey, api_keys.ApiKeyRotated, rotate_api_key, "POST", "/v1/api-keys/{key}/rotate"),
    Row(api_keys.RevokeApiKey, api_keys.ApiKeyAnswer, revoke_api_key, "DELETE", "/v1/api-keys/{key}"),
)

"""Ways in besides a name and a password: a program's key."""

import hashlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from core.machines.api_keys import KeyRefused, note_refused, trade_key
from hub.commands.values import to_time
from hub.doors import door_for
from hub.endpoint import Call, Endpoint, Slug, address_of, enter, spend
from hub.limits import ADDRESS_KEY, KEY_TRADE


class KeyLogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of a merchant's program, for an access token."""

    tenant: Slug
    key: Annotated[str, Meta(min_length=1, max_length=100, description="The key's secret.")]

    def __repr__(self) -> str:
        return f"KeyLogIn(tenant={self.tenant!r}, key=…)"


class MachineTokenAnswer(msgspec.Struct, frozen=True):
    """An access token for requests and sockets, and what may be done with it.

    There is no refresh token: come back with what you came with. `token_type` is how to send it: `Bearer`, or `DPoP`
    with a proof (RFC 9449).
    """

    person: str
    access_token: str
    token_type: str
    expires_at: str
    scopes: list[str]

    def __repr__(self) -> str:
        return f"MachineTokenAnswer(person={self.person!r}, access_token=…)"


async def log_in_with_key(call: Call) -> MachineTokenAnswer:
    """Trade a key for a token. Whatever is wrong with a key is answered alike."""
    body: KeyLogIn = call.body
    context, session = call.context, call.session
    address = address_of(call.request)
    spend(context, "address-key", 0, address, ADDRESS_KEY)
    tenant = await enter(call, body.tenant, None)
    # By what it hashes to: which key it is, is not known before it has been looked up, and noted.
    digest = hashlib.sha256(body.key.encode(errors="replace")).hexdigest()[:32]
    spend(context, "key", tenant.id, digest, KEY_TRADE)
    try:
        trade = await trade_key(context.pool, tenant.id, body.key, session.host, session.network)
    except KeyRefused as refused:
        context.after(note_refused(context.pool, tenant.id, refused, session.network))
        raise
    # The limit is for guesses; whoever knows a key did not guess.
    context.limits.bucket("address-key", 0, address, ADDRESS_KEY).give_back()
    issued = context.tokens.issue(
        tenant.id,
        trade.person_id,
        trade.role,
        trade.key_id,
        context.now(),
        door_for(call.request.headers.raw),
        scopes=trade.scopes,
        until=None if trade.expires_at is None else trade.expires_at.timestamp(),
    )
    expires_at = to_time(issued.expires_at * 1_000_000)
    return MachineTokenAnswer(trade.person_id, issued.token, "Bearer", expires_at, [*trade.scopes])


ENDPOINTS: Final = (Endpoint("POST", "/v1/login/key", KeyLogIn, MachineTokenAnswer, log_in_with_key, public=True),)

"""Every message there is, in one place: what clients may send, what the hub may say."""

from typing import Final

from hub.protocol import (
    api_keys,
    bulks,
    charges,
    consents,
    disputes,
    factors,
    histories,
    incidents,
    messages,
    notices,
    oversight,
    people,
    privacy,
    proofs,
    providers,
    rules,
    schedules,
    seats,
    sessions,
    staff,
    steps,
    terminals,
    terms,
    webhooks,
)
from hub.protocol.fields import Message

ROOMS: Final = (
    messages,
    steps,
    charges,
    bulks,
    schedules,
    disputes,
    rules,
    terms,
    histories,
    proofs,
    sessions,
    factors,
    api_keys,
    terminals,
    seats,
    webhooks,
    providers,
    people,
    staff,
    notices,
    oversight,
    privacy,
    consents,
    incidents,
)
FROM_CLIENT: Final[tuple[type[Message], ...]] = tuple(one for room in ROOMS for one in room.FROM_CLIENT)
FROM_HUB: Final[tuple[type[Message], ...]] = tuple(one for room in ROOMS for one in room.FROM_HUB)

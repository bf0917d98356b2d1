"""Keys that a merchant's own programs speak with: made, shown once, rotated, revoked."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.fields import UUID_PATTERN, Command, Message, Name
from hub.protocol.scopes import Scope

# Long enough for whoever forgets; a key that is to live for ever says so by saying nothing.
LASTS_S_MAX = 5 * 366 * 86_400
LASTS_S_MIN = 60
# core.machines.api_keys.OVERLAP_MAX
OVERLAP_S_MAX = 30 * 86_400
# core.machines.networks.NETWORKS_MAX
NETWORKS_MAX = 20

KeyId: TypeAlias = Annotated[str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36)]
MerchantId: TypeAlias = Annotated[
    str,
    Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="Operators: the merchant whose it is."),
]
Scopes: TypeAlias = Annotated[
    list[Scope], Meta(min_length=1, max_length=len(Scope), description="What it may do; each once.")
]
Networks: TypeAlias = Annotated[
    list[Annotated[str, Meta(min_length=2, max_length=49)]],
    Meta(
        min_length=1,
        max_length=NETWORKS_MAX,
        description="Where it may be used from: 192.0.2.0/24, 2001:db8::/48, one address.",
    ),
]
LastsS: TypeAlias = Annotated[int, Meta(ge=LASTS_S_MIN, le=LASTS_S_MAX)]


class CreateApiKey(Command, frozen=True, tag="create_api_key", gc=False):
    """Merchants: make a key for a program. Its secret is in the answer and is never shown again."""

    name: Name
    scopes: Scopes
    networks: Networks | UnsetType = UNSET
    expires_in_s: LastsS | UnsetType = UNSET
    person: MerchantId | UnsetType = UNSET


class ReadApiKeys(Command, frozen=True, tag="api_keys", gc=False):
    """A merchant's keys, newest first, those that ended too."""

    person: MerchantId | UnsetType = UNSET


class RotateApiKey(Command, frozen=True, tag="rotate_api_key", gc=False):
    """Make a successor that may do the same. The old key works for `overlap_s` more; with 0 it ends at once.

    `expires_in_s`: how long the successor lives; left out, as long as the old one was made for.
    """

    key: KeyId
    overlap_s: Annotated[int, Meta(ge=0, le=OVERLAP_S_MAX)]
    expires_in_s: LastsS | UnsetType = UNSET


class RevokeApiKey(Command, frozen=True, tag="revoke_api_key", gc=False):
    """End a key. Sockets that speak with it are closed."""

    key: KeyId


class ApiKeyState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A key as it stands. `beginning`: how its secret begins, to tell it from others.

    `name` is left out while personal data cannot be read. `last_used_on`, `last_used_network`: the day it was last
    traded for a token, and where from.
    """

    key: str
    person: str
    beginning: str
    scopes: list[str]
    state: Literal["active", "expired", "revoked"]
    made_at: str
    name: str | UnsetType = UNSET
    networks: list[str] | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET
    revoked_at: str | UnsetType = UNSET
    successor: str | UnsetType = UNSET
    last_used_on: str | UnsetType = UNSET
    last_used_network: str | UnsetType = UNSET


class ApiKeyMade(Message, frozen=True, tag="api_key_made", gc=False):
    """A new key. `secret` is shown here and never again; trade it for tokens at /v1/login/key."""

    id: int
    key: ApiKeyState
    secret: str

    def __repr__(self) -> str:
        return f"ApiKeyMade(id={self.id}, key={self.key!r}, secret=…)"


class ApiKeyRotated(Message, frozen=True, tag="api_key_rotated", gc=False):
    """The successor, with its secret, and the old key, which works until its `expires_at`."""

    id: int
    key: ApiKeyState
    secret: str
    old: ApiKeyState

    def __repr__(self) -> str:
        return f"ApiKeyRotated(id={self.id}, key={self.key!r}, secret=…)"


class ApiKeyAnswer(Message, frozen=True, tag="api_key_state", gc=False):
    """One key."""

    id: int
    key: ApiKeyState


class ApiKeysAnswer(Message, frozen=True, tag="api_key_states", gc=False):
    """A merchant's keys, newest first."""

    id: int
    keys: list[ApiKeyState]


FROM_CLIENT: Final[tuple[type[Message], ...]] = (CreateApiKey, ReadApiKeys, RotateApiKey, RevokeApiKey)
FROM_HUB: Final[tuple[type[Message], ...]] = (ApiKeyMade, ApiKeyRotated, ApiKeyAnswer, ApiKeysAnswer)

"""Examples of hub/protocol/api_keys.py."""

from hub.protocol import api_keys
from hub.protocol.fields import Message
from hub.protocol.scopes import Scope

KEY = "ffffffff-ffff-4fff-bfff-ffffffffffff"
OTHER = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"
# Its checksum is right; it is nobody's.
SECRET = "phk_00000000000000000000000000000000000000000003KLsYu"
NEW = api_keys.ApiKeyState(KEY, PERSON, "phk_000", ["charges:read", "charges:write"], "active", AT, "Website")
OLD = api_keys.ApiKeyState(
    OTHER,
    PERSON,
    "phk_0a1",
    ["charges:read"],
    "revoked",
    AT,
    networks=["192.0.2.0/24"],
    expires_at=AT,
    revoked_at=AT,
    successor=KEY,
    last_used_on="2026-03-01",
    last_used_network="192.0.2.0/24",
)

EXAMPLES: tuple[Message, ...] = (
    api_keys.CreateApiKey(
        1,
        "Website",
        [Scope.CHARGES_READ, Scope.CHARGES_WRITE],
        networks=["192.0.2.0/24", "2001:db8::/48"],
        expires_in_s=86_400,
        person=PERSON,
    ),
    api_keys.CreateApiKey(1, "Reports", [Scope.REPORTS_READ]),
    api_keys.ReadApiKeys(2, person=PERSON),
    api_keys.ReadApiKeys(2),
    api_keys.RotateApiKey(3, OTHER, 3_600, expires_in_s=86_400),
    api_keys.RotateApiKey(3, OTHER, 0),
    api_keys.RevokeApiKey(4, OTHER),
    api_keys.ApiKeyMade(1, NEW, SECRET),
    api_keys.ApiKeysAnswer(2, [NEW, OLD]),
    api_keys.ApiKeyRotated(3, NEW, SECRET, OLD),
    api_keys.ApiKeyAnswer(4, OLD),
)

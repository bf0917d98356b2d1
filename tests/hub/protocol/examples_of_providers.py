"""Examples of hub/protocol/providers.py."""

from hub.protocol import providers
from hub.protocol.fields import Message

PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
ISSUER = "https://id.example.com/realms/main"
BANK = providers.IdentityProviderState(
    "bank", ISSUER, "payhub-client", "sub", "external_id", ["RS256", "ES256"], True, False
)
STAFF = providers.IdentityProviderState("staff", ISSUER, "payhub", "email", "login", ["EdDSA"], False, True)

EXAMPLES: tuple[Message, ...] = (
    providers.SetIdentityProvider(
        1, "bank", ISSUER, "payhub-client", "sub", "external_id", ["RS256", "ES256"], opens_people=True
    ),
    providers.SetIdentityProvider(
        1, "staff", ISSUER, "payhub", "email", "login", ["EdDSA"], opens_people=False, admits_operators=True
    ),
    providers.ReadIdentityProviders(2),
    providers.RemoveIdentityProvider(3, "bank"),
    providers.LinkIdentity(4, "bank", PERSON, "248289761001"),
    providers.UnlinkIdentity(5, "bank", PERSON),
    providers.IdentityProviderAnswer(1, BANK),
    providers.IdentityProvidersAnswer(2, [BANK, STAFF]),
    providers.IdentityProviderRemoved(3, "bank"),
    providers.IdentityLinked(4, "bank", PERSON, True),
    providers.IdentityLinked(5, "bank", PERSON, False),
)

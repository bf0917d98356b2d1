"""Identity providers: which of them a tenant believes, and who their people are here."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.fields import PLAIN_TEXT_PATTERN, UUID_PATTERN, Command, Message

ProviderId: TypeAlias = Annotated[
    str, Meta(pattern="^[a-z][a-z0-9-]{0,38}[a-z0-9]$", min_length=2, max_length=40, description="A name of yours.")
]
Issuer: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^https?://[!-~]+$",
        min_length=10,
        max_length=450,
        description="As its discovery document and its tokens say it, letter by letter. https.",
    ),
]
Audience: TypeAlias = Annotated[
    str, Meta(pattern="^[!-~]+$", min_length=1, max_length=300, description="What it calls you: the client id.")
]
Claim: TypeAlias = Annotated[
    str, Meta(pattern="^[A-Za-z0-9_:/.-]+$", min_length=1, max_length=60, description="`sub`, `email`, …")
]
Algorithm: TypeAlias = Literal["RS256", "ES256", "EdDSA"]
PersonId: TypeAlias = Annotated[str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36)]
ExternalId: TypeAlias = Annotated[
    str,
    Meta(
        pattern=PLAIN_TEXT_PATTERN, min_length=1, max_length=255, description="The value of the claim that is theirs."
    ),
]


class SetIdentityProvider(Command, frozen=True, tag="set_identity_provider", gc=False):
    """Operators: let people come in with what an OpenID provider says, from the next log-in on.

    `claim` says who somebody is: an id of the provider's own (`external_id`, best `sub`), or a `login` of yours; of
    `email`, only addresses that the provider has verified. `opens_people`: whoever is unknown becomes a customer.
    `admits_operators`: it is enough for operators, too, and all others of the staff.
    """

    provider: ProviderId
    issuer: Issuer
    audience: Audience
    claim: Claim
    names: Literal["external_id", "login"]
    algorithms: Annotated[list[Algorithm], Meta(min_length=1, max_length=3)]
    opens_people: bool | UnsetType = UNSET
    admits_operators: bool | UnsetType = UNSET


class ReadIdentityProviders(Command, frozen=True, tag="identity_providers", gc=False):
    """Operators, auditors: the providers that are believed."""


class RemoveIdentityProvider(Command, frozen=True, tag="remove_identity_provider", gc=False):
    """Operators: believe a provider no longer, and forget who its people were. Sessions go on."""

    provider: ProviderId


class LinkIdentity(Command, frozen=True, tag="link_identity", gc=False):
    """Operators: let a person come in with this identity of a provider's."""

    provider: ProviderId
    person: PersonId
    external_id: ExternalId


class UnlinkIdentity(Command, frozen=True, tag="unlink_identity", gc=False):
    """Operators: let a person come in by this provider no longer. Sessions go on."""

    provider: ProviderId
    person: PersonId


class IdentityProviderState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A provider as it is believed."""

    provider: str
    issuer: str
    audience: str
    claim: str
    names: Literal["external_id", "login"]
    algorithms: list[str]
    opens_people: bool
    admits_operators: bool


class IdentityProviderAnswer(Message, frozen=True, tag="identity_provider_state", gc=False):
    """One provider."""

    id: int
    provider: IdentityProviderState


class IdentityProvidersAnswer(Message, frozen=True, tag="identity_provider_states", gc=False):
    """The tenant's providers."""

    id: int
    providers: list[IdentityProviderState]


class IdentityProviderRemoved(Message, frozen=True, tag="identity_provider_removed", gc=False):
    """It is believed no longer."""

    id: int
    provider: str


class IdentityLinked(Message, frozen=True, tag="identity_linked", gc=False):
    """The person comes in by this provider, or, with `linked` false, no longer."""

    id: int
    provider: str
    person: str
    linked: bool


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    SetIdentityProvider,
    ReadIdentityProviders,
    RemoveIdentityProvider,
    LinkIdentity,
    UnlinkIdentity,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    IdentityProviderAnswer,
    IdentityProvidersAnswer,
    IdentityProviderRemoved,
    IdentityLinked,
)

"""Ways in besides a name and a password: a program's key, a till's code and its proofs, an identity from elsewhere.

Whatever is wrong with a key, a code or a till is answered alike.
"""

import hashlib
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from core.errors import CoreError, NotFound
from core.machines.api_keys import KeyRefused, note_refused, trade_key
from core.machines.pairing import Proven, Replayed, pair_terminal
from core.machines.terminals import log_in_terminal
from core.nonces import LIFETIME_S, Purpose
from core.people.external import Identity, NonceUsed, come_in
from core.people.opening import Tenant
from core.people.persons import Role
from core.people.providers import read_provider
from hub.commands.pairing import proof_refused, scopes_of
from hub.commands.refusal import CommandRefused
from hub.commands.values import to_time
from hub.doors import door_for
from hub.dpop import REMEMBERED_S, read_proof
from hub.endpoint import Call, Endpoint, address_of, spend
from hub.entering import Slug, TokensAnswer, enter, start
from hub.identity import IdentityCode, IdentityRefused, ProviderUnavailable
from hub.limits import ADDRESS_IDENTITY, ADDRESS_KEY, ADDRESS_NONCE, ADDRESS_PAIRING, KEY_TRADE, TENANT_PAIRING
from hub.possession import Proof, ProofCode
from hub.protocol.codes import ErrorCode
from hub.protocol.providers import ProviderId
from hub.protocol.terminals import TerminalId

# About as long as a provider is left alone after it could not be asked.
PROVIDER_RETRY_MS: Final = 5_000


class KeyLogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of a merchant's program, for an access token."""

    tenant: Slug
    key: Annotated[str, Meta(min_length=1, max_length=100, description="The key's secret.")]

    def __repr__(self) -> str:
        return f"KeyLogIn(tenant={self.tenant!r}, key=…)"


class AskNonce(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number to be used once: in a till's proof, or in a log-in at an identity provider."""

    tenant: Slug
    purpose: Literal["proof", "login"]


class PairTerminal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A till's first words: the code that somebody typed, and, in the header DPoP, a proof of the key it will have."""

    tenant: Slug
    code: Annotated[str, Meta(min_length=1, max_length=40, description="As it was typed.")]

    def __repr__(self) -> str:
        return f"PairTerminal(tenant={self.tenant!r}, code=…)"


class TerminalLogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A till that wants an access token, with a proof of its key in the header DPoP."""

    tenant: Slug
    terminal: TerminalId


class ExternalLogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An identity token of a provider that the tenant believes, made for a nonce from /v1/nonces."""

    tenant: Slug
    provider: ProviderId
    id_token: Annotated[str, Meta(min_length=1, max_length=16_384)]
    nonce: Annotated[str, Meta(min_length=1, max_length=200, description="The one that the token was asked for with.")]

    def __repr__(self) -> str:
        return f"ExternalLogIn(tenant={self.tenant!r}, provider={self.provider!r}, id_token=…)"


class NonceAnswer(msgspec.Struct, frozen=True):
    """It is taken once, until `expires_at`, by any hub. `at`: our clock."""

    nonce: str
    expires_at: str
    at: str


class PairedAnswer(msgspec.Struct, frozen=True):
    """The till is taken in. It logs in by this id, as often as it likes."""

    terminal: str
    account: int
    name: str
    scopes: list[str]


class MachineTokenAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An access token for requests and sockets, and what may be done with it; `account`: with that alone.

    There is no refresh token: come back with what you came with. `token_type` is how to send it: `Bearer`, or `DPoP`
    with a proof (RFC 9449).
    """

    person: str
    access_token: str
    token_type: str
    expires_at: str
    scopes: list[str]
    account: int | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"MachineTokenAnswer(person={self.person!r}, access_token=…)"


async def log_in_with_key(call: Call) -> MachineTokenAnswer:
    """Trade a key for a token. Whatever is wrong with a key is answered alike."""
    body: KeyLogIn = call.body
    context, session = call.context, call.session
    address = address_of(call.request)
    spend(context, "address-key", 0, address, ADDRESS_KEY)
    tenant = await enter(call, body.tenant)
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


async def give_nonce(call: Call) -> NonceAnswer:
    """A fresh nonce. It costs nothing until it is used."""
    body: AskNonce = call.body
    context = call.context
    spend(context, "address-nonce", 0, address_of(call.request), ADDRESS_NONCE)
    tenant = await enter(call, body.tenant)
    now = context.now()
    minted = context.nonces.mint(tenant.id, Purpose(body.purpose), now)
    return NonceAnswer(minted.nonce, to_time(minted.expires_at * 1_000_000), to_time(int(now * 1_000_000)))


async def pair(call: Call) -> PairedAnswer:
    """Take a till in. A code that is met without a good proof has one try less."""
    body: PairTerminal = call.body
    context, network = call.context, call.session.network
    spend(context, "address-pairing", 0, address_of(call.request), ADDRESS_PAIRING)
    tenant = await enter(call, body.tenant)
    spend(context, "tenant-pairing", tenant.id, "", TENANT_PAIRING)
    proof = _proof_or_refusal(call, tenant)
    if isinstance(proof, CommandRefused) and proof.code is ErrorCode.PROOF_NONCE_REQUIRED:
        # Whoever comes for a nonce has tried nothing yet.
        _forgive_pairing(call, tenant)
        raise proof
    proven = None if isinstance(proof, CommandRefused) else _to_proven(call, proof)
    try:
        terminal = await pair_terminal(context.pool, context.keys, tenant.id, body.code, proven, network)
    except Replayed:
        raise proof_refused(context, ProofCode.REPLAYED) from None
    except CoreError:
        if isinstance(proof, CommandRefused):
            raise proof from None
        raise
    _forgive_pairing(call, tenant)
    scopes = [scope.value for scope in scopes_of(terminal.may_refund)]
    return PairedAnswer(terminal.id, terminal.account, terminal.name or "", scopes)


async def log_in_with_proof(call: Call) -> MachineTokenAnswer:
    """Trade a proof for a token that is bound to its key."""
    body: TerminalLogIn = call.body
    context = call.context
    address = address_of(call.request)
    spend(context, "address-key", 0, address, ADDRESS_KEY)
    tenant = await enter(call, body.tenant)
    spend(context, "key", tenant.id, body.terminal, KEY_TRADE)
    proof = read_proof(context, call.request, tenant.id, None)
    found = await log_in_terminal(
        context.pool,
        tenant.id,
        body.terminal,
        proof.thumbprint,
        proof.things,
        context.now() + REMEMBERED_S,
        call.session.network,
    )
    if found is None:
        raise proof_refused(context, ProofCode.REPLAYED)
    context.limits.bucket("address-key", 0, address, ADDRESS_KEY).give_back()
    scopes = [scope.value for scope in scopes_of(found.may_refund)]
    issued = context.tokens.issue(
        tenant.id,
        found.person_id,
        Role.MERCHANT,
        found.session_id,
        context.now(),
        door_for(call.request.headers.raw),
        scopes=scopes,
        thumbprint=proof.thumbprint,
    )
    expires_at = to_time(issued.expires_at * 1_000_000)
    return MachineTokenAnswer(found.person_id, issued.token, "DPoP", expires_at, scopes, found.account)


async def log_in_with_identity(call: Call) -> TokensAnswer:
    """Let somebody in whom an identity provider knows."""
    body: ExternalLogIn = call.body
    context = call.context
    spend(context, "address-identity", 0, address_of(call.request), ADDRESS_IDENTITY)
    tenant = await enter(call, body.tenant)
    now = context.now()
    try:
        provider = await read_provider(context.pool, tenant.id, body.provider)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="provider") from None
    # Before the provider is asked: whoever has no nonce of ours makes us ask nobody.
    if not context.nonces.check(body.nonce, tenant.id, Purpose.LOGIN, now):
        raise _identity_refused(IdentityCode.NONCE)
    try:
        shown = await context.identities.verify(provider, body.id_token, body.nonce, now)
    except IdentityRefused as error:
        raise _identity_refused(error.code) from None
    except ProviderUnavailable:
        raise CommandRefused(ErrorCode.PROVIDER_UNAVAILABLE, retry_after_ms=PROVIDER_RETRY_MS) from None
    identity = Identity(shown.value, shown.name, body.nonce, now + LIFETIME_S[Purpose.LOGIN])
    try:
        known = await come_in(context.pool, context.keys, tenant.id, provider, identity, call.session.network)
    except NonceUsed:
        raise _identity_refused(IdentityCode.NONCE) from None
    return await start(call, tenant, known.person_id, known.role)


def _identity_refused(code: IdentityCode) -> CommandRefused:
    return CommandRefused(ErrorCode.IDENTITY_REFUSED, f"The identity token was refused: {code}.")


def _proof_or_refusal(call: Call, tenant: Tenant) -> Proof | CommandRefused:
    try:
        return read_proof(call.context, call.request, tenant.id, None)
    except CommandRefused as error:
        return error


def _to_proven(call: Call, proof: Proof) -> Proven:
    return Proven(proof.thumbprint, proof.algorithm, proof.things, call.context.now() + REMEMBERED_S)


def _forgive_pairing(call: Call, tenant: Tenant) -> None:
    """The limits are for guesses; this was none."""
    limits = call.context.limits
    limits.bucket("address-pairing", 0, address_of(call.request), ADDRESS_PAIRING).give_back()
    limits.bucket("tenant-pairing", tenant.id, "", TENANT_PAIRING).give_back()


ENDPOINTS: Final = (
    Endpoint("POST", "/v1/login/external", ExternalLogIn, TokensAnswer, log_in_with_identity, public=True),
    Endpoint("POST", "/v1/nonces", AskNonce, NonceAnswer, give_nonce, public=True),
    Endpoint("POST", "/v1/login/key", KeyLogIn, MachineTokenAnswer, log_in_with_key, public=True),
    Endpoint("POST", "/v1/terminals/pair", PairTerminal, PairedAnswer, pair, 201, public=True, proves=True),
    Endpoint(
        "POST", "/v1/login/terminal", TerminalLogIn, MachineTokenAnswer, log_in_with_proof, public=True, proves=True
    ),
)

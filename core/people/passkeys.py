"""Passkeys (WebAuthn level 3): asked for, registered, and asked to prove who holds them.

The one module that knows the library. It believes an answer only from the origins it was given, for its own relying
party, to a challenge that was spent for this very purpose, and signed by the key that was registered. It asks for no
attestation: who made an authenticator is nobody's business here.
"""

import hmac
import ipaddress
import uuid
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import (
    options_to_json,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from core.database import Connection
from core.errors import Conflict, ProofRefused
from core.people.challenges import CHALLENGE_LIFETIME_S
from core.people.factors import Credential, Kind, lock_person, make_room

# What browsers' own RPs ask for: Ed25519, P-256, and RSA for Windows Hello.
ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
# Longer ones are to be refused (level 3, 7.1, step 25).
CREDENTIAL_ID_BYTES_MAX = 1_023
TIMEOUT_MS = CHALLENGE_LIFETIME_S * 1_000

INSERT = """
insert into factors (
    tenant_id, id, person_id, kind, name, confirmed_at, credential_id, public_key, sign_count, transports, is_synced
)
values ($1, $2, $3, $4, $5, now(), $6, $7, $8, $9, $10)
    on conflict do nothing returning true
"""
READ = """
select id::text, person_id::text, public_key, sign_count
  from factors
 where tenant_id = $1 and credential_id = $2 and ($3::uuid is null or person_id = $3) and confirmed_at is not null
   for update
"""
USE = """
update factors set sign_count = $3, last_used_at = now(), is_synced = $4 where tenant_id = $1 and id = $2
"""
MARK_COPIED = "update factors set copied_at = now() where tenant_id = $1 and id = $2 returning person_id::text"


# What a browser says of a passkey: one that was made, or one that was used.
Spoken = TypeVar("Spoken", RegistrationCredential, AuthenticationCredential)


class RelyingParty(NamedTuple):
    """Whose passkeys these are: a domain, and the origins of the pages and apps that may ask for them."""

    id: str
    name: str
    origins: tuple[str, ...]


class Registration(NamedTuple):
    """What an authenticator answered to creation options, read and not believed yet."""

    credential: RegistrationCredential
    challenge: bytes

    def __repr__(self) -> str:
        return "Registration(…)"


class Assertion(NamedTuple):
    """What an authenticator answered to request options, read and not believed yet."""

    credential: AuthenticationCredential
    challenge: bytes

    def __repr__(self) -> str:
        return "Assertion(…)"


class Used(NamedTuple):
    """A passkey that has proved who holds it. `is_verified`: the authenticator knows its holder, by a PIN or a body."""

    factor_id: str
    person_id: str
    is_verified: bool


def relying_party(public_url: str, origins: Iterable[str], name: str = "Payhub") -> RelyingParty | None:
    """The relying party of a hub that people reach there; None where no browser would take it (an IP address).

    Of the origins, those count that are the domain's or a subdomain's: no browser lets others ask. An address of this
    very machine is called localhost, as browsers do.
    """
    parts = urlsplit(public_url)
    host, own = parts.hostname or "", f"{parts.scheme}://{parts.netloc}"
    try:
        if not ipaddress.ip_address(host).is_loopback:
            return None
        host = "localhost"
        own = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        pass
    if not host:
        return None
    known = [origin for origin in (own, *origins) if _is_within(origin, host)]
    return RelyingParty(host, name, tuple(dict.fromkeys(known)))


def _is_within(origin: str, domain: str) -> bool:
    host = urlsplit(origin).hostname or ""
    return host == domain or host.endswith(f".{domain}")


def creation_options(
    party: RelyingParty, challenge: bytes, person_id: str, login: str, name: str, known: Iterable[Credential]
) -> str:
    """What a page gives to `navigator.credentials.create`, as JSON (level 3, 5.1.9)."""
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=uuid.UUID(person_id).bytes,
        user_name=login,
        user_display_name=name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=list(map(_describe, known)),
        supported_pub_key_algs=ALGORITHMS,
    )
    return options_to_json(options)


def request_options(
    party: RelyingParty, challenge: bytes, allowed: Iterable[Credential], *, needs_verification: bool
) -> str:
    """What a page gives to `navigator.credentials.get`, as JSON (level 3, 5.1.10). Nobody allowed: whoever has one."""
    wanted = UserVerificationRequirement
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=list(map(_describe, allowed)),
        user_verification=wanted.REQUIRED if needs_verification else wanted.PREFERRED,
    )
    return options_to_json(options)


def read_registration(text: str) -> Registration:
    """The answer to creation options. Raises ProofRefused."""
    return Registration(*_read(parse_registration_credential_json, text))


def read_assertion(text: str) -> Assertion:
    """The answer to request options. Raises ProofRefused."""
    return Assertion(*_read(parse_authentication_credential_json, text))


async def register_passkey(
    connection: Connection, party: RelyingParty, tenant_id: int, person_id: str, name: str, answer: Registration
) -> str:
    """Keep a new passkey of the person, whose challenge has been spent. Gives the factor's id.

    Raises ProofRefused, Conflict when this passkey is known already, Refusal when there are too many.
    """
    credential = answer.credential
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=answer.challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception:
        # The library raises whatever its parsers do; whatever it is, this is no passkey.
        raise ProofRefused("registration_refused") from None
    if len(verified.credential_id) > CREDENTIAL_ID_BYTES_MAX:
        raise ProofRefused("registration_refused")
    await lock_person(connection, tenant_id, person_id)
    await make_room(connection, tenant_id, person_id)
    factor_id = str(uuid.uuid4())
    is_new = await connection.fetchval(
        INSERT,
        tenant_id,
        factor_id,
        person_id,
        Kind.PASSKEY,
        name,
        verified.credential_id,
        verified.credential_public_key,
        verified.sign_count,
        list(dict.fromkeys(one.value for one in credential.response.transports or ()))[:8],
        verified.credential_backed_up,
    )
    if not is_new:
        raise Conflict("This passkey is known already.")
    return factor_id


async def use_passkey(
    connection: Connection,
    party: RelyingParty,
    tenant_id: int,
    person_id: str | None,
    answer: Assertion,
    *,
    needs_verification: bool = False,
) -> Used:
    """Believe an answer, whose challenge has been spent. `person_id`: whose it has to be; None: the passkey says who.

    Raises ProofRefused. Its reason is `passkey_copied` when the signature holds and the count fell: then a copy of the
    key is in use (level 3, 6.1.1). Call note_copied for it, in a transaction of its own.
    """
    credential = answer.credential
    row = await connection.fetchrow(READ, tenant_id, credential.raw_id, person_id)
    if row is None:
        raise ProofRefused("no_such_factor")
    handle = credential.response.user_handle
    # Without a name that was given before, the passkey alone says whose it is, and has to.
    if (handle is None and person_id is None) or (handle is not None and not _is_handle_of(handle, row["person_id"])):
        raise ProofRefused("passkey_of_another", row["id"])
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=answer.challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=row["public_key"],
            # Looked at below: the library would refuse a count before it has looked at the signature.
            credential_current_sign_count=0,
            require_user_verification=needs_verification,
        )
    except Exception:
        raise ProofRefused("passkey_refused", row["id"]) from None
    known, count = row["sign_count"], verified.new_sign_count
    if (known or count) and count <= known:
        raise ProofRefused("passkey_copied", row["id"])
    await connection.execute(USE, tenant_id, row["id"], count, verified.credential_backed_up)
    return Used(row["id"], row["person_id"], verified.user_verified)


async def note_copied(connection: Connection, tenant_id: int, factor_id: str) -> str | None:
    """Remember that there seem to be two of it, for whoever looks at their factors. Gives whose it is."""
    owner: str | None = await connection.fetchval(MARK_COPIED, tenant_id, factor_id)
    return owner


def _read(parse: Callable[[str], Spoken], text: str) -> tuple[Spoken, bytes]:
    try:
        credential = parse(text)
        client_data = parse_client_data_json(credential.response.client_data_json)
        challenge, is_framed = client_data.challenge, client_data.cross_origin
    except Exception:
        # JSON, base64, UTF-8, recursion: whatever the parsers raise, this is no answer.
        raise ProofRefused("answer_unreadable") from None
    if is_framed:
        # A page within another site's page: nobody sees whom they prove themselves to.
        raise ProofRefused("answer_from_a_frame")
    return credential, challenge


def _is_handle_of(handle: bytes, person_id: str) -> bool:
    return hmac.compare_digest(handle, uuid.UUID(person_id).bytes)


def _describe(credential: Credential) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(one) for one in credential.transports]
    return PublicKeyCredentialDescriptor(id=credential.id, transports=transports or None)

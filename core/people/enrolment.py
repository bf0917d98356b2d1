"""Second factors as they come: begun, confirmed by a first proof, and written down in that commit.

Who enrols a factor has just proved it, so the session counts as proved by it from that moment.
"""

from collections.abc import Iterable
from typing import NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, in_tenant
from core.people.challenges import make_challenge, spend_challenge
from core.people.factors import Factor, make_room, note_enrolment, read_factor, read_offer
from core.people.passkeys import RelyingParty, creation_options, read_registration, register_passkey
from core.people.proofs import add_proofs
from core.people.proving import Means
from core.people.sessions import renew_proof
from core.people.throttles import Count, count_attempt, forgive_in
from core.people.totp import Begun, begin_totp, confirm_totp

# What a passkey's challenge is spent for. Each is made for a session, or for the ticket of a log-in.
REGISTER = "passkey.register"


class Enrolled(NamedTuple):
    """A factor that counts from now on. `recovery_codes`: shown once; none where the person still has some."""

    factor: Factor
    recovery_codes: list[str]
    proved_at: int
    proofs: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Enrolled(factor={self.factor!r}, recovery_codes=…)"


async def enrol_totp(means: Means, tenant_id: int, person_id: str, name: str, issuer: str, login: str) -> Begun:
    """A secret for the person's app, that waits for its first code. Raises Refusal when there are too many factors."""
    cipher = await means.keys.one(tenant_id, person_id, create=True)
    async with in_tenant(means.pool, tenant_id) as connection:
        await make_room(connection, tenant_id, person_id)
        return await begin_totp(connection, cipher, tenant_id, person_id, name, issuer, login)


async def finish_totp(
    means: Means,
    tenant_id: int,
    by: By,
    known: Iterable[str],
    factor_id: str,
    code: str,
    now: float,
    count: Count,
) -> Enrolled:
    """The first code. Raises NotFound when nothing waits under this id, ProofRefused, Throttled."""
    assert by.person_id is not None
    await count_attempt(means.pool, count)
    cipher = await means.keys.one(tenant_id, by.person_id)
    async with in_tenant(means.pool, tenant_id) as connection:
        replaced = await confirm_totp(connection, cipher, tenant_id, by.person_id, factor_id, code, now)
        for old in replaced:
            await note(connection, tenant_id, by, Act.FACTOR_REMOVED, old, details={"kind": "totp"})
        await forgive_in(connection, count)
        return await _finish(connection, tenant_id, by, add_proofs(known, "otp"), factor_id, "totp")


async def enrol_passkey(
    means: Means,
    party: RelyingParty,
    tenant_id: int,
    by: By,
    login: str,
    name: str,
    now: float,
) -> str:
    """The creation options, as JSON. Raises Refusal when there are too many factors."""
    assert by.person_id is not None and by.session_id is not None
    offer = await read_offer(means.pool, tenant_id, by.person_id)
    async with in_tenant(means.pool, tenant_id) as connection:
        await make_room(connection, tenant_id, by.person_id)
    challenge = make_challenge(means.marks, tenant_id, REGISTER, _made_for(by), now)
    return creation_options(party, challenge, by.person_id, login, name, offer.passkeys)


async def finish_passkey(
    means: Means,
    party: RelyingParty,
    tenant_id: int,
    by: By,
    known: Iterable[str],
    name: str,
    credential: str,
    now: float,
) -> Enrolled:
    """What the browser answered.

    Raises ProofRefused, Conflict when this passkey is known already, Refusal when there are too many factors.
    """
    assert by.person_id is not None
    answer = read_registration(credential)
    async with in_tenant(means.pool, tenant_id) as connection:
        await spend_challenge(connection, means.marks, tenant_id, REGISTER, _made_for(by), answer.challenge, now)
    async with in_tenant(means.pool, tenant_id) as connection:
        factor_id = await register_passkey(connection, party, tenant_id, by.person_id, name, answer)
        return await _finish(connection, tenant_id, by, add_proofs(known, "pop"), factor_id, "passkey")


async def _finish(
    connection: Connection, tenant_id: int, by: By, proofs: tuple[str, ...], factor_id: str, kind: str
) -> Enrolled:
    assert by.person_id is not None and by.session_id is not None
    codes = await note_enrolment(connection, tenant_id, by.person_id, by, factor_id, {"kind": kind})
    proved_at = await renew_proof(connection, tenant_id, by.session_id, proofs)
    factor = await read_factor(connection, tenant_id, by.person_id, factor_id)
    return Enrolled(factor, codes, proved_at, proofs)


def _made_for(by: By) -> str:
    """A person in a session: an answer to somebody else's challenge, or another session's, is none."""
    return f"{by.person_id} {by.session_id}"

"""One second factor, brought to prove who somebody is: at log-in, or again in the middle of a session.

It says what was proved, in RFC 8176's words. What is proved is used up, and what comes of it is written down, in one
commit; what is not proved is written down too.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, in_tenant
from core.errors import ProofRefused
from core.keys.cipher import Cipher
from core.keys.safe import Safe
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.leaving import leave, warn
from core.people.challenges import make_challenge, spend_challenge
from core.people.credentials import check_own_password
from core.people.factors import Offer
from core.people.marking import Marks
from core.people.passkeys import Assertion, RelyingParty, note_copied, read_assertion, request_options, use_passkey
from core.people.proofs import PASSWORD, add_proofs
from core.people.recovery import use_code
from core.people.sessions import Arrival, Started, begin_session, renew_proof
from core.people.throttles import Count, count_attempt, forgive_in
from core.people.tickets import Ticket, use_ticket
from core.people.totp import use_totp

COPIED = "passkey_copied"


class Means(NamedTuple):
    """What proofs are checked with. `party`: None where no browser would take passkeys for this hub."""

    pool: Pool
    keys: Safe
    marks: Marks
    party: RelyingParty | None

    def __repr__(self) -> str:
        return "Means(…)"


class Brought(NamedTuple):
    """What somebody brings: one of these, the others are None. `answer`: of a passkey, its challenge spent."""

    code: str | None = None
    recovery_code: str | None = None
    answer: Assertion | None = None

    def __repr__(self) -> str:
        return "Brought(…)"

    @property
    def kind(self) -> str:
        """Which it is."""
        return "passkey" if self.answer is not None else "totp" if self.code is not None else "recovery_code"


class Proved(NamedTuple):
    """What was proved. `proofs`: RFC 8176. `is_verified`: a passkey's holder was, so that it is two factors in one."""

    kind: str
    person_id: str
    factor_id: str | None
    proofs: tuple[str, ...]
    is_verified: bool = False

    @property
    def details(self) -> dict[str, Any]:
        """For the audit trail."""
        return {"with": self.kind} if self.factor_id is None else {"with": self.kind, "factor": self.factor_id}


def ask_passkey(means: Means, tenant_id: int, purpose: str, made_for: str, offer: Offer, now: float) -> str | None:
    """The request options for one of the offered passkeys, as JSON; None when there is none to be asked."""
    if means.party is None or not offer.passkeys:
        return None
    challenge = make_challenge(means.marks, tenant_id, purpose, made_for, now)
    return request_options(means.party, challenge, offer.passkeys, needs_verification=False)


async def take_answer(
    means: Means, tenant_id: int, purpose: str, made_for: str, credential: str, now: float
) -> Assertion:
    """A passkey's answer, its challenge spent whatever becomes of it. Raises ProofRefused."""
    answer = read_assertion(credential)
    async with in_tenant(means.pool, tenant_id) as connection:
        await spend_challenge(connection, means.marks, tenant_id, purpose, made_for, answer.challenge, now)
    return answer


async def key_for(means: Means, tenant_id: int, person_id: str, brought: Brought) -> Cipher | None:
    """The person's key, if what was brought is held against something sealed. Asked for before any transaction."""
    return None if brought.code is None else await means.keys.one(tenant_id, person_id)


async def prove(
    connection: Connection,
    means: Means,
    tenant_id: int,
    person_id: str,
    brought: Brought,
    cipher: Cipher | None,
    now: float,
) -> Proved:
    """Take what was brought, in the connection's transaction: it is used up if, and only if, that commits.

    Raises ProofRefused; write it down by `note_refused` in another transaction.
    """
    if brought.answer is not None:
        return await prove_by_passkey(connection, means.party, tenant_id, person_id, brought.answer)
    if brought.code is not None and cipher is not None:
        factor_id = await use_totp(connection, cipher, tenant_id, person_id, brought.code, now)
        return Proved("totp", person_id, factor_id, ("otp",))
    if brought.recovery_code is not None:
        await use_code(connection, tenant_id, person_id, brought.recovery_code)
        return Proved("recovery_code", person_id, None, ("otp",))
    raise ProofRefused("nothing_brought")


async def prove_by_passkey(
    connection: Connection,
    party: RelyingParty | None,
    tenant_id: int,
    person_id: str | None,
    answer: Assertion,
    *,
    needs_verification: bool = False,
) -> Proved:
    """The same by a passkey. `person_id`: None where the passkey says who comes."""
    if party is None:
        raise ProofRefused("no_passkeys_here")
    used = await use_passkey(connection, party, tenant_id, person_id, answer, needs_verification=needs_verification)
    return Proved("passkey", used.person_id, used.factor_id, ("pop",), used.is_verified)


async def note_refused(
    pool: Pool,
    tenant_id: int,
    by: By,
    act: Act,
    about: str | None,
    refused: ProofRefused,
    warned: str | None = None,
) -> None:
    """Write down what did not prove anything, and warn whoever's passkey seems to be copied.

    `warned`: whose password was known to somebody on a strange device; they hear of it, once an hour.
    """
    told = {"reason": refused.reason}
    if refused.factor_id is not None:
        told["factor"] = refused.factor_id
    async with in_tenant(pool, tenant_id) as connection:
        await note(connection, tenant_id, by, act, about, details=told)
        if warned is not None:
            now = datetime.now(UTC)
            once = str(uuid.uuid5(uuid.UUID(warned), f"second_factor_refused {now:%Y-%m-%d %H}"))
            facts = Facts(at=now, network=by.network)
            await leave(connection, tenant_id, NoticeKind.SECOND_FACTOR_REFUSED, warned, facts, notice_id=once)
        if refused.reason != COPIED or refused.factor_id is None:
            return
        await note(connection, tenant_id, by, Act.PASSKEY_COPIED, refused.factor_id)
        owner = await note_copied(connection, tenant_id, refused.factor_id)
        if owner is not None:
            await warn(connection, tenant_id, NoticeKind.PASSKEY_COPIED, owner, by)


async def log_in_by_ticket(
    means: Means,
    tenant_id: int,
    ticket: str,
    half: Ticket,
    brought: Brought,
    arrival: Arrival,
    now: float,
    count: Count | None,
) -> tuple[Started, Proved, Arrival]:
    """The second step: the factor, the ticket and the session in one commit. `count`: how guesses are counted.

    Raises ProofRefused, TicketRefused, CredentialsRefused for who is no longer active; Throttled.
    """
    if count is not None:
        await count_attempt(means.pool, count)
    cipher = await key_for(means, tenant_id, half.person_id, brought)
    async with in_tenant(means.pool, tenant_id) as connection:
        await use_ticket(connection, tenant_id, ticket)
        proved = await prove(connection, means, tenant_id, half.person_id, brought, cipher, now)
        if count is not None:
            await forgive_in(connection, count)
        proofs = add_proofs(arrival.proofs, *proved.proofs, is_verified=proved.is_verified)
        arrival = arrival._replace(proofs=proofs)
        started = await begin_session(connection, tenant_id, half.person_id, arrival, details=proved.details)
        if proved.kind == "recovery_code":
            by = By(half.person_id, started.session_id, arrival.network)
            await warn(connection, tenant_id, NoticeKind.RECOVERY_CODE_USED, half.person_id, by)
    return started, proved, arrival


async def log_in_by_passkey(
    means: Means, tenant_id: int, answer: Assertion, arrival: Arrival
) -> tuple[Started, Proved, Arrival]:
    """Without any name or password: the passkey says who comes, and its authenticator knows its holder.

    Raises ProofRefused, CredentialsRefused for who is no longer active.
    """
    async with in_tenant(means.pool, tenant_id) as connection:
        proved = await prove_by_passkey(connection, means.party, tenant_id, None, answer, needs_verification=True)
        arrival = arrival._replace(proofs=add_proofs((), *proved.proofs, is_verified=True))
        started = await begin_session(connection, tenant_id, proved.person_id, arrival, details=proved.details)
    return started, proved, arrival


class SteppedUp(NamedTuple):
    """When and how a session's person last proved who they are, seconds since the epoch; and by what just now."""

    proved_at: int
    proofs: tuple[str, ...]
    kind: str


async def step_up(
    means: Means,
    tenant_id: int,
    by: By,
    known: Iterable[str],
    brought: Brought,
    now: float,
    count: Count | None,
) -> SteppedUp:
    """The same person again, by a second factor. `known`: what the session's person had proved so far.

    Raises ProofRefused, CredentialsRefused when the session has ended; Throttled.
    """
    assert by.person_id is not None and by.session_id is not None
    if count is not None:
        await count_attempt(means.pool, count)
    cipher = await key_for(means, tenant_id, by.person_id, brought)
    async with in_tenant(means.pool, tenant_id) as connection:
        proved = await prove(connection, means, tenant_id, by.person_id, brought, cipher, now)
        proofs = add_proofs(known, *proved.proofs, is_verified=proved.is_verified)
        if proved.kind == "recovery_code":
            await warn(connection, tenant_id, NoticeKind.RECOVERY_CODE_USED, by.person_id, by)
        return await _keep(connection, tenant_id, by, proofs, proved.kind, proved.details, count)


async def step_up_by_password(
    pool: Pool, tenant_id: int, by: By, known: Iterable[str], password: str, count: Count
) -> SteppedUp:
    """The same by the password, for who has no second factor. Raises ProofRefused, Throttled."""
    assert by.person_id is not None and by.session_id is not None
    await count_attempt(pool, count)
    await check_own_password(pool, tenant_id, by.person_id, password)
    async with in_tenant(pool, tenant_id) as connection:
        proofs = add_proofs(known, PASSWORD)
        return await _keep(connection, tenant_id, by, proofs, "password", {"with": "password"}, count)


async def _keep(
    connection: Connection,
    tenant_id: int,
    by: By,
    proofs: tuple[str, ...],
    kind: str,
    details: Mapping[str, Any],
    count: Count | None,
) -> SteppedUp:
    assert by.session_id is not None
    if count is not None:
        await forgive_in(connection, count)
    await note(connection, tenant_id, by, Act.STEPPED_UP, by.session_id, details=details)
    return SteppedUp(await renew_proof(connection, tenant_id, by.session_id, proofs), proofs, kind)

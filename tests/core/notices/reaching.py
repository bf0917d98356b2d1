"""Phones and mailboxes for people in tests, and a clock that goes as fast as they like."""

import json
import secrets
from datetime import timedelta

from core.database import Pool, in_tenant
from core.keys.places import PERSON_FIELD
from core.notices.deliveries import Claimed, Road, Settled, State, claim, climb, settle
from core.notices.facts import Facts
from core.notices.kinds import NoticeKind
from core.notices.listing import read_notices
from core.notices.outbox import forget_heard, note_unheard
from core.notices.phones import register_phone
from core.people.fields import Kind
from core.people.sessions import start_session
from core.proof.notary import Signer
from tests.conftest import Books, seal_all
from tests.numbers import new_email

LEASE = timedelta(seconds=30)
AT_ONCE = timedelta(0)


async def give_phone(
    books: Books,
    at: int,
    *,
    provider: Road = Road.APPLE,
    address: str | None = None,
    language: str = "pt",
    session_id: str | None = None,
) -> str:
    """Let the person at this place register a phone; its id."""
    person_id = books.people[at].person_id
    if session_id is None:
        session_id = (await start_session(books.pool, books.tenant.id, person_id)).session_id
    address = secrets.token_hex(32) if address is None else address
    target = json.dumps({"token": address})
    return await register_phone(
        books.pool, books.keys, books.tenant.id, person_id, session_id, provider, address, target, language
    )


async def give_mailbox(books: Books, at: int, email: str | None = None) -> str:
    """Let the person at this place have a confirmed address; which."""
    person_id, email = books.people[at].person_id, email or new_email()
    cipher = await books.keys.one(books.tenant.id, person_id, create=True)
    sealed = cipher.seal(*PERSON_FIELD.at(person_id, str(int(Kind.EMAIL)), "1"), email)
    async with in_tenant(books.pool, books.tenant.id) as connection:
        await connection.execute(
            "insert into person_fields (tenant_id, person_id, field, number, sealed, mark) values ($1, $2, 6, 1, $3, $4)",
            books.tenant.id,
            person_id,
            sealed,
            secrets.token_bytes(32),
        )
        await connection.execute(
            "insert into held_fields (tenant_id, field, mark, person_id, number)"
            " select tenant_id, field, mark, person_id, number from person_fields"
            " where tenant_id = $1 and person_id = $2 and field = 6",
            books.tenant.id,
            person_id,
        )
    return email


async def note_all(books: Books, signer: Signer) -> None:
    """Turn everything that was posted into notices."""
    await seal_all(books.pool, signer)
    while (await note_unheard(books.pool, AT_ONCE, 50)).batches:
        pass


async def wait_out(admin: Pool, books: Books) -> None:
    """Let the time of the tenant's notices' present roads be over."""
    await admin.execute(
        "update notices set climbs_at = clock_timestamp() where tenant_id = $1 and climbs_at > clock_timestamp()",
        books.tenant.id,
    )


async def climb_all(admin: Pool, books: Books) -> None:
    """One rung for everybody who has waited out theirs, or would have."""
    await wait_out(admin, books)
    while (await climb(books.pool, 500)).notices:
        pass


async def claim_mine(books: Books, road: Road, limit: int = 1_000, lease: timedelta = LEASE) -> list[Claimed]:
    """What there is of this tenant's; that of others, left by their tests, is given back."""
    found = await claim(books.pool, road, limit, lease)
    mine = [one for one in found if one.tenant_id == books.tenant.id]
    others = [Settled(one, State.WAITING, None, 3_600.0, True) for one in found if one.tenant_id != books.tenant.id]
    await settle(books.pool, others)
    return mine


async def deliver_mine(books: Books, road: Road) -> list[Claimed]:
    """Claim what there is, and settle it as taken."""
    mine = await claim_mine(books, road)
    await settle(books.pool, [Settled(one, State.TAKEN) for one in mine])
    return mine


async def told(pool: Pool, tenant_id: int, person_id: str) -> list[tuple[NoticeKind, Facts]]:
    """What somebody was left that is no event of theirs, oldest first."""
    found = await read_notices(pool, tenant_id, person_id, 100, after=0)
    return [(one.kind, one.facts) for one in found if one.facts is not None]


async def forget_all(books: Books) -> None:
    """Take away what was acknowledged."""
    while await forget_heard(books.pool, 100):
        pass

"""Challenges: random, short-lived, answered once, and only by whom they were made for.

A challenge carries its own end and a mark that only this instance can make, over its tenant and what it was made for.
So making one costs no row, and a million of them asked for by strangers cost nothing; that one was answered is kept.
"""

import hmac
import secrets
from datetime import UTC, datetime

from core.database import Connection
from core.errors import ProofRefused
from core.people.marking import Marks

# Time to find the key, touch it, and look for the other one.
CHALLENGE_LIFETIME_S = 300
NONCE_BYTES = 16
END_BYTES = 8
MARK_BYTES = 24
CHALLENGE_BYTES = END_BYTES + NONCE_BYTES + MARK_BYTES

SPEND = """
insert into spent_challenges (tenant_id, challenge, expires_at) values ($1, $2, $3)
    on conflict do nothing returning true
"""


def make_challenge(marks: Marks, tenant_id: int, purpose: str, made_for: str, now: float) -> bytes:
    """A challenge for one purpose, made for somebody or something: a session's id, a ticket. `now`: epoch seconds."""
    head = (int(now) + CHALLENGE_LIFETIME_S).to_bytes(END_BYTES, "big") + secrets.token_bytes(NONCE_BYTES)
    return head + _mark(marks, tenant_id, purpose, made_for, head)


async def spend_challenge(
    connection: Connection, marks: Marks, tenant_id: int, purpose: str, made_for: str, challenge: bytes, now: float
) -> None:
    """Take an answer to this challenge, if it is ours, made for this, not over and not answered before.

    Commit it whatever becomes of the answer: a challenge has one. Raises ProofRefused.
    """
    head, mark = challenge[:-MARK_BYTES], challenge[-MARK_BYTES:]
    if len(challenge) != CHALLENGE_BYTES or not hmac.compare_digest(
        mark, _mark(marks, tenant_id, purpose, made_for, head)
    ):
        raise ProofRefused("challenge_unknown")
    expires_at = int.from_bytes(head[:END_BYTES], "big")
    if expires_at <= now:
        raise ProofRefused("challenge_over")
    end = datetime.fromtimestamp(expires_at, UTC)
    if not await connection.fetchval(SPEND, tenant_id, challenge, end):
        raise ProofRefused("challenge_used")


def _mark(marks: Marks, tenant_id: int, purpose: str, made_for: str, head: bytes) -> bytes:
    return marks.of("challenge", purpose, tenant_id, made_for, head)[:MARK_BYTES]

"""Recovery codes: ten of them, shown once, each good for once. What is left when every other factor is lost.

They are stored by hash alone. 120 random bits (NIST SP 800-63B-4, 3.1.2.2 asks for 112) need no slow one.
"""

import hashlib
import secrets

from core.database import Connection
from core.errors import ProofRefused

CODES = 10
# Crockford's base 32: no letter that is read as a digit.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MARKS = 24
GROUP = 4
READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})

FORGET = "delete from recovery_codes where tenant_id = $1 and person_id = $2"
INSERT = "insert into recovery_codes (tenant_id, person_id, hash) select $1, $2, unnest($3::bytea[])"
USE = """
update recovery_codes set used_at = now()
 where tenant_id = $1 and person_id = $2 and hash = $3 and used_at is null
returning true
"""
COUNT = "select count(*) from recovery_codes where tenant_id = $1 and person_id = $2 and used_at is null"


async def draw_codes(connection: Connection, tenant_id: int, person_id: str) -> list[str]:
    """Ten new codes for the person, in the connection's transaction; those of before are void."""
    codes = [_draw() for _ in range(CODES)]
    await connection.execute(FORGET, tenant_id, person_id)
    await connection.execute(INSERT, tenant_id, person_id, [_hash(code) for code in codes])
    return codes


async def forget_codes(connection: Connection, tenant_id: int, person_id: str) -> None:
    """There is nothing left that they would recover."""
    await connection.execute(FORGET, tenant_id, person_id)


async def count_codes(connection: Connection, tenant_id: int, person_id: str) -> int:
    """How many are still good."""
    count: int = await connection.fetchval(COUNT, tenant_id, person_id)
    return count


async def use_code(connection: Connection, tenant_id: int, person_id: str, code: str) -> None:
    """Take one of the person's codes, however it is spelled. It works once. Raises ProofRefused."""
    if not await connection.fetchval(USE, tenant_id, person_id, _hash(code)):
        raise ProofRefused("recovery_code_wrong")


def _draw() -> str:
    marks = "".join(secrets.choice(ALPHABET) for _ in range(MARKS))
    return "-".join(marks[at : at + GROUP] for at in range(0, MARKS, GROUP))


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.upper().translate(READ_AS).encode(errors="surrogatepass")).digest()

"""Payment ids as a client makes them: UUIDs of version 7 (RFC 9562, 5.7), or of version 4.

Those of version 7 begin with the time, so that the ledger's index of ids grows at one end.
"""

import os
import time
from collections.abc import Callable
from typing import Final

# Any digit as one whose first two bits are 10 (RFC 9562, 4.1).
VARIANT: Final = {f"{digit:x}": "89ab"[digit & 3] for digit in range(16)}


def uuid7() -> str:
    """A UUID that begins with this millisecond; 74 bits are random."""
    moment = f"{time.time_ns() // 1_000_000:012x}"
    bits = os.urandom(10).hex()
    return f"{moment[:8]}-{moment[8:]}-7{bits[:3]}-{VARIANT[bits[3]]}{bits[4:7]}-{bits[7:19]}"


def uuid4() -> str:
    """A UUID that is random throughout."""
    bits = os.urandom(16).hex()
    return f"{bits[:8]}-{bits[8:12]}-4{bits[12:15]}-{VARIANT[bits[15]]}{bits[16:19]}-{bits[19:31]}"


MAKERS: Final[dict[str, Callable[[], str]]] = {"v7": uuid7, "v4": uuid4}
# What PostgreSQL 18 makes of each kind.
IN_SQL: Final = {"v7": "uuidv7()", "v4": "gen_random_uuid()"}

"""Every command that both doors know, in one table. The socket, the HTTP API and the documents are made from it."""

from typing import Final

from hub.commands import (
    bulking,
    charging,
    consenting,
    disputing,
    enrolling,
    erasing,
    exporting,
    federating,
    keying,
    leaving,
    operating,
    pairing,
    paying,
    pricing,
    proving,
    reading,
    recalling,
    reporting,
    ruling,
    scheduling,
    securing,
    stepping_up,
    trying,
)
from hub.commands.row import Row

# Each as both doors carry it out: some need a fresh proof of who speaks first (hub/commands/stepping_up.py).
ROWS: Final[tuple[Row, ...]] = tuple(
    stepping_up.guarded(row)
    for row in (
        *paying.ROWS,
        *trying.ROWS,
        *reading.ROWS,
        *operating.ROWS,
        *charging.ROWS,
        *bulking.ROWS,
        *scheduling.ROWS,
        *disputing.ROWS,
        *ruling.ROWS,
        *pricing.ROWS,
        *recalling.ROWS,
        *proving.ROWS,
        *leaving.ROWS,
        *enrolling.ROWS,
        *keying.ROWS,
        *pairing.ROWS,
        *federating.ROWS,
        *stepping_up.ROWS,
        *securing.ROWS,
        *exporting.ROWS,
        *erasing.ROWS,
        *consenting.ROWS,
        *reporting.ROWS,
    )
)

"""Every command that both doors know, in one table. The socket, the HTTP API and the documents are made from it."""

from typing import Final

from hub.commands import (
    bulking,
    charging,
    confirming,
    consenting,
    disputing,
    enrolling,
    erasing,
    exporting,
    federating,
    hooking,
    inspecting,
    keying,
    knowing,
    leaving,
    noticing,
    operating,
    overseeing,
    pairing,
    paying,
    pricing,
    proving,
    reading,
    recalling,
    reporting,
    ruling,
    scheduling,
    seating,
    securing,
    staffing,
    standing,
    stepping_up,
    trailing,
    trying,
)
from hub.commands.rights import right_of
from hub.commands.row import Row

# Each as both doors carry it out: whoever may ask for it (hub/commands/rights.py), and some after a fresh proof of who
# speaks (hub/commands/stepping_up.py); from a seat, some after it is written down who asks (hub/commands/seating.py).
ROWS: Final[tuple[Row, ...]] = tuple(
    stepping_up.guarded(seating.witnessed(row))._replace(right=right_of(row.takes))
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
        *noticing.ROWS,
        *enrolling.ROWS,
        *keying.ROWS,
        *pairing.ROWS,
        *seating.ROWS,
        *hooking.ROWS,
        *federating.ROWS,
        *stepping_up.ROWS,
        *securing.ROWS,
        *knowing.ROWS,
        *confirming.ROWS,
        *standing.ROWS,
        *staffing.ROWS,
        *trailing.ROWS,
        *exporting.ROWS,
        *erasing.ROWS,
        *consenting.ROWS,
        *reporting.ROWS,
        *overseeing.ROWS,
        *inspecting.ROWS,
    )
)

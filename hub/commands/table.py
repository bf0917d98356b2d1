"""Every command that both doors know, in one table. The socket, the HTTP API and the documents are made from it."""

from typing import Final

from hub.commands import (
    bulking,
    charging,
    disputing,
    federating,
    keying,
    operating,
    pairing,
    paying,
    pricing,
    proving,
    reading,
    recalling,
    ruling,
    scheduling,
    trying,
)
from hub.commands.row import Row

ROWS: Final[tuple[Row, ...]] = (
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
    *keying.ROWS,
    *pairing.ROWS,
    *federating.ROWS,
    *proving.ROWS,
)

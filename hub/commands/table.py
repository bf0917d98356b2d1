"""Every command that both doors know, in one table. The socket, the HTTP API and the documents are made from it."""

from typing import Final

from hub.commands import (
    bulking,
    charging,
    consenting,
    disputing,
    erasing,
    exporting,
    operating,
    paying,
    pricing,
    proving,
    reading,
    recalling,
    reporting,
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
    *proving.ROWS,
    *exporting.ROWS,
    *erasing.ROWS,
    *consenting.ROWS,
    *reporting.ROWS,
)

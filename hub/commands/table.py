"""Every command that both doors know, in one table. The socket, the HTTP API and the documents are made from it."""

from typing import Final

from hub.commands import (
    bulking,
    charging,
    confirming,
    disputing,
    knowing,
    operating,
    paying,
    pricing,
    proving,
    reading,
    recalling,
    ruling,
    scheduling,
    staffing,
    standing,
    trailing,
    trying,
)
from hub.commands.rights import right_of
from hub.commands.row import Row

_ROWS: Final[tuple[Row, ...]] = (
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
    *knowing.ROWS,
    *confirming.ROWS,
    *standing.ROWS,
    *staffing.ROWS,
    *trailing.ROWS,
)
ROWS: Final[tuple[Row, ...]] = tuple(row._replace(right=right_of(row.takes)) for row in _ROWS)

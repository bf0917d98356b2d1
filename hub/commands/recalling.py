"""Looking back: payments by filter, balances at a past moment, whole lives."""

from typing import Final

from hub.commands.row import Row

ROWS: Final[tuple[Row, ...]] = ()

"""Files of payments: sent, checked line by line, approved, followed while they are posted."""

from typing import Final

from hub.commands.row import Row

ROWS: Final[tuple[Row, ...]] = ()

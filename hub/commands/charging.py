"""Requests to be paid: made, shown as a QR code, paid, cancelled."""

from typing import Final

from hub.commands.row import Row

ROWS: Final[tuple[Row, ...]] = ()

"""Requests to be paid: made, shown as a QR code, paid, cancelled."""

from typing import Final

from hub.protocol.fields import Message

FROM_CLIENT: Final[tuple[type[Message], ...]] = ()
FROM_HUB: Final[tuple[type[Message], ...]] = ()

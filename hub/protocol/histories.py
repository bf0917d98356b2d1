"""Looking back: payments by filter, balances at a past moment, whole lives."""

from typing import Final

from hub.protocol.fields import Message

FROM_CLIENT: Final[tuple[type[Message], ...]] = ()
FROM_HUB: Final[tuple[type[Message], ...]] = ()

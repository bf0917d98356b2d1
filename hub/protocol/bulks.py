"""Files of payments: sent, checked line by line, approved, followed while they are posted."""

from typing import Final

from hub.protocol.fields import Message

FROM_CLIENT: Final[tuple[type[Message], ...]] = ()
FROM_HUB: Final[tuple[type[Message], ...]] = ()

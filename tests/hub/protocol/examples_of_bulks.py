"""Examples of hub/protocol/bulks.py."""

from hub.protocol.fields import Message

EXAMPLES: tuple[Message, ...] = ()

"""Examples of hub/protocol/charges.py."""

from hub.protocol.fields import Message

EXAMPLES: tuple[Message, ...] = ()

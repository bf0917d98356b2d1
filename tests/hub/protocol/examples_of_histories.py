"""Examples of hub/protocol/histories.py."""

from hub.protocol.fields import Message

EXAMPLES: tuple[Message, ...] = ()

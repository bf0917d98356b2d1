"""Examples of hub/protocol/terminals.py."""

from hub.protocol import terminals
from hub.protocol.fields import Message

TERMINAL = "ffffffff-ffff-4fff-bfff-ffffffffffff"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"
NEW = terminals.TerminalState(TERMINAL, PERSON, 123456789012, False, "EdDSA", AT, "Till 1")
OLD = terminals.TerminalState(
    TERMINAL,
    PERSON,
    123456789012,
    True,
    "ES256",
    AT,
    revoked_at=AT,
    last_used_on="2026-03-01",
    last_used_network="2001:db8::/48",
)

EXAMPLES: tuple[Message, ...] = (
    terminals.AskChallenge(1),
    terminals.CreatePairingCode(2, 123456789012, "Till 1", may_refund=True, person=PERSON),
    terminals.CreatePairingCode(2, 123456789012, "Till 1"),
    terminals.ReadTerminals(3, person=PERSON),
    terminals.ReadTerminals(3),
    terminals.ChangeTerminal(4, TERMINAL, name="Caixa 2", may_refund=False),
    terminals.ChangeTerminal(4, TERMINAL),
    terminals.RevokeTerminal(5, TERMINAL),
    terminals.Challenge(1, "Zm9yIHRoaXMgY29ubmVjdGlvbiBhbG9uZQ", AT),
    terminals.PairingCodeMade(2, "ACDEFGHJ", 123456789012, AT),
    terminals.TerminalsAnswer(3, [NEW, OLD]),
    terminals.TerminalAnswer(4, OLD),
)

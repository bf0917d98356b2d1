"""Examples of hub/protocol/sessions.py."""

from hub.protocol import sessions
from hub.protocol.fields import Message

PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
SESSION = "0f0e0d0c-0b0a-4908-8706-050403020100"
OTHER = "ffffffff-ffff-4fff-bfff-ffffffffffff"
AT = "2026-03-01T12:34:56.789012Z"

EXAMPLES: tuple[Message, ...] = (
    sessions.ReadSessions(1),
    sessions.ReadSessions(1, person=PERSON),
    sessions.NameSession(2, SESSION, "Ana's phone é"),
    sessions.EndSession(3, SESSION),
    sessions.EndSession(3, OTHER, reason="Case 17: the phone was lost"),
    sessions.EndSessions(4),
    sessions.EndSessions(4, person=PERSON, reason="Case 17"),
    sessions.SessionsAnswer(
        1,
        [
            sessions.SessionState(
                SESSION,
                AT,
                AT,
                "web",
                ["pwd", "otp", "mfa"],
                name="Ana's phone é",
                network="192.0.2.0/24",
                device=OTHER,
                current=True,
            ),
            sessions.SessionState(OTHER, AT, AT, "installation", []),
        ],
    ),
    sessions.SessionNamed(2, SESSION, "Ana's phone é"),
    sessions.SessionsEnded(3, [SESSION, OTHER]),
    sessions.SessionsEnded(4, []),
)

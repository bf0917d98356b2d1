"""Examples of hub/protocol/factors.py."""

from hub.protocol import factors
from hub.protocol.fields import Message

FACTOR = "0f0e0d0c-0b0a-4908-8706-050403020100"
OTHER = "ffffffff-ffff-4fff-bfff-ffffffffffff"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"
TOKEN = "eyJhbGciOiJFZERTQSJ9.e30.c2ln"
CODE = "0123-4567-89AB-CDEF-GHJK-MNPQ"
OPTIONS = '{"challenge": "AAAA", "rpId": "pay.example.com"}'
CREDENTIAL = '{"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}'
APP = factors.FactorState(FACTOR, "totp", "Authenticator app", AT, last_used_at=AT)
KEY = factors.FactorState(OTHER, "passkey", "Ana's phone é", AT, synced=True, copied_at=AT)

EXAMPLES: tuple[Message, ...] = (
    factors.ReadFactors(1),
    factors.EnrolTotp(2),
    factors.EnrolTotp(2, name="Ana's phone é"),
    factors.ConfirmTotp(3, FACTOR, "012345"),
    factors.EnrolPasskey(4),
    factors.ConfirmPasskey(5, CREDENTIAL, "Ana's phone é"),
    factors.NameFactor(6, FACTOR, "Old phone"),
    factors.RemoveFactor(7, FACTOR),
    factors.RenewRecoveryCodes(8),
    factors.ResetFactors(9, PERSON, "Case 17: lost everything"),
    factors.AskStepUp(10),
    factors.StepUp(11, code="012345"),
    factors.StepUp(11, recovery_code=CODE),
    factors.StepUp(11, credential=CREDENTIAL),
    factors.StepUp(11, password="a long enough password"),
    factors.ChangePassword(12, "another long password", old="a long enough password"),
    factors.ChangePassword(12, "another long password"),
    factors.SetSecurity(13, 300, True, step_up_above=100_000),
    factors.SetSecurity(13, 60, False),
    factors.ReadSecurity(14),
    factors.FactorsAnswer(1, [APP, KEY], 9),
    factors.FactorsAnswer(1, [], 0),
    factors.TotpBegun(
        2, FACTOR, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "otpauth://totp/Demo:ana?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    ),
    factors.PasskeyOptions(4, OPTIONS),
    factors.FactorEnrolled(3, APP, TOKEN, AT, recovery_codes=[CODE, CODE]),
    factors.FactorEnrolled(5, KEY, TOKEN, AT),
    factors.FactorNamed(6, FACTOR, "Old phone"),
    factors.FactorRemoved(7, FACTOR),
    factors.RecoveryCodes(8, [CODE]),
    factors.FactorsReset(9, PERSON, 2, [OTHER]),
    factors.StepUpOptions(10, ["passkey", "totp", "recovery_code"], passkey=OPTIONS),
    factors.StepUpOptions(10, ["password"]),
    factors.SteppedUp(11, TOKEN, AT),
    factors.PasswordChanged(12, [OTHER]),
    factors.SecurityState(13, 300, True, step_up_above=100_000),
    factors.SecurityState(14, 300, False),
)

"""Second factors, stepping up, the password, and what a tenant asks of its people.

What browsers hand over and take of passkeys is JSON text: `options` go through JSON.parse and
PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON, a `credential` comes from
JSON.stringify(credential.toJSON()).
"""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import AMOUNT_MAX
from hub.protocol.fields import UUID_PATTERN, Command, Message, Name, Password
from hub.protocol.sessions import PersonId, Reason

# Far above what an authenticator answers without attestation; with one of its certificates, a few kilobytes.
ANSWER_LENGTH_MAX = 16_000
# A proof that counts for less is asked for at every step; for more, and it says nothing about who holds the device now.
STEP_UP_S_MIN = 60
STEP_UP_S_MAX = 3_600

FactorId: TypeAlias = Annotated[
    str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A second factor's id.")
]
Code: TypeAlias = Annotated[
    str, Meta(pattern="^[0-9]{6}$", max_length=6, description="The six digits that the app shows now. They work once.")
]
RecoveryCode: TypeAlias = Annotated[
    str, Meta(min_length=24, max_length=40, description="One of the ten; with or without its hyphens. It works once.")
]
Credential: TypeAlias = Annotated[
    str, Meta(min_length=2, max_length=ANSWER_LENGTH_MAX, description="What the browser answered, as JSON text.")
]
FactorKind: TypeAlias = Literal["totp", "passkey"]
ProofKind: TypeAlias = Literal["totp", "passkey", "recovery_code", "password"]


class ReadFactors(Command, frozen=True, tag="factors", gc=False):
    """Your second factors, and how many recovery codes are left."""


class EnrolTotp(Command, frozen=True, tag="enrol_totp", gc=False):
    """Begin with an authenticator app: a secret, shown once. It counts when confirm_totp brings its first code.

    There is one app per person: a new one takes the place of the old one then.
    """

    name: Name | UnsetType = UNSET


class ConfirmTotp(Command, frozen=True, tag="confirm_totp", gc=False):
    """The first code of the app. From now on a log-in needs a second factor."""

    factor: FactorId
    code: Code


class EnrolPasskey(Command, frozen=True, tag="enrol_passkey", gc=False):
    """Begin with a passkey: what the page gives to navigator.credentials.create. Good for five minutes, and once."""


class ConfirmPasskey(Command, frozen=True, tag="confirm_passkey", gc=False):
    """What the browser answered. From now on a log-in needs a second factor."""

    credential: Credential
    name: Name


class NameFactor(Command, frozen=True, tag="name_factor", gc=False):
    """Give a factor a name that you know it by."""

    factor: FactorId
    name: Name


class RemoveFactor(Command, frozen=True, tag="remove_factor", gc=False):
    """Remove a factor. With the last one go the recovery codes, and a log-in needs the password alone."""

    factor: FactorId


class RenewRecoveryCodes(Command, frozen=True, tag="renew_recovery_codes", gc=False):
    """Ten new recovery codes; those of before are void."""


class ResetFactors(Command, frozen=True, tag="reset_factors", gc=False):
    """Operators: remove all factors of somebody who has lost them, and end their sessions."""

    person: PersonId
    reason: Reason


class AskStepUp(Command, frozen=True, tag="ask_step_up", gc=False):
    """What you can step up with, and what the page gives to navigator.credentials.get for a passkey."""


class StepUp(Command, frozen=True, tag="step_up", gc=False):
    """Prove again that it is you, by one of these; by the password only if you have no second factor.

    The answer is a fresh token of this session. On a socket, renew takes it.
    """

    code: Code | UnsetType = UNSET
    recovery_code: RecoveryCode | UnsetType = UNSET
    credential: Credential | UnsetType = UNSET
    password: Password | UnsetType = UNSET


class ChangePassword(Command, frozen=True, tag="change_password", gc=False):
    """A new password; all your other sessions end. Bring the old one, or step up first.

    With a second factor, only stepping up by it will do.
    """

    password: Password
    old: Password | UnsetType = UNSET


class SetSecurity(Command, frozen=True, tag="set_security", gc=False):
    """Operators: what the tenant asks of its people.

    `step_up_s`: a proof of who one is counts for so long. `step_up_above`: paying more than this needs one.
    `operators_need_factor`: of the staff, who has none may only enrol one.
    """

    step_up_s: Annotated[int, Meta(ge=STEP_UP_S_MIN, le=STEP_UP_S_MAX)]
    operators_need_factor: bool
    step_up_above: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)] | UnsetType = UNSET


class ReadSecurity(Command, frozen=True, tag="security", gc=False):
    """What the tenant asks of its people."""


class FactorState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A second factor. `synced`: it lives on several of your devices. `copied_at`: when there last seemed to be two."""

    factor: str
    kind: FactorKind
    name: str
    made_at: str
    last_used_at: str | UnsetType = UNSET
    synced: bool | UnsetType = UNSET
    copied_at: str | UnsetType = UNSET


class FactorsAnswer(Message, frozen=True, tag="factor_states", gc=False):
    """Your second factors, oldest first. `recovery_codes`: how many are left."""

    id: int
    factors: list[FactorState]
    recovery_codes: int


class TotpBegun(Message, frozen=True, tag="totp_begun", gc=False):
    """The secret, and the text of the QR code that an app reads. Neither is shown again."""

    id: int
    factor: str
    secret: str
    uri: str


class PasskeyOptions(Message, frozen=True, tag="passkey_options", gc=False):
    """What the page gives to navigator.credentials.create."""

    id: int
    options: str


class FactorEnrolled(Message, frozen=True, tag="factor_enrolled", gc=False):
    """It counts from now on. The token is a fresh one of this session: who enrols has just proved the factor.

    `recovery_codes`: shown now and never again; there when you had none left.
    """

    id: int
    factor: FactorState
    access_token: str
    expires_at: str
    recovery_codes: list[str] | UnsetType = UNSET


class FactorNamed(Message, frozen=True, tag="factor_named", gc=False):
    """The factor's name from now on."""

    id: int
    factor: str
    name: str


class FactorRemoved(Message, frozen=True, tag="factor_removed", gc=False):
    """It proves nothing any more."""

    id: int
    factor: str


class RecoveryCodes(Message, frozen=True, tag="recovery_codes", gc=False):
    """Shown now and never again. Each works once."""

    id: int
    codes: list[str]


class FactorsReset(Message, frozen=True, tag="factors_reset", gc=False):
    """The person has no second factor any more, and these sessions are over."""

    id: int
    person: str
    removed: int
    sessions: list[str]


class StepUpOptions(Message, frozen=True, tag="step_up_options", gc=False):
    """What a step-up takes; `passkey`: what the page gives to navigator.credentials.get."""

    id: int
    factors: list[ProofKind]
    passkey: str | UnsetType = UNSET


class SteppedUp(Message, frozen=True, tag="stepped_up", gc=False):
    """A fresh token of this session, until `expires_at`."""

    id: int
    access_token: str
    expires_at: str


class PasswordChanged(Message, frozen=True, tag="password_changed", gc=False):
    """The password is another one now; these sessions are over."""

    id: int
    sessions: list[str]


class SecurityState(Message, frozen=True, tag="security_state", gc=False):
    """What the tenant asks of its people."""

    id: int
    step_up_s: int
    operators_need_factor: bool
    step_up_above: int | UnsetType = UNSET


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    ReadFactors,
    EnrolTotp,
    ConfirmTotp,
    EnrolPasskey,
    ConfirmPasskey,
    NameFactor,
    RemoveFactor,
    RenewRecoveryCodes,
    ResetFactors,
    AskStepUp,
    StepUp,
    ChangePassword,
    SetSecurity,
    ReadSecurity,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    FactorsAnswer,
    TotpBegun,
    PasskeyOptions,
    FactorEnrolled,
    FactorNamed,
    FactorRemoved,
    RecoveryCodes,
    FactorsReset,
    StepUpOptions,
    SteppedUp,
    PasswordChanged,
    SecurityState,
)

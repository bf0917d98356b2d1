"""What can go wrong in core, as exceptions.

A refusal (no funds, unknown account) is never one of these: it is a result, `core.nouns.PaymentStatus`.

    CoreError
    ├── Unavailable           nothing was done; try again
    │   ├── Overloaded        too many payments are waiting
    │   └── KeysUnavailable   personal data cannot be read or written just now
    ├── KeysRefused           the key service does not open a key: another master key, another place, no right to
    ├── SealBroken            sealed data was changed, or is not where it was put
    ├── OutcomeUnknown        it may or may not have committed; only asking again with the same id settles it
    ├── NotFound              no such thing in this tenant, or it belongs to somebody else
    │   └── PersonErased      the person's key was destroyed: nothing of theirs can be written any more
    ├── Conflict              the thing exists already
    ├── Refusal               the state of the thing, or a rule about it, does not allow this; carries a stable code
    ├── TooOften              it was done too often lately; says when it may be done again
    ├── CredentialsRefused    wrong name, password or refresh token; never says which
    └── ProofRefused          a second factor, or a password asked for again, proves nothing
"""


class CoreError(Exception):
    """Something core could not do. The docstring is the default message."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class Unavailable(CoreError):
    """The ledger cannot be reached. Nothing was done; try again."""

    def __init__(self, message: str | None = None, *, retry_after_ms: int = 1000) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class Overloaded(Unavailable):
    """Too many payments are waiting. Nothing was done; try again."""


class KeysUnavailable(Unavailable):
    """The key service or the database of keys cannot be reached. Nothing was done; try again."""


class KeysRefused(CoreError):
    """The key service does not open a key: it holds another master key, or gives Payhub no right to it."""


class SealBroken(CoreError):
    """Sealed data was changed, or it is not where it was put."""


class OutcomeUnknown(CoreError):
    """The commit's outcome is not known. Ask again with the same payment id."""


class NotFound(CoreError):
    """There is no such thing here."""


class PersonErased(NotFound):
    """This person was erased: nothing of theirs can be kept any more."""


class Conflict(CoreError):
    """It exists already."""


class Refusal(CoreError):
    """The thing is in no state for this, or a rule forbids it. Nothing was changed.

    `code` is one of hub/protocol/codes.py's ErrorCode; without a message, what is written there is told.
    """

    def __init__(self, code: str, message: str = "", *, field: str | None = None) -> None:
        Exception.__init__(self, message)
        self.code = code
        self.field = field


class TooOften(CoreError):
    """This was done too often lately. Nothing was changed."""

    def __init__(self, retry_after_ms: int) -> None:
        super().__init__()
        self.retry_after_ms = retry_after_ms


class CredentialsRefused(CoreError):
    """The name, the password or the token is wrong."""


class ProofRefused(CoreError):
    """What was brought does not prove who brings it. `reason` is for the audit trail."""

    def __init__(self, reason: str, factor_id: str | None = None) -> None:
        super().__init__()
        self.reason = reason
        self.factor_id = factor_id

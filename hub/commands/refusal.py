"""A command that is not carried out."""

from msgspec import UNSET, UnsetType

from core.errors import (
    Conflict,
    CoreError,
    CredentialsRefused,
    KeysRefused,
    KeysUnavailable,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    Refusal,
    Unavailable,
)
from hub import metrics
from hub.protocol.codes import MEANINGS, ErrorCode
from hub.protocol.messages import Refused

AWAY = {Overloaded: ErrorCode.OVERLOADED, KeysUnavailable: ErrorCode.KEYS_UNAVAILABLE}
# Until an operator has mended it, a client can only ask again.
KEYS_RETRY_AFTER_MS = 5_000


class CommandRefused(Exception):
    """The command changed nothing. `code` says why, `field` where, `retry_after_ms` when to ask again."""

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        field: str | UnsetType = UNSET,
        retry_after_ms: int | UnsetType = UNSET,
    ) -> None:
        super().__init__(message or MEANINGS[code].advice)
        self.code = code
        self.field = field
        self.retry_after_ms = retry_after_ms

    def to_message(self, id: int | UnsetType = UNSET) -> Refused:
        """The answer that says so."""
        return Refused(self.code, str(self), id=id, field=self.field, retry_after_ms=self.retry_after_ms)


def from_core(error: CoreError) -> CommandRefused:
    """What the client is told of an error in core. Its own words stay here: they are for operators."""
    if isinstance(error, Unavailable):
        code = next((code for kind, code in AWAY.items() if isinstance(error, kind)), ErrorCode.UNAVAILABLE)
        if code is ErrorCode.KEYS_UNAVAILABLE:
            metrics.keys_refusals.labels("away").inc()
        return CommandRefused(code, retry_after_ms=error.retry_after_ms)
    if isinstance(error, Refusal):
        return CommandRefused(ErrorCode(error.code), str(error) or None, field=error.field or UNSET)
    if isinstance(error, KeysRefused):
        # An operator's to mend; a client is told as much as while the service is away.
        metrics.keys_refusals.labels("refused").inc()
        return CommandRefused(ErrorCode.KEYS_UNAVAILABLE, retry_after_ms=KEYS_RETRY_AFTER_MS)
    for kind, code in (
        (NotFound, ErrorCode.NOT_FOUND),
        (Conflict, ErrorCode.CONFLICT),
        (CredentialsRefused, ErrorCode.CREDENTIALS_REFUSED),
        (OutcomeUnknown, ErrorCode.OUTCOME_UNKNOWN),
    ):
        if isinstance(error, kind):
            return CommandRefused(code)
    return CommandRefused(ErrorCode.INTERNAL)

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
    ProofRefused,
    Refusal,
    TooOften,
    Unavailable,
)
from core.people.throttles import Throttled
from core.people.tickets import TicketRefused
from hub import metrics
from hub.protocol.codes import MEANINGS, ErrorCode
from hub.protocol.messages import Refused

AWAY = {Overloaded: ErrorCode.OVERLOADED, KeysUnavailable: ErrorCode.KEYS_UNAVAILABLE}
# Until an operator has mended it, a client can only ask again.
KEYS_RETRY_AFTER_MS = 5_000


class CommandRefused(Exception):
    """The command changed nothing. `code` says why, `field` where, `retry_after_ms` when to ask again.

    `at`: what time it is, where that is what went wrong.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        field: str | UnsetType = UNSET,
        retry_after_ms: int | UnsetType = UNSET,
        at: str | UnsetType = UNSET,
    ) -> None:
        super().__init__(message or MEANINGS[code].advice)
        self.code = code
        self.field = field
        self.retry_after_ms = retry_after_ms
        self.at = at

    def to_message(self, id: int | UnsetType = UNSET) -> Refused:
        """The answer that says so."""
        return Refused(self.code, str(self), id=id, field=self.field, retry_after_ms=self.retry_after_ms, at=self.at)


def from_core(error: CoreError) -> CommandRefused:
    """What the client is told of an error in core. Its own words stay here: they are for operators."""
    if isinstance(error, Unavailable):
        code = next((code for kind, code in AWAY.items() if isinstance(error, kind)), ErrorCode.UNAVAILABLE)
        if code is ErrorCode.KEYS_UNAVAILABLE:
            metrics.keys_refusals.labels("away").inc()
        return CommandRefused(code, retry_after_ms=error.retry_after_ms)
    if isinstance(error, TooOften):
        return CommandRefused(ErrorCode.RATE_LIMITED, retry_after_ms=error.retry_after_ms)
    if isinstance(error, Throttled):
        return CommandRefused(ErrorCode.RATE_LIMITED, retry_after_ms=int(error.wait_s * 1000) + 1)
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
        (ProofRefused, ErrorCode.PROOF_REFUSED),
        (TicketRefused, ErrorCode.TICKET_REFUSED),
        (OutcomeUnknown, ErrorCode.OUTCOME_UNKNOWN),
    ):
        if isinstance(error, kind):
            return CommandRefused(code)
    return CommandRefused(ErrorCode.INTERNAL)

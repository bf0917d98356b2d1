"""Error codes and close codes: what went wrong, and whether asking again can help.

Codes are promises: they are never renamed, and a new one is added rather than an old one bent.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple


class ErrorCode(StrEnum):
    """Why a command was not carried out. A payment's refusal is not here: it is the payment's status."""

    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    INVALID_FIELD = "invalid_field"
    DUPLICATE_FIELD = "duplicate_field"
    TOO_LARGE = "too_large"
    AUTHENTICATION_REQUIRED = "authentication_required"
    AUTHENTICATION_FAILED = "authentication_failed"
    ALREADY_AUTHENTICATED = "already_authenticated"
    CREDENTIALS_REFUSED = "credentials_refused"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    CURSOR_OUT_OF_RANGE = "cursor_out_of_range"
    TOO_MANY_FOLLOWED = "too_many_followed"
    TOO_MANY_IN_FLIGHT = "too_many_in_flight"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    OUTCOME_UNKNOWN = "outcome_unknown"
    INTERNAL = "internal"


class Meaning(NamedTuple):
    """The HTTP twin of a code, whether the same request may succeed later, and what to do, in a sentence."""

    http_status: int
    retry: bool
    advice: str


MEANINGS: dict[ErrorCode, Meaning] = {
    ErrorCode.MALFORMED: Meaning(400, False, "The bytes are not a message. Check the encoding of this subprotocol."),
    ErrorCode.UNKNOWN_TYPE: Meaning(400, False, "No such message type. The list is in /docs/asyncapi.json."),
    ErrorCode.INVALID_FIELD: Meaning(422, False, "A field is missing, unknown, of the wrong type or out of range."),
    ErrorCode.DUPLICATE_FIELD: Meaning(400, False, "A field stands twice. Send each field once."),
    ErrorCode.TOO_LARGE: Meaning(413, False, "The message is too large. Send less at a time."),
    ErrorCode.AUTHENTICATION_REQUIRED: Meaning(401, False, "Authenticate first: the first message carries the token."),
    ErrorCode.AUTHENTICATION_FAILED: Meaning(401, False, "The token is not valid. Refresh it or log in again."),
    ErrorCode.ALREADY_AUTHENTICATED: Meaning(409, False, "This session is authenticated. Use renew for a new token."),
    ErrorCode.CREDENTIALS_REFUSED: Meaning(401, False, "The name, the password or the refresh token is wrong."),
    ErrorCode.FORBIDDEN: Meaning(403, False, "This person may not do that."),
    ErrorCode.NOT_FOUND: Meaning(404, False, "There is no such thing here."),
    ErrorCode.CONFLICT: Meaning(409, False, "It exists already."),
    ErrorCode.CURSOR_OUT_OF_RANGE: Meaning(422, False, "The account has no such event yet. Read the account again."),
    ErrorCode.TOO_MANY_FOLLOWED: Meaning(429, False, "This session follows as many accounts as it may. Unfollow one."),
    ErrorCode.TOO_MANY_IN_FLIGHT: Meaning(429, True, "Too many commands are unanswered. Wait for answers."),
    ErrorCode.RATE_LIMITED: Meaning(429, True, "Too many requests. Wait for retry_after_ms."),
    ErrorCode.OVERLOADED: Meaning(503, True, "The hub is full. Nothing was done. Wait for retry_after_ms."),
    ErrorCode.UNAVAILABLE: Meaning(503, True, "Nothing was done. Wait for retry_after_ms and ask again."),
    ErrorCode.OUTCOME_UNKNOWN: Meaning(504, True, "It may have been done, or not. Look before you ask again."),
    ErrorCode.INTERNAL: Meaning(500, True, "A bug of ours. Nothing is lost; ask again with the same payment id."),
}


class CloseCode(IntEnum):
    """Why the hub closed a connection. 4000..4499: come back. 4500..4999: do not, something must change first.

    Below 4000 the meanings are RFC 6455's.
    """

    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_TEXT = 1007
    TOO_LARGE = 1009
    INTERNAL = 1011
    RESTART = 1012
    SLOW_CONSUMER = 4001
    TOKEN_EXPIRED = 4002
    UNAVAILABLE = 4003
    TOO_MANY_CONNECTIONS = 4004
    FLOODING = 4005
    AUTHENTICATION_TIMEOUT = 4500
    AUTHENTICATION_FAILED = 4501
    BAD_MESSAGE = 4502
    SESSION_REVOKED = 4503
    SUBPROTOCOL_MISSING = 4504


CLOSE_MEANINGS: dict[CloseCode, str] = {
    CloseCode.PROTOCOL_ERROR: "The frames break RFC 6455.",
    CloseCode.UNSUPPORTED_DATA: "A text frame on the msgpack subprotocol, or a binary one on json.",
    CloseCode.INVALID_TEXT: "A text message that is not UTF-8.",
    CloseCode.TOO_LARGE: "A message above the size limit.",
    CloseCode.INTERNAL: "A bug of ours. Come back and resume.",
    CloseCode.RESTART: "The hub restarts. Come back after the hint in the draining message and resume.",
    CloseCode.SLOW_CONSUMER: "You read too slowly. Come back and resume: no event is lost.",
    CloseCode.TOKEN_EXPIRED: "The token ended and was not renewed. Come back with a new one.",
    CloseCode.UNAVAILABLE: "The hub cannot serve now. Come back and resume.",
    CloseCode.TOO_MANY_CONNECTIONS: "This person has as many connections as allowed. Close one.",
    CloseCode.FLOODING: "Far above the rate limit for too long. Come back slower.",
    CloseCode.AUTHENTICATION_TIMEOUT: "No valid authenticate message in time.",
    CloseCode.AUTHENTICATION_FAILED: "The token was refused. Log in again.",
    CloseCode.BAD_MESSAGE: "Bytes that are no message, or too many refused messages.",
    CloseCode.SESSION_REVOKED: "The session was ended: log-out, another device, or an operator.",
    CloseCode.SUBPROTOCOL_MISSING: "Offer payhub.v1.msgpack or payhub.v1.json when connecting.",
}


def comes_back(code: int) -> bool:
    """Whether a client should reconnect after this close code."""
    return not (4500 <= code <= 4999 or code in {1002, 1003, 1007, 1009})

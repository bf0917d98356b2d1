"""Error codes and close codes: what went wrong, and whether asking again can help.

Codes are promises: they are never renamed, and a new one is added rather than an old one bent.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

from core.nouns import PaymentStatus


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
    POSSESSION_REFUSED = "possession_refused"
    PROOF_NONCE_REQUIRED = "proof_nonce_required"
    CLOCK_SKEWED = "clock_skewed"
    IDENTITY_REFUSED = "identity_refused"
    IDENTITY_UNKNOWN = "identity_unknown"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    FORBIDDEN = "forbidden"
    SCOPE_MISSING = "scope_missing"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    NOT_DISPUTABLE = "not_disputable"
    ALREADY_DISPUTED = "already_disputed"
    REASON_NOT_COVERED = "reason_not_covered"
    DISPUTE_DEADLINE_PASSED = "dispute_deadline_passed"
    DISPUTE_MOVED_ON = "dispute_moved_on"
    TOO_MUCH_EVIDENCE = "too_much_evidence"
    CARD_DATA_IN_TEXT = "card_data_in_text"
    DOCUMENT_IN_TEXT = "document_in_text"
    PERSON_PENDING = "person_pending"
    PERSON_BLOCKED = "person_blocked"
    PERSON_CLOSED = "person_closed"
    NOT_ON_YOURSELF = "not_on_yourself"
    LAST_OPERATOR = "last_operator"
    SECOND_OPERATOR_NEEDED = "second_operator_needed"
    ROLE_EXCEEDS_YOURS = "role_exceeds_yours"
    REASON_DOES_NOT_FIT = "reason_does_not_fit"
    REASON_NEEDED = "reason_needed"
    ACCOUNT_NOT_EMPTY = "account_not_empty"
    DOCUMENT_INVALID = "document_invalid"
    FIELD_NOT_THEIRS = "field_not_theirs"
    FIELD_MISSING = "field_missing"
    ALREADY_HELD = "already_held"
    ALREADY_CONFIRMED = "already_confirmed"
    ASK_SUPPORT = "ask_support"
    CODE_REFUSED = "code_refused"
    CODE_DAMAGED = "code_damaged"
    CHARGE_PAID = "charge_paid"
    SCHEDULE_OVER = "schedule_over"
    TOO_MANY_SCHEDULES = "too_many_schedules"
    TOO_MANY_BULKS = "too_many_bulks"
    RANGE_TOO_LARGE = "range_too_large"
    RULE_DOES_NOT_FIT = "rule_does_not_fit"
    LIMIT_NOT_YOURS = "limit_not_yours"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    MALFORMED_FILE = "malformed_file"
    TOTALS_MISMATCH = "totals_mismatch"
    SUM_OUT_OF_RANGE = "sum_out_of_range"
    TOO_MANY_LINES = "too_many_lines"
    LINES_OUT_OF_ORDER = "lines_out_of_order"
    DUPLICATE_FILE = "duplicate_file"
    BULK_BEGUN_AGAIN = "bulk_begun_again"
    BULK_WRONG_STATUS = "bulk_wrong_status"
    BULK_IS_EMPTY = "bulk_is_empty"
    BULK_HAS_BAD_LINES = "bulk_has_bad_lines"
    MAKER_CANNOT_APPROVE = "maker_cannot_approve"
    TICKET_REFUSED = "ticket_refused"
    PROOF_REFUSED = "proof_refused"
    STEP_UP_REQUIRED = "step_up_required"
    SECOND_FACTOR_REQUIRED = "second_factor_required"
    PASSKEYS_NOT_SET_UP = "passkeys_not_set_up"
    TOO_MANY_FACTORS = "too_many_factors"
    PASSWORD_TOO_WEAK = "password_too_weak"  # noqa: S105  # a code, no password
    TOO_MANY_KEYS = "too_many_keys"
    KEY_OVER = "key_over"
    TOO_MANY_TERMINALS = "too_many_terminals"
    TOO_MANY_SEATS = "too_many_seats"
    TOO_MANY_INVITATIONS = "too_many_invitations"
    ALREADY_SEATED = "already_seated"
    SEAT_OVER = "seat_over"
    TOO_MANY_PROVIDERS = "too_many_providers"
    TOO_MANY_WEBHOOKS = "too_many_webhooks"
    TOO_MANY_PHONES = "too_many_phones"
    URL_REFUSED = "url_refused"
    EXPORT_UNDER_WAY = "export_under_way"
    TOO_MANY_EXPORTS = "too_many_exports"
    ERASURE_OBSTRUCTED = "erasure_obstructed"
    CONSENT_TEXT_CHANGED = "consent_text_changed"
    CONSENT_MISSING = "consent_missing"
    TOO_MANY_PURPOSES = "too_many_purposes"
    TOO_MANY_CHANGES = "too_many_changes"
    TOO_MANY_REQUESTS = "too_many_requests"
    REQUEST_ANSWERED = "request_answered"
    CURSOR_OUT_OF_RANGE = "cursor_out_of_range"
    TOO_MANY_FOLLOWED = "too_many_followed"
    TOO_MANY_IN_FLIGHT = "too_many_in_flight"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    KEYS_UNAVAILABLE = "keys_unavailable"
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
    ErrorCode.POSSESSION_REFUSED: Meaning(
        401, False, "The proof does not show that you hold the token's key, for this request and once."
    ),
    ErrorCode.PROOF_NONCE_REQUIRED: Meaning(
        401, True, "Make the proof anew with a fresh nonce: the one in DPoP-Nonce, or one from /v1/nonces."
    ),
    ErrorCode.CLOCK_SKEWED: Meaning(401, True, "Your clock is wrong. Set it by `at`, and make the proof anew."),
    ErrorCode.IDENTITY_REFUSED: Meaning(
        401, False, "The identity provider's token is not one for this log-in. Begin it anew, with a fresh nonce."
    ),
    ErrorCode.IDENTITY_UNKNOWN: Meaning(403, False, "Nobody here may come in with this identity. Ask an operator."),
    ErrorCode.PROVIDER_UNAVAILABLE: Meaning(
        503, True, "The identity provider's keys cannot be had now. Try again, or log in with a password."
    ),
    ErrorCode.FORBIDDEN: Meaning(403, False, "This person may not do that."),
    ErrorCode.SCOPE_MISSING: Meaning(
        403, False, "This key, till or seat may not do that. Ask the merchant for the scope that the command needs."
    ),
    ErrorCode.NOT_FOUND: Meaning(404, False, "There is no such thing here."),
    ErrorCode.CONFLICT: Meaning(409, False, "It exists already."),
    ErrorCode.NOT_DISPUTABLE: Meaning(
        422, False, "Not so much of this payment can be disputed or given back. Read it and ask for less."
    ),
    ErrorCode.ALREADY_DISPUTED: Meaning(
        409, False, "A dispute of this payment is under way. Look among your disputes."
    ),
    ErrorCode.REASON_NOT_COVERED: Meaning(
        422, False, "This kind of dispute does not cover that reason. Ask the payee for a refund, or an operator."
    ),
    ErrorCode.DISPUTE_DEADLINE_PASSED: Meaning(409, False, "The time for this is over. Read the dispute's deadlines."),
    ErrorCode.DISPUTE_MOVED_ON: Meaning(409, False, "The dispute is past this step. Read it to see where it stands."),
    ErrorCode.TOO_MUCH_EVIDENCE: Meaning(409, False, "Your side has brought forward as many pieces as there may be."),
    ErrorCode.CARD_DATA_IN_TEXT: Meaning(
        422, False, "A card's number or security code has no place in a text. Leave it out, or use a gateway's token."
    ),
    ErrorCode.DOCUMENT_IN_TEXT: Meaning(
        422, False, "A person's CPF has no place in a text that others read. Leave it out."
    ),
    ErrorCode.PERSON_PENDING: Meaning(
        403, False, "The tenant has not looked at you yet. Until an operator activates you, you cannot do this."
    ),
    ErrorCode.PERSON_BLOCKED: Meaning(403, False, "You are blocked: you may log in and read. Ask support."),
    ErrorCode.PERSON_CLOSED: Meaning(409, False, "This person is closed, for good. Open a new one."),
    ErrorCode.NOT_ON_YOURSELF: Meaning(403, False, "Nobody does this to themselves. Another operator has to."),
    ErrorCode.LAST_OPERATOR: Meaning(
        409, False, "Nobody would be left who can operate. Make somebody else an operator first."
    ),
    ErrorCode.SECOND_OPERATOR_NEEDED: Meaning(
        403,
        False,
        "The tenant wants two operators to agree on staff. Enter a customer, and let two give the role by set_role; "
        "the administrator alone gives this up.",
    ),
    ErrorCode.ROLE_EXCEEDS_YOURS: Meaning(403, False, "That role may do what yours may not. Nobody gives more."),
    ErrorCode.REASON_DOES_NOT_FIT: Meaning(
        422, False, "That is no reason for this status: set_person_status says which are."
    ),
    ErrorCode.REASON_NEEDED: Meaning(403, False, "Say why: give a reason, and where it is asked for, a case."),
    ErrorCode.ACCOUNT_NOT_EMPTY: Meaning(
        409,
        False,
        "There is money left, owed or reserved. Pay it out, let holds and disputes end, then close the person.",
    ),
    ErrorCode.DOCUMENT_INVALID: Meaning(
        422, False, "That is no CPF or CNPJ: it has another length, or its check digits are wrong. Look at it again."
    ),
    ErrorCode.FIELD_NOT_THEIRS: Meaning(
        422, False, "People of this role have no such field: a CPF is a customer's, a CNPJ a merchant's."
    ),
    ErrorCode.FIELD_MISSING: Meaning(
        422, False, "The tenant needs to know this of everybody: `field` says what. Give it, and ask again."
    ),
    ErrorCode.ALREADY_HELD: Meaning(
        409, False, "Another person of this tenant has it. Log in as that one; operators find them by it."
    ),
    ErrorCode.ALREADY_CONFIRMED: Meaning(409, False, "This contact is confirmed: there is nothing to do."),
    ErrorCode.ASK_SUPPORT: Meaning(
        403, False, "The tenant has looked at who you are: to change this, ask support, and show why."
    ),
    ErrorCode.CODE_REFUSED: Meaning(
        422, False, "The code is wrong, was used, is over, or was tried too often. Look again, or have a new one sent."
    ),
    ErrorCode.CODE_DAMAGED: Meaning(
        422, False, "The code is not whole: a character is wrong or missing. Scan or copy it again, all of it."
    ),
    ErrorCode.CHARGE_PAID: Meaning(409, False, "The charge has been paid. Refund the payment instead."),
    ErrorCode.SCHEDULE_OVER: Meaning(409, False, "The schedule is cancelled or completed. Make a new one."),
    ErrorCode.TOO_MANY_SCHEDULES: Meaning(429, False, "This account has as many schedules as it may. Cancel one."),
    ErrorCode.TOO_MANY_BULKS: Meaning(
        429, False, "This account has as many open files of payments as it may. Approve or cancel one."
    ),
    ErrorCode.RANGE_TOO_LARGE: Meaning(422, False, "More than 100,000 entries lie between. Ask for shorter spans."),
    ErrorCode.RULE_DOES_NOT_FIT: Meaning(
        422, False, "The rule's parts do not fit together: see set_rule for what each measure takes."
    ),
    ErrorCode.LIMIT_NOT_YOURS: Meaning(
        422, False, "No rule lets you set this limit so high. own_limits says how high you may."
    ),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: Meaning(
        415, False, "Send text/csv, application/xml (pain.001.001.09) or text/plain (CNAB 240), not compressed."
    ),
    ErrorCode.MALFORMED_FILE: Meaning(422, False, "The file cannot be read. Mend it and send it again."),
    ErrorCode.TOTALS_MISMATCH: Meaning(422, False, "The lines do not add up to the totals. Mend and send again."),
    ErrorCode.SUM_OUT_OF_RANGE: Meaning(422, False, "The amounts add up to more than an account can hold. Send less."),
    ErrorCode.TOO_MANY_LINES: Meaning(413, False, "One bulk has no room for so many lines. Make several."),
    ErrorCode.LINES_OUT_OF_ORDER: Meaning(409, False, "Lines are missing before these. Read the bulk and go on there."),
    ErrorCode.DUPLICATE_FILE: Meaning(
        409, False, "The same file was sent within a day. If it is meant again, make a bulk that says so."
    ),
    ErrorCode.BULK_BEGUN_AGAIN: Meaning(
        409, False, "The file was begun again or closed elsewhere. Read the bulk before sending more."
    ),
    ErrorCode.BULK_WRONG_STATUS: Meaning(409, False, "The bulk's status does not allow this. Read the bulk."),
    ErrorCode.BULK_IS_EMPTY: Meaning(409, False, "The bulk has no line that can be posted."),
    ErrorCode.BULK_HAS_BAD_LINES: Meaning(
        409, False, "An atomic bulk is posted without bad lines only. Read its report and send a mended file."
    ),
    ErrorCode.MAKER_CANNOT_APPROVE: Meaning(403, False, "Whoever made the bulk cannot approve it. Ask somebody else."),
    ErrorCode.TICKET_REFUSED: Meaning(
        401, False, "This log-in took too long or too many tries, or is done. Log in from the beginning."
    ),
    ErrorCode.PROOF_REFUSED: Meaning(
        403, False, "That proves nothing: it is wrong, was used, or is over. Bring another one, or ask for new options."
    ),
    ErrorCode.STEP_UP_REQUIRED: Meaning(
        403,
        False,
        "Prove again that it is you: step_up with a factor (or your password, if you have none); then renew.",
    ),
    ErrorCode.SECOND_FACTOR_REQUIRED: Meaning(
        403, False, "This needs a second factor. Enrol one (enrol_totp, enrol_passkey), then renew."
    ),
    ErrorCode.PASSKEYS_NOT_SET_UP: Meaning(
        409, False, "This hub's public address is no domain, so no passkey fits it. Use another factor."
    ),
    ErrorCode.TOO_MANY_FACTORS: Meaning(409, False, "You have as many factors as there may be. Remove one."),
    ErrorCode.PASSWORD_TOO_WEAK: Meaning(
        422, False, "This password is among those that are guessed first. Choose another one; four odd words will do."
    ),
    ErrorCode.TOO_MANY_KEYS: Meaning(429, False, "This merchant has as many keys as it may. Revoke one."),
    ErrorCode.KEY_OVER: Meaning(409, False, "The key has ended or has a successor already. Make a new one."),
    ErrorCode.TOO_MANY_TERMINALS: Meaning(
        429, False, "This merchant has as many tills, or open codes for them, as it may. Revoke one, or wait."
    ),
    ErrorCode.TOO_MANY_SEATS: Meaning(
        429, False, "A merchant has 50 seats at most, and a person holds 20. End one, or leave one."
    ),
    ErrorCode.TOO_MANY_INVITATIONS: Meaning(
        429, False, "20 invitations may be open, and 60 made a day. Take one back, or wait until one is accepted."
    ),
    ErrorCode.ALREADY_SEATED: Meaning(409, False, "You act for this merchant already. Leave that seat first."),
    ErrorCode.SEAT_OVER: Meaning(
        409,
        False,
        "The seat has ended, lapsed, or was never accepted; or one of you is not active, or works for the institution.",
    ),
    ErrorCode.TOO_MANY_PROVIDERS: Meaning(
        429, False, "This tenant has as many identity providers as it may. Remove one."
    ),
    ErrorCode.TOO_MANY_PHONES: Meaning(409, False, "Nobody has so many phones. Forget one, or come back tomorrow."),
    ErrorCode.TOO_MANY_WEBHOOKS: Meaning(409, False, "A merchant has ten webhooks at most. Remove one."),
    ErrorCode.URL_REFUSED: Meaning(422, False, "No webhook may lead there. Write an https URL of a public server."),
    ErrorCode.EXPORT_UNDER_WAY: Meaning(409, False, "An export of yours is being made. Read your exports."),
    ErrorCode.TOO_MANY_EXPORTS: Meaning(429, False, "You asked for as many exports as a day has. Fetch the last one."),
    ErrorCode.ERASURE_OBSTRUCTED: Meaning(
        409, False, "Something has to be done first: erasure says what. Nothing was changed."
    ),
    ErrorCode.CONSENT_TEXT_CHANGED: Meaning(409, False, "The words have changed. Read them again, then agree to them."),
    ErrorCode.CONSENT_MISSING: Meaning(403, False, "This rests on a consent that was not given."),
    ErrorCode.TOO_MANY_PURPOSES: Meaning(429, False, "There are as many purposes of consent as anybody reads."),
    ErrorCode.TOO_MANY_CHANGES: Meaning(429, False, "You changed your mind about this as often as you may."),
    ErrorCode.TOO_MANY_REQUESTS: Meaning(
        429, False, "You have as many open requests as you may. Wait for an answer, or withdraw one."
    ),
    ErrorCode.REQUEST_ANSWERED: Meaning(409, False, "This request was answered or withdrawn. Read it."),
    ErrorCode.CURSOR_OUT_OF_RANGE: Meaning(422, False, "The account has no such event yet. Read the account again."),
    ErrorCode.TOO_MANY_FOLLOWED: Meaning(429, False, "This session follows as many accounts as it may. Unfollow one."),
    ErrorCode.TOO_MANY_IN_FLIGHT: Meaning(429, True, "Too many commands are unanswered. Wait for answers."),
    ErrorCode.RATE_LIMITED: Meaning(429, True, "Too many requests. Wait for retry_after_ms."),
    ErrorCode.OVERLOADED: Meaning(503, True, "The hub is full. Nothing was done. Wait for retry_after_ms."),
    ErrorCode.UNAVAILABLE: Meaning(503, True, "Nothing was done. Wait for retry_after_ms and ask again."),
    ErrorCode.KEYS_UNAVAILABLE: Meaning(
        503, True, "Personal data cannot be read or written just now. Nothing was done. Wait for retry_after_ms."
    ),
    ErrorCode.OUTCOME_UNKNOWN: Meaning(504, True, "It may have been done, or not. Look before you ask again."),
    ErrorCode.INTERNAL: Meaning(500, True, "A bug of ours. Nothing is lost; ask again with the same payment id."),
}


UNKNOWN_ADVICE = "It is not known whether the payment was made. Ask again with the same payment id."
# What to do about each status of a payment, by its name on the wire.
PAYMENT_ADVICE: dict[str, str] = {
    status.name.lower(): advice
    for status, advice in {
        PaymentStatus.POSTED: "It is done and final.",
        PaymentStatus.IN_REVIEW: "A rule set it aside; its money is reserved. An operator will release or decline it.",
        PaymentStatus.FENCED: "The payment was given up before it arrived. Use a new payment id.",
        PaymentStatus.EXISTS_WITH_DIFFERENT_KIND: "This id is another kind of payment's. Use a new payment id.",
        PaymentStatus.EXISTS_WITH_DIFFERENT_SUBJECT: "This id is a step about another payment. Use a new payment id.",
        PaymentStatus.EXISTS_WITH_DIFFERENT_CHARGE: "This id paid another charge. Use a new payment id.",
        PaymentStatus.EXISTS_WITH_DIFFERENT_PAYER: "This id has another payer. Use a new payment id.",
        PaymentStatus.EXISTS_WITH_DIFFERENT_PAYEE: "This id has another payee. Use a new payment id.",
        PaymentStatus.EXISTS_WITH_DIFFERENT_AMOUNT: "This id has another amount. Use a new payment id.",
        PaymentStatus.EXISTS_WITH_DIFFERENT_DESCRIPTION: "This id has another description. Use a new payment id.",
        PaymentStatus.EXISTS_WITH_DIFFERENT_OPTIONS: (
            "This id has another lasts_s, final or shares. Use a new payment id."
        ),
        PaymentStatus.EXISTS_WITH_DIFFERENT_METADATA: "This id has other metadata. Use a new payment id.",
        PaymentStatus.AMOUNT_OUT_OF_RANGE: "The amount is not between 1 and 10 trillion minor units.",
        PaymentStatus.SUBJECT_NOT_FOUND: "There is no such payment between these two that this step can be about.",
        PaymentStatus.NOT_IN_REVIEW: "The payment does not wait for a review. Read it to see what became of it.",
        PaymentStatus.STILL_IN_REVIEW: "The hold waits for an operator. Capture it when it is released.",
        PaymentStatus.HOLD_CLOSED: "Nothing is reserved any more: it was captured, voided, or has expired.",
        PaymentStatus.HOLD_EXPIRED: "The hold's time is over. Authorize anew.",
        PaymentStatus.HOLD_NOT_EXPIRED: "The hold's time is not over yet.",
        PaymentStatus.CAPTURE_EXCEEDS_HOLD: "More than what is left of the hold and the tip. Capture less.",
        PaymentStatus.REFUND_EXCEEDS_CAPTURED: (
            "More than what was paid and not given back or disputed yet. Read the payment, and refund less."
        ),
        PaymentStatus.DISPUTE_OPEN: "A dispute of this payment is open. Wait until it is decided.",
        PaymentStatus.CHARGE_NOT_FOUND: "There is no such charge of this payee. Check who is paid.",
        PaymentStatus.CHARGE_CLOSED: "The charge was paid or cancelled. Ask the payee for a new one.",
        PaymentStatus.CHARGE_EXPIRED: "The charge's time is over. Ask the payee for a new one.",
        PaymentStatus.CHARGE_AMOUNT_DIFFERS: "The charge asks for another amount. Pay what it says.",
        PaymentStatus.ACCOUNTS_MUST_DIFFER: "Nobody pays themselves. Choose another payee.",
        PaymentStatus.PAYER_NOT_FOUND: "There is no such account to pay from.",
        PaymentStatus.PAYEE_NOT_FOUND: "There is no such account to pay to. Check its number.",
        PaymentStatus.PAYER_NOT_OPEN: "The payer's account is blocked, closed, or not activated yet. Ask support.",
        PaymentStatus.PAYEE_NOT_OPEN: "The payee's account is blocked or closed. Choose another.",
        PaymentStatus.SHARES_NOT_PAYABLE: (
            "The shares are more than the payee gets, name somebody twice, or cannot be paid or taken back."
        ),
        PaymentStatus.PAYEE_DENIED: "This payee is on a list of those who are not paid. Take them off it first.",
        PaymentStatus.LIMIT_EXCEEDED: (
            "A limit forbids it; `rule` says which. Pay less, wait, or raise the limit and pay when the raise holds."
        ),
        PaymentStatus.INSUFFICIENT_FUNDS: "Less is available than that. Add money, and pay with a new payment id.",
        PaymentStatus.BALANCE_OUT_OF_RANGE: "A balance would leave the range that every client can hold exactly.",
        PaymentStatus.LINKED_REFUSED: "Another payment of its group was refused. Mend that one; use new payment ids.",
    }.items()
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

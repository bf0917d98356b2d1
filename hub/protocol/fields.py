"""What a field may hold, and what every message is made of. Checked while it is decoded.

Money is an integer of minor units. Accounts are numbers, payments are UUIDs that the client makes up
and stores before it sends. `id` ties an answer to its command; answers may overtake each other.
An optional field is left out when it has no value; it is never null.
"""

from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

from core.nouns import AMOUNT_MAX, BALANCE_MAX, DESCRIPTION_LENGTH_MAX

# A page that a phone shows and one answer frame carries without strain.
PAGE_LENGTH_MAX = 200
PAGE_LENGTH = 50
# What a device can hold without an answer after days offline; one settlement's worth of work.
IN_DOUBT_MAX = 500
# Far above what a person has, far below what would hurt the hub.
FOLLOWED_MAX = 100

# Enough for an order, a table and a seller; what is larger belongs into the merchant's own system.
METADATA_KEYS_MAX = 20

UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
TIME_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
# No control characters (a log stays one line), no marks that turn the reading direction, no lone surrogates.
PLAIN_TEXT_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]*$"

# `Meta(extra=FREE)`: a person writes what they like into it, and others read it (free_text.py looks into it first).
FREE: Final = {"free_text": True}

CorrelationId: TypeAlias = Annotated[
    int, Meta(ge=0, le=BALANCE_MAX, description="Chosen by the client; the answer repeats it.")
]
AccountId: TypeAlias = Annotated[int, Meta(ge=1, le=10**12 - 1, description="An account's number within the tenant.")]
PaymentId: TypeAlias = Annotated[
    str,
    Meta(
        pattern=UUID_PATTERN,
        min_length=36,
        max_length=36,
        description="A UUID made by the client and stored before it is sent: the payment's idempotency key.",
    ),
]
ChargeId: TypeAlias = Annotated[
    str,
    Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A UUID made by whoever asks to be paid."),
]
Time: TypeAlias = Annotated[
    str,
    Meta(
        pattern=TIME_PATTERN,
        max_length=32,
        description="RFC 3339 with a zone: 2026-03-01T12:34:56Z, 2026-03-01T09:34:56.789-03:00.",
    ),
]
Amount: TypeAlias = Annotated[int, Meta(ge=1, le=AMOUNT_MAX, description="Minor units of the tenant's currency.")]
Number: TypeAlias = Annotated[
    int, Meta(ge=0, le=BALANCE_MAX, description="Of an event; each account counts from 1, without a gap.")
]
Description: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=DESCRIPTION_LENGTH_MAX,
        pattern=PLAIN_TEXT_PATTERN,
        description="Seen by both sides.",
        extra=FREE,
    ),
]
Token: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2048, description="An access token.")]
Proof: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=2048, description="A proof of possession, signed by the token's key.")
]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100, pattern=PLAIN_TEXT_PATTERN, extra=FREE)]
Login: TypeAlias = Annotated[str, Meta(min_length=3, max_length=100, pattern="^[A-Za-z0-9][A-Za-z0-9._@+-]*$")]
Password: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
Metadata: TypeAlias = Annotated[
    dict[
        Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]{1,40}$", extra=FREE)],
        Annotated[str, Meta(max_length=200, pattern=PLAIN_TEXT_PATTERN, extra=FREE)],
    ],
    Meta(min_length=1, max_length=METADATA_KEYS_MAX, description="Your own words about it: text by key."),
]
Role: TypeAlias = Annotated[str, Meta(pattern="^(customer|merchant|operator|auditor|support)$")]


class Message(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", omit_defaults=True, gc=False):
    """One thing on the wire."""


class Command(Message, frozen=True, gc=False):
    """A message from a client that expects an answer with the same id."""

    id: CorrelationId

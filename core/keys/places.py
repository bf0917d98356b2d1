"""Where sealed data lies: every column that a person's key seals, and whose key it is.

Whoever seals a new column adds a line here: keys are rotated, and what is still plain is sealed, by this list.
"""

from typing import Final, NamedTuple


class Place(NamedTuple):
    """A column of sealed data.

    `row`: the columns that name the row to Cipher.seal, with a slash between. The key is that of the owner of the
    account in column `account`; where there is none, of the person in column `person`. `plain`: the column that held
    the same before it was sealed. `found_by`: the column of its keyed hash, and the field's name in that. `is_kept`:
    rows are never changed, so that a key that sealed one has to stay.
    """

    table: str
    column: str
    row: tuple[str, ...]
    person: str | None = None
    account: str | None = None
    plain: str | None = None
    found_by: tuple[str, str] | None = None
    is_kept: bool = False

    def at(self, *row: str) -> tuple[str, str, str]:
        """Table, column and row as Cipher.seal and Cipher.open take them."""
        return self.table, self.column, "/".join(row)

    @property
    def source(self) -> str:
        """SQL: the rows, called `one`, with whose they are."""
        if self.account is None:
            return f"{self.table} as one"
        return (
            f"{self.table} as one left join accounts as owner"
            f" on owner.tenant_id = one.tenant_id and owner.id = one.{self.account}"
        )

    @property
    def whose(self) -> str:
        """SQL: the id of the person whose key it is."""
        if self.account is None:
            return f"one.{self.person}"
        return "owner.person_id" if self.person is None else f"coalesce(owner.person_id, one.{self.person})"

    @property
    def named(self) -> str:
        """SQL: the row's name as it was given to Cipher.seal."""
        return " || '/' || ".join(f"one.{column}::text" for column in self.row)


DISPLAY_NAME: Final = Place("profiles", "display_name_sealed", ("person_id",), person="person_id", plain="display_name")
LOGIN: Final = Place(
    "credentials",
    "login_sealed",
    ("person_id",),
    person="person_id",
    plain="login",
    found_by=("login_index", "login"),
)
CHARGE_DESCRIPTION: Final = Place("charges", "description_sealed", ("id",), account="payee", plain="description")
CHARGE_REFERENCE: Final = Place("charges", "reference_sealed", ("id",), account="payee", plain="reference")
SCHEDULE_DESCRIPTION: Final = Place(
    "schedules", "description_sealed", ("id",), account="payer", person="created_by", plain="description"
)
# Nobody may change a payment's row: what an old key sealed there stays sealed by it.
PAYMENT_DESCRIPTION: Final = Place(
    "payments", "description_sealed", ("id",), person="asked_by", plain="description", is_kept=True
)
# What a payer says, and what operators note about it, is the payer's; the answer is the payee's.
DISPUTE_TEXT: Final = Place("disputes", "text_sealed", ("id",), account="payer", plain="text")
DISPUTE_NOTE: Final = Place("disputes", "note_sealed", ("id",), account="payer", plain="note")
DISPUTE_ANSWER: Final = Place("disputes", "answer_sealed", ("id",), account="payee", plain="answer")
_PIECE: Final = ("dispute_id", "id")
PIECE_TEXT: Final = Place("dispute_evidence", "text_sealed", _PIECE, person="person_id", plain="text")
PIECE_NAME: Final = Place("dispute_evidence", "name_sealed", _PIECE, person="person_id", plain="name")
PIECE_CONTENT: Final = Place("dispute_evidence", "content_sealed", _PIECE, person="person_id", plain="content")
FACTOR_SECRET: Final = Place("factors", "sealed", ("id",), person="person_id")
# A field of a person (core.people.fields), and what a notice tells.
PERSON_FIELD: Final = Place("person_fields", "sealed", ("person_id", "field", "number"), person="person_id")
NOTICE_CONTENT: Final = Place("notices", "sealed", ("id",), person="person_id")
PUSH_DEVICE: Final = Place("push_devices", "sealed", ("id",), person="person_id", is_kept=True)
API_KEY_NAME: Final = Place("api_keys", "name_sealed", ("id",), person="person_id")
TERMINAL_NAME: Final = Place("terminals", "name_sealed", ("id",), person="person_id")
PAIRING_CODE_NAME: Final = Place("pairing_codes", "name_sealed", ("terminal_id",), person="person_id")
SEAT_NAME: Final = Place("seats", "name_sealed", ("id",), person="person_id")
WEBHOOK_URL: Final = Place("webhooks", "url_sealed", ("id",), person="person_id")
WEBHOOK_DESCRIPTION: Final = Place("webhooks", "description_sealed", ("id",), person="person_id")
WEBHOOK_SECRET: Final = Place("webhooks", "secret_sealed", ("id",), person="person_id")
WEBHOOK_OLD_SECRET: Final = Place("webhooks", "old_secret_sealed", ("id",), person="person_id")
# By the chunk: see core.bulk.words.
BULK_WORDS: Final = Place("bulk_words", "sealed", ("bulk_id", "first"), person="person_id")


class _Lines(Place):
    """Lines of bulks from before: what they say moves to bulk_words, by core.bulk.sealing and not where it lies."""

    __slots__ = ()

    @property
    def source(self) -> str:
        return (
            f"{self.table} as one join bulks on bulks.tenant_id = one.tenant_id and bulks.id = one.bulk_id"
            " left join accounts as owner on owner.tenant_id = bulks.tenant_id and owner.id = bulks.account"
        )

    @property
    def whose(self) -> str:
        return "coalesce(owner.person_id, bulks.maker)"


MOVING: Final = tuple(
    _Lines("bulk_lines", "", ("bulk_id", "number"), plain=plain) for plain in ("description", "reference")
)

# What a person asked to be told, and what they and whoever answered wrote: core/privacy.
EXPORT_PIECE: Final = Place(
    "privacy_export_pieces", "content_sealed", ("export_id", "form", "volume", "number"), person="person_id"
)
REQUEST_TEXT: Final = Place("privacy_requests", "text_sealed", ("id",), person="person_id")
REQUEST_ANSWER: Final = Place("privacy_requests", "answer_sealed", ("id",), person="person_id")

PLACES: Final = (
    DISPLAY_NAME,
    LOGIN,
    CHARGE_DESCRIPTION,
    CHARGE_REFERENCE,
    SCHEDULE_DESCRIPTION,
    PAYMENT_DESCRIPTION,
    DISPUTE_TEXT,
    DISPUTE_NOTE,
    DISPUTE_ANSWER,
    PIECE_TEXT,
    PIECE_NAME,
    PIECE_CONTENT,
    BULK_WORDS,
    FACTOR_SECRET,
    API_KEY_NAME,
    TERMINAL_NAME,
    PAIRING_CODE_NAME,
    SEAT_NAME,
    WEBHOOK_URL,
    WEBHOOK_DESCRIPTION,
    WEBHOOK_SECRET,
    WEBHOOK_OLD_SECRET,
    EXPORT_PIECE,
    REQUEST_TEXT,
    REQUEST_ANSWER,
    PERSON_FIELD,
    NOTICE_CONTENT,
    PUSH_DEVICE,
)

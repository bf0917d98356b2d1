"""Where sealed data lies: every column that a person's key seals, and whose key it is.

Whoever seals a new column adds a line here: keys are rotated, and what is still plain is sealed, by this list.
"""

from typing import Final, NamedTuple


class Place(NamedTuple):
    """A column of sealed data.

    `row`: the columns that name the row to Cipher.seal, with a slash between. The key is that of the person in column
    `person`, or of the owner of the account in column `account`. `plain`: the column that held the same before it was
    sealed. `is_kept`: rows are never changed, so that a key that sealed one has to stay.
    """

    table: str
    column: str
    row: tuple[str, ...]
    person: str | None = None
    account: str | None = None
    plain: str | None = None
    is_kept: bool = False

    @property
    def source(self) -> str:
        """SQL: the rows, called `one`, with whose they are."""
        if self.account is None:
            return f"{self.table} as one"
        return (
            f"{self.table} as one join accounts as owner"
            f" on owner.tenant_id = one.tenant_id and owner.id = one.{self.account}"
        )

    @property
    def whose(self) -> str:
        """SQL: the id of the person whose key it is."""
        return "owner.person_id" if self.account is not None else f"one.{self.person}"

    @property
    def named(self) -> str:
        """SQL: the row's name as it was given to Cipher.seal."""
        return " || '/' || ".join(f"one.{column}::text" for column in self.row)


# What a person asked to be told, and what they and whoever answered wrote: core/privacy.
EXPORT_PIECE: Final = Place(
    "privacy_export_pieces", "content_sealed", ("export_id", "form", "volume", "number"), person="person_id"
)
REQUEST_TEXT: Final = Place("privacy_requests", "text_sealed", ("id",), person="person_id")
REQUEST_ANSWER: Final = Place("privacy_requests", "answer_sealed", ("id",), person="person_id")

PLACES: Final[tuple[Place, ...]] = (EXPORT_PIECE, REQUEST_TEXT, REQUEST_ANSWER)

"""What is known of a person besides a name and a login: each field in one row of one table, FIELDS. Pure.

A row says whose field it is, how it is written and masked, who may change it, whether nobody else in the tenant may
have the same; and what it is before the law: its kind of data, why it is kept, on what ground and for how long (LGPD,
Lei 13.709/2018, arts. 6, 7 and 37). Whoever adds a field says all of this, or there is no field.
"""

import datetime
import re
from collections.abc import Callable, Mapping
from enum import Enum, IntEnum, StrEnum
from typing import Final, NamedTuple, TypeAlias

from core.errors import Refusal
from core.people.contacts import (
    Address,
    mask_address,
    mask_email,
    mask_phone,
    read_address,
    read_email,
    read_phone,
)
from core.people.documents import read_cnpj, read_cpf
from core.people.persons import Role, fold_name, normalise_display_name

# Nobody is older. Who is too young to have an account is for the tenant to say when it activates them.
AGE_MAX: Final = 130
# ISO 18245: four digits.
CATEGORY: Final = re.compile(r"[0-9]{4}")

Value: TypeAlias = str | Address


class Kind(IntEnum):
    """A field. Stored in person_fields.field; never renumbered."""

    CPF = 1
    CNPJ = 2
    LEGAL_NAME = 3
    TRADE_NAME = 4
    CATEGORY = 5
    EMAIL = 6
    PHONE = 7
    BIRTH_DATE = 8
    ADDRESS = 9
    NAME = 10  # what others see; as it stands, it is in profiles


class Data(StrEnum):
    """What sort of data it is."""

    IDENTIFICATION = "identification"
    CONTACT = "contact"
    FINANCIAL = "financial"


class Basis(StrEnum):
    """What makes it lawful to keep it: LGPD, art. 7."""

    LEGAL_OBLIGATION = "legal_obligation"  # II
    CONTRACT = "contract"  # V


class Keeping(StrEnum):
    """How long it is kept."""

    # Whoever knows its customers has to keep what it knows of them for ten years from the year after the end (Circular
    # BCB 3.978/2020, art. 67), five at the least (Lei 9.613/1998, art. 10, § 2).
    IDENTITY = "identity"
    WHILE_SERVED = "while_served"


class Change(Enum):
    """Who may write a field anew. Staff with the right may, always, and says why."""

    OWN = "own"  # its person, at any time
    WHILE_PENDING = "while_pending"  # its person, until the tenant has looked at it


class Field(NamedTuple):
    """A field of a person. `read`: from what came to what is kept, or Refusal; `mask`: what support sees of it.

    `is_held`: one person at most holds a value of it in a tenant. Where values are found by equality, under a keyed
    hash, `fold` makes of a value what is equal.
    """

    kind: Kind
    roles: frozenset[Role]
    data: Data
    why: str
    basis: Basis
    keeping: Keeping
    change: Change
    read: Callable[[str], str]
    mask: Callable[[str], str]
    is_held: bool = False
    fold: Callable[[str], str] | None = None

    @property
    def name(self) -> str:
        """The field as the wire, the trail and keyed hashes call it."""
        return self.kind.name.lower()


def _read_display_name(text: str) -> str:
    return _name(text, "name")


def _read_legal_name(text: str) -> str:
    return _name(text, "legal_name")


def _read_trade_name(text: str) -> str:
    return _name(text, "trade_name")


def _name(text: str, field: str) -> str:
    try:
        return normalise_display_name(text)
    except ValueError:
        raise Refusal("invalid_field", "A name has 1 to 100 characters that can be seen.", field=field) from None


def _read_category(text: str) -> str:
    if CATEGORY.fullmatch(text) is None or text == "0000":
        raise Refusal("invalid_field", "A category is a merchant category code: four digits.", field="category")
    return text


def read_birth_date(text: str, today: datetime.date | None = None) -> str:
    """A day that somebody may have been born on, as YYYY-MM-DD. Raises Refusal."""
    try:
        born = datetime.date.fromisoformat(text)
    except ValueError:
        born = None
    today = today or datetime.datetime.now(datetime.UTC).date()
    if born is None or born.isoformat() != text or not today.year - AGE_MAX <= born.year or born > today:
        raise Refusal("invalid_field", "A birth date is a day that was, as YYYY-MM-DD.", field="birth_date")
    return text


def _all_but(first: int, last: int) -> Callable[[str], str]:
    """Shows what stands between these two places."""

    def mask(kept: str) -> str:
        return "*" * first + kept[first:last] + "*" * (len(kept) - last)

    return mask


def _nothing(_: str) -> str:
    return "***"


def _as_it_is(kept: str) -> str:
    return kept


CUSTOMERS: Final = frozenset({Role.CUSTOMER})
MERCHANTS: Final = frozenset({Role.MERCHANT})
EVERYBODY: Final = frozenset(Role)

FIELDS: Final[dict[Kind, Field]] = {
    field.kind: field
    for field in (
        Field(
            Kind.NAME,
            EVERYBODY,
            Data.IDENTIFICATION,
            "To show others whom they pay and who paid them.",
            Basis.CONTRACT,
            Keeping.IDENTITY,
            Change.WHILE_PENDING,
            _read_display_name,
            _as_it_is,
            fold=fold_name,
        ),
        Field(
            Kind.CPF,
            CUSTOMERS,
            Data.IDENTIFICATION,
            "To know who a customer is, and that one person has one account.",
            Basis.LEGAL_OBLIGATION,
            Keeping.IDENTITY,
            Change.WHILE_PENDING,
            read_cpf,
            _all_but(3, 9),
            is_held=True,
            fold=_as_it_is,
        ),
        Field(
            Kind.CNPJ,
            MERCHANTS,
            Data.IDENTIFICATION,
            "To know who a merchant is, and that one company has one account.",
            Basis.LEGAL_OBLIGATION,
            Keeping.IDENTITY,
            Change.WHILE_PENDING,
            read_cnpj,
            _all_but(2, 8),
            is_held=True,
            fold=_as_it_is,
        ),
        Field(
            Kind.LEGAL_NAME,
            MERCHANTS,
            Data.IDENTIFICATION,
            "To know who a merchant is: the name that the CNPJ is registered under.",
            Basis.LEGAL_OBLIGATION,
            Keeping.IDENTITY,
            Change.WHILE_PENDING,
            _read_legal_name,
            _as_it_is,
        ),
        Field(
            Kind.TRADE_NAME,
            MERCHANTS,
            Data.IDENTIFICATION,
            "To know the name over a merchant's door, which payers know.",
            Basis.CONTRACT,
            Keeping.WHILE_SERVED,
            Change.WHILE_PENDING,
            _read_trade_name,
            _as_it_is,
        ),
        Field(
            Kind.CATEGORY,
            MERCHANTS,
            Data.FINANCIAL,
            "To know what a merchant sells (ISO 18245): fees, limits and reports go by it.",
            Basis.LEGAL_OBLIGATION,
            Keeping.IDENTITY,
            Change.WHILE_PENDING,
            _read_category,
            _as_it_is,
        ),
        Field(
            Kind.EMAIL,
            EVERYBODY,
            Data.CONTACT,
            "To reach a person: codes, warnings, what was not heard in time.",
            Basis.CONTRACT,
            Keeping.IDENTITY,
            Change.OWN,
            read_email,
            mask_email,
            is_held=True,
            fold=_as_it_is,
        ),
        Field(
            Kind.PHONE,
            EVERYBODY,
            Data.CONTACT,
            "To reach a person: codes, warnings, what was not heard in time.",
            Basis.CONTRACT,
            Keeping.IDENTITY,
            Change.OWN,
            read_phone,
            mask_phone,
            is_held=True,
            fold=_as_it_is,
        ),
        Field(
            Kind.BIRTH_DATE,
            CUSTOMERS,
            Data.IDENTIFICATION,
            "To know who a customer is, and whether they are of age.",
            Basis.LEGAL_OBLIGATION,
            Keeping.IDENTITY,
            Change.WHILE_PENDING,
            read_birth_date,
            _nothing,
        ),
        Field(
            Kind.ADDRESS,
            CUSTOMERS | MERCHANTS,
            Data.CONTACT,
            "To know who a person is, and where a letter or a court reaches them.",
            Basis.LEGAL_OBLIGATION,
            Keeping.IDENTITY,
            Change.OWN,
            _as_it_is,
            mask_address,
        ),
    )
}
BY_NAME: Final[dict[str, Field]] = {field.name: field for field in FIELDS.values()}
# What says who somebody is before the law: held by whoever the tenant has identified.
DOCUMENTS: Final = (Kind.CPF, Kind.CNPJ)
# What a code can be sent to: held by whoever has confirmed it.
CONTACTS: Final = (Kind.EMAIL, Kind.PHONE)


def read_fields(role: Role, given: Mapping[str, Value]) -> dict[Kind, str]:
    """Fields of a person of this role as they are kept. Raises Refusal, which names the field."""
    found: dict[Kind, str] = {}
    for name, value in given.items():
        field = BY_NAME[name]
        if role not in field.roles:
            raise Refusal("field_not_theirs", field=name)
        found[field.kind] = read_address(value) if isinstance(value, Address) else field.read(value)
    return found

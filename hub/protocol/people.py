"""People: what is known of them, how they stand, and the contacts that they confirm."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.protocol.fields import (
    FREE,
    PAGE_LENGTH_MAX,
    PLAIN_TEXT_PATTERN,
    UUID_PATTERN,
    AccountId,
    Command,
    Login,
    Message,
    Name,
    Time,
)
from hub.protocol.messages import AccountState

PersonId: TypeAlias = Annotated[
    str, Meta(pattern=UUID_PATTERN, min_length=36, max_length=36, description="A person's id.")
]
Cpf: TypeAlias = Annotated[str, Meta(min_length=11, max_length=20, description="With or without its marks.")]
Cnpj: TypeAlias = Annotated[
    str, Meta(min_length=14, max_length=24, description="Of digits, or of letters and digits; with or without marks.")
]
Category: TypeAlias = Annotated[
    str, Meta(pattern="^[0-9]{4}$", description="What a merchant sells: a merchant category code (ISO 18245).")
]
Email: TypeAlias = Annotated[str, Meta(min_length=3, max_length=254, description="An e-mail address.")]
Phone: TypeAlias = Annotated[
    str, Meta(min_length=8, max_length=24, description="A telephone number with its country code (E.164): +55…")
]
BirthDate: TypeAlias = Annotated[
    str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="YYYY-MM-DD. Customers.")
]
Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100, pattern=PLAIN_TEXT_PATTERN, extra=FREE)]
FieldName: TypeAlias = Literal[
    "name",
    "cpf",
    "cnpj",
    "legal_name",
    "trade_name",
    "category",
    "email",
    "phone",
    "birth_date",
    "address",
]
Contact: TypeAlias = Literal["email", "phone"]
Code: TypeAlias = Annotated[str, Meta(pattern="^[0-9]{6}$", description="Six digits.")]
StatusName: TypeAlias = Literal["pending", "active", "blocked", "closed"]
ReasonName: TypeAlias = Literal[
    "identified",
    "cleared",
    "not_identified",
    "own_wish",
    "access_lost",
    "suspected_fraud",
    "under_review",
    "court_order",
    "terms_broken",
    "duplicate",
    "deceased",
]
# Why staff look at somebody or change them; the trail keeps it for good, so there are no words of one's own.
Why: TypeAlias = Literal[
    "own_request", "dispute", "fraud_check", "legal_duty", "identification", "correction", "operation"
]
Case: TypeAlias = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9][A-Za-z0-9._/#-]{2,59}$",
        description="The number of the case that it belongs to, in your own system: never a name or a document.",
    ),
]


class Address(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Where somebody lives, or a merchant is at home. `country`: two letters (ISO 3166-1).

    In Brazil, `postal_code` is a CEP and `state` two letters.
    """

    street: Line
    city: Line
    postal_code: Line
    country: Line
    number: Line | UnsetType = UNSET
    complement: Line | UnsetType = UNSET
    district: Line | UnsetType = UNSET
    state: Line | UnsetType = UNSET


class ReadPerson(Command, frozen=True, tag="read_person", gc=False):
    """A person as they are known: yourself. Operators and support: anybody, and that they looked is written down.

    Support sees documents and contacts masked, says why, and sees what somebody has for a case alone.
    """

    person: PersonId
    reason: Why | UnsetType = UNSET
    case: Case | UnsetType = UNSET


class FindPeople(Command, frozen=True, tag="find_people", gc=False):
    """Operators and support: who has this document, contact, login, account or name. One of them, and whole.

    What is sealed is found by a keyed hash of all of it: nobody is found by the beginning of a name. Capitals and
    accents of names do not matter. At most twenty are told; each search is written down.
    """

    cpf: Cpf | UnsetType = UNSET
    cnpj: Cnpj | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    phone: Phone | UnsetType = UNSET
    login: Login | UnsetType = UNSET
    account: AccountId | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    reason: Why | UnsetType = UNSET
    case: Case | UnsetType = UNSET


class EditProfile(Command, frozen=True, tag="edit_profile", gc=False):
    """Say something of yourself anew, or take it away; what was before is kept. Operators: of anybody, and say why.

    Who you are (documents, names, birth date, category) you say until the tenant has looked at it; then ask support.
    A contact that was changed has to be confirmed again.
    """

    person: PersonId
    name: Name | UnsetType = UNSET
    cpf: Cpf | UnsetType = UNSET
    cnpj: Cnpj | UnsetType = UNSET
    legal_name: Name | UnsetType = UNSET
    trade_name: Name | UnsetType = UNSET
    category: Category | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    phone: Phone | UnsetType = UNSET
    birth_date: BirthDate | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    remove: Annotated[list[FieldName], Meta(min_length=1, max_length=10)] | UnsetType = UNSET
    reason: Why | UnsetType = UNSET
    case: Case | UnsetType = UNSET


class ReadProfileHistory(Command, frozen=True, tag="profile_history", gc=False):
    """What was known of a person, newest first: yourself. Operators and support: anybody, as with read_person.

    The next page begins before `before`, `before_field` and `before_number`, which come together.
    """

    person: PersonId
    field: FieldName | UnsetType = UNSET
    before: Time | UnsetType = UNSET
    before_field: FieldName | UnsetType = UNSET
    before_number: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE_LENGTH_MAX)] | UnsetType = UNSET
    reason: Why | UnsetType = UNSET
    case: Case | UnsetType = UNSET


class SetPersonStatus(Command, frozen=True, tag="set_person_status", gc=False):
    """Operators: say how somebody stands, and why. Their accounts follow in the same moment, their sockets hear of it.

    pending: read, and be paid (what else, the tenant says). active: everything. blocked: log in and read. closed:
    nothing, for good; whoever still has money cannot be closed. `reason` is one of those that fit the status: active:
    identified, cleared, own_wish, court_order; pending: not_identified, under_review; blocked: own_wish, access_lost,
    suspected_fraud, under_review, court_order, terms_broken, deceased; closed: own_wish, not_identified,
    suspected_fraud, court_order, terms_broken, duplicate, deceased.
    """

    person: PersonId
    status: StatusName
    reason: ReasonName
    case: Case | UnsetType = UNSET


class SendConfirmation(Command, frozen=True, tag="send_confirmation", gc=False):
    """Have a code sent to a contact of yours. It lasts a quarter of an hour and five tries; the last one counts."""

    contact: Contact


class ConfirmContact(Command, frozen=True, tag="confirm_contact", gc=False):
    """Confirm a contact of yours by the code that was sent to it. From then on, nobody else's in the tenant is it."""

    contact: Contact
    code: Code


class FieldState(Struct, frozen=True, omit_defaults=True, gc=False):
    """A field as it was set. Without `value` and `address` it was taken away, or its person erased.

    `confirmed_at`: a contact that its person has confirmed, a document by which the tenant has identified them.
    `set_by` is left out of what was there when the person was opened.
    """

    field: FieldName
    number: int
    set_at: str
    value: str | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    confirmed_at: str | UnsetType = UNSET
    set_by: str | UnsetType = UNSET
    session: str | UnsetType = UNSET


class PersonAnswer(Message, frozen=True, tag="person_state", gc=False):
    """A person as they are known. `masked`: not whole. `accounts` with what is in them, or `account_numbers` alone.

    `status_reason` and who set it are told to staff.
    """

    id: int
    person: str
    role: str
    status: StatusName
    opened_at: str
    fields: list[FieldState]
    name: str | UnsetType = UNSET
    login: str | UnsetType = UNSET
    masked: bool | UnsetType = UNSET
    accounts: list[AccountState] | UnsetType = UNSET
    account_numbers: list[int] | UnsetType = UNSET
    status_reason: ReasonName | UnsetType = UNSET
    status_set_at: str | UnsetType = UNSET
    status_set_by: str | UnsetType = UNSET


class FoundState(Struct, frozen=True, omit_defaults=True, gc=False):
    """Somebody who was found. `confirmed`: it is theirs, and not only said."""

    person: str
    role: str
    status: StatusName
    confirmed: bool
    name: str | UnsetType = UNSET


class PeopleFound(Message, frozen=True, tag="people_found", gc=False):
    """Who was found: those first whose it is."""

    id: int
    people: list[FoundState]


class ProfileEdited(Message, frozen=True, tag="profile_edited", gc=False):
    """What has changed; what was the same already has not."""

    id: int
    person: str
    changed: list[FieldName]


class ProfileHistory(Message, frozen=True, tag="profile_history_page", gc=False):
    """A page, newest first. `next_…` begin the next page; none: this was the last."""

    id: int
    person: str
    fields: list[FieldState]
    masked: bool | UnsetType = UNSET
    next_before: str | UnsetType = UNSET
    next_field: FieldName | UnsetType = UNSET
    next_number: int | UnsetType = UNSET


class PersonStatusSet(Message, frozen=True, tag="person_status_set", gc=False):
    """How the person stands from now on."""

    id: int
    person: str
    status: StatusName
    before: StatusName


class ConfirmationSent(Message, frozen=True, tag="confirmation_sent", gc=False):
    """A code is on its way, if the contact is free to be yours. It lasts until `expires_at`."""

    id: int
    contact: Contact
    expires_at: str


class ContactConfirmed(Message, frozen=True, tag="contact_confirmed", gc=False):
    """The contact is yours."""

    id: int
    contact: Contact
    confirmed_at: str


class StatusChanged(Message, frozen=True, tag="status_changed", gc=False):
    """How you stand with the tenant has changed: what you may do now. Told to each of your live sockets."""

    status: StatusName
    is_paid: bool
    pays: bool


FROM_CLIENT: Final[tuple[type[Message], ...]] = (
    ReadPerson,
    FindPeople,
    EditProfile,
    ReadProfileHistory,
    SetPersonStatus,
    SendConfirmation,
    ConfirmContact,
)
FROM_HUB: Final[tuple[type[Message], ...]] = (
    PersonAnswer,
    PeopleFound,
    ProfileEdited,
    ProfileHistory,
    PersonStatusSet,
    ConfirmationSent,
    ContactConfirmed,
    StatusChanged,
)

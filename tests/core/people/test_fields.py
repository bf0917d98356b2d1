import datetime

import pytest

from core.errors import Refusal
from core.keys.places import PERSON_FIELD, PLACES
from core.people.contacts import Address
from core.people.fields import (
    BY_NAME,
    CONTACTS,
    DOCUMENTS,
    FIELDS,
    Basis,
    Data,
    Keeping,
    Kind,
    Value,
    read_birth_date,
    read_fields,
)
from core.people.persons import Role

VALUES: dict[Kind, Value] = {
    Kind.NAME: "Ana Souza",
    Kind.CPF: "529.982.247-25",
    Kind.CNPJ: "12.ABC.345/01DE-35",
    Kind.LEGAL_NAME: "Padaria São João Ltda",
    Kind.TRADE_NAME: "Padaria São João",
    Kind.CATEGORY: "5462",
    Kind.EMAIL: "ana@example.com",
    Kind.PHONE: "+5511987654321",
    Kind.BIRTH_DATE: "1990-02-28",
    Kind.ADDRESS: Address("Rua A", "Recife", "50000-000", "BR", state="PE"),
}
# What support may see as it is: what others see anyway, and what is over a company's door.
SHOWN_WHOLE = {Kind.NAME, Kind.LEGAL_NAME, Kind.TRADE_NAME, Kind.CATEGORY}


def test_every_field_is_classified() -> None:
    assert set(FIELDS) == set(Kind)
    for kind, field in FIELDS.items():
        assert field.kind is kind
        assert field.roles, kind
        assert isinstance(field.data, Data)
        assert isinstance(field.basis, Basis)
        assert isinstance(field.keeping, Keeping)
        assert field.why.endswith("."), kind
    assert {kind for kind, field in FIELDS.items() if field.is_held} == {*DOCUMENTS, *CONTACTS}
    assert PERSON_FIELD in PLACES


def test_a_role_has_its_fields_and_no_others() -> None:
    for role in Role:
        for kind, value in VALUES.items():
            if role in FIELDS[kind].roles:
                assert list(read_fields(role, {FIELDS[kind].name: value})) == [kind]
            else:
                with pytest.raises(Refusal) as refused:
                    read_fields(role, {FIELDS[kind].name: value})
                assert (refused.value.code, refused.value.field) == ("field_not_theirs", FIELDS[kind].name)
    assert {kind for kind, field in FIELDS.items() if Role.SUPPORT in field.roles} == {Kind.NAME, *CONTACTS}


def test_what_is_read_reads_the_same_again() -> None:
    for kind, value in VALUES.items():
        role = next(iter(FIELDS[kind].roles))
        kept = read_fields(role, {FIELDS[kind].name: value})[kind]
        if not isinstance(value, Address):
            assert FIELDS[kind].read(kept) == kept


def test_a_mask_hides_what_says_who_somebody_is() -> None:
    for kind, value in VALUES.items():
        role = next(iter(FIELDS[kind].roles))
        kept = read_fields(role, {FIELDS[kind].name: value})[kind]
        masked = FIELDS[kind].mask(kept)
        assert (masked == kept) == (kind in SHOWN_WHOLE), kind
        if kind not in SHOWN_WHOLE:
            assert "*" in masked
    assert FIELDS[Kind.CPF].mask("52998224725") == "***982247**"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category", "546"),
        ("category", "54621"),
        ("category", "0000"),
        ("category", "५४६२"),
        ("legal_name", ""),
        ("trade_name", "a\u202eb"),
        ("cnpj", "12.ABC.345/01DE-36"),
        ("email", "nobody"),
    ],
)
def test_a_wrong_value_is_refused_by_its_field(name: str, value: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_fields(Role.MERCHANT, {name: value})
    assert refused.value.field == name
    assert name in BY_NAME


def test_a_birth_date_is_a_day_that_was() -> None:
    today = datetime.date(2026, 3, 1)
    for text in ("2026-03-01", "1896-01-01", "2000-02-29"):
        assert read_birth_date(text, today) == text
    for text in (
        "2026-03-02",
        "1895-12-31",
        "2001-02-29",
        "20000229",
        "2000-2-9",
        "2000-W01-1",
        "0001-01-01",
        "yesterday",
    ):
        with pytest.raises(Refusal):
            read_birth_date(text, today)

import pytest

from core.errors import Refusal
from core.people.contacts import (
    Address,
    mask_address,
    mask_email,
    mask_phone,
    read_address,
    read_email,
    read_phone,
    to_address,
)

HOME = Address("Rua da  Praça", "São Paulo", "01310-100", "br", number="17", state="sp", complement=" ")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ana@Example.COM", "ana@example.com"),
        (" ana.souza+bank@mail.example.com.br ", "ana.souza+bank@mail.example.com.br"),
        ("o'neill@xn--bcher-kva.example", "o'neill@xn--bcher-kva.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_an_address_has_one_spelling(text: str, kept: str) -> None:
    assert read_email(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "ana@",
        "@example.com",
        "ana@example",
        "ana@@example.com",
        "ana@example.com, bruno@example.com",
        "ana@example.com\nbcc: all@example.com",
        "ana.@example.com",
        ".ana@example.com",
        "a..b@example.com",
        "ana@-example.com",
        "ana@example-.com",
        "ana@exa_mple.com",
        "ana@[127.0.0.1]",
        '"ana souza"@example.com',
        "aná@example.com",
        "ana@example.c0m.1",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a@" + ".".join(["b" * 60] * 5) + ".com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_email(text)
    assert (refused.value.code, refused.value.field) == ("invalid_field", "email")


def test_a_telephone_number_is_in_e164() -> None:
    assert read_phone("+55 (11) 98765-4321") == "+5511987654321"
    for text in (
        "",
        "11987654321",
        "+0511987654321",
        "+55",
        "+55119876543210000",
        "+55 11 98765 432a",
        "+5511\u0663876543",
    ):
        with pytest.raises(Refusal) as refused:
            read_phone(text)
        assert refused.value.field == "phone"


def test_a_postal_address_is_kept_in_one_spelling() -> None:
    kept = read_address(HOME)
    assert to_address(kept) == Address("Rua da Praça", "São Paulo", "01310100", "BR", number="17", state="SP")
    assert read_address(to_address(kept)) == kept
    abroad = Address("10 Downing Street", "London", "sw1a 2aa", "GB")
    assert to_address(read_address(abroad)).postal_code == "SW1A2AA"


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "BRA"},
        {"country": "B1"},
        {"postal_code": "0131010"},
        {"state": "XX"},
        {"state": None},
        {"street": "  "},
        {"city": ""},
        {"street": "a" * 101},
        {"street": "Rua\u202eaçarP"},
        {"complement": "a\x00b"},
    ],
)
def test_what_is_no_postal_address_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        read_address(HOME._replace(**wrong))
    assert refused.value.field == "address"


def test_a_masked_contact_tells_little() -> None:
    assert mask_email("ana.souza@example.com") == "a***@example.com"
    assert mask_phone("+5511987654321") == "**********4321"
    masked = mask_address(read_address(HOME))
    assert to_address(masked) == Address("***", "São Paulo", "***", "BR", state="SP")

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from core.people.documents import is_cnpj, read_cnpj, read_cpf

# Numbers that Receita Federal, or the banks that have them, print.
CNPJS = (
    "12.ABC.345/01DE-35",  # the example of the letters' announcement
    "00.000.000/0001-91",  # Banco do Brasil
    "00.360.305/0001-04",  # Caixa Econômica Federal
    "33.000.167/0001-01",  # Petrobras
    "00.394.460/0058-87",  # Receita Federal
)
CPFS = ("529.982.247-25", "111.444.777-35", "000.000.001-91", "123.456.789-09")
LETTERS_AND_DIGITS = string.digits + string.ascii_uppercase


def slow_check_digit(values: list[int]) -> int:
    """Modulo 11 by the words of the rule: weights 2 to 9 from the right, again and again."""
    total = 0
    weight = 2
    for value in reversed(values):
        total += value * weight
        weight = 2 if weight == 9 else weight + 1
    rest = total % 11
    return 0 if rest in {0, 1} else 11 - rest


def to_values(body: str) -> list[int]:
    return [ord(mark) - ord("0") for mark in body]


def complete(body: str) -> str:
    first = slow_check_digit(to_values(body))
    second = slow_check_digit([*to_values(body), first])
    return f"{body}{first}{second}"


@pytest.mark.parametrize("text", CNPJS)
def test_cnpjs_that_are_in_use_are_right(text: str) -> None:
    assert read_cnpj(text) == text.translate(str.maketrans("", "", "./-"))


@pytest.mark.parametrize("text", CPFS)
def test_cpfs_that_are_right_are_kept_as_digits(text: str) -> None:
    assert read_cpf(text) == read_cpf(f" {text} ") == text.translate(str.maketrans("", "", ".-"))


@given(st.text(LETTERS_AND_DIGITS, min_size=12, max_size=12))
def test_check_digits_are_those_of_the_rule_in_words(body: str) -> None:
    whole = complete(body)
    assert is_cnpj(whole) == (body != "0" * 12)
    if body != "0" * 12:
        assert read_cnpj(whole.lower()) == whole


@given(st.text(LETTERS_AND_DIGITS, min_size=12, max_size=12), st.integers(0, 99))
def test_every_other_pair_of_check_digits_is_wrong(body: str, digits: int) -> None:
    whole = f"{body}{digits:02}"
    assert is_cnpj(whole) == (whole == complete(body) and body != "0" * 12)


@given(st.sampled_from(CNPJS), st.integers(0, 13), st.sampled_from(string.digits))
def test_one_wrong_digit_of_a_cnpj_is_found(text: str, at: int, digit: str) -> None:
    plain = read_cnpj(text)
    changed = plain[:at] + digit + plain[at + 1 :]
    if changed != plain and plain[at].isdigit():
        with pytest.raises(Refusal) as refused:
            read_cnpj(changed)
        assert (refused.value.code, refused.value.field) == ("document_invalid", "cnpj")


@given(st.sampled_from(CPFS), st.integers(0, 10), st.sampled_from(string.digits))
def test_one_wrong_digit_of_a_cpf_is_found(text: str, at: int, digit: str) -> None:
    plain = read_cpf(text)
    changed = plain[:at] + digit + plain[at + 1 :]
    # Two remainders share the check digit 0, and the second digit does not look at the first place: its weight is 11.
    if changed != plain and (at > 0 or plain[9] != "0"):
        with pytest.raises(Refusal) as refused:
            read_cpf(changed)
        assert (refused.value.code, refused.value.field) == ("document_invalid", "cpf")


def test_some_wrong_first_digits_of_a_cpf_are_right_by_its_rule() -> None:
    assert read_cpf("123.456.789-09") != read_cpf("223.456.789-09")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "11111111111",
        "5299822472",
        "529982247250",
        "529.982.247-2x",
        "٥٢٩٩٨٢٢٤٧٢٥",
        "52998224725\n",
        "529,982,247,25",
    ],
)
def test_what_is_no_cpf_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        read_cpf(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 14,
        "12ABC34501DE3",
        "12ABC34501DE355",
        "12ABC34501DEA5",
        "12ABÇ34501DE35",
        "12ABC34501DE3\N{KELVIN SIGN}",
    ],
)
def test_what_is_no_cnpj_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        read_cnpj(text)

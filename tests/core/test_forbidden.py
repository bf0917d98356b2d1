"""What must not stand in a text is found in every spelling, and what only looks like it is let through."""

import random
import uuid

import pytest

from core.forbidden import Forbidden, find_forbidden, is_card_number, is_cpf
from tests.numbers import NETWORKS, card_number, card_spellings, new_cpf

CARD, DOCUMENT = Forbidden.CARD_DATA, Forbidden.DOCUMENT


def test_card_numbers_of_every_network_are_found_in_every_spelling() -> None:
    dice = random.Random(11)
    found = 0
    for prefix, length in NETWORKS * 2:
        number = card_number(dice, prefix, length)
        assert is_card_number(number), number
        for text in card_spellings(number):
            # Of digits glued to more than a card has, sixteen are looked at from either end.
            if text.startswith("12345678") and length != 16:
                continue
            assert find_forbidden(text) is CARD, text
            found += 1
    assert found > 1_000


@pytest.mark.parametrize(
    "text",
    [
        "CVV 123",
        "cvv: 1234",
        "cvc2=999",
        "CVC2-999",
        "c\u00f3digo de seguran\u00e7a: 123",
        "Security code 0123",
        "fine: CVV 321.",
        "%B4111111111111111^SILVA/ANA^2912101000",
        ";4111111111111111=29121010000",
        "4111111111111111=29121010000",
        "4111 1111 1111 1111 cvv 123",
    ],
)
def test_security_codes_and_tracks_are_found(text: str) -> None:
    assert find_forbidden(text) is CARD


def test_a_cpf_is_found_as_people_write_it() -> None:
    dice = random.Random(12)
    for _ in range(200):
        number = new_cpf(dice)
        assert is_cpf(number)
        dotted = f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"
        for text in (
            dotted,
            f"para {dotted}!",
            f"CPF {number}",
            f"cpf: {number}",
            f"CPF n\u00ba {number}",
            f"Cpf={number}",
        ):
            assert find_forbidden(text) is DOCUMENT, text
        wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
        assert not is_cpf(wrong)
    assert not any(is_cpf(str(digit) * 11) for digit in range(10))


def test_ids_amounts_dates_and_other_numbers_are_let_through() -> None:
    dice = random.Random(13)
    alarms = 0
    tries = 0
    for _ in range(10_000):
        for text in (
            str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            f"Invoice {dice.randrange(10**8)} of 2026-03-{dice.randrange(1, 29):02}",
            f"{dice.randrange(10**11, 10**12)}",
            f"+55 11 9{dice.randrange(10**4):04}-{dice.randrange(10**4):04}",
            f"R$ {dice.randrange(10**6)},{dice.randrange(100):02} - pedido {dice.randrange(10**6)}",
        ):
            tries += 1
            alarms += find_forbidden(text) is not None
    # One in a thousand would be too many to live with.
    assert alarms <= tries // 2_000, alarms
    for text in (
        "",
        "Two coffees",
        "2 coffees and 1 cake",
        "Mesa 12",
        "CVV",
        "cvv ok",
        "CPF",
        "cpf n\u00e3o informado",
        "123.456.789-00",
        "\u00bd 4\u00b2",
        "34191.79001 01043.510047 91020.150008 5 89410000002000",  # a boleto's line
        "0000 0000 0000 0000",
        "1234 5678 9012 3456",
        "scvv 123",
        "2026-03-01T12:34:56.789012Z",
    ):
        assert find_forbidden(text) is None, text

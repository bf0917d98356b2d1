"""BR Code against the manual's example, against itself, and against damage."""

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from core.payments import brcode
from core.payments.brcode import AMOUNT_MAX, Code

# Manual de Padrões para Iniciação do Pix, static code.
EXAMPLE = (
    "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR"
    "5913Fulano de Tal6008BRASILIA62070503***63041D3D"
)
LINK = "pay.example/c/demo/0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"

names = st.text(min_size=1, max_size=60)
amounts = st.none() | st.integers(1, AMOUNT_MAX)
static = st.builds(
    Code,
    names,
    names,
    key=st.uuids().map(str) | st.emails().filter(lambda one: len(one) <= brcode.KEY_LENGTH_MAX) | st.just("k" * 77),
    url=st.none(),
    amount=amounts,
    info=st.none() | names,
    txid=st.uuids().map(lambda one: brcode.to_txid(str(one))),
    is_once=st.booleans(),
)
dynamic = st.builds(
    Code,
    names,
    names,
    key=st.none(),
    url=st.uuids().map(lambda one: f"pay.example/c/demo/{one}") | st.just("u" * brcode.URL_LENGTH_MAX),
    amount=amounts,
    info=st.none(),
    txid=st.just(brcode.NO_TXID),
    is_once=st.booleans(),
)


def sealed(text: str) -> str:
    """With a checksum that is right, whatever the rest is."""
    return text + "6304" + brcode.crc(text + "6304")


def refused(text: str) -> str:
    with pytest.raises(Refusal) as caught:
        brcode.read(text)
    assert (caught.value.code, caught.value.field) == ("code_damaged", "code")
    return str(caught.value)


def test_the_manuals_example_is_read_and_its_checksum_is_ours() -> None:
    assert brcode.crc(EXAMPLE[:-4]) == "1D3D"
    assert brcode.read(EXAMPLE) == Code(
        "Fulano de Tal", "BRASILIA", key="123e4567-e12b-12d1-a456-426655440000", txid="***"
    )


def test_a_static_and_a_dynamic_code_are_written_field_by_field() -> None:
    poster = Code("Café da Praça", "São Paulo", key="cafe@example.com", amount=1_250, info="Café nº 2", txid="A" * 25)
    assert brcode.write(poster).startswith(
        "000201"
        "010211"
        "2651"
        "0014br.gov.bcb.pix"
        "0116cafe@example.com"
        "0209CAFE NO 2"
        "52040000"
        "5303986"
        "540512.50"
        "5802BR"
        "5913CAFE DA PRACA"
        "6009SAO PAULO"
        "6229"
        "0525" + "A" * 25 + "6304"
    )
    bill = Code("Café da Praça", "São Paulo", url=LINK, amount=5, is_once=True)
    assert brcode.write(bill).startswith(
        f"000201"
        f"010212"
        f"26770014br.gov.bcb.pix2555{LINK}"
        "52040000"
        "5303986"
        "54040.05"
        "5802BR"
        "5913CAFE DA PRACA"
        "6009SAO PAULO"
        "62070503***"
        "6304"
    )


@given(static | dynamic)
def test_what_is_written_is_read_again(code: Code) -> None:
    text = brcode.write(code)
    assert len(text) <= brcode.LENGTH_MAX
    found = brcode.read(text)
    assert found._replace(info=None) == code._replace(
        name=brcode.fold(code.name, 25), city=brcode.fold(code.city, 15), info=None
    )
    if code.info is not None and found.info is not None:
        assert brcode.fold(code.info, 99).startswith(found.info)


@pytest.mark.parametrize("amount", [1, 9, 10, 99, 100, AMOUNT_MAX])
def test_centavos_are_written_with_a_dot_and_two_digits(amount: int) -> None:
    assert brcode.read(brcode.write(Code("A", "B", url=LINK, amount=amount))).amount == amount


def test_an_amount_that_does_not_fit_is_left_to_the_charge() -> None:
    assert brcode.read(brcode.write(Code("A", "B", url=LINK, amount=AMOUNT_MAX + 1))).amount is None


@pytest.mark.parametrize(
    "code",
    [
        Code("A", "B"),
        Code("A", "B", key="k", url=LINK),
        Code("A", "B", key=""),
        Code("A", "B", key="chave única"),
        Code("A", "B", key="k" * 78),
        Code("A", "B", url="u" * 78),
        Code("A", "B", url=LINK, txid=""),
    ],
)
def test_what_no_reader_would_take_is_not_written(code: Code) -> None:
    with pytest.raises(ValueError, match="BR Code"):
        brcode.write(code)


def test_a_thousand_damaged_codes_are_all_refused() -> None:
    dice = random.Random(1)
    texts = [
        EXAMPLE,
        brcode.write(Code("Café da Praça", "São Paulo", url=LINK, amount=1_250)),
        brcode.write(Code("Café", "Rio", key="+5511999999999", info="Mesa 4", txid=brcode.to_txid(str(uuid.uuid4())))),
    ]
    done = 0
    while done < 1_000:
        text = dice.choice(texts)
        at, to = sorted((dice.randrange(len(text)), dice.randrange(len(text))))
        other = dice.choice("0123456789ABCXYZabc/ .*é\n\x00\u0661")
        damaged = dice.choice(
            [
                text[:at],
                text[at:],
                text[:at] + other + text[at + 1 :],
                text[:at] + other + text[at:],
                text[:at] + text[at + 1 :],
                text[:at] + text[to:],
                text[:at] + text[at:to] + text[at:],
                text[:at] + text[at:to][::-1] + text[to:],
                text.lower(),
                text.upper(),
            ]
        )
        if damaged != text:
            refused(damaged)
            done += 1


BODY = EXAMPLE[6:-8]


@pytest.mark.parametrize(
    "text",
    [
        "",
        sealed(""),
        sealed(BODY),  # the payload format is missing
        sealed(BODY + "000201"),  # it is not the first
        sealed("000202" + BODY),  # it is another
        sealed("000201000201" + BODY),  # it stands twice
        sealed("000201" + BODY + "8099"),  # a length past the end
        sealed("000201" + BODY + "8000"),  # a field with nothing in it
        sealed("000201" + BODY + "8x0133"),  # no digits
        sealed("000201" + BODY + "80"),  # half a head
        sealed("000201010213" + BODY),  # an unknown way of initiation
        sealed("000201" + BODY.replace("5303986", "5303840")),  # dollars
        sealed("000201" + BODY.replace("5802BR", "5802US")),
        sealed("000201" + BODY.replace("52040000", "5204ABCD")),
        sealed("000201" + BODY.replace("br.gov.bcb.pix", "br.gov.bcb.pox")),
        sealed("000201" + BODY.replace("26580014", "26990014")),
        sealed("000201" + BODY.replace("62070503***", "62090505a b-c")),
        sealed("000201" + BODY.replace("62070503***", "")),
        sealed("000201" + BODY + "27" + EXAMPLE[8:70]),  # a second Pix account
        sealed("000201" + BODY.replace("5913Fulano de Tal", "5926" + "A" * 26)),
        *(
            sealed("000201" + BODY + f"54{len(amount):02}{amount}")
            for amount in ("-1", "1,00", "1.000", ".5", "1e3", "12345678901")
        ),
        EXAMPLE[:-4] + "1d3d",
        EXAMPLE + " ",
        EXAMPLE + EXAMPLE,
    ],
)
def test_a_right_checksum_makes_no_sense_of_nonsense(text: str) -> None:
    refused(text)


def test_more_than_512_characters_are_refused_and_512_are_not() -> None:
    room = 512 - len(EXAMPLE)
    filler = "".join(f"{id_}99{'x' * 99}" for id_ in (80, 81, 82)) + f"83{room - 309 - 4:02}" + "x" * (room - 309 - 4)
    assert len(sealed("000201" + BODY + filler)) == 512
    assert brcode.read(sealed("000201" + BODY + filler)).name == "Fulano de Tal"
    refused(sealed("000201" + BODY.replace("13Fulano de Tal", "14Fulano de Tall") + filler))


def test_other_arrangements_beside_pix_are_passed_over() -> None:
    assert brcode.read(sealed("000201" + BODY + "2711" + "0007com.foo")).key == brcode.read(EXAMPLE).key


@given(st.text(max_size=600))
def test_any_text_is_read_or_refused(text: str) -> None:
    refused(text)


@given(st.uuids())
def test_a_charges_id_fits_into_a_transaction_id(id_: uuid.UUID) -> None:
    txid = brcode.to_txid(str(id_))
    assert len(txid) == 25
    assert txid.isalnum()
    assert brcode.from_txid(txid) == str(id_)


@pytest.mark.parametrize("txid", ["***", "", "Z" * 25, "A" * 24, "-" * 25, "a" * 25, "\u0661" * 25])
def test_another_transaction_id_is_nobodys(txid: str) -> None:
    assert brcode.from_txid(txid) is None


def test_names_are_folded_as_banks_print_them() -> None:
    assert brcode.fold("Café da Praça", 25) == "CAFE DA PRACA"
    assert brcode.fold("  Straße \t d'Ávila & Cia. ", 25) == "STRASSE D'AVILA & CIA."
    assert brcode.fold("日本 <script>", 25) == "SCRIPT"
    assert brcode.fold("A" * 24 + " B", 25) == "A" * 24
    assert brcode.fold("日本", 25) == brcode.NAMELESS

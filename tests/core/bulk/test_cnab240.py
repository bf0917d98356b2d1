"""CNAB 240: what is read, what is wrong with a payment, and whether the trailers are held to."""

from datetime import date

import pytest

from core.bulk.cnab240 import Cnab240Parser
from core.bulk.lines import Ground, Line
from core.errors import Refusal
from tests.core.bulk.files import Row, cnab240_of, cnab240_rows, read

PAYER = 123456789012
GROUND = Ground(PAYER, False, "BRL", date(2026, 3, 1))
ROWS = [Row(210987654321, 1250, "SALÁRIO DE MARÇO", "DOC 1"), Row(310987654321, 5), Row(7, 10**13)]
LINES = [
    Line(None, 210987654321, 1250, "SALÁRIO DE MARÇO", "DOC 1"),
    Line(None, 310987654321, 5, None, None),
    Line(None, 7, 10**13, None, None),
]


def code_of(rows: list[str]) -> str:
    with pytest.raises(Refusal) as refused:
        read(Cnab240Parser, GROUND, "\r\n".join(rows).encode("latin-1"))
    return refused.value.code


@pytest.mark.parametrize("piece", [1, 100, 241, 1 << 16])
def test_payments_are_read_in_whatever_pieces_they_come(piece: int) -> None:
    assert read(Cnab240Parser, GROUND, cnab240_of(PAYER, ROWS), piece) == LINES
    assert read(Cnab240Parser, GROUND, cnab240_of(PAYER, ROWS).replace(b"\r\n", b"\n") + b"\x1a", piece) == LINES


def test_an_account_that_is_not_the_bulks_does_not_pay() -> None:
    lines = read(Cnab240Parser, GROUND, cnab240_of(999, ROWS))
    assert {(line.code, line.field) for line in lines} == {("wrong_payer", "company_account")}
    named = read(Cnab240Parser, GROUND._replace(may_name_payers=True), cnab240_of(999, ROWS))
    assert [(line.payer, line.code) for line in named] == [(999, None)] * 3


def put(row: str, first: int, text: str) -> str:
    return row[: first - 1] + text + row[first - 1 + len(text) :]


@pytest.mark.parametrize(
    ("first", "text", "code", "field"),
    [
        (30, "X23456789012", "not_a_number", "payee"),
        (30, "000000000000", "out_of_range", "payee"),
        (30, " " * 12, "missing", "payee"),
        (94, "02032026", "date_not_reached", "payment_date"),
        (94, "0203202X", "not_a_number", "payment_date"),
        (102, "USD", "wrong_currency", "currency"),
        (15, "9", "not_supported", "movement"),
        (74, "DOC\x00", "not_plain_text", "reference"),
        (178, "\x1b[2J", "not_plain_text", "description"),
    ],
)
def test_a_bad_payment_is_named_and_spoils_no_other(first: int, text: str, code: str, field: str) -> None:
    for at in range(3):
        rows = cnab240_rows(PAYER, ROWS)
        rows[2 + 2 * at] = put(rows[2 + 2 * at], first, text)
        lines = read(Cnab240Parser, GROUND, "\r\n".join(rows).encode("latin-1"))
        assert [(line.code, line.field) for line in lines] == [
            (code, field) if number == at else (None, None) for number in range(3)
        ]


def test_trailers_have_to_be_right() -> None:
    rows = cnab240_rows(PAYER, ROWS)
    for at, first, text in ((-2, 18, "000009"), (-2, 24, "0" * 18), (-1, 18, "000002"), (-1, 24, "000011")):
        wrong = list(rows)
        wrong[at] = put(wrong[at], first, text)
        assert code_of(wrong) == "totals_mismatch", (at, first)
    missing = [row for number, row in enumerate(rows) if number != 3]
    assert code_of(missing) == "totals_mismatch"
    unread = [put(row, 120, "00000000000125X") if number == 2 else row for number, row in enumerate(rows)]
    assert code_of(unread) == "totals_mismatch"
    assert code_of([row[:239] if number == 2 else row for number, row in enumerate(rows)]) == "totals_mismatch"


def test_rows_that_stand_elsewhere_than_they_belong_are_refused() -> None:
    rows = cnab240_rows(PAYER, ROWS)
    for wrong in (
        [],
        rows[1:],
        rows[:-1],
        [rows[0], *rows[2:]],
        [*rows, rows[-1]],
        [*rows[:-2], rows[-1]],
        [rows[0][:200], *rows[1:]],
        [*rows[:2], put(rows[2], 4, "0002"), *rows[3:]],
        ["x" * 1_000],
        ["payee,amount", "7,5"],
    ):
        assert code_of(wrong) == "malformed_file"

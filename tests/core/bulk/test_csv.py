"""CSV: what is read, what is wrong with a line, and what is wrong with a file."""

from datetime import date

import pytest

from core.bulk.csv import LINE_LENGTH_MAX, CsvParser
from core.bulk.lines import Ground, Line
from core.errors import Refusal
from tests.core.bulk.files import Row, csv_of, read

PAYER = 123456789012
GROUND = Ground(PAYER, False, "BRL", date(2026, 3, 1))
ROWS = [Row(210987654321, 250, "Salário", "a/1"), Row(310987654321, 1, "", "a/2"), Row(410987654321, 10**13)]
LINES = [
    Line(None, 210987654321, 250, "Salário", "a/1"),
    Line(None, 310987654321, 1, None, "a/2"),
    Line(None, 410987654321, 10**13, None, None),
]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 1 << 16])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_is_the_same_in_whatever_pieces_and_line_ends_it_comes(piece: int, end: str, mark: bytes) -> None:
    assert read(CsvParser, GROUND, mark + csv_of(ROWS, end), piece) == LINES


def test_the_last_line_needs_no_end_and_empty_lines_are_none() -> None:
    assert read(CsvParser, GROUND, csv_of(ROWS).rstrip(b"\n")) == LINES
    assert read(CsvParser, GROUND, csv_of(ROWS) + b"\n\r\n\n") == LINES


def test_columns_come_in_any_order_with_semicolons_and_quotes() -> None:
    file = 'Reference;"amount";payee;description\n"a;1";250;"210987654321";"He said ""no"""\n'
    assert read(CsvParser, GROUND, file.encode()) == [Line(None, 210987654321, 250, 'He said "no"', "a;1")]


def test_only_payee_and_amount_have_to_be_there() -> None:
    assert read(CsvParser, GROUND, b"amount,payee\n5,7\n") == [Line(None, 7, 5, None, None)]


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("7,5,x", "malformed_line", None),
        ("7,5,x,y,z", "malformed_line", None),
        ('7,5,"x,y', "malformed_line", None),
        ('7,5,"x"y,z', "malformed_line", None),
        (",5,,", "missing", "payee"),
        ("7,,,", "missing", "amount"),
        ("=cmd|' /C calc'!A0,5,,", "not_a_number", "payee"),
        ("7,=1+1,,", "not_a_number", "amount"),
        ("7,NaN,,", "not_a_number", "amount"),
        ("7,Infinity,,", "not_a_number", "amount"),
        ("7,1e3,,", "not_a_number", "amount"),
        ("7,-5,,", "not_a_number", "amount"),
        ("7,+5,,", "not_a_number", "amount"),
        ("7,5.0,,", "not_a_number", "amount"),
        ("7,1_000,,", "not_a_number", "amount"),
        ("7, 5,,", "not_a_number", "amount"),
        ("7,0x10,,", "not_a_number", "amount"),
        ("7,\u0665,,", "not_a_number", "amount"),
        ("7,²,,", "not_a_number", "amount"),
        ("7," + "9" * 4_000 + ",,", "not_a_number", "amount"),
        ("7,0,,", "out_of_range", "amount"),
        ("7,10000000000001,,", "out_of_range", "amount"),
        ("0,5,,", "out_of_range", "payee"),
        ("1000000000000,5,,", "out_of_range", "payee"),
        ("7,5," + "x" * 141 + ",", "too_long", "description"),
        ("7,5,," + "x" * 36, "too_long", "reference"),
        ("7,5,a\x00b,", "not_plain_text", "description"),
        ("7,5,a\tb,", "not_plain_text", "description"),
        ("7,5,\u202eevil,", "not_plain_text", "description"),
        ("7,5,,a\x1bb", "not_plain_text", "reference"),
        ("7,5,a\rb,", "not_plain_text", "description"),
    ],
)
@pytest.mark.parametrize("at", [0, 1, 2], ids=["first", "middle", "last"])
def test_a_bad_line_is_named_and_spoils_no_other(text: str, code: str, field: str | None, at: int) -> None:
    good = "7,5,,"
    texts = [good, good, good]
    texts[at] = text
    lines = read(CsvParser, GROUND, "\n".join(["payee,amount,description,reference", *texts]).encode(), 5)
    assert [(line.code, line.field) for line in lines] == [
        (code, field) if number == at else (None, None) for number in range(3)
    ]
    assert all(line == Line(None, 7, 5, None, None) for number, line in enumerate(lines) if number != at)


def test_what_is_no_utf_8_spoils_its_line_alone() -> None:
    lines = read(CsvParser, GROUND, b"payee,amount,description\n7,5,\xff\xfe\n7,5,ok\n")
    assert [line.code for line in lines] == ["not_plain_text", None]
    assert lines[0].description is None


def test_a_formula_is_text_like_any_other() -> None:
    (line,) = read(CsvParser, GROUND, b"payee,amount,description\n7,5,=cmd|' /C calc'!A0\n")
    assert (line.code, line.description) == (None, "=cmd|' /C calc'!A0")


def test_only_who_acts_for_everybody_names_payers() -> None:
    file = b"payer,payee,amount\n5,7,1\n,7,1\n123456789012,7,1\nx,7,1\n"
    with pytest.raises(Refusal, match="first line"):
        read(CsvParser, GROUND, file)
    lines = read(CsvParser, GROUND._replace(may_name_payers=True), file)
    assert [line.payer for line in lines] == [5, None, None, None]
    assert [(line.code, line.field) for line in lines] == [(None, None)] * 3 + [("wrong_payer", "payer")]


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"\n\n",
        b"7,5,,\n",
        b"payee,amount,amount\n",
        b"payee,amount,iban\n",
        b"payee;amount,description\n",
        b"PK\x03\x04" + bytes(5_000),
        b"\x1f\x8b\x08\x00" + b"x" * 5_000,
        "payee,amount\n7,5\n".encode("utf-16"),
        b"payee,amount\n" + b"7" * (LINE_LENGTH_MAX + 1),
    ],
)
def test_what_is_no_csv_of_payments_is_refused_as_a_whole(file: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read(CsvParser, GROUND, file)
    assert refused.value.code == "malformed_file"

"""pain.001: what is read, what is wrong with a payment, and what no file may do to the reader."""

from datetime import date

import pytest

from core.bulk.lines import Ground, Line, to_minor_units
from core.bulk.pain001 import NAMESPACE, Pain001Parser
from core.errors import Refusal
from tests.core.bulk.files import Row, pain001_of, read

PAYER = 123456789012
GROUND = Ground(PAYER, False, "BRL", date(2026, 3, 1))
ROWS = [Row(210987654321, 1250, "Salário &amp; mais", "e2e-1"), Row(310987654321, 5)]
LINES = [
    Line(None, 210987654321, 1250, "Salário & mais", "e2e-1"),
    Line(None, 310987654321, 5, None, None),
    Line(None, 310987654321, 100, None, None),
]


def code_of(file: bytes) -> str:
    with pytest.raises(Refusal) as refused:
        read(Pain001Parser, GROUND, file)
    return refused.value.code


@pytest.mark.parametrize("piece", [1, 7, 100, 1 << 16])
def test_payments_of_several_batches_are_read_in_whatever_pieces_they_come(piece: int) -> None:
    file = pain001_of(PAYER, [ROWS, [Row(310987654321, 100)]])
    assert read(Pain001Parser, GROUND, file, piece) == LINES


def test_other_encodings_are_the_same_file() -> None:
    text = pain001_of(PAYER, [ROWS, [Row(310987654321, 100)]], prolog='<?xml version="1.0"?>').decode()
    assert read(Pain001Parser, GROUND, text.encode("utf-16")) == LINES
    latin = text.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert read(Pain001Parser, GROUND, latin.encode("latin-1")) == LINES


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(
    ("good", "bad", "code", "field"),
    [
        ("<Id>7</Id>", "<Id>GB33BUKB20201555555555</Id>", "not_a_number", "payee"),
        ("<Id>7</Id>", "", "missing", "payee"),
        ("<EndToEndId>e</EndToEndId>", f"<EndToEndId>{'x' * 36}</EndToEndId>", "too_long", "reference"),
        ('Ccy="BRL"', 'Ccy="USD"', "wrong_currency", "Ccy"),
    ],
)
def test_a_bad_payment_is_named_and_spoils_no_other(at: int, good: str, bad: str, code: str, field: str) -> None:
    head, *payments = pain001_of(PAYER, [[Row(7, 500, reference="e")] * 3]).decode().split("<CdtTrfTxInf>")
    assert payments[at].count(good) == 1
    payments[at] = payments[at].replace(good, bad)
    lines = read(Pain001Parser, GROUND, "<CdtTrfTxInf>".join([head, *payments]).encode())
    assert [(line.code, line.field) for line in lines] == [
        (code, field) if number == at else (None, None) for number in range(3)
    ]


def test_an_account_that_is_not_the_bulks_does_not_pay() -> None:
    lines = read(Pain001Parser, GROUND, pain001_of(999, [ROWS]))
    assert {(line.code, line.field) for line in lines} == {("wrong_payer", "DbtrAcct")}
    named = read(Pain001Parser, GROUND._replace(may_name_payers=True), pain001_of(999, [ROWS]))
    assert [(line.payer, line.code) for line in named] == [(999, None)] * 2


def test_what_is_for_a_later_day_is_not_paid_today() -> None:
    assert {line.code for line in read(Pain001Parser, GROUND, pain001_of(PAYER, [ROWS], date="2026-03-01"))} == {None}
    later = read(Pain001Parser, GROUND, pain001_of(PAYER, [ROWS], date="2026-03-02"))
    assert {(line.code, line.field) for line in later} == {("date_not_reached", "ReqdExctnDt")}


@pytest.mark.parametrize(
    ("decimals", "text", "units"),
    [
        (2, "12.5", "1250"),
        (2, "12.50", "1250"),
        (2, "12.500", "1250"),
        (2, "12", "1200"),
        (2, "0.01", "001"),
        (0, "12", "12"),
        (0, "12.0", "12"),
        (3, "1.234", "1234"),
        *(
            (2, wrong, wrong)
            for wrong in ("12.345", "12,50", "-1.00", "+1.00", "1e3", ".5", "5.", " 1", "", "\u0665.\u0665")
        ),
        (0, "12.5", "12.5"),
    ],
)
def test_amounts_are_decimals_of_the_currency_and_nothing_else(decimals: int, text: str, units: str) -> None:
    assert to_minor_units(text, decimals) == units


def test_totals_have_to_be_right() -> None:
    assert code_of(pain001_of(PAYER, [ROWS], count=3)) == "totals_mismatch"
    assert code_of(pain001_of(PAYER, [ROWS], total="12.56")) == "totals_mismatch"
    batch = pain001_of(PAYER, [ROWS, ROWS]).replace(b"<NbOfTxs>2<", b"<NbOfTxs>1<", 1)
    assert code_of(batch) == "totals_mismatch"
    assert code_of(pain001_of(PAYER, [ROWS]).replace(b">12.50<", b">NaN<")) == "totals_mismatch"
    assert [line.amount for line in read(Pain001Parser, GROUND, pain001_of(PAYER, [ROWS], total="12.55"))] == [1250, 5]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))


@pytest.mark.parametrize(
    "prolog",
    [
        f"<!DOCTYPE Document [{LAUGHS}]>",
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Document SYSTEM "http://example.com/evil.dtd">',
        "<!DOCTYPE Document>",
    ],
)
def test_declarations_are_refused_before_they_mean_anything(prolog: str) -> None:
    assert code_of(pain001_of(PAYER, [ROWS], prolog=prolog)) == "malformed_file"


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"payee,amount\n7,5\n",
        b"<Document/>",
        f'<Document xmlns="{NAMESPACE}"></Document>'.encode(),
        pain001_of(PAYER, [ROWS]).replace(b"pain.001.001.09", b"pain.001.001.03"),
        pain001_of(PAYER, [ROWS])[:-30],
        pain001_of(PAYER, [ROWS]) + b"<more/>",
        pain001_of(PAYER, [ROWS]).replace(b"Sal", b"Sal\x00"),
        pain001_of(PAYER, [ROWS]).replace(b"<NbOfTxs>2</NbOfTxs>", b"", 1),
        pain001_of(PAYER, [[Row(7, 5, "x" * 5_000)]]),
        f'<Document xmlns="{NAMESPACE}">{"<a>" * 40}'.encode(),
        f'<Document xmlns="{NAMESPACE}" x="{"y" * 600_000}"'.encode(),
        f'<Document xmlns="{NAMESPACE}"><!-- {"y" * 600_000}'.encode(),
    ],
)
def test_what_is_no_pain_001_is_refused_as_a_whole(file: bytes) -> None:
    assert code_of(file) == "malformed_file"

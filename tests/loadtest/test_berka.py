import gzip
from pathlib import Path

import pytest

from loadtest.berka import (
    CASH_IN,
    CASH_OUT,
    COLUMNS,
    FEES,
    PARTNER_BANKS,
    FormatError,
    Transaction,
    counterparty_of,
    floor_of,
    in_order,
    read_transactions,
    to_minor,
    write_synthetic,
)

CSV = """\
trans_id,account_id,date,type,operation,amount,balance,k_symbol,bank,account
695247,2378,930101,PRIJEM,VKLAD,700.00,700.00,,,
171812,576,930101,PRIJEM,VKLAD,900.00,900.00,,,
695248,2378,930105,VYDAJ,PREVOD NA UCET,120.50,579.50,SIPO,YZ,62457513
"""
PUBLISHED = """\
"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"
695247;2378;930101;"PRIJEM";"VKLAD";700.00;700.00;;;
171812;576;930101;"PRIJEM";"VKLAD";900.00;900.00;"";"";
695248;2378;930105;"VYDAJ";"PREVOD NA UCET";120.50;579.50;"SIPO";"YZ";62457513
"""
READ = {
    2378: [
        Transaction(695247, 2378, "930101", 70_000, 70_000, CASH_IN),
        Transaction(695248, 2378, "930105", -12_050, 57_950, PARTNER_BANKS),
    ],
    576: [Transaction(171812, 576, "930101", 90_000, 90_000, CASH_IN)],
}


@pytest.mark.parametrize("text", [CSV, PUBLISHED, PUBLISHED.replace("\n", "\r\n")])
def test_both_formats_read_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trans.asc"
    path.write_bytes(text.encode())
    assert read_transactions(path) == READ


def test_gzipped_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "whatever-it-is-called"
    path.write_bytes(gzip.compress(CSV.encode()))
    assert read_transactions(path) == READ


@pytest.mark.parametrize(
    ("kind", "counterparty"),
    [
        (("PRIJEM", "VKLAD", ""), CASH_IN),
        (("PRIJEM", "PREVOD Z UCTU", "DUCHOD"), PARTNER_BANKS),
        (("PRIJEM", "", "UROK"), FEES),
        (("VYDAJ", "VYBER", ""), CASH_OUT),
        (("VYDAJ", "VYBER KARTOU", ""), CASH_OUT),
        (("VYBER", "VYBER", ""), CASH_OUT),
        (("VYDAJ", "VYBER", "SIPO"), CASH_OUT),
        (("VYDAJ", "PREVOD NA UCET", "UVER"), PARTNER_BANKS),
        (("VYDAJ", "VYBER", "SLUZBY"), FEES),
        (("VYDAJ", "VYBER", "SANKC. UROK"), FEES),
        (("VYDAJ", "", ""), FEES),
    ],
)
def test_each_operation_has_its_other_side(kind: tuple[str, str, str], counterparty: int) -> None:
    assert counterparty_of(*kind) == counterparty


@pytest.mark.parametrize("kind", [("PRIJEM", "VYBER", ""), ("PRESUN", "VKLAD", ""), ("VYDAJ", "VKLAD", "")])
def test_unknown_operation_is_refused(kind: tuple[str, str, str]) -> None:
    with pytest.raises(KeyError):
        counterparty_of(*kind)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("700.00", 70_000),
        ("0.1", 10),
        ("12", 1_200),
        ("-12.5", -1_250),
        ("-0.05", -5),
        ("4503599627370497.29", 450359962737049729),
    ],
)
def test_money_is_exact(text: str, minor: int) -> None:
    assert to_minor(text) == minor


@pytest.mark.parametrize("text", ["1.234", "x", "1e3", "1,5"])
def test_what_is_no_money_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        to_minor(text)


def test_order_within_a_day_follows_the_banks_balances() -> None:
    withdrawn = Transaction(1, 7, "930311", -50_000, 25_000, CASH_OUT)
    deposited = Transaction(9, 7, "930311", 48_000, 75_000, CASH_IN)
    opened = Transaction(5, 7, "930310", 27_000, 27_000, CASH_IN)
    assert in_order([withdrawn, deposited, opened]) == [opened, deposited, withdrawn]


def test_file_decides_where_the_balances_do_not() -> None:
    first, second = (Transaction(number, 7, "930310", 100, 0, CASH_IN) for number in (9, 1))
    assert in_order([first, second]) == [first, second]


def test_floor_is_the_lowest_balance_below_zero() -> None:
    amounts = (100, -250, 400, -300)
    transactions = [Transaction(at, 7, "930101", amount, 0, CASH_IN) for at, amount in enumerate(amounts)]
    assert floor_of(transactions) == -150
    assert floor_of(transactions[:1]) == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2,930101,PRIJEM,VKLAD,1.001,1.00,,,", "line 2: 1.001"),
        ("1,2,93-01,PRIJEM,VKLAD,1.00,1.00,,,", "line 2: 93-01"),
        ("1,2,930101,PRIJEM,LOAN,1.00,1.00,,,", "line 2: 'LOAN'"),
        ("1,2", "line 2"),
        ("", "no transaction"),
    ],
)
def test_broken_file_is_refused_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(f"{','.join(COLUMNS)}\n{line}" if line else ",".join(COLUMNS))
    with pytest.raises(FormatError, match=reason):
        read_transactions(path)


def test_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a;b;c\n1;2;3\n")
    with pytest.raises(FormatError, match="lacks the columns account, account_id"):
        read_transactions(path)


def test_synthetic_file_is_the_same_in_every_format(tmp_path: Path) -> None:
    names = ("s.csv", "s.csv.gz", "s.asc")
    for name in names:
        write_synthetic(tmp_path / name, accounts=30, transactions=900)
    plain, *others = (read_transactions(tmp_path / name) for name in names)
    assert len(plain) == 30
    assert sum(map(len, plain.values())) == 900
    assert all(other == plain for other in others)
    assert (tmp_path / "s.asc").read_text().startswith('"trans_id";"account_id"')


def test_synthetic_accounts_are_like_the_banks(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    write_synthetic(path, accounts=50, transactions=2_000, seed=3)
    accounts = read_transactions(path)
    assert any(floor_of(transactions) < 0 for transactions in accounts.values())
    assert any(transactions[-1].balance % 10 == 0 for transactions in accounts.values())
    for transactions in accounts.values():
        balance = 0
        for transaction in transactions:
            balance += transaction.amount
            assert abs(balance - transaction.balance) <= 5
    identifiers = [each.trans_id for transactions in accounts.values() for each in transactions]
    assert len(set(identifiers)) == len(identifiers)

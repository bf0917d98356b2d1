"""Reads the bank transactions of the PKDD'99 challenge, and makes synthetic ones of the same format.

It takes the published `trans.asc` as it is, and the same columns as CSV, plain or gzipped. Money becomes
minor units (koruna times 100). It knows no hub and never decides whether a payment is good.

The order within an account: by date, and within a day in the order in which the bank's own balances follow
each other: the next transaction is the one whose recorded balance is the balance before plus its amount. The
files order a day's rows arbitrarily, and transaction numbers follow no time, so neither can say it. Where the
balances leave a choice, the order of the file decides.
"""

import csv
import gzip
import random
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO, NamedTuple

CASH_IN, CASH_OUT, FEES, PARTNER_BANKS = 1, 2, 3, 4
SYSTEM_ACCOUNTS = (CASH_IN, CASH_OUT, FEES, PARTNER_BANKS)
COLUMNS = (
    "trans_id",
    "account_id",
    "date",
    "type",
    "operation",
    "amount",
    "balance",
    "k_symbol",
    "bank",
    "account",
)
WORDS = ("type", "operation", "k_symbol", "bank")
CREDIT = "PRIJEM"
# VYBER as a type is a cash withdrawal that the bank entered under another name.
DEBITS = ("VYDAJ", "VYBER")
FEE_SYMBOLS = ("SLUZBY", "SANKC. UROK", "UROK")
CREDITED_FROM = {"VKLAD": CASH_IN, "PREVOD Z UCTU": PARTNER_BANKS, "": FEES}
DEBITED_TO = {"VYBER": CASH_OUT, "VYBER KARTOU": CASH_OUT, "PREVOD NA UCET": PARTNER_BANKS, "": FEES}
ROUNDING = 10  # the bank writes balances to 0.10


class FormatError(Exception):
    """The file is no transaction file: one sentence that says where and why."""


class Transaction(NamedTuple):
    """One movement of one account, in minor units; `amount` is negative when money leaves."""

    trans_id: int
    account: int
    date: str
    amount: int
    balance: int
    counterparty: int


def read_transactions(path: Path) -> dict[int, list[Transaction]]:
    """Each account's transactions in order. Raises FormatError."""
    accounts: dict[int, list[Transaction]] = {}
    with _open(path) as lines:
        for transaction in _parse(lines, path.name):
            accounts.setdefault(transaction.account, []).append(transaction)
    if not accounts:
        raise FormatError(f"{path.name} holds no transaction.")
    return {account: in_order(transactions) for account, transactions in accounts.items()}


def in_order(transactions: Iterable[Transaction]) -> list[Transaction]:
    """One account's transactions in the order that the bank's balances tell; see the module's docstring."""
    ordered: list[Transaction] = []
    balance = 0
    for _, same_day in groupby(sorted(transactions, key=lambda each: each.date), key=lambda each: each.date):
        waiting = list(same_day)
        while waiting:
            at = min(range(len(waiting)), key=lambda i: abs(balance + waiting[i].amount - waiting[i].balance))
            balance += waiting[at].amount
            ordered.append(waiting.pop(at))
    return ordered


def floor_of(transactions: Iterable[Transaction]) -> int:
    """How far below zero the account has to be allowed to go: its lowest balance, or 0."""
    lowest = balance = 0
    for transaction in transactions:
        balance += transaction.amount
        lowest = min(lowest, balance)
    return lowest


def counterparty_of(type_: str, operation: str, symbol: str) -> int:
    """The tenant's own account on the other side. Raises KeyError for what the bank never wrote."""
    if type_ == CREDIT:
        return CREDITED_FROM[operation]
    if type_ not in DEBITS:
        raise KeyError(type_)
    return FEES if symbol in FEE_SYMBOLS else DEBITED_TO[operation]


def _create(path: Path) -> IO[str]:
    return gzip.open(path, "wt", encoding="ascii") if path.suffix == ".gz" else path.open("w", encoding="ascii")


def _open(path: Path) -> IO[str]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    if zipped:
        return gzip.open(path, "rt", encoding="ascii", newline="")
    return path.open(encoding="ascii", newline="")


def _parse(lines: IO[str], name: str) -> Iterator[Transaction]:
    header = lines.readline()
    separator = ";" if ";" in header else ","
    columns = next(csv.reader([header], delimiter=separator), [])
    if set(COLUMNS) - set(columns):
        raise FormatError(f"{name} lacks the columns {', '.join(sorted(set(COLUMNS) - set(columns)))}.")
    at = [columns.index(column) for column in COLUMNS[:8]]
    for number, row in enumerate(csv.reader(lines, delimiter=separator), start=2):
        try:
            yield _to_transaction([row[i].strip() for i in at])
        except (KeyError, ValueError, IndexError) as error:
            raise FormatError(f"{name}, line {number}: {error} does not belong there.") from None


def _to_transaction(fields: list[str]) -> Transaction:
    trans_id, account, date, type_, operation, amount, balance, symbol = fields
    if len(date) != 6 or not date.isdigit():
        raise ValueError(date)
    minor = to_minor(amount)
    return Transaction(
        int(trans_id),
        int(account),
        date,
        minor if type_ == CREDIT else -minor,
        to_minor(balance),
        counterparty_of(type_, operation, symbol),
    )


def to_minor(text: str) -> int:
    """ "-12.5" as -1250. Exact: no float is involved."""
    sign = -1 if text.startswith("-") else 1
    whole, _, part = text.lstrip("-").partition(".")
    if len(part) > 2:
        raise ValueError(text)
    return sign * (int(whole or "0") * 100 + int(part.ljust(2, "0")))


def write_synthetic(path: Path, accounts: int, transactions: int, seed: int = 1) -> None:
    """A file of the same format: `.asc` as published, else CSV, gzipped if it ends in `.gz`.

    Like the real one: opened by a deposit, months of cash, transfers, interest and fees, some accounts below
    zero, balances rounded to 0.10, rows by date but a day's rows in any order.
    """
    if accounts > transactions:
        raise ValueError("Each account has at least one transaction.")
    published = path.suffix == ".asc"
    with _create(path) as file:
        file.write(";".join(f'"{name}"' for name in COLUMNS) if published else ",".join(COLUMNS))
        for row in _invent(random.Random(seed), accounts, transactions):
            file.write("\n")
            file.write(";".join(_quoted(row)) if published else ",".join(row))
        file.write("\n")


def _quoted(row: list[str]) -> Iterator[str]:
    """Words in quotes, numbers and nothing without: as the published file has it."""
    for column, field in zip(COLUMNS, row, strict=True):
        yield f'"{field}"' if field and column in WORDS else field


KINDS = (
    ("VYDAJ", "VYBER", "", 30),
    ("PRIJEM", "VKLAD", "", 22),
    ("PRIJEM", "", "UROK", 15),
    ("VYDAJ", "VYBER", "SLUZBY", 10),
    ("VYDAJ", "PREVOD NA UCET", "SIPO", 10),
    ("PRIJEM", "PREVOD Z UCTU", "DUCHOD", 8),
    ("VYBER", "VYBER", "", 3),
    ("VYDAJ", "VYBER", "SANKC. UROK", 1),
    ("VYDAJ", "VYBER KARTOU", " ", 1),
)
OPENING = ("PRIJEM", "VKLAD", "")
DAYS = 400


def _invent(chance: random.Random, accounts: int, transactions: int) -> list[list[str]]:
    numbers = [2 * (number + 1) for number in range(accounts)]
    weights = [kind[3] for kind in KINDS]
    openings = [(0, number, OPENING) for number in numbers]
    later = [
        (chance.randrange(1, DAYS), chance.choice(numbers), chance.choices(KINDS, weights)[0][:3])
        for _ in range(transactions - accounts)
    ]
    balances = dict.fromkeys(numbers, 0)
    days: dict[int, list[list[str]]] = {}
    for number, (day, account, kind) in enumerate(sorted([*openings, *later], key=lambda each: each[:2])):
        type_, operation, symbol = kind
        amount = _invent_amount(chance, kind)
        balances[account] += amount if type_ == CREDIT else -amount
        rounded = ROUNDING * round(balances[account] / ROUNDING)
        partner = ["YZ", "62457513"] if operation.startswith("PREVOD") else ["", ""]
        trans_id = str(number * 7919 % 1_000_003)  # unique, and in no order of time
        money = [f"{minor / 100:.2f}" for minor in (amount, rounded)]
        days.setdefault(day, []).append(
            [trans_id, str(account), _date(day), type_, operation, *money, symbol, *partner]
        )
    for rows in days.values():
        chance.shuffle(rows)
    return [row for day in sorted(days) for row in days[day]]


def _invent_amount(chance: random.Random, kind: tuple[str, ...]) -> int:
    if kind == OPENING:
        return chance.randrange(200, 30_000) * 100
    if kind[2] == "UROK":
        return chance.randrange(100, 20_000)  # interest is the one amount with odd cents
    if kind[2] in FEE_SYMBOLS:
        return 1460
    return chance.randrange(100, 15_000) * 100


def _date(day: int) -> str:
    """Months of 28 days from January 1993."""
    month = day // 28
    return f"{93 + month // 12}{month % 12 + 1:02}{day % 28 + 1:02}"

"""Payments as CNAB 240, the file that Brazilian banks take (FEBRABAN, layout 10.x, "Pagamentos"), row by row.

    0 the file's header, 1 a batch's header, 3 its details, 5 its trailer, 9 the file's trailer

Of the details, segment A is a payment and the others tell more than is needed. Both trailers have to be right. The
favored account and the company's are Payhub accounts of up to twelve digits; rows are Latin-1, 240 characters each.
"""

from typing import Final, NamedTuple

from core.bulk.lines import Ground, Line, LineCode, malformed, read_line, read_number
from core.errors import Refusal

ROW_LENGTH: Final = 240


class Place(NamedTuple):
    """Where a field stands, as the layout counts: from 1, both ends included."""

    first: int
    last: int

    def of(self, row: str) -> str:
        """What stands there."""
        return row[self.first - 1 : self.last]


BATCH: Final = Place(4, 7)
ROW_TYPE: Final = Place(8, 8)
# Of a batch's header (1)
OPERATION: Final = Place(9, 9)  # C: credit
COMPANY_ACCOUNT: Final = Place(59, 70)
# Of segment A (3)
SEGMENT: Final = Place(14, 14)
MOVEMENT: Final = Place(15, 15)  # 0: a new payment; 5 and 9 change or withdraw one
FAVORED_ACCOUNT: Final = Place(30, 41)
DOCUMENT: Final = Place(74, 93)  # "seu número": the company's own
PAYMENT_DATE: Final = Place(94, 101)  # DDMMYYYY
CURRENCY: Final = Place(102, 104)
AMOUNT: Final = Place(120, 134)  # 13 digits and 2 decimals
INFORMATION: Final = Place(178, 217)
# Of a batch's trailer (5)
BATCH_ROWS: Final = Place(18, 23)  # its header and itself included
BATCH_SUM: Final = Place(24, 41)  # 16 digits and 2 decimals
# Of the file's trailer (9)
FILE_BATCHES: Final = Place(18, 23)
FILE_ROWS: Final = Place(24, 29)  # all of them


class Cnab240Parser:
    """Reads CNAB 240 as it arrives."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._rest = ""
        self._rows = 0
        self._batches = 0
        self._batch: str | None = None  # its number, between its header and its trailer
        self._batch_rows = 0
        self._batch_sum = 0
        self._unread = False
        self._payer: int | None = None
        self._wrong: tuple[str, str] | None = None  # what is wrong with every payment of this batch
        self._is_over = False

    def feed(self, data: bytes) -> list[Line]:
        """The lines that this piece completes."""
        rows = (self._rest + data.decode("latin-1")).split("\n")
        self._rest = rows.pop()
        if len(self._rest) > 2 * ROW_LENGTH:
            raise malformed(f"Row {self._rows + 1} is longer than {ROW_LENGTH} characters.")
        return [line for row in rows for line in self._read(row.removesuffix("\r"))]

    def close(self) -> list[Line]:
        """The last row, which may have no line end."""
        lines = self._read(self._rest.removesuffix("\r"))
        if not self._is_over:
            raise malformed("The file's trailer (9) is missing.")
        return lines

    def _read(self, row: str) -> list[Line]:
        # Mainframes end a file with Ctrl-Z.
        if self._is_over and row.strip("\x1a ") == "":
            return []
        self._rows += 1
        kind = ROW_TYPE.of(row)
        if self._batch is not None and kind == "3":
            return self._read_detail(row)
        if len(row) != ROW_LENGTH:
            raise malformed(f"Row {self._rows} has {len(row)} characters instead of {ROW_LENGTH}.")
        expected = {"0"} if self._rows == 1 else {"1", "9"} if self._batch is None else {"5"}
        if self._is_over or kind not in expected:
            raise malformed(f"Row {self._rows} is of type {kind!r} where {' or '.join(sorted(expected))} is due.")
        if kind == "1":
            self._begin_batch(row)
        elif kind == "5":
            self._end_batch(row)
        elif kind == "9":
            self._end_file(row)
        return []

    def _begin_batch(self, row: str) -> None:
        self._batches += 1
        self._batch, self._batch_rows, self._batch_sum = BATCH.of(row), 1, 0
        self._payer, wrong = self._ground.payer_of(COMPANY_ACCOUNT.of(row).strip())
        self._wrong = None
        if wrong is not None:
            self._wrong = wrong, "company_account"
        elif OPERATION.of(row) != "C":
            self._wrong = LineCode.NOT_SUPPORTED, "operation"

    def _read_detail(self, row: str) -> list[Line]:
        self._batch_rows += 1
        if BATCH.of(row) != self._batch:
            raise malformed(f"Row {self._rows} stands in batch {self._batch} and names another.")
        if SEGMENT.of(row) != "A":
            return []
        if len(row) != ROW_LENGTH:
            # The layout counts characters, so nothing in this row can be trusted to stand where it should.
            self._unread = True
            return [Line(None, None, None, None, None, LineCode.MALFORMED_LINE)]
        line = read_line(
            self._payer,
            FAVORED_ACCOUNT.of(row).strip(),
            AMOUNT.of(row),
            INFORMATION.of(row).rstrip(),
            DOCUMENT.of(row).rstrip(),
        )
        if line.amount is None:
            self._unread = True
        self._batch_sum += line.amount or 0
        wrong = None if line.code is not None else self._wrong or self._wrong_in(row)
        return [line if wrong is None else line._replace(code=wrong[0], field=wrong[1])]

    def _wrong_in(self, row: str) -> tuple[str, str] | None:
        day = PAYMENT_DATE.of(row)
        if CURRENCY.of(row) != self._ground.currency:
            return LineCode.WRONG_CURRENCY, "currency"
        if MOVEMENT.of(row) != "0":
            return LineCode.NOT_SUPPORTED, "movement"
        if read_number(day, 31_129_999)[0] is None:
            return LineCode.NOT_A_NUMBER, "payment_date"
        if day[4:] + day[2:4] + day[:2] > self._ground.today.strftime("%Y%m%d"):
            return LineCode.DATE_NOT_REACHED, "payment_date"
        return None

    def _end_batch(self, row: str) -> None:
        if BATCH.of(row) != self._batch:
            raise malformed(f"Row {self._rows} ends another batch than {self._batch}.")
        self._batch_rows += 1
        where = f"The trailer of batch {self._batch}"
        self._compare(where, "rows", BATCH_ROWS.of(row), self._batch_rows)
        if self._unread:
            raise Refusal("totals_mismatch", f"{where} has a sum that cannot be compared: an amount cannot be read.")
        self._compare(where, "minor units", BATCH_SUM.of(row), self._batch_sum)
        self._batch = None

    def _end_file(self, row: str) -> None:
        self._compare("The file's trailer", "batches", FILE_BATCHES.of(row), self._batches)
        self._compare("The file's trailer", "rows", FILE_ROWS.of(row), self._rows)
        self._is_over = True

    def _compare(self, where: str, what: str, declared: str, found: int) -> None:
        if not (declared.isascii() and declared.isdigit()) or int(declared) != found:
            raise Refusal("totals_mismatch", f"{where} says {declared!r} {what}, and there are {found}.")

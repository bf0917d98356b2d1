"""Payments as CSV (RFC 4180): a header that names the columns, then one payment per line.

    payee,amount,description,reference

in any order; description and reference may be left out, and operators may add payer. Commas or semicolons, CRLF or
LF, with or without a byte order mark, in UTF-8. Amounts are minor units. No field may hold a line break, so a line of
the file is always one payment, and a quote that is never closed spoils its own line and no other.
"""

import codecs
import csv
from typing import Final

from core.bulk.lines import Ground, Line, LineCode, malformed, read_line

# An honest line is a fifth of it.
LINE_LENGTH_MAX = 4_096
COLUMNS: Final = ("payee", "amount", "description", "reference", "payer")
NO_COLUMNS: Final = -1


class CsvParser:
    """Reads CSV as it arrives."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        # What is no UTF-8 becomes half characters, which are no plain text: its line is bad, and no other.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="surrogateescape")
        self._rest = ""
        self._delimiter = ","
        self._places: dict[str, int] | None = None
        self._width = 0

    def feed(self, data: bytes) -> list[Line]:
        """The lines that this piece completes."""
        texts = (self._rest + self._decoder.decode(data)).split("\n")
        self._rest = texts.pop()
        if len(self._rest) > LINE_LENGTH_MAX:
            raise malformed(f"A line has more than {LINE_LENGTH_MAX} characters.")
        return self._read(texts)

    def close(self) -> list[Line]:
        """The last line, which may have no line end."""
        lines = self._read([self._rest + self._decoder.decode(b"", final=True)])
        if self._places is None:
            raise malformed("The file is empty. Its first line names the columns: payee,amount,description,reference.")
        return lines

    def _read(self, texts: list[str]) -> list[Line]:
        lines = []
        for text in texts:
            text = text.removesuffix("\r")
            if not text:
                continue
            if self._places is None:
                self._read_header(text)
            else:
                lines.append(self._read_line(text))
        return lines

    def _read_line(self, text: str) -> Line:
        fields: list[str] | None = text.split(self._delimiter)
        if '"' in text:
            fields = self._unquote(text)
        if fields is None or len(fields) != self._width:
            return Line(None, None, None, None, None, LineCode.MALFORMED_LINE)
        assert self._places is not None
        payee, amount, description, reference, payer = (
            "" if at == NO_COLUMNS else fields[at] for at in self._places.values()
        )
        named, wrong = self._ground.payer_of(payer) if payer else (None, None)
        line = read_line(named, payee, amount, description, reference)
        return line._replace(code=wrong, field="payer") if wrong and not line.code else line

    def _unquote(self, text: str) -> list[str] | None:
        try:
            (fields,) = csv.reader([text], delimiter=self._delimiter, strict=True)
        except (csv.Error, ValueError):
            return None
        return fields

    def _read_header(self, text: str) -> None:
        # A name is never quoted for need, and often by habit.
        self._delimiter = ";" if ";" in text else ","
        names = [name.strip().strip('"').lower() for name in text.split(self._delimiter)]
        known = COLUMNS if self._ground.may_name_payers else COLUMNS[:-1]
        strange = next((name for name in names if name not in known or names.count(name) > 1), None)
        if strange is not None or not {"payee", "amount"} <= {*names}:
            raise malformed(
                f"The first line has to name the columns payee and amount, and may name {', '.join(known[2:])}, each"
                f" once; it does not, or names something else."
            )
        self._places = {name: names.index(name) if name in names else NO_COLUMNS for name in COLUMNS}
        self._width = len(names)

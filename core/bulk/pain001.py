"""Payments as ISO 20022 pain.001.001.09, the customer credit transfer initiation, read element by element.

Accounts are Id/Othr/Id; EndToEndId is the reference and RmtInf/Ustrd the description. NbOfTxs and CtrlSum, of the
group and of each payment information, have to be right. Document type declarations are refused, and with them every
entity of one's own making (OWASP: XML external entities, a billion laughs).
"""

from typing import Final
from xml.parsers import expat  # the parser alone: it fetches nothing, and declarations are refused below

from core.bulk.lines import Ground, Line, LineCode, malformed, read_line, to_minor_units
from core.errors import Refusal

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
DEPTH_MAX = 32
# The longest text that is read here is a remittance of a few lines of 140.
TEXT_LENGTH_MAX = 4_096
# A start tag with its attributes; expat itself would gather an endless one. Pieces are fed one by one.
PIECE_WITHOUT_EVENT_MAX = 256 * 1024

GROUP: Final = "Document/CstmrCdtTrfInitn/GrpHdr"
BATCH: Final = "Document/CstmrCdtTrfInitn/PmtInf"
TRANSFER: Final = f"{BATCH}/CdtTrfTxInf"
WANTED: Final = {
    f"{GROUP}/NbOfTxs": "count",
    f"{GROUP}/CtrlSum": "sum",
    f"{BATCH}/NbOfTxs": "batch_count",
    f"{BATCH}/CtrlSum": "batch_sum",
    f"{BATCH}/PmtMtd": "method",
    f"{BATCH}/ReqdExctnDt/Dt": "date",
    f"{BATCH}/ReqdExctnDt/DtTm": "date",
    f"{BATCH}/DbtrAcct/Id/Othr/Id": "payer",
    f"{TRANSFER}/PmtId/EndToEndId": "reference",
    f"{TRANSFER}/Amt/InstdAmt": "amount",
    f"{TRANSFER}/CdtrAcct/Id/Othr/Id": "payee",
    f"{TRANSFER}/RmtInf/Ustrd": "description",
}
OF_TRANSFER: Final = ("reference", "amount", "payee", "description", "currency")
OF_BATCH: Final = ("batch_count", "batch_sum", "method", "date", "payer")


class Pain001Parser:
    """Reads pain.001.001.09 as it arrives."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._path: list[str] = []
        self._found: dict[str, str] = {}
        self._text: list[str] | None = None
        self._text_length = 0
        self._lines: list[Line] = []
        self._counts = [0, 0]  # of the file, of the batch
        self._sums = [0, 0]
        self._unread: int | None = None  # the first line whose amount could not be read
        self._silent = 0
        self._is_whole = False
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._gather
        parser.StartDoctypeDeclHandler = self._refuse_declaration
        parser.EntityDeclHandler = self._refuse_declaration

    def feed(self, data: bytes) -> list[Line]:
        """The lines that this piece completes."""
        self._silent += len(data)
        self._parse(data, False)
        if self._silent > PIECE_WITHOUT_EVENT_MAX:
            raise malformed("One element is far longer than any of pain.001.")
        return self._take()

    def close(self) -> list[Line]:
        """The rest, and the file's totals."""
        self._parse(b"", True)
        if not self._is_whole:
            raise malformed(f"There is no Document of {NAMESPACE} with a CstmrCdtTrfInitn in it.")
        if "count" not in self._found:
            raise malformed("GrpHdr has no NbOfTxs.")
        self._check_totals("GrpHdr", 0, self._found.get("count"), self._found.get("sum"))
        return self._take()

    def _take(self) -> list[Line]:
        lines, self._lines = self._lines, []
        return lines

    def _parse(self, data: bytes, is_final: bool) -> None:
        try:
            self._parser.Parse(data, is_final)
        except expat.ExpatError as error:
            raise malformed(f"The XML is broken in line {error.lineno}: {expat.ErrorString(error.code)}.") from None

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._silent = 0
        namespace, _, local = name.rpartition(" ")
        if not self._path and (namespace, local) != (NAMESPACE, "Document"):
            raise malformed(f"The file is no Document of {NAMESPACE}.")
        # What is in another namespace is somebody's supplement and means nothing here.
        self._path.append(local if namespace == NAMESPACE else f"? {local}")
        if len(self._path) > DEPTH_MAX:
            raise malformed("The XML is nested far deeper than any pain.001.")
        key = WANTED.get("/".join(self._path))
        if key is not None:
            self._text, self._text_length = [], 0
            if key == "amount":
                self._found["currency"] = attributes.get("Ccy", "")

    def _gather(self, text: str) -> None:
        self._silent = 0
        if self._text is not None:
            self._text_length += len(text)
            if self._text_length > TEXT_LENGTH_MAX:
                raise malformed(f"The text of {self._path[-1]} is far too long.")
            self._text.append(text)

    def _end(self, _: str) -> None:
        path = "/".join(self._path)
        self._path.pop()
        key = WANTED.get(path)
        if key is not None and self._text is not None:
            text = "".join(self._text).strip(" \t\r\n")
            self._text = None
            if key == "description" and key in self._found:
                # A remittance may have several lines.
                text = f"{self._found[key]} {text}"[:TEXT_LENGTH_MAX]
            elif key in self._found:
                raise malformed(f"{path.rpartition('/')[2]} stands twice in one place.")
            self._found[key] = text
        elif path == TRANSFER:
            self._end_transfer()
        elif path == BATCH:
            found = self._found
            self._check_totals("PmtInf", 1, found.get("batch_count"), found.get("batch_sum"))
            self._counts[1] = self._sums[1] = 0
            for one in OF_BATCH:
                self._found.pop(one, None)
        elif path == "Document/CstmrCdtTrfInitn":
            self._is_whole = True

    def _end_transfer(self) -> None:
        reference, amount, payee, description, currency = (self._found.pop(key, "") for key in OF_TRANSFER)
        payer, wrong = self._ground.payer_of(self._found.get("payer", ""))
        line = read_line(
            payer,
            payee,
            to_minor_units(amount, self._ground.decimals),
            description,
            "" if reference == "NOTPROVIDED" else reference,
        )
        code, field = line.code, line.field
        if code is None:
            day = self._found.get("date", "")[:10]
            if wrong is not None:
                code, field = wrong, "DbtrAcct"
            elif currency != self._ground.currency:
                code, field = LineCode.WRONG_CURRENCY, "Ccy"
            elif self._found.get("method") != "TRF":
                code, field = LineCode.NOT_SUPPORTED, "PmtMtd"
            elif day > self._ground.today.isoformat():
                code, field = LineCode.DATE_NOT_REACHED, "ReqdExctnDt"
        for each in (0, 1):
            self._counts[each] += 1
            self._sums[each] += line.amount or 0
        if line.amount is None and self._unread is None:
            self._unread = self._counts[0]
        self._lines.append(line._replace(code=code, field=field))

    def _check_totals(self, where: str, which: int, count: str | None, total: str | None) -> None:
        if count is not None and count != str(self._counts[which]):
            raise Refusal("totals_mismatch", f"{where} says NbOfTxs {count[:20]}, and there are {self._counts[which]}.")
        if total is None:
            return
        if self._unread is not None:
            raise Refusal(
                "totals_mismatch",
                f"{where} has a CtrlSum, which cannot be compared: payment {self._unread} has no amount to be read.",
            )
        if to_minor_units(total, self._ground.decimals).lstrip("0") != str(self._sums[which] or ""):
            raise Refusal("totals_mismatch", f"{where} has a CtrlSum that is not the sum of its payments.")

    def _refuse_declaration(self, *_: object) -> None:
        raise malformed("A document type declaration stands in the file. Leave it out.")

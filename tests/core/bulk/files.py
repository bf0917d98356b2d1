"""Small generators of files in each format: what a customer's own system would write."""

from collections.abc import AsyncIterator, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from core.bulk.lines import Ground, Line, MakeParser
from core.bulk.pain001 import NAMESPACE


class Row(NamedTuple):
    payee: int | str
    amount: int
    description: str = ""
    reference: str = ""


def csv_of(rows: Iterable[Row], end: str = "\n") -> bytes:
    lines = ["payee,amount,description,reference", *(",".join(map(str, row)) for row in rows)]
    return (end.join(lines) + end).encode()


def pain001_of(
    payer: int,
    batches: Sequence[Sequence[Row]],
    *,
    currency: str = "BRL",
    count: int | None = None,
    total: str | None = None,
    date: str = "2026-01-02",
    prolog: str = '<?xml version="1.0" encoding="UTF-8"?>',
) -> bytes:
    everything = [row for rows in batches for row in rows]
    total = total or str(Decimal(sum(row.amount for row in everything)) / 100)
    parts = [
        f'{prolog}<Document xmlns="{NAMESPACE}"><CstmrCdtTrfInitn><GrpHdr><MsgId>M1</MsgId>'
        f"<CreDtTm>2026-01-02T03:04:05</CreDtTm><NbOfTxs>{len(everything) if count is None else count}</NbOfTxs>"
        f"<CtrlSum>{total}</CtrlSum><InitgPty><Nm>Cafe</Nm></InitgPty></GrpHdr>"
    ]
    for rows in batches:
        parts.append(
            f"<PmtInf><PmtInfId>P1</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>{len(rows)}</NbOfTxs>"
            f"<ReqdExctnDt><Dt>{date}</Dt></ReqdExctnDt><Dbtr><Nm>Cafe</Nm></Dbtr>"
            f"<DbtrAcct><Id><Othr><Id>{payer}</Id></Othr></Id></DbtrAcct><DbtrAgt><FinInstnId/></DbtrAgt>"
        )
        for row in rows:
            remittance = f"<RmtInf><Ustrd>{row.description}</Ustrd></RmtInf>" if row.description else ""
            parts.append(
                f"<CdtTrfTxInf><PmtId><EndToEndId>{row.reference or 'NOTPROVIDED'}</EndToEndId></PmtId>"
                f'<Amt><InstdAmt Ccy="{currency}">{Decimal(row.amount) / 100:.2f}</InstdAmt></Amt>'
                f"<Cdtr><Nm>Somebody</Nm></Cdtr><CdtrAcct><Id><Othr><Id>{row.payee}</Id></Othr></Id></CdtrAcct>"
                f"{remittance}</CdtTrfTxInf>"
            )
        parts.append("</PmtInf>")
    return "".join([*parts, "</CstmrCdtTrfInitn></Document>"]).encode()


def _row(*fields: tuple[int, str]) -> str:
    """A CNAB row: each field's text from its first place on, blanks between."""
    row = [" "] * 240
    for first, text in fields:
        row[first - 1 : first - 1 + len(text)] = text
    assert len(row) == 240
    return "".join(row)


def cnab240_rows(payer: int, rows: Sequence[Row], *, date: str = "02012026", currency: str = "BRL") -> list[str]:
    bank = (1, "999")
    details = []
    for at, row in enumerate(rows):
        details.append(
            _row(
                bank,
                (4, "0001"),
                (8, "3"),
                (9, f"{2 * at + 1:05}"),
                (14, "A"),
                (15, "000"),
                (30, f"{row.payee:0>12}"),
                (44, "FAVORECIDO"),
                (74, row.reference),
                (94, date),
                (102, currency),
                (120, f"{row.amount:015}"),
                (178, row.description),
            )
        )
        details.append(_row(bank, (4, "0001"), (8, "3"), (9, f"{2 * at + 2:05}"), (14, "B")))
    total = sum(row.amount for row in rows)
    return [
        _row(bank, (4, "0000"), (8, "0"), (73, "CAFE DA PRACA"), (143, "1")),
        _row(bank, (4, "0001"), (8, "1"), (9, "C"), (59, f"{payer:012}"), (73, "CAFE DA PRACA")),
        *details,
        _row(bank, (4, "0001"), (8, "5"), (18, f"{len(details) + 2:06}"), (24, f"{total:018}")),
        _row(bank, (4, "9999"), (8, "9"), (18, "000001"), (24, f"{len(details) + 4:06}")),
    ]


def cnab240_of(payer: int, rows: Sequence[Row], **how: str) -> bytes:
    return "".join(f"{row}\r\n" for row in cnab240_rows(payer, rows, **how)).encode("latin-1")


def read(make_parser: MakeParser, ground: Ground, file: bytes, piece: int = 1 << 16) -> list[Line]:
    """All lines of a file that arrives in pieces of so many bytes."""
    parser = make_parser(ground)
    found = []
    for at in range(0, len(file), piece):
        found += parser.feed(file[at : at + piece])
    return [*found, *parser.close()]


async def arriving(file: bytes, piece: int = 1 << 16) -> AsyncIterator[bytes]:
    for at in range(0, len(file), piece):
        yield file[at : at + piece]

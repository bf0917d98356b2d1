"""An export as somebody holds it in their hand: a PDF, set by Typst from a template and values.

Values are given to the template as JSON and put into it as text: nothing that somebody wrote is ever read as markup.
It is set in a process of its own, which takes the values by a pipe and gives the pages back by one: nothing of it lies
on a disk, and what setting needs in memory is gone afterwards.
"""

import asyncio
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from core.payments.money import money
from core.people.opening import Tenant
from core.privacy.acts import act_in
from core.privacy.classes import BASES, KIND_WORDS, Kind
from core.privacy.controller import MISSING, Controller
from core.privacy.exports import Export
from core.privacy.gathering import SEALED_SUFFIX, Row
from core.privacy.names import NAMES
from core.privacy.tables import LEDGER
from core.privacy.words import label, value_in

# Several times what a volume takes on a busy machine.
TIMEOUT_S: Final = 90.0
TYPESETTER: Final = str(Path(__file__).with_name("typesetting.py"))
# A table with more columns than this is set as cards, a row below the other.
COLUMNS_MAX: Final = 6
# What nobody reads on paper: it is in the JSON, which has everything.
LEFT_OUT: Final = frozenset({"content", "rules", "metadata", "details", "decision", "kept", "person_id"})
# What paper tells of the tables that are read most, in this order; of any other, whatever is no internal id.
ON_PAPER: Final[dict[str, tuple[str, ...]]] = {
    "persons": ("role", "status", "created_at"),
    "profiles": ("display_name", "updated_at"),
    "devices": ("first_seen_at", "last_seen_at"),
    "sessions": ("created_at", "last_seen_at", "door", "network", "name"),
    "factors": ("name", "kind", "made_at", "last_used_at"),
    "accounts": ("id", "status", "opened_at", "floor", "held", "balance"),
    "refused_payments": ("at", "kind", "status", "counterparty_name", "description", "amount"),
    "charges": ("created_at", "description", "reference", "status", "amount"),
    "schedules": ("description", "rule", "first_on", "status", "amount"),
    "disputes": (
        *("opened_at", "reason", "status", "closed_at", "amount", "held", "offered", "awarded", "charged_back"),
        *("text", "answer", "note"),
    ),
    "dispute_evidence": ("added_at", "side", "name", "text"),
    "bulks": ("created_at", "status", "lines", "posted", "amount", "posted_amount"),
    "bulk_lines": ("number", "payee", "description", "reference", "code", "amount"),
    "notices": ("noted_at", "account_id", "number"),
    "acknowledgements": ("account_id", "number", "updated_at"),
    "audit_entries": ("at", "what", "network", "why"),
    "consents": ("at", "purpose", "version", "is_given", "door", "network"),
    "disclosures": ("at", "recipient", "purpose", "basis", "kinds"),
    "privacy_exports": ("asked_at", "status", "language", "finished_at"),
    "privacy_requests": ("asked_at", "what", "status", "due_at", "answered_at", "field", "text", "answer"),
    "api_keys": ("name", "beginning", "scopes", "made_at", "last_used_on", "revoked_at"),
    "terminals": ("name", "account_id", "paired_at", "last_used_on", "revoked_at"),
}
# Longer than this, a value's column takes what is left of the page; shorter, what it needs.
NARROW_MAX: Final = 18
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TEXT_MAX: Final = 300

# Entries that are set as one row of a grid.
CHUNK_LENGTH: Final = 50
# The width of the column that says what an entry was, with a little to spare; at 8 pt, 33.8 em.
LINE_EM: Final = 32.0
INDENT: Final = "   "
INDENT_EM: Final = 1.1
WORD: Final = re.compile(r"\S{1,20}\s*")
NARROW: Final = frozenset(" ijlIfrt.,:;'|!()[]-/\u00b7")
BREAKABLE: Final = re.compile(r"[^A-Za-z0-9\u00c0-\u024f ]")

LABELS: Final[dict[str, dict[str, str]]] = {
    "pt": {
        "title": "Seus dados pessoais",
        "subtitle": "Relatório de acesso (Lei 13.709/2018, arts. 18, II e V, e 19, II)",
        "person": "Titular",
        "as_of": "Dados de",
        "held_by": "Controlador",
        "officer": "Encarregado",
        "intro": "Este relatório reúne o que a instituição mantém sobre você. O arquivo JSON entregue com ele contém "
        "tudo, campo por campo; aqui está o que se lê em papel, sem identificadores internos, e tabelas longas são "
        "cortadas e avisam onde.",
        "purpose": "Para quê",
        "basis": "Base legal",
        "kept": "Guarda",
        "shared": "Quem mais vê",
        "nobody": "ninguém fora da instituição",
        "nothing": "Sem registros",
        "more": "Há mais registros; estão todos no arquivo JSON.",
        "entries": "Lançamentos das contas",
        "account": "Conta",
        "date": "Data",
        "what": "O quê",
        "amount": "Valor",
        "balance": "Saldo",
        "erased": "(pessoa eliminada)",
        "book": "instituição",
        "volume": "Volume",
        "page": "Página",
        "of": "de",
        "yes": "sim",
        "no": "não",
        "date_format": "%d/%m/%Y %H:%M",
    },
    "en": {
        "title": "Your personal data",
        "subtitle": "Access report (Lei 13.709/2018, arts. 18, II and V, and 19, II)",
        "person": "Person",
        "as_of": "Data as of",
        "held_by": "Controller",
        "officer": "Data protection officer",
        "intro": "This report brings together what the institution holds about you. The JSON file that comes with it "
        "has everything, field by field; here is what is read on paper, without internal ids, and long tables are cut "
        "and say where.",
        "purpose": "What for",
        "basis": "Legal basis",
        "kept": "Kept",
        "shared": "Who else sees it",
        "nobody": "nobody outside the institution",
        "nothing": "Nothing on record",
        "more": "There is more on record; all of it is in the JSON file.",
        "entries": "Entries of the accounts",
        "account": "Account",
        "date": "Date",
        "what": "What",
        "amount": "Amount",
        "balance": "Balance",
        "erased": "(erased person)",
        "book": "the institution",
        "volume": "Volume",
        "page": "Page",
        "of": "of",
        "yes": "yes",
        "no": "no",
        "date_format": "%d %b %Y %H:%M",
    },
}


DOORS: Final[dict[str, dict[str, str]]] = {
    "pt": {"payhub-web": "navegador", "payhub-native": "aplicativo", "web": "navegador", "native": "aplicativo"},
    "en": {"payhub-web": "browser", "payhub-native": "app", "web": "browser", "native": "app"},
}


class PaperJam(Exception):
    """The pages could not be set."""


class Sheet(NamedTuple):
    """A table of the first volume: rows as gathering gave them, and why they are held."""

    name: str
    explained: dict[str, Any]
    rows: Sequence[Row]
    has_more: bool


class Paper(NamedTuple):
    """One volume."""

    tenant: Tenant
    controller: Controller
    export: Export
    volume: int
    volumes: int
    sheets: Sequence[Sheet]
    entries: Sequence[Row]


async def write_paper(paper: Paper) -> bytes:
    """The volume as PDF. Raises PaperJam, TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # Its file alone, and the packages it needs: a folder named core where somebody stands is not taken for ours.
        "-I",
        TYPESETTER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # What goes wrong there may say what was to be set.
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            pdf, _ = await process.communicate(msgspec.json.encode(values_of(paper)))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not pdf.startswith(b"%PDF-"):
        raise PaperJam(f"The typesetter ended with {process.returncode}.")
    return pdf


def values_of(paper: Paper) -> dict[str, Any]:
    """Everything that the template shows, as text."""
    language = paper.export.language
    words, missing = LABELS[language], getattr(MISSING, language)
    controller = paper.controller
    return {
        "language": language,
        "words": words,
        "institution": controller.name,
        "document": controller.document or "",
        "officer": " · ".join(filter(None, (controller.officer, controller.officer_contact))) or missing,
        "person": paper.export.person_id,
        "as_of": _moment(paper.export.asked_at, paper.tenant, language),
        "volume": paper.volume + 1,
        "volumes": paper.volumes,
        "sheets": [_sheet(sheet, paper) for sheet in paper.sheets if sheet.rows],
        "nothing": " · ".join(sheet.explained["title"] for sheet in paper.sheets if not sheet.rows),
        "accounts": _by_account(paper),
    }


def _sheet(sheet: Sheet, paper: Paper) -> dict[str, Any]:
    language = paper.export.language
    explained = sheet.explained
    table = LEDGER.get(sheet.name)
    columns = _columns_of(sheet)
    money_columns = (
        set()
        if table is None
        else {name.removesuffix(SEALED_SUFFIX) for name, one in table.personal.items() if one.kind is Kind.FINANCIAL}
    )
    moment = "at" if table is None or table.moment is None else table.moment
    in_time = sorted(sheet.rows, key=lambda row: str(row.get(moment, "")))
    rows = [[_value(sheet.name, name, row.get(name), paper, money_columns) for name in columns] for row in in_time]
    basis = explained["basis"]
    has_long = [any(len(row[at]) > NARROW_MAX for row in rows) for at in range(len(columns))]
    return {
        "title": explained["title"],
        "count": f"{len(rows)}{'+' if sheet.has_more else ''}",
        "why": [
            [LABELS[language]["basis"], _basis(basis, language)],
            [LABELS[language]["kept"], explained["retention"]],
            [LABELS[language]["shared"], "; ".join(explained["recipients"]) or LABELS[language]["nobody"]],
        ],
        "labels": [label(name, language) for name in columns],
        "rows": rows,
        "widths": ["1fr" if is_long or not any(has_long) else "auto" for is_long in has_long],
        "is_money": [name in money_columns or name == "amount" for name in columns],
        "as_cards": len(columns) > COLUMNS_MAX,
        "has_more": sheet.has_more,
    }


def _basis(basis: dict[str, Any], language: str) -> str:
    words = getattr(BASES[basis["code"]].words, language)
    return f"{words} ({'; '.join(filter(None, ('LGPD, ' + basis['article'], basis['law'])))})"


def _columns_of(sheet: Sheet) -> list[str]:
    """What of a table's rows is set, in its order."""
    there = list(dict.fromkeys(name for row in sheet.rows for name in row if name not in LEFT_OUT))
    chosen = ON_PAPER.get(sheet.name)
    if chosen is not None:
        return [name for name in chosen if name in there]
    return [name for name in there if not all(_is_id(row.get(name)) for row in sheet.rows)] or there


def _is_id(value: Any) -> bool:
    return value is None or (isinstance(value, str) and UUID.fullmatch(value) is not None)


def _value(table: str, name: str, value: Any, paper: Paper, money_columns: set[str]) -> str:
    """A value for people."""
    language = paper.export.language
    if value is None:
        return ""
    if isinstance(value, bool):
        return LABELS[language]["yes" if value else "no"]
    if isinstance(value, int) and (name in money_columns or name == "amount"):
        return money(value, paper.tenant.currency, language)
    if (table, name) == ("audit_entries", "what"):
        return act_in(language, str(value))
    if name == "basis" and value in BASES:
        return str(getattr(BASES[value].words, language))
    if name == "kinds" and isinstance(value, list):
        return ", ".join(getattr(KIND_WORDS[Kind(one)], language) for one in value)
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if name == "door":
        return DOORS[language].get(text, text)
    if (table, name) in NAMES or name in ("kind", "status"):
        return value_in(language, text)
    if isinstance(value, str) and len(text) > 18 and text[10:11] == "T":
        try:
            return _moment(datetime.fromisoformat(text), paper.tenant, language)
        except ValueError:
            return text
    if UUID.fullmatch(text):
        # It may go on in the next line, at any of its dashes.
        return text.replace("-", "-\u200b")
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"


def _by_account(paper: Paper) -> list[dict[str, Any]]:
    """Entries by account, in chunks; of a chunk, each column's lines."""
    language, currency = paper.export.language, paper.tenant.currency
    words = LABELS[language]
    accounts: dict[int, list[tuple[str, list[str], str, str]]] = {}
    for entry in paper.entries:
        at = _moment(datetime.fromisoformat(entry["at"]), paper.tenant, language)
        other = entry.get("counterparty_name") or words["erased" if entry.get("counterparty_erased") else "book"]
        said = entry.get("description")
        what = lines_of(f"{value_in(language, entry['kind'])} · {other}{f' — {said}' if said else ''}")
        amounts = money(entry["amount"], currency, language), money(entry["balance"], currency, language)
        accounts.setdefault(entry["account"], []).append((at, what, *amounts))
    return [
        {
            "account": str(account),
            "chunks": [_columns(rows[at : at + CHUNK_LENGTH]) for at in range(0, len(rows), CHUNK_LENGTH)],
        }
        for account, rows in accounts.items()
    ]


def _columns(rows: Sequence[tuple[str, list[str], str, str]]) -> list[list[str]]:
    columns: list[list[str]] = [[], [], [], []]
    for at, what, amount, balance in rows:
        blank = [""] * (len(what) - 1)
        for column, lines in zip(columns, ([at, *blank], what, [amount, *blank], [balance, *blank]), strict=True):
            column += lines
    return columns


def lines_of(text: str) -> list[str]:
    """A text in lines that fit the column, none of which can break once more. Of nothing: none."""
    lines: list[str] = []
    line, width = "", 0.0
    for word in WORD.findall(text):
        wide = _width(word)
        if line and width + wide > LINE_EM:
            lines.append(line)
            line, width = f"{INDENT}{word}", INDENT_EM + wide
        else:
            line, width = line + word, width + wide
    # A word joiner (U+2060) beside whatever a line could break at, and spaces that do not break.
    whole = [BREAKABLE.sub("\u2060\\g<0>\u2060", one.rstrip()).replace(" ", "\u00a0") for one in [*lines, line]]
    return [one for one in whole if one.strip("\u00a0\u2060")]


@lru_cache(maxsize=10_000)
def _width(word: str) -> float:
    """How wide a word is at the most, in em."""
    return sum(_width_of(mark) for mark in word)


def _width_of(mark: str) -> float:
    """How wide a character is at the most, in em."""
    if mark in NARROW:
        return 0.36
    if mark.isascii():
        return 0.98 if mark in "MWmw@%" else 0.72 if mark.isupper() else 0.53
    return 0.8 if mark < "\u0250" else 1.2


def _moment(at: datetime, tenant: Tenant, language: str) -> str:
    return at.astimezone(ZoneInfo(tenant.time_zone)).strftime(LABELS[language]["date_format"])

"""The record of processing (LGPD art. 37), out of the register: as a value, and as a page for people. Pure.

It says what the installation does with data as it is built, not what an institution does elsewhere.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from core.privacy.classes import KIND_WORDS, PURPOSE_WORDS, Basis, Column, Keeping, Purpose, Rows, Table
from core.privacy.controller import MISSING, Controller
from core.privacy.tables import TABLES, place_of

FORMAT: Final = "payhub record of processing 1"
WHO: Final = {
    "pt": "clientes, lojistas, operadores da instituição",
    "en": "customers, merchants, the institution's operators",
}
AT_ERASURE: Final = {
    Rows.GO_AT_ONCE: {"pt": "eliminado na hora", "en": "removed at once"},
    Rows.GO_AT_THE_END: {"pt": "eliminado ao fim da guarda", "en": "removed when nothing obliges to keep it"},
    Rows.STAY: {"pt": "ilegível sem a chave da pessoa", "en": "unreadable without the person's key"},
}
LABELS: Final = {
    "pt": {
        "title": "Registro das operações de tratamento de dados pessoais",
        "law": "Lei 13.709/2018 (LGPD), art. 37",
        "controller": "Controlador",
        "document": "CNPJ",
        "address": "Endereço",
        "contact": "Contato",
        "officer": "Encarregado (art. 41)",
        "operator": "Operador",
        "subjects": "Titulares",
        "purpose": "Finalidade",
        "basis": "Base legal",
        "retention": "Guarda",
        "obliged": "Norma que obriga à guarda",
        "recipients": "Com quem é compartilhado",
        "nobody": "ninguém fora da instituição",
        "erasure": "Na eliminação",
        "column": "Coluna",
        "kind": "Categoria",
        "protection": "Proteção",
        "sealed": "Cifrado sob a chave da própria pessoa (AES-256-GCM)",
        "consent": "Finalidades de consentimento",
        "none": "nenhuma",
        "made": "Gerado a partir do registro de classificação da instalação em",
    },
    "en": {
        "title": "Record of processing of personal data",
        "law": "Lei 13.709/2018 (LGPD), art. 37",
        "controller": "Controller",
        "document": "CNPJ",
        "address": "Address",
        "contact": "Contact",
        "officer": "Officer, encarregado (art. 41)",
        "operator": "Processor",
        "subjects": "Whose data",
        "purpose": "Purpose",
        "basis": "Legal basis",
        "retention": "Kept",
        "obliged": "Rule that obliges to keep it",
        "recipients": "Shared with",
        "nobody": "nobody outside the institution",
        "erasure": "At an erasure",
        "column": "Column",
        "kind": "Kind",
        "protection": "Protection",
        "sealed": "Sealed under the person's own key (AES-256-GCM)",
        "consent": "Purposes of consent",
        "none": "none",
        "made": "Made from the installation's register of data on",
    },
}


class Asked(NamedTuple):
    """A purpose that the tenant asks consent for, in its version that holds."""

    purpose: str
    version: int
    title: str


def record_of(controller: Controller, asked: Sequence[Asked], language: str, made_at: str) -> dict[str, Any]:
    """The record as a value: each table of personal data is an operation."""
    return {
        "format": FORMAT,
        "language": language,
        "made_at": made_at,
        "controller": dict(controller._asdict()),
        "subjects": WHO[language],
        "consent_purposes": [one._asdict() for one in asked],
        "operations": [_operation(table, language) for table in TABLES if table.personal],
    }


def to_markdown(record: dict[str, Any]) -> str:
    """The record as a page."""
    return "\n".join(_page(record)) + "\n"


def _operation(table: Table, language: str) -> dict[str, Any]:
    return {
        "table": f"keys.{table.name}" if table.is_in_keys else table.name,
        "title": getattr(table.title, language),
        "purpose": _purpose(table.purpose, language),
        "basis": _basis(table.basis, language),
        "retention": _keeping(table.keeping, language),
        "recipients": [getattr(one, language) for one in table.recipients],
        "at_erasure": AT_ERASURE[table.rows][language],
        "columns": [_column(table, name, column, language) for name, column in table.personal.items()],
    }


def _column(table: Table, name: str, column: Column, language: str) -> dict[str, Any]:
    is_sealed = place_of(table, name) is not None
    return {
        "column": name,
        "kinds": [kind.value for kind in column.kinds],
        "kind_words": ", ".join(getattr(KIND_WORDS[kind], language) for kind in column.kinds),
        "sealed": is_sealed,
        "why_not_sealed": None if column.plain is None else getattr(column.plain, language),
        "basis": _basis(column.basis or table.basis, language),
        "retention": _keeping(column.keeping or table.keeping, language),
        "consent": column.consent,
    }


def _purpose(purpose: Purpose, language: str) -> dict[str, str]:
    return {"code": purpose.value, "words": getattr(PURPOSE_WORDS[purpose], language)}


def _basis(basis: Basis, language: str) -> dict[str, Any]:
    return {
        "code": basis.code,
        "article": f"LGPD, {basis.article}",
        "words": getattr(basis.words, language),
        "law": basis.law,
    }


def _keeping(keeping: Keeping, language: str) -> dict[str, Any]:
    return {"code": keeping.code, "words": getattr(keeping.words, language), "law": keeping.law}


def _page(record: dict[str, Any]) -> Iterator[str]:
    language = record["language"]
    label, controller = LABELS[language], record["controller"]
    yield f"# {label['title']}"
    yield ""
    yield f"{label['law']}. {label['made']} {record['made_at']}."
    yield ""
    yield f"- **{label['controller']}**: {_cell(controller['name'])}"
    for field in ("document", "address", "contact", "officer", "operator"):
        value = controller[field]
        if field == "officer" and controller["officer_contact"]:
            value = f"{value or ''} {controller['officer_contact']}".strip()
        if value or field != "operator":
            yield f"- **{label[field]}**: {_cell(value or getattr(MISSING, language))}"
    yield f"- **{label['subjects']}**: {record['subjects']}"
    asked = "; ".join(f"{one['title']} (`{one['purpose']}`, v{one['version']})" for one in record["consent_purposes"])
    yield f"- **{label['consent']}**: {_cell(asked) if asked else label['none']}"
    for operation in record["operations"]:
        yield from _section(operation, label)


def _section(operation: dict[str, Any], label: dict[str, str]) -> Iterator[str]:
    basis, retention = operation["basis"], operation["retention"]
    yield ""
    yield f"## {operation['title']} (`{operation['table']}`)"
    yield ""
    yield f"- **{label['purpose']}**: {operation['purpose']['words']}"
    yield f"- **{label['basis']}**: {basis['words']} ({basis['article']}{'; ' + basis['law'] if basis['law'] else ''})"
    yield f"- **{label['retention']}**: {retention['words']}"
    if retention["law"]:
        yield f"- **{label['obliged']}**: {retention['law']}"
    yield f"- **{label['recipients']}**: {'; '.join(operation['recipients']) or label['nobody']}"
    yield f"- **{label['erasure']}**: {operation['at_erasure']}"
    yield ""
    yield f"| {label['column']} | {label['kind']} | {label['protection']} |"
    yield "|---|---|---|"
    for column in operation["columns"]:
        protection = label["sealed"] if column["sealed"] else column["why_not_sealed"]
        yield f"| `{column['column']}` | {column['kind_words']} | {_cell(protection)} |"


def _cell(text: str) -> str:
    """Text that stays text in a page of Markdown, whoever wrote it."""
    marked = "".join(f"\\{mark}" if mark in "\\`*_[]<>#|" else mark for mark in text)
    return " ".join(marked.split())

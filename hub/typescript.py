"""The documents as TypeScript: every message as a type, every command with its answer, every code with its meaning.

`python -m hub.typescript` writes the files, which are committed: whoever builds the client needs no Python. A test
fails when they say something else than the documents do. Everything but that last step is pure.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hub.documents import asyncapi, openapi

FOLDER: Final = Path(__file__).parents[1] / "clients" / "js" / "src" / "hub"
RENEWS: Final = "python -m hub.typescript"
WIDTH: Final = 116
SIMPLE: Final = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}
# Answered outside the table of commands: the handshake has its own road in the client.
HANDSHAKE: Final = frozenset({"authenticate", "challenge"})
# They read nothing that somebody waits for: what they change is the connection they are asked on.
OF_A_CONNECTION: Final = frozenset({"ack", "follow", "ping", "renew", "resume", "unfollow"})
# What is asked where there is no session: somebody comes in, or a page says how it felt.
ENTRANCES: Final = ("/v1/register", "/v1/login", "/v1/login/factor", "/v1/refresh", "/v1/vitals")

Document = Mapping[str, Any]


def files() -> dict[str, str]:
    """Each file's text by its name."""
    document = asyncapi()
    return {"wire.ts": wire(document), "codes.ts": codes(document), "advice.ts": advice(document["x-codes"])}


def wire(document: Document) -> str:
    """The messages. Types alone: nothing of it is left when it is compiled."""
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    parts = [_head("Every message on the wire, as hub/protocol declares it. All integers fit a number exactly.")]
    parts += [_declaration(name, schema) for name, schema in schemas.items()]
    parts += [_declaration(name, schema) for name, schema in _entering() if name not in schemas]
    parts.append(_commands(document))
    parts.append(_union("Unasked", "What the hub says without being asked.", _unasked(document)))
    parts.append(_union("FromHub", "Whatever the hub may say.", _from_hub(document)))
    return "\n\n".join(parts) + "\n"


def codes(document: Document) -> str:
    """What the client acts on: short, because every page loads it."""
    told = document["x-codes"]
    reads = sorted(
        tag
        for tag, operation in document["operations"].items()
        if operation.get("x-effect") == "reads" and tag not in OF_A_CONNECTION
    )
    closes = {code: each["come_back"] for code, each in told["close_codes"].items()}
    return (
        "\n\n".join(
            [
                _head("Every code that a client can meet, as hub/protocol/codes.py declares it."),
                _names("ErrorCode", "Why a command was refused.", told["errors"]),
                _names("PaymentStatus", "What became of a payment.", told["payment_statuses"]),
                _names("EventName", "What happened on an account.", told["events"]),
                _constant("CLOSE_CODES", "Whether to come back after the hub closed with this code.", closes),
                _set(
                    "TEMPORARY",
                    "Refusals after which asking again can help.",
                    [code for code, each in told["errors"].items() if each["retry"]],
                    "ErrorCode",
                ),
                _set(
                    "NOT_FINAL",
                    "Statuses that say nothing final: ask again with the same id.",
                    [name for name, each in told["payment_statuses"].items() if not each["final"]],
                    "PaymentStatus",
                ),
                _set("READS", "Commands that change nothing, so that they may be asked again.", reads, "string"),
            ]
        )
        + "\n"
    )


def advice(told: Document) -> str:
    """What to do about each code, for people. Apart, because a client that shows none needs none."""
    return (
        "\n\n".join(
            [
                _head("What to do about each code, in the hub's words."),
                _constant("ERROR_ADVICE", "By the code of a refusal.", _each(told["errors"], "advice")),
                _constant("PAYMENT_ADVICE", "By a payment's status.", _each(told["payment_statuses"], "advice")),
                _constant("CLOSE_ADVICE", "By the code of a close.", _each(told["close_codes"], "meaning")),
            ]
        )
        + "\n"
    )


def _head(what: str) -> str:
    return f"/** {what} Generated: `{RENEWS}` renews it. */"


def _declaration(name: str, schema: Document) -> str:
    comment = _comment(schema.get("description", ""))
    if "properties" not in schema:
        return f"{comment}export type {name} = {_type(schema)};"
    required = schema.get("required", [])
    lines = [
        f"  readonly {_key(field)}{'' if field in required else '?'}: {_type(one)};"
        for field, one in schema["properties"].items()
    ]
    return f"{comment}export interface {name} {{\n" + "\n".join(lines) + "\n}"


def _type(schema: Document) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "enum" in schema:
        return " | ".join(json.dumps(one, ensure_ascii=False) for one in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if "prefixItems" in schema:
        return f"readonly [{', '.join(_type(one) for one in schema['prefixItems'])}]"
    if schema["type"] == "array":
        item = _type(schema["items"])
        return f"readonly ({item})[]" if " " in item else f"readonly {item}[]"
    if schema["type"] == "object":
        return f"Readonly<Record<string, {_type(schema['additionalProperties'])}>>"
    return SIMPLE[schema["type"]]


def _commands(document: Document) -> str:
    lines = []
    for tag, operation in document["operations"].items():
        if operation["action"] != "receive" or "reply" not in operation or tag in HANDSHAKE:
            continue
        asked, answered = _schema(document, tag), _schema(document, _last(operation["reply"]["messages"][0]))
        lines.append(f"  /** {_plain(operation['summary'])} */\n  {_key(tag)}: [asked: {asked}, answered: {answered}];")
    return (
        "/** What may be asked by its type, and what it is answered. Any may be refused with `Refused` instead. */\n"
        "export interface Commands {\n" + "\n".join(lines) + "\n}"
    )


def _entering() -> list[tuple[str, Document]]:
    """What is asked and answered over HTTP without a session."""
    document = openapi()
    items = [document["paths"][path]["post"] for path in ENTRANCES]
    schemas: dict[str, Document] = {}

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            if "$ref" in part and (name := _last(part)) not in schemas:
                schemas[name] = document["components"]["schemas"][name]
                collect(schemas[name])
            collect(list(part.values()))
        elif isinstance(part, list):
            for each in part:
                collect(each)

    collect(items)
    return list(schemas.items())


def _unasked(document: Document) -> Iterator[str]:
    for operation in document["operations"].values():
        if operation["action"] == "send":
            yield _schema(document, _last(operation["messages"][0]))


def _from_hub(document: Document) -> Iterator[str]:
    yield "Refused"
    yield from _unasked(document)
    answers = (_last(one["reply"]["messages"][0]) for one in document["operations"].values() if "reply" in one)
    yield from dict.fromkeys(_schema(document, tag) for tag in answers)


def _schema(document: Document, tag: str) -> str:
    return _last(document["components"]["messages"][tag]["payload"])


def _last(reference: Mapping[str, str]) -> str:
    return reference["$ref"].rsplit("/", 1)[1]


def _union(name: str, comment: str, members: Iterator[str]) -> str:
    return f"/** {comment} */\nexport type {name} =\n" + "\n".join(f"  | {one}" for one in members) + ";"


def _names(name: str, comment: str, names: Mapping[str, Any] | list[str]) -> str:
    return _union(name, comment, (json.dumps(one) for one in names))


def _constant(name: str, comment: str, values: Mapping[str, Any]) -> str:
    lines = [f"  {_key(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in values.items()]
    return f"/** {comment} */\nexport const {name} = {{\n" + "\n".join(lines) + "\n} as const;"


def _set(name: str, comment: str, values: list[str], kind: str) -> str:
    lines = "".join(f"  {json.dumps(one)},\n" for one in values)
    return f"/** {comment} */\nexport const {name}: ReadonlySet<{kind}> = /* @__PURE__ */ new Set<{kind}>([\n{lines}]);"


def _each(rows: Mapping[str, Any], part: str) -> dict[str, str]:
    return {name: row[part] for name, row in rows.items()}


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*|[0-9]+", name) else json.dumps(name)


def _plain(text: str) -> str:
    return text.replace("*/", "* /")


def _comment(text: str) -> str:
    lines = [line.strip() for line in _plain(text).strip().splitlines()]
    if not lines:
        return ""
    if len(lines) == 1 and len(lines[0]) <= WIDTH - 7:
        return f"/** {lines[0]} */\n"
    return "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"


if __name__ == "__main__":
    for file, content in files().items():
        (FOLDER / file).write_text(content)

"""The client's types are the documents': what is committed is what the generator writes."""

import re

import pytest

from hub import typescript
from hub.documents import asyncapi
from hub.protocol.codes import CloseCode, comes_back


@pytest.mark.parametrize("name", sorted(typescript.files()))
def test_the_committed_file_says_what_the_documents_say(name: str) -> None:
    committed = (typescript.FOLDER / name).read_text()
    assert committed == typescript.files()[name], f"{name} is stale: run `{typescript.RENEWS}` and commit it"


def test_every_message_is_a_type_and_every_asked_one_a_command() -> None:
    document, text = asyncapi(), typescript.files()["wire.ts"]
    for tag, message in document["components"]["messages"].items():
        name = message["payload"]["$ref"].rsplit("/", 1)[1]
        assert f'export interface {name} {{\n  readonly type: "{tag}";' in text, tag
    table = text.split("export interface Commands {")[1].split("\n}")[0]
    asked = set(re.findall(r"^  (\w+): \[asked", table, re.MULTILINE))
    answered = {tag for tag, operation in document["operations"].items() if "reply" in operation}
    assert asked == answered - typescript.HANDSHAKE


def test_a_type_that_is_named_is_declared() -> None:
    text = typescript.files()["wire.ts"]
    declared = set(re.findall(r"^export (?:interface|type) (\w+)", text, re.MULTILINE))
    code = re.sub(r"/\*\*.*?\*/|\"[^\"]*\"", "", text, flags=re.DOTALL)
    named = set(re.findall(r"\b[A-Z]\w+", code)) - {"Record", "Readonly"}
    assert named <= declared


def test_close_codes_say_whether_to_come_back() -> None:
    text = typescript.files()["codes.ts"]
    for code in CloseCode:
        assert f"  {int(code)}: {str(comes_back(code)).lower()},\n" in text

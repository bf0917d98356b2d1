"""Every command of the served documents, whichever door it is asked at, as one schema of what is sent."""

import json
from typing import Any, NamedTuple

from tests.hub.walling.doors import SUBPROTOCOLS, Answer, Message, Socket, Web, target_of
from tests.hub.walling.schemas import Schema

# What is said before anybody is known takes no id of anybody's; wrong tokens are tried in tests/hub/test_auth.py.
BEFORE_AUTHENTICATION = frozenset({"authenticate", "challenge"})
CSV = "text/csv"
# A line of a file stands for a line of the message that carries the same.
FILE_LINES: Schema = {"type": "array", "minItems": 1, "maxItems": 4, "items": {"$ref": "#/components/schemas/BulkLine"}}
COLUMNS = ("payee", "amount", "description", "reference")


class Command(NamedTuple):
    """What may be asked for. `name` is the message's, the same at both doors."""

    name: str
    door: str
    schema: Schema
    method: str = ""
    path: str = ""
    in_path: tuple[str, ...] = ()
    in_query: tuple[str, ...] = ()
    is_answered: bool = True
    is_public: bool = False
    is_file: bool = False
    # Who may ask, by name; none: everybody.
    roles: frozenset[str] = frozenset()

    @property
    def tag(self) -> str | None:
        """What it is called on the socket; None at the other door."""
        tag: str | None = self.schema["properties"].get("type", {}).get("enum", [None])[0]
        return tag

    def may_be_asked_by(self, role: str) -> bool:
        """Whether somebody of this role is not refused whatever they ask."""
        return not self.roles or role in self.roles

    @property
    def fields(self) -> list[str]:
        """Everything that may be said."""
        return [name for name in self.schema["properties"] if name not in {"type", "id"}]


def read_commands(asyncapi: Schema, openapi: Schema) -> list[Command]:
    """All of them."""
    found = []
    for tag, operation in asyncapi["operations"].items():
        if operation["action"] != "receive" or tag in BEFORE_AUTHENTICATION:
            continue
        name = asyncapi["components"]["messages"][tag]["payload"]["$ref"].rsplit("/", 1)[1]
        schema = asyncapi["components"]["schemas"][name]
        schema = schema | {"properties": {key: one for key, one in schema["properties"].items() if key != "id"}}
        roles = frozenset(operation.get("x-roles", ()))
        found += [
            Command(name, door, schema, is_answered="reply" in operation, roles=roles) for door in SUBPROTOCOLS
        ]
    for path, item in openapi["paths"].items():
        found += [_read_endpoint(path, method, operation, openapi) for method, operation in item.items()]
    return found


def _read_endpoint(path: str, method: str, operation: Schema, openapi: Schema) -> Command:
    properties = {one["name"]: one["schema"] for one in operation["parameters"]}
    required = [one["name"] for one in operation["parameters"] if one["required"]]
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = openapi["components"]["schemas"][content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]]
        properties |= body["properties"]
        required += body.get("required", [])
    elif content:
        assert CSV in content, f"{path} takes a file that nobody here can write"
        properties["lines"] = FILE_LINES
        required.append("lines")
    schema = {"title": operation["operationId"], "type": "object", "properties": properties, "required": required}
    return Command(
        operation["operationId"],
        "http",
        schema,
        method.upper(),
        path,
        tuple(one["name"] for one in operation["parameters"] if one["in"] == "path"),
        tuple(one["name"] for one in operation["parameters"] if one["in"] == "query"),
        is_public=operation.get("security") == [],
        is_file=bool(content) and "application/json" not in content,
        roles=frozenset(operation.get("x-roles", ())),
    )


async def ask_socket(socket: Socket, command: Command, message: Message, id_: int) -> Answer:
    """Ask over a socket."""
    return await socket.ask(message, id_, is_answered=command.is_answered)


async def ask_web(web: Web, command: Command, message: Message, token: str, *headers: str, query: Message) -> Answer:
    """Ask over HTTP. `query`: more than is documented."""
    in_path = {name: message[name] for name in command.in_path}
    in_query = {name: message[name] for name in command.in_query if name in message} | query
    rest = {name: value for name, value in message.items() if name not in in_path and name not in in_query}
    told = [f"Authorization: Bearer {token}"] if token else []
    if command.is_file:
        body, kind = _to_csv(rest.pop("lines")), CSV
    else:
        body, kind = (json.dumps(rest).encode() if rest else b""), "application/json"
    target = target_of(command.path, in_path, in_query)
    return await web.ask(command.method, target, body, f"Content-Type: {kind}", *told, *headers)


def _to_csv(lines: list[dict[str, Any]]) -> bytes:
    rows = [",".join(COLUMNS)]
    for line in lines:
        cells = [str(line.get(column, "")).replace('"', '""') for column in COLUMNS]
        rows.append(",".join(f'"{cell}"' for cell in cells))
    return "\n".join(rows).encode("utf-8", "replace")

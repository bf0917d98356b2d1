"""The promises, written down by the code that keeps them: AsyncAPI for the socket, OpenAPI for HTTP.

Both come from the message types and the endpoint table, so that they cannot say anything else. Pure.
"""

from functools import cache
from typing import Any, Final

import msgspec

from core.nouns import EventName, PaymentStatus
from core.people.persons import Role
from hub import http
from hub.commands.paying import UNKNOWN
from hub.commands.rights import OF_OTHERS, Right, right_of
from hub.commands.scoping import BY_CONTENT, COMMANDS, FOLLOWING, SETTLING
from hub.commands.table import ROWS
from hub.doors import PATHS
from hub.endpoint import Endpoint, Nothing
from hub.protocol import messages, terminals
from hub.protocol.catalogue import FROM_CLIENT, FROM_HUB
from hub.protocol.codec import JSON, MSGPACK, SIZE_MAX
from hub.protocol.codes import CLOSE_MEANINGS, MEANINGS, PAYMENT_ADVICE, UNKNOWN_ADVICE, comes_back
from hub.protocol.fields import Message
from hub.protocol.scopes import SCOPE_MEANINGS, Scope
from hub.session import BEFORE_A_SESSION

VERSION: Final = "1.0.0"
REFERENCE: Final = "#/components/schemas/{name}"

# Which message answers which command. Every one may also be answered by `error`.
ANSWERS: Final[dict[type, type | None]] = {
    terminals.AskChallenge: terminals.Challenge,
    messages.Authenticate: messages.Welcome,
    messages.Renew: messages.Renewed,
    messages.Follow: messages.Following,
    messages.Unfollow: messages.Unfollowed,
    messages.Acknowledge: None,
    messages.Resume: messages.Resumed,
    messages.Ping: messages.Pong,
    **{row.takes: row.gives for row in ROWS},
}
# Not required by the document: who comes without one is told which nonce to make it with.
PROOF_PARAMETER: Final = {
    "name": "DPoP",
    "in": "header",
    "required": False,
    "description": (
        "A proof of possession (RFC 9449): htm, htu, iat, jti and the nonce that the answer's DPoP-Nonce or "
        "/v1/nonces gave, signed by the key in its header."
    ),
    "schema": {"type": "string"},
}
# What the hub says without being asked.
UNASKED: Final = tuple(one for one in FROM_HUB if one not in {*ANSWERS.values(), messages.Refused})


def asyncapi() -> dict[str, Any]:
    """The WebSocket protocol as an AsyncAPI 3.0 document."""
    _, schemas = msgspec.json.schema_components([*FROM_CLIENT, *FROM_HUB], ref_template=REFERENCE)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Payhub socket",
            "version": VERSION,
            "description": (
                f"Subprotocols {MSGPACK} (binary frames) and {JSON} (text frames) carry the same messages; what "
                "has a contentEncoding in JSON is bytes in MessagePack. The first message authenticates, but for "
                "a till's challenge; a token never stands in a URL. Answers may overtake each other: match them by "
                f"id. A message has at most {SIZE_MAX} bytes, and each field stands in it once. x-roles says who may "
                "send it, x-roles-of-others who may about somebody else, x-effect what it does: whoever is blocked "
                "reads and defends; whoever is pending also tends, and collects and pays as far as the tenant says; "
                "only who is active empowers a machine."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": "/v1/{door}",
                "parameters": {
                    "door": {
                        "enum": [path.removeprefix("/v1/") for path in PATHS.values()],
                        "description": (
                            "socket: web pages, whose Origin has to be on the hub's list. native: every other program, "
                            "which sends no Origin. A token opens the door that its log-in came through."
                        ),
                    }
                },
                "messages": {_tag(m): {"$ref": f"#/components/messages/{_tag(m)}"} for m in (*FROM_CLIENT, *FROM_HUB)},
            }
        },
        "operations": {
            **{_tag(command): _operation(command, answer) for command, answer in ANSWERS.items()},
            **{
                f"send_{_tag(message)}": {
                    "action": "send",
                    "channel": {"$ref": "#/channels/socket"},
                    "summary": _summary(message),
                    "messages": [{"$ref": f"#/channels/socket/messages/{_tag(message)}"}],
                }
                for message in UNASKED
            },
        },
        "components": {
            "messages": {
                _tag(message): {
                    "name": _tag(message),
                    "summary": _summary(message),
                    "payload": {"$ref": REFERENCE.format(name=message.__name__)},
                }
                for message in (*FROM_CLIENT, *FROM_HUB)
            },
            "schemas": schemas,
        },
        "x-codes": codes(),
        "x-scopes": scopes(),
    }


def openapi() -> dict[str, Any]:
    """The HTTP API as an OpenAPI 3.1 document."""
    bodies = {endpoint.takes: _body(endpoint) for endpoint in http.ENDPOINTS}
    gives = list({_answer(endpoint.gives): None for endpoint in http.ENDPOINTS})
    gives += [endpoint.otherwise for endpoint in http.ENDPOINTS if endpoint.otherwise is not None]
    wanted = [*(body for body in bodies.values() if body is not None), *gives, http.Problem]
    _, schemas = msgspec.json.schema_components(wanted, ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in http.ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _path_item(endpoint, bodies[endpoint.takes])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Payhub HTTP API",
            "version": VERSION,
            "description": (
                "The commands of the socket, one request each. Refusals are RFC 9457 problems with a stable code."
            ),
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "dpop": {
                    "type": "http",
                    "scheme": "DPoP",
                    "description": "A till's token, with a proof by its key for each request (RFC 9449).",
                },
            },
        },
        "security": [{"bearer": []}, {"dpop": []}],
        "x-scopes": scopes(),
    }


def scopes() -> dict[str, str]:
    """What machines can be allowed to do. A person needs none of them."""
    return {scope.value: SCOPE_MEANINGS[scope] for scope in Scope}


def codes() -> dict[str, Any]:
    """Every code a client can meet, and whether asking again can help."""
    return {
        "errors": {
            code: {"http_status": meaning.http_status, "retry": meaning.retry, "advice": meaning.advice}
            for code, meaning in MEANINGS.items()
        },
        "payment_statuses": {
            name: {
                "http_status": http.payment_http_status(name),
                "final": name != UNKNOWN,
                "advice": PAYMENT_ADVICE.get(name, UNKNOWN_ADVICE),
            }
            for name in [*(status.name.lower() for status in PaymentStatus), UNKNOWN]
        },
        "events": [name.value for name in EventName],
        "close_codes": {
            str(int(code)): {"name": code.name.lower(), "come_back": comes_back(code), "meaning": meaning}
            for code, meaning in CLOSE_MEANINGS.items()
        },
    }


def _operation(command: type, answer: type | None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": "receive",
        "channel": {"$ref": "#/channels/socket"},
        "summary": _summary(command),
        "messages": [{"$ref": f"#/channels/socket/messages/{_tag(command)}"}],
        **({} if command in BEFORE_A_SESSION else {**_for_machines(command), **_rights(command, right_of(command))}),
    }
    if answer is not None:
        operation["reply"] = {
            "channel": {"$ref": "#/channels/socket"},
            "messages": [
                {"$ref": f"#/channels/socket/messages/{_tag(answer)}"},
                {"$ref": "#/channels/socket/messages/error"},
            ],
        }
    return operation


def _path_item(endpoint: Endpoint, body: type | None) -> dict[str, Any]:
    in_path = _path_names(endpoint)
    item: dict[str, Any] = {
        "summary": _summary(endpoint.takes),
        "operationId": endpoint.takes.__name__,
        "parameters": [_parameter(endpoint.takes, name, "path") for name in in_path],
        "responses": {
            _good_status(endpoint): {"description": _summary(endpoint.gives)},
            "4XX": _problem_response(),
            "5XX": _problem_response(),
        },
    }
    if endpoint.produces is not None:
        written = {endpoint.produces: {"schema": {"type": "string"}}}
        item["responses"] = {**item["responses"], "200": {"description": "The file.", "content": written}}
    elif endpoint.gives is not Nothing:
        item["responses"][str(endpoint.status)]["content"] = {
            "application/json": {"schema": {"$ref": REFERENCE.format(name=_answer(endpoint.gives).__name__)}}
        }
    if endpoint.gives is messages.Paid:
        item["responses"]["202"] = {**item["responses"][str(endpoint.status)], "description": "In review."}
    if endpoint.otherwise is not None:
        reference = {"$ref": REFERENCE.format(name=endpoint.otherwise.__name__)}
        content = {"application/json": {"schema": reference}}
        item["responses"]["202"] = {"description": _summary(endpoint.otherwise), "content": content}
    if endpoint.method in {"GET", "DELETE"}:
        item["parameters"] += [_parameter(endpoint.takes, name, "query") for name in _rest(endpoint)]
    elif endpoint.consumes:
        binary = {"schema": {"type": "string", "format": "binary"}}
        item["requestBody"] = {"required": True, "content": dict.fromkeys(endpoint.consumes, binary)}
    elif body is not None:
        item["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": REFERENCE.format(name=body.__name__)}}},
        }
    if endpoint.proves:
        item["parameters"].append(PROOF_PARAMETER)
    if endpoint.public:
        item["security"] = []
    else:
        item.update(_rights(endpoint.takes, endpoint.right))
        item.update(_for_machines(endpoint.takes if endpoint.scope is None else endpoint.scope))
    return item


def _for_machines(command: "type | Scope") -> dict[str, Any]:
    """What a key needs for it. Of a command with parts: the most that it may need; each part needs its own."""
    if isinstance(command, Scope):
        return {"x-scopes": [command.value]}
    needs = FOLLOWING | SETTLING if command is messages.Resume else COMMANDS.get(command)
    if needs is None:
        return {"x-people-only": True}
    found: dict[str, Any] = {"x-scopes": sorted(needs)}
    return {**found, "x-scopes-by-content": True} if command in BY_CONTENT else found


def _rights(command: type, right: Right) -> dict[str, Any]:
    """Who may ask for it, and what it does: of somebody who is blocked or pending, not every effect is taken."""
    found: dict[str, Any] = {"x-roles": _roles(right), "x-effect": right.effect.value}
    if command in OF_OTHERS:
        found["x-roles-of-others"] = _roles(OF_OTHERS[command])
    return found


def _roles(right: Right) -> list[str]:
    return [role.name.lower() for role in Role if role in right.roles]


def _good_status(endpoint: Endpoint) -> str:
    return str(204 if endpoint.gives is Nothing and endpoint.produces is None else endpoint.status)


def _problem_response() -> dict[str, Any]:
    return {
        "description": "Refused; nothing was changed, unless the code is unknown.",
        "content": {http.PROBLEM: {"schema": {"$ref": REFERENCE.format(name="Problem")}}},
    }


def _parameter(takes: type, name: str, place: str) -> dict[str, Any]:
    field = next(field for field in msgspec.structs.fields(takes) if field.name == name)
    schema = msgspec.json.schema(field.type)
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _path_names(endpoint: Endpoint) -> list[str]:
    return [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]


def _rest(endpoint: Endpoint) -> list[str]:
    """The fields that stand neither in the path nor on the socket alone."""
    in_path = {*_path_names(endpoint), "id"}
    return [field.name for field in msgspec.structs.fields(endpoint.takes) if field.name not in in_path]


def _body(endpoint: Endpoint) -> type | None:
    """The JSON body: the command without its correlation id and what stands in the path."""
    rest = _rest(endpoint)
    if endpoint.method in {"GET", "DELETE"} or not rest:
        return None
    if not issubclass(endpoint.takes, Message):
        return endpoint.takes
    return _without(endpoint.takes, set(rest), endpoint.takes.__name__)


@cache
def _answer(gives: type) -> type:
    """The JSON answer: the message without its correlation id and type."""
    if not issubclass(gives, Message):
        return gives
    return _without(gives, {field.name for field in msgspec.structs.fields(gives)} - {"id"}, gives.__name__)


def _without(source: type, names: set[str], name: str) -> type:
    fields = [
        (field.name, field.type) if field.required else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(source)
        if field.name in names
    ]
    return msgspec.defstruct(
        name, fields, forbid_unknown_fields=True, omit_defaults=True, namespace={"__doc__": source.__doc__}
    )


def _tag(message: type) -> str:
    return str(message.__struct_config__.tag)  # type: ignore[attr-defined]


def _summary(thing: type) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]

"""Values that a JSON schema of the served documents admits, and the places in them where an id stands. Pure."""

import base64
import random
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeAlias

from tests.numbers import new_cnpj, new_cpf, new_email, new_phone

Schema: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str | int, ...]

A_UUID = "b8dd1104-6254-414d-83b7-ba76a8e8104d"
# What fields call the same kind of thing.
SAME_KIND = {
    "payer": "account",
    "payee": "account",
    "counterparty": "account",
    "follow": "account",
    "shares": "account",
    "about": "payment",
    "in_doubt": "payment",
    "before_payment": "payment",
    "after_step": "payment",
    # Where the same word means other things elsewhere.
    "ReadBulks.before": "bulk",
    "ReadTrail.who": "person",
}
# Text that names a thing and is no path parameter of any endpoint.
PERSONAL = ("email", "phone", "cpf", "cnpj")
NAMES = ("code", "token", "refresh_token", "tenant", "login", "key", "value", *PERSONAL)
# Long enough that no clock runs out between two answers.
SECONDS_MIN = 200_000
# Fields that belong together come together often enough: all that is optional, nothing of it, or some.
OPTIONAL_SHARES = (0.0, 0.35, 0.35, 1.0)
LIST_LENGTH_MAX = 3
PRINTABLE = [chr(mark) for mark in range(0x20, 0x7F)]

# An id of one's own for a field, or None: draw one.
Own: TypeAlias = Callable[[str, Schema], Any]


class Place(NamedTuple):
    """Where an id stands in a value, of what kind it is, and the field of which message holds it."""

    path: Path
    kind: str
    schema: Schema
    field: str


class Ids:
    """Which fields take ids, read from an OpenAPI document: its path parameters say what things are called by."""

    def __init__(self, openapi: Schema) -> None:
        operations = [operation for item in openapi["paths"].values() for operation in item.values()]
        in_path = [one for operation in operations for one in operation["parameters"] if one["in"] == "path"]
        self._integers = {one["name"] for one in in_path if one["schema"].get("type") == "integer"}
        self._texts = {one["name"] for one in in_path if one["schema"].get("type") == "string"} | set(NAMES)
        self._account = _bounds(next(one["schema"] for one in in_path if one["name"] == "account"))

    def kind_of(self, name: str, schema: Schema) -> str | None:
        """What kind of thing a field of this name and schema names; None: no thing."""
        kind = SAME_KIND.get(name, name)
        if "enum" in schema:
            return None
        if schema.get("type") == "string":
            return kind if name in self._texts or is_uuid(schema) else None
        if schema.get("type") == "integer":
            if _bounds(schema) == self._account:
                return "account"
            return kind if kind == "account" or name in self._integers else None
        return None


def is_uuid(schema: Schema) -> bool:
    """Whether nothing but UUIDs may stand there."""
    pattern = schema.get("pattern", "")
    return bool(re.search(pattern, A_UUID)) and not re.search(pattern, "hello") if pattern else False


def admits(schema: Schema, value: Any) -> bool:
    """Whether a plain value may stand there."""
    if schema.get("type") == "integer":
        return type(value) is int and schema.get("minimum", value) <= value <= schema.get("maximum", value)
    if schema.get("type") != "string" or not isinstance(value, str):
        return False
    return (
        schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        and re.search(schema.get("pattern", ""), value) is not None
    )


class Maker:
    """Draws values. `words` begin every free text, so that it is known whose they are."""

    def __init__(self, random_: random.Random, components: Schema, own: Own, words: str) -> None:
        self._random = random_
        self._schemas: Schema = components
        self._own = own
        self._words = words

    def resolve(self, schema: Schema) -> Schema:
        """The schema itself, where it is only named."""
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def make(self, schema: Schema, name: str = "", must: str | None = None) -> Any:
        """A value that the schema admits; of an object, with the field `must`."""
        schema = self.resolve(schema)
        if "anyOf" in schema:
            return self.make(self._random.choice(schema["anyOf"]), name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                return self._object(schema, name, must)
            case "array":
                return self._array(schema, name)
            case "boolean":
                return self._random.random() < 0.5
            case "integer":
                return self._integer(schema, name)
            case "string":
                return self._string(schema, name)
        raise AssertionError(f"a schema of a new kind: {schema}")

    def places(
        self, ids: Ids, schema: Schema, value: Any, name: str = "", path: Path = (), field: str = ""
    ) -> Iterator[Place]:
        """Every place in a value where an id stands. A field is called as `Pay.payee`."""
        schema = self.resolve(schema)
        if "anyOf" in schema:
            options = [self.resolve(one) for one in schema["anyOf"]]
            fits = [one for one in options if value.get("type") in one["properties"]["type"]["enum"]]
            yield from self.places(ids, fits[0], value, name, path, field)
        elif isinstance(value, dict):
            for key, inner in value.items():
                if key in schema.get("properties", {}):
                    field = f"{schema.get('title', '').removesuffix('Part')}.{key}"
                    yield from self.places(ids, schema["properties"][key], inner, key, (*path, key), field)
        elif isinstance(value, list):
            for at, inner in enumerate(value):
                called = name if _is_named(schema, at) else ""
                yield from self.places(ids, _item(schema, at), inner, called, (*path, at), field)
        elif (kind := ids.kind_of(name, schema)) is not None:
            yield Place(path, SAME_KIND.get(field, kind), schema, field)

    def _object(self, schema: Schema, name: str, must: str | None) -> dict[str, Any]:
        made = {}
        optional = self._random.choice(OPTIONAL_SHARES)
        for key, inner in schema.get("properties", {}).items():
            is_wanted = key in schema.get("required", ()) or key == must
            # A password costs the hub fifty milliseconds.
            share = 0.01 if key in {"password", "login"} else optional
            if is_wanted or self._random.random() < share:
                made[key] = self.make(inner, key)
        if isinstance(schema.get("additionalProperties"), dict):
            count = self._random.randint(schema.get("minProperties", 0), 3)
            for _ in range(count):
                key = self._string(schema.get("propertyNames", {}), "")
                made[key] = self.make(schema["additionalProperties"], name)
        return made

    def _array(self, schema: Schema, name: str) -> list[Any]:
        if "prefixItems" in schema:
            count = len(schema["prefixItems"])
        else:
            least = schema.get("minItems", 0)
            count = self._random.randint(
                least, max(least, min(schema.get("maxItems", LIST_LENGTH_MAX), LIST_LENGTH_MAX))
            )
        return [self.make(_item(schema, at), name if _is_named(schema, at) else "") for at in range(count)]

    def _integer(self, schema: Schema, name: str) -> int:
        own = self._own(name, schema)
        if own is not None:
            return int(own)
        least, most = schema.get("minimum", -(2**53) + 1), schema.get("maximum", 2**53 - 1)
        if name.endswith("_s") and most >= SECONDS_MIN:
            return self._random.randint(max(least, SECONDS_MIN), most)
        # Small where that is possible: nobody has a trillion to pay.
        wide = self._random.choice((3, 30, 1_000, most))
        low = max(least, 0) if most >= 0 else least
        return self._random.randint(low, max(low, min(most, wide)))

    def _string(self, schema: Schema, name: str) -> str:
        own = self._own(name, schema)
        if own is not None:
            return str(own)
        if name in PERSONAL:
            return self._personal(name)
        if name == "address":
            # A phone's, for whichever provider.
            return f"{self._random.getrandbits(256):064x}"
        if name == "birth_date":
            return (date(1950, 1, 1) + timedelta(days=self._random.randrange(18_000))).isoformat()
        pattern = schema.get("pattern", "")
        if is_uuid(schema):
            return uuid_of(self._random)
        if re.search(pattern, "2026-03-01T12:34:56Z") and not re.search(pattern, "hello"):
            # Before everything or after it: what lies between two hubs' clocks is on neither side for both.
            return self._random.choice(("2020-01-01T00:00:00Z", "2021-06-05T04:03:02.5+02:00", "2090-01-01T00:00:00Z"))
        if re.search(pattern, "2026-03-01") and not re.search(pattern, "hello"):
            return (date(2040, 1, 1) + timedelta(days=self._random.randrange(9_000))).isoformat()
        if "+/" in pattern:
            return base64.b64encode(f"{self._words} {self._random.getrandbits(32):08x}".encode()).decode()
        least, most = schema.get("minLength", 0), schema.get("maxLength", 60)
        text = f"{self._words}-{self._random.getrandbits(32):08x}".ljust(least, "x")
        if least <= len(text) <= most and re.search(pattern, text):
            return text
        if not pattern:
            return text[:most]
        for _ in range(200):
            text = "".join(_from_pattern(self._random, pattern, least))
            if admits(schema | {"type": "string"}, text):
                return text
        raise AssertionError(f"no text was found for {schema}")

    def _personal(self, name: str) -> str:
        """A document with its check digits, or a contact: no pattern says what is right."""
        if name == "email":
            return new_email(self._random, self._words)
        return {"phone": new_phone, "cpf": new_cpf, "cnpj": new_cnpj}[name](self._random)


def put(value: Any, path: Path, what: Any) -> None:
    """Write into a place."""
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = what


def uuid_of(random_: random.Random) -> str:
    """A UUID that can be drawn again."""
    digits = f"{random_.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _bounds(schema: Schema) -> tuple[Any, Any]:
    return schema.get("minimum"), schema.get("maximum")


def _item(schema: Schema, at: int) -> Schema:
    found: Schema = schema["prefixItems"][at] if "prefixItems" in schema else schema["items"]
    return found


def _is_named(schema: Schema, at: int) -> bool:
    """Whether the list's name is the item's: of a pair, the first is what the list is of."""
    return at == 0 or "prefixItems" not in schema


def _from_pattern(random_: random.Random, pattern: str, least: int) -> Iterator[str]:
    """Text that a regular expression matches, as far as the ones of our schemas go."""
    yield from _from_tree(random_, re._parser.parse(pattern), least)  # type: ignore[attr-defined]


def _from_tree(random_: random.Random, tree: Any, least: int) -> Iterator[str]:
    for kind, what in tree:
        match str(kind):
            case "LITERAL":
                yield chr(what)
            case "IN":
                yield random_.choice(_alternatives(what))
            case "MAX_REPEAT":
                low, high, inner = what
                count = random_.randint(max(low, min(least, high)), max(low, min(high, max(least, low) + 8)))
                for _ in range(count):
                    yield from _from_tree(random_, inner, 0)
            case "SUBPATTERN":
                yield from _from_tree(random_, what[-1], 0)
            case "BRANCH":
                yield from _from_tree(random_, random_.choice(what[1]), 0)
            case "ANY":
                yield random_.choice(PRINTABLE)


def _alternatives(what: Any) -> list[str]:
    found: set[str] = set()
    is_negated = False
    for kind, one in what:
        match str(kind):
            case "NEGATE":
                is_negated = True
            case "LITERAL":
                found.add(chr(one))
            case "RANGE":
                found.update(map(chr, range(one[0], min(one[1], 0x7F) + 1)))
    return [mark for mark in PRINTABLE if mark not in found] if is_negated else sorted(found)

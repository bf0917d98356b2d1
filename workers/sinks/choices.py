"""Which sinks there are: the operator's file, a JSON list, with paths of the files that hold secrets.

    [
      {"name": "warehouse", "kind": "http", "url": "https://data.example.com/payhub",
       "bearer_file": "warehouse.token", "secret_file": "warehouse.secret"},
      {"name": "lake", "kind": "redis", "url": "rediss://payhub@events.example.com:6379/0",
       "password_file": "lake.password", "stream": "payhub:{tenant}", "length_max": 1000000,
       "tenants": ["acme"], "types": ["payhub.payment.*", "payhub.refund.*"]}
    ]

Without `tenants` a sink is told of all, those to come too; without `types`, everything. Paths are seen from the file. A
file that is not there means that there are no sinks.
"""

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from core.outside import Outside, OutsideRefused
from core.sinks.events import is_type
from core.webhooks.signing import PREFIX
from workers.secret_file import read_secret
from workers.sinks.http import HttpChoice, HttpSink
from workers.sinks.places import Place
from workers.sinks.stream import TENANT, StreamChoice, StreamSink

FILE_SIZE_MAX: Final = 1024 * 1024
SECRET_SIZE_MAX: Final = 8 * 1024
# Each reads every payment once more.
SINKS_MAX: Final = 20
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
REDIS_SCHEMES: Final = ("redis", "rediss", "unix")
# A few gigabytes.
LENGTH_MAX: Final = 10_000_000
# Below, a reader that is away for a moment finds what it has not read cut off.
LENGTH_MIN: Final = 1_000
# Standard Webhooks asks for 24 to 64 bytes.
SECRET_BYTES_MIN: Final = 24

Length = Annotated[int, Meta(ge=LENGTH_MIN, le=LENGTH_MAX)]


class SinksRefused(Exception):
    """The file of sinks cannot be used: one sentence that says why, with no secret in it."""


class Sink(NamedTuple):
    """A sink: its name, of which tenants (slugs) and types it is told, None: of all, and how it is spoken to."""

    name: str
    tenants: tuple[str, ...] | None
    types: tuple[str, ...] | None
    place: Place

    def is_wanted(self, type_: str) -> bool:
        """Whether it is told of events of this type."""
        return self.types is None or any(
            type_.startswith(one[:-1]) if one.endswith(".*") else type_ == one for one in self.types
        )


class _Http(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="http"):
    name: str
    url: str
    bearer_file: str | None = None
    secret_file: str | None = None
    tenants: list[str] | None = None
    types: list[str] | None = None


class _Stream(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind", tag="redis"):
    name: str
    url: str
    stream: str
    length_max: Length = 1_000_000
    password_file: str | None = None
    tenants: list[str] | None = None
    types: list[str] | None = None


def read_sinks(path: Path, outside: Outside) -> list[Sink]:
    """The sinks in a file, none if it is not there. Raises SinksRefused."""
    try:
        content = read_secret(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SinksRefused(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > FILE_SIZE_MAX:
        raise SinksRefused(f"{path} is larger than a file of sinks can be.")
    try:
        rows = msgspec.json.decode(content, type=list[_Http | _Stream])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SinksRefused(f"{path}: {error}.") from None
    if len(rows) > SINKS_MAX:
        raise SinksRefused(f"{path}: {len(rows)} sinks are more than {SINKS_MAX}, and each reads every payment.")
    found = [_read(path, row, outside) for row in rows]
    if len({one.name for one in found}) < len(found):
        raise SinksRefused(f"{path}: two sinks have one name.")
    return found


def _read(path: Path, row: _Http | _Stream, outside: Outside) -> Sink:
    if not NAME.fullmatch(row.name):
        raise SinksRefused(f"{path}: {row.name!r} is no name of a sink: write small letters, digits and hyphens.")
    where = f"{path}: {row.name}"
    if row.tenants == [] or row.types == []:
        raise SinksRefused(f"{where} is told of nothing: leave tenants and types out for all.")
    for one in row.types or ():
        if not is_type(one):
            raise SinksRefused(f"{where}: there are no events {one!r}: write types like payhub.payment.*.")
    place = _http(where, path, row, outside) if isinstance(row, _Http) else _stream(where, path, row)
    return Sink(row.name, _tuple(row.tenants), _tuple(row.types), place)


def _http(where: str, path: Path, row: _Http, outside: Outside) -> Place:
    try:
        outside.read_url(row.url)
    except OutsideRefused:
        raise SinksRefused(f"{where}: its url has to be one like https://data.example.com/payhub.") from None
    bearer = _secret(where, path, row.bearer_file)
    secret = _secret(where, path, row.secret_file)
    if secret is not None:
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) < SECRET_BYTES_MIN:
            raise SinksRefused(f"{where}: {row.secret_file} has to hold whsec_ and {SECRET_BYTES_MIN} bytes in base64.")
    return HttpSink(HttpChoice(row.url, bearer, secret), outside)


def _stream(where: str, path: Path, row: _Stream) -> Place:
    try:
        parts = urlsplit(row.url)
        is_wrong = parts.scheme not in REDIS_SCHEMES or not (parts.hostname or parts.path) or parts.port == 0
        is_open = parts.password is not None or "password=" in parts.query
    except ValueError:
        is_wrong, is_open = True, False
    if is_open:
        raise SinksRefused(f"{where}: its url holds a password: put it into a file, and name that in password_file.")
    if is_wrong:
        raise SinksRefused(f"{where}: its url has to be one like rediss://events.example.com:6379/0.")
    key = row.stream.replace(TENANT, "")
    if not row.stream or not row.stream.isprintable() or "{" in key:
        raise SinksRefused(f"{where}: a stream is a key, with {TENANT} where the tenant's slug is to stand.")
    return StreamSink(StreamChoice(row.url, row.stream, row.length_max, _secret(where, path, row.password_file)))


def _secret(where: str, path: Path, name: str | None) -> str | None:
    if name is None:
        return None
    file = path.parent / name
    try:
        content = read_secret(file)
        text = content.decode().strip()
    except OSError as error:
        raise SinksRefused(f"{where}: {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        text = ""
    if not text or len(text) > SECRET_SIZE_MAX or not text.isascii() or not text.isprintable():
        raise SinksRefused(f"{where}: {file} has to hold one line of text.")
    return text


def _tuple(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)

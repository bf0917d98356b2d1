"""A client for files of payments over HTTP: what `payhub bulk` and the load test of bulks are made of.

It sends a file as it reads it, however large, and turns every refusal into a sentence with its code.
"""

import http.client
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

# By the file's ending; --format says it where the ending does not.
MEDIA_TYPES: Final = {"csv": "text/csv", "pain001": "application/xml", "cnab240": "text/plain"}
ENDINGS: Final = {".csv": "csv", ".xml": "pain001", ".rem": "cnab240", ".txt": "cnab240", ".240": "cnab240"}
OVER: Final = frozenset({"finished", "failed", "cancelled"})
PIECE_SIZE = 64 * 1024
# A hub checks a file's last lines, and all of it for what repeats, before it answers.
TIMEOUT_S = 150.0
POLL_S = 0.25

State = dict[str, Any]


class BulkError(Exception):
    """What the hub refused, or that it cannot be reached: a sentence."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


class BulkClient:
    """One person's bulks at one hub."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host = parts.netloc
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    @classmethod
    def log_in(cls, url: str, tenant: str, login: str, password: str) -> "BulkClient":
        """A client for this person. Raises BulkError."""
        answer = cls(url, "").ask("POST", "/v1/login", {"tenant": tenant, "login": login, "password": password})
        return cls(url, answer["access_token"])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One command. Raises BulkError."""
        with self._connected() as connection:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, path, content, self._headers | {"content-type": "application/json"})
            return _answer(connection)

    def accounts(self) -> list[int]:
        """The person's accounts."""
        return [one["account"] for one in self.ask("GET", "/v1/accounts")["accounts"]]

    def create(self, bulk: str, account: int, **how: Any) -> State:
        """Announce a file; `how`: atomic, lines, amount, again."""
        state: State = self.ask("POST", "/v1/bulks", {"bulk": bulk, "account": account, "atomic": False, **how})["bulk"]
        return state

    def send(self, bulk: str, file: Path, media_type: str, sent: Callable[[int], None]) -> State:
        """Send a file and wait for its check; `sent(bytes so far)` after each piece."""
        with self._connected() as connection, file.open("rb") as data:
            connection.putrequest("PUT", f"/v1/bulks/{bulk}/file")
            size = os.fstat(data.fileno()).st_size
            for name, value in {**self._headers, "content-type": media_type, "content-length": str(size)}.items():
                connection.putheader(name, value)
            try:
                connection.endheaders()
                while piece := data.read(PIECE_SIZE):
                    connection.send(piece)
                    sent(data.tell())
            except (BrokenPipeError, ConnectionResetError):
                # Refused before its end: the answer says why.
                pass
            state: State = _answer(connection)["bulk"]
            return state

    def read(self, bulk: str) -> State:
        """The bulk as it stands."""
        state: State = self.ask("GET", f"/v1/bulks/{bulk}")["bulk"]
        return state

    def do(self, bulk: str, what: str) -> State:
        """Approve or cancel it."""
        state: State = self.ask("POST", f"/v1/bulks/{bulk}/{what}")["bulk"]
        return state

    def wrong_lines(self, bulk: str, limit: int) -> list[State]:
        """The first lines that are bad or were refused."""
        lines: list[State] = self.ask("GET", f"/v1/bulks/{bulk}/lines?wrong=true&limit={limit}")["lines"]
        return lines

    def report(self, bulk: str, into: IO[bytes], *, wrong: bool = False) -> None:
        """Write the report as CSV."""
        with self._connected() as connection:
            connection.request(
                "GET", f"/v1/bulks/{bulk}/report.csv{'?wrong=true' if wrong else ''}", None, self._headers
            )
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise _refusal(response.status, response.read())
            while piece := response.read(PIECE_SIZE):
                into.write(piece)

    def follow(self, bulk: str, poll_s: float = POLL_S) -> Iterator[State]:
        """The bulk as it moves, until it is over."""
        while True:
            state = self.read(bulk)
            yield state
            if state["status"] in OVER:
                return
            time.sleep(poll_s)

    @contextmanager
    def _connected(self) -> Iterator[http.client.HTTPConnection]:
        connection = self._make(self._host, timeout=TIMEOUT_S)
        try:
            yield connection
        except (OSError, http.client.HTTPException) as error:
            raise BulkError(f"The hub at {self._host} cannot be reached, or broke off ({error!r}).") from error
        finally:
            connection.close()


def media_type_of(file: Path, form: str | None) -> str:
    """The media type of a file, by its format's name or its ending. Raises BulkError."""
    name = form or ENDINGS.get(file.suffix.lower())
    if name is None:
        raise BulkError(f"The ending of {file.name} names no format: give --format ({', '.join(MEDIA_TYPES)}).")
    return MEDIA_TYPES[name]


def _answer(connection: http.client.HTTPConnection) -> Any:
    response = connection.getresponse()
    content = response.read()
    if response.status >= http.client.BAD_REQUEST:
        raise _refusal(response.status, content)
    return json.loads(content)


def _refusal(status: int, content: bytes) -> BulkError:
    try:
        problem = json.loads(content)
        return BulkError(f"{problem['title']} ({problem['code']})", problem["code"])
    except (ValueError, KeyError):
        return BulkError(f"The hub answered with HTTP {status}.")

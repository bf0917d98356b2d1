"""A client for people's rights over HTTP: what `payhub privacy export` and the load test of privacy are made of."""

import http.client
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from loadtest.bulk_client import PIECE_SIZE, BulkClient, BulkError, State

EXPORTS: Final = "/v1/privacy/exports"
OVER: Final = frozenset({"ready", "failed", "expired"})


class PrivacyClient(BulkClient):
    """One person's rights at one hub."""

    @classmethod
    def register(cls, url: str, tenant: str, name: str, login: str, password: str) -> "PrivacyClient":
        """A client for somebody new. Raises BulkError."""
        body = {"tenant": tenant, "name": name, "login": login, "password": password}
        return cls(url, cls(url, "").ask("POST", "/v1/register", body)["access_token"])

    def has_payee(self, account: int) -> bool:
        """Whether there is a name behind an account number. Raises BulkError."""
        try:
            self.ask("GET", f"/v1/payees/{account}")
        except BulkError as error:
            if error.code != "not_found":
                raise
            return False
        return True

    def ask_export(self, language: str, export: str | None = None) -> State:
        """Ask for everything that is held about the person. Raises BulkError."""
        body = {"export": export or str(uuid.uuid4()), "language": language}
        state: State = self.ask("POST", EXPORTS, body)["export"]
        return state

    def follow_export(self, export: str, poll_s: float = 0.1) -> Iterator[State]:
        """The export as it is made, until it is over."""
        while True:
            state: State = self.ask("GET", f"{EXPORTS}/{export}")["export"]
            yield state
            if state["status"] in OVER:
                return
            time.sleep(poll_s)

    def fetch(self, export: str, name: str, into: Path) -> int:
        """Write one of its files, person.json or person.pdf?volume=1, into a file: how many bytes."""
        size = 0
        with self._connected() as connection, into.open("wb") as file:
            connection.request("GET", f"{EXPORTS}/{export}/{name}", None, self._headers)
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise BulkError(f"The hub answered with HTTP {response.status}.")
            while piece := response.read(PIECE_SIZE):
                file.write(piece)
                size += len(piece)
        return size

    def fetch_all(self, state: State, folder: Path) -> list[Path]:
        """Write all files of a finished export into a folder."""
        export, volumes = state["export"], state["volumes"]
        files = [folder / "person.json"]
        self.fetch(export, "person.json", files[0])
        for volume in range(1, volumes + 1):
            files.append(folder / (f"person-{volume}.pdf" if volumes > 1 else "person.pdf"))
            self.fetch(export, f"person.pdf?volume={volume}", files[-1])
        return files

    def erase(self) -> tuple[State, float]:
        """Erase the person: what became of it, and the milliseconds until the answer."""
        person = self.ask("GET", "/v1/profile")["person"]
        began = time.perf_counter()
        answer: Any = self.ask("POST", "/v1/privacy/erasure", {"person": person})
        return answer, (time.perf_counter() - began) * 1_000

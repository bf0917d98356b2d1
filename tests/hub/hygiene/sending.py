"""Sends every secret through every command at every door: where texts belong, and where they do not."""

import asyncio
import json
import random
import secrets
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import pyotp

from core.database import Pool
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.nouns import Payment, SystemAccount
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from tests.hub.hygiene.canaries import Canary, draw_passwords
from tests.hub.processes import HubProcess
from tests.hub.walling.commands import Command
from tests.hub.walling.doors import Answer, Closed, Message
from tests.hub.walling.others import ENDS_SESSIONS
from tests.hub.walling.schemas import Ids, Maker, Path, Schema, put
from tests.hub.walling.things import Things
from tests.hub.walling.voice import Voice

FUNDS: Final = 10**11
# What is shown once, to whoever asked: nothing else may ever hold it.
SHOWN_ONCE: Final = frozenset(
    {"access_token", "refresh_token", "token", "secret", "ticket", "uri", "recovery_codes", "codes"}
)
# Of this answer, the code is one; elsewhere a code is what stands in a QR code, for everybody.
PAIRING: Final = "CreatePairingCode"
# While the database hangs up on everybody.
UNLUCKY: Final = frozenset({"outcome_unknown", "unavailable"})
TRIES_MAX: Final = 50
# Words have names, which somebody chooses as well.
KEY_SHARE: Final = 0.3
SECRET_LENGTH_MIN: Final = 8
# What a forbidden text is refused with; everything else that looks into a message refuses it before.
REFUSED: Final = frozenset({"card_data_in_text", "document_in_text"})


class Target(NamedTuple):
    """A hub, as a voice needs it."""

    hub: HubProcess


class Speaker(NamedTuple):
    """Somebody with a password."""

    role: Role
    login: str
    password: Canary
    account: int
    person: str


class Sending:
    """Everybody who sends, and what they were told that must be nowhere."""

    def __init__(
        self,
        hub: HubProcess,
        documents: tuple[Schema, Schema],
        commands: Sequence[Command],
        canaries: Sequence[Canary],
        pool: Pool,
        keys: Safe,
        tenant: Tenant,
        seed: int,
    ) -> None:
        asyncapi, openapi = documents
        self.shown: set[str] = set()
        self.codes: dict[str, set[str]] = {}
        self.sent = 0
        self.taken: list[tuple[str, str]] = []
        self._hub = hub
        self.passwords: list[Canary] = []
        self._pool = pool
        self._keys = keys
        self._tenant = tenant
        self._commands = commands
        self._canaries = list(canaries)
        self._random = random.Random(seed)
        self._ids = Ids(openapi)
        self._things = Things()
        self._maker = Maker(
            self._random, openapi["components"]["schemas"] | asyncapi["components"]["schemas"], self._own, "word"
        )
        self._voices: dict[str, Voice] = {}
        self._speakers: dict[Role, Speaker] = {}
        self._tokens: dict[Role, str] = {}
        self._speaker: Speaker | None = None

    async def enter(self, role: Role) -> None:
        """Somebody new, whose password is a secret too: the one before may have changed it, or added a factor."""
        (password,) = draw_passwords(self._random, 1)
        self.passwords.append(password)
        speaker = self._speakers[role] = await open_speaker(self._pool, self._keys, self._tenant, role, password)
        body = {"tenant": self._tenant.slug, "login": speaker.login, "password": password.text}
        for _ in range(TRIES_MAX):
            answer = await self._voice(speaker).ask(self._named("LogIn"), body, "", *_from_anywhere())
            if answer.code not in UNLUCKY:
                break
            await asyncio.sleep(0.1)
        assert answer.code is None, answer
        told = json.loads(answer.body)
        self._tokens[role] = told["access_token"]
        self._keep(told)

    async def enrol(self, role: Role) -> None:
        """A second factor, with its recovery codes."""
        voice, token = self._voice(self._speakers[role]), self._tokens[role]
        begun = json.loads((await voice.ask(self._named("EnrolTotp"), {"name": "A phone"}, token)).body)
        self._keep(begun)
        message = {"factor": begun["factor"], "code": pyotp.TOTP(begun["secret"]).now()}
        confirmed = json.loads((await voice.ask(self._named("ConfirmTotp"), message, token)).body)
        assert len(confirmed["recovery_codes"]) > 1, confirmed
        self._keep(confirmed)

    async def send(self, role: Role, command: Command, *, is_wild: bool) -> Answer | None:
        """One message with a secret in it. `is_wild`: wherever there is a text; else where any text may stand."""
        speaker = self._speaker = self._speakers[role]
        message: Message = self._maker.make(command.schema)
        canary = self._random.choice(self._canaries)
        texts = [path for path, value in _texts(message) if path[-1] != "type"]
        if not texts and not is_wild:
            return None
        place = self._random.choice(texts) if texts else ()
        headers = [f"User-Agent: {_ascii(canary)}"] if command.door == "http" else []
        if "metadata" in command.schema["properties"] and self._random.random() < KEY_SHARE:
            message["metadata"] = {canary.text: "a word"}
        elif texts:
            put(message, place, canary.text)
        else:
            message[canary.text if self._random.random() < 0.5 else "note"] = canary.text
        query = {"note": canary.text} if is_wild and command.door == "http" and self._random.random() < 0.2 else {}
        if command.is_public:
            headers += _from_anywhere()
        try:
            answer = await self._voice(speaker).ask(command, message, self._tokens[role], *headers, query=query)
        except Closed:
            return None
        self.sent += 1
        self.codes.setdefault(command.name, set()).add(answer.code or "done")
        # A password may be anything: it is hashed.
        if answer.code is None and place[-1:] != ("password",):
            self.taken.append((command.name, canary.kind))
        if answer.status == 401 or command.name in ENDS_SESSIONS or answer.code == "step_up_required":
            await self.enter(role)
        return answer

    async def do(self, role: Role, command: Command) -> Answer | None:
        """One message that ought to be taken, so that there are rows to keep secrets of, and secrets to be shown."""
        speaker = self._speaker = self._speakers[role]
        message = self._maker.make(command.schema)
        try:
            answer = await self._voice(speaker).ask(command, message, self._tokens[role], *_from_anywhere())
        except Closed:
            return None
        if answer.body.startswith(b"{"):
            told = json.loads(answer.body)
            self._things.gather(told, self._ids)
            if answer.code is None:
                self._things.gather(message, self._ids)
                self._keep(told)
                if command.name == PAIRING:
                    self.shown.add(told["code"])
        if answer.status == 401 or command.name in ENDS_SESSIONS:
            await self.enter(role)
        return answer

    async def leave(self) -> None:
        """Hang up."""
        for voice in self._voices.values():
            await voice.leave()

    def shown_secrets(self) -> list[Canary]:
        """What the hub itself gave out."""
        return [Canary("shown once", one, one) for one in sorted(self.shown)]

    def _named(self, name: str) -> Command:
        return next(one for one in self._commands if one.name == name and one.door == "http")

    def _voice(self, speaker: Speaker) -> Voice:
        return self._voices.setdefault(speaker.login, Voice(Target(self._hub)))  # type: ignore[arg-type]

    def _keep(self, told: Any, name: str = "") -> None:
        if isinstance(told, dict):
            for key, value in told.items():
                self._keep(value, key)
        elif isinstance(told, list):
            for value in told:
                self._keep(value, name)
        elif name in SHOWN_ONCE and isinstance(told, str) and len(told) >= SECRET_LENGTH_MIN:
            self.shown.add(told)

    def _own(self, name: str, schema: Schema) -> Any:
        assert self._speaker is not None
        if name == "password":
            return self._speaker.password.text
        kind = self._ids.kind_of(name, schema)
        if kind == "account" and self._random.random() < 0.7:
            return self._speaker.account
        return self._things.draw(self._random, kind, schema) if kind and self._random.random() < 0.8 else None


async def open_speaker(pool: Pool, keys: Safe, tenant: Tenant, role: Role, password: Canary) -> Speaker:
    """Somebody with money."""
    login = f"{role.name.lower()}-{secrets.token_hex(3)}"
    opened = await open_person(pool, keys, tenant.id, role, f"Somebody {login}", login, password.text)
    funding = Payment(tenant.id, str(uuid.uuid4()), SystemAccount.CASH_IN, opened.account_id, FUNDS, opened.person_id)
    async with pool.acquire() as connection:
        await post_payments(connection, [funding], keys)
    return Speaker(role, login, password, opened.account_id, opened.person_id)


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _texts(inner, (*path, at))
    elif isinstance(value, str):
        yield path, value


def _ascii(canary: Canary) -> str:
    return canary.text.encode("ascii", "ignore").decode()


def _from_anywhere() -> list[str]:
    """An address of one's own: guesses are counted by network."""
    network, host = secrets.randbelow(65_536), secrets.randbelow(254) + 1
    return [f"X-Forwarded-For: 10.{network // 256}.{network % 256}.{host}"]

"""The others: people behind a wall, with one of everything, whose words nobody may read and whose rows nobody may change."""

import asyncio
import json
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from tests.hub.walling.answers import IDS
from tests.hub.walling.commands import Command
from tests.hub.walling.doors import Answer, Closed, Message
from tests.hub.walling.schemas import Ids, Maker, Schema
from tests.hub.walling.things import Things
from tests.hub.walling.voice import Voice
from tests.hub.walling.worlds import TENANT_TABLES, Home, Person, Worlds, furnish

# Base64 and QR codes spell a word in other ways.
SPELLINGS: Final = (str.encode, lambda word: word.upper().encode())
# All of a row but when a session was last seen, which follows from their own doings.
# What a hub writes by itself, a moment later: when somebody was last seen, and a batch's root.
LATE: Final = {"batches_unlogged": "root"}
ROW: Final = "(to_jsonb(t) - 'last_seen_at' - '{late}')::text"
# Whoever asks for one of these chooses its id: that it is called like somebody does not tell of them.
CALLED_AT_WILL: Final = frozenset({"payments", "charges", "schedules", "disputes", "dispute_evidence", "bulks"})
# What ends the session in which it is said.
ENDS_SESSIONS: Final = frozenset({"LogOut"})
# What takes from somebody what they do here: it is done to who does nothing.
CHANGES_SOMEBODY: Final = frozenset({"SetPersonStatus", "SetRole"})
ENTERS: Final = frozenset({"Register"})
OF_CUSTOMERS: Final = ("cpf", "birth_date")
OF_MERCHANTS: Final = ("cnpj", "legal_name", "trade_name", "category")


def to_spare(command: Command, message: Message, spare: Person | None) -> Message:
    """The same, about somebody who does nothing, where it would put an end to what others do."""
    if command.name in CHANGES_SOMEBODY and spare is not None:
        message["person"] = spare.id
    return message


def to_one_role(command: Command, message: Message) -> Message:
    """The same, without what is nothing of whoever enters: customers have no trade name, and merchants no birthday."""
    if command.name in ENTERS:
        is_merchant = message.get("role") == "merchant"
        for name in OF_CUSTOMERS if is_merchant else OF_MERCHANTS:
            message.pop(name, None)
    return message


class Disturbed(AssertionError):
    """They cannot do any more what is theirs to do: somebody has been at their books."""


class Others:
    """A household behind a wall. `tenant_id`: another tenant's; None: it is the walker's own."""

    def __init__(
        self,
        worlds: Worlds,
        people: Sequence[Person],
        words: str,
        tenant_id: int | None,
        commands: Sequence[Command],
        components: Schema,
        ids: Ids,
        random_: random.Random,
    ) -> None:
        self.people = people
        self.words = words
        self.things = Things()
        self.accounts = {person.account for person in people}
        self.spare: Person | None = None
        self.tenant_id = tenant_id
        self._tenant_ids = [] if tenant_id is None else [tenant_id]
        # Every id that stands in a row of theirs.
        self.known: set[str] = set()
        self._rows: set[str] = set()
        self._since = ""
        self._worlds = worlds
        self._side = worlds.real
        self._tokens = {person: person.token for person in people}
        self._commands = commands
        self._components = components
        self._ids = ids
        self._random = random_
        self._by_tag = {one.tag: one for one in commands if one.tag}
        self._voices = {person: Voice(worlds.real) for person in people}
        self._amount = 0
        self.logins: list[tuple[str, str]] = []
        for person in people:
            self.things.add("person", person.id)
            self.things.add("account", person.account)
            self.things.add("token", person.token)

    async def furnish(self) -> None:
        """Have one of everything."""
        await furnish(self._say, self.people, self._random, self.words)

    def absorb(self, others: "Others") -> None:
        """Stand for others, too."""
        self.things.merge(others.things)
        self.accounts |= others.accounts
        self._tenant_ids += others._tenant_ids

    def knock(self, home: Home) -> None:
        """What they enter by is theirs, too."""
        self.things.add("tenant", home.tenant.slug)
        self.things.add("refresh_token", home.refresh_token)
        self.things.add("login", *(login for login, _ in home.logins))
        self.logins = home.logins
        self.things.add("value", f"{self.words} note")
        self.things.add("key", "note")

    async def stir(self) -> None:
        """Let something happen to them: payments, one of which a rule sets aside or refuses."""
        ana, bea = self.people[:2]
        for boss in self.people[3:4]:
            await self._say(boss, "put_under_limits", account=ana.account, limits=9_003)
        for payer, payee, amount in ((ana, bea, 11), (bea, ana, 12), (ana, bea, 5_500_000)):
            self._amount += 1
            payment = f"{self._random.getrandbits(32):08x}-0000-4000-8000-{self._amount:012x}"
            parties = {"payer": payer.account, "payee": payee.account, "amount": amount}
            await self._say(payer, "pay", payment=payment, description=f"{self.words} stirs", **parties)

    async def watch(self) -> None:
        """From now on, nothing of theirs may change."""
        if self.tenant_id is not None:
            self._rows = await self._fetch("t.tenant_id = any ($1)", self._tenant_ids)
            self.known = {found for row in self._rows for found in IDS.findall(row)}
        else:
            self._since = await self._side.admin.fetchval("select pg_current_xact_id()::text")
            self.known = {str(one) for one in self.things.everything()} | {str(account) for account in self.accounts}

    async def changes(self) -> set[str]:
        """What has changed since, row by row. Among neighbours: what was written that mentions them."""
        if self.tenant_id is not None:
            return self._rows ^ await self._fetch("t.tenant_id = any ($1)", self._tenant_ids)
        mentioned = "|".join([*map(str, self.accounts), *(person.id for person in self.people)])
        written = f"t.xmin::text::bigint >= {self._since}"
        is_theirs = "(to_jsonb(t) - {at_will})::text ~ $1"
        return await self._fetch(f"case when {written} then {is_theirs} and {{is_more_than_seen}} end", mentioned)

    async def _fetch(self, which: str, what: str | list[int]) -> set[str]:
        found = set()
        for (table,) in await self._side.admin.fetch(TENANT_TABLES):
            # A session that was only seen has not changed: they are seen while they stir.
            is_more_than_seen = "t.revoked_at is not null" if table == "sessions" else "true"
            at_will = "'id'" if table in CALLED_AT_WILL else "''"
            where = which.replace("{at_will}", at_will).replace("{is_more_than_seen}", is_more_than_seen)
            row = ROW.replace("{late}", LATE.get(table, ""))
            rows = await self._side.admin.fetch(f"select {row} from payhub.{table} t where {where}", what)
            found |= {f"{table}: {each}" for (each,) in rows}
        return found

    def is_told_in(self, text: bytes) -> bool:
        """Whether a word of theirs stands in it."""
        lower = text.lower()
        return self.words.encode() in lower or b"enetzmfy" in lower

    def is_about(self, text: bytes) -> bool:
        """Whether a message that nobody asked for tells of them."""
        return self.is_told_in(text) or any(str(account).encode() in text for account in self.accounts)

    async def leave(self) -> None:
        """Hang up."""
        await asyncio.gather(*(voice.leave() for voice in self._voices.values()))

    async def _say(self, person: Person, tag: str, /, **fields: Any) -> dict[str, Any]:
        answer = await self._ask(person, self._by_tag[tag], {"type": tag, **fields})
        told: dict[str, Any] = json.loads(answer.body)
        # In a walker's own tenant, its operators may have forbidden things by now.
        if answer.code is not None and self.tenant_id is not None:
            raise Disturbed(tag, fields, told)
        self.things.gather(fields, self._ids)
        self.things.gather(told, self._ids)
        return told

    async def _ask(self, person: Person, command: Command, message: Message) -> Answer:
        """Ask; in a new session, where an earlier command has ended the one that was."""
        voice = self._voices[person]
        try:
            answer = await voice.ask(command, message, self._tokens[person])
        except Closed:
            answer = Answer(b"", "closed")
        if answer.code == "closed" or answer.status == 401:
            self._tokens[person] = await self._worlds.token_of(person)
            with suppress(Closed):
                answer = await voice.ask(command, message, self._tokens[person])
        return answer

    async def do_whatever(self) -> None:
        """Every command in words of theirs, so that there is something of what nobody has thought of, too."""
        maker = Maker(self._random, self._components, self._own, self.words)
        for command in self._commands:
            if command.is_public or command.name in ENDS_SESSIONS:
                continue
            for person in self.people:
                message = to_spare(command, maker.make(command.schema), self.spare)
                answer = await self._ask(person, command, message)
                if answer.code is None:
                    self.things.gather(message, self._ids)
                    if answer.body.startswith(b"{"):
                        self.things.gather(json.loads(answer.body), self._ids)

    def _own(self, name: str, schema: Schema) -> Any:
        kind = self._ids.kind_of(name, schema)
        return self.things.draw(self._random, kind, schema) if kind and self._random.random() < 0.6 else None


FAR: Final = "zq-far"
NEAR: Final = "zq-next"

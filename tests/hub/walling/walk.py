"""The walk itself: ask both worlds the same, and hold the answers side by side.

A try puts ids of others into a valid command. Wherever the first world, in which the others live, answers anything
else than the second, in which nobody has such an id, there is a hole. So is a word of the others in any answer, a row
of theirs that changed, and a row of the walker's own that came out differently.
"""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Sequence
from copy import deepcopy
from typing import Any, Final, NamedTuple

from core.people.persons import Role
from tests.hub.walling.answers import IDS, Drawn
from tests.hub.walling.commands import Command, read_commands
from tests.hub.walling.doors import TIME, Answer, Closed, Message
from tests.hub.walling.others import ENDS_SESSIONS, FAR, NEAR, Others, to_one_role, to_spare
from tests.hub.walling.schemas import Ids, Maker, Path, Place, Schema, is_uuid, put
from tests.hub.walling.things import Things
from tests.hub.walling.voice import Voice
from tests.hub.walling.worlds import OWN, Home, Person, Worlds, furnish

EVENTS_WITHIN_S: Final = 0.2
LEAKS_MAX: Final = 20
AT_A_TIME: Final = 200
# Messages that were understood are asked again, with other ids: most that are made anew are not.
GOOD_MAX: Final = 8
NEW_SHARE: Final = 0.35
HARD_SHARE: Final = 0.3
ASKED_AT_FIRST_MAX: Final = 24
ASKED_IN_VAIN_MAX: Final = 12
# How tries are dealt out: an id of others in one place, in all places, no id at all, a tenant by name, or nothing wrong.
ONE, ALL, NO_ID, TENANT, PLAIN = "one foreign id", "foreign ids", "no id", "a tenant named", "nothing wrong"
SHARES: Final = {ONE: 50, ALL: 20, NO_ID: 8, TENANT: 12, PLAIN: 10}
TRIED: Final = (ONE, ALL, NO_ID, TENANT)
# Refused wherever nothing but an id may stand.
NO_IDS: Final[tuple[Any, ...]] = (
    "*",
    "../",
    "%00",
    "\x00",
    "..%2f",
    "1 or 1=1",
    "7:1",
    "home-0",
    -1,
    True,
    [1],
    {"a": 1},
)
TENANT_WORDS: Final = ("tenant", "tid", "tenant_id", "x-tenant-id")
# Whoever enters a tenant names it, and its name is no secret: it stands in every payment link. What is tried at its
# door is written into its own trail. So no tenant's name is put in the place of another.
TENANT_NAME: Final = "tenant"
# Between people of one tenant, these are no wall, and why.
OPEN_AMONG_NEIGHBOURS: Final = {
    "Pay.payee": "paying somebody is what their number is for",
    "Pay.shares": "as a payee",
    "Authorize.payee": "as a payee",
    "CreateSchedule.payee": "as a payee",
    "ListPayee.payee": "as a payee",
    "BulkLine.payee": "as a payee",
    "InviteSeat.account": "inviting somebody is what their number is for, and they are told",
    "FindPayee.account": "a payer reads the name before paying",
    "ReadCharge.charge": "a charge is for whoever has its id",
    "ReadQr.charge": "as a charge",
    "ReadCode.code": "as a charge",
    "Pay.charge": "as a charge",
    "Pay.payment": "an id is used once in a tenant: it is the idempotency key",
    "Authorize.payment": "as a payment's",
    "Capture.payment": "as a payment's",
    "Void.payment": "as a payment's",
    "Refund.payment": "as a payment's",
    "CreateCharge.charge": "as a payment's",
    "CreateSchedule.schedule": "as a payment's",
    "OpenDispute.dispute": "as a payment's",
    "AddEvidence.evidence": "as a payment's",
    "CreateBulk.bulk": "as a payment's",
    "AskExport.export": "as a payment's",
    "MakeRequest.request": "as a payment's",
}
# Steps of one moment are in the order of ids that a hub drew: of a page, some would be there and others here.
ORDERED_BY_LOT: Final = {"ReadPayment": ("limit",)}
# They tell or count the trail's rows, or those whom these concern; and that a key was made, or a walker logged in again,
# is told in one of the worlds alone. What is live (traffic by the second, who is connected) is another in each world at
# any moment. Whether anything is found is compared, and that no id of the others is in it.
COUNTS_THE_TRAIL: Final = frozenset(
    {
        *(
            "ReadTrail",
            "ReadTraffic",
            "ReadConnections",
            "ReadData",
            "RecordIncident",
            "ReviseIncident",
            "ReadIncident",
            "ReadIncidents",
            "ReadIncidentPersons",
        ),
        *("FetchAuthorityDraft", "FetchPersonsDraft", "FetchPersonsList"),
    }
)
# An id that stood there is the walker's own from then on: a fence of theirs, a login of somebody they opened.
BECOME_ONES_OWN: Final = frozenset({"Resume.in_doubt", "Settle.in_doubt", "Register.login", "OpenPerson.login"})


class Leak(NamedTuple):
    """A hole, and how to go through it."""

    what: str
    command: str
    door: str
    role: str
    asked: str
    real: str
    without: str


class Tally:
    """What became of one command's tries at one door."""

    def __init__(self) -> None:
        self.tries = 0
        self.meant = 0
        self.reached = 0
        self.done = 0


class Walk:
    """Everybody's walk, and what was found."""

    def __init__(
        self,
        worlds: Worlds,
        documents: tuple[Schema, Schema],
        seed: int,
        *,
        homes: Sequence[Home],
        only: Container[str] | None = None,
    ) -> None:
        asyncapi, openapi = documents
        self.worlds = worlds
        self._every = read_commands(asyncapi, openapi)
        self.commands = [command for command in self._every if only is None or command.name in only]
        self.components: Schema = openapi["components"]["schemas"] | asyncapi["components"]["schemas"]
        self.ids = Ids(openapi)
        self.tags = {command.tag: command for command in self._every if command.tag}
        # Of each: log-ins and registrations cost the hub a hash each, and their limits are per name.
        self.public_tries_max = 20
        self.random = random.Random(seed)
        self.drawn = Drawn()
        self.tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
        self.codes: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        # (field, door, role) in which an id of others was tried.
        self.fields: Counter[tuple[str, str, str]] = Counter()
        self.leaks: list[Leak] = []
        self.walkers = [Walker(self, home, random.Random(seed * 1_000 + at)) for at, home in enumerate(homes)]
        self._others: list[Others] = []

    @property
    def tries(self) -> int:
        """How often something was tried."""
        return sum(self.kinds[kind] for kind in TRIED)

    @property
    def unreached(self) -> list[str]:
        """Commands that no handler has seen, with the door."""
        return sorted(f"{command.name} ({command.door})" for command in self.not_reached())

    def not_reached(self) -> list[Command]:
        """Commands that no handler has seen yet."""
        return [command for command in self.commands if not self.tallies[command.name, command.door].reached]

    async def settle(self) -> None:
        """Furnish the walkers' homes, and learn what no two hubs draw alike."""
        await asyncio.gather(*(walker.settle() for walker in self.walkers))
        assert not self.leaks, self.leaks[0]
        self.tallies.clear()
        self.codes.clear()
        self.kinds.clear()

    async def bring_in_another_tenant(self, slug: str) -> Others:
        """Another tenant, with one of everything."""
        home = await self.worlds.move_in(slug, FAR)
        made = self._others_of(home.people, FAR, home.tenant.id)
        made.knock(home)
        await made.furnish()
        # And one in which everything was done that there is to do, whatever became of it then.
        home = await self.worlds.move_in(f"{slug}-too", FAR)
        wild = self._others_of(home.people, FAR, home.tenant.id)
        wild.spare = home.spare
        await wild.do_whatever()
        await wild.leave()
        made.absorb(wild)
        return made

    async def meet_another_tenant(self, others: Others) -> None:
        """The others are another tenant, for every walker the same."""
        self._others = [others]
        for walker in self.walkers:
            await walker.meet(others, roles=tuple(Role), is_near=False)

    async def meet_neighbours(self) -> None:
        """The others are people of the walker's own tenant. Operators may see them, and do not walk."""
        await self.leave()
        self._others = []
        for walker in self.walkers:
            made = self._others_of(await self.worlds.add_neighbours(walker.home, NEAR), NEAR, None)
            await made.furnish()
            self._others.append(made)
            await walker.meet(made, roles=(Role.CUSTOMER, Role.MERCHANT), is_near=True)

    async def compare_own_rows(self) -> None:
        """What walkers did has come out alike."""
        for walker in self.walkers:
            for row in await self.worlds.differences(walker.home):
                self.note("own row differs", None, "", {"row": row}, b"", b"")

    def _others_of(self, people: Sequence[Person], words: str, tenant_id: int | None) -> Others:
        return Others(self.worlds, people, words, tenant_id, self._every, self.components, self.ids, self.random)

    async def run(
        self,
        tries: int,
        seconds: float = 1e9,
        *,
        most: int = LEAKS_MAX,
        at_a_time: int = AT_A_TIME,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Walk until so many tries were made, so much time has passed, or so many holes were found."""
        began, first = time.monotonic(), self.tries
        so_far = -1
        # Where nothing but what costs hashes is left to ask, there are no more tries to be had.
        while so_far < self.tries - first < tries and time.monotonic() - began < seconds and len(self.leaks) < most:
            so_far = self.tries - first
            for others in self._others:
                await others.watch()
            await asyncio.gather(*(walker.walk(at_a_time) for walker in self.walkers))
            for others in self._others:
                for row in await others.changes():
                    self.note("changed", None, "", {"row": row}, b"", b"")
                await others.stir()
            await asyncio.sleep(EVENTS_WITHIN_S)
            for walker in self.walkers:
                walker.listen()
            if say is not None:
                rate = (self.tries - first) / (time.monotonic() - began)
                say(
                    f"{self.tries:>9,} tries  {rate:>5,.0f}/s  {len(self.leaks)} holes  {len(self.unreached)} not reached"
                )

    async def leave(self) -> None:
        """Everybody hangs up."""
        await asyncio.gather(*(walker.leave() for walker in self.walkers), *(one.leave() for one in self._others))

    def note(self, what: str, command: Command | None, role: str, asked: Message, real: bytes, without: bytes) -> None:
        """A hole."""
        if len(self.leaks) < LEAKS_MAX:
            name, door = (command.name, command.door) if command else ("", "")
            texts = (text.decode(errors="replace")[:20_000] for text in (real, without))
            self.leaks.append(Leak(what, name, door, role, json.dumps(asked, default=str)[:2_000], *texts))


class Walker:
    """The people of one home, asking both hubs the same."""

    def __init__(self, walk: Walk, home: Home, random_: random.Random) -> None:
        self.home = home
        self._walk = walk
        self._random = random_
        self._people = list(home.people)
        self._voices = {at: (Voice(walk.worlds.real), Voice(walk.worlds.without)) for at in range(len(home.people))}
        self._things = Things()
        self._speaker = 0
        self._maker = Maker(random_, walk.components, self._own, OWN)
        self._others: Others | None = None
        self._is_near = False
        self._queue: list[tuple[Command, str, Role]] = []
        self._roles: Sequence[Role] = ()
        self._public_tries: Counter[str] = Counter()
        self._addresses = 0
        self._spent: set[Any] = set()
        self._good: dict[str, list[Message]] = defaultdict(list)

    async def settle(self) -> None:
        """Have one of everything, and ask everything that draws lots."""
        tags = self._walk.tags
        for person in self._people:
            self._things.add("account", person.account)
            self._things.add("person", person.id)
        self._things.add("person", self.home.spare.id)
        self._things.add("tenant", self.home.tenant.slug)
        self._things.add("login", self.home.logins[0][0])

        async def say(person: Person, tag: str, /, **fields: Any) -> Message:
            real, without = await self._ask(self._people.index(person), tags[tag], {"type": tag, **fields})
            assert real.code is None, (tag, fields, real)
            self._compare(tags[tag], person.role, fields, real, without, learns=True)
            told: Message = json.loads(real.body)
            return told

        await furnish(say, self._people, self._random, OWN)
        by_name = {command.name: command for command in reversed(self._walk.commands)}
        for name, command in by_name.items():
            if name in ENDS_SESSIONS:
                continue
            is_done = False
            for asked in range(self._walk.public_tries_max if command.is_public else ASKED_AT_FIRST_MAX):
                at = (0, 4, 2)[asked % 3]
                self._speaker = at
                message = self._message(command, None)
                real, without = await self._ask(at, command, message)
                self._compare(command, self._people[at].role, message, real, without, learns=True)
                self._learn(command, message, real)
                # Lots are in what is answered when it is done, and some things are done seldom.
                is_done = is_done or real.code is None
                is_enough = asked > 2 and len(self._good[name]) > 1 and (is_done or asked > ASKED_IN_VAIN_MAX)
                if (command.is_public and is_done) or is_enough:
                    break

    async def meet(self, others: Others, *, roles: Sequence[Role], is_near: bool) -> None:
        """From now on these are the others; every field is tried once, then whichever.

        Whoever may not ask at all is refused before a field is looked at: once is enough.
        """
        self._others, self._roles, self._is_near = others, roles, is_near
        self._public_tries.clear()
        walkers = len(self._walk.walkers)
        every = [
            (command, field, role)
            for command in self._walk.commands
            for role in roles
            for field in ((command.may_be_asked_by(role.name.lower()) and command.fields) or [""])
        ]
        self._queue = every[self._walk.walkers.index(self) :: walkers]
        self._random.shuffle(self._queue)

    async def walk(self, count: int) -> None:
        """So many tries."""
        for _ in range(count):
            await self._try()

    def listen(self) -> None:
        """Nothing that happens to the others is told here."""
        for real, without in self._voices.values():
            # What both hear is about the walker's own.
            also = {TIME.sub(b"0", text) for text in without.listen()}
            for text in real.listen():
                if TIME.sub(b"0", text) not in also and self._need_others().is_about(text):
                    self._walk.note("heard", None, "", {}, text, b"")

    async def leave(self) -> None:
        """Hang up."""
        await asyncio.gather(*(voice.leave() for voices in self._voices.values() for voice in voices))

    async def _try(self) -> None:
        field: str | None = None
        if self._queue:
            command, field, role = self._queue.pop()
            kind = ONE
        else:
            # Those whose messages are hard to make up get more of the tries.
            hard = self._walk.not_reached() if self._random.random() < HARD_SHARE else []
            command = self._random.choice(hard or self._walk.commands)
            role = self._random.choice(self._roles)
            (kind,) = self._random.choices(list(SHARES), list(SHARES.values()))
        if command.is_public:
            if self._public_tries[command.name] >= self._walk.public_tries_max:
                return
            self._public_tries[command.name] += 1
        at = self._random.choice([at for at, person in enumerate(self._people) if person.role == role])
        self._speaker = at
        message = self._message(command, field)
        for name in ORDERED_BY_LOT.get(command.name, ()):
            message.pop(name, None)
        places = self._places(command, message, kind)
        within = [place for place in places if place.path[:1] == (field,)] or places
        if kind in {ONE, ALL, NO_ID} and not within:
            kind = self._random.choice((TENANT, PLAIN))
        headers: list[str] = []
        query: Message = {}
        tried: list[Place] = []
        if kind == TENANT:
            self._name_a_tenant(command, message, headers, query)
        elif within and kind != PLAIN:
            tried = list(within) if kind == ALL else [self._random.choice(within)]
            tried = [place for place in tried if self._put(kind, message, place)]
        if kind != TENANT and not tried:
            kind = PLAIN
        if command.name in ENDS_SESSIONS:
            self._people[at] = await self._walk.worlds.new_session(self.home, self._people[at])
        real, without = await self._ask(at, command, message, *headers, query=query)
        asked = {"message": message, "headers": headers, "query": query}
        self._compare(command, role, asked, real, without)
        self._count(command, kind, role, tried, real)
        # A line of a file that is no good is that line's fault, and not the file's.
        is_strange = kind == NO_ID and not command.is_file and any(_takes_ids_alone(place) for place in tried)
        if (is_strange or (kind == TENANT and not headers)) and real.code is None:
            self._walk.note("taken", command, role.name, asked, real.body, b"")
        if kind == PLAIN:
            self._learn(command, message, real)
        elif kind in {ONE, ALL}:
            self._spent.update(_at(message, place.path) for place in tried if place.field in BECOME_ONES_OWN)

    def _message(self, command: Command, must: str | None) -> Message:
        """A message of the walker's own: a new one, or one that was good before, about other things."""
        good = [one for one in self._good[command.name] if must is None or must in one]
        if not good or self._random.random() < NEW_SHARE:
            made: Message = self._maker.make(command.schema, must=must)
            return to_one_role(command, to_spare(command, made, self.home.spare))
        message = deepcopy(self._random.choice(good))
        for name, said in message.items():
            if isinstance(said, bool):
                message[name] = self._random.random() < 0.5
        if command.tag is not None:
            message = {"type": command.tag, **message}
        for place in list(self._maker.places(self._walk.ids, command.schema, message)):
            if self._random.random() < NEW_SHARE:
                put(message, place.path, self._maker.make(place.schema, str(place.path[-1])))
        return to_spare(command, message, self.home.spare)

    def _learn(self, command: Command, message: Message, answer: Answer) -> None:
        """Remember what was understood; better, what was done."""
        if answer.is_reached:
            good = self._good[command.name]
            good.insert(
                0 if answer.code is None else len(good), {key: one for key, one in message.items() if key != "type"}
            )
            del good[GOOD_MAX:]

    def _places(self, command: Command, message: Message, kind: str) -> list[Place]:
        if kind in {PLAIN, TENANT}:
            return []
        places = list(self._maker.places(self._walk.ids, command.schema, message))
        if kind == NO_ID:
            return places
        closed = [place for place in places if place.kind != TENANT_NAME]
        if self._is_near:
            return [place for place in closed if place.field not in OPEN_AMONG_NEIGHBOURS]
        return closed

    def _put(self, kind: str, message: Message, place: Place) -> bool:
        if kind == NO_ID:
            what = self._random.choice(NO_IDS)
        else:
            theirs = self._need_others().things
            what = theirs.draw(self._random, place.kind, place.schema, {*self._things.of(place.kind), *self._spent})
        if what is None:
            return False
        put(message, place.path, what)
        logins = self._need_others().logins
        if kind != NO_ID and place.kind == "login" and "password" in message and logins and self._random.random() < 0.5:
            # What opens a door at theirs opens none here.
            login, message["password"] = self._random.choice(logins)
            put(message, place.path, login)
        return True

    def _name_a_tenant(self, command: Command, message: Message, headers: list[str], query: Message) -> None:
        others = self._need_others()
        named = self._random.choice(TENANT_WORDS)
        value = self._random.choice(
            [others.tenant_id or 1, str(others.tenant_id), "far-away", *others.things.of("person")[:1]]
        )
        way = self._random.choice(("body", "query", "header", "header")) if command.door == "http" else "body"
        if way == "header" or named in command.fields or (command.is_file and way == "body"):
            headers.append(f"{named if command.door == 'http' else 'x'}: {value}")
        elif way == "query" or command.method == "GET":
            query[named] = value
        else:
            message[named] = value

    async def _ask(
        self, at: int, command: Command, message: Message, *headers: str, query: Message | None = None
    ) -> tuple[Answer, Answer]:
        if command.is_public:
            # Of a network of their own: guesses are counted by network.
            self._addresses += 1
            place = self._walk.walkers.index(self)
            headers = (*headers, f"X-Forwarded-For: 10.{place}.{self._addresses % 250}.{self._addresses // 250 + 1}")
        token = self._people[at].token
        asked = (
            self._ask_one(voice, command, deepcopy(message), token, headers, query or {}) for voice in self._voices[at]
        )
        real, without = await asyncio.gather(*asked)
        is_out = real.code == HUNG_UP or (real.status == 401 and not command.is_public)
        if real.code == without.code and (is_out or real.code == "step_up_required"):
            # Hung up on for what was said, or logged out by it: begin anew.
            self._people[at] = await self._walk.worlds.new_session(self.home, self._people[at])
        return real, without

    async def _ask_one(
        self, voice: Voice, command: Command, message: Message, token: str, headers: Sequence[str], query: Message
    ) -> Answer:
        try:
            return await voice.ask(command, message, token, *headers, query=query)
        except Closed:
            return Answer(b"", HUNG_UP)

    def _compare(
        self,
        command: Command,
        role: Role,
        asked: Message,
        real: Answer,
        without: Answer,
        *,
        learns: bool = False,
    ) -> None:
        drawn = self._walk.drawn
        others = self._others.known if self._others is not None else ()
        if command.name in COUNTS_THE_TRAIL:
            ids, known = (set(IDS.findall(one.body.decode())) for one in (real, without))
            is_alike = (real.code, real.status) == (without.code, without.status) and not (ids - known) & {*others}
        else:
            is_alike = drawn.are_alike(command.name, real, without, others)
        if not is_alike and not (learns and drawn.learn(command.name, real, without)):
            self._walk.note("differs", command, role.name, asked, real.head + real.body, without.head + without.body)
        # What both tell was said by the walker itself.
        if (
            self._others is not None
            and self._others.is_told_in(real.body)
            and not self._others.is_told_in(without.body)
        ):
            self._walk.note("told", command, role.name, asked, real.body, without.body)
        if real.body.startswith(b"{") and without.body.startswith(b"{"):
            # What both say is this household's; what was drawn by lot is known to one of them alone.
            also = Things()
            also.gather(json.loads(without.body), self._walk.ids)
            theirs = self._others.things if self._others is not None else Things()
            self._things.gather_common(json.loads(real.body), self._walk.ids, also, theirs)

    def _count(self, command: Command, kind: str, role: Role, tried: Sequence[Place], answer: Answer) -> None:
        walk = self._walk
        walk.kinds[kind] += 1
        tally = walk.tallies[command.name, command.door]
        if kind in TRIED:
            tally.tries += 1
        # With what is no id nothing is meant to be reached.
        if kind not in {NO_ID, TENANT}:
            tally.meant += 1
            tally.reached += answer.is_reached
        tally.done += answer.code is None
        walk.codes[answer.code or "done"] += 1
        if kind in {ONE, ALL}:
            for place in tried:
                walk.fields[place.field, command.door, role.name] += 1

    def _own(self, name: str, schema: Schema) -> Any:
        kind = self._walk.ids.kind_of(name, schema)
        speaker = self._people[self._speaker]
        if name == "password":
            return self.home.logins[0][1] if self._random.random() < 0.7 else None
        if kind == "token":
            return speaker.token
        if kind is None:
            return None
        if kind == "account" and self._random.random() < (0.4 if name == "payee" else 0.75):
            return speaker.account
        return self._things.draw(self._random, kind, schema) if self._random.random() < 0.7 else None

    def _need_others(self) -> Others:
        assert self._others is not None, "meet() comes first"
        return self._others


HUNG_UP: Final = "closed"


def _at(message: Message, path: Path) -> Any:
    for step in path:
        message = message[step]  # type: ignore[index]
    return message


def _takes_ids_alone(place: Place) -> bool:
    return is_uuid(place.schema) or place.schema.get("type") == "integer"

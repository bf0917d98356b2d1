"""Two installations that are the same but for the others: there, ids of the others do not exist.

The walkers' own tenants are in both, person by person and session by session, and what they do is done in both. The
others come to the first alone.
"""

import asyncio
import random
import re
import secrets
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import asyncpg

from config.embedded import KEYS_USER, SUPERUSER, EmbeddedValkey, Servers
from config.settings import ensure_master_key
from core.database import Pool, open_pool
from core.keyring import Purpose, create_key, load_keys
from core.keys.choosing import Choice, open_safe
from core.keys.safe import Safe
from core.keys.store import SQL as KEYS_SQL
from core.ledger.posting import post_payments
from core.migrate import migrate
from core.nouns import Payment, PaymentStatus, SystemAccount
from core.people.opening import Tenant, create_tenant, open_person
from core.people.persons import Role
from core.people.proofs import PASSWORD, SEVERAL
from core.people.sessions import start_session
from hub.auth import Tokens
from tests.hub.processes import HubProcess
from tests.numbers import new_cnpj, new_cpf, new_email, new_phone

# What the walkers' own words begin with.
OWN = "own"
FUNDS = 10**11
# Everybody has just proved twice who they are: whatever asks for that is not in the way.
PROOFS = (PASSWORD, "otp", SEVERAL)
TENANT_TABLES = """
select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnum > 0
 where n.nspname = 'payhub' and c.relkind in ('r', 'p') order by 1
"""
COUNTED = """
select table_name::text, column_name::text from information_schema.columns
 where table_schema = 'payhub' and is_identity = 'YES'
"""
COUNTS_FROM = 1_000_000_000
COPY = """
insert into payhub.{table} overriding system value
select * from jsonb_populate_record(null::payhub.{table}, $1::jsonb)
"""
# Written beside by whoever logs walkers in again, at the first installation alone.
NOT_COMPARED = {"audit_entries", "audit_unlogged"}
# What no two installations draw alike, or count by a clock.
DRAWN_COLUMNS = ("xid", "beginning", "level")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(?:Z|\+\d\d:\d\d)")
# UUIDs, account numbers, and what was hashed.
LOTS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\d{12}\b|\\\\x[0-9a-f]+|\$argon2id\$[^\"]+")


# Two customers, a merchant, two operators, an auditor, and somebody of support: `furnish` knows them by their places.
ROLES = (
    Role.CUSTOMER,
    Role.CUSTOMER,
    Role.MERCHANT,
    Role.OPERATOR,
    Role.OPERATOR,
    Role.AUDITOR,
    Role.SUPPORT,
)


class Person(NamedTuple):
    """Somebody, with a token for both installations."""

    role: Role
    tenant_id: int
    id: str
    account: int
    token: str
    session: str


class Home(NamedTuple):
    """A tenant and its people. Logins and passwords are of its customers.

    `spare`: somebody who says nothing, to whom is done what would end others' walks.
    """

    tenant: Tenant
    people: list[Person]
    spare: Person
    logins: list[tuple[str, str]]
    refresh_token: str


class Side(NamedTuple):
    """One installation."""

    hub: HubProcess
    admin: Pool
    pool: Pool


class Databases(NamedTuple):
    """What a hub is told."""

    app_url: str
    keys_url: str
    redis_url: str


Say: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]


class Worlds:
    """Both installations."""

    def __init__(self, real: Side, without: Side, keys: Safe, tokens: Tokens) -> None:
        self.real = real
        self.without = without
        self._keys = keys
        self._tokens = tokens

    async def open_home(self, slug: str) -> Home:
        """A tenant of the walkers', the same in both."""
        home = await self._open(slug, OWN)
        async with self.real.admin.acquire() as there, self.without.admin.acquire() as here, here.transaction():
            # No trigger and no key asks in which order the rows come.
            await here.execute("set local session_replication_role = replica")
            for table, column in (
                ("tenants", "id"),
                *((row[0], "tenant_id") for row in await there.fetch(TENANT_TABLES)),
            ):
                rows = await there.fetch(
                    f"select to_jsonb(t)::text from payhub.{table} t where {column} = $1", home.tenant.id
                )
                for (row,) in rows:
                    await here.execute(COPY.format(table=table), row)
        return home

    async def move_in(self, slug: str, words: str) -> Home:
        """Another tenant, in the first installation alone."""
        return await self._open(slug, words)

    async def add_neighbours(self, home: Home, words: str) -> list[Person]:
        """More people in a walker's own tenant, in the first installation alone."""
        roles = (Role.CUSTOMER, Role.CUSTOMER, Role.MERCHANT)
        return [await self._open_person(home.tenant, role, words) for role in roles]

    async def new_session(self, home: Home, person: Person) -> Person:
        """Log somebody in once more, at both installations with one id."""
        started = await start_session(self.real.pool, home.tenant.id, person.id)
        # The trail of it, too: its people read that.
        for table, column in (("sessions", "id"), ("refresh_tokens", "session_id"), ("audit_entries", "about")):
            rows = await self.real.admin.fetch(
                f"select to_jsonb(t)::text from payhub.{table} t where tenant_id = $1 and {column} = $2",
                home.tenant.id,
                started.session_id,
            )
            for (row,) in rows:
                await self.without.admin.execute(COPY.format(table=table), row)
        return person._replace(token=self._token_of(person, started.session_id), session=started.session_id)

    async def token_of(self, person: Person) -> str:
        """A token of a new session, at the first installation."""
        started = await start_session(self.real.pool, person.tenant_id, person.id)
        return self._token_of(person, started.session_id)

    def _token_of(self, person: Person, session: str) -> str:
        now = time.time()
        issued = self._tokens.issue(
            person.tenant_id, person.id, person.role, session, now, proved_at=int(now), proofs=PROOFS
        )
        return issued.token

    async def _open(self, slug: str, words: str) -> Home:
        tenant = await create_tenant(self.real.admin, slug, f"{words} tenant", "BRL", "America/Sao_Paulo")
        people = [await self._open_person(tenant, role, words) for role in ROLES]
        spare = await self._open_person(tenant, Role.CUSTOMER, words)
        login, password = f"{words}-{slug}", f"{words} password of {slug}"
        known = await open_person(
            self.real.pool, self._keys, tenant.id, Role.CUSTOMER, f"{words} with a login", login, password
        )
        started = await start_session(self.real.pool, tenant.id, known.person_id)
        return Home(tenant, people, spare, [(login, password)], started.refresh_token)

    async def _open_person(self, tenant: Tenant, role: Role, words: str) -> Person:
        pool = self.real.pool
        opened = await open_person(pool, self._keys, tenant.id, role, f"{words} {role.name.lower()}")
        id_ = str(uuid.uuid4())
        funding = Payment(tenant.id, id_, SystemAccount.CASH_IN, opened.account_id, FUNDS, opened.person_id)
        async with pool.acquire() as connection:
            (posting,) = await post_payments(connection, [funding], self._keys)
        assert posting.status == PaymentStatus.POSTED
        started = await start_session(pool, tenant.id, opened.person_id)
        person = Person(role, tenant.id, opened.person_id, opened.account_id, "", started.session_id)
        return person._replace(token=self._token_of(person, started.session_id))

    async def differences(self, home: Home) -> list[str]:
        """Rows of a walker's own tenant that came out in one world alone, but for clocks and lots."""
        tables = [row[0] for row in await self.real.admin.fetch(TENANT_TABLES)]
        counted = [*DRAWN_COLUMNS, *(row[1] for row in await self.real.admin.fetch(COUNTED))]
        found = []
        for table in tables:
            if table in NOT_COMPARED:
                continue
            query = f"select (to_jsonb(t) - $2::text[])::text from payhub.{table} t where tenant_id = $1"
            both = [
                [row[0] for row in await side.admin.fetch(query, home.tenant.id, counted)]
                for side in (self.real, self.without)
            ]
            real, without = (Counter(rows) for rows in _without_lots(*both))
            found += [f"{table}: only there: {row}" for row in real - without]
            found += [f"{table}: only without: {row}" for row in without - real]
        return found


def _without_lots(*both: list[str]) -> list[list[str]]:
    """Rows as text, without moments and hashes, and without ids that only one of the two lists knows."""
    known = [set(LOTS.findall("\n".join(rows))) for rows in both]
    common = known[0] & known[1]

    def blank(found: re.Match[str]) -> str:
        return found[0] if found[0] in common else "<lot>"

    return [[LOTS.sub(blank, MOMENT.sub("<moment>", row)) for row in rows] for rows in both]


@asynccontextmanager
async def two_worlds(
    servers: Servers, folder: Path, *, command: Sequence[str] = ("-m", "payhub", "serve")
) -> AsyncIterator[Worlds]:
    """Both installations, each with a hub, on a PostgreSQL that is there and a Valkey of its own.

    They share one database of keys: whose data it is that is sealed is what the ledger's database says.
    """
    mark = secrets.token_hex(4)
    names = [f"walls_{mark}_real", f"walls_{mark}_without"]
    of_keys = f"walls_{mark}_keys"
    key_file = folder / f"{mark}.key"
    ensure_master_key(key_file)
    async with AsyncExitStack() as ending:
        root = await asyncpg.connect(servers.postgres.url(SUPERUSER, "postgres"))
        ending.push_async_callback(root.close)
        for name in (names[0], of_keys):
            await root.execute(f"create database {name}")
        await migrate(servers.postgres.url(SUPERUSER, of_keys), KEYS_SQL)
        keys_url = servers.postgres.url(KEYS_USER, of_keys)
        await migrate(servers.postgres.url(SUPERUSER, names[0]))
        keys = await open_safe(Choice(keys_url, "local", key_file), name="payhub-walls")
        ending.push_async_callback(keys.close)
        admin, pool = await _open_pools(servers, names[0])
        for purpose in Purpose:
            await create_key(admin, keys.master, purpose=purpose)
        tokens = Tokens(await load_keys(pool, keys.master), lifetime_s=3_600)
        await pool.close()
        await admin.close()
        # PostgreSQL copies a database that nobody is connected to.
        await _until_left(root, names[0])
        await root.execute(f"create database {names[1]} template {names[0]}")
        await _count_apart(servers, names[1])
        sides = []
        for name in names:
            admin, pool = await _open_pools(servers, name)
            ending.push_async_callback(pool.close)
            ending.push_async_callback(admin.close)
            valkey = EmbeddedValkey(folder / f"{name}-valkey")
            await asyncio.to_thread(valkey.start)
            ending.callback(valkey.stop)
            databases = Databases(servers.postgres.url(database=name), keys_url, valkey.url())
            hub = HubProcess(databases, folder, name, master_key_file=key_file, command=command, **HUB_SETTINGS)
            ending.push_async_callback(hub.stop)
            sides.append(Side(await hub.start(), admin, pool))
        yield Worlds(sides[0], sides[1], keys, tokens)


async def furnish(say: Say, people: Sequence[Person], random_: random.Random, words: str) -> None:
    """Do a little of everything, so that there is one of everything. `words` begin all that is written.

    Two customers, a merchant, and two operators; without these, what operators do is left out.
    """
    ana, bea, shop, *staff = people
    operators = [person for person in staff if person.role is Role.OPERATOR]

    def id_() -> str:
        return str(uuid.UUID(int=random_.getrandbits(128), version=4))

    async def pay(payer: Person, payee: Person, amount: int, **more: Any) -> str:
        payment = id_()
        await say(payer, "pay", payment=payment, payer=payer.account, payee=payee.account, amount=amount, **more)
        return payment

    if operators:
        await _set_up(say, [ana, shop, *operators], words)
        await say(ana, "set_own_limit", account=ana.account, measure="day", max=10**10)
    await say(ana, "list_payee", account=ana.account, payee=shop.account, listing="allowed")
    for person in (ana, bea, shop, *operators):
        await say(person, "set_account_metadata", account=person.account, metadata={"note": f"{words} note"})
    for person in (ana, bea):
        told = {"email": new_email(random_, words), "phone": new_phone(random_), "cpf": new_cpf(random_)}
        if operators:
            await say(operators[0], "edit_profile", person=person.id, reason="own_request", **told)
        await say(person, "edit_profile", person=person.id, email=new_email(random_, words))
        await say(person, "send_confirmation", contact="email")
    if operators:
        trade = {"trade_name": f"{words} trade", "cnpj": new_cnpj(random_)}
        await say(operators[0], "edit_profile", person=shop.id, reason="own_request", **trade)
    charges = []
    for more in ({"amount": 700}, {"reusable": True}, {"amount": 900, "expires_in_s": 10**6}, {"amount": 300}):
        charges.append(id_())
        told = {"description": f"{words} charge", "reference": f"{words} reference"}
        await say(shop, "create_charge", charge=charges[-1], payee=shop.account, **told, **more)
    await pay(bea, shop, 300, charge=charges[3])
    described = {"description": f"{words} payment", "metadata": {"note": f"{words} metadata"}}
    for payer, payee in ((ana, bea), (bea, shop), (ana, shop), (shop, bea)):
        await pay(payer, payee, 1_000, **described)
    await pay(ana, shop, 6_000_000, description=f"{words} in review")
    await pay(ana, bea, 10**13, description=f"{words} refused")
    holds = []
    for _ in range(3):
        holds.append(id_())
        parties = {"payer": bea.account, "payee": shop.account}
        await say(bea, "authorize", payment=holds[-1], amount=2_000, lasts_s=600_000, **described, **parties)
    await say(shop, "capture", payment=id_(), about=holds[0], amount=500, description=f"{words} capture")
    paid = await pay(bea, shop, 5_000, **described)
    await say(shop, "refund", payment=id_(), about=paid, amount=100, description=f"{words} refund")
    for _ in range(3):
        dispute, about = id_(), await pay(bea, shop, 2_000, **described)
        story = {"reason": "fraud", "text": f"{words} story"}
        await say(bea, "open_dispute", dispute=dispute, payment=about, **story)
        file = {"name": f"{words}.txt", "media_type": "text/plain", "content": "enEtZmFyIHpxLW5leHQ="}
        await say(bea, "add_evidence", dispute=dispute, evidence=id_(), text=f"{words} evidence", **file)
        await say(bea, "dispute", dispute=dispute)
    await say(shop, "answer_dispute", dispute=dispute, answer="contest", text=f"{words} answer")
    for _ in range(3):
        bulk = id_()
        await say(shop, "create_bulk", bulk=bulk, account=shop.account, atomic=False)
        lines = [{"payee": ana.account, "amount": 5, "description": f"{words} line", "reference": f"{words}/1"}]
        await say(shop, "bulk_lines", bulk=bulk, first=1, lines=[*lines, {"payee": 7, "amount": -5}])
    await say(shop, "close_bulk", bulk=bulk)
    for _ in range(3):
        plan = {"rule": "monthly", "day": 5, "first_on": "2040-01-05", "description": f"{words} schedule"}
        await say(ana, "create_schedule", schedule=id_(), payer=ana.account, payee=bea.account, amount=50, **plan)
    for accounts in ([], [shop.account], []):
        # Nobody listens there.
        await say(
            shop, "create_webhook", url="http://127.0.0.1:65535/", description=f"{words} webhook", accounts=accounts
        )


async def _set_up(say: Say, people: Sequence[Person], words: str) -> None:
    """What operators set up: terms and limits, each other than a walker's own."""
    ana, shop, boss, chief = people
    base = 70 if words == OWN else 9_000
    for terms in (base + 1, base + 2):
        await say(boss, "set_terms", terms=terms, name=f"{words} terms", fee_ppm=10_000, tip_percent_max=10)
    await say(boss, "put_under_terms", account=shop.account, terms=base + 1)
    for limits in (base + 3, base + 4):
        await say(boss, "set_limits", limits=limits, name=f"{words} limits")
    rule = {"limits": base + 3, "name": f"{words} rule", "measure": "payment", "max": 5_000_000, "action": "review"}
    await say(boss, "set_rule", rule=base + 5, **rule)
    rule |= {"measure": "day", "max": 10**12, "action": "alert", "own_max": 10**12}
    await say(boss, "set_rule", rule=base + 6, **rule)
    await say(boss, "put_under_limits", account=ana.account, limits=base + 3)
    reasons = {"reasons": ["fraud", "other"], "on_no_answer": "payer_wins", "on_no_decision": "payee_wins"}
    clocks = dict.fromkeys(("open_s", "answer_s", "decide_s", "refund_s", "collect_s"), 900_000)
    await say(boss, "set_dispute_profile", profile=f"{words}-rules", **reasons, **clocks)
    await say(chief, "open_person", name=f"{words} person", role="customer")


async def _open_pools(servers: Servers, database: str) -> tuple[Pool, Pool]:
    admin = await open_pool(servers.postgres.url(SUPERUSER, database), size_max=2, name="payhub-walls-admin")
    return admin, await open_pool(servers.postgres.url(database=database), size_max=2, name="payhub-walls")


async def _count_apart(servers: Servers, database: str) -> None:
    """Rows are copied there with their numbers: its own begin far behind them."""
    connection = await asyncpg.connect(servers.postgres.url(SUPERUSER, database))
    for table, column in await connection.fetch(COUNTED):
        await connection.execute(f"alter table payhub.{table} alter {column} restart with {COUNTS_FROM}")
    await connection.close()


async def _until_left(root: "asyncpg.Connection[Any]", database: str) -> None:
    for _ in range(500):
        if not await root.fetchval("select count(*) from pg_stat_activity where datname = $1", database):
            return
        await asyncio.sleep(0.01)


# A proxy is trusted so that each who knocks may come from an address of their own.
HUB_SETTINGS = {
    "public_url": "https://pay.example",
    "trusted_proxies": "127.0.0.1",
    "webhook_networks": "127.0.0.0/8",
}

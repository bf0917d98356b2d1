"""Every function of core that borrows a connection, and what to call it with: found in the code, by names and types.

A new function is found and called without anybody having to think of it.
"""

import ast
import dataclasses
import datetime
import enum
import importlib
import inspect
import time
import types
import typing
import uuid
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.audit.trail import By
from core.bulk.bulks import Order as BulkOrder
from core.bulk.bulks import approve_bulk, begin_file, close_file, create_bulk, read_bulk
from core.bulk.lines import Line
from core.bulk.receiving import receive_lines
from core.database import Pool
from core.keyring import Purpose, load_keys
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.ledger.terms import Terms, set_terms
from core.nouns import Kind, Payment, SystemAccount
from core.payments.charges import Asked, create_charge
from core.payments.dispute_case import Actor
from core.payments.disputes import Opening, open_dispute
from core.payments.schedules import Order as ScheduleOrder
from core.payments.schedules import create_schedule
from core.people.marking import Marks
from core.people.opening import Opened, Tenant, open_people
from core.people.passkeys import RelyingParty
from core.people.persons import Role
from core.people.proving import Means
from core.people.sessions import start_session
from core.privacy.classes import LEGAL
from core.privacy.classes import Kind as DataKind
from core.privacy.disclosures import Told
from core.privacy.states import RequestStatus, Right
from core.proof.notary import Signer

CORE: Final = Path(__file__).parents[2] / "core"
# What gives a connection to whoever calls it; their room is left out.
OPENERS: Final = frozenset({"acquire", "in_tenant", "transaction", "locked_case"})
THEIR_ROOM: Final = "core.database"
FUNDS: Final = 10**12


class Generic:
    """Stands in for the driver's types in annotations: they are generic for type checkers alone."""

    def __class_getitem__(cls, _: Any) -> type["Generic"]:
        return cls


DRIVER: Final = types.SimpleNamespace(
    Pool=Generic, Connection=Generic, Record=object, pool=types.SimpleNamespace(PoolConnectionProxy=Generic)
)


class Found(NamedTuple):
    """A function that borrows a connection."""

    name: str
    function: Callable[..., Awaitable[Any]]


def find_functions() -> list[Found]:
    """All public ones. Context managers are left out: whoever uses them is here."""
    found = []
    for path in sorted(CORE.rglob("*.py")):
        name = ".".join(path.relative_to(CORE.parent).with_suffix("").parts)
        functions = [one for one in ast.parse(path.read_text()).body if isinstance(one, ast.AsyncFunctionDef)]
        for one in functions:
            calls = (call.func for call in ast.walk(one) if isinstance(call, ast.Call))
            called = {call.id for call in calls if isinstance(call, ast.Name)}
            if name != THEIR_ROOM and not one.name.startswith("_") and called & OPENERS:
                function = getattr(importlib.import_module(name), one.name)
                # An administrator's, and what the database of keys is asked, goes past the wall anyway.
                is_walled = not {"admin"} & set(inspect.signature(function).parameters)
                if inspect.iscoroutinefunction(function) and is_walled:
                    found.append(Found(f"{name}.{one.name}", function))
    return found


class Stage:
    """A tenant with one of everything. `pool` is what functions are called with; everything else goes beside it."""

    def __init__(self, pool: Pool, beside: Pool, admin: Pool, keys: Safe, tenant: Tenant) -> None:
        self.pool = pool
        self.keys = keys
        self.tenant = tenant
        self._beside = beside
        self._admin = admin
        self._people: list[Opened] = []
        self._named: dict[str, Any] = {}
        self._signer: Signer | None = None

    async def furnish(self) -> None:
        """Have one of everything."""
        tenant_id, beside, keys = self.tenant.id, self._beside, self.keys
        self._signer = Signer(await load_keys(beside, keys.master, Purpose.PROOFS))
        self._people = await open_people(beside, keys, tenant_id, Role.MERCHANT, ["Ana", "Bea"])
        ana, bea = self._people
        line = Line(None, bea.account_id, 1, None, None)
        self._named = {
            "tenant_id": tenant_id,
            "slug": self.tenant.slug,
            **dict.fromkeys(("person_id", "created_by", "asked_by", "maker"), ana.person_id),
            **dict.fromkeys(("account_id", "account", "payer"), ana.account_id),
            "clock": time.time,
            "by": By(ana.person_id, _id(), "192.0.2.0/24"),
            "approver": bea.person_id,
            "payee": bea.account_id,
            "actor": Actor(ana.person_id, frozenset({ana.account_id, bea.account_id}), is_operator=True),
            "accounts": [(tenant_id, ana.account_id)],
            "reason": 0,
            "seen": [(tenant_id, ana.account_id, ana.person_id, 1)],
            "display_name": "New",
            "display_names": ["New"],
            "people": [ana],
            "amounts": [5],
            "amount": 10,
            "floor": 0,
            "limit": 5,
            "name": "Name",
            "password": "no password of anybody",
            "login": "nobody-here",
            "metadata": '{"a": "b"}',
            "lines": [line],
            "first_on": datetime.date(2040, 1, 4),
            "attempts_max": 3,
            "language": "pt",
            "right": Right.OTHER,
            "status": RequestStatus.GRANTED,
            "told": Told("Somebody else", "a test", LEGAL, [DataKind.POINTER]),
            "retry_after_s": 3_600,
        }
        paid = self.payment(ana.account_id, bea.account_id, 100)
        await self.pay(self.payment(SystemAccount.CASH_IN, ana.account_id, FUNDS), paid)
        await set_terms(beside, tenant_id, Terms(1, "Terms"))
        charge = Asked(_id(), bea.account_id, 5, None, None, False, None)
        await create_charge(beside, keys, tenant_id, bea.person_id, charge)
        schedule: ScheduleOrder = self.make(ScheduleOrder)
        await create_schedule(beside, self.keys, tenant_id, ana.person_id, schedule)
        session = await start_session(beside, tenant_id, ana.person_id)
        opening = Opening(_id(), paid.id, 0)
        await open_dispute(beside, keys, tenant_id, self._named["actor"], opening)
        self._named |= {
            "payment_id": paid.id,
            "ids": [paid.id],
            "charge_id": charge.id,
            "schedule_id": schedule.id,
            "session_id": session.session_id,
            "pairs": [(tenant_id, session.session_id)],
            "refresh_token": session.refresh_token,
            "dispute_id": opening.id,
            "batch": [self.payment(ana.account_id, bea.account_id, 1)],
        }
        await self._make_bulk()

    def payment(self, payer: int, payee: int, amount: int) -> Payment:
        """A payment of this tenant's."""
        return Payment(self.tenant.id, _id(), payer, payee, amount, self._people[0].person_id)

    async def pay(self, *batch: Payment) -> None:
        """Post payments, beside what is tried."""
        async with self._beside.acquire() as connection:
            await post_payments(connection, batch, self.keys)

    async def prepare(self, name: str) -> None:
        """Let there be something to do for what looks for its work itself, or does a thing once."""
        tenant_id, beside = self.tenant.id, self._beside
        ana, bea = self._people
        function = name.rsplit(".", 1)[1]
        if function in {"open_dispute", "settle_payments", "expire_holds", "find_expired_holds"}:
            paid = self.payment(ana.account_id, bea.account_id, 10)
            hold = self.payment(ana.account_id, bea.account_id, 10)._replace(kind=Kind.AUTHORIZE, lasts_s=1)
            await self.pay(paid, hold)
            self._named["payment"] = paid.id
        elif function in {"answer_dispute", "decide_dispute", "withdraw_dispute", "add_evidence", "tend_dispute"}:
            paid = self.payment(ana.account_id, bea.account_id, 10)
            await self.pay(paid)
            self._named["dispute_id"] = _id()
            opening = Opening(self._named["dispute_id"], paid.id, 0)
            await open_dispute(beside, self.keys, tenant_id, self._named["actor"], opening)
        elif function == "pay_due":
            schedule: ScheduleOrder = self.make(ScheduleOrder)
            await create_schedule(beside, self.keys, tenant_id, ana.person_id, schedule)
            await self._admin.execute(
                "update payhub.schedules set due_at = now() - interval '1 second' where tenant_id = $1 and id = $2",
                tenant_id,
                schedule.id,
            )
        elif function == "post_some":
            await self._make_bulk(is_approved=True)
        elif function.endswith(("_bulk", "_file", "_lines")):
            await self._make_bulk()
        elif function == "rotate":
            self._named["refresh_token"] = (await start_session(beside, tenant_id, ana.person_id)).refresh_token

    def arguments(self, function: Callable[..., Any]) -> dict[str, Any]:
        """What the function must be told. What it need not be told is left out."""
        hints = _hints(function)
        return {
            name: self._value(name, hints[name])
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.default is inspect.Parameter.empty and name != "self"
        }

    def make(self, kind: Any) -> Any:
        """A named tuple, field by field."""
        hints = _hints(kind)
        needed = [name for name in kind._fields if name not in kind._field_defaults]
        return kind(**{name: self._value(name, hints[name]) for name in needed})

    async def _make_bulk(self, *, is_approved: bool = False) -> None:
        ana, bea = self._people
        beside, tenant_id = self._beside, self.tenant.id
        # Of those that nobody sends on there may only be so many.
        await self._admin.execute("update payhub.bulks set status = 6 where tenant_id = $1 and status < 5", tenant_id)
        bulk = await create_bulk(beside, tenant_id, self.make(BulkOrder), ana.person_id)
        self._named |= {
            "bulk": bulk,
            "bulk_id": bulk.id,
            "bulks": [(tenant_id, bulk.id)],
            "attempt": bulk.attempt,
            "first": 1,
        }
        if is_approved:
            attempt = await begin_file(beside, tenant_id, bulk.id)
            begun = await read_bulk(beside, tenant_id, bulk.id)
            assert begun is not None
            await receive_lines(beside, self.keys, tenant_id, begun, 1, self._named["lines"] * 3, uuid.uuid4().bytes)
            await close_file(beside, tenant_id, bulk.id, attempt)
            await approve_bulk(beside, tenant_id, bulk.id, bea.person_id)

    def _part(self, name: str, kind: Any) -> Any:
        """One of the parts that a process has."""
        if kind is Generic:
            return self.keys.pool if name == "keys" else self.pool
        party = RelyingParty("localhost", "Payhub", ("http://localhost",))
        parts = {
            Safe: self.keys,
            Signer: self._signer,
            RelyingParty: party,
            Means: Means(self.pool, self.keys, Marks(b"m" * 32), party),
        }
        return parts[kind]

    def _value(self, name: str, kind: Any) -> Any:
        if kind in {Generic, Safe, Signer, Means, RelyingParty}:
            return self._part(name, kind)
        if name in self._named and _fits(self._named[name], kind):
            return self._named[name]
        origin, inside = typing.get_origin(kind), typing.get_args(kind)
        if origin in {types.UnionType, typing.Union}:
            return None if type(None) in inside else self._value(name, inside[0])
        if origin is tuple:
            return tuple(self._value(name, one) for one in inside if one is not Ellipsis)
        if origin is Callable:
            return lambda *_: self._value(name, inside[1])
        if isinstance(origin, type) and issubclass(origin, Iterable):
            return {} if len(inside) == 2 else [self._value(name.removesuffix("s"), inside[0])]
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return next(iter(kind))
        if hasattr(kind, "_fields"):
            return self.make(kind)
        if isinstance(kind, type) and (dataclasses.is_dataclass(kind) or issubclass(kind, Exception)):
            return kind(**self.arguments(vars(kind)["__init__"]))
        plain: dict[Any, Any] = {
            bool: False,
            int: 1,
            float: 1.0,
            str: _id(),
            bytes: uuid.uuid4().bytes,
            datetime.timedelta: datetime.timedelta(seconds=1),
            datetime.datetime: datetime.datetime.now(datetime.UTC),
            datetime.date: datetime.date(2040, 1, 4),
            datetime.time: datetime.time(6),
        }
        assert kind in plain, f"{name} is a {kind}: nobody here can make one up"
        return plain[kind]


def _fits(value: Any, kind: Any) -> bool:
    origin = typing.get_origin(kind) or kind
    if origin in {types.UnionType, typing.Union}:
        return any(_fits(value, one) for one in typing.get_args(kind))
    return origin is Any or not isinstance(origin, type) or isinstance(value, origin)


def _hints(of: Any) -> dict[str, Any]:
    return typing.get_type_hints(of, localns={"asyncpg": DRIVER})


def _id() -> str:
    return str(uuid.uuid4())

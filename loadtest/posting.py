"""Payments per second of `post_payments` in batches, against the best that pgbench reaches one by one.

The one load test that speaks SQL. Everything runs on one server with fsync on, in short rounds that take
turns, so that a noisy moment hits both sides; the figures are medians. It works in a database of its own.

Both sides are spared their own preparations: pgbench invents its payments in C, and the batches' arrays are
made before the clock starts. Both make their ids alike. What is timed is the call: sending, judging, committing,
reading the answer.
"""

import asyncio
import gc
import os
import random
import re
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlencode, urlsplit, urlunsplit

import asyncpg

from core.nouns import Payment
from loadtest.ids import IN_SQL, MAKERS
from loadtest.mix import Mix
from loadtest.report import Reporter
from loadtest.stack import Stack

TENANTS = 3
ACCOUNTS = 10_000  # of each tenant, with money
POOR_ACCOUNTS = 1_000  # more, without
FIRST_ACCOUNT = 100_000_000_000
MONEY = 1_000_000_000_000
ROLE = "payhub_app"
SCHEMA = "payhub"
CLIENTS = (1, 8, 32, 64)
FINALISTS = 2  # pgbench settings that stay in for the rounds
BATCHED_PER_SECOND_MAX = 80_000  # batches made in advance for a round; if they run out, the clock stops earlier
REFUSED_SHARE = 0.1
POSTED, INSUFFICIENT_FUNDS = 0, 44
SINGLE_PAYMENT = Path(__file__).with_name("single_payment.sql")

POST = """
select statuses, payer_balances, payer_versions, payee_balances, payee_versions, judged_at_us
  from post_payments($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
POST_AND_TELL = POST.replace("judged_at_us\n", "judged_at_us, batches\n")
POST_MIX = """
select statuses
  from post_payments($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                     $14, $15, $16, $17, $18, $19, $20, $21, $22)
"""
# A fee on what everybody is paid: 1 %, at least one minor unit, given back with a refund.
SET_TERMS = "select set_terms($1, null, 1, 'Fees', 10000, 0, 1, null, true, 0)"
PUT_UNDER_TERMS = "update accounts set terms = $1 where id >= $2"
OPEN_TENANT = "select create_tenant($1, 'Posting', 'BRL', 'UTC', array[1, 2, 3, 4], -9007199254740991)"
OPEN_ACCOUNTS = """
insert into accounts (tenant_id, id, balance)
select $1::int, $2::bigint + at, case when at < $3::bigint then $4::bigint else 0 end
  from generate_series(0, $3::bigint + $5::bigint - 1) as at
"""
SCRIPT_HEAD = """
\\set tenant random(:first_tenant, :first_tenant + {tenants} - 1)
\\set payer {first} + random(1, {accounts} - 1)
\\set payee {payee}
\\set amount random(1, 100)
"""
UNIFORM_PAYEE = "{first} + mod(:payer - {first} + random(1, {accounts} - 1), {accounts})"
BY_HAND = """
select * from payhub.single_payment(
    :tenant, {new_id}, :payer, :payee, :amount, '11111111-1111-4111-8111-111111111111', null)
"""
BATCH_OF_ONE = """
\\set low least(:payer, :payee)
\\set high greatest(:payer, :payee)
\\set payer_at case when :payer < :payee then 1 else 2 end
select statuses, payer_balances, payer_versions, payee_balances, payee_versions, judged_at_us
  from payhub.post_payments(
    array[:tenant, :tenant]::int[], array[:low, :high]::bigint[],
    array[:tenant]::int[], array[{new_id}],
    array[:payer]::bigint[], array[:payee]::bigint[], array[:payer_at]::int[], array[3 - :payer_at]::int[],
    array[:amount]::bigint[], array[null]::bytea[],
    array['11111111-1111-4111-8111-111111111111']::uuid[], null)
"""
VARIANTS = {"by hand": BY_HAND, "batch of one": BATCH_OF_ONE}


Prove: TypeAlias = Callable[[Sequence[Payment], Any], None]


class PostingError(Exception):
    """The measurement cannot go on, or its result is not right: one sentence."""


class Contender(NamedTuple):
    """One way to run pgbench."""

    variant: str
    clients: int


class Kind(NamedTuple):
    """What the payments are like."""

    name: str
    is_hot: bool = False  # every payment goes to one merchant
    refused_share: float = 0.0
    is_mix: bool = False  # whole lives of payments, with fees: loadtest/mix.py


UNIFORM, HOT, REFUSED, MIX = (
    Kind("uniform"),
    Kind("hot", is_hot=True),
    Kind("refused", refused_share=REFUSED_SHARE),
    Kind("mix", is_mix=True),
)


class Bench:
    """One database, and both ways to post into it."""

    def __init__(
        self, url: str, bin_dir: Path, folder: Path, tenants: Sequence[int], batch_size: int, ids: str
    ) -> None:
        self._url = url
        self._bin_dir = bin_dir
        self._tenants = tenants
        self._batch_size = batch_size
        self._folder = folder
        self._ids = ids
        self._asked_by = str(uuid.uuid4())
        for kind in (UNIFORM, HOT):
            for variant in VARIANTS:
                self._script(variant, kind).write_text(_script_text(variant, kind, ids))

    def pgbench(self, contender: Contender, kind: Kind, seconds: int) -> float:
        """Transactions per second that pgbench reaches."""
        clients = str(contender.clients)
        threads = str(min(contender.clients, os.cpu_count() or 1))
        command = [str(self._bin_dir / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--time={seconds}"]
        command += [f"--client={clients}", f"--jobs={threads}", f"--define=first_tenant={self._tenants[0]}"]
        script = self._script(contender.variant, kind)
        done = subprocess.run([*command, f"--file={script}", self._url], capture_output=True, text=True, check=False)
        found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
        if done.returncode or found is None:
            raise PostingError(f"pgbench failed: {done.stderr.strip()[-500:]}")
        return float(found[1])

    async def batched(
        self, connections: Sequence["asyncpg.Connection[Any]"], kind: Kind, seconds: int, prove: Prove | None = None
    ) -> float:
        """Payments per second through post_payments on these connections, refused ones included.

        `prove` is called with each batch and what became of it, and its time counts.
        """
        count = BATCHED_PER_SECOND_MAX * seconds // self._batch_size
        mix = Mix(self._tenants, self._batch_size, MAKERS[self._ids], _draw_parties, self._asked_by)
        waiting = [mix.batch() if kind.is_mix else self._invent(kind) for _ in range(count)]
        waiting.reverse()  # taken from the end: first made, first posted
        payments = {} if prove is None else {id(batch): _payments(batch) for batch in waiting}
        statement = POST_MIX if kind.is_mix else POST if prove is None else POST_AND_TELL
        statements = [await connection.prepare(statement) for connection in connections]
        answers: list[list[int]] = []
        gc.collect()
        gc.disable()
        began = time.perf_counter()
        deadline = began + seconds

        async def post(statement: Any) -> None:
            while waiting and time.perf_counter() < deadline:
                batch = waiting.pop()
                row = await statement.fetchrow(*batch)
                answers.append(row[0])
                if prove is not None:
                    prove(payments.pop(id(batch)), row)

        try:
            await asyncio.gather(*map(post, statements))
            took = time.perf_counter() - began
        finally:
            gc.enable()
        _check(answers, kind)
        return sum(map(len, answers)) / took

    def _invent(self, kind: Kind) -> tuple[Any, ...]:
        """A batch as the arrays that post_payments takes."""
        size, make_id = self._batch_size, MAKERS[self._ids]
        tenants = random.choices(self._tenants, k=size)
        payers = [FIRST_ACCOUNT + random.randrange(1, ACCOUNTS) for _ in range(size)]
        if kind.refused_share:
            for at in range(size):
                if random.random() < kind.refused_share:
                    payers[at] = FIRST_ACCOUNT + ACCOUNTS + random.randrange(POOR_ACCOUNTS)
        payees = [FIRST_ACCOUNT] * size if kind.is_hot else [_other_than(payer) for payer in payers]
        payer_keys = list(zip(tenants, payers, strict=True))
        payee_keys = list(zip(tenants, payees, strict=True))
        accounts = sorted({*payer_keys, *payee_keys})
        position = {key: at for at, key in enumerate(accounts, start=1)}
        return (
            [tenant for tenant, _ in accounts],
            [account for _, account in accounts],
            tenants,
            [make_id() for _ in range(size)],
            payers,
            payees,
            [position[key] for key in payer_keys],
            [position[key] for key in payee_keys],
            [random.randrange(1, 100) for _ in range(size)],
            [None] * size,
            [self._asked_by] * size,
            None,
        )

    def _script(self, variant: str, kind: Kind) -> Path:
        return self._folder / f"{variant}-{kind.name}.sql".replace(" ", "-")


def _payments(batch: tuple[Any, ...]) -> list[Payment]:
    """What a plain batch asks for, one by one."""
    _, _, tenants, ids, payers, payees, _, _, amounts, _, asked_by, _ = batch
    return list(map(Payment, tenants, ids, payers, payees, amounts, asked_by))


def _script_text(variant: str, kind: Kind, ids: str) -> str:
    numbers = {"first": FIRST_ACCOUNT, "accounts": ACCOUNTS, "tenants": TENANTS}
    payee = str(FIRST_ACCOUNT) if kind.is_hot else UNIFORM_PAYEE.format(**numbers)
    call = VARIANTS[variant].replace("\n    ", " ").replace("{new_id}", IN_SQL[ids])
    return SCRIPT_HEAD.format(payee=payee, **numbers) + call


def _draw_parties() -> tuple[int, int]:
    payer = FIRST_ACCOUNT + random.randrange(ACCOUNTS)
    return payer, _other_than(payer)


def _other_than(payer: int) -> int:
    payee = FIRST_ACCOUNT + random.randrange(ACCOUNTS)
    return payee if payee != payer else FIRST_ACCOUNT


def _check(answers: Sequence[Sequence[int]], kind: Kind) -> None:
    statuses = [status for answer in answers for status in answer]
    refused = statuses.count(INSUFFICIENT_FUNDS)
    if refused + statuses.count(POSTED) != len(statuses):
        raise PostingError(f"Payments were refused for unexpected reasons: {sorted(set(statuses))}.")
    if abs(refused / max(len(statuses), 1) - kind.refused_share) > 0.02:
        raise PostingError(f"{refused} of {len(statuses)} payments were refused, not {kind.refused_share:.0%}.")


async def measure(
    stack: Stack,
    admin_url: str,
    bin_dir: Path,
    report: Reporter,
    *,
    seconds: int,
    rounds: int,
    batch: int,
    connections: int,
    ids: str = "v7",
    clients: Sequence[int] = CLIENTS,
    mix: bool = False,
) -> dict[str, Any]:
    """Run all contenders in turns and give the figures. Raises PostingError."""
    async with own_database(stack, admin_url) as url:
        with tempfile.TemporaryDirectory(prefix="payhub-pgbench-") as folder:
            tenants = await prepare(url)
            bench = Bench(as_role(url), bin_dir, Path(folder), tenants, batch, ids)
            pool = [await connect(as_role(url)) for _ in range(connections)]
            try:
                figures = await _rounds(bench, pool, report, seconds, rounds, clients, url if mix else None)
            finally:
                for connection in pool:
                    await connection.close()
            await _check_books(url)
    return figures | {"batch": batch, "connections": connections, "ids": ids, "rounds": rounds, "seconds_each": seconds}


async def _rounds(
    bench: Bench,
    pool: Sequence["asyncpg.Connection[Any]"],
    report: Reporter,
    seconds: int,
    rounds: int,
    clients: Sequence[int],
    mix_url: str | None,
) -> dict[str, Any]:
    contenders = [Contender(variant, count) for variant in VARIANTS for count in clients]
    kinds = (UNIFORM, HOT, REFUSED) if mix_url is None else (UNIFORM, HOT, REFUSED, MIX)
    steps = 2 * len(contenders) + rounds * (2 * FINALISTS + len(kinds))
    done = 0
    with report.progress("measurements", steps) as bar:

        def step() -> None:
            nonlocal done
            done += 1
            bar.reach(done)

        sweeps: dict[Kind, dict[Contender, float]] = {}
        for kind in (UNIFORM, HOT):
            sweeps[kind] = {}
            for contender in contenders:
                sweeps[kind][contender] = await asyncio.to_thread(bench.pgbench, contender, kind, max(1, seconds // 2))
                step()
        finalists = {kind: sorted(found, key=found.__getitem__)[-FINALISTS:] for kind, found in sweeps.items()}
        singly: dict[tuple[Kind, Contender], list[float]] = {}
        together: dict[Kind, list[float]] = {}
        for _ in range(rounds):
            for kind in kinds:
                if mix_url is not None:
                    await _charge_fees(mix_url, is_on=kind.is_mix)
                together.setdefault(kind, []).append(await bench.batched(pool, kind, seconds))
                step()
                for contender in finalists.get(kind, ()):
                    figure = await asyncio.to_thread(bench.pgbench, contender, kind, seconds)
                    singly.setdefault((kind, contender), []).append(figure)
                    step()
    best = {kind: _best(singly, kind) for kind in (UNIFORM, HOT)}
    return _figures(best, {kind: statistics.median(found) for kind, found in together.items()}, sweeps)


def _best(singly: dict[tuple[Kind, Contender], list[float]], kind: Kind) -> tuple[Contender, float]:
    medians = {contender: statistics.median(found) for (of, contender), found in singly.items() if of == kind}
    contender = max(medians, key=medians.__getitem__)
    return contender, medians[contender]


def _figures(
    best: dict[Kind, tuple[Contender, float]],
    batched: dict[Kind, float],
    sweeps: dict[Kind, dict[Contender, float]],
) -> dict[str, Any]:
    (winner, single), (hot_winner, hot_single) = best[UNIFORM], best[HOT]
    return {
        "pgbench_best": round(single),
        "pgbench_best_with": f"{winner.variant}, {winner.clients} clients",
        "pgbench_hot_best": round(hot_single),
        "pgbench_hot_best_with": f"{hot_winner.variant}, {hot_winner.clients} clients",
        "batched_uniform": round(batched[UNIFORM]),
        "batched_hot": round(batched[HOT]),
        "batched_refused": round(batched[REFUSED]),
        "ratio_uniform": round(batched[UNIFORM] / single, 2),
        "ratio_hot": round(batched[HOT] / single, 2),
        "ratio_refused": round(batched[REFUSED] / single, 2),
        "ratio_hot_like_for_like": round(batched[HOT] / hot_single, 2),
        **(
            {"batched_mix": round(batched[MIX]), "ratio_mix": round(batched[MIX] / single, 2)} if MIX in batched else {}
        ),
        "pgbench": {
            f"{kind.name}, {contender.variant}, {contender.clients} clients": round(figure)
            for kind, found in sweeps.items()
            for contender, figure in found.items()
        },
    }


@asynccontextmanager
async def own_database(stack: Stack, admin_url: str) -> AsyncIterator[str]:
    """An empty database next to the others, migrated, and dropped in the end."""
    name = f"payhub_posting_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute(f"create database {name}")
        try:
            url = _with_database(admin_url, name)
            await asyncio.to_thread(stack.run, "migrate", PAYHUB_DATABASE_URL=url, PAYHUB_ADMIN_DATABASE_URL=url)
            yield url
        finally:
            await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


async def prepare(url: str) -> list[int]:
    """Tenants and accounts, and the function by hand. Gives the tenants' numbers, one after the other."""
    admin = await connect(url)
    try:
        if await admin.fetchval("show fsync") != "on" or await admin.fetchval("show synchronous_commit") != "on":
            raise PostingError("fsync and synchronous_commit must be on: without them nothing here means anything.")
        await admin.execute(SINGLE_PAYMENT.read_text())
        tenants = [await admin.fetchval(OPEN_TENANT, f"posting-{number}") for number in range(TENANTS)]
        if tenants != list(range(tenants[0], tenants[0] + TENANTS)):
            raise PostingError(f"The tenants' numbers have a gap ({tenants}); pgbench draws from a range.")
        for tenant in tenants:
            await admin.execute(OPEN_ACCOUNTS, tenant, FIRST_ACCOUNT, ACCOUNTS, MONEY, POOR_ACCOUNTS)
            await admin.execute(SET_TERMS, tenant)
        await admin.execute("vacuum analyze accounts")
    finally:
        await admin.close()
    return tenants


async def _charge_fees(url: str, *, is_on: bool) -> None:
    """Fees for the mix alone: plain payments are measured as everywhere."""
    admin = await connect(url)
    try:
        await admin.execute(PUT_UNDER_TERMS, 1 if is_on else None, FIRST_ACCOUNT)
        await admin.execute("vacuum analyze accounts")
    finally:
        await admin.close()


async def _check_books(url: str) -> None:
    """After all that, no money appeared or vanished."""
    admin = await connect(url)
    try:
        total = await admin.fetchval("select sum(balance) from accounts")
    finally:
        await admin.close()
    if total != TENANTS * ACCOUNTS * MONEY:
        raise PostingError(f"The balances sum up to {total}, not to {TENANTS * ACCOUNTS * MONEY}.")


async def connect(url: str) -> "asyncpg.Connection[Any]":
    """A connection that finds Payhub's tables."""
    return await asyncpg.connect(url, server_settings={"search_path": SCHEMA})


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def as_role(url: str) -> str:
    """The same login in the role that serves: it owns nothing and stands behind the tenant wall."""
    parts = urlsplit(url)
    options = urlencode({"options": f"-crole={ROLE}"})
    return urlunsplit(parts._replace(query=f"{parts.query}&{options}" if parts.query else options))

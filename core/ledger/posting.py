"""One call that posts a batch: a list of payments in, a list of answers out, in the same order.

It turns rows into the arrays that core/sql/functions/post_payments.sql reads. It decides nothing
about money and never retries.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from core.database import (
    POST_TIMEOUT_S,
    Connection,
    Doubts,
    RawConnection,
    connect,
    is_payments_fault,
    is_rolled_back,
    without_doubt,
)
from core.errors import OutcomeUnknown
from core.keys.safe import Safe
from core.ledger.words import Words as Stored
from core.ledger.words import open_words, seal_words
from core.nouns import BEGINNING, Kind, Leg, Payment, PaymentStatus, Posting, SystemAccount

POST_PAYMENTS = """
select statuses, payer_balances, payer_versions, payee_balances, payee_versions, judged_at_us,
       holds, payer_helds, fees, fee_balances, fee_versions, shareds, share_balances, share_versions,
       amounts, rules, actions, batches
  from post_payments($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                     $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)
"""
# What the answer to a plain payment says of everything between its time and its batch.
NO_EXTRA = tuple(Posting._field_defaults.values())[:-2]
READ_WORDS = "select asked_by::text, description_sealed, description from read_payments($1, $2)"

# Each payment's description as it is sealed; None: nobody wrote anything.
Words: TypeAlias = Sequence[bytes | None] | None
Post: TypeAlias = Callable[[Sequence[Payment], Words], Awaitable[list[Posting]]]
Read: TypeAlias = Callable[[int, str], Awaitable[asyncpg.Record | None]]

# What a batch of plain payments says of everything else.
NOTHING_ELSE = (None,) * 14


async def post_payments(connection: Connection, batch: Sequence[Payment], keys: Safe | None = None) -> list[Posting]:
    """Judge and post `batch` in order, in one commit, and return one Posting per payment.

    `connection` is outside a transaction: the call is its own. `keys` seal what people wrote: without words, none are
    needed. Raises OutcomeUnknown when the commit may not survive a failover, KeysUnavailable, or asyncpg's error (see
    core.database.is_rolled_back for what it proves).
    """

    async def post(sealed: Sequence[Payment], words: Words) -> list[Posting]:
        async with without_doubt(connection):
            row = await connection.fetchrow(POST_PAYMENTS, *_arrays(sealed, words), timeout=POST_TIMEOUT_S)
        return _postings(row, sealed)

    async def read(tenant_id: int, id_: str) -> asyncpg.Record | None:
        return await connection.fetchrow(READ_WORDS, tenant_id, [id_])

    return await _post_sealed(post, read, batch, keys)


async def _post_sealed(post: Post, read: Read, batch: Sequence[Payment], keys: Safe | None) -> list[Posting]:
    """Seal the words, and post. Words that differ as they are sealed may be the same: then the first answer holds."""
    words = await seal_words(keys, batch)
    postings = await post(batch, words)
    if words is None:
        return postings
    for at, (payment, posting) in enumerate(zip(batch, postings, strict=True)):
        differs = posting.status == PaymentStatus.EXISTS_WITH_DIFFERENT_DESCRIPTION
        if not differs or payment.description is None or payment.group is not None:
            continue
        # Sealed by an older key of its author's, or by another author's: asked again by somebody else of the house.
        known = await read(payment.tenant_id, payment.id)
        if known is None:
            continue
        (plain,) = await open_words(keys, payment.tenant_id, [Stored(payment.id, *known)])
        if plain == payment.description:
            postings[at] = (await post([payment], [known["description_sealed"]]))[0]
    return postings


class Poster:
    """A connection that does nothing but post, kept open and its statement prepared: a batch is one round trip.

    It is used by one batch at a time. After any failure that leaves the connection in doubt it takes a new one.
    """

    def __init__(self, url: str, keys: Safe | None = None) -> None:
        self._url = url
        self._keys = keys
        self._connection: RawConnection | None = None
        self._statement: PreparedStatement | None = None
        self._doubts = Doubts()

    async def post(self, batch: Sequence[Payment]) -> list[Posting]:
        """As `post_payments`; also raises Unavailable when PostgreSQL cannot be reached."""
        return await _post_sealed(self._send, self._read, batch, self._keys)

    async def _read(self, tenant_id: int, id_: str) -> asyncpg.Record | None:
        await self.open()
        assert self._connection is not None
        return await self._connection.fetchrow(READ_WORDS, tenant_id, [id_])

    async def _send(self, batch: Sequence[Payment], words: Words) -> list[Posting]:
        await self.open()
        assert self._statement is not None
        self._doubts.heard = False
        try:
            row = await self._statement.fetchrow(*_arrays(batch, words), timeout=POST_TIMEOUT_S)
        except BaseException as error:
            # Also when cancelled: the batch may still be running there, and must not meet the next one. And when
            # the server is at fault: after a failover, another one answers to the same name.
            if not (is_rolled_back(error) and is_payments_fault(error)):
                self.close()
            raise
        if self._doubts.heard:
            raise OutcomeUnknown
        return _postings(row, batch)

    async def open(self) -> None:
        """Connect and plan before the first batch, which would wait for it. Raises Unavailable."""
        if self._connection is None or self._connection.is_closed():
            await self._connect()

    def close(self) -> None:
        """Let go of the connection at once."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = self._statement = None

    async def _connect(self) -> None:
        connection = await connect(self._url, name="payhub-posting")
        connection.add_log_listener(self._doubts)
        try:
            self._statement = await connection.prepare(POST_PAYMENTS, timeout=POST_TIMEOUT_S)
        except BaseException:
            # Kept without its statement, it would be of no use to any batch to come.
            connection.terminate()
            raise
        self._connection = connection


class Posters:
    """As many Posters as batches may be under way at once."""

    def __init__(self, url: str, count: int, keys: Safe | None = None) -> None:
        self._all = [Poster(url, keys) for _ in range(count)]
        self._free = list(self._all)

    async def __call__(self, batch: Sequence[Payment]) -> list[Posting]:
        """Post with a free Poster. The caller never has more batches under way than there are Posters."""
        poster = self._free.pop()
        try:
            return await poster.post(batch)
        finally:
            self._free.append(poster)

    async def open(self) -> None:
        """Connect all of them. Raises Unavailable."""
        for poster in self._all:
            await poster.open()

    def close(self) -> None:
        """Let go of every connection."""
        for poster in self._all:
            poster.close()


def _postings(row: asyncpg.Record | None, batch: Sequence[Payment]) -> list[Posting]:
    assert row is not None
    plain, extra, batches = row[:6], row[6:-1], row[-1]
    nothing: Sequence[Any] = (None,) * len(batch)
    if all(given is None for given in extra):
        if batches is None:
            return list(map(Posting, *plain))
        return [
            Posting._make((*answer, *NO_EXTRA, number, None))
            for answer, number in zip(zip(*plain, strict=True), batches, strict=True)
        ]
    holds, helds, fees, fee_balances, fee_versions, shareds, share_balances, share_versions, amounts, rules, actions = (
        given or nothing for given in extra
    )
    postings = [
        Posting._make((*answer, hold or 0, held, fee or 0, shared or 0, amount, rule, action, (), number, None))
        for answer, hold, held, fee, shared, amount, rule, action, number in zip(
            zip(*plain, strict=True),
            holds,
            helds,
            fees,
            shareds,
            amounts,
            rules,
            actions,
            batches or nothing,
            strict=True,
        )
    ]
    first = 0
    for at, (payment, posting) in enumerate(zip(batch, postings, strict=True)):
        legs: tuple[Leg, ...] = ()
        if posting.fee:
            legs = (Leg(SystemAccount.FEES, posting.fee, fee_balances[at], fee_versions[at]),)
        last = first + len(payment.shares)
        # Of a payment known from before, the shares are not told again: they were events of their own.
        if payment.shares and share_versions[first] is not None:
            sign = 1 if posting.shared > 0 else -1
            legs += tuple(
                Leg(account, sign * amount, balance, version)
                for (account, amount), balance, version in zip(
                    payment.shares, share_balances[first:last], share_versions[first:last], strict=True
                )
            )
        first = last
        if legs:
            postings[at] = posting._replace(legs=legs)
    return postings


def _arrays(batch: Sequence[Payment], words: Words) -> tuple[object, ...]:
    tenants, ids, payers, payees, amounts, asked_by, _, kinds, *others = zip(*batch, strict=True)
    subjects, charges, _, _, _, shares, metadata, sessions_at, groups, sessions = others
    payer_keys = list(zip(tenants, payers, strict=True))
    payee_keys = list(zip(tenants, payees, strict=True))
    accounts = {*payer_keys, *payee_keys}
    has_shares = any(shares)
    if has_shares:
        accounts.update((payment.tenant_id, account) for payment in batch for account, _ in payment.shares)
    # One locking order for every batch everywhere: by tenant, then account; the fees accounts after all others,
    # because whether they are needed is known only when the others have been read.
    has_fees = SystemAccount.FEES in payers or SystemAccount.FEES in payees
    ordered = sorted(accounts, key=_locking_order) if has_fees or has_shares else sorted(accounts)
    position = dict(zip(ordered, range(1, len(ordered) + 1), strict=True))
    is_plain = not (any(kinds) or any(charges) or has_shares or any(metadata) or any(groups))
    return (
        [tenant for tenant, _ in ordered],
        [account for _, account in ordered],
        tenants,
        ids,
        payers,
        payees,
        [position[key] for key in payer_keys],
        [position[key] for key in payee_keys],
        amounts,
        words or [None] * len(batch),
        asked_by,
        _first_copies(tenants, ids),
        sessions_at if any(sessions_at) else None,
        *(NOTHING_ELSE if is_plain else (kinds, subjects, charges, *_rest(batch, position))),
        sessions if any(sessions) else None,
    )


def _locking_order(key: tuple[int, int]) -> tuple[bool, int, int]:
    tenant, account = key
    return account == SystemAccount.FEES, tenant, account


def _rest(batch: Sequence[Payment], position: Mapping[tuple[int, int], int]) -> tuple[object, ...]:
    """The arrays that only steps, charges, shares, metadata and groups need, from `options` on."""
    # What steps are about and what is paid, each once; an authorization is about itself.
    about = {(payment.tenant_id, payment.subject) for payment in batch if payment.subject is not None}
    about.update((payment.tenant_id, payment.charge) for payment in batch if payment.charge is not None)
    about.update((payment.tenant_id, payment.id) for payment in batch if payment.kind == Kind.AUTHORIZE)
    places: dict[tuple[int, str | None], int] = {key: at for at, key in enumerate(sorted(about), start=1)}
    shares_from: list[int | None] = []
    shares_to: list[int | None] = []
    share_at: list[int] = []
    share_amounts: list[int] = []
    for payment in batch:
        if payment.shares:
            shares_from.append(len(share_at) + 1)
            share_at += [position[payment.tenant_id, account] for account, _ in payment.shares]
            share_amounts += [amount for _, amount in payment.shares]
            shares_to.append(len(share_at))
        else:
            shares_from.append(None)
            shares_to.append(None)
    groups = [payment.group for payment in batch]
    return (
        [_options(payment) for payment in batch],
        [payment.metadata for payment in batch],
        *(([tenant for tenant, _ in places], [id_ for _, id_ in places]) if places else (None, None)),
        [
            places.get((payment.tenant_id, payment.id if payment.kind in BEGINNING else payment.subject))
            for payment in batch
        ],
        [None if payment.charge is None else places[payment.tenant_id, payment.charge] for payment in batch]
        if any(payment.charge is not None for payment in batch)
        else None,
        groups if any(groups) else None,
        *((shares_from, shares_to, share_at, share_amounts) if share_at else (None,) * 4),
    )


def _options(payment: Payment) -> str | None:
    options: dict[str, object] = {}
    if payment.lasts_s is not None:
        options["lasts_s"] = payment.lasts_s
    if payment.is_final:
        options["final"] = True
    if payment.as_available:
        options["available"] = payment.amount
    if payment.shares:
        options["shares"] = payment.shares
    return json.dumps(options) if options else None


def _first_copies(tenants: Sequence[int], ids: Sequence[str]) -> list[int] | None:
    """For each payment the position of its id's first copy in the batch, or None if no id repeats."""
    keys = list(zip(tenants, ids, strict=True))
    if len(set(keys)) == len(keys):
        return None
    first: dict[tuple[int, str], int] = {}
    return [first.setdefault(key, at) for at, key in enumerate(keys, start=1)]

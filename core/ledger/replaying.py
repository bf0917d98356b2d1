"""Streams every payment that was done to a replay (core/ledger/replay.py), tenant by tenant, in one snapshot.

It reads alone, needs no key, and works on a live database as on one that came out of a backup. The server sorts; here
is held what a replay holds.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from core.database import Connection
from core.ledger.replay import Divergence, Done, Life, Replay

# Rows at a time: a few megabytes.
PAGE_LENGTH: Final = 5_000
# The first page waits until the server has sorted everything.
TIMEOUT_S: Final = 6 * 3_600.0

COUNT = "select count(*) from payhub.payments where tenant_id = $1 and payer_version is not null"
READ_DONE = """
select done.id::text, done.kind, done.status, done.payer, done.payee, done.amount,
       done.payer_version, done.payee_version, done.payer_balance, done.payee_balance,
       (extract(epoch from done.judged_at) * 1000000)::bigint as judged_at_us,
       coalesce(done.hold, 0) as hold, done.payer_held,
       coalesce(done.fee, 0) as fee, done.fee_version, done.fee_balance,
       coalesce(done.shared, 0) as shared, done.subject::text, done.options,
       parts.accounts, parts.amounts, parts.versions, parts.balances,
       root.kind as root_kind, root.payer as root_payer, root.payee as root_payee, root.amount as root_amount,
       life.payment_id is not null as has_life, life.held, life.captured, life.refunded, life.disputed,
       life.fee as life_fee, life.fee_returned, life.shared as life_shared, life.capture_max,
       (extract(epoch from life.expires_at) * 1000000)::bigint as expires_at_us, life.in_review
  from payhub.payments as done
  left join payhub.standings as life
         on life.tenant_id = done.tenant_id and life.payment_id = coalesce(done.subject, done.id)
  left join payhub.payments as root
         on root.tenant_id = done.tenant_id and root.id = done.subject and root.payer_version is not null
  left join (
      select shares.payment_id, array_agg(shares.account_id order by shares.account_id) as accounts,
             array_agg(shares.amount order by shares.account_id) as amounts,
             array_agg(shares.version order by shares.account_id) as versions,
             array_agg(shares.balance order by shares.account_id) as balances
        from payhub.shares
       where shares.tenant_id = $1
       group by shares.payment_id
  ) as parts on parts.payment_id = done.id
 where done.tenant_id = $1 and done.payer_version is not null
 order by done.judged_at, done.payer_version
"""
# A row whose versions were taken away from a payment that was done, or of one that was not done and has some.
STATUS_AND_VERSIONS = """
select payments.id::text, payments.status
  from payhub.payments
 where payments.tenant_id = $1 and (payments.status in (0, 1)) <> (payments.payer_version is not null)
 limit 1
"""
# Shares of payments that were not done, or are not there.
LOST_SHARES = """
select shares.payment_id::text, shares.account_id
  from payhub.shares
  left join payhub.payments
         on payments.tenant_id = shares.tenant_id and payments.id = shares.payment_id
        and payments.payer_version is not null
 where shares.tenant_id = $1 and payments.id is null
 limit 1
"""
LOST_LIVES = """
select standings.payment_id::text
  from payhub.standings
  left join payhub.payments
         on payments.tenant_id = standings.tenant_id and payments.id = standings.payment_id
        and payments.payer_version is not null
 where standings.tenant_id = $1 and payments.id is null
 limit 1
"""
ACCOUNTS = "select id, balance, held, version from payhub.accounts where tenant_id = $1 order by id"
# What was paid of each charge, by its payments.
CHARGES = """
select charges.id::text, charges.paid_count, charges.paid_amount,
       coalesce(paid.count, 0), coalesce(paid.amount, 0)::bigint
  from payhub.charges
  left join (
      select payments.charge, count(*) as count, sum(payments.amount) as amount
        from payhub.payments
       where payments.tenant_id = $1 and payments.charge is not null and payments.status = 0
         and (payments.kind = 0 or payments.kind = 10 and payments.hold is not null)
       group by payments.charge
  ) as paid on paid.charge = charges.id
 where charges.tenant_id = $1
   and (charges.paid_count <> coalesce(paid.count, 0) or charges.paid_amount <> coalesce(paid.amount, 0))
 order by charges.id
 limit 1
"""


async def count_done(connection: Connection, tenant_id: int) -> int:
    """How many payments there are to replay."""
    return int(await connection.fetchval(COUNT, tenant_id, timeout=TIMEOUT_S))


async def replay_tenant(
    connection: Connection, tenant_id: int, on_progress: Callable[[int], None] | None = None
) -> int:
    """Replay one tenant's payments; how many they are. Raises Divergence with the first that is not as it should be.

    `connection` is an administrator's, in a transaction with one snapshot. `on_progress(payments)` is told now and
    then.
    """
    replay = Replay()
    told = 0
    cursor = await connection.cursor(READ_DONE, tenant_id, timeout=TIMEOUT_S)
    while rows := await cursor.fetch(PAGE_LENGTH, timeout=TIMEOUT_S):
        for row in rows:
            replay.tell(_to_done(row))
        told += len(rows)
        if on_progress is not None:
            on_progress(told)
    accounts = await connection.fetch(ACCOUNTS, tenant_id, timeout=TIMEOUT_S)
    replay.end((id_, balance, held, version) for id_, balance, held, version in accounts)
    await _check_the_rest(connection, tenant_id)
    return replay.count


async def _check_the_rest(connection: Connection, tenant_id: int) -> None:
    """What belongs to no payment that was done."""
    row = await connection.fetchrow(STATUS_AND_VERSIONS, tenant_id, timeout=TIMEOUT_S)
    if row is not None:
        raise Divergence(row[0], "status", "one that fits its numbers", row[1])
    row = await connection.fetchrow(LOST_SHARES, tenant_id, timeout=TIMEOUT_S)
    if row is not None:
        raise Divergence(row[0], f"share of account {row[1]}", "of a payment that was done", "of none")
    row = await connection.fetchrow(LOST_LIVES, tenant_id, timeout=TIMEOUT_S)
    if row is not None:
        raise Divergence(row[0], "standings", "of a payment that was done", "of none")
    row = await connection.fetchrow(CHARGES, tenant_id, timeout=TIMEOUT_S)
    if row is not None:
        charge, count, amount, counted, summed = row
        raise Divergence(None, f"charge {charge}: paid_count, paid_amount", (counted, summed), (count, amount))


def _to_done(row: Any) -> Done:
    subject, options, accounts = row[17], row[18], row[19]
    shares: tuple[tuple[int, int, int, int], ...] = ()
    if accounts is not None:
        shares = tuple(zip(accounts, row[20], row[21], row[22], strict=True))
    is_final, available, lasts_s = False, None, None
    if options is not None:
        asked = json.loads(options)
        is_final, available, lasts_s = "final" in asked, asked.get("available"), asked.get("lasts_s")
    life = Life(*row[28:38]) if row[27] else None
    return Done._make((*row[:17], shares, subject, is_final, available, lasts_s, *row[23:27], life))

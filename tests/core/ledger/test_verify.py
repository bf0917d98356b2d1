"""The books prove, and a planted error of any kind is named."""

import asyncpg
import pytest

from core.database import Pool
from core.ledger.posting import post_payments
from core.ledger.verify import BROKEN_ACCOUNTS, verify
from tests.conftest import PAST_TRIGGERS, Books

PLANTED = {
    "a balance changed": "update payhub.accounts set balance = balance + 1 where tenant_id = $1 and id = $2",
    "a version changed": "update payhub.accounts set version = version + 1 where tenant_id = $1 and id = $2",
    "an amount changed": "update payhub.payments set amount = amount + 1 where tenant_id = $1 and payee = $2 and payee_version = 2",
    "a balance in an entry changed": "update payhub.payments set payee_balance = payee_balance - 1"
    " where tenant_id = $1 and payee = $2 and payee_version = 2",
    "money held for nobody": "update payhub.accounts set held = held + 1 where tenant_id = $1 and id = $2",
    "an entry gone": "delete from payhub.payments where tenant_id = $1 and payee = $2 and payee_version = 2",
    "the last entry gone": "delete from payhub.payments where tenant_id = $1 and payee = $2 and payee_version = 3",
}


@pytest.mark.parametrize("error", PLANTED)
async def test_a_planted_error_is_found(books: Books, pool: Pool, admin: Pool, error: str) -> None:
    async with pool.acquire() as connection:
        await post_payments(connection, [books.payment(0, 1, 5), books.payment(2, 1, 5)])
    async with admin.acquire() as connection:
        before = await verify(connection)
        assert (books.tenant.id, books.account(1)) not in before.broken_accounts
        try:
            async with connection.transaction():
                await connection.execute(PAST_TRIGGERS)
                await connection.execute(PLANTED[error], books.tenant.id, books.account(1))
                found = await connection.fetch(BROKEN_ACCOUNTS)
                raise asyncpg.PostgresError
        except asyncpg.PostgresError:
            pass
    assert (books.tenant.id, books.account(1)) in {(row[0], row[1]) for row in found}

"""A tenant with a payer, a maker and an approver, and bulks made there."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import pytest_asyncio

from core.bulk.bulks import Bulk, Order, approve_bulk, create_bulk, read_bulk
from core.bulk.csv import CsvParser
from core.bulk.lines import Ground, MakeParser
from core.bulk.receiving import receive_file
from core.database import Pool
from tests.conftest import Books
from tests.core.bulk.files import Row, arriving, csv_of


class Desk(NamedTuple):
    """Person 0 makes bulks from account 0, person 1 approves them; accounts 1, 2 and 3 are paid."""

    books: Books
    pool: Pool

    @property
    def tenant_id(self) -> int:
        return self.books.tenant.id

    @property
    def maker(self) -> str:
        return self.books.people[0].person_id

    @property
    def approver(self) -> str:
        return self.books.people[1].person_id

    @property
    def payer(self) -> int:
        return self.books.account(0)

    @property
    def ground(self) -> Ground:
        return Ground(self.payer, False, "BRL", date(2026, 3, 1))

    def rows(self, count: int, amount: int = 1) -> list[Row]:
        return [Row(self.books.account(1 + at % 3), amount, f"line {at + 1}", f"r{at + 1}") for at in range(count)]

    async def create(self, *, is_atomic: bool = False, maker: str | None = None, **order: Any) -> Bulk:
        made = Order(str(uuid.uuid4()), self.payer, is_atomic, **order)
        return await create_bulk(self.pool, self.tenant_id, made, maker or self.maker)

    async def send(
        self, bulk: Bulk, file: bytes | Sequence[Row], make_parser: MakeParser = CsvParser, piece: int = 1 << 16
    ) -> Bulk:
        data = file if isinstance(file, bytes) else csv_of(file)
        return await receive_file(
            self.pool, self.books.keys, self.tenant_id, bulk, make_parser, self.ground, arriving(data, piece)
        )

    async def approved(self, file: bytes | Sequence[Row], **order: Any) -> Bulk:
        bulk = await self.send(await self.create(**order), file)
        return await approve_bulk(self.pool, self.tenant_id, bulk.id, self.approver)

    async def read(self, bulk: Bulk) -> Bulk:
        found = await read_bulk(self.pool, self.tenant_id, bulk.id)
        assert found is not None
        return found

    async def balances(self) -> list[int]:
        async with self.pool.acquire() as connection:
            return [
                await connection.fetchval("select balance from read_account($1, $2)", self.tenant_id, one.account_id)
                for one in self.books.people
            ]


@pytest_asyncio.fixture
async def desk(books: Books, pool: Pool, admin: Pool) -> Desk:
    # What other tests approved and left is not this one's to post.
    await admin.execute("update payhub.bulks set status = 7 where status in (2, 3)")
    return Desk(books, pool)

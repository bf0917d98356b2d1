"""The database of keys, as its administrator sees it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from core.database import Pool, open_pool
from tests.conftest import Database


@pytest_asyncio.fixture(scope="session")
async def keys_admin(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.keys_admin_url, size_max=1, name="payhub-tests")
    yield pool
    await pool.close()

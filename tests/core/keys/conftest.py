"""A pool of the database of keys, and a key service that can be taken away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from core.database import Pool, open_pool
from core.keys.local import LocalKeys
from tests.conftest import Database
from tests.core.keys.weather import Weathered


@pytest_asyncio.fixture
async def store(database: Database) -> AsyncIterator[Pool]:
    pool = await open_pool(database.keys_url, size_max=4, name="payhub-tests-keys")
    yield pool
    await pool.close()


@pytest.fixture
def weathered(master_key_file: Path) -> Weathered:
    return Weathered(LocalKeys(master_key_file))

import pytest

from core.database import Pool
from core.keys.safe import Safe
from core.people.opening import Tenant
from tests.core.people.crowd import Town


@pytest.fixture
def town(pool: Pool, keys: Safe, tenant: Tenant) -> Town:
    return Town(pool, keys, tenant)

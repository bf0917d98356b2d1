"""An installation of its own: databases that nobody else has, and `payhub` on them as an operator types it."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from core.database import Pool, open_pool
from core.migrate import ensure_database
from tests.conftest import Database

ROOT = Path(__file__).parents[1]


class Own(NamedTuple):
    """An installation: its environment, and its ledger's database for the administrator."""

    environment: dict[str, str]
    admin: Pool
    master_key_file: Path

    async def payhub(self, *arguments: str, code: int = 0, typed: str = "", **settings: str) -> str:
        """What `payhub` prints."""
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, str(ROOT / "payhub.py"), *arguments],
            env=self.environment | settings,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, (ended.stdout, ended.stderr)
        assert "Traceback" not in ended.stderr
        return ended.stdout if code == 0 else ended.stderr or ended.stdout

    async def opens(self, slug: str) -> None:
        """Signing keys, keys of tenants and of persons: all are needed for a token of somebody who logs in."""
        assert (await self.payhub("token", "--tenant", slug, "--login", "operator")).startswith("eyJ")


@asynccontextmanager
async def installed(database: Database, folder: Path) -> AsyncIterator[Own]:
    """Make databases, bring them to their shape, and open the tenant acme."""
    name = f"own_{secrets.token_hex(6)}"
    urls = {
        "DATABASE_URL": database.app_url.replace("/payhub?", f"/{name}?"),
        "ADMIN_DATABASE_URL": database.admin_url.replace("/payhub?", f"/{name}?"),
        "KEYS_DATABASE_URL": database.keys_url.replace("/payhub_keys?", f"/{name}_keys?"),
        "KEYS_ADMIN_DATABASE_URL": database.keys_admin_url.replace("/payhub_keys?", f"/{name}_keys?"),
    }
    await ensure_database(urls["ADMIN_DATABASE_URL"])
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PAYHUB_")}
    environment |= {f"PAYHUB_{key}": value for key, value in urls.items()}
    environment |= {"PAYHUB_REDIS_URL": database.redis_url, "PAYHUB_DATA_DIR": str(folder)}
    admin = await open_pool(urls["ADMIN_DATABASE_URL"], size_max=1, name="payhub-tests")
    made = Own(environment, admin, folder / "master.key")
    said = await made.payhub("migrate")
    # The database of keys was not there: it is made, and brought to its shape.
    assert "applied keys/migrations/0001_create_key_store.sql" in said
    assert f"Master key: {folder / 'master.key'}" in said
    await made.payhub("tenant", "create", "acme", "--name", "Acme")
    yield made
    await admin.close()

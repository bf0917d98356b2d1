"""Migrations: applied once, safe from several places, refused when edited; functions follow their files."""

import asyncio
import uuid
from pathlib import Path

import asyncpg
import pytest

from config.embedded import Servers
from core import migrate as room
from core.migrate import MigrationChanged, files, migrate


@pytest.fixture
async def fresh_url(servers: Servers) -> str:
    admin = await asyncpg.connect(servers.admin_database_url)
    name = f"fresh_{uuid.uuid4().hex}"
    try:
        await admin.execute(f"create database {name}")
    finally:
        await admin.close()
    return servers.postgres.url("postgres", name)


async def test_everything_is_applied_once(fresh_url: str) -> None:
    assert await migrate(fresh_url) == [name for name, _, _ in files()]
    assert await migrate(fresh_url) == []


async def test_four_at_once_apply_everything_once(fresh_url: str) -> None:
    applied = await asyncio.gather(*(migrate(fresh_url) for _ in range(4)))
    assert sorted(len(each) for each in applied)[:3] == [0, 0, 0]
    assert max(len(each) for each in applied) == len(list(files()))


async def test_an_edited_migration_is_refused_and_an_edited_function_is_applied_again(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("migrations", "views", "functions", "policies"):
        (tmp_path / folder).mkdir()
    table = tmp_path / "migrations" / "0001_create_things.sql"
    function = tmp_path / "functions" / "one.sql"
    table.write_text("create table things (id int)")
    function.write_text("create or replace function one() returns int language sql as 'select 1'")
    monkeypatch.setattr(room, "SQL", tmp_path)
    await migrate(fresh_url)

    function.write_text("create or replace function one() returns int language sql as 'select 2'")
    assert await migrate(fresh_url) == ["functions/one.sql"]
    table.write_text("create table things (id bigint)")
    with pytest.raises(MigrationChanged, match="0001_create_things"):
        await migrate(fresh_url)


async def test_a_failed_file_leaves_nothing_behind(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_good.sql").write_text("create table good (id int)")
    (tmp_path / "migrations" / "0002_bad.sql").write_text("create table bad (id nonsense)")
    monkeypatch.setattr(room, "SQL", tmp_path)

    with pytest.raises(asyncpg.UndefinedObjectError):
        await migrate(fresh_url)
    connection = await asyncpg.connect(fresh_url)
    assert await connection.fetchval("select to_regclass('payhub.good')") is None
    await connection.close()


def test_a_function_file_holds_one_function_of_its_own_name() -> None:
    for name, text, _ in files():
        if name.startswith("functions/"):
            stem = name.removeprefix("functions/").removesuffix(".sql")
            assert text.count("create or replace function") == 1, name
            assert f"create or replace function {stem}(" in text, name
            assert f"revoke all on function {stem} from public" in text, name

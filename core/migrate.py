"""Brings a database to this version's shape.

Migrations change tables: each file runs once, in the order of its number, and never changes again.
Functions, views and policies are re-applied whenever their text changes. It never drops data.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from core.errors import CoreError

SQL = Path(__file__).parent / "sql"
# Any constant will do, as long as every migrator of a database uses the same one.
ADVISORY_LOCK = 7_234_905_511
# A migration that waits longer than this for a table holds up every payment behind it.
LOCK_TIMEOUT_MS = 4_000


class MigrationChanged(CoreError):
    """A migration that was already applied has been edited. Write a new one instead."""


async def migrate(url: str, sql: Path | None = None) -> list[str]:
    """Apply what is missing, all in one transaction, and name it.

    `url` logs in as a role that may create roles and schemas (on a managed server: its administrator).
    `sql` is a folder of another database's files, with the same folders in it. Safe to run from several places at once.
    Raises MigrationChanged, or asyncpg's errors.
    """
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", ADVISORY_LOCK)
            await connection.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS}")
            await connection.execute("create schema if not exists payhub")
            await connection.execute("set local search_path = payhub")
            await connection.execute(
                "create table if not exists payhub.applied_files"
                " (name text primary key, hash text not null, applied_at timestamptz not null default now())"
            )
            rows = await connection.fetch("select name, hash from payhub.applied_files")
            known = {row["name"]: row["hash"] for row in rows}
            return [name async for name in _apply_missing(connection, known, sql or SQL)]
    finally:
        await connection.close()


async def ensure_database(url: str) -> bool:
    """Create the database that a URL names, unless it is there; says whether it did.

    The login has to be allowed to, and to log in to the database `postgres`.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    connection = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
    try:
        if await connection.fetchval("select true from pg_database where datname = $1", name):
            return False
        await connection.execute(f'create database "{name.replace(chr(34), chr(34) * 2)}"')
    except asyncpg.DuplicateDatabaseError:
        return False
    finally:
        await connection.close()
    return True


def files(sql: Path | None = None) -> Iterator[tuple[str, str, bool]]:
    """Every SQL file in the order of application: its name, its text, and whether it may change later."""
    for folder, repeatable in (("migrations", False), ("views", True), ("functions", True), ("policies", True)):
        for path in sorted(((sql or SQL) / folder).glob("*.sql")):
            yield f"{folder}/{path.name}", path.read_text(), repeatable


async def _apply_missing(
    connection: asyncpg.Connection[asyncpg.Record], known: dict[str, str], sql: Path
) -> AsyncIterator[str]:
    for name, text, repeatable in files(sql):
        digest = hashlib.sha256(text.encode()).hexdigest()
        if known.get(name) == digest:
            continue
        if name in known and not repeatable:
            raise MigrationChanged(f"{name} was already applied and has been edited. Write a new migration instead.")
        await connection.execute(text)
        await connection.execute(
            "insert into payhub.applied_files (name, hash) values ($1, $2)"
            " on conflict (name) do update set hash = excluded.hash, applied_at = now()",
            name,
            digest,
        )
        yield name

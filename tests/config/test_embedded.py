"""The embedded servers, started for real."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from redis import Redis

from config import embedded
from config.embedded import (
    SUPERUSER,
    EmbeddedError,
    EmbeddedPostgres,
    EmbeddedValkey,
    postgres_binaries,
    socket_folder,
    temporary_servers,
)
from config.guardian import started_at
from tests.config.conftest import gone, wait_until


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_postgres_is_18_durable_and_keeps_its_data(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir)
    postgres.start()
    url = postgres.url(SUPERUSER)
    try:
        assert str(await ask(url, "show server_version_num")).startswith("18")
        for setting in ("fsync", "synchronous_commit", "data_checksums", "full_page_writes"):
            assert await ask(url, f"show {setting}") == "on"
        assert await ask(url, "show listen_addresses") == ""
        assert await ask(url, "select lower('ÇÃO')") == "ção"
        await ask(url, "create table kept (value int)")
        await ask(url, "insert into kept values (7)")
    finally:
        postgres.stop()
    again = EmbeddedPostgres(data_dir)
    again.start()
    try:
        assert again.url(SUPERUSER) == url
        assert await ask(url, "select value from kept") == 7
    finally:
        again.stop()
    assert not (again.folder / "postmaster.pid").exists()


def test_postgres_never_runs_as_root(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir, durable=False)
    postgres.start()
    try:
        assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0
        assert postgres.folder.stat().st_uid != 0
        assert socket_folder(data_dir).stat().st_uid == os.geteuid()
    finally:
        postgres.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL is another user")
async def test_root_in_a_closed_folder_keeps_its_data_where_postgres_can_reach_it(data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    postgres = EmbeddedPostgres(data_dir, durable=False)
    postgres.start()
    try:
        assert await ask(postgres.url(SUPERUSER), "select 1") == 1
        assert not postgres.folder.is_relative_to(data_dir.parent)
        assert (data_dir / "postgres").resolve() == postgres.folder
        assert data_dir.parent.stat().st_mode & 0o777 == 0o700
    finally:
        postgres.stop()


async def test_a_server_left_over_from_a_crash_is_stopped_first(data_dir: Path) -> None:
    lost = EmbeddedPostgres(data_dir, durable=False)
    lost.start()
    postgres = EmbeddedPostgres(data_dir, durable=False)
    postgres.start()
    try:
        assert lost.exited() == 0
        assert postgres.pid != lost.pid
        assert await ask(postgres.url(SUPERUSER), "select 1") == 1
    finally:
        postgres.stop()


def test_a_note_whose_number_is_somebody_elses_is_forgotten(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir, durable=False)
    postgres.start()
    note = postgres.folder / "postmaster.pid"
    old = note.read_text()
    postgres.stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        note.write_text(old.replace(old.split("\n")[0], str(stranger.pid), 1))
        postgres.start()
        try:
            assert stranger.poll() is None
        finally:
            postgres.stop()
            stranger.communicate(b"\n")


async def test_a_killed_server_starts_again_on_the_same_address(data_dir: Path) -> None:
    postgres = EmbeddedPostgres(data_dir, durable=False)
    postgres.start()
    try:
        os.kill(postgres.pid, signal.SIGKILL)
        wait_until(lambda: postgres.exited() is not None, "the killed server ends")
        postgres.start()
        assert await ask(postgres.url(SUPERUSER), "select 1") == 1
    finally:
        postgres.stop()


def test_half_a_cluster_is_never_taken_for_a_whole(data_dir: Path) -> None:
    (data_dir / "postgres.new").mkdir(parents=True)
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    postgres = EmbeddedPostgres(data_dir, durable=False)
    postgres.start()
    postgres.stop()
    assert not (data_dir / "postgres.new").exists()


def test_data_of_another_version_is_left_alone(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedError, match="belongs to PostgreSQL 15"):
        EmbeddedPostgres(data_dir).start()


def test_a_full_disk_is_said_before_anything_is_written(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "FREE_BYTES_MIN", 1 << 62)
    with pytest.raises(EmbeddedError, match="is full"):
        EmbeddedPostgres(data_dir).start()
    assert not (data_dir / "postgres.new").exists()


def test_somebody_elses_socket_folder_is_refused(data_dir: Path) -> None:
    socket_folder(data_dir).symlink_to("/var/tmp")
    try:
        with pytest.raises(EmbeddedError, match="somebody else"):
            EmbeddedValkey(data_dir).start()
    finally:
        socket_folder(data_dir).unlink()


def test_valkey_answers_and_a_left_over_one_is_stopped(data_dir: Path) -> None:
    lost = EmbeddedValkey(data_dir)
    lost.start()
    valkey = EmbeddedValkey(data_dir)
    valkey.start()
    try:
        assert lost.exited() is not None
        with Redis.from_url(valkey.url()) as client:
            assert client.ping()
            assert client.config_get("save")["save"] == ""
    finally:
        valkey.stop()


async def test_temporary_servers_leave_nothing_behind() -> None:
    with temporary_servers(durable=False) as servers:
        pids = [servers.postgres.pid, servers.valkey.pid]
        folders = [servers.data_dir, socket_folder(servers.data_dir)]
        assert await ask(servers.admin_database_url, "select current_database()") == "payhub"
        assert all(started_at(pid) for pid in pids)
    assert gone(pids)
    assert not any(folder.exists() for folder in folders)


def test_the_wheel_brings_the_tools_for_backups() -> None:
    for tool in ("psql", "pg_basebackup", "pg_dump", "pgbench"):
        assert (postgres_binaries() / tool).exists()

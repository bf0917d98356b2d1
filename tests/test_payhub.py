"""The command line, as a process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import payhub

ROOT = Path(payhub.__file__).parent
COMMANDS = ("run", "serve", "work", "embedded", "migrate", "settings")


def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "payhub.py"), *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_command() -> None:
    shown = call("--help")
    assert shown.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    shown = CliRunner().invoke(payhub.main, [name, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) > 5


def test_help_loads_no_room() -> None:
    code = "import sys, payhub; print(sorted({'core', 'hub', 'workers', 'asyncpg'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


def test_settings_are_shown_without_secrets() -> None:
    shown = call("settings", "--json", PAYHUB_DATABASE_URL="postgresql://app:s3cret@host/payhub")
    facts = json.loads(shown.stdout)
    assert facts["PAYHUB_DATABASE_URL"]["value"] == "postgresql://app:***@host/payhub"
    assert facts["PAYHUB_DATABASE_URL"]["from"] == "environment"


def test_a_wrong_setting_is_one_sentence() -> None:
    shown = call("run", PAYHUB_HUBS="many")
    assert shown.returncode == 1
    assert shown.stderr == "Error: PAYHUB_HUBS is 'many': write a whole number.\n"


def test_serving_without_a_database_says_what_to_do(tmp_path: Path) -> None:
    for name in ("serve", "work", "migrate"):
        shown = call(name, PAYHUB_DATA_DIR=str(tmp_path))
        assert shown.returncode == 1
        assert shown.stderr.startswith("Error: PAYHUB_DATABASE_URL is not set")
        assert "Traceback" not in shown.stderr


def test_keys_are_not_kept_beside_the_ledger_unasked(tmp_path: Path) -> None:
    for name in ("run", "serve", "work", "migrate"):
        shown = call(
            name,
            PAYHUB_DATA_DIR=str(tmp_path),
            PAYHUB_DATABASE_URL="postgresql://app@127.0.0.1:1/payhub",
            PAYHUB_REDIS_URL="redis://127.0.0.1:1",
        )
        assert shown.returncode == 1
        assert shown.stderr.startswith("Error: PAYHUB_KEYS_DATABASE_URL is not set: give the keys a small database")


def test_a_database_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    shown = call(
        "migrate",
        PAYHUB_DATA_DIR=str(tmp_path),
        PAYHUB_DATABASE_URL="postgresql://app:s3cret@127.0.0.1:1/payhub",
        PAYHUB_KEYS_DATABASE_URL="postgresql://app:s3cret@127.0.0.1:1/payhub_keys",
        PAYHUB_REDIS_URL="redis://127.0.0.1:1",
    )
    assert shown.returncode == 1
    assert "does not let us in" in shown.stderr
    assert "s3cret" not in shown.stderr
    assert "Traceback" not in shown.stderr


def test_an_orphan_does_not_serve() -> None:
    shown = call("serve", PAYHUB_LAUNCHER_PID="1" if os.getpid() != 1 else "2")
    assert shown.returncode == 1
    assert "launcher" in shown.stderr


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM"])
def test_temporary_servers_tell_where_they_are_and_leave_nothing(ending: str) -> None:
    command = [sys.executable, str(ROOT / "payhub.py"), "embedded", "--temporary", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        facts = json.loads(process.stdout.readline())
        assert Path(facts["data_dir"]).exists()
        if ending == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        assert process.wait(30) == 0
    assert facts["admin_database_url"].startswith("postgresql://postgres@/payhub?host=/")
    assert facts["redis_url"].startswith("unix:///")
    assert not Path(facts["data_dir"]).exists()
    assert not Path(f"/proc/{facts['postgres_pid']}").exists()
    assert not Path(f"/proc/{facts['redis_pid']}").exists()

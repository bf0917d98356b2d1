"""What `make` says when something is missing. It says it before it does anything."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def make_setup(folder: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run `make setup` in a folder whose Python part is ready, with only these programs beside the shell's own."""
    shutil.copy(REPOSITORY / "Makefile", folder)
    (folder / "clients/js").mkdir(parents=True)
    (folder / "clients/js/package.json").write_text("{}")
    (folder / "pyproject.toml").touch()
    (folder / ".venv").mkdir()
    (folder / ".venv/ready").touch()
    path = folder / "path"
    path.mkdir()
    for name in ("sh", "find", "awk", "touch"):
        found = shutil.which(name)
        assert found is not None
        (path / name).symlink_to(found)
    for name, script in programs.items():
        (path / name).write_text(f"#!/bin/sh\n{script}\n")
        (path / name).chmod(0o755)
    make = shutil.which("make")
    assert make is not None
    return subprocess.run(
        [make, "setup"], cwd=folder, env=os.environ | {"PATH": str(path)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "programs",
    [{}, {"node": "echo 18", "npm": "exit 0"}, {"node": "echo 22"}],
    ids=["no Node", "an old Node", "no npm"],
)
def test_a_missing_node_is_one_sentence(tmp_path: Path, programs: dict[str, str]) -> None:
    done = make_setup(tmp_path, **programs)
    assert done.returncode != 0
    (sentence,) = (line for line in done.stderr.splitlines() if not line.startswith("make"))
    assert sentence == "The client needs Node.js 20 or newer with npm: install it and run make again."
    assert not (tmp_path / ".venv/client-ready").exists()


def test_the_clients_lock_names_no_host_to_install_from() -> None:
    """Packages are found by name, at whatever registry npm is set up for, and are known by their hashes."""
    lock = json.loads((REPOSITORY / "clients/js/package-lock.json").read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    assert not [name for name, one in packages.items() if "resolved" in one]
    assert not [name for name, one in packages.items() if "integrity" not in one]

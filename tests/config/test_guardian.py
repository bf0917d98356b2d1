"""The guardian, with processes that would rather stay."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from config.guardian import Child, Guardian, end, is_alive, started_at
from tests.config.conftest import gone, wait_until

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
SLEEPER = "import time; print(1, flush=True); time.sleep(60)"


def start(code: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def collect(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    process.stdout.close()
    return process.wait()


def test_who_will_not_stop_is_killed() -> None:
    process = start(STUBBORN)
    child = Child("hub", process.pid, started_at(process.pid) or "")
    assert end([child], [(signal.SIGTERM, 0.1), (signal.SIGKILL, 5)]) == []
    assert collect(process) == -signal.SIGKILL


def test_a_process_with_a_reused_number_is_left_alone() -> None:
    process = start(SLEEPER)
    stranger = Child("hub", process.pid, "1")
    assert not is_alive(stranger)
    assert end([stranger], [(signal.SIGKILL, 1)]) == []
    time.sleep(0.05)
    assert process.poll() is None
    process.kill()
    collect(process)


def test_the_end_of_the_pipe_stops_everything_and_removes_what_was_temporary(tmp_path: Path) -> None:
    doomed = tmp_path / "doomed"
    doomed.mkdir()
    process = start(SLEEPER)
    guardian = Guardian()
    guardian.watch("worker", process.pid)
    guardian.remove_at_end(doomed)
    guardian.goodbye()  # something is left, so this is no goodbye yet
    assert collect(process) == -signal.SIGTERM
    assert not doomed.exists()


def test_a_goodbye_touches_nothing(tmp_path: Path) -> None:
    guardian = Guardian()
    guardian.remove_at_end(tmp_path)
    guardian.goodbye()
    assert tmp_path.exists()


def test_ctrl_c_and_sigterm_do_not_reach_it_and_a_killed_guardian_is_replaced() -> None:
    process = start(SLEEPER)
    guardian = Guardian()
    guardian.watch("worker", process.pid)
    first = guardian.pid
    wait_until(lambda: ignores(first, signal.SIGTERM), "it ignores signals")
    os.kill(first, signal.SIGINT)
    os.kill(first, signal.SIGTERM)
    time.sleep(0.05)
    guardian.ensure_alive()
    assert guardian.pid == first
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: gone([first]), "the guardian is gone")
    guardian.ensure_alive()
    assert guardian.pid != first
    guardian.goodbye()
    assert collect(process) == -signal.SIGTERM


def ignores(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(mask, 16) >> (number - 1) & 1)

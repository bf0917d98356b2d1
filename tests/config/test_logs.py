"""What reaches a log at its most talkative."""

import subprocess
import sys
from pathlib import Path

SAYS = """
import logging
from config.logs import configure_logs
from hpack import Encoder
configure_logs("debug", "worker")
logging.getLogger("workers.push").debug("said")
Encoder().encode([("authorization", "bearer zq-canary-token"), (":path", "/3/device/zq-canary-device")])
"""


def test_no_header_of_a_push_is_in_a_log_that_tells_all() -> None:
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", SAYS], cwd=root, capture_output=True, text=True, check=True)
    said = told.stdout + told.stderr
    assert "said" in said
    assert "canary" not in said
    assert "authorization" not in said
    assert "header block" not in said

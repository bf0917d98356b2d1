"""What the command line proves for whoever stands on the stage: processes of its own, which ask no hub."""

import json
import subprocess
import tempfile
from pathlib import Path

from loadtest.stack import PAYHUB
from loadtest.tour.stage import Wire


def prove(paper: Wire, keys: Wire) -> str:
    """What `payhub verify receipt` says of a payment's paper."""
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "paper.json", Path(folder) / "keys.json"
        files[0].write_text(json.dumps(paper))
        files[1].write_text(json.dumps({"keys": keys["keys"]}))
        return _said("verify", "receipt", str(files[0]), "--keys", str(files[1]))


def prove_books() -> str:
    """What `payhub verify` says: every balance is the sum of its entries. It reads the database, as an operator may."""
    return _said("verify")


def prove_log(tenant: str, keys: Wire) -> str:
    """What `payhub verify log` says of the tenant's whole log: its payments and its audit trail."""
    with tempfile.TemporaryDirectory() as folder:
        log, known = Path(folder) / "tenant.log", Path(folder) / "keys.json"
        known.write_text(json.dumps({"keys": keys["keys"]}))
        with log.open("wb") as file:
            subprocess.run([*PAYHUB, "export", "log", tenant], stdout=file, check=False)
        return _said("verify", "log", str(log), "--keys", str(known))


def _said(*command: str) -> str:
    done = subprocess.run([*PAYHUB, *command], capture_output=True, text=True, check=False)
    return "proved" if done.returncode == 0 else done.stderr.strip().removeprefix("Error: ")

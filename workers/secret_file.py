"""Reads a file that holds a secret of the operator's, and no file that everybody on the machine can read.

A group may: that is how an orchestrator hands secrets to a service that is not root.
"""

import errno
import os
import stat
from pathlib import Path


def read_secret(path: Path) -> bytes:
    """What is in it. Raises OSError, whose strerror says what to do where others can read or write it."""
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & (stat.S_IROTH | stat.S_IWOTH):
            raise PermissionError(errno.EACCES, f"everybody else can, too; chmod 600 {path}", str(path))
        return file.read()

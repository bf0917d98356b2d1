"""What all tests of workers have in common."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def private_files() -> Iterator[None]:
    """Files that tests write are their own, as an operator's secrets have to be (workers/secret_file.py)."""
    before = os.umask(0o077)
    yield
    os.umask(before)

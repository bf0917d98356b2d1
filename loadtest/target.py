"""Where a load test runs: a hub that somebody named, or a stack of its own for as long as the test lasts.

It asks for what the tests need (an operator's token, people with tokens) and never for anything privileged.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from loadtest.report import Reporter
from loadtest.stack import TENANT, Crowd, Person, Stack, crowd_of, running_stack

PEOPLE_FILE = "PAYHUB_PEOPLE_FILE"
NOBODY = Crowd("", ())


class TargetError(Exception):
    """What is needed to reach that hub is missing: one sentence that says what to give."""


class Options(NamedTuple):
    """What the command line says about where to run."""

    urls: Sequence[str]
    tenant: str
    login: str
    password: str
    people_file: Path | None
    hubs: int


class Target(NamedTuple):
    """The hubs to talk to. `stack` is ours to kill, or None."""

    urls: Sequence[str]
    tenant: str
    login: str
    password: str
    operator_token: str
    people: Sequence[Person]
    stack: Stack | None


@contextlib.contextmanager
def reached(options: Options, report: Reporter, people: int = 0) -> Iterator[Target]:
    """The hubs named by `--to`, or a stack of our own with so many people. Raises TargetError."""
    if options.urls:
        crowd = _read_crowd(options.people_file, people) if people else NOBODY
        if not people and not options.password:
            raise TargetError("Give the operator's password: --password, or PAYHUB_PASSWORD in the environment.")
        yield Target(options.urls, options.tenant, options.login, options.password, *crowd[:2], None)
        return
    report.note(f"Starting PostgreSQL, Valkey and {options.hubs} hubs in a temporary folder …")
    with running_stack(options.hubs) as stack:
        crowd = stack.seed(people) if people else NOBODY
        yield Target(stack.urls, TENANT, stack.login, stack.password, *crowd[:2], stack)


def _read_crowd(path: Path | None, count: int) -> Crowd:
    given = path or (Path(os.environ[PEOPLE_FILE]) if os.environ.get(PEOPLE_FILE) else None)
    if given is None:
        raise TargetError(
            f"Running hubs are measured with people of theirs: save what `payhub seed --tenant SLUG --people "
            f"{count} --role merchant --balance 100000000 --json` prints, and name the file by --people "
            f"or {PEOPLE_FILE}."
        )
    try:
        crowd = crowd_of(given.read_text())
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise TargetError(f"{given} is not what `payhub seed --json` prints ({error!r}).") from None
    if len(crowd.people) < count:
        raise TargetError(f"{given} holds {len(crowd.people)} people; {count} are needed.")
    return crowd._replace(people=crowd.people[:count])

"""What a load test says: a table for people, or one JSON object alone on standard output.

Progress goes to standard error. It measures nothing and judges nothing.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

Figures = Mapping[str, Any]
Rows = Sequence[tuple[str, object]]


class Reporter:
    """Speaks to people or to programs."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._people = Console(stderr=True)

    def note(self, sentence: str) -> None:
        """Say what is being done, beside the result."""
        if not self._as_json or sys.stderr.isatty():
            self._people.print(f"[dim]{sentence}[/dim]")

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator["Bar"]:
        """A bar while something goes on."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TaskProgressColumn(show_speed=True),
            TimeElapsedColumn(),
        )
        hidden = self._as_json and not sys.stderr.isatty()
        with Progress(*columns, console=self._people, disable=hidden) as progress:
            yield Bar(progress, label, total)

    def result(self, title: str, figures: Figures, rows: Rows, *notes: str) -> None:
        """The end: `figures` for programs, `rows` and `notes` for people."""
        if self._as_json:
            print(json.dumps(figures))
            return
        table = Table(title=title, show_header=False, title_justify="left")
        table.add_column(style="bold")
        table.add_column(justify="right")
        for name, value in rows:
            table.add_row(name, show(value))
        self._print(table, notes)

    def grid(
        self,
        title: str,
        figures: Figures,
        header: Sequence[str],
        rows: Sequence[Sequence[object]],
        *notes: str,
    ) -> None:
        """The same for a result of several columns."""
        if self._as_json:
            print(json.dumps(figures))
            return
        table = Table(title=title, title_justify="left")
        for number, name in enumerate(header):
            table.add_column(name, justify="left" if number == 0 else "right", no_wrap=number == 0)
        for row in rows:
            table.add_row(*map(show, row))
        self._print(table, notes)

    def _print(self, table: Table, notes: Sequence[str]) -> None:
        console = Console()
        console.print(table)
        for sentence in notes:
            console.print(sentence, soft_wrap=True)


class Bar:
    """A progress bar that is told how far things are."""

    def __init__(self, progress: Progress, label: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=total)

    def reach(self, count: int) -> None:
        """So many are done."""
        self._progress.update(self._task, completed=count)


def show(value: object) -> str:
    """A figure as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)

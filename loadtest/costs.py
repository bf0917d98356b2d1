"""What a payment takes of the processors, by who takes it: the same on a busy machine as on a quiet one, or nearly."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any


class Costs:
    """Of measurements of two kinds, in turns: `with` something, and `without`."""

    def __init__(self) -> None:
        self._found: dict[str, list[Mapping[str, float]]] = {"with": [], "without": []}

    def add(self, kind: str, figures: Mapping[str, Any]) -> None:
        """One more measurement, as loadtest.pay gives it."""
        payments = figures["per_second"] * figures["seconds"]
        self._found[kind].append({name: 1e6 * used / payments for name, used in figures["cpu_seconds"].items()})

    def figures(self) -> dict[str, dict[str, float]]:
        """Medians in microseconds of processor time per payment, and of all together."""
        return {f"{kind}_cpu_us": _medians(rounds) for kind, rounds in self._found.items()}

    def rows(self) -> list[tuple[str, float, float, float | None]]:
        """The same to be shown: what, with, without, and without to with where both take something."""
        with_, without = self.figures().values()
        shown = [name for name in with_ if max(with_[name], without[name]) >= 0.1]
        return [
            (
                f"{name}, µs of processor per payment",
                with_[name],
                without[name],
                without[name] / with_[name] if min(with_[name], without[name]) >= 0.1 else None,
            )
            for name in shown
        ]


def _medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = rounds[0]
    found = {name: round(statistics.median(one[name] for one in rounds), 2) for name in names}
    return found | {"all": round(statistics.median(sum(one.values()) for one in rounds), 2)}

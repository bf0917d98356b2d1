"""Keys of persons: how fast personal data is sealed and opened, on a stack of its own.

What is measured is inside a hub and not on the wire, so `payhub keys measure` does it; this gives it databases that are
deleted afterwards.
"""

import json
from typing import Any

from loadtest.stack import running_stack


def measure_keys(seconds: float) -> dict[str, Any]:
    """Figures by name, all per second but where a name ends in its unit."""
    with running_stack(hubs=0) as stack:
        stack.run("migrate")
        figures: dict[str, Any] = json.loads(stack.run("keys", "measure", "--seconds", str(seconds), "--json"))
    return figures

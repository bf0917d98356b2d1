"""Hubs ask each other what each of them alone knows, through Redis: who is connected where, what a second held.

A question is a hint like any other: it may be lost, and so may an answer. Whoever asks waits a moment and takes what
came, and says how many answered. Nothing of this is money.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from hub.broker import CONTROL, Broker

PATIENCE_S: Final = 0.5
ASK: Final = "ask"
TOLD: Final = "told"

# What is asked, of which tenant, with what → what this hub knows.
Answer: TypeAlias = Callable[[str, int, Any], Any]


class Asking:
    """One hub's questions to the others, and its answers."""

    def __init__(self, broker: Broker, answer: Answer) -> None:
        self._broker = broker
        self._answer = answer
        self._waiting: dict[str, asyncio.Queue[Any]] = {}

    async def ask(self, what: str, tenant_id: int, fields: Any = None) -> list[Any]:
        """What the other hubs answered within a moment; without Redis, or alone, nobody is waited for."""
        others = self._broker.others
        if not others or not self._broker.is_connected:
            return []
        token = secrets.token_hex(8)
        answers: asyncio.Queue[Any] = asyncio.Queue()
        self._waiting[token] = answers
        heard: list[Any] = []
        try:
            self._broker.publish(CONTROL, [ASK, token, what, tenant_id, fields])
            async with asyncio.timeout(PATIENCE_S):
                while len(heard) < others:
                    heard.append(await answers.get())
        except TimeoutError:
            pass
        finally:
            del self._waiting[token]
        return heard

    def hear(self, hint: list[Any]) -> bool:
        """Take a hint if it is a question or an answer. False: it is something else."""
        if hint[0] == ASK:
            _, token, what, tenant_id, fields = hint
            self._broker.publish(CONTROL, [TOLD, token, self._answer(what, tenant_id, fields)])
        elif hint[0] == TOLD:
            waiting = self._waiting.get(hint[1])
            if waiting is not None:
                waiting.put_nowait(hint[2])
        else:
            return False
        return True

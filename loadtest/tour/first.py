"""A first look: two people of the demo log in, one pays the other, both see it at once.

It shows the messages as they travel. It measures nothing but the three moments a newcomer asks about.
"""

import asyncio
import json
import time
import uuid
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from hub.protocol.codec import JSON
from loadtest.tour.chapters import CHAPTERS
from loadtest.tour.stage import TIMEOUT_S, Place, Say, TourError, log_in, money, open_stage

AMOUNT = 12_50


async def take_chapter(place: Place, say: Say, name: str, *, shows_messages: bool = False) -> None:
    """One chapter, or all of them. Raises TourError."""
    async with open_stage(place, say, shows_messages) as stage:
        for chapter in CHAPTERS if name == "all" else (name,):
            stage.title(f"{chapter}: {(CHAPTERS[chapter].__doc__ or '').strip()}")
            await CHAPTERS[chapter](stage)


async def take_tour(place: Place, say: Say) -> None:
    """Ana pays Bruno. Raises TourError."""
    ana_tokens, bruno_tokens = [
        await log_in(place.url, place.tenant, login, place.password) for login in ("ana", "bruno")
    ]
    socket = place.url.replace("http", "ws", 1) + "/v1/native"
    async with (
        connect(socket, subprotocols=[JSON], compression=None) as ana,  # type: ignore[list-item]
        connect(socket, subprotocols=[JSON], compression=None) as bruno,  # type: ignore[list-item]
    ):
        welcome = await ask(ana, {"type": "authenticate", "token": ana_tokens["access_token"]})
        payer = welcome["accounts"][0]
        welcome = await ask(bruno, {"type": "authenticate", "token": bruno_tokens["access_token"]})
        payee = welcome["accounts"][0]
        say(f"Ana    has {money(payer['posted'])} in account {payer['account']}")
        say(f"Bruno  has {money(payee['posted'])} in account {payee['account']}, and follows it\n")
        await ask(bruno, {"type": "follow", "id": 1, "account": payee["account"]})
        payment = {
            "type": "pay",
            "id": 2,
            "payment": str(uuid.uuid4()),
            "payer": payer["account"],
            "payee": payee["account"],
            "amount": AMOUNT,
            "description": "Two coffees and a cake",
        }
        say(f"Ana    sends   {json.dumps(payment)}")
        sent = time.perf_counter()
        answered, seen = await asyncio.gather(timed(ask(ana, payment)), timed(hear(bruno)))
        say(f"Ana    gets    {json.dumps(answered[0], ensure_ascii=False)}")
        say(f"Bruno  sees    {json.dumps(seen[0], ensure_ascii=False)}\n")
        again = await ask(ana, payment | {"id": 3})
        say("Ana    sends the same payment again, as a phone does after a tunnel:")
        say(f"Ana    gets    {json.dumps(again, ensure_ascii=False)}")
        say("               the first answer; nothing has moved twice\n")
        say(
            f"Committed and answered after {(answered[1] - sent) * 1000:.1f} ms;",
        )
        say(f"Bruno saw it after {(seen[1] - sent) * 1000:.1f} ms.")


async def ask(socket: ClientConnection, message: dict[str, Any]) -> dict[str, Any]:
    """Send a message and take the next one that is not an event."""
    await socket.send(json.dumps(message))
    while (answer := await hear(socket))["type"] == "event":
        pass
    if answer["type"] == "error":
        raise TourError(f"The hub refused {message['type']}: {answer['message']}")
    return answer


async def hear(socket: ClientConnection) -> dict[str, Any]:
    """The next message."""
    answer: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), TIMEOUT_S))
    return answer


async def timed(waiting: Any) -> tuple[dict[str, Any], float]:
    """A message and when it came."""
    return await waiting, time.perf_counter()

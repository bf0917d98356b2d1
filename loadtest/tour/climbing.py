"""The chapter of the ladder: whoever does not look at their page gets a mail, and whoever does gets none.

A newcomer comes in for it, with a mail address of her own. Mails are read where `payhub run` shows them.
"""

import asyncio
import json
import re
import secrets
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

from loadtest.tour.leaving import newcomer
from loadtest.tour.stage import TIMEOUT_S, Person, Stage, TourError, Wire, money, new_id

KIND = "payment_received"
# The shortest that there is.
SOCKET_S = 2
# A mail is written within a second of its moment; whoever has none by now gets none.
NO_MAIL_S = SOCKET_S + 2.0


class Mails:
    """The mails to one address, as the mailbox's page asks for them."""

    def __init__(self, url: str, to: str) -> None:
        self._url = url
        self._to = to
        self._seen: set[int] = set()

    async def next(self, within_s: float = TIMEOUT_S) -> Wire | None:
        """The next one; None if there is none in this time. Raises TourError."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for mail in reversed(await asyncio.to_thread(self._get, "/mails")):
                if mail["to"] == self._to and mail["number"] not in self._seen:
                    self._seen.add(mail["number"])
                    found: Wire = await asyncio.to_thread(self._get, f"/mails/{mail['number']}")
                    return found
            await asyncio.sleep(0.1)
        return None

    def _get(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(f"{self._url}{path}", timeout=TIMEOUT_S) as answer:  # noqa: S310
                return json.load(answer)
        except OSError as error:
            raise TourError(f"There is no mailbox at {self._url} ({error}): mails go to your relay.") from None


async def ladder(stage: Stage) -> None:
    """The page first, then the mail; a click in it ends it, and whoever looked gets none."""
    async with newcomer(stage, "Flora") as (flora, _):
        address = f"flora-{secrets.token_hex(4)}@example.com"
        mails = Mails(stage.mailbox, address)
        await _confirm(stage, flora, address, mails)
        before = await _ladder_of(stage)
        await _set(stage, f"lets a page have {SOCKET_S} seconds alone", before | {"socket_s": SOCKET_S, "push_s": 0})
        try:
            await _climb(stage, flora, mails)
        finally:
            await _set(stage, "lets it have as long as before", before)


async def _confirm(stage: Stage, flora: Person, address: str, mails: Mails) -> None:
    person = (await flora.ask("profile"))["person"]
    await stage.step(flora, "says where her mails go", type_="edit_profile", person=person, email=address)
    await stage.step(flora, "wants a code there", type_="send_confirmation", contact="email")
    code = re.search(r"\b\d{6}\b", (await _arrived(mails))["text"])
    if code is None:
        raise TourError("The mail has no code.")
    await stage.step(flora, "gives the code back", type_="confirm_contact", contact="email", code=code[0])


async def _climb(stage: Stage, flora: Person, mails: Mails) -> None:
    await flora.ask("follow", account=flora.account)
    await _pay(stage, flora, 700)
    await stage.sees(flora, "what", "amount")
    stage.note(flora, "  has the page open, and does not look")
    mail = await _arrived(mails)
    stage.note(flora, f"  has mail: {mail['subject']}")
    link = re.search(r"https?://\S+/s/[A-Za-z0-9_-]+", mail["text"])
    if link is None:
        raise TourError("The mail has no link.")
    status = await asyncio.to_thread(_click, stage, link[0])
    stage.note(
        flora, f"  follows its link, without logging in: {'acknowledged' if status == HTTPStatus.OK else status}"
    )
    flora.forget_events()
    await _pay(stage, flora, 800)
    event = await stage.sees(flora, "what", "amount")
    await flora.tell("ack", account=flora.account, number=event["number"])
    stage.note(flora, "  looks at the page this time")
    late = await mails.next(NO_MAIL_S)
    stage.note(flora, f"  has mail, after {NO_MAIL_S:.0f} seconds: {late['subject'] if late else 'none'}")


async def _arrived(mails: Mails) -> Wire:
    mail = await mails.next()
    if mail is None:
        raise TourError("No mail came. Look at .payhub/logs.")
    return mail


async def _pay(stage: Stage, payee: Person, amount: int) -> None:
    ana = stage.ana
    pay = {"payment": new_id(), "payer": ana.account, "payee": payee.account, "amount": amount}
    await stage.step(ana, f"pays {payee.name} {money(amount)}", "status", type_="pay", **pay)


async def _ladder_of(stage: Stage) -> Wire:
    ladders = (await stage.operator.ask("ladders"))["ladders"]
    found: Wire = next(one for one in ladders if one["kind"] == KIND)
    return {name: value for name, value in found.items() if name != "own"}


async def _set(stage: Stage, does: str, ladder: Wire) -> None:
    await stage.step(stage.operator, does, type_="set_ladder", **ladder)


def _click(stage: Stage, link: str) -> int:
    """What a browser does when the button behind the link is pressed, at the hub that the tour talks to."""
    request = urllib.request.Request(stage.url + link[link.index("/s/") :], b"", method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code

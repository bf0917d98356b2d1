"""What comes back: bounces (delivery status notifications, RFC 3464) in a Maildir that the operator's server fills.

Only a mail to a return path that was made here counts, for the delivery that it names and nothing else. Whatever
cannot be read is set aside for an operator and never in the way again. Nothing of a mail is kept or logged.
"""

import asyncio
import email
import email.policy
import logging
import os
import re
from collections.abc import Awaitable, Callable
from email.message import Message
from pathlib import Path
from typing import Final, NamedTuple

from workers.mail.statuses import GONE
from workers.mail.verp import Named, ReturnPaths

log = logging.getLogger(__name__)

# The report comes before the mail that it is about: of a larger one the beginning says all.
SIZE_MAX: Final = 262_144
# A report has three parts. More levels than that are somebody's joke.
PARTS_MAX: Final = 20
BOUNCES_PER_WALK: Final = 200
POISON: Final = "poison"
# Where servers write to whom a mail came; `To` is the bounce's own.
_RECIPIENTS: Final = ("delivered-to", "x-original-to", "envelope-to", "to")
_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")


class Bounce(NamedTuple):
    """A delivery that came back. `status`: RFC 3463. `is_permanent`: they will not try again.

    `is_gone`: and they say that nobody has this address.
    """

    delivery: Named
    status: str
    is_permanent: bool

    @property
    def is_gone(self) -> bool:
        """Whether the address is to be forgotten."""
        return self.is_permanent and self.status in GONE


class BounceRefused(Exception):
    """No mail that can be read."""


def read_bounce(content: bytes, paths: ReturnPaths) -> Bounce | None:
    """What a mail says about one of ours; None: nothing. Raises BounceRefused."""
    content = content[:SIZE_MAX]
    if content.lower().count(b"boundary=") > PARTS_MAX:
        raise BounceRefused("too many parts")
    try:
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        delivery = _find_delivery(message, paths)
        report = _find_report(message)
        return None if delivery is None or report is None else _judge(delivery, report)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # The parser is kind to most; what it trips over is no bounce of anybody's server.
        raise BounceRefused(type(error).__name__) from None


def _find_delivery(message: Message, paths: ReturnPaths) -> Named | None:
    for name in _RECIPIENTS:
        for value in message.get_all(name, []):
            if (found := paths.read(str(value))) is not None:
                return found
    return None


def _find_report(message: Message) -> list[Message] | None:
    """The fields of a delivery status: those of the mail, then those of each recipient."""
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return None
    for part in message.get_payload():
        if isinstance(part, Message) and part.get_content_type() == "message/delivery-status":
            groups = part.get_payload()
            return [one for one in groups if isinstance(one, Message)] if isinstance(groups, list) else None
    return None


def _judge(delivery: Named, report: list[Message]) -> Bounce | None:
    """Each of our mails has one recipient; of several, aliases all of them, the first that failed counts."""
    told = None
    for fields in report:
        action = str(fields.get("action", "")).strip().lower()
        status = _STATUS.match(str(fields.get("status", "")))
        if status is None or action not in {"failed", "delayed"}:
            continue
        bounce = Bounce(delivery, status[1], action == "failed")
        if bounce.is_permanent:
            return bounce
        told = bounce
    return told


async def walk(folder: Path, paths: ReturnPaths, take: Callable[[Bounce], Awaitable[None]]) -> int:
    """Read what is new in a Maildir and tell each bounce. Returns how many mails were read.

    A mail is moved on after it was told: whoever is killed in between tells it twice, and nothing is lost.
    """
    names = await asyncio.to_thread(_list, folder)
    for name in names:
        content = await asyncio.to_thread(_read, folder / "new" / name)
        if content is None:
            # Not a file, or gone: another worker has it.
            continue
        try:
            bounce = read_bounce(content, paths)
        except BounceRefused as error:
            log.warning("bounce_set_aside", extra={"error": str(error)})
            await asyncio.to_thread(_move, folder, name, POISON)
            continue
        if bounce is not None:
            await take(bounce)
        await asyncio.to_thread(_move, folder, name, "cur")
    return len(names)


def _list(folder: Path) -> list[str]:
    try:
        with os.scandir(folder / "new") as entries:
            found = [one.name for one in entries if one.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(found)[:BOUNCES_PER_WALK]


def _read(path: Path) -> bytes | None:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
            return stream.read(SIZE_MAX)
    except OSError:
        return None


def _move(folder: Path, name: str, to: str) -> None:
    (folder / to).mkdir(mode=0o700, exist_ok=True)
    # As Maildir wants it: seen, and never again new.
    target = folder / to / (name if to == POISON else f"{name.partition(':')[0]}:2,S")
    try:
        (folder / "new" / name).replace(target)
    except FileNotFoundError:
        return

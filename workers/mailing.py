"""Makes mails of claimed deliveries, and hands them to a relay.

Here a person's address, name and code are opened, for as long as it takes to write the mail. Nothing of them goes
anywhere else: no log, no exception's text.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple

from core.keys.places import DISPLAY_NAME, NOTICE_CONTENT, PERSON_FIELD
from core.keys.safe import Safe
from core.notices.deliveries import Claimed
from core.notices.kinds import FAMILIES, Family, NoticeKind
from core.notices.news import unsubscribe_token
from core.notices.seen import seen_token
from workers.delivering import Composed, compose_each
from workers.houses import Houses, Occasion
from workers.mail.dkim import DkimKey, prepared, sign
from workers.mail.message import AddressRefused, Letter, Sender, write
from workers.mail.sender import MailSender
from workers.mail.verp import ReturnPaths
from workers.newsroom import Newsroom
from workers.outcome import Outcome, Refused
from workers.texts.given import Links, Private
from workers.texts.rendering import render_mail

# What a code is for is gone with its minutes; what is in nobody's list cannot be acknowledged.
UNSEEN: Final = frozenset({Family.CODE, Family.NEWS})
# OpenSSL signs without the interpreter's lock: with two, one signs while the other waits for it. They end with the
# process, and hold nothing that has to be closed.
SIGNERS: Final = ThreadPoolExecutor(2, thread_name_prefix="dkim")
# Signed by one thread at a time: few enough that both have some, and enough that handing them over costs little.
SIGNED_AT_ONCE: Final = 8


class Mail(NamedTuple):
    """A mail as it is handed in."""

    return_path: str
    recipient: str
    message: bytes

    def __repr__(self) -> str:
        return "Mail(…)"


class Means(NamedTuple):
    """What mails are made with. `seen_key`: core.notices.seen; `leave_key`: core.notices.news; `dkim` None: the relay
    signs.
    """

    keys: Safe
    houses: Houses
    newsroom: Newsroom
    paths: ReturnPaths
    address: str
    seen_key: bytes
    leave_key: bytes
    dkim: DkimKey | None

    def __repr__(self) -> str:
        return "Means(…)"


async def compose_mails(means: Means, claimed: Sequence[Claimed]) -> list[Composed[Mail]]:
    """Each as a mail, or why it cannot be one. Raises when keys or tenants cannot be had: no mail's fault."""
    occasions = await means.houses.occasions(means.keys, claimed)
    await means.newsroom.fetch(claimed)
    composed = compose_each(occasions, partial(_compose, means))
    return composed if means.dkim is None else await _sign(means.dkim, composed)


async def _sign(key: DkimKey, composed: Sequence[Composed[Mail]]) -> list[Composed[Mail]]:
    """Each with its signature."""
    mails = [
        None if one.message is None else prepared(one.message.message, key, int(one.claimed.made_at.timestamp()))
        for one in composed
    ]
    hashes = [mail.hashed for mail in mails if mail is not None]
    if key.is_slow:
        loop = asyncio.get_running_loop()
        parts = await asyncio.gather(
            *(
                loop.run_in_executor(SIGNERS, _sign_some, key, hashes[at : at + SIGNED_AT_ONCE])
                for at in range(0, len(hashes), SIGNED_AT_ONCE)
            )
        )
    else:
        parts = [_sign_some(key, hashes)]
    signatures = (signature for part in parts for signature in part)
    return [
        one if mail is None else _with(one, mail.signed(next(signatures)))
        for one, mail in zip(composed, mails, strict=True)
    ]


def _sign_some(key: DkimKey, hashes: Sequence[bytes]) -> list[bytes]:
    return [sign(key, hashed) for hashed in hashes]


def _with(composed: Composed[Mail], message: bytes) -> Composed[Mail]:
    assert composed.message is not None
    return composed._replace(message=composed.message._replace(message=message))


def _compose(means: Means, occasion: Occasion) -> Composed[Mail]:
    one, cipher, _, house = occasion
    contact = one.contact
    assert contact is not None and one.facts is not None and one.notice_id is not None
    place = PERSON_FIELD.at(one.person_id, str(contact.field), str(contact.number))
    address = cipher.open(*place, contact.sealed)
    if address is None:
        return Composed(one, None, Refused("erased"))
    word = cipher.open(*NOTICE_CONTENT.at(one.notice_id), one.sealed)
    name = one.name if one.name_sealed is None else cipher.open(*DISPLAY_NAME.at(one.person_id), one.name_sealed)
    is_code = one.kind is NoticeKind.CONTACT_CODE
    if is_code and word is None:
        return Composed(one, None, Refused("no_code"))
    private = Private(name=name, code=word if is_code else None, session=one.session_name)
    leave = None
    if one.kind is NoticeKind.NEWS:
        news_id = one.facts.subject or ""
        news = means.newsroom.text_of(one.tenant_id, news_id)
        if news is None:
            return Composed(one, None, Refused("no_news"))
        private = private._replace(news_title=news.title, news_body=news.body)
        leave = f"{house.public_url}/u/{unsubscribe_token(means.leave_key, one.tenant_id, news_id, one.person_id)}"
    seen = f"{house.public_url}/s/{seen_token(means.seen_key, one.tenant_id, one.id)}"
    links = Links(house.public_url, None if FAMILIES[one.kind] in UNSEEN else seen, unsubscribe=leave)
    text = render_mail(one.kind, one.language, one.facts, house, private, links)
    letter = Letter(one.id, address, text.subject, text.text, text.html, one.language, leave)
    try:
        message = write(letter, Sender(house.name, means.address), one.made_at)
    except AddressRefused:
        return Composed(one, None, Refused("address_malformed"))
    return Composed(one, Mail(means.paths.make(one.tenant_id, one.id), address, message))


class MailRoad:
    """The relay, as the last step of a delivery."""

    def __init__(self, sender: MailSender) -> None:
        self._sender = sender

    def service_of(self, message: Mail) -> str:
        """One for all: which relay takes it, the sender knows."""
        return "relay"

    async def send(self, message: Mail) -> Outcome:
        """Hand it in."""
        return await self._sender.send(*message)

    async def close(self) -> None:
        """Let go of connections."""
        await self._sender.close()

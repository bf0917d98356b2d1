"""Somebody tapped a push, or followed the link of a mail: what it told is acknowledged, on all roads, without a log-in.

The token names one delivery and is good for nothing else. Whether there was still something to acknowledge, or ever
was, is not said: whoever finds a link learns nothing by trying it.
"""

from typing import Final

from core.notices.seen import SECRET, hear_delivery, read_seen
from hub.commands.context import Context
from hub.endpoint import Call, Endpoint, address_of, spend
from hub.limits import ADDRESS_PAGE
from hub.protocol.notices import NoticeSeen, SawNotice


async def acknowledge(context: Context, token: str) -> None:
    """Acknowledge what the token's delivery told, if it is one of ours."""
    named = read_seen(await context.keys.secret(SECRET), token)
    if named is not None:
        await hear_delivery(context.pool, *named)


async def saw_notice(call: Call) -> NoticeSeen:
    """From a phone, where nobody may be logged in."""
    body: SawNotice = call.body
    spend(call.context, "address-page", 0, address_of(call.request), ADDRESS_PAGE)
    await acknowledge(call.context, body.seen)
    return NoticeSeen()


ENDPOINTS: Final = (Endpoint("POST", "/v1/seen", SawNotice, NoticeSeen, saw_notice, public=True),)

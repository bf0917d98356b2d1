"""Somebody follows the link of news that they did not want: they take their consent back, without a log-in (RFC 8058).

The link names the news and its reader, is signed, and is good for nothing else. Whether there was anything to take back
is not said: whoever finds a link learns nothing by trying it.
"""

from core.audit.trail import By
from core.errors import NotFound, Refusal
from core.notices.news import SECRET, read_purpose, read_unsubscribe
from core.privacy.consents import revoke
from hub.commands.context import Context


async def unsubscribe(context: Context, token: str, network: str | None) -> None:
    """Take back the consent that the token's news rests on, if it is one of ours."""
    named = read_unsubscribe(await context.keys.secret(SECRET), token)
    if named is None:
        return
    tenant_id, news_id, person_id = named
    purpose = await read_purpose(context.pool, tenant_id, news_id)
    if purpose is None:
        return
    try:
        await revoke(context.pool, tenant_id, person_id, purpose, By(person_id, network=network), "mail")
    except (NotFound, Refusal):
        # The tenant asks for it no more, or the person is gone: nothing is sent them, either.
        return

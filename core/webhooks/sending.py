"""One message brought to one place, signed: what came of it. It decides nothing."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from core.errors import Refusal
from core.outside import Outside, OutsideRefused, OutsideUnavailable, Way
from core.webhooks.signing import sign
from core.webhooks.states import Code, code_of

# Of those below, 443 alone is where somebody serves HTTPS; the others are mail servers and the like, and not ours to
# knock at for whoever names them.
PORT_MIN: Final = 1_024
HTTPS_PORT: Final = 443
LEADS_NOWHERE: Final = "Write an https URL of a public server."


class Sent(NamedTuple):
    """What came of an attempt. `status` None: nobody answered. `after_s`: how long they asked us to wait."""

    code: Code
    took_ms: int
    status: int | None = None
    after_s: float | None = None


async def check_url(outside: Outside, url: str) -> None:
    """Make sure that a webhook may lead there. Raises Refusal `url_refused`.

    A name that leads inside and one that leads nowhere are answered alike: nobody learns our names by asking.
    """
    try:
        outside.read_url(url)
        port = urlsplit(url).port or HTTPS_PORT
        if port == HTTPS_PORT or port >= PORT_MIN:
            await outside.find(url)
            return
    except (OutsideRefused, OutsideUnavailable):
        pass
    raise Refusal("url_refused", LEADS_NOWHERE, field="url") from None


async def bring(way: Way, secrets: Sequence[str], message_id: str, body: bytes, at: datetime) -> Sent:
    """Bring a message. Every way in which it can go wrong is an answer."""
    began = time.monotonic()
    try:
        answer = await way.post(body, _headers(secrets, message_id, body, int(at.timestamp())))
    except OutsideUnavailable as error:
        return Sent(Code(error.code), _since(began))
    return Sent(code_of(answer.status), _since(began), answer.status, answer.after_s)


def _headers(secrets: Sequence[str], message_id: str, body: bytes, at_s: int) -> Mapping[str, str]:
    return {
        "content-type": "application/json",
        "user-agent": "payhub-webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": sign(secrets, message_id, at_s, body),
    }


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1_000)

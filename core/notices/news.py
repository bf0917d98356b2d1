"""What a tenant writes to those of its people who agreed to it: written once, and left for each of them by workers.

It rests on consent (core/privacy/consents.py) to the purpose that it names, keeps quiet hours, and reaches nobody who
has turned news off. A link in each mail takes the consent back without a log-in. It knows no mail and no page.
"""

import base64
import binascii
import hashlib
import hmac
import struct
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from core.audit.trail import Act, By, note
from core.database import Connection, Pool, acquire, in_tenant
from core.errors import Conflict, NotFound, TooOften
from core.notices.kinds import NoticeKind
from core.notices.ladder import LADDERS, first_rung

# Whoever hears from somebody every few hours takes their consent back.
NEWS_A_DAY_MAX: Final = 3
DAY: Final = timedelta(days=1)
# Tenant, news, person, and twelve bytes of HMAC-SHA256.
SHAPE: Final = struct.Struct(">I16s16s")
MAC_LENGTH: Final = 12
# In base64url.
TOKEN_LENGTH: Final = 64
SECRET: Final = "notices/unsubscribe"  # noqa: S105  # the name of one: core.keys.safe.Safe.secret

# Two who send at once are counted one after the other.
LOCK: Final = "select pg_advisory_xact_lock($1, hashtext('news'))"
READ: Final = "select id::text, purpose, title, body, sent_by::text, sent_at, told, ended_at from news"
FIND: Final = READ + " where tenant_id = $1 and id = $2"
LIST: Final = READ + (
    " where tenant_id = $1 and ($2::timestamptz is null or sent_at < $2) order by sent_at desc limit $3"
)
IS_OPEN: Final = """
select is_open from consent_purposes where tenant_id = $1 and purpose = $2 order by version desc limit 1
"""
COUNT: Final = """
select count(*) as count, min(sent_at) as first, clock_timestamp() as now
  from news where tenant_id = $1 and sent_at > clock_timestamp() - $2::interval
"""
INSERT: Final = "insert into news (tenant_id, id, purpose, title, body, sent_by) values ($1, $2, $3, $4, $5, $6)"
READ_TEXTS: Final = "select id::text, title, body from news where tenant_id = $1 and id = any ($2)"
PURPOSE: Final = "select purpose from news where tenant_id = $1 and id = $2"


class News(NamedTuple):
    """Something that was sent. `told`: to how many so far; `ended_at`: when everybody who had agreed was."""

    id: str
    purpose: str
    title: str
    body: str
    sent_by: str | None
    sent_at: datetime
    told: int
    ended_at: datetime | None


class Text(NamedTuple):
    """What people read of it. `body`: paragraphs with empty lines between."""

    title: str
    body: str


async def send(pool: Pool, tenant_id: int, news_id: str, purpose: str, text: Text, by: By) -> News:
    """Tell it to everybody who agreed to the purpose. Again, by the same id, it changes nothing.

    Raises NotFound for a purpose that nobody is asked for, Conflict for an id that said something else, TooOften.
    """
    async with in_tenant(pool, tenant_id) as connection:
        await connection.execute(LOCK, tenant_id)
        found = await _find(connection, tenant_id, news_id)
        if found is not None:
            if (found.purpose, found.title, found.body) != (purpose, *text):
                raise Conflict
            return found
        if not await connection.fetchval(IS_OPEN, tenant_id, purpose):
            raise NotFound
        lately = await connection.fetchrow(COUNT, tenant_id, DAY)
        assert lately is not None
        if lately["count"] >= NEWS_A_DAY_MAX:
            raise TooOften(max(int((lately["first"] + DAY - lately["now"]).total_seconds() * 1000), 1))
        await connection.execute(INSERT, tenant_id, news_id, purpose, *text, by.person_id)
        await note(connection, tenant_id, by, Act.NEWS_SENT, news_id, details={"purpose": purpose})
        sent = await _find(connection, tenant_id, news_id)
    assert sent is not None
    return sent


async def _find(connection: Connection, tenant_id: int, news_id: str) -> News | None:
    row = await connection.fetchrow(FIND, tenant_id, news_id)
    return None if row is None else News(*row)


async def list_news(pool: Pool, tenant_id: int, limit: int, before: datetime | None = None) -> list[News]:
    """What was sent, newest first, before a moment."""
    async with in_tenant(pool, tenant_id) as connection:
        return [News(*row) for row in await connection.fetch(LIST, tenant_id, before, limit)]


async def read_texts(pool: Pool, tenant_id: int, news_ids: Sequence[str]) -> dict[str, Text]:
    """What people read, by id."""
    async with in_tenant(pool, tenant_id) as connection:
        return {id_: Text(*text) for id_, *text in await connection.fetch(READ_TEXTS, tenant_id, news_ids)}


async def read_purpose(pool: Pool, tenant_id: int, news_id: str) -> str | None:
    """What the readers of it agreed to."""
    async with in_tenant(pool, tenant_id) as connection:
        purpose: str | None = await connection.fetchval(PURPOSE, tenant_id, news_id)
    return purpose


async def spread(pool: Pool, limit: int) -> int:
    """Leave news for the next people who are to be told, of whichever tenant; how many."""
    kind = NoticeKind.NEWS
    async with acquire(pool) as connection:
        count: int = await connection.fetchval(
            "select spread_news($1, $2, $3, $4)", limit, kind, first_rung(kind), LADDERS[kind].socket_s
        )
    return count


def unsubscribe_token(key: bytes, tenant_id: int, news_id: str, person_id: str) -> str:
    """What takes a reader's consent back, in 64 letters of base64url. It names ids and says nothing else."""
    told = SHAPE.pack(tenant_id, uuid.UUID(news_id).bytes, uuid.UUID(person_id).bytes)
    return base64.urlsafe_b64encode(told + _mac(key, told)).decode()


def read_unsubscribe(key: bytes, token: str) -> tuple[int, str, str] | None:
    """The tenant, the news and the reader that a token names; None: we did not make it."""
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return None
    try:
        told = base64.b64decode(token, altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    named, mac = told[:-MAC_LENGTH], told[-MAC_LENGTH:]
    if not hmac.compare_digest(mac, _mac(key, named)):
        return None
    tenant_id, news, person = SHAPE.unpack(named)
    return tenant_id, str(uuid.UUID(bytes=news)), str(uuid.UUID(bytes=person))


def _mac(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, hashlib.sha256)[:MAC_LENGTH]

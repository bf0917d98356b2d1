"""The texts of news that mails are made of: each is read once, and never changes."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from core.database import Pool
from core.notices.deliveries import Claimed
from core.notices.kinds import NoticeKind
from core.notices.news import Text, read_texts

# A tenant sends a few a day; each has some kilobytes.
KEPT_MAX: Final = 200


class Newsroom:
    """The news of an installation."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._kept: dict[tuple[int, str], Text] = {}

    async def fetch(self, claimed: Iterable[Claimed]) -> None:
        """Have what these deliveries tell. Raises when the database is away."""
        wanted: dict[int, set[str]] = defaultdict(set)
        for one in claimed:
            if one.kind is NoticeKind.NEWS and one.facts is not None and one.facts.subject is not None:
                wanted[one.tenant_id].add(one.facts.subject)
        for tenant_id, ids in wanted.items():
            missing = [id_ for id_ in ids if (tenant_id, id_) not in self._kept]
            if missing:
                found = await read_texts(self._pool, tenant_id, missing)
                self._kept |= {(tenant_id, id_): text for id_, text in found.items()}
        while len(self._kept) > KEPT_MAX:
            # The one that was read first.
            del self._kept[next(iter(self._kept))]

    def text_of(self, tenant_id: int, news_id: str) -> Text | None:
        """What was fetched."""
        return self._kept.get((tenant_id, news_id))

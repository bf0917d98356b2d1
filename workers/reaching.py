"""Reaching people when no socket is there: notices climb, roads hand them over, and what comes back is heard.

A road is there if the operator set it up; a notice whose road is not there waits for whoever sets it up.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from prometheus_client import Gauge

from config.settings import Settings
from core.database import Pool
from core.keys.safe import Safe
from core.notices.deliveries import Claimed, Road, bounce, climb, forget_told, read_states
from core.notices.ladder import SOCKET_S_MIN
from core.notices.news import SECRET as NEWS_SECRET
from core.notices.news import spread
from core.notices.outbox import forget_heard, note_unheard, warn_of_holds
from core.notices.seen import SECRET
from core.notices.targets import PUSH_HOSTS
from core.notices.vapid import read_vapid_key
from core.outside import Outside, OutsideRefused, OutsideUnavailable
from workers import pushing
from workers.delivering import Composed, Delivering, Sender
from workers.houses import Houses
from workers.mail.bounces import Bounce, walk
from workers.mail.dkim import DkimKey, read_key
from workers.mail.relays import Relay, RelayRefused, read_relays
from workers.mail.sender import MailSender
from workers.mail.verp import ReturnPaths
from workers.mailing import MailRoad, Means, compose_mails
from workers.newsroom import Newsroom
from workers.push.apns import AppleSender
from workers.push.fcm import FirebaseSender
from workers.push.http2 import tls_context
from workers.push.message import Envelope
from workers.push.roads import read_roads
from workers.push.web_push import VapidKey, WebSender
from workers.pushing import compose_pushes
from workers.rounds import Round
from workers.secret_file import read_secret
from workers.waking import wake

log = logging.getLogger(__name__)

# The shortest time that a ladder gives the socket (core.notices.ladder.SOCKET_S_MIN): what was acknowledged by then is
# never written down as a notice.
PATIENCE: Final = timedelta(seconds=SOCKET_S_MIN)
BATCHES_PER_ROUND: Final = 100
NOTICES_PER_ROUND: Final = 1_000
CLIMBED_PER_ROUND: Final = 2_000
TOLD_PER_ROUND: Final = 5_000
# News wait for each other and nobody's money for them: a tenth of what a worker hands over.
NEWS_PER_ROUND: Final = 200
NEWS_S: Final = 1.0
# A day is enough to capture, and late enough to be sure of it.
WARNED_BEFORE: Final = timedelta(days=1)
HOLDS_PER_ROUND: Final = 500
# What waits for its turn is late by this much at most.
CLIMB_S: Final = 0.25
# Six times as many as there are connections to a relay (workers/mail/sender.py): one is under way, some wait for their
# turn, and as many are claimed, written and signed meanwhile. A relay may still take half a minute for each of them.
MAILS_AT_ONCE: Final = 96
# Within what Apple lets one connection carry; more at once is no faster.
PUSHES_AT_ONCE: Final = 150
# A relay may take minutes to answer for what it was given (RFC 5321, 4.5.3.2.6), and to ask again is to send it twice.
MAIL_SEND_S_MAX: Final = 200.0
MAIL_LEASE: Final = timedelta(seconds=240)
RETURN_PATHS: Final = "mail/return paths"
BOUNCES_S: Final = 10.0

deliveries_waiting = Gauge(
    "payhub_deliveries_waiting", "Deliveries that are to be handed over, now or later.", ["road"]
)
deliveries_late_seconds = Gauge(
    "payhub_deliveries_late_seconds", "For how long the oldest due one has waited.", ["road"]
)
deliveries_dead = Gauge("payhub_deliveries_dead", "Deliveries that were set aside. Somebody should look.", ["road"])


class Roads:
    """The roads of one worker."""

    def __init__(self, settings: Settings, roads: list[Delivering[Any]], paths: ReturnPaths) -> None:
        self._settings, self._roads, self._paths = settings, roads, paths

    def tasks(self) -> list[asyncio.Task[None]]:
        """Begin to deliver."""
        sleepers = [road.woken for road in self._roads]
        return [
            asyncio.create_task(wake(self._settings.database_url, sleepers)),
            *(asyncio.create_task(road.run()) for road in self._roads),
        ]

    def rounds(self, pool: Pool) -> list[Round]:
        """What has to be done again and again for people to be told."""

        async def note() -> int:
            return (await note_unheard(pool, PATIENCE, BATCHES_PER_ROUND)).batches

        async def climb_() -> int:
            return (await climb(pool, CLIMBED_PER_ROUND)).notices

        async def tell_news() -> int:
            return await spread(pool, NEWS_PER_ROUND)

        async def forget_notices() -> int:
            return await forget_heard(pool, NOTICES_PER_ROUND)

        async def forget_told_() -> int:
            return await forget_told(pool, TOLD_PER_ROUND)

        async def warn() -> int:
            return await warn_of_holds(pool, WARNED_BEFORE, HOLDS_PER_ROUND)

        async def watch() -> int:
            for one in await read_states(pool):
                name = one.road.name.lower()
                deliveries_waiting.labels(name).set(one.waiting)
                deliveries_late_seconds.labels(name).set(one.late_s)
                deliveries_dead.labels(name).set(one.dead)
            return 0

        found = [
            Round("note_unheard", CLIMB_S, note, full=BATCHES_PER_ROUND),
            Round("spread_news", NEWS_S, tell_news),
            Round("climb", CLIMB_S, climb_, full=CLIMBED_PER_ROUND),
            Round("forget_heard", 1.0, forget_notices, full=NOTICES_PER_ROUND),
            Round("forget_told", 600.0, forget_told_, full=TOLD_PER_ROUND),
            Round("warn_of_holds", 60.0, warn, full=HOLDS_PER_ROUND),
            Round("watch_deliveries", 2.0, watch),
        ]
        if self._settings.bounces_dir:
            folder = Path(self._settings.bounces_dir)

            async def take(one: Bounce) -> None:
                if one.is_permanent:
                    named = one.delivery
                    await bounce(pool, named.tenant_id, named.delivery_id, one.status, is_gone=one.is_gone)

            async def read_bounces() -> int:
                return await walk(folder, self._paths, take)

            found.append(Round("read_bounces", BOUNCES_S, read_bounces))
        return found


async def open_roads(settings: Settings, pool: Pool, keys: Safe) -> Roads:
    """The roads that the operator set up.

    Raises RelayRefused, KeyRefused, RoadsRefused with a sentence for the operator; OSError.
    """
    paths = ReturnPaths(await keys.secret(RETURN_PATHS), settings.mail_domain)
    seen_key = await keys.secret(SECRET)
    houses = Houses(pool, settings.public_url)
    roads: list[Delivering[Any]] = []
    if settings.smtp_url:
        leave_key = await keys.secret(NEWS_SECRET)
        means = Means(
            keys, houses, Newsroom(pool), paths, settings.mail_from, seen_key, leave_key, _read_dkim(settings)
        )
        sender = MailSender(_read_relays(settings), settings.mail_domain)
        roads.append(
            Delivering(
                pool,
                Road.MAIL,
                lambda claimed: compose_mails(means, claimed),
                MailRoad(sender),
                places=MAILS_AT_ONCE,
                lease=MAIL_LEASE,
                send_s_max=MAIL_SEND_S_MAX,
            )
        )
    else:
        log.warning("no_mail_is_sent", extra={"setting": "PAYHUB_SMTP_URL"})
    web = VapidKey(await read_vapid_key(keys), f"mailto:{settings.mail_from}")
    roads += _open_pushes(settings, pool, pushing.Means(keys, houses, seen_key), web)
    return Roads(settings, roads, paths)


def _open_pushes(settings: Settings, pool: Pool, means: pushing.Means, web: VapidKey) -> list[Delivering[Any]]:
    """Each provider by itself: that one is slow, or away, is nothing to the others."""
    by = read_roads(Path(settings.push_file) if settings.push_file else None, web)
    tls = tls_context(settings.push_ca_file or None)
    outside = Outside(settings.internal_networks)

    async def find(host: str, port: int) -> str:
        try:
            return str((await outside.find(f"https://{host}:{port}/")).address)
        except OutsideRefused:
            raise PermissionError from None
        except OutsideUnavailable:
            raise OSError from None

    def compose(claimed: Sequence[Claimed]) -> Awaitable[Sequence[Composed[Envelope]]]:
        return compose_pushes(means, claimed)

    senders: list[tuple[Road, Sender[Envelope], bool]] = [
        (Road.APPLE, AppleSender(by.apple, tls), False),
        (Road.FIREBASE, FirebaseSender(by.firebase, tls), True),
        (Road.WEB, WebSender(by.web, tls, find, hosts=(*PUSH_HOSTS, *settings.push_hosts)), False),
    ]
    return [
        Delivering(pool, road, compose, sender, places=PUSHES_AT_ONCE, is_one_service=is_one)
        for road, sender, is_one in senders
    ]


def _read_relays(settings: Settings) -> list[Relay]:
    password = None
    if settings.smtp_password_file:
        try:
            password = read_secret(Path(settings.smtp_password_file)).decode().strip()
        except OSError as error:
            raise RelayRefused(f"{settings.smtp_password_file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise RelayRefused(f"{settings.smtp_password_file} has to hold one line of text.") from None
    return read_relays(settings.smtp_url, password)


def _read_dkim(settings: Settings) -> DkimKey | None:
    if not settings.dkim_key_file:
        return None
    domain = settings.mail_from.rpartition("@")[2]
    return read_key(Path(settings.dkim_key_file), domain, settings.dkim_selector)

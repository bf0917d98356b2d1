"""One worker process: its rounds, its metrics, its end."""

import asyncio
import importlib
import logging
import signal
import sys
import time
from collections.abc import Collection
from datetime import timedelta

from prometheus_client import start_http_server

from config.logs import configure_logs
from config.settings import Settings, address
from core.bulk.posting import Ahead
from core.database import Pool, open_pool
from core.keyring import Purpose, load_keys
from core.keys.choosing import Choice, open_safe
from core.keys.erasing import replay
from core.keys.safe import Safe
from core.keys.telling import tell
from core.ledger.expiring import expire_holds
from core.ledger.verify import find_unbalanced_tenants
from core.machines.pairing import forget_codes
from core.nonces import forget_spent
from core.notices.leaving import forget_late
from core.notices.outbox import read_outbox_state
from core.outside import Outside
from core.people.sessions import forget_ended
from core.people.throttles import forget_counts
from core.people.tickets import forget_tickets
from core.proof.anchors import thin_heads
from core.proof.notary import Signer
from core.proof.sealing import BATCHES_PER_TURN, seal_logs
from workers.anchoring import HEADS_PER_LOOK, LOOK_S, Anchoring, DatabaseLogs
from workers.anchors.file import AnchorFiles
from workers.anchors.places import Place
from workers.anchors.witness import Witness, WitnessesRefused, read_witnesses
from workers.bulk import post_bulks
from workers.disputes import DISPUTES_PER_ROUND, tend_disputes
from workers.mail.dkim import KeyRefused
from workers.mail.relays import RelayRefused
from workers.privacy import RETAINED_PER_ROUND, make_exports, retain, watch_clocks
from workers.push.roads import RoadsRefused
from workers.reaching import open_roads
from workers.rounds import (
    Round,
    go_round,
    log_oldest_seconds,
    log_waiting,
    notices_waiting,
    outbox_batches,
    outbox_oldest_seconds,
    tenants_unbalanced,
)
from workers.schedules import SCHEDULES_PER_ROUND, pay_schedules
from workers.sinks import telling
from workers.sinks.choices import SinksRefused, read_sinks
from workers.sinks.telling import Telling
from workers.webhooks.bringing import CLAIMS_MAX, Bringing
from workers.webhooks.bringing import LOOK_S as WEBHOOKS_LOOK_S

log = logging.getLogger(__name__)

# One batch of the ledger.
HOLDS_PER_ROUND = 256
NOTICES_PER_ROUND = 1_000
SESSIONS_PER_ROUND = 1_000
KEY_EVENTS_PER_ROUND = 1_000
# Of each log. An hour of a busy one is 14,400.
HEADS_PER_ROUND = 2_000
# An ended session is kept for a while: whoever asks why they were logged out gets an answer.
SESSION_KEPT = timedelta(days=90)
NONCES_PER_ROUND = 5_000
# Nothing that old is taken; the rest is for clocks that differ.
NONCE_KEPT = timedelta(minutes=5)
CODES_PER_ROUND = 1_000
# Which till a code was used for is in the trail.
CODE_KEPT = timedelta(days=1)
POOL_SIZE = 8
# Webhooks wait for each other, and nothing else of the worker's for them.
WEBHOOKS_POOL_SIZE = 4
# So do the operator's sinks.
SINKS_POOL_SIZE = 4
ATTEMPTS_PER_ROUND = 1_000
# The job of handing over pushes and mails, beside the rounds.
DELIVER = "deliver"
# Threads that sign mails need the interpreter for a moment after each; at its own five milliseconds a second of a busy
# loop would let them have it two hundred times.
SWITCH_S = 0.0005
# More often than core.keyring.ANNOUNCEMENT_DELAY.
KEYS_READ_S = 10.0


def work(settings: Settings, only: Collection[str] = ()) -> None:
    """Work until SIGTERM or SIGINT. Raises WorkError with a sentence for the operator.

    `only`: the jobs to do, by the names of the rounds, or DELIVER; none named: all of them.
    """
    configure_logs(settings.log_level, "worker")
    sys.setswitchinterval(SWITCH_S)
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(_work(settings, only))


def _new_loop() -> asyncio.AbstractEventLoop:
    """Half as many mails and pushes again as the stock one hands over, where it is to be had."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _work(settings: Settings, only: Collection[str]) -> None:
    pool = await open_pool(settings.database_url, size_max=POOL_SIZE, name="payhub-worker")
    keys = await open_safe(Choice(**settings.key_choice()), name="payhub-worker")
    await replay(pool, keys)
    host, port = address(settings.admin_listen)
    metrics_server, _ = start_http_server(port, host)
    stopped = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sig, stopped.set)
    signer = Signer(await load_keys(pool, keys.master, Purpose.PROOFS))
    anchorings = [Anchoring(pool, place) for place in open_places(settings, pool, signer)]
    if len(anchorings) == 1:
        # Whoever can write there and in the database can still rewrite everything.
        log.warning("anchors_in_one_place_only", extra={"place": anchorings[0].name})
    try:
        roads = await open_roads(settings, pool, keys)
    except (RelayRefused, KeyRefused, RoadsRefused, OSError) as error:
        raise WorkError(str(error)) from None
    webhooks_pool = await open_pool(settings.database_url, size_max=WEBHOOKS_POOL_SIZE, name="payhub-webhooks")
    bringing = Bringing(webhooks_pool, keys, Outside(settings.webhook_networks))
    sinks_pool = await open_pool(settings.database_url, size_max=SINKS_POOL_SIZE, name="payhub-sinks")
    telling_ = open_telling(settings, sinks_pool)
    work = [
        *rounds(pool, keys, signer),
        *roads.rounds(pool),
        *webhook_rounds(bringing),
        *sink_rounds(telling_),
        *(anchor_round(one) for one in anchorings),
    ]
    jobs = {DELIVER, *(round_.name for round_ in work)}
    if unknown := set(only) - jobs:
        raise WorkError(f"No worker does {', '.join(sorted(unknown))}. There is: {', '.join(sorted(jobs))}.")
    chosen = set(only) or jobs
    tasks = [asyncio.create_task(go_round(round_)) for round_ in work if round_.name in chosen]
    if DELIVER in chosen:
        tasks += roads.tasks()
    log.info("worker_started")
    await stopped.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for one in anchorings:
        await one.close()
    await asyncio.gather(bringing.close(), telling_.close())
    await webhooks_pool.close()
    await sinks_pool.close()
    await pool.close()
    await keys.close()
    metrics_server.shutdown()
    log.info("worker_stopped")


class WorkError(Exception):
    """The worker cannot work: one sentence that says why and what to do."""


def open_places(settings: Settings, pool: Pool, signer: Signer) -> list[Place]:
    """Where signed heads are kept outside the database. Raises WorkError."""
    places: list[Place] = [AnchorFiles(settings.anchor_dir, time.time)]
    if settings.anchor_bucket:
        try:
            bucket = importlib.import_module("workers.anchors.bucket")
        except ModuleNotFoundError as error:
            raise WorkError(f"PAYHUB_ANCHOR_BUCKET needs {error.name}: pip install 'payhub[aws]'.") from None
        places.append(bucket.AnchorBucket(bucket.BucketChoice(**settings.bucket_choice()), time.time))
    logs = DatabaseLogs(pool)
    try:
        places += [Witness(one, logs, signer.public_keys) for one in read_witnesses(settings.witnesses_file)]
    except WitnessesRefused as error:
        raise WorkError(str(error)) from None
    return places


def anchor_round(anchoring: Anchoring) -> Round:
    """Bring heads to one place."""
    return Round(f"anchor {anchoring.name}", LOOK_S, anchoring.look, full=HEADS_PER_LOOK)


def webhook_rounds(bringing: Bringing) -> list[Round]:
    """Bring merchants' servers what happened."""

    async def forget() -> int:
        return await bringing.forget(ATTEMPTS_PER_ROUND)

    return [
        Round("bring_webhooks", WEBHOOKS_LOOK_S, bringing.look, full=CLAIMS_MAX),
        Round("spread_webhooks", 10.0, bringing.spread),
        Round("forget_webhook_attempts", 60.0, forget, full=ATTEMPTS_PER_ROUND),
    ]


def open_telling(settings: Settings, pool: Pool) -> Telling:
    """What tells the operator's sinks. Raises WorkError."""
    try:
        sinks = read_sinks(settings.sinks_file, Outside(settings.sink_networks))
    except SinksRefused as error:
        raise WorkError(str(error)) from None
    return Telling(pool, sinks, settings.public_url)


def sink_rounds(telling_: Telling) -> list[Round]:
    """Tell the operator's sinks what is done."""
    return [
        Round("begin_sinks", telling.BEGIN_S, telling_.begin),
        Round("tell_sinks", telling.LOOK_S, telling_.look),
        Round("watch_sinks", telling.WATCH_S, telling_.watch),
    ]


def rounds(pool: Pool, keys: Safe, signer: Signer) -> list[Round]:
    """Everything a worker does."""

    async def forget_late_notices() -> int:
        return await forget_late(pool, NOTICES_PER_ROUND)

    async def forget_sessions() -> int:
        return await forget_ended(pool, SESSION_KEPT, SESSIONS_PER_ROUND)

    async def forget_log_ins() -> int:
        return await forget_tickets(pool, SESSIONS_PER_ROUND) + await forget_counts(pool, SESSIONS_PER_ROUND)

    async def forget_nonces() -> int:
        return await forget_spent(pool, NONCE_KEPT, NONCES_PER_ROUND)

    async def forget_pairing_codes() -> int:
        return await forget_codes(pool, CODE_KEPT, CODES_PER_ROUND)

    async def expire() -> int:
        return await expire_holds(pool, HOLDS_PER_ROUND)

    async def pay() -> int:
        return await pay_schedules(pool, keys)

    async def tend() -> int:
        return await tend_disputes(pool)

    async def tell_trail() -> int:
        return await tell(pool, keys.pool, KEY_EVENTS_PER_ROUND)

    ahead = Ahead(keys)

    async def post() -> int:
        return await post_bulks(pool, keys, ahead)

    async def seal() -> int:
        return await seal_logs(pool, signer, time.time)

    async def thin() -> int:
        return await thin_heads(pool, HEADS_PER_ROUND)

    async def read_keys() -> int:
        signer.replace_keys(await load_keys(pool, keys.master, Purpose.PROOFS, signer.keys))
        return 0

    async def export() -> int:
        return await make_exports(pool, keys)

    async def retain_() -> int:
        return await retain(pool, keys)

    async def watch_privacy() -> int:
        return await watch_clocks(pool)

    async def watch() -> int:
        state = await read_outbox_state(pool)
        outbox_batches.set(state.batches)
        outbox_oldest_seconds.set(state.oldest_s)
        notices_waiting.set(state.notices)
        log_waiting.set(state.unlogged)
        log_oldest_seconds.set(state.unlogged_oldest_s)
        return 0

    async def balance() -> int:
        unbalanced = await find_unbalanced_tenants(pool)
        tenants_unbalanced.set(len(unbalanced))
        if unbalanced:
            log.error("tenants_unbalanced", extra={"count": len(unbalanced)})
        return 0

    return [
        Round("forget_late", 60.0, forget_late_notices, full=NOTICES_PER_ROUND),
        Round("forget_sessions", 600.0, forget_sessions, full=SESSIONS_PER_ROUND),
        Round("forget_log_ins", 60.0, forget_log_ins, full=SESSIONS_PER_ROUND),
        Round("forget_nonces", 60.0, forget_nonces, full=NONCES_PER_ROUND),
        Round("forget_pairing_codes", 600.0, forget_pairing_codes, full=CODES_PER_ROUND),
        Round("expire_holds", 1.0, expire, full=HOLDS_PER_ROUND),
        Round("pay_schedules", 1.0, pay, full=SCHEDULES_PER_ROUND),
        Round("tend_disputes", 5.0, tend, full=DISPUTES_PER_ROUND),
        Round("post_bulks", 0.25, post, full=1),
        # Told by a hub within 0.3 s, sealed within 0.35: a round costs nearly as much for few batches as for many.
        Round("seal_logs", 0.35, seal, full=BATCHES_PER_TURN),
        Round("thin_heads", 60.0, thin, full=HEADS_PER_ROUND - 1),
        Round("read_keys", KEYS_READ_S, read_keys),
        Round("tell_keys", 1.0, tell_trail, full=KEY_EVENTS_PER_ROUND),
        Round("watch_outbox", 2.0, watch),
        Round("make_exports", 0.5, export, full=1),
        Round("retain", 60.0, retain_, full=RETAINED_PER_ROUND),
        Round("watch_privacy", 60.0, watch_privacy),
        Round("balance_tenants", 60.0, balance),
    ]

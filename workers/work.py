"""One worker process: its rounds, its metrics, its end."""

import asyncio
import logging
import signal
import time
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
from core.notices.outbox import forget_heard, note_unheard, read_outbox_state
from core.people.sessions import forget_ended
from core.proof.notary import Signer
from core.proof.sealing import BATCHES_PER_TURN, seal_logs
from workers.bulk import post_bulks
from workers.disputes import DISPUTES_PER_ROUND, tend_disputes
from workers.privacy import RETAINED_PER_ROUND, make_exports, retain, watch_clocks
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

log = logging.getLogger(__name__)

# A socket that is there acknowledges within a second or two; after this, nobody is listening.
PATIENCE = timedelta(seconds=10)
BATCHES_PER_ROUND = 100
# One batch of the ledger.
HOLDS_PER_ROUND = 256
NOTICES_PER_ROUND = 1_000
SESSIONS_PER_ROUND = 1_000
KEY_EVENTS_PER_ROUND = 1_000
# An ended session is kept for a while: whoever asks why they were logged out gets an answer.
SESSION_KEPT = timedelta(days=90)
POOL_SIZE = 4
# More often than core.keyring.ANNOUNCEMENT_DELAY.
KEYS_READ_S = 10.0


def work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    configure_logs(settings.log_level, "worker")
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    pool = await open_pool(settings.database_url, size_max=POOL_SIZE, name="payhub-worker")
    keys = await open_safe(Choice(**settings.key_choice()), name="payhub-worker")
    await replay(pool, keys)
    host, port = address(settings.admin_listen)
    metrics_server, _ = start_http_server(port, host)
    stopped = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sig, stopped.set)
    signer = Signer(await load_keys(pool, keys.master, Purpose.PROOFS))
    tasks = [asyncio.create_task(go_round(round_)) for round_ in rounds(pool, keys, signer)]
    log.info("worker_started")
    await stopped.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await pool.close()
    await keys.close()
    metrics_server.shutdown()
    log.info("worker_stopped")


def rounds(pool: Pool, keys: Safe, signer: Signer) -> list[Round]:
    """Everything a worker does."""

    async def note() -> int:
        return (await note_unheard(pool, PATIENCE, BATCHES_PER_ROUND)).batches

    async def forget_notices() -> int:
        return await forget_heard(pool, NOTICES_PER_ROUND)

    async def forget_sessions() -> int:
        return await forget_ended(pool, SESSION_KEPT, SESSIONS_PER_ROUND)

    async def expire() -> int:
        return await expire_holds(pool, HOLDS_PER_ROUND)

    async def pay() -> int:
        return await pay_schedules(pool, keys)

    async def tend() -> int:
        return await tend_disputes(pool)

    async def tell_trail() -> int:
        return await tell(pool, keys.pool, KEY_EVENTS_PER_ROUND)

    ahead = Ahead()

    async def post() -> int:
        return await post_bulks(pool, keys, ahead)

    async def seal() -> int:
        return await seal_logs(pool, signer, time.time)

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
        Round("note_unheard", 1.0, note, full=BATCHES_PER_ROUND),
        Round("forget_heard", 5.0, forget_notices, full=NOTICES_PER_ROUND),
        Round("forget_sessions", 600.0, forget_sessions, full=SESSIONS_PER_ROUND),
        Round("expire_holds", 1.0, expire, full=HOLDS_PER_ROUND),
        Round("pay_schedules", 1.0, pay, full=SCHEDULES_PER_ROUND),
        Round("tend_disputes", 5.0, tend, full=DISPUTES_PER_ROUND),
        Round("post_bulks", 0.25, post, full=1),
        Round("seal_logs", 0.25, seal, full=BATCHES_PER_TURN),
        Round("read_keys", KEYS_READ_S, read_keys),
        Round("tell_keys", 1.0, tell_trail, full=KEY_EVENTS_PER_ROUND),
        Round("watch_outbox", 2.0, watch),
        Round("make_exports", 0.5, export, full=1),
        Round("retain", 60.0, retain_, full=RETAINED_PER_ROUND),
        Round("watch_privacy", 60.0, watch_privacy),
        Round("balance_tenants", 60.0, balance),
    ]

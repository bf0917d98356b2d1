"""What an operator sees of sinks, and what they can do about them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.database import acquire, transaction
from tests.conftest import PAST_TRIGGERS, Database
from tests.core.webhooks.receiver import always
from tests.hub.witness.processes import call
from tests.workers.sinks.conftest import Desk, events_of, numbers, tell_all
from workers.sinks.choices import read_sinks


async def age(desk: Desk, hours: int) -> None:
    """Make the first leaf of the log older."""
    async with acquire(desk.admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        await connection.execute(
            "update payhub.log_leaves set judged_at = judged_at - $2::interval where tenant_id = $1 and number = 0",
            desk.books.tenant.id,
            timedelta(hours=hours),
        )


async def test_the_commands_show_how_far_sinks_are_and_tell_again(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    slug, (name, other) = desk.books.tenant.slug, (desk.http().name, desk.http().name)
    file = tmp_path / "sinks.json"
    row = {"name": name, "kind": "http", "url": desk.receiver.url(), "tenants": [slug]}
    file.write_text(json.dumps([row]))
    environment = {
        "PAYHUB_DATABASE_URL": database.app_url,
        "PAYHUB_ADMIN_DATABASE_URL": database.admin_url,
        "PAYHUB_REDIS_URL": database.redis_url,
        "PAYHUB_KEYS_DATABASE_URL": database.keys_url,
        "PAYHUB_MASTER_KEY_FILE": str(database.master_key_file),
        "PAYHUB_SINKS_FILE": str(file),
        "PAYHUB_SINK_NETWORKS": "127.0.0.0/8",
    }

    async def shown() -> tuple[int, list[dict[str, Any]]]:
        done = await asyncio.to_thread(call, "sinks", "--json", **environment)
        found = json.loads(done.stdout)
        assert found["well"] is (done.returncode == 0)
        return done.returncode, [one for one in found["sinks"] if one["sink"] in (name, other)]

    assert await shown() == (
        1,
        [
            {"sink": name, "tenant": "", "state": "no worker follows it"},
            {"sink": name, "tenant": slug, "state": "no worker follows it"},
        ],
    )
    worker = await desk.begin(*read_sinks(file, desk.outside))
    desk.receiver.reply = always(500)
    await desk.pay(2)
    await tell_all(worker)
    code, (one,) = await shown()
    assert (code, one["behind"], one["state"], one["error"], one["taken_at"]) == (0, 3, "well", "error", None)
    assert datetime.fromisoformat(one["since"]).tzinfo is not None
    # As if it were late, or the log's first leaf from an hour ago.
    await age(desk, hours=1)
    async with acquire(desk.admin) as connection:
        await connection.execute(
            "update payhub.sink_cursors set number = 0 where sink = $1 and tenant_id = $2", name, desk.books.tenant.id
        )
    code, (one,) = await shown()
    assert (code, one["state"], one["lag_s"] >= 3_600) == (1, "late", True)
    text = await asyncio.to_thread(call, "sinks", **environment)
    (line,) = [line for line in text.stdout.splitlines() if line.startswith(name)]
    assert f"{slug} " in line and "batches" in line and "late: error since 20" in line

    await age(desk, hours=-1)
    desk.receiver.reply = always(204)
    desk.clock.move(minutes=1)
    await tell_all(worker)
    code, (one,) = await shown()
    assert (code, one["behind"], one["state"], one["error"]) == (0, 0, "well", None)
    desk.receiver.taken.clear()
    since = datetime(2020, 1, 1, tzinfo=UTC).isoformat()
    arguments = ["sinks", "replay", name, "--tenant", slug, "--from", since]
    done = await asyncio.to_thread(call, *arguments, "--json", **environment)
    assert json.loads(done.stdout) == {"sink": name, "tenant": slug, "leaf": 0, "leaves": one["leaf"]}
    await tell_all(worker)
    assert numbers(events_of(desk.receiver.taken), desk.books.account(0)) == [1, 2, 3]
    told = await asyncio.to_thread(call, *arguments, **environment)
    assert f"batches of {slug} again, from leaf 0 of its log on" in told.stdout

    for wrong, sentence in (
        ([*arguments[:5], "--from", "yesterday"], "is no moment"),
        ([*arguments[:5], "--from", "2026-12-01T08:00:00"], "is no moment"),
        (["sinks", "replay", other, "--tenant", slug, "--from", since], "follows no tenant"),
        (["sinks", "forget", name], "take it out of it first"),
    ):
        refused = await asyncio.to_thread(call, *wrong, **environment)
        assert (refused.returncode > 0, sentence in refused.stderr) == (True, True), refused.stderr
    file.write_text("[]")
    code, (one,) = await shown()
    assert (code, one["state"]) == (0, "not in the file")
    assert (
        "1 tenants, and is forgotten" in (await asyncio.to_thread(call, "sinks", "forget", name, **environment)).stdout
    )
    assert await shown() == (0, [])
    file.write_text('[{"name": "x", "kind": "http", "url": "ftp://x"}]')
    for word in ("sinks", "work"):
        refused = await asyncio.to_thread(call, word, **environment)
        assert (refused.returncode, refused.stderr.count("\n"), "its url has to be" in refused.stderr) == (1, 1, True)


@pytest.mark.parametrize("command", [(), ("replay",), ("forget",)])
def test_each_command_says_what_it_does(command: tuple[str, ...]) -> None:
    assert call("sinks", *command, "--help").returncode == 0

"""No secret that is sent through everything is kept anywhere. The long run is `python -m tests.hub.hygiene.run`."""

from pathlib import Path

from config.embedded import temporary_servers
from tests.hub.hygiene.run import PLANTED, send_and_search

ROUNDS = 3
SECRETS_MIN = 200
# What is typed there is compared, and not kept.
NOT_KEPT = {"SearchEntries", "ReadTrail"}
# A phone's address is whatever its provider says, and kept sealed.
SEALED = {"RegisterPhone"}
# Some of the commands that take a text others read: at every door a card number in it is refused by its own code.
WATCHED = {"Pay", "Authorize", "CreateCharge", "OpenDispute", "CreateSchedule", "SetAccountMetadata"}
PLACES = {"metrics", "said to redis", "dump of ledger", "dump of keys", "redis", "postgres", "logs"}


async def test_no_secret_is_kept_anywhere(tmp_path: Path) -> None:
    # Of its own: every file of these servers is searched.
    with temporary_servers(durable=False) as servers:
        outcome = await send_and_search(servers, tmp_path, ROUNDS, seed=1)
    assert outcome.canaries > SECRETS_MIN
    assert set(outcome.places) == PLACES
    assert {name for name, _ in outcome.taken} <= NOT_KEPT | SEALED
    refused = {name for name, codes in outcome.codes.items() if codes & {"card_data_in_text", "document_in_text"}}
    assert refused & WATCHED, outcome.codes
    planted = {one.place.split("/")[0] for one in outcome.found if one.kind == PLANTED.kind}
    assert planted == PLACES - {"metrics"}
    assert any("pg_wal" in one.place for one in outcome.found if one.kind == PLANTED.kind)
    assert [one for one in outcome.found if one.kind != PLANTED.kind] == []

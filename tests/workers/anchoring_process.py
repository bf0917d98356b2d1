"""A worker that does nothing but anchor, as fast as it can, until it is killed."""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2

from core.database import open_pool
from core.keyring import Purpose, load_keys
from core.keys.choosing import Choice, open_safe
from core.proof.checking import read_key
from core.proof.notary import Signer
from workers.anchoring import Anchoring, DatabaseLogs
from workers.anchors.file import AnchorFiles
from workers.anchors.places import Place
from workers.anchors.witness import Witness, WitnessChoice


async def main(database_url: str, keys_url: str, master_key_file: str, folder: str, url: str, token: str) -> None:
    """Look after look at both places."""
    pool = await open_pool(database_url, size_max=4, name="payhub-tests-anchoring")
    safe = await open_safe(Choice(keys_url, "local", Path(master_key_file)), name="payhub-tests-anchoring")
    signer = Signer(await load_keys(pool, safe.master, Purpose.PROOFS))
    async with httpx2.AsyncClient() as client:
        (key,) = (await client.get(f"{url}/v1/key")).json()["keys"]
    witness = WitnessChoice("north", url, read_key(key["public_key"]), token)
    places: list[Place] = [
        AnchorFiles(Path(folder), time.time),
        Witness(witness, DatabaseLogs(pool), signer.public_keys),
    ]
    anchorings = [Anchoring(pool, place) for place in places]
    print("ready", flush=True)  # noqa: T201  # its parent waits for it
    while True:
        until = datetime.now(UTC) + timedelta(hours=1)
        await asyncio.gather(*(one.look(until) for one in anchorings))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

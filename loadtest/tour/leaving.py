"""The chapter of people's rights: what is held is handed over, and whoever may go is erased; the books outlive both.

Two newcomers come in for it, each time anew: nobody of the demo has to go.
"""

import asyncio
import json
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from loadtest.privacy_client import PrivacyClient
from loadtest.tour.proving import prove, prove_books, prove_log
from loadtest.tour.stage import Person, Stage, TourError, Wire, come_in, connected, new_id


@asynccontextmanager
async def newcomer(stage: Stage, name: str) -> AsyncIterator[tuple[Person, Wire]]:
    """Somebody who registers, with a socket; and how they logged in."""
    way_in = {"tenant": stage.tenant, "login": f"{name.lower()}-{secrets.token_hex(4)}"}
    way_in["password"] = secrets.token_urlsafe(16)
    token = (await come_in(stage.url, "register", way_in | {"name": name}))["access_token"]
    async with connected(stage.url, name, token) as person:
        yield person, way_in


async def privacy(stage: Stage) -> None:
    """What is held about somebody, in their hands; and somebody erased, whom the books outlive."""
    ana = stage.ana
    async with newcomer(stage, "Dora") as (dora, way_in):
        paper = await _pay_and_prove(stage, dora)
        await _hand_over(stage, dora)
        await _is_kept(stage, dora, way_in)
    async with newcomer(stage, "Eva") as (eva, _):
        stage.note(eva, "registers, and never moves money")
        await stage.step(ana, "looks up her name", "name", type_="payee", account=eva.account)
        await _erase(stage, eva)
        while "name" in await ana.ask("payee", account=eva.account):
            await asyncio.sleep(0.05)
        await stage.step(ana, "looks up her name, within a second", type_="payee", account=eva.account)
    keys = await ana.ask("proof_keys")
    stage.note(ana, f"  proves her payment to Dora by its paper: {prove(paper, keys)}")
    stage.note(stage.operator, f"  proves the books: {await asyncio.to_thread(prove_books)}")
    proved = await asyncio.to_thread(prove_log, stage.tenant, keys)
    stage.note(stage.operator, f"  proves the log of all payments and of the audit trail: {proved}")


async def _pay_and_prove(stage: Stage, dora: Person) -> Wire:
    """Ana pays her; the paper of it, which Ana keeps."""
    pay = {"payment": new_id(), "payer": stage.ana.account, "payee": dora.account, "amount": 500}
    await stage.step(stage.ana, "pays Dora, who has just come, R$ 5.00", "status", type_="pay", **pay)
    while "log" not in (paper := await stage.ana.ask("read_proof", payment=pay["payment"])):
        await asyncio.sleep(0.1)
    return paper


async def _hand_over(stage: Stage, dora: Person) -> None:
    held = await stage.step(dora, "asks what is held about her", type_="my_data", language="en")
    for one in held["held"]:
        if one["section"] in {"profiles", "entries"}:
            stage.note(None, f"  {one['title']}: {one['count']} ({one['basis']}), {one['kept'].lower()}")
    export = new_id()
    await stage.step(dora, "asks for all of it", "status", type_="ask_export", export=export, language="en")
    state = (await dora.ask("export", export=export, watch=True))["export"]
    while state["status"] in {"waiting", "making"}:
        state = await dora.event("export_progress")
    if state["status"] != "ready":
        raise TourError(f"The export is {state['status']}.")
    state = (await dora.ask("export", export=export))["export"]
    with tempfile.TemporaryDirectory() as folder:
        client = PrivacyClient(stage.url, dora.token)
        files = await asyncio.to_thread(client.fetch_all, state, Path(folder))
        told = json.loads(files[0].read_bytes())
    entry = told["data"]["entries"][0]
    names = " and ".join(file.name for file in files)
    stage.note(dora, f"  has {names}: {len(told['sections'])} kinds of data, why each is held and how long")
    stage.note(dora, f"  finds R$ {entry['amount'] / 100:.2f} from {entry['counterparty_name']} among them")


async def _is_kept(stage: Stage, dora: Person, way_in: Wire) -> None:
    await stage.step(dora, "wants to be erased", type_="erase", person=await _id_of(dora))
    for one in (await dora.ask("erasure"))["obstacles"]:
        stage.note(None, f"  {one['code']}: {one['advice']}")
    back = {"payment": new_id(), "payer": dora.account, "payee": stage.ana.account, "amount": 500}
    await stage.step(dora, "pays it back", "status", type_="pay", **back)
    erasure = await _erase(stage, dora)
    for one in erasure["kept"]:
        stage.note(None, f"  {one['code']} is kept until {one['until']}, by {one['law']}")
    try:
        await come_in(stage.url, "login", way_in)
    except TourError:
        stage.note(dora, "  logs in no more: how she came in is gone at once, and so are her devices and sessions")


async def _erase(stage: Stage, person: Person) -> Wire:
    erasure = await stage.step(person, "wants to be erased", "status", type_="erase", person=await _id_of(person))
    stage.note(person, f"  has her socket closed by the hub: {await person.closed()}")
    return erasure


async def _id_of(person: Person) -> str:
    return str((await person.ask("profile"))["person"])

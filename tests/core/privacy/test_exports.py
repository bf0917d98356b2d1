"""A person is told everything of theirs and nothing of others', in pieces that are made once, whoever is killed."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from core.audit.trail import NOBODY, By, read_trail
from core.database import Pool, in_tenant
from core.errors import Conflict, NotFound, Refusal
from core.keys.safe import Safe
from core.ledger.posting import post_payments
from core.ledger.recalling import set_account_metadata
from core.notices.kinds import NoticeKind
from core.nouns import Payment
from core.people.opening import Tenant, open_person
from core.people.persons import Role
from core.people.sessions import start_session
from core.privacy import making
from core.privacy.exports import ask_export, fetch_file, list_exports, read_export, remove_expired
from core.privacy.making import make_some, sections
from core.privacy.states import ExportStatus, Form
from core.privacy.summary import summarise
from tests.conftest import Books
from tests.core.notices.reaching import told as told_of


async def make_all(pool: Pool, keys: Safe) -> None:
    while await make_some(pool, keys):
        pass


async def ask(pool: Pool, tenant: Tenant, person: str, language: str = "pt") -> str:
    export_id = str(uuid.uuid4())
    await ask_export(pool, tenant.id, person, export_id, language, By(person, None, "192.0.2.0/24"))
    return export_id


async def fetch(
    pool: Pool, keys: Safe, tenant: Tenant, person: str, export_id: str, form: Form = Form.JSON, volume: int = 0
) -> bytes:
    pieces = await fetch_file(pool, keys, tenant.id, person, export_id, form, volume, By(person))
    return b"".join([piece async for piece in pieces])


async def told(pool: Pool, keys: Safe, tenant: Tenant, person: str) -> dict[str, Any]:
    export_id = await ask(pool, tenant, person)
    await make_all(pool, keys)
    document: dict[str, Any] = json.loads(await fetch(pool, keys, tenant, person, export_id))
    return document


async def pay(books: Books, pairs: Sequence[tuple[int, int, int]], description: str | None = None) -> None:
    batch = [books.payment(payer, payee, amount, description=description) for payer, payee, amount in pairs]
    await post(books.pool, batch, books.keys)


async def post(pool: Pool, batch: Sequence[Payment], keys: Safe) -> None:
    async with pool.acquire() as connection:
        await post_payments(connection, batch, keys)


async def test_everything_of_a_person_is_told_and_nothing_of_others(books: Books, pool: Pool, keys: Safe) -> None:
    tenant, (ana, bruno, *_) = books.tenant, books.people
    await pay(books, [(0, 1, 10), (1, 0, 3), (1, 2, 77)], "Pão *de* queijo")
    await pay(books, [(0, 1, 10_000_000)], "too much")
    await start_session(pool, tenant.id, ana.person_id)
    await start_session(pool, tenant.id, bruno.person_id)
    await set_account_metadata(pool, tenant.id, ana.account_id, '{"order": "17"}')
    document = await told(pool, keys, tenant, ana.person_id)
    assert document["format"] == making.FORMAT
    assert [one["section"] for one in document["sections"]] == list(document["data"]) == sections()
    data = document["data"]
    assert [row["display_name"] for row in data["profiles"]] == ["Person 0"]
    assert [row["status"] for row in data["accounts"]] == ["open"]
    assert data["accounts"][0]["balance"] == 1_000 - 10 + 3
    assert [(row["number"], row["amount"], row.get("counterparty_name")) for row in data["entries"]] == [
        (1, 1_000, None),
        (2, -10, "Person 1"),
        (3, 3, "Person 1"),
    ]
    assert data["entries"][0]["counterparty_book"] == "cash_in"
    assert data["entries"][1]["description"] == "Pão *de* queijo"
    assert [(row["status"], row["amount"]) for row in data["refused_payments"]] == [("insufficient_funds", 10_000_000)]
    assert data["account_metadata"] == [{"account_id": ana.account_id, "key": "order", "value": "17"}]
    assert [row["person_id"] for row in data["sessions"]] == [ana.person_id]
    assert [row["what"] for row in data["audit_entries"]][-1:] == ["export.asked"]
    text = json.dumps(document)
    assert bruno.person_id not in text
    assert "Person 2" not in text and "77" not in {str(row["amount"]) for row in data["entries"]}
    assert not any("hash" in row or "seed" in row for rows in data.values() for row in rows)


async def test_an_export_has_a_paper_that_a_customer_can_be_handed(books: Books, pool: Pool, keys: Safe) -> None:
    person = books.people[0].person_id
    await pay(books, [(0, 1, 10)], "#eval(1) $x$ *bold* \\ <label> @ref")
    for language in ("pt", "en"):
        export_id = await ask(pool, books.tenant, person, language)
        await make_all(pool, keys)
        pdf = await fetch(pool, keys, books.tenant, person, export_id, Form.PDF)
        assert pdf.startswith(b"%PDF-") and len(pdf) > 10_000
        with pytest.raises(NotFound):
            await fetch(pool, keys, books.tenant, person, export_id, Form.PDF, 1)


async def test_an_export_goes_on_where_a_killed_worker_left_it_and_is_written_once(
    books: Books, pool: Pool, admin: Pool, keys: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PAGE_LENGTH", 7)
    monkeypatch.setattr(making, "STEP_LENGTH", 10)
    monkeypatch.setattr(making, "VOLUME_LENGTH", 20)
    await pay(books, [(0, 1, 1)] * 50)
    tenant, person = books.tenant, books.people[0].person_id
    export_id = await ask(pool, tenant, person)
    seen = []
    steps = 0
    while True:
        # A worker that dies holds it until its lease is over.
        async with admin.acquire() as connection:
            lost = await connection.fetchrow("select * from payhub.claim_export(interval '-1 second')")
        if lost is None:
            break
        assert await make_some(pool, keys) == 1
        steps += 1
        export = await read_export(pool, tenant.id, person, export_id)
        seen.append(export.done)
    assert steps >= 8
    assert seen == sorted(seen)
    export = await read_export(pool, tenant.id, person, export_id)
    assert (export.status, export.done, export.volumes) == (ExportStatus.READY, export.total, 3)
    document = json.loads(await fetch(pool, keys, tenant, person, export_id))
    assert [row["number"] for row in document["data"]["entries"]] == list(range(1, 52))
    # And its person is told once, in the commit of its last piece.
    ((kind, facts),) = await told_of(pool, tenant.id, person)
    assert (kind, facts.subject) == (NoticeKind.EXPORT_READY, export_id)
    assert facts.ends_at is not None and facts.ends_at > datetime.now(UTC)
    assert export.json_size == len(await fetch(pool, keys, tenant, person, export_id))
    for volume in range(3):
        assert (await fetch(pool, keys, tenant, person, export_id, Form.PDF, volume)).startswith(b"%PDF-")


async def test_two_workers_at_one_step_write_it_once(
    books: Books, pool: Pool, keys: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PAGE_LENGTH", 5)
    monkeypatch.setattr(making, "STEP_LENGTH", 5)
    await pay(books, [(0, 1, 1)] * 40)
    tenant, person = books.tenant, books.people[0].person_id
    export_id = await ask(pool, tenant, person)
    # Both hold it, as after a lease that was over too early.
    while (await read_export(pool, tenant.id, person, export_id)).status < ExportStatus.READY:
        async with in_tenant(pool, tenant.id) as connection:
            await connection.execute("update privacy_exports set status = 1 where id = $1", export_id)
        await asyncio.gather(*(making._step(pool, keys, tenant.id, export_id) for _ in range(3)))
    document = json.loads(await fetch(pool, keys, tenant, person, export_id))
    assert [row["number"] for row in document["data"]["entries"]] == list(range(1, 42))


async def test_one_at_a_time_and_a_few_a_day(books: Books, pool: Pool, keys: Safe) -> None:
    tenant, person = books.tenant, books.people[0].person_id
    first = await ask(pool, tenant, person)
    with pytest.raises(Refusal) as refused:
        await ask(pool, tenant, person)
    assert refused.value.code == "export_under_way"
    again = await ask_export(pool, tenant.id, person, first, "pt", NOBODY)
    assert again.id == first
    with pytest.raises(Conflict):
        await ask_export(pool, tenant.id, person, first, "en", NOBODY)
    with pytest.raises(Conflict):
        await ask_export(pool, tenant.id, books.people[1].person_id, first, "pt", NOBODY)
    with pytest.raises(NotFound):
        await ask_export(pool, tenant.id, str(uuid.uuid4()), str(uuid.uuid4()), "pt", NOBODY)
    await make_all(pool, keys)
    for _ in range(2):
        await ask(pool, tenant, person)
        await make_all(pool, keys)
    with pytest.raises(Refusal) as refused:
        await ask(pool, tenant, person)
    assert refused.value.code == "too_many_exports"
    assert len(await list_exports(pool, tenant.id, person, 10)) == 3
    assert len(await list_exports(pool, tenant.id, person, 10, first)) == 0
    # Many at once: as many as fit, and no more.
    other = books.people[1].person_id
    asked = await asyncio.gather(*(ask(pool, tenant, other) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in asked) == 1


async def test_the_files_are_sealed_and_nobody_elses(
    books: Books, pool: Pool, admin: Pool, keys: Safe, other_tenant: Tenant
) -> None:
    tenant, person = books.tenant, books.people[0].person_id
    await pay(books, [(0, 1, 1)], "zq-canary-of-exports")
    export_id = await ask(pool, tenant, person)
    await make_all(pool, keys)
    assert b"zq-canary-of-exports" in await fetch(pool, keys, tenant, person, export_id)
    pieces = await admin.fetch(
        "select content_sealed from payhub.privacy_export_pieces where export_id = $1", export_id
    )
    assert pieces
    for piece in pieces:
        assert b"zq-canary" not in piece["content_sealed"]
        assert piece["content_sealed"][0] == 1
    for stranger, where in ((books.people[1].person_id, tenant), (person, other_tenant)):
        with pytest.raises(NotFound):
            await fetch(pool, keys, where, stranger, export_id)
        with pytest.raises(NotFound):
            await read_export(pool, where.id, stranger, export_id)
    fetched = await read_trail(pool, tenant.id, 10, what="export.fetched", about=person)
    assert [(one.who, (one.details or {})["form"]) for one in fetched] == [(person, "json")]
    made = await read_trail(pool, tenant.id, 10, what="export.made", about=person)
    assert len(made) == 1


async def test_the_files_are_gone_after_a_week(books: Books, pool: Pool, admin: Pool, keys: Safe) -> None:
    tenant, person = books.tenant, books.people[0].person_id
    export_id = await ask(pool, tenant, person)
    await make_all(pool, keys)
    export = await read_export(pool, tenant.id, person, export_id)
    assert export.expires_at is not None and export.finished_at is not None
    assert (export.expires_at - export.finished_at).days == 7
    await remove_expired(pool, 1_000)
    assert await fetch(pool, keys, tenant, person, export_id)
    await admin.execute("update payhub.privacy_exports set expires_at = $2 where id = $1", export_id, datetime.now(UTC))
    assert await remove_expired(pool, 1_000) == 1
    with pytest.raises(NotFound):
        await fetch(pool, keys, tenant, person, export_id)
    assert (
        await admin.fetchval("select count(*) from payhub.privacy_export_pieces where export_id = $1", export_id) == 0
    )
    assert (await read_export(pool, tenant.id, person, export_id)).status == ExportStatus.EXPIRED
    assert len(await read_trail(pool, tenant.id, 10, what="export.removed", about=person)) == 1


async def test_an_export_that_cannot_be_made_is_given_up_and_asked_for_again(
    books: Books, pool: Pool, admin: Pool, keys: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, person = books.tenant, books.people[0].person_id
    export_id = await ask(pool, tenant, person)
    with monkeypatch.context() as patch:
        patch.setattr(making, "write_paper", None)
        for _ in range(making.TRIES_MAX):
            await make_all(pool, keys)
            await admin.execute("update payhub.privacy_exports set free_at = now() where id = $1", export_id)
    assert (await read_export(pool, tenant.id, person, export_id)).status == ExportStatus.FAILED
    await ask(pool, tenant, person)
    await make_all(pool, keys)


async def test_a_person_of_another_role_without_a_payment_is_told_what_there_is(
    tenant: Tenant, pool: Pool, keys: Safe
) -> None:
    opened = await open_person(
        pool, keys, tenant.id, Role.OPERATOR, "Olívia", "olivia.of.exports", "a long enough password"
    )
    document = await told(pool, keys, tenant, opened.person_id)
    assert document["data"]["entries"] == []
    assert [row["login"] for row in document["data"]["credentials"]] == ["olivia.of.exports"]
    assert "argon2" not in json.dumps(document)


async def test_what_is_held_is_said_at_once_and_in_short(books: Books, pool: Pool, keys: Safe) -> None:
    person = books.people[0].person_id
    await pay(books, [(0, 1, 10)])
    held = {one.section: one for one in await summarise(pool, books.tenant.id, person, "pt")}
    assert (held["entries"].rows, held["profiles"].rows, held["accounts"].rows) == (2, 1, 1)
    assert held["profiles"].explained["title"] == "Nome"
    assert "disputes" not in held
    assert await summarise(pool, books.tenant.id, str(uuid.uuid4()), "en") == []

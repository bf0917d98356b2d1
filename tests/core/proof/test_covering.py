"""Every payment that was done is in one leaf of the log, and whoever changes that is found and told where."""

import asyncio
import json
import uuid
from pathlib import Path

import pytest

from core.audit.trail import Act, By, note
from core.database import Pool, acquire, in_tenant, transaction
from core.keyring import load_public_keys
from core.ledger.posting import post_payments
from core.nouns import Kind
from core.proof import covering
from core.proof.checking import LogBroken
from core.proof.covering import Covered, check_cover
from core.proof.notary import Signer
from tests.conftest import PAST_TRIGGERS, Books, Database, seal_all
from tests.hub.witness.processes import call, write_keys


async def covered(admin: Pool, books: Books, signer: Signer) -> Covered:
    async with acquire(admin) as connection, transaction(connection):
        return await check_cover(connection, books.tenant.id, signer.public_keys())


async def a_past(books: Books, signer: Signer, leaves: int = 6) -> list[str]:
    """So many leaves of two payments, and one with an entry; the payments."""
    ids = []
    for _ in range(leaves):
        batch = [books.payment(0, 1, 2), books.payment(1, 2, 1)._replace(kind=Kind.AUTHORIZE)]
        async with acquire(books.pool) as connection:
            await post_payments(connection, batch)
        await seal_all(books.pool, signer)
        ids += [payment.id for payment in batch]
    async with in_tenant(books.pool, books.tenant.id) as connection:
        await note(connection, books.tenant.id, By(str(uuid.uuid4())), Act.SESSION_STARTED, "é", None, {"a": [1.5]})
    await seal_all(books.pool, signer)
    return ids


async def test_a_log_covers_what_was_done_and_what_waits_to_be_sealed_is_no_gap(
    books: Books, signer: Signer, admin: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await a_past(books, signer)
    found = await covered(admin, books, signer)
    assert (found.payments, found.entries) == (4 + len(ids), 1)
    assert (found.leaves, found.heads) == (1 + 6 + 1, 1 + 6)
    async with acquire(books.pool) as connection:
        await post_payments(connection, [books.payment(0, 1, 2), books.payment(0, 1, 10**6)])
    assert await covered(admin, books, signer) == found
    # However it is read.
    monkeypatch.setattr(covering, "LEAVES_PER_PAGE", 2)
    monkeypatch.setattr(covering, "ROWS_PER_PAGE", 3)
    assert await covered(admin, books, signer) == found


async def test_the_table_itself_says_which_keys_sign(books: Books, signer: Signer, admin: Pool) -> None:
    await a_past(books, signer, 1)
    async with acquire(admin) as connection:
        keys = await load_public_keys(connection)
    assert {kid: key.public_bytes_raw() for kid, key in keys.items()} == {
        kid: key.public_bytes_raw() for kid, key in signer.public_keys().items()
    }


PLANTED = {
    "a payment that was not sealed is called sealed": (
        "delete from payhub.batches_unlogged where tenant_id = $2",
        r"was done, and is in 0 leaves",
        True,
    ),
    "a leaf twice": (
        "insert into payhub.log_leaves select tenant_id, number + 100, kind, batch, judged_at, ids, root"
        " from payhub.log_leaves where tenant_id = $2 and $1::uuid = any (ids)",
        r"is in 2 leaves",
        False,
    ),
    "a payment out of a leaf": (
        "update payhub.log_leaves set ids = array_remove(ids, $1::uuid) where tenant_id = $2 and $1::uuid = any (ids)",
        r"is in 0 leaves",
        False,
    ),
    "a payment that was done is there no more": (
        "delete from payhub.payments where id = $1 and tenant_id = $2",
        r"is in the log, and was not done",
        False,
    ),
    "an amount": (
        "update payhub.payments set amount = amount + 1 where id = $1 and tenant_id = $2",
        r"Leaf 3 is not what was sealed: one of its 2 payments was changed",
        False,
    ),
    "who asked": (
        "update payhub.payments set asked_by = gen_random_uuid() where id = $1 and tenant_id = $2",
        r"Leaf 3 is not what was sealed",
        False,
    ),
    "an audit entry": (
        "update payhub.audit_entries set who = null where tenant_id = $2 and $1::uuid is not null",
        r"Leaf 7 is not what was sealed: one of its 1 audit entries was changed",
        False,
    ),
    "an audit entry gone": (
        "delete from payhub.audit_entries where tenant_id = $2 and $1::uuid is not null",
        r"is in a leaf of the log, and not there any more",
        False,
    ),
    "two payments of a leaf in another order": (
        "update payhub.log_leaves set ids = array_reverse(ids) where tenant_id = $2 and $1::uuid = any (ids)",
        r"Leaf 3 is not what was sealed",
        False,
    ),
    "a leaf's kind": (
        "update payhub.log_leaves set kind = 7 where tenant_id = $2 and number = 7 and $1::uuid is not null",
        r"Leaf 7 is not there, or is none",
        False,
    ),
    "the last leaf": (
        "delete from payhub.log_leaves where tenant_id = $2 and number = 7 and $1::uuid is not null",
        r"The newest head is over 8 leaves, and there are 7",
        False,
    ),
    "a head's root": (
        "update payhub.log_heads set root = sha256(root) where tenant_id = $2 and size = 5 and $1::uuid is not null",
        r"The head of 5 leaves is not over these",
        False,
    ),
    "a head's moment": (
        "update payhub.log_heads set sealed_at = now() where tenant_id = $2 and size = 5 and $1::uuid is not null",
        r"The head of 5 leaves is not signed by a key",
        False,
    ),
}


@pytest.mark.parametrize("error", PLANTED)
async def test_a_planted_error_is_named(books: Books, signer: Signer, admin: Pool, error: str) -> None:
    statement, says, has_unsealed = PLANTED[error]
    ids = await a_past(books, signer)
    if has_unsealed:
        async with acquire(books.pool) as connection:
            await post_payments(connection, [books.payment(0, 1, 2)])
        statement += " and $1::uuid is not null"
    async with acquire(admin) as connection, transaction(connection, is_rehearsal=True):
        await connection.execute(PAST_TRIGGERS)
        await connection.execute(statement, ids[4], books.tenant.id)
        with pytest.raises(LogBroken, match=says):
            await check_cover(connection, books.tenant.id, signer.public_keys())


async def test_the_command_says_that_books_are_sound_or_what_is_not(
    books: Books, signer: Signer, admin: Pool, database: Database, tmp_path: Path
) -> None:
    ids = await a_past(books, signer)
    environment = {
        "PAYHUB_DATABASE_URL": database.app_url,
        "PAYHUB_ADMIN_DATABASE_URL": database.admin_url,
        "PAYHUB_REDIS_URL": database.redis_url,
        "PAYHUB_KEYS_DATABASE_URL": database.keys_url,
    }

    async def verify(*arguments: str) -> tuple[int, str, str]:
        done = await asyncio.to_thread(
            call, "verify", "ledger", "--tenant", books.tenant.slug, *arguments, **environment
        )
        return done.returncode, done.stdout, done.stderr

    code, out, _ = await verify("--json")
    facts = json.loads(out)
    assert (code, facts["payments"], facts["logged_payments"], facts["sound"]) == (0, 4 + len(ids), 4 + len(ids), True)
    keys = write_keys(tmp_path / "keys.json", {"ff" * 8: next(iter(signer.public_keys().values()))})
    code, _, error = await verify("--keys", str(keys))
    assert (code, "is not signed by a key of the institution's" in error) == (1, True)
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        await connection.execute("update payhub.payments set payee_balance = 5 where id = $1", ids[0])
    code, _, error = await verify()
    assert (
        code,
        f"Not sound. In {books.tenant.slug}: payment {ids[0]}: payee_balance is 5, and should be" in error,
    ) == (
        1,
        True,
    )
    nobody = await asyncio.to_thread(call, "verify", "ledger", "--tenant", "nobody-here", **environment)
    assert (nobody.returncode, "There is no tenant nobody-here" in nobody.stderr) == (1, True)

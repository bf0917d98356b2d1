"""A log in a file: proved without a database, and whatever is done to it is found and named."""

import asyncio
import json
import random
import time
import uuid
from datetime import timedelta

import pytest

from core.audit.trail import Act, By, note
from core.database import Pool, acquire, in_tenant, transaction
from core.errors import Refusal
from core.ledger.posting import post_payments
from core.ledger.terms import Terms, put_under_terms, set_terms
from core.proof.checking import KeptHead, LogBroken, Verdict, check_log, has_grown, is_in_log
from core.proof.export import export_log
from core.proof.notary import Signer
from core.proof.proving import prove_growth, prove_payment, read_head
from core.proof.receipts import PublicKeys, check_receipt, from_text
from core.proof.records import RecordMissing
from tests.conftest import PAST_TRIGGERS, Books, seal_all
from tests.core.proof.tampering import TRUSTED, make_log, sign_log, try_to_tamper


async def exported(books: Books, signer: Signer) -> list[bytes]:
    return [line async for line in export_log(books.pool, books.tenant.id, books.tenant.slug, signer.keys)]


def keys_of(signer: Signer) -> PublicKeys:
    return {key.kid: key.private_key.public_key() for key in signer.keys}  # type: ignore[misc]


async def a_past(books: Books, signer: Signer, rounds: int = 8) -> list[str]:
    """Some payments with fees and shares, some entries, sealed now and then; the payments' ids."""
    await set_terms(books.pool, books.tenant.id, Terms(1, "Shop", fee_ppm=20_000))
    await put_under_terms(books.pool, books.tenant.id, books.account(1), 1)
    ids = []
    for _ in range(rounds):
        batch = [books.payment(0, 1, 50)._replace(shares=((books.account(2), 5),)), books.payment(2, 3, 1)]
        async with acquire(books.pool) as connection:
            await post_payments(connection, batch)
        async with in_tenant(books.pool, books.tenant.id) as connection:
            await note(
                connection,
                books.tenant.id,
                By(str(uuid.uuid4())),
                Act.SESSION_STARTED,
                "é",
                None,
                {"z": 1, "a": [1.5, None]},
            )
        await seal_all(books.pool, signer)
        ids += [one.id for one in batch]
    return ids


async def test_an_exported_log_proves_without_its_database(books: Books, signer: Signer) -> None:
    ids = await a_past(books, signer)
    lines = await exported(books, signer)
    verdict = check_log(lines, keys_of(signer))
    assert verdict == check_log(lines)
    assert (verdict.payments, verdict.entries) == (4 + len(ids), 8 + 2)
    assert verdict.leaves == sum(b'"head"' not in line for line in lines) - 1
    assert verdict.slug == books.tenant.slug
    with pytest.raises(LogBroken, match="not signed by a trusted key"):
        check_log(lines, {})


async def test_what_a_superuser_changes_in_the_tables_is_found_in_the_export(
    books: Books, signer: Signer, admin: Pool
) -> None:
    ids = await a_past(books, signer, 3)
    check_log(await exported(books, signer), keys_of(signer))
    tenant = books.tenant.id
    for statement, undo in (
        (
            "update payments set amount = amount + 1 where id = $1",
            "update payments set amount = amount - 1 where id = $1",
        ),
        (
            "update payments set judged_at = judged_at + interval '1 day' where id = $1",
            "update payments set judged_at = judged_at - interval '1 day' where id = $1",
        ),
        ("update payments set fee = fee + 1 where id = $1", "update payments set fee = fee - 1 where id = $1"),
        (
            "update shares set amount = amount + 1 where payment_id = $1",
            "update shares set amount = amount - 1 where payment_id = $1",
        ),
        (
            "update payments set payer = payee, payee = payer where id = $1",
            "update payments set payer = payee, payee = payer where id = $1",
        ),
        ("update audit_entries set who = id where tenant_id = (select tenant_id from payments where id = $1)", None),
    ):
        await past_triggers(admin, statement, ids[0])
        with pytest.raises(LogBroken, match="was changed"):
            check_log(await exported(books, signer), keys_of(signer))
        if undo is not None:
            await past_triggers(admin, undo, ids[0])
            check_log(await exported(books, signer), keys_of(signer))
    await past_triggers(admin, "delete from payments where id = $1", ids[1])
    with pytest.raises(RecordMissing, match=ids[1]):
        await exported(books, signer)
    assert tenant


async def past_triggers(admin: Pool, statement: str, *arguments: object) -> None:
    async with acquire(admin) as connection, transaction(connection):
        await connection.execute(PAST_TRIGGERS)
        await connection.execute(statement, *arguments)


async def test_a_payments_proof_leads_from_its_facts_to_a_signed_head(books: Books, signer: Signer) -> None:
    ids = await a_past(books, signer)
    keys = keys_of(signer)
    sign = signer.key_at(time.time())
    sizes = set()
    for id_ in ids:
        proof = await prove_payment(books.pool, books.tenant.id, id_)
        receipt = proof.receipt(*sign)
        assert receipt is not None
        assert proof.in_log is not None
        root = check_receipt(books.tenant.id, proof.record.facts, receipt, keys)
        number, path, head = proof.in_log
        assert is_in_log(root, receipt.size, number, path, head)
        assert not is_in_log(root, receipt.size + 1, number, path, head)
        assert not is_in_log(root, receipt.size, number + 1, path, head)
        # Both paths together stay small: RFC 6962's logarithm.
        assert len(receipt.path) + len(path) <= 1024
        sizes.add(receipt.size)
    assert sizes == {2}


async def test_a_payment_that_is_not_sealed_yet_has_no_receipt_to_ask_for_and_none_that_was_refused(
    books: Books, signer: Signer
) -> None:
    payment = books.payment(0, 1, 1)
    async with acquire(books.pool) as connection:
        await post_payments(connection, [payment])
    proof = await prove_payment(books.pool, books.tenant.id, payment.id)
    assert (proof.in_log, proof.receipt(*signer.key_at(time.time()))) == (None, None)


async def test_growth_is_proved_between_any_two_heads(books: Books, signer: Signer) -> None:
    await a_past(books, signer, 5)
    first = await read_head(books.pool, books.tenant.id)
    await a_past(books, signer, 5)
    grown = await prove_growth(books.pool, books.tenant.id, first.size)
    assert has_grown(first, grown.head, grown.proof, keys_of(signer))
    assert grown.old == first
    assert not has_grown(grown.old._replace(root=bytes(32)), grown.head, grown.proof, keys_of(signer))
    assert not has_grown(grown.head, grown.old, grown.proof, keys_of(signer))
    same = await prove_growth(books.pool, books.tenant.id, first.size, first.size)
    assert (same.proof, has_grown(first, same.head, same.proof, keys_of(signer))) == (b"", True)
    with pytest.raises(Refusal):
        await prove_growth(books.pool, books.tenant.id, grown.head.size + 1)


def test_whatever_is_done_to_a_log_is_found() -> None:
    """The short version of `python -m tests.core.proof.tampering`."""
    found, missed = try_to_tamper(1_500, seed=7)
    assert missed == []
    assert len(found) == 11
    assert min(found.values()) > 20, found


def test_a_rewritten_or_shortened_log_is_whole_to_everybody_who_kept_no_head() -> None:
    """The negative control: what only an anchor outside can find, nothing else finds."""
    dice = random.Random(1)
    contents = make_log(dice, 12)
    lines = sign_log(contents)
    kept = [KeptHead(7, 12, from_text(json.loads(lines[-1])["head"]["root"]), 10**15)]
    check_log(lines, TRUSTED, kept)
    shortened, rewritten = sign_log(contents[:-3]), sign_log(contents[:4] + make_log(dice, 8))
    for broken, why in ((shortened, "cut off"), (rewritten, "rewritten")):
        check_log(broken, TRUSTED)
        with pytest.raises(LogBroken, match=why):
            check_log(broken, TRUSTED, kept)


def test_bytes_that_are_no_log_are_refused_with_their_line() -> None:
    lines = sign_log(make_log(random.Random(2), 6))
    for at, bad in (
        (0, b""),
        (0, b"[]"),
        (1, b"{}"),
        (2, b"\xff"),
        (1, b"[" * 100_000),
        (1, b'{"payments":[[1]]}'),
        (1, b'{"head":{}}'),
    ):
        changed = [*lines]
        changed[at] = bad
        with pytest.raises(LogBroken, match=r"(Line \d+|changed)"):
            check_log(changed, TRUSTED)
    with pytest.raises(LogBroken):
        check_log([])


async def test_the_verdict_says_when_the_log_was_sealed_last(books: Books, signer: Signer) -> None:
    await a_past(books, signer, 1)
    verdict: Verdict = check_log(await exported(books, signer))
    head = await read_head(books.pool, books.tenant.id)
    assert abs(verdict.sealed_at - head.sealed_at) < timedelta(microseconds=2)
    await asyncio.sleep(0)

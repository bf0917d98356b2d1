"""The vectors that every implementation is held to: what is in the file is what is made, and is judged here as it says."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.proof import heads
from core.proof.checking import has_grown, read_key
from core.proof.cosignatures import Cosignature, is_cosigned
from core.proof.kept import HeadText, from_head_text
from core.proof.leaves import (
    SALT_SIZE,
    Facts,
    batch_leaf,
    hash_asked,
    hash_kept,
    join_private,
    payment_leaf,
)
from core.proof.papers import KINDS, STATUSES, check_paper
from core.proof.receipts import Reason, ReceiptRefused, Unproved, check_receipt, from_text, read_receipt, to_text
from core.proof.tree import is_consistent, is_included, root_of
from tests.core.proof.vectors import FILE, leaves, make, to_json

VECTORS: dict[str, Any] = json.loads(FILE.read_text())
KEYS: dict[str, Ed25519PublicKey] = {one["key"]: read_key(one["public_key"]) for one in VECTORS["keys"]}
WITNESSES = {one["key"]: read_key(one["public_key"]) for one in VECTORS["witnesses"]}


def head_of(told: dict[str, Any]) -> heads.Head:
    return from_head_text(HeadText(**told)).head


def facts_of(told: dict[str, Any]) -> Facts:
    if told["status"] not in STATUSES:
        raise ReceiptRefused("", Reason.NOT_DONE)
    return Facts(
        told["payment"],
        KINDS[told["kind"]],
        STATUSES[told["status"]],
        told["payer"],
        told["payee"],
        told["amount"],
        told["at_us"],
        told.get("about"),
        told.get("charge"),
    )


def test_the_file_is_what_is_made() -> None:
    assert FILE.read_text() == to_json(make()), "run python -m tests.core.proof.vectors"


def test_there_is_of_everything() -> None:
    for name in ("inclusions", "consistencies", "heads", "growths", "cosignatures"):
        assert {row["holds"] for row in VECTORS[name]} == {True, False}
    refused = {row.get("refused") for name in ("receipts", "papers") for row in VECTORS[name]}
    assert refused == {None, *Reason} - {Reason.BROKEN_LOG}


def test_roots() -> None:
    assert [to_text(root_of(leaves(size))) for size in range(40)] == VECTORS["roots"]


@pytest.mark.parametrize("row", VECTORS["inclusions"])
def test_inclusions(row: dict[str, Any]) -> None:
    leaf, path, root = (from_text(row[name]) for name in ("leaf", "path", "root"))
    assert is_included(leaf, row["index"], row["size"], path, root) == row["holds"]


@pytest.mark.parametrize("row", VECTORS["consistencies"])
def test_consistencies(row: dict[str, Any]) -> None:
    old_root, new_root, proof = (from_text(row[name]) for name in ("old_root", "new_root", "proof"))
    assert is_consistent(row["old_size"], old_root, row["new_size"], new_root, proof) == row["holds"]


@pytest.mark.parametrize("row", VECTORS["leaves"])
def test_leaves(row: dict[str, Any]) -> None:
    salt = from_text(row["salt"])
    assert len(salt) == 2 * SALT_SIZE
    asked = hash_asked(row["asked_by"], salt)
    kept = hash_kept(row["fee"], [(account, amount) for account, amount in row["shares"]], salt)
    commitment = join_private(asked, kept)
    leaf = payment_leaf(facts_of(row["facts"]), commitment)
    told = [row[name] for name in ("asked_hash", "kept_hash", "commitment", "leaf")]
    assert [to_text(one) for one in (asked, kept, commitment, leaf)] == told


def test_batches() -> None:
    (row,) = VECTORS["batches"]
    assert to_text(batch_leaf(row["kind"], row["size"], from_text(row["root"]))) == row["leaf"]


@pytest.mark.parametrize("row", VECTORS["heads"])
def test_heads(row: dict[str, Any]) -> None:
    assert heads.is_signed(head_of(row["head"]), KEYS) == row["holds"]


@pytest.mark.parametrize("row", VECTORS["growths"])
def test_growths(row: dict[str, Any]) -> None:
    assert has_grown(head_of(row["old"]), head_of(row["head"]), from_text(row["proof"]), KEYS) == row["holds"]


@pytest.mark.parametrize("row", VECTORS["cosignatures"])
def test_cosignatures(row: dict[str, Any]) -> None:
    told = row["cosignature"]
    cosignature = Cosignature(told["witness"], told["seen_at_us"], from_text(told["signature"]))
    assert is_cosigned(head_of(row["head"]), cosignature, WITNESSES) == row["holds"]


@pytest.mark.parametrize("row", VECTORS["receipts"])
def test_receipts(row: dict[str, Any]) -> None:
    def check() -> bytes:
        return check_receipt(row["tenant"], facts_of(row["facts"]), read_receipt(from_text(row["receipt"])), KEYS)

    if "refused" in row:
        with pytest.raises(ReceiptRefused) as refused:
            check()
        assert refused.value.reason == row["refused"], row["what"]
    else:
        assert to_text(check()) == row["root"]


@pytest.mark.parametrize("row", VECTORS["papers"])
def test_papers(row: dict[str, Any]) -> None:
    if "refused" in row:
        with pytest.raises(Unproved) as refused:
            check_paper(row["paper"].encode(), KEYS)
        assert refused.value.reason == row["refused"], row["what"]
    else:
        assert len(check_paper(row["paper"].encode(), KEYS)) == len(row["proves"])

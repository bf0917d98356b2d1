"""Proofs good and bad, made by rule, for every implementation that checks them: tests/vectors/proofs.json.

`python -m tests.core.proof.vectors` writes the file anew. Keys are derived from words, and nothing is random: the file
changes only when what is signed does, and then every receipt that anybody holds is in question.
"""

import copy
import hashlib
import json
import random
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.nouns import BALANCE_MAX, Kind, PaymentStatus
from core.proof import heads
from core.proof.checking import moment
from core.proof.cosignatures import cosign, kid_of
from core.proof.heads import Head
from core.proof.kept import to_head_text
from core.proof.leaves import (
    SALT_SIZE,
    Facts,
    Private,
    batch_leaf,
    hash_asked,
    hash_kept,
    join_private,
    payment_leaf,
    salt_for,
)
from core.proof.receipts import Reason, Receipt, from_text, statement, to_text
from core.proof.tree import EMPTY, build, consistency_nodes, hash_leaf, join, paths_in, root_of

FILE: Final = Path(__file__).parents[2] / "vectors" / "proofs.json"
TENANT: Final = 7
TENANT_SALT: Final = hashlib.sha256(b"the tenant's salt").digest()


def key(word: str) -> Ed25519PrivateKey:
    """A key out of a word."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(word.encode()).digest())


KEY, KID = key("the institution's first key"), "00112233445566ff"
NEXT_KEY, NEXT_KID = key("its second key"), "1032547698badcfe"
STRANGER: Final = key("a stranger's key")
WITNESS: Final = key("a witness's key")


def key_rows(*pairs: tuple[str, Ed25519PrivateKey]) -> list[dict[str, str]]:
    """As /docs/proof-keys.json gives them."""
    return [{"key": kid, "public_key": to_text(one.public_key().public_bytes_raw())} for kid, one in pairs]


def leaves(count: int) -> list[bytes]:
    """Leaf hashes over their own numbers as text."""
    return [hash_leaf(str(at).encode()) for at in range(count)]


def inclusions() -> Iterator[dict[str, Any]]:
    """Paths of trees of many sizes; then each with one thing wrong."""
    for size in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 64, 100, 256):
        levels = build(leaves(size))
        for index in sorted({0, 1, size // 2, size - 1} & set(range(size))):
            yield inclusion(levels[0][index], index, size, paths_in(levels)[index], levels[-1][0], holds=True)
    levels = build(leaves(11))
    leaf, path, root = levels[0][6], paths_in(levels)[6], levels[-1][0]
    for change in (
        {"leaf": levels[0][5]},
        {"index": 5},
        {"index": 7},
        {"index": 11},
        {"size": 6},
        {"size": 0},
        {"path": path[:-32]},
        {"path": path[32:]},
        {"path": path + bytes(32)},
        {"path": path[:-1]},
        {"path": path[:31] + bytes([path[31] ^ 1]) + path[32:]},
        {"root": EMPTY},
        {"root": root[:-1]},
    ):
        case: dict[str, Any] = {"leaf": leaf, "index": 6, "size": 11, "path": path, "root": root, **change}
        yield inclusion(**case, holds=False)
    # A root does not say over how many leaves it is: the head that is signed does.
    yield inclusion(leaf, 6, 12, path, root, holds=True)


def inclusion(leaf: bytes, index: int, size: int, path: bytes, root: bytes, *, holds: bool) -> dict[str, Any]:
    return {
        "leaf": to_text(leaf),
        "index": index,
        "size": size,
        "path": to_text(path),
        "root": to_text(root),
        "holds": holds,
    }


def prove(all_: list[bytes], old: int, new: int) -> bytes:
    """That the tree over the first `new` of them begins with the one over the first `old`."""
    levels = build(all_[:new])
    return b"".join(join(levels[level][at] for level, at in step) for step in consistency_nodes(old, new))


def consistencies() -> Iterator[dict[str, Any]]:
    """Of many pairs of sizes; then each with one thing wrong."""
    all_ = leaves(70)
    roots = [root_of(all_[:size]) for size in range(71)]
    pairs = [
        (1, 1),
        (1, 2),
        (2, 3),
        (3, 4),
        (4, 8),
        (6, 8),
        (7, 8),
        (8, 9),
        (5, 11),
        (16, 17),
        (31, 64),
        (33, 70),
        (64, 70),
    ]
    pairs += [(0, 5), (0, 0), (70, 70)]
    for old, new in pairs:
        yield consistency(old, roots[old], new, roots[new], prove(all_, old, new), holds=True)
    good = prove(all_, 6, 11)
    for change in (
        {"old": 5},
        {"old": 7},
        {"new": 17},
        {"new": 8},
        {"old_root": roots[5]},
        {"new_root": roots[12]},
        {"proof": good[:-32]},
        {"proof": good[32:]},
        {"proof": good + bytes(32)},
        {"proof": good[:-1]},
        {"proof": b""},
        {"proof": bytes(32) + good[32:]},
        {"old": 11, "old_root": roots[11], "new": 6, "new_root": roots[6]},
        {"old": 11, "old_root": roots[11]},
        {"old": 11, "old_root": roots[10], "proof": b""},
        {"old": 0, "old_root": roots[1], "proof": b""},
    ):
        case: dict[str, Any] = {
            "old": 6,
            "old_root": roots[6],
            "new": 11,
            "new_root": roots[11],
            "proof": good,
            **change,
        }
        yield consistency(**case, holds=False)
    yield consistency(6, roots[6], 12, roots[11], good, holds=True)


def consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: bytes, *, holds: bool) -> dict[str, Any]:
    return {
        "old_size": old,
        "old_root": to_text(old_root),
        "new_size": new,
        "new_root": to_text(new_root),
        "proof": to_text(proof),
        "holds": holds,
    }


def record(dice: random.Random, at: int) -> tuple[Facts, Private]:
    """A payment that was done, and what not both of its sides know."""
    kind = Kind(at % 12)
    subject = None if kind in (Kind.PAY, Kind.AUTHORIZE) else identity(dice)
    charge = identity(dice) if at % 5 == 0 else None
    status = PaymentStatus.IN_REVIEW if at == 0 else PaymentStatus.POSTED
    payer, payee = (dice.randrange(1, 10**12) for _ in range(2))
    amount = [1, 10**13, BALANCE_MAX, dice.randrange(1, 10**6)][at % 4]
    facts = Facts(identity(dice), kind, status, payer, payee, amount, 1_764_000_000_000_000 + at, subject, charge)
    fee = [0, 125, -125, 0][at % 4]
    count = [0, 0, 2, 20][at % 4]
    sign = -1 if kind == Kind.REVERSE else 1
    shares = tuple(sorted((dice.randrange(1, 10**12), sign * dice.randrange(1, 500)) for _ in range(count)))
    return facts, Private(identity(dice), fee, shares)


def identity(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def facts_text(facts: Facts) -> dict[str, Any]:
    """As the hub writes them (hub/protocol/proofs.py)."""
    told: dict[str, Any] = {
        "payment": facts.id,
        "kind": Kind(facts.kind).name.lower(),
        "status": PaymentStatus(facts.status).name.lower(),
        "payer": facts.payer,
        "payee": facts.payee,
        "amount": facts.amount,
        "at_us": facts.judged_at_us,
    }
    if facts.subject is not None:
        told["about"] = facts.subject
    if facts.charge is not None:
        told["charge"] = facts.charge
    return told


class Batch:
    """Payments that were posted together, signed, and in a log."""

    def __init__(self, size: int, seed: int, kid: str = KID, signed_by: Ed25519PrivateKey = KEY) -> None:
        dice = random.Random(seed)
        self.records = [record(dice, at) for at in range(size)]
        self.salts = [salt_for(TENANT_SALT, facts.id) for facts, _ in self.records]
        self.parts = [
            (hash_asked(private.asked_by, salt), hash_kept(private.fee, private.shares, salt))
            for (_, private), salt in zip(self.records, self.salts, strict=True)
        ]
        hashes = [
            payment_leaf(facts, join_private(*parts))
            for (facts, _), parts in zip(self.records, self.parts, strict=True)
        ]
        self.levels = build(hashes)
        self.root, self.size, self.kid = self.levels[-1][0], size, kid
        self.signature = signed_by.sign(statement(TENANT, size, self.root))

    def receipt(self, at: int) -> Receipt:
        commitment = join_private(*self.parts[at])
        return Receipt(self.kid, self.size, at, commitment, paths_in(self.levels)[at], self.signature)

    def paper(self, at: int, side: str = "operator", in_log: bool = True) -> dict[str, Any]:
        """As read_proof answers to a payer, a payee, or an operator."""
        (facts, private), salt, (asked, kept) = self.records[at], self.salts[at], self.parts[at]
        told: dict[str, Any] = {
            "type": "payment_proof",
            "id": 1,
            "tenant": TENANT,
            "facts": facts_text(facts),
            "asked_hash": to_text(asked),
            "kept_hash": to_text(kept),
            "receipt": to_text(self.receipt(at).pack()),
        }
        if in_log:
            all_ = [*leaves(5), batch_leaf(0, self.size, self.root), *leaves(3)]
            head = signed_head(len(all_), root_of(all_))
            path = to_text(paths_in(build(all_))[5])
            told["log"] = {"number": 5, "path": path, "head": head_text(head)}
        if side != "payer":
            shares = [list(share) for share in private.shares]
            told["kept"] = {"fee": private.fee, "shares": shares, "salt": to_text(salt[SALT_SIZE:])}
        if side != "payee":
            told["asked"] = {"person": private.asked_by, "salt": to_text(salt[:SALT_SIZE])}
        return told


def signed_head(
    size: int, root: bytes, at_us: int = 1_764_000_001_000_000, signed_by: Ed25519PrivateKey = KEY, kid: str = KID
) -> Head:
    sealed_at = moment(at_us)
    return Head(TENANT, size, root, sealed_at, kid, signed_by.sign(heads.statement(TENANT, size, root, sealed_at)))


def head_text(head: Head) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(to_head_text(head))
    return found


def leaf_rows(batch: Batch) -> Iterator[dict[str, Any]]:
    """What is hashed of each payment, and what comes out."""
    for at, (facts, private) in enumerate(batch.records):
        asked, kept = batch.parts[at]
        yield {
            "facts": facts_text(facts),
            "asked_by": private.asked_by,
            "fee": private.fee,
            "shares": [list(share) for share in private.shares],
            "salt": to_text(batch.salts[at]),
            "asked_hash": to_text(asked),
            "kept_hash": to_text(kept),
            "commitment": to_text(join_private(asked, kept)),
            "leaf": to_text(batch.levels[0][at]),
        }


def receipts() -> Iterator[dict[str, Any]]:
    """A receipt with the facts that its holder knows; the batch's root, or why it is refused."""
    for size, seed in ((1, 1), (2, 2), (3, 3), (13, 4), (100, 5)):
        batch = Batch(size, seed)
        for at in sorted({0, size // 2, size - 1}):
            yield receipt_row(batch, at)
    yield receipt_row(Batch(4, 6, NEXT_KID, NEXT_KEY), 2)
    batch = Batch(13, 4)
    good = batch.receipt(5)
    packed = good.pack()
    for what, receipt, reason in (
        ("place", good._replace(place=6).pack(), Reason.SIGNATURE),
        ("place beyond", good._replace(place=13).pack(), Reason.NO_WAY),
        ("size", good._replace(size=14).pack(), Reason.SIGNATURE),
        ("size of nothing", good._replace(size=0).pack(), Reason.NO_WAY),
        ("commitment", good._replace(commitment=bytes(32)).pack(), Reason.SIGNATURE),
        ("path", good._replace(path=bytes(32) + good.path[32:]).pack(), Reason.SIGNATURE),
        ("path too short", good._replace(path=good.path[:-32]).pack(), Reason.NO_WAY),
        ("path too long", good._replace(path=good.path + bytes(32)).pack(), Reason.NO_WAY),
        ("signature", good._replace(signature=bytes(64)).pack(), Reason.SIGNATURE),
        ("another key's name", good._replace(kid=NEXT_KID).pack(), Reason.SIGNATURE),
        ("nobody's key", good._replace(kid="ff" * 8).pack(), Reason.UNKNOWN_KEY),
        ("a stranger's signature", Batch(13, 4, KID, STRANGER).receipt(5).pack(), Reason.SIGNATURE),
        ("another version", b"\x02" + packed[1:], Reason.MALFORMED),
        ("nothing", b"", Reason.MALFORMED),
        ("a part", packed[:40], Reason.MALFORMED),
        ("one byte less", packed[:-1], Reason.MALFORMED),
        ("one byte more", packed + b"\x00", Reason.MALFORMED),
    ):
        yield {**receipt_row(batch, 5), "receipt": to_text(receipt), "refused": reason.value, "what": what}
    yield {**receipt_row(batch, 5), "tenant": TENANT + 1, "refused": Reason.SIGNATURE.value, "what": "another tenant"}
    for name, value in (
        ("payment", "00000000-0000-4000-8000-000000000000"),
        ("kind", "capture"),
        ("payer", 5),
        ("payee", 5),
        ("amount", 5),
        ("at_us", 5),
        ("about", "00000000-0000-4000-8000-000000000000"),
        ("charge", "00000000-0000-4000-8000-000000000000"),
        ("status", "in_review"),
    ):
        row = receipt_row(batch, 5)
        row["facts"] = {**row["facts"], name: value}
        yield {**row, "refused": Reason.SIGNATURE.value, "what": f"facts: {name}"}
    row = receipt_row(batch, 5)
    row["facts"] = {**row["facts"], "status": "insufficient_funds"}
    yield {**row, "refused": Reason.NOT_DONE.value, "what": "facts: refused"}
    for text, what in (
        (to_text(packed).rstrip("="), "no padding"),
        ("-" + to_text(packed)[1:], "other letters"),
        (other_spelling(packed), "other bits"),
    ):
        yield {**receipt_row(batch, 5), "receipt": text, "refused": Reason.MALFORMED.value, "what": what}


def other_spelling(packed: bytes) -> str:
    """The same bytes, if one is lax: the last letter's unused bits are set."""
    text = to_text(packed)
    last = text.rstrip("=")[-1]
    assert last != text[-1], "there have to be unused bits"
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text.replace(f"{last}=", f"{letters[letters.index(last) + 1]}=")


def receipt_row(batch: Batch, at: int) -> dict[str, Any]:
    return {
        "tenant": TENANT,
        "facts": facts_text(batch.records[at][0]),
        "receipt": to_text(batch.receipt(at).pack()),
        "root": to_text(batch.root),
    }


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Put a value somewhere in a paper: a dotted path. None takes away what is there."""

    def apply(paper: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for word in way:
            paper = paper[word]
        if value is None:
            del paper[last]
        else:
            paper[last] = value

    return apply


def papers() -> Iterator[dict[str, Any]]:
    """What customers keep, as text; what it proves, or why it is refused."""
    batch = Batch(13, 4)
    for at in range(13):
        for side in ("payer", "payee", "operator"):
            yield paper_row(batch.paper(at, side), proves(side, in_log=True))
    yield paper_row(Batch(1, 1).paper(0, "payer", in_log=False), proves("payer", in_log=False))
    yield paper_row({**batch.paper(3, "payer"), "note": "what it does not know"}, proves("payer", in_log=True))
    bare = {name: batch.paper(5)[name] for name in ("tenant", "facts", "receipt")}
    yield paper_row(bare, ["receipt"])

    # One with a fee, one with shares both of which come back.
    with_fee, with_shares = batch.paper(1), batch.paper(6)
    other = batch.paper(2)
    swallowed = swallow(with_shares)
    for base, path, value, reason in (
        (with_fee, "facts.amount", 6, Reason.SIGNATURE),
        (with_fee, "tenant", 8, Reason.SIGNATURE),
        (with_fee, "tenant", 2**32, Reason.MALFORMED),
        (with_fee, "tenant", None, Reason.MALFORMED),
        (with_fee, "facts", None, Reason.MALFORMED),
        (with_fee, "facts.payment", with_fee["facts"]["payment"].upper(), Reason.MALFORMED),
        (with_fee, "facts.payment", "no id", Reason.MALFORMED),
        (with_fee, "facts.amount", 2**53, Reason.MALFORMED),
        (with_fee, "facts.amount", -1, Reason.MALFORMED),
        (with_fee, "facts.amount", 1.5, Reason.MALFORMED),
        (with_fee, "facts.amount", "1", Reason.MALFORMED),
        (with_fee, "facts.amount", True, Reason.MALFORMED),
        (with_fee, "facts.at_us", 10**18, Reason.MALFORMED),
        (with_fee, "facts.kind", "gift", Reason.MALFORMED),
        (with_fee, "facts.kind", "PAY", Reason.MALFORMED),
        (with_fee, "facts.status", "fenced", Reason.NOT_DONE),
        (with_fee, "facts.status", 0, Reason.MALFORMED),
        (with_fee, "receipt", None, Reason.MALFORMED),
        (with_fee, "receipt", other["receipt"], Reason.SIGNATURE),
        (with_fee, "kept.fee", 124, Reason.COMMITMENT),
        (with_fee, "kept.fee", 2**60, Reason.MALFORMED),
        (with_fee, "kept.shares", [[5, 5]], Reason.COMMITMENT),
        (with_fee, "kept.salt", other["kept"]["salt"], Reason.COMMITMENT),
        (with_fee, "kept.salt", with_fee["kept"]["salt"][:-2], Reason.MALFORMED),
        (with_shares, "kept", swallowed, Reason.MALFORMED),
        (with_shares, "kept.shares", with_shares["kept"]["shares"][:1], Reason.COMMITMENT),
        (with_shares, "kept.shares", [[1, 2, 3]], Reason.MALFORMED),
        (with_shares, "asked.person", other["asked"]["person"], Reason.COMMITMENT),
        (with_shares, "asked.person", "somebody", Reason.MALFORMED),
        (with_shares, "asked.salt", other["asked"]["salt"], Reason.COMMITMENT),
        (with_shares, "asked.salt", with_shares["asked"]["salt"] + "AAAA", Reason.MALFORMED),
        (batch.paper(1, "payee"), "asked_hash", other["asked_hash"], Reason.COMMITMENT),
        (batch.paper(1, "payee"), "asked_hash", None, Reason.COMMITMENT),
        (batch.paper(1, "payer"), "kept_hash", other["kept_hash"], Reason.COMMITMENT),
        (with_fee, "log.number", 4, Reason.NOT_IN_LOG),
        (with_fee, "log.number", 9, Reason.NOT_IN_LOG),
        (with_fee, "log.path", with_fee["log"]["path"][:-4], Reason.NOT_IN_LOG),
        (with_fee, "log.path", "", Reason.NOT_IN_LOG),
        (with_fee, "log.head.size", 10, Reason.HEAD_SIGNATURE),
        (with_fee, "log.head.tenant", 8, Reason.HEAD_SIGNATURE),
        (with_fee, "log.head.at_us", 5, Reason.HEAD_SIGNATURE),
        (with_fee, "log.head.root", to_text(bytes(32)), Reason.HEAD_SIGNATURE),
        (with_fee, "log.head.root", to_text(bytes(31)), Reason.MALFORMED),
        (with_fee, "log.head.key", NEXT_KID, Reason.HEAD_SIGNATURE),
        (with_fee, "log.head.key", "ff" * 8, Reason.HEAD_SIGNATURE),
        (with_fee, "log.head.key", "FF" * 8, Reason.MALFORMED),
        (with_fee, "log.head.signature", "AAAA", Reason.HEAD_SIGNATURE),
        (with_fee, "log.head.at_us", 10**18, Reason.MALFORMED),
    ):
        changed = copy.deepcopy(base)
        change(path, value)(changed)
        what = f"{path}: {'missing' if value is None else value}"
        yield {"paper": json.dumps(changed), "refused": reason.value, "what": what[:60]}
    # Another batch's place in the log, well signed.
    changed = copy.deepcopy(with_fee)
    changed["log"] = Batch(1, 1).paper(0)["log"]
    yield {"paper": json.dumps(changed), "refused": Reason.NOT_IN_LOG.value, "what": "another's place in the log"}
    for text in ("", "[]", "{}", "null", "[" * 1_000, '{"tenant":1,"facts":{},"receipt":""}'):
        yield {"paper": text, "refused": Reason.MALFORMED.value, "what": "no paper"}


def swallow(paper: dict[str, Any]) -> dict[str, Any]:
    """The same bytes, parted elsewhere: a salt that swallows the fee and an account would make a fee of a share."""
    (account, amount), *rest = paper["kept"]["shares"]
    salt = from_text(paper["kept"]["salt"]) + paper["kept"]["fee"].to_bytes(8, signed=True) + account.to_bytes(8)
    return {"fee": amount, "shares": rest, "salt": to_text(salt)}


def proves(side: str, *, in_log: bool) -> list[str]:
    found = ["receipt"]
    if side != "payer":
        found.append("kept")
    if side != "payee":
        found.append("asked")
    return [*found, "log"] if in_log else found


def paper_row(paper: dict[str, Any], what: list[str]) -> dict[str, Any]:
    return {"paper": json.dumps(paper), "proves": what}


def head_rows() -> Iterator[dict[str, Any]]:
    """Heads, and whether one of the keys signed them."""
    root = root_of(leaves(9))
    good = signed_head(9, root)
    yield {"head": head_text(good), "holds": True}
    yield {"head": head_text(signed_head(9, root, signed_by=NEXT_KEY, kid=NEXT_KID)), "holds": True}
    yield {"head": head_text(signed_head(2**53 - 1, root, 0)), "holds": True}
    for other in (
        good._replace(size=8),
        good._replace(tenant_id=8),
        good._replace(root=EMPTY),
        good._replace(sealed_at=moment(0)),
        good._replace(kid=NEXT_KID),
        good._replace(kid="ff" * 8),
        good._replace(signature=bytes(64)),
        good._replace(signature=b""),
        signed_head(9, root, signed_by=STRANGER),
    ):
        yield {"head": head_text(other), "holds": False}


def growths() -> Iterator[dict[str, Any]]:
    """What log_growth answers, and whether it proves that the log only grew."""
    all_ = leaves(40)
    old, new = signed_head(13, root_of(all_[:13])), signed_head(40, root_of(all_), 1_764_000_002_000_000)
    good = prove(all_, 13, 40)
    rewritten = [hash_leaf(b"another"), *all_[1:]]
    other = signed_head(40, root_of(rewritten), 1_764_000_002_000_000)
    for a, b, proof, holds in (
        (old, new, good, True),
        (new, new, b"", True),
        (old, new, good[:-32], False),
        (new, old, good, False),
        (old._replace(root=EMPTY), new, good, False),
        (old, other, good, False),
        (old, other, prove(rewritten, 13, 40), False),
        (old, signed_head(40, root_of(all_), signed_by=STRANGER), good, False),
    ):
        yield {"old": head_text(a), "head": head_text(b), "proof": to_text(proof), "holds": holds}


def cosignatures() -> Iterator[dict[str, Any]]:
    """A witness's word for a head, and whether it is its own."""
    head = signed_head(9, root_of(leaves(9)))
    good = cosign(head, 1_764_000_003_000_000, WITNESS)
    forged = cosign(head, 1_764_000_003_000_000, STRANGER)
    for shown, one, holds in (
        (head, good, True),
        (head._replace(size=8), good, False),
        (head._replace(kid=NEXT_KID), good, False),
        (head, good._replace(seen_at_us=1), False),
        (head, good._replace(signature=bytes(64)), False),
        (head, forged, False),
        (head, forged._replace(witness=good.witness), False),
    ):
        row = {"witness": one.witness, "seen_at_us": one.seen_at_us, "signature": to_text(one.signature)}
        yield {"head": head_text(shown), "cosignature": row, "holds": holds}


def make() -> dict[str, Any]:
    """Everything in the file."""
    return {
        "keys": key_rows((KID, KEY), (NEXT_KID, NEXT_KEY)),
        "witnesses": key_rows((kid_of(WITNESS.public_key()), WITNESS)),
        "roots": [to_text(root_of(leaves(size))) for size in range(40)],
        "inclusions": list(inclusions()),
        "consistencies": list(consistencies()),
        "leaves": list(leaf_rows(Batch(13, 4))),
        "batches": [
            {
                "kind": 0,
                "size": 13,
                "root": to_text(Batch(13, 4).root),
                "leaf": to_text(batch_leaf(0, 13, Batch(13, 4).root)),
            }
        ],
        "heads": list(head_rows()),
        "growths": list(growths()),
        "cosignatures": list(cosignatures()),
        "receipts": list(receipts()),
        "papers": list(papers()),
    }


def to_json(made: dict[str, Any]) -> str:
    """One case a line, so that a change of one shows as one."""
    parts = [
        f"{json.dumps(name)}: [\n  " + ",\n  ".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]"
        for name, rows in made.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(to_json(make()))

"""Logs made by rule, and everything that somebody with all rights might do to one.

`python -m tests.core.proof.tampering --tries 10000` tries that often and says what was not found (nothing, it is hoped).
"""

import argparse
import collections
import json
import random
import sys
import time
import uuid
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.proof import heads
from core.proof.checking import EPOCH, KeptHead, LogBroken, check_log
from core.proof.leaves import (
    AuditFacts,
    Facts,
    LeafKind,
    Private,
    batch_leaf,
    commitment_to,
    entry_leaf,
    payment_leaf,
    salt_for,
)
from core.proof.receipts import to_text
from core.proof.tree import Edge, root_of

KEY, KID, TENANT = Ed25519PrivateKey.generate(), "00112233445566ff", 7
SALT = bytes(range(32))
TRUSTED = {KID: KEY.public_key()}


def payment(dice: random.Random) -> list[Any]:
    """One as a log file has it."""
    id_ = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    shares = [[dice.randrange(10**11, 10**12), dice.randrange(1, 99)] for _ in range(dice.choice([0, 0, 0, 2]))]
    about = str(uuid.UUID(int=dice.getrandbits(128), version=4)) if dice.random() < 0.2 else None
    payer, payee = (dice.randrange(10**11, 10**12) for _ in range(2))
    asked_by = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    kind = 5 if about else 0
    return [
        id_,
        kind,
        0,
        payer,
        payee,
        dice.randrange(1, 10**6),
        10**15 + dice.randrange(10**12),
        about,
        None,
        asked_by,
        dice.randrange(9),
        shares,
    ]


def entry(dice: random.Random) -> list[Any]:
    """An audit entry as a log file has it."""
    who = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    return [
        who,
        10**15 + dice.randrange(10**12),
        "session.started",
        who,
        "é",
        None,
        None,
        "192.0.2.0/24",
        {"b": 1, "a": [2]},
    ]


def leaf_of(content: dict[str, Any]) -> bytes:
    """The log's leaf for a line."""
    if "payments" in content:
        leaves = []
        for one in content["payments"]:
            facts = Facts(*one[:9])
            private = Private(one[9], one[10], tuple((account, amount) for account, amount in one[11]))
            leaves.append(payment_leaf(facts, commitment_to(private, salt_for(SALT, facts.id))))
        return batch_leaf(LeafKind.PAYMENTS, len(leaves), root_of(leaves))
    leaves = [entry_leaf(AuditFacts(*one)) for one in content["entries"]]
    return batch_leaf(LeafKind.AUDIT, len(leaves), root_of(leaves))


def sign_log(contents: list[dict[str, Any]], key: Ed25519PrivateKey = KEY, every: int = 3) -> list[bytes]:
    """The lines of a log file over these leaves, with a head after every few and at the end."""
    header = {
        "format": "payhub log 1",
        "tenant": TENANT,
        "slug": "demo",
        "keys": {KID: to_text(key.public_key().public_bytes_raw())},
        "salt": to_text(SALT),
    }
    lines, edge = [line(header)], Edge()
    for at, content in enumerate(contents, start=1):
        edge.append(leaf_of(content))
        lines.append(line(content))
        if at % every == 0 or at == len(contents):
            at_us = 10**15 + at
            signature = key.sign(heads.statement(TENANT, at, edge.root, EPOCH + timedelta(microseconds=at_us)))
            head = {"size": at, "root": to_text(edge.root), "at_us": at_us, "key": KID, "signature": to_text(signature)}
            lines.append(line({"head": head}))
    return lines


def line(content: dict[str, Any]) -> bytes:
    """As the export writes it."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def make_log(dice: random.Random, leaves: int = 20) -> list[dict[str, Any]]:
    """Leaves of payments, and here and there of audit entries."""
    return [
        {"entries": [entry(dice) for _ in range(dice.randrange(1, 4))]}
        if dice.random() < 0.2
        else {"payments": [payment(dice) for _ in range(dice.randrange(1, 12))]}
        for _ in range(leaves)
    ]


def keep(lines: list[bytes]) -> list[KeptHead]:
    """What a witness, or a file outside the database, has of a log: every other head, and the last."""
    found = [json.loads(one)["head"] for one in lines if b'"head"' in one]
    kept = found[::2] + found[-1:]
    edge, roots = Edge(), {}
    for one in lines[1:]:
        content = json.loads(one)
        if "head" not in content:
            edge.append(leaf_of(content))
            roots[edge.size] = edge.root
    return [KeptHead(TENANT, one["size"], roots[one["size"]], one["at_us"]) for one in kept]


def tamper(dice: random.Random, contents: list[dict[str, Any]], lines: list[bytes]) -> tuple[str, list[bytes]]:
    """One of the things that somebody might do, and the file after it."""
    what = dice.choice(list(WAYS))
    return what, WAYS[what](dice, json.loads(json.dumps(contents)), list(lines))


def flip(dice: random.Random, _: Any, lines: list[bytes]) -> list[bytes]:
    at = dice.randrange(1, len(lines))
    data = bytearray(lines[at])
    place = dice.randrange(len(data) - 1)
    data[place] ^= 1 << dice.randrange(8)
    lines[at] = bytes(data)
    return lines


def change(dice: random.Random, contents: list[dict[str, Any]], lines: list[bytes]) -> list[bytes]:
    """A field of an entry, cleanly: the file still reads well."""
    at = dice.choice([at for at, one in enumerate(lines) if b'"payments"' in one])
    content = json.loads(lines[at])
    one = dice.choice(content["payments"])
    place = dice.choice([3, 4, 5, 6, 10])
    one[place] += dice.choice([1, 2, 100])
    lines[at] = line(content)
    return lines


def delete_payment(dice: random.Random, contents: list[dict[str, Any]], lines: list[bytes]) -> list[bytes]:
    at = dice.choice([at for at, one in enumerate(lines) if b'"payments"' in one])
    content = json.loads(lines[at])
    content["payments"].pop(dice.randrange(len(content["payments"])))
    lines[at] = line(content)
    return lines


def insert_payment(dice: random.Random, contents: list[dict[str, Any]], lines: list[bytes]) -> list[bytes]:
    at = dice.choice([at for at, one in enumerate(lines) if b'"payments"' in one])
    content = json.loads(lines[at])
    content["payments"].insert(dice.randrange(len(content["payments"]) + 1), payment(dice))
    lines[at] = line(content)
    return lines


def delete_line(dice: random.Random, _: Any, lines: list[bytes]) -> list[bytes]:
    # A head in the middle may be left out: those after it prove as much.
    del lines[dice.choice([at for at, one in enumerate(lines) if at and b'"head"' not in one])]
    return lines


def insert_line(dice: random.Random, _: Any, lines: list[bytes]) -> list[bytes]:
    lines.insert(dice.randrange(1, len(lines) + 1), line({"payments": [payment(dice)]}))
    return lines


def swap(dice: random.Random, _: Any, lines: list[bytes]) -> list[bytes]:
    places = [at for at, one in enumerate(lines) if at and b'"head"' not in one]
    one, other = dice.sample(places, 2)
    lines[one], lines[other] = lines[other], lines[one]
    return lines


def truncate(dice: random.Random, _: Any, lines: list[bytes]) -> list[bytes]:
    """The end cut off, at a head even, so that all that is left is well signed: only who kept a head can tell."""
    ends = [at + 1 for at, one in enumerate(lines[:-1]) if b'"head"' in one]
    return lines[: dice.choice([*ends, dice.randrange(1, len(lines) - 1)])]


def rewrite(dice: random.Random, contents: list[dict[str, Any]], _: Any) -> list[bytes]:
    """The whole chain anew, by a superuser who has the signing key, too."""
    at = dice.choice([at for at, one in enumerate(contents) if "payments" in one])
    dice.choice(contents[at]["payments"])[5] += 1
    return sign_log(contents)


def sign_with_another_key(dice: random.Random, contents: list[dict[str, Any]], _: Any) -> list[bytes]:
    return sign_log(contents, Ed25519PrivateKey.generate())


def old_backup(dice: random.Random, contents: list[dict[str, Any]], _: Any) -> list[bytes]:
    """An old backup is restored, and life goes on from there."""
    keep_to = dice.randrange(1, len(contents))
    return sign_log(contents[:keep_to] + make_log(dice, len(contents) - keep_to + dice.randrange(5)))


WAYS = {
    "flip": flip,
    "change": change,
    "delete a payment": delete_payment,
    "insert a payment": insert_payment,
    "delete a leaf": delete_line,
    "insert a leaf": insert_line,
    "swap": swap,
    "truncate": truncate,
    "rewrite": rewrite,
    "another key": sign_with_another_key,
    "old backup": old_backup,
}


def try_to_tamper(tries: int, seed: int) -> tuple[collections.Counter[str], list[str]]:
    """Tamper so often: how often each way was found, and what was not."""
    dice = random.Random(seed)
    found: collections.Counter[str] = collections.Counter()
    missed: list[str] = []
    while sum(found.values()) + len(missed) < tries:
        contents = make_log(dice, dice.randrange(4, 25))
        lines = sign_log(contents)
        kept = keep(lines)
        check_log(lines, TRUSTED, kept)
        for _ in range(min(25, tries - sum(found.values()) - len(missed))):
            what, tampered = tamper(dice, contents, lines)
            if [json_or_none(one) for one in tampered] == [json_or_none(one) for one in lines]:
                continue  # the same log in other words
            try:
                check_log(tampered, TRUSTED, kept)
            except LogBroken:
                found[what] += 1
            else:
                missed.append(what)
    return found, missed


def json_or_none(data: bytes) -> Any:
    """What a line says, if anything."""
    try:
        return json.loads(data)
    except ValueError:
        return data


def main() -> None:
    """Try, and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    began = time.monotonic()
    found, missed = try_to_tamper(given.tries, given.seed)
    for what, count in sorted(found.items()):
        print(f"{what:>18} {count:6} found")
    print(
        f"{sum(found.values())} found, {len(missed)} not found, seed {given.seed}, {time.monotonic() - began:.0f} s",
        *missed,
    )
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()

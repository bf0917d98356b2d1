"""Heads in files: read back as they were written, held to a log, and compared with each other."""

import json
import random
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.proof import heads
from core.proof.checking import EPOCH, KeptHead, LogBroken, check_log
from core.proof.cosignatures import cosign, kid_of
from core.proof.heads import Head
from core.proof.kept import KeptFile, compare, to_line
from core.proof.receipts import from_text
from tests.core.proof.tampering import KEY, KID, TENANT, TRUSTED, make_log, sign_log

WITNESS = Ed25519PrivateKey.generate()
WITNESSES = {kid_of(WITNESS.public_key()): WITNESS.public_key()}
DICE = random.Random(5)
CONTENTS = make_log(DICE, 12)
LINES = sign_log(CONTENTS)


def heads_of(lines: list[bytes]) -> list[Head]:
    """The heads that a log's file has."""
    found = [json.loads(line)["head"] for line in lines if b'"head"' in line]
    return [
        Head(
            TENANT,
            one["size"],
            from_text(one["root"]),
            EPOCH + timedelta(microseconds=one["at_us"]),
            one["key"],
            from_text(one["signature"]),
        )
        for one in found
    ]


def signed(head: Head, key: Ed25519PrivateKey = KEY) -> Head:
    return head._replace(signature=key.sign(heads.statement(*head[:4])))


HEADS = heads_of(LINES)


def test_what_was_written_is_read_back() -> None:
    lines = [to_line(head, [cosign(head, 5, WITNESS)]) for head in HEADS]
    found = list(KeptFile(lines, "a file"))
    assert [one.head for one in found] == HEADS
    assert {one.source for one in found} == {"a file"}
    verdict = check_log(LINES, TRUSTED, found, witnesses=WITNESSES)
    assert (verdict.kept_heads, verdict.cosigned, verdict.kept_by) == (len(HEADS), len(HEADS), {"a file": len(HEADS)})
    assert verdict.kept_to == 12
    # A witness that nobody told us of is as good as none.
    assert check_log(LINES, TRUSTED, found).cosigned == 0


def test_lines_that_are_no_heads_are_counted_and_passed_over() -> None:
    good = to_line(HEADS[0])
    bad = [
        good[:40],
        b"\xff\n",
        b"[" * 9_000,
        b'{"tenant":1}',
        b"{" + b" " * 20_000 + good[1:],
        good.replace(b":7,", b":-7,"),
    ]
    file = KeptFile([*bad, good, b"\n"], "")
    assert [one.head for one in file] == [HEADS[0]]
    assert file.unreadable == len(bad)


def test_a_head_that_others_made_up_does_not_count_against_a_log() -> None:
    stranger = Ed25519PrivateKey.generate()
    forged = signed(HEADS[-1]._replace(root=bytes(32)), stranger)
    with pytest.raises(LogBroken, match="signed by no trusted key"):
        check_log(LINES, TRUSTED, KeptFile([to_line(forged)], "a file"))
    # Another installation's log of another number is not looked at.
    check_log(LINES, TRUSTED, KeptFile([to_line(forged._replace(tenant_id=8))], "a file"))


def test_a_cosignature_has_to_be_the_witnesss() -> None:
    head = HEADS[-1]
    cosignature = cosign(head, 5, WITNESS)
    for bad in (
        cosignature._replace(seen_at_us=6),
        cosignature._replace(signature=bytes(64)),
        cosign(HEADS[0], 5, WITNESS),
        cosign(head, 5, Ed25519PrivateKey.generate())._replace(witness=cosignature.witness),
    ):
        with pytest.raises(LogBroken, match="not cosigned by witness"):
            check_log(LINES, TRUSTED, KeptFile([to_line(head, [bad])], "a file"), witnesses=WITNESSES)


def test_a_rewritten_and_a_shortened_log_are_found_and_where_it_was_kept_is_named() -> None:
    kept = [to_line(head) for head in HEADS]
    rewritten, shortened = sign_log(CONTENTS[:4] + make_log(DICE, 8)), sign_log(CONTENTS[:9])
    for lines, why in ((rewritten, r"6 leaves, in north.*rewritten"), (shortened, r"12 leaves, in north.*cut off")):
        check_log(lines, TRUSTED)
        with pytest.raises(LogBroken, match=why):
            check_log(lines, TRUSTED, KeptFile(kept, "north"))


def test_two_places_that_were_shown_one_log_agree() -> None:
    ours, theirs = ([*map(to_line, part)] for part in (HEADS[:3], HEADS[1:]))
    found = compare(KeptFile(ours, "a"), KeptFile(theirs, "b"), TRUSTED)
    assert (found.common, found.splits) == (2, [])
    assert compare(KeptFile(ours[:1], "a"), KeptFile(theirs, "b")).common == 0


def test_two_witnesses_that_were_shown_different_logs_find_out() -> None:
    split = heads_of(sign_log(CONTENTS[:4] + make_log(DICE, 8)))
    found = compare(KeptFile(map(to_line, HEADS), "a"), KeptFile(map(to_line, split), "b"), TRUSTED)
    assert found.common == len(HEADS)
    assert [(one.size, one.source, other.source) for one, other in found.splits] == [
        (size, "a", "b") for size in (6, 9, 12)
    ]
    for one, other in found.splits:
        # The evidence: the institution signed both.
        assert heads.is_signed(one.head, TRUSTED)
        assert heads.is_signed(other.head, TRUSTED)
        assert one.root != other.root


def test_a_log_that_was_signed_later_with_fewer_leaves_is_found_without_a_common_size() -> None:
    late = signed(HEADS[1]._replace(sealed_at=HEADS[-1].sealed_at + timedelta(seconds=1)))
    found = compare(KeptFile([to_line(HEADS[-1])], "a"), KeptFile([to_line(late)], "b"), TRUSTED)
    assert (found.common, [(one.size, other.size) for one, other in found.splits]) == (0, [(12, 6)])


def test_a_forged_head_is_no_contradiction() -> None:
    forged = HEADS[-1]._replace(root=bytes(32))
    with pytest.raises(LogBroken, match="in b is signed by no trusted key"):
        compare(KeptFile([to_line(HEADS[-1])], "a"), KeptFile([to_line(forged)], "b"), TRUSTED)


def test_a_head_without_a_signature_is_kept_by_who_says_so() -> None:
    """What core.proof.checking took before there were files: the caller's own memory."""
    head = HEADS[0]
    assert check_log(LINES, TRUSTED, [KeptHead(TENANT, head.size, head.root, 1)]).kept_heads == 1
    assert head.kid == KID

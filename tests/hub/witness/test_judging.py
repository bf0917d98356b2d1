"""Which head may follow which: only one whose log begins with the log that was seen."""

import random
from datetime import timedelta

import pytest

from core.proof.checking import EPOCH
from core.proof.heads import Head
from core.proof.tree import build, consistency_nodes, hash_leaf, join, root_of
from hub.witness.judging import Judgement, judge

LEAVES = [hash_leaf(str(at).encode()) for at in range(80)]


def head(size: int, at: int | None = None, leaves: list[bytes] = LEAVES) -> Head:
    return Head(7, size, root_of(leaves[:size]), EPOCH + timedelta(seconds=size if at is None else at), "00" * 8, b"")


def proof(old: int, new: int, leaves: list[bytes] = LEAVES) -> bytes:
    nodes = build(leaves[:new])
    return b"".join(join(nodes[level][at] for level, at in step) for step in consistency_nodes(old, new))


def other(at: int) -> list[bytes]:
    """The same log, but for one leaf."""
    return [*LEAVES[:at], hash_leaf(b"another"), *LEAVES[at + 1 :]]


def test_the_first_head_of_a_log_is_taken() -> None:
    assert judge(None, head(5), 0, b"") is Judgement.TAKE


def test_a_log_that_grew_is_taken_with_its_proof_and_no_other() -> None:
    dice = random.Random(3)
    for _ in range(300):
        old, new = sorted(dice.sample(range(1, 80), 2))
        good = proof(old, new)
        assert judge(head(old), head(new), old, good) is Judgement.TAKE
        # A leaf of the past is another one: no proof there is will do.
        rewritten = other(dice.randrange(old))
        for tried in (good, proof(old, new, rewritten), b""):
            if tried or old & (old - 1):
                assert judge(head(old), head(new, leaves=rewritten), old, tried) is Judgement.REFUSE
        # A leaf of the future may be anything.
        grown = other(dice.randrange(old, new))
        assert judge(head(old), head(new, leaves=grown), old, proof(old, new, grown)) is Judgement.TAKE


def test_the_same_head_again_is_taken_and_another_root_over_as_many_leaves_is_not() -> None:
    assert judge(head(9), head(9), 0, b"") is Judgement.TAKE
    assert judge(head(9), head(9, at=50), 9, b"") is Judgement.TAKE
    assert judge(head(9), head(9, leaves=other(8)), 9, b"") is Judgement.REFUSE


@pytest.mark.parametrize("size", [1, 8, 11])
def test_a_log_that_was_signed_later_with_fewer_leaves_was_cut(size: int) -> None:
    assert judge(head(12), head(size, at=13), 0, b"") is Judgement.REFUSE
    assert judge(head(12), head(size, at=13), size, b"") is Judgement.REFUSE


def test_an_older_head_and_a_proof_from_somewhere_else_are_late_and_no_contradiction() -> None:
    assert judge(head(12), head(8), 8, b"") is Judgement.BEHIND
    assert judge(head(12), head(20), 8, proof(8, 20)) is Judgement.BEHIND
    assert judge(head(12), head(20), 0, b"") is Judgement.BEHIND

"""Whether a head may follow the last one that was seen of its log. Pure."""

from enum import Enum

from core.proof.heads import Head
from core.proof.tree import is_consistent


class Judgement(Enum):
    """What is to be done with a head that is shown."""

    TAKE = "take"
    BEHIND = "from_another_size"  # an older head, or a proof that begins somewhere else: no contradiction
    REFUSE = "inconsistent"  # not a head of the log that was seen before


def judge(kept: Head | None, shown: Head, from_size: int, proof: bytes) -> Judgement:
    """Both are signed by the institution. `kept` None: the log is seen for the first time.

    A log only grows, and its heads follow each other in time as they do in size (core/proof/sealing.py). So one that
    was signed later and has fewer leaves is a contradiction, and one that was signed earlier is merely late.
    """
    if kept is None:
        return Judgement.TAKE
    if shown.size == kept.size:
        return Judgement.TAKE if shown.root == kept.root else Judgement.REFUSE
    if shown.size < kept.size:
        return Judgement.REFUSE if shown.sealed_at > kept.sealed_at else Judgement.BEHIND
    if from_size != kept.size:
        return Judgement.BEHIND
    is_grown = is_consistent(kept.size, kept.root, shown.size, shown.root, proof)
    return Judgement.TAKE if is_grown else Judgement.REFUSE

"""What is said between a Payhub and a witness: a head that is shown, and what the witness says to it. Pure."""

import msgspec

from core.proof.kept import CosignatureText, HeadText

# A consistency proof has at most as many hashes as a size has bits, and one; a head and the rest fit beside it.
SUBMISSION_SIZE_MAX = 8 * 1024
# A cosignature, or a head.
ANSWER_SIZE_MAX = 8 * 1024
PROOF_TEXT_MAX = 4 * 1024


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A head, and the proof that its log begins with the one of `from_size` leaves (RFC 6962, 2.1.2)."""

    head: HeadText
    from_size: int
    proof: str


class Taken(msgspec.Struct, frozen=True):
    """HTTP 200: it has seen the head, and signs that."""

    cosignature: CosignatureText


class NotTaken(msgspec.Struct, frozen=True):
    """It did not take the head. `kept`: what it has seen of this log; `shown`: what it was shown.

    HTTP 412: the proof has to begin at `kept`, or the head is an older one. HTTP 409: the two cannot be heads of one
    log that only grew. That is kept.
    """

    code: str
    kept: HeadText
    shown: HeadText


class Refusal(msgspec.Struct, frozen=True):
    """Any other answer."""

    code: str
    message: str

"""Proof of payments: receipts, the log that all payments are in, its signed heads, the keys.

Receipts, hashes, paths, salts, signatures and keys are bytes: as they are in MessagePack, in JSON base64 (RFC 4648, 4).
A path is its hashes one after another, from the bottom up. How each is computed: README.md, "Proving a payment".
"""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from core.nouns import BALANCE_MAX
from hub.protocol.fields import Command, Message, PaymentId

Size = Annotated[int, Meta(ge=1, le=BALANCE_MAX, description="How many leaves: batches, not payments.")]


class ReadProof(Command, frozen=True, tag="read_proof", gc=False):
    """A payment's receipt and its place in the log, for its two sides, whoever asked for it, and operators."""

    payment: PaymentId


class ReadHead(Command, frozen=True, tag="log_head", gc=False):
    """The latest signed head of the log, or the one that was signed at `size`, as long as that is kept here.

    Keep it yourself: the log can be held to it for ever (`log_growth`).
    """

    size: Size | UnsetType = UNSET


class ReadGrowth(Command, frozen=True, tag="log_growth", gc=False):
    """Proof that the log still begins with what it was at `from_size`, any size that it had; `to_size`: of a head.

    `to_size` is the latest head's if not said.
    """

    from_size: Size
    to_size: Size | UnsetType = UNSET


class ReadProofKeys(Command, frozen=True, tag="proof_keys", gc=False):
    """The keys that sign receipts and heads, all there ever were. Everybody may have them: /docs/proof-keys.json."""


class PaymentFacts(Struct, frozen=True, omit_defaults=True, gc=False):
    """What a payment's leaf says of it. `at_us`: microseconds since the epoch."""

    payment: str
    kind: str
    status: str
    payer: int
    payee: int
    amount: int
    at_us: int
    about: str | UnsetType = UNSET
    charge: str | UnsetType = UNSET


class Kept(Struct, frozen=True, omit_defaults=True, gc=False):
    """What the payee did not get of the amount, and what opens it: told to the payee and operators."""

    fee: int
    shares: list[tuple[int, int]]
    salt: bytes


class Asked(Struct, frozen=True, gc=False):
    """Who asked, and what opens it: told to that person and operators."""

    person: str
    salt: bytes


class HeadState(Struct, frozen=True, gc=False):
    """A signed head: `size` leaves below `root`, at `at_us`, by the key `key`."""

    tenant: int
    size: int
    root: bytes
    at_us: int
    key: str
    signature: bytes


class LogPlace(Struct, frozen=True, gc=False):
    """Where the log has the payment's batch: leaf `number` of the head's tree, and the path to its root."""

    number: int
    path: bytes
    head: HeadState


class ProofKey(Struct, frozen=True, omit_defaults=True, gc=False):
    """An Ed25519 key (RFC 8032): its 32 bytes, and from when until when it signed."""

    key: str
    public_key: bytes
    signs_from: str
    signs_until: str | UnsetType = UNSET


class PaymentProof(Message, frozen=True, tag="payment_proof", gc=False):
    """All that proves a payment. Without `receipt` and `log` it is not sealed yet; ask again in a second.

    `asked_hash` and `kept_hash` are the two parts of the commitment in the receipt.
    """

    id: int
    tenant: int
    facts: PaymentFacts
    asked_hash: bytes
    kept_hash: bytes
    receipt: bytes | UnsetType = UNSET
    log: LogPlace | UnsetType = UNSET
    kept: Kept | UnsetType = UNSET
    asked: Asked | UnsetType = UNSET


class HeadAnswer(Message, frozen=True, tag="log_head_state", gc=False):
    """A signed head of the log."""

    id: int
    head: HeadState


class GrowthAnswer(Message, frozen=True, tag="log_growth_proof", gc=False):
    """That the log of `head` begins with the one of `from_size` leaves (RFC 6962, 2.1.2).

    `old` is the head of that size, as long as it is kept here; check the proof with the one that you kept.
    """

    id: int
    head: HeadState
    proof: bytes
    old: HeadState | UnsetType = UNSET


class ProofKeysAnswer(Message, frozen=True, tag="proof_key_states", gc=False):
    """The keys, oldest first."""

    id: int
    keys: list[ProofKey]


FROM_CLIENT: Final[tuple[type[Message], ...]] = (ReadProof, ReadHead, ReadGrowth, ReadProofKeys)
FROM_HUB: Final[tuple[type[Message], ...]] = (PaymentProof, HeadAnswer, GrowthAnswer, ProofKeysAnswer)

"""Proof of payments: receipts asked for again, places in the log, heads, growth, keys."""

from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import UNSET

from core.errors import NotFound
from core.keyring import SigningKey
from core.nouns import Kind
from core.proof import proving
from core.proof.heads import Head
from core.proof.leaves import SALT_SIZE, Facts, to_us
from hub.commands.context import STATUS_NAMES, Context
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset, time_of, time_or_unset
from hub.protocol import proofs
from hub.protocol.codes import ErrorCode
from hub.protocol.scopes import Scope
from hub.session import Session


async def payment(context: Context, session: Session, command: proofs.ReadProof) -> proofs.PaymentProof:
    """A payment's proof. Whoever is no party of it is told that there is none."""
    speaker = session.speaker
    try:
        found = await proving.prove_payment(context.pool, speaker.tenant_id, command.payment)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payment") from None
    facts, private = found.record
    may_know_kept = session.may_see(facts.payee)
    if not (may_know_kept or session.may_see(facts.payer)):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payment")
    may_know_asked = session.oversees or session.has_asked(private.asked_by)
    receipt = found.receipt(*context.signer.key_at(context.now()))
    in_log = found.in_log
    return proofs.PaymentProof(
        command.id,
        speaker.tenant_id,
        _to_facts(facts),
        found.asked,
        found.kept,
        UNSET if receipt is None else receipt.pack(),
        UNSET if in_log is None else proofs.LogPlace(in_log.number, in_log.path, _to_head(in_log.head)),
        proofs.Kept(private.fee, list(private.shares), found.salt[SALT_SIZE:]) if may_know_kept else UNSET,
        proofs.Asked(private.asked_by, found.salt[:SALT_SIZE]) if may_know_asked else UNSET,
    )


async def head(context: Context, session: Session, command: proofs.ReadHead) -> proofs.HeadAnswer:
    """A signed head of the tenant's log."""
    found = await proving.read_head(context.pool, session.speaker.tenant_id, given(command.size))
    return proofs.HeadAnswer(command.id, _to_head(found))


async def growth(context: Context, session: Session, command: proofs.ReadGrowth) -> proofs.GrowthAnswer:
    """Proof that the tenant's log was only added to."""
    tenant_id = session.speaker.tenant_id
    found = await proving.prove_growth(context.pool, tenant_id, command.from_size, given(command.to_size))
    old = UNSET if found.old is None else _to_head(found.old)
    return proofs.GrowthAnswer(command.id, _to_head(found.head), found.proof, old)


async def keys(context: Context, _: Session, command: proofs.ReadProofKeys) -> proofs.ProofKeysAnswer:
    """The keys that sign here."""
    return proofs.ProofKeysAnswer(command.id, list_keys(context))


def list_keys(context: Context) -> list[proofs.ProofKey]:
    """The keys that sign here, oldest first."""
    return [_to_key(key) for key in context.signer.keys]


def _to_facts(facts: Facts) -> proofs.PaymentFacts:
    return proofs.PaymentFacts(
        facts.id,
        Kind(facts.kind).name.lower(),
        STATUS_NAMES[facts.status],
        facts.payer,
        facts.payee,
        facts.amount,
        facts.judged_at_us,
        or_unset(facts.subject),
        or_unset(facts.charge),
    )


def _to_head(head: Head) -> proofs.HeadState:
    return proofs.HeadState(head.tenant_id, head.size, head.root, to_us(head.sealed_at), head.kid, head.signature)


def _to_key(key: SigningKey) -> proofs.ProofKey:
    public_key = key.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return proofs.ProofKey(key.kid, public_key, time_of(key.signs_from), time_or_unset(key.signs_until))


ROWS: Final[tuple[Row, ...]] = (
    Row(
        proofs.ReadProof, proofs.PaymentProof, payment, "GET", "/v1/payments/{payment}/proof", scope=Scope.PAYMENTS_READ
    ),
    Row(proofs.ReadHead, proofs.HeadAnswer, head, "GET", "/v1/log/head", scope=Scope.PAYMENTS_READ),
    Row(proofs.ReadGrowth, proofs.GrowthAnswer, growth, "GET", "/v1/log/growth", scope=Scope.PAYMENTS_READ),
    Row(proofs.ReadProofKeys, proofs.ProofKeysAnswer, keys, "GET", "/v1/log/keys", scope=Scope.PAYMENTS_READ),
)

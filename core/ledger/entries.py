"""A posted payment seen from each of its accounts, as core/sql/views/entries.sql shows it. Pure: no I/O.

Hubs make events of what they have just posted without reading it back; what is read later must be the same.
"""

from core.nouns import DONE, RETURNING, Entry, Kind, Payment, PaymentStatus, Posting

MOVING = frozenset({Kind.PAY, Kind.CAPTURE, *RETURNING})


def entries_of(payment: Payment, posting: Posting) -> list[Entry]:
    """The payer's, the payee's, the fees account's and the shares' entries; none of a payment that was not done."""
    if posting.status not in DONE:
        return []
    assert posting.payer_balance is not None
    assert posting.payer_version is not None
    assert posting.payee_balance is not None
    assert posting.payee_version is not None
    kind, fee = payment.kind, posting.fee
    amount = payment.amount if posting.amount is None else posting.amount
    moved = amount if moves(kind, posting.status, posting.hold) else 0
    shared = posting.shared
    is_returning = kind in RETURNING
    # The fee and the shares come out of what the payee gets; on the way back they are on the side of who gives.
    on_payer, on_payee = (fee + shared, 0) if is_returning else (0, fee + shared)
    common = posting.judged_at_us, payment.description, kind, payment.subject, payment.charge
    found = [
        Entry(
            payment.payer,
            posting.payer_version,
            payment.id,
            -moved - on_payer,
            payment.payee,
            posting.payer_balance,
            *common,
            posting.hold,
            posting.payer_held,
            fee if is_returning else 0,
            payment.metadata,
        ),
        Entry(
            payment.payee,
            posting.payee_version,
            payment.id,
            moved - on_payee,
            payment.payer,
            posting.payee_balance,
            *common,
            posting.hold,
            None,
            0 if is_returning else fee,
            payment.metadata,
        ),
    ]
    between = payment.payer if is_returning else payment.payee
    found += [
        Entry(
            leg.account,
            leg.version,
            payment.id,
            leg.amount,
            between,
            leg.balance,
            *common,
            0,
            None,
            0,
            payment.metadata,
        )
        for leg in posting.legs
    ]
    return found


def moves(kind: int, status: int, hold: int) -> bool:
    """Whether money goes from payer to payee; a reviewed payment's goes when it is released, not before."""
    return status == PaymentStatus.POSTED and (kind in MOVING or (kind == Kind.RELEASE and hold != 0))

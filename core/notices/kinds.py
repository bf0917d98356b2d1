"""What somebody can be told: each kind of notice in one row, with what it belongs to. Pure."""

from enum import Enum, IntEnum
from typing import Final


class Family(Enum):
    """What a kind of notice belongs to, which says how insistent it is and what may hold it back."""

    MONEY = "money"  # money moved, or is about to: never dropped
    SECURITY = "security"  # may be somebody else's doing: never dropped, at no hour
    CODE = "code"  # asked for this minute, for one contact
    SERVICE = "service"  # something is ready or needs looking at
    NEWS = "news"  # from the tenant, to whoever agreed: keeps quiet hours, and can be turned off


class NoticeKind(IntEnum):
    """What a notice is about. Stored in notices.kind; never renumbered."""

    PAYMENT_RECEIVED = 0
    CONTACT_CODE = 1  # a code that confirms the contact it is sent to; sealed: the code
    CLAIMED = 2  # somebody else named a document or a contact of this person's as theirs
    CONTACT_CHANGED = 3  # to the contact that it was before
    # Events of an account, as its owner sees them.
    PAYMENT_SENT = 4
    CHARGE_PAID = 5
    REFUND_RECEIVED = 6
    REFUND_SENT = 7
    PAYMENT_REVERSED = 8
    HOLD_PLACED = 9
    HOLD_CAPTURED = 10
    HOLD_ENDED = 11  # voided or expired: what was reserved is free again
    IN_REVIEW = 12  # set aside until the tenant has looked at it
    REVIEW_RELEASED = 13
    REVIEW_DECLINED = 14
    DISPUTE_HELD = 15  # the amount is reserved at the merchant's
    CHARGED_BACK = 16
    DISPUTE_RELEASED = 17
    # About money, and no event of an account.
    PAYMENT_REFUSED = 20  # of a schedule: nobody was there to be answered
    HOLD_EXPIRING = 21
    BULK_FINISHED = 22
    LIMIT_RAISED = 23
    DISPUTE_OPENED = 24
    # What may be somebody else's doing.
    NEW_DEVICE = 30
    SECOND_FACTOR_REFUSED = 31
    FACTOR_ENROLLED = 32
    FACTOR_REMOVED = 33
    RECOVERY_CODE_USED = 34
    PASSKEY_COPIED = 35
    PASSWORD_CHANGED = 36
    SEAT_TAKEN = 37  # somebody acts for this merchant from now on
    # Something is ready, or needs looking at.
    EXPORT_READY = 40
    WEBHOOK_DISABLED = 41
    SEAT_OFFERED = 42  # a merchant invites this person to act for it
    NEWS = 50


FAMILIES: Final[dict[NoticeKind, Family]] = {
    **{kind: Family.MONEY for kind in NoticeKind if kind in {0, *range(4, 30)}},
    **{kind: Family.SECURITY for kind in NoticeKind if kind in {2, 3, *range(30, 40)}},
    NoticeKind.LIMIT_RAISED: Family.SECURITY,
    NoticeKind.CONTACT_CODE: Family.CODE,
    NoticeKind.EXPORT_READY: Family.SERVICE,
    NoticeKind.WEBHOOK_DISABLED: Family.SERVICE,
    NoticeKind.SEAT_OFFERED: Family.SERVICE,
    NoticeKind.NEWS: Family.NEWS,
}

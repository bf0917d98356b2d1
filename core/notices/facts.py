"""What a notice says beside its kind: figures and ids, and nothing that names anybody. Pure.

What is personal of a notice is sealed apart from this, under the person's key.
"""

from datetime import datetime

from msgspec import Struct


class Facts(Struct, frozen=True, omit_defaults=True, gc=False):
    """What a text is made of; each kind uses some. `amount` is in minor units of the tenant's currency, and positive.

    `count` and `total`: of several notices of one kind that are told as one, the newest being the others' example.
    `subject`: the id of what it is about (a payment, a charge, a dispute, a bulk file, an export).
    `network`: where from, cut to what names no single person. `lines`, `refused`: of a bulk file.
    `ends_at`: until when there is something to do (a hold, a dispute, a code).
    """

    at: datetime
    amount: int | None = None
    count: int = 1
    total: int | None = None
    subject: str | None = None
    network: str | None = None
    lines: int | None = None
    refused: int | None = None
    ends_at: datetime | None = None
    # A stable code of why not: hub.protocol.codes.
    code: str | None = None

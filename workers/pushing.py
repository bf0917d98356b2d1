"""Makes pushes of claimed deliveries. A lock screen is read by whoever stands near: no name and no amount is on it.

A phone shows one push of a kind, which says how many there are; the next one of that kind takes its place, and when all
of them are acknowledged, it is taken away.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from core.keys.places import PUSH_DEVICE
from core.keys.safe import Safe
from core.notices.deliveries import PUSH_LASTS, Claimed
from core.notices.kinds import FAMILIES, Family
from core.notices.seen import seen_token
from core.notices.targets import from_text
from workers.delivering import Composed, compose_each
from workers.houses import Houses, Occasion
from workers.outcome import Gone, Refused
from workers.push.message import Envelope, Push
from workers.texts.rendering import render_push

URGENT: Final = frozenset({Family.MONEY, Family.SECURITY})


class Means(NamedTuple):
    """What pushes are made with. `seen_key`: core.notices.seen."""

    keys: Safe
    houses: Houses
    seen_key: bytes

    def __repr__(self) -> str:
        return "Means(…)"


async def compose_pushes(means: Means, claimed: Sequence[Claimed]) -> list[Composed[Envelope]]:
    """Each as a push, or why it cannot be one. Raises when keys or tenants cannot be had: no push's fault."""
    occasions = await means.houses.occasions(means.keys, claimed)
    return compose_each(occasions, partial(_compose, means))


def _compose(means: Means, occasion: Occasion) -> Composed[Envelope]:
    one, cipher, tenant, house = occasion
    phone = one.phone
    assert phone is not None
    text = cipher.open(*PUSH_DEVICE.at(phone.id), phone.sealed)
    if text is None:
        return Composed(one, None, Gone("erased"))
    try:
        target = from_text(text)
    except ValueError:
        return Composed(one, None, Refused("target_unreadable"))
    collapse = one.kind.name.lower()
    if one.facts is None:
        push = Push(one.id, data={"clears": collapse}, badge=one.badge, clears=(collapse,))
    else:
        said = render_push(one.kind, one.language, one.facts, house)
        ends_at = min(one.made_at + PUSH_LASTS, one.expires_at or one.made_at + PUSH_LASTS)
        push = Push(
            one.id,
            said.title,
            said.body,
            {"kind": collapse, "seen": seen_token(means.seen_key, one.tenant_id, one.id)},
            collapse,
            one.badge,
            int(ends_at.timestamp()),
            FAMILIES[one.kind] in URGENT,
        )
    return Composed(one, Envelope(tenant.slug, target, push, phone.registered_at.timestamp()))

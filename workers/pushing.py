"""Makes pushes of claimed deliveries. A lock screen is read by whoever stands near: no name and no amount is on it.

A phone shows one push of a kind, which says how many there are; the next one of that kind takes its place, and when all
of them are acknowledged, it is taken away.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from core.keys.cipher import Cipher
from core.keys.places import PUSH_DEVICE
from core.keys.safe import Safe
from core.notices.deliveries import Claimed
from core.notices.kinds import FAMILIES, Family
from core.notices.seen import seen_token
from core.notices.targets import from_text
from core.people.opening import Tenant
from workers.delivering import Composed
from workers.houses import Houses
from workers.outcome import Gone, Refused
from workers.push.message import Envelope, Push
from workers.texts.given import House
from workers.texts.rendering import render_push

# A phone that was off for longer is told by mail, and sees the rest when it is opened.
LASTS: Final = timedelta(days=1)
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
    persons: dict[int, set[str]] = defaultdict(set)
    for one in claimed:
        persons[one.tenant_id].add(one.person_id)
    ciphers: dict[tuple[int, str], Cipher] = {}
    tenants: dict[int, tuple[Tenant, House]] = {}
    for tenant_id, ids in persons.items():
        found = await means.keys.of(tenant_id, ids)
        ciphers |= {(tenant_id, person_id): cipher for person_id, cipher in found.items()}
        tenants[tenant_id] = await means.houses.of(tenant_id)
    return [_compose(means, one, ciphers[one.tenant_id, one.person_id], *tenants[one.tenant_id]) for one in claimed]


def _compose(means: Means, one: Claimed, cipher: Cipher, tenant: Tenant, house: House) -> Composed[Envelope]:
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
        ends_at = min(one.made_at + LASTS, one.expires_at or one.made_at + LASTS)
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

"""What people write beside a payment, sealed on its way into the books and opened on its way out.

A description is its author's: of whoever asked for the payment, under whose key it is sealed. The ledger compares and
keeps what is sealed, and judges nothing by it. Whoever is erased leaves payments without words.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from core.errors import PersonErased
from core.keys.cipher import Cipher
from core.keys.places import PAYMENT_DESCRIPTION
from core.keys.safe import Safe
from core.nouns import Payment

TABLE, COLUMN = PAYMENT_DESCRIPTION.table, PAYMENT_DESCRIPTION.column
Sealed: TypeAlias = bytes | None


class Words(NamedTuple):
    """A description as it lies in a payment's row. `plain`: from before there were keys."""

    payment: str
    author: str
    sealed: Sealed
    plain: str | None = None


async def seal_words(keys: Safe | None, batch: Sequence[Payment]) -> list[Sealed] | None:
    """Each payment's description, sealed; None: nobody wrote anything. Raises KeysUnavailable.

    The same words for the same payment give the same bytes, so that asking again is seen to be the same.
    """
    worded = [payment for payment in batch if payment.description is not None]
    if not worded:
        return None
    if keys is None:
        raise ValueError("Words need keys.")
    ciphers = await _ciphers(keys, ((one.tenant_id, one.asked_by) for one in worded), create=True)
    return [
        None if one.description is None else _seal(ciphers[one.tenant_id, one.asked_by], one.id, one.description)
        for one in batch
    ]


async def open_words(keys: Safe | None, tenant_id: int, rows: Iterable[Words]) -> list[str | None]:
    """Each description in words. Without keys, or with its author's destroyed, what is sealed reads as none."""
    found = list(rows)
    ciphers: dict[tuple[int, str], Cipher] = {}
    if keys is not None:
        ciphers = await _ciphers(keys, ((tenant_id, one.author) for one in found if one.sealed is not None))
    return [_open(ciphers.get((tenant_id, one.author)), one) for one in found]


def _seal(cipher: Cipher, payment_id: str, text: str) -> Sealed:
    try:
        return cipher.seal_alike(TABLE, COLUMN, payment_id, text)
    except PersonErased:
        # Paid by what they had ordered before they were erased: the money goes, without words.
        return None


def _open(cipher: Cipher | None, words: Words) -> str | None:
    if words.sealed is None:
        return words.plain
    return None if cipher is None else cipher.open(TABLE, COLUMN, words.payment, words.sealed)


async def _ciphers(keys: Safe, wanted: Iterable[tuple[int, str]], **how: Any) -> dict[tuple[int, str], Cipher]:
    by_tenant: dict[int, set[str]] = defaultdict(set)
    for tenant_id, person_id in wanted:
        by_tenant[tenant_id].add(person_id)
    return {
        (tenant_id, person_id): cipher
        for tenant_id, persons in by_tenant.items()
        for person_id, cipher in (await keys.of(tenant_id, persons, **how)).items()
    }

"""How somebody proved who they are, in RFC 8176's words. Pure."""

from collections.abc import Iterable
from typing import Final

PASSWORD: Final = "pwd"  # noqa: S105  # a word for it
# A code that works once; a key that is held.
FACTORS: Final = frozenset({"otp", "pop"})
SEVERAL: Final = "mfa"


def add_proofs(known: Iterable[str], *fresh: str, is_verified: bool = False) -> tuple[str, ...]:
    """All that a session's person has proved, with what is new; `mfa` when that is more than one kind.

    `is_verified`: by a passkey whose authenticator knows its holder, which is two kinds in one.
    """
    proofs = dict.fromkeys([*known, *fresh])
    was_several = proofs.pop(SEVERAL, 0) is None
    is_several = was_several or is_verified or (PASSWORD in proofs and has_factor(proofs))
    return (*proofs, SEVERAL) if is_several else tuple(proofs)


def has_factor(proofs: Iterable[str]) -> bool:
    """Whether a second factor is among them."""
    return not FACTORS.isdisjoint(proofs)

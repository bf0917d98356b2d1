"""Marks what is handed out so that it is known again, and what is counted so that nobody can read what it was.

Everything comes from one secret of the installation's, which is in no database of the ledger's.
"""

import hashlib
import hmac

MARK_BYTES = 32


class Marks:
    """What only this installation can say about something. One object serves a whole process."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return "Marks(…)"

    def of(self, purpose: str, *parts: str | int | bytes) -> bytes:
        """HMAC-SHA-256 over the purpose and these parts, 32 bytes. The same parts, the same mark."""
        mark = hmac.new(self._secret, digestmod=hashlib.sha256)
        for part in (purpose, *parts):
            plain = part if isinstance(part, bytes) else str(part).encode(errors="surrogatepass")
            # Each with its length: "ab", "c" is not "a", "bc".
            mark.update(len(plain).to_bytes(4, "big") + plain)
        return mark.digest()

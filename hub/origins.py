"""Which web pages may speak to the hub. Pure.

A browser sends a page's Origin and the user's ambient authority with it; a native client sends none. An
Origin that is sent must be on the list, letter by letter (CWE-1385, OWASP ASVS 5.0 4.4.2). A client without
one is no browser: it proves itself with its token, and no cookie of ours exists that a page could borrow.
"""

from collections.abc import Iterable


class Origins:
    """The allow-list."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.encode() for origin in allowed)

    def allow(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers may be served."""
        origins = [value for name, value in headers if name.lower() == b"origin"]
        return not origins or (len(origins) == 1 and origins[0] in self._allowed)

"""The two doors of the socket: one for web pages, one for everything else. Pure.

A browser sends a page's Origin with every WebSocket and a page cannot stop it; no other program has one. So the
web door opens for an Origin on the list, letter by letter, and for nothing else, and the native door for
whoever brings none (CWE-1385, OWASP ASVS 5.0 4.4.2). A token is issued for one door and refused at the other:
what a hostile page steals is of no use to a program, and what a program leaks is of no use in a page.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeAlias

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


class Door(StrEnum):
    """Where somebody comes in; a token's audience (RFC 9068, 2.2) names its own."""

    WEB = "payhub-web"
    NATIVE = "payhub-native"


PATHS = {Door.WEB: "/v1/socket", Door.NATIVE: "/v1/native"}


class Doors:
    """Who may come in where."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def allow(self, door: Door, headers: Headers) -> bool:
        """Whether an upgrade with these headers may pass this door."""
        origins = _origins(headers)
        if door is Door.NATIVE:
            return not origins
        return len(origins) == 1 and origins[0] in self._origins


def door_for(headers: Headers) -> Door:
    """The door that a token is for, by the HTTP request that asks for it: a page's has its Origin."""
    return Door.WEB if _origins(headers) else Door.NATIVE


def _origins(headers: Headers) -> list[bytes]:
    return [value for name, value in headers if name.lower() == b"origin"]

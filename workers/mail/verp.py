"""The return path of each mail, which names its delivery: whoever bounces it says which one it was (VERP). Pure.

The name is signed, so that nobody can bounce what they were not sent. It holds no address and no name of a person.
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
import uuid
from typing import Final, NamedTuple

LOCAL: Final = "bounces+"
# 80 bits, so that the local part has 63 octets: RFC 5321 (4.5.3.1.1) allows 64.
MAC_SIZE: Final = 10
_NAMED: Final = struct.Struct(">q16s")
_PURPOSE: Final = b"payhub return path\0"
_ADDRESS: Final = re.compile(r"bounces\+([a-z2-7]{55})@([a-z0-9.-]+)", re.IGNORECASE | re.ASCII)


class Named(NamedTuple):
    """Which delivery a return path is of. `delivery_id` is a UUID."""

    tenant_id: int
    delivery_id: str


class ReturnPaths(NamedTuple):
    """Makes and reads return paths at one domain. `key`: at least 32 secret bytes, the same in all workers."""

    key: bytes
    domain: str

    def __repr__(self) -> str:
        return f"ReturnPaths({self.domain!r})"

    def make(self, tenant_id: int, delivery_id: str) -> str:
        """The address that a bounce of this delivery comes to."""
        named = _NAMED.pack(tenant_id, uuid.UUID(delivery_id).bytes)
        token = base64.b32encode(named + self._sign(named)).decode().rstrip("=").lower()
        return f"{LOCAL}{token}@{self.domain}"

    def read(self, text: str) -> Named | None:
        """The delivery that an address in `text` names; None if there is none that was made here.

        Servers on the way may change the case of what they copy (RFC 5321, 2.4, asks them not to).
        """
        for found in _ADDRESS.finditer(text):
            if found[2].lower() != self.domain.lower():
                continue
            try:
                raw = base64.b32decode(found[1].upper() + "=")
            except binascii.Error:
                continue
            named, mac = raw[: _NAMED.size], raw[_NAMED.size :]
            if hmac.compare_digest(mac, self._sign(named)):
                tenant_id, delivery = _NAMED.unpack(named)
                return Named(tenant_id, str(uuid.UUID(bytes=delivery)))
        return None

    def _sign(self, named: bytes) -> bytes:
        return hmac.digest(self.key, _PURPOSE + named, hashlib.sha256)[:MAC_SIZE]

"""An authenticator in software: real keys, real CBOR, real client data, and every lie that the tests need.

It is a browser and a security key in one. What it answers is what `credential.toJSON()` gives to a page.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, HAS_KEY = 0x01, 0x04, 0x08, 0x10, 0x40


def encode(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Passkey:
    """One credential. A copy of it counts on by itself, which is how it is found out."""

    id: bytes
    user: bytes
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    count: int

    @property
    def cose(self) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            numbers = self.key.public_key().public_numbers()
            x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
            return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: self.key.public_key().public_bytes_raw()})

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(data)


@dataclass
class Authenticator:
    """Holds passkeys for one origin. `lies` of a call replace what an honest browser and key would say."""

    origin: str = "http://localhost"
    is_ed25519: bool = False
    counts: bool = True
    verifies: bool = True
    passkeys: list[Passkey] = field(default_factory=list)

    def create(self, options: str, **lies: Any) -> str:
        """What navigator.credentials.create gives for these options."""
        asked = json.loads(options)
        key = ed25519.Ed25519PrivateKey.generate() if self.is_ed25519 else ec.generate_private_key(ec.SECP256R1())
        made = Passkey(secrets.token_bytes(32), decode(asked["user"]["id"]), key, 1 if self.counts else 0)
        passkey = lies.get("passkey", made)
        attested = lies.get("aaguid", bytes(16)) + len(passkey.id).to_bytes(2, "big") + passkey.id + passkey.cose
        data = self._data(lies.get("rp_id", asked["rp"]["id"]), passkey, HAS_KEY, lies) + attested
        statement = lies.get("attestation", {"fmt": "none", "attStmt": {}})
        response = {
            "clientDataJSON": encode(self._client_data("webauthn.create", asked, lies)),
            "attestationObject": encode(cbor2.dumps({**statement, "authData": data})),
            "transports": ["internal", "hybrid", "one-that-is-not-invented-yet"],
        }
        self.passkeys.append(passkey)
        return self._credential(passkey, response)

    def get(self, options: str, passkey: Passkey | None = None, **lies: Any) -> str:
        """What navigator.credentials.get gives for these options."""
        asked = json.loads(options)
        used = passkey or self.passkeys[-1]
        if self.counts:
            used.count += 1
        data = self._data(lies.get("rp_id", asked["rpId"]), used, 0, lies)
        client_data = self._client_data("webauthn.get", asked, lies)
        signature = used.sign(data + hashlib.sha256(client_data).digest())
        response = {
            "clientDataJSON": encode(client_data),
            "authenticatorData": encode(data),
            "signature": encode(lies.get("signature", signature)),
        }
        user = lies.get("user", used.user)
        if user is not None:
            response["userHandle"] = encode(user)
        return self._credential(lies.get("claims", used), response)

    def _client_data(self, kind: str, asked: dict[str, Any], lies: dict[str, Any]) -> bytes:
        return json.dumps(
            {
                "type": lies.get("kind", kind),
                "challenge": lies.get("challenge", asked["challenge"]),
                "origin": lies.get("origin", self.origin),
                "crossOrigin": lies.get("cross_origin", False),
            }
        ).encode()

    def _data(self, rp_id: str, passkey: Passkey, flags: int, lies: dict[str, Any]) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if lies.get("verifies", self.verifies) else 0)
        flags = lies.get("flags", flags)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + passkey.count.to_bytes(4, "big")

    def _credential(self, passkey: Passkey, response: dict[str, Any]) -> str:
        return json.dumps(
            {
                "id": encode(passkey.id),
                "rawId": encode(passkey.id),
                "type": "public-key",
                "authenticatorAttachment": "platform",
                "clientExtensionResults": {},
                "response": response,
            }
        )

"""An OpenID provider, small and real: it listens, publishes its keys, rotates them, signs, and can be made to fail."""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Answer: TypeAlias = tuple[int, dict[str, str], bytes]
Handle: TypeAlias = Callable[[str], Awaitable[Answer | None]]

JSON = {"content-type": "application/json"}


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def encode_number(number: int, size: int | None = None) -> str:
    return encode(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


class Key(NamedTuple):
    """A signing key and how it is published."""

    kid: str
    algorithm: str
    private: PrivateKey

    @property
    def jwk(self) -> dict[str, str]:
        common = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if isinstance(self.private, rsa.RSAPrivateKey):
            numbers = self.private.public_key().public_numbers()
            return {**common, "kty": "RSA", "n": encode_number(numbers.n), "e": encode_number(numbers.e)}
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            point = self.private.public_key().public_numbers()
            x, y = encode_number(point.x, 32), encode_number(point.y, 32)
            return {**common, "kty": "EC", "crv": "P-256", "x": x, "y": y}
        return {**common, "kty": "OKP", "crv": "Ed25519", "x": encode(self.private.public_key().public_bytes_raw())}

    def sign(self, signed: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.private.sign(signed, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(signed)


def make_key(algorithm: str = "EdDSA") -> Key:
    private: PrivateKey
    if algorithm == "RS256":
        private = rsa.generate_private_key(65_537, 2_048)
    elif algorithm == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    return Key(uuid.uuid4().hex[:8], algorithm, private)


class OidcServer:
    """Listens on loopback. `instead` answers in its place where it gives an answer; None: as it should."""

    def __init__(self, audience: str = "payhub-client") -> None:
        self.audience = audience
        self.keys: list[Key] = [make_key()]
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.instead: Handle | None = None
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> "OidcServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/jwks",
            "authorization_endpoint": f"{self.issuer}/authorize",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        }

    def claims(self, nonce: str, /, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "248289761001",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": "Jane Doe",
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self, nonce: str, /, *, key: Key | None = None, header: dict[str, Any] | None = None, **changed: Any
    ) -> str:
        """A token by the newest key. `changed` claims are other than they should be; None leaves one out."""
        signer = key or self.keys[-1]
        head = {"alg": signer.algorithm, "kid": signer.kid, "typ": "JWT", **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        signed = f"{encode(json.dumps(head).encode())}.{encode(json.dumps(self.claims(nonce, **changed)).encode())}"
        return f"{signed}.{encode(signer.sign(signed.encode()))}"

    async def _answer(self, path: str) -> Answer:
        if self.instead is not None:
            answer = await self.instead(path)
            if answer is not None:
                return answer
        if path == "/.well-known/openid-configuration":
            return 200, JSON, json.dumps(self.discovery()).encode()
        if path == "/jwks":
            return 200, JSON, json.dumps({"keys": [key.jwk for key in self.keys]}).encode()
        return 404, JSON, b"{}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1]
            self.asked.append(path)
            self.heads.append(head)
            status, headers, body = await self._answer(path)
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(
                f"HTTP/1.1 {status} X\r\n{lines}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            )
            writer.write(body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

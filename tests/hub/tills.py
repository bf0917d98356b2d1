"""A till as a stranger would build it: a key, proofs, and nothing of the hub's code."""

import base64
import hashlib
import json
import time
import uuid
from typing import Any

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.hub.conftest import Somebody
from tests.hub.machines import bearer
from tests.hub.processes import HubProcess
from tests.hub.stranger import JSON, Stranger, Wire

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Till:
    """One till. `skew_s`: how far its clock is ahead."""

    def __init__(self, *, on_curve: bool = False, skew_s: float = 0.0) -> None:
        self.key: PrivateKey = (
            ec.generate_private_key(ec.SECP256R1()) if on_curve else ed25519.Ed25519PrivateKey.generate()
        )
        self.skew_s = skew_s
        self.slug = ""
        self.terminal = ""
        self.account = 0
        self.token = ""

    @property
    def algorithm(self) -> str:
        return "EdDSA" if isinstance(self.key, ed25519.Ed25519PrivateKey) else "ES256"

    @property
    def jwk(self) -> dict[str, str]:
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return {"kty": "OKP", "crv": "Ed25519", "x": encode(self.key.public_key().public_bytes_raw())}
        numbers = self.key.public_key().public_numbers()
        x, y = (encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def sign(self, signed: bytes) -> bytes:
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(signed)
        r, s = decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def jws(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        signed = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"
        return f"{signed}.{encode(self.sign(signed.encode()))}"

    def now(self) -> int:
        return int(time.time() + self.skew_s)

    def proof(self, method: str, address: str, nonce: str, token: str | None = None, **changed: Any) -> str:
        """A proof of RFC 9449. `changed` claims are other than they should be; None leaves one out."""
        claims: dict[str, Any] = {
            "htm": method,
            "htu": address,
            "iat": self.now(),
            "jti": str(uuid.uuid4()),
            "nonce": nonce,
        }
        if token is not None:
            claims["ath"] = encode(hashlib.sha256(token.encode()).digest())
        claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        return self.jws({"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk}, claims)

    def socket_proof(self, nonce: str, token: str, /, **changed: Any) -> str:
        claims = {
            "nonce": nonce,
            "ath": encode(hashlib.sha256(token.encode()).digest()),
            "aud": "payhub-native",
            "tenant": self.slug,
            "iat": self.now(),
        }
        claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        return self.jws({"typ": "payhub-socket+jwt", "alg": self.algorithm, "jwk": self.jwk}, claims)

    async def pair(self, web: httpx2.AsyncClient, hub: HubProcess, slug: str, code: str) -> httpx2.Response:
        self.slug = slug
        body = {"tenant": slug, "code": code}
        answer = await self.prove(web, hub, "POST", "/v1/terminals/pair", body)
        if answer.status_code == 201:
            self.terminal, self.account = answer.json()["terminal"], answer.json()["account"]
        return answer

    async def log_in(self, web: httpx2.AsyncClient, hub: HubProcess) -> httpx2.Response:
        body = {"tenant": self.slug, "terminal": self.terminal}
        answer = await self.prove(web, hub, "POST", "/v1/login/terminal", body)
        if answer.status_code == 200:
            self.token = answer.json()["access_token"]
        return answer

    async def prove(
        self, web: httpx2.AsyncClient, hub: HubProcess, method: str, path: str, body: Any = None
    ) -> httpx2.Response:
        """A request before there is a token."""
        nonce = await nonce_of(web, hub, self.slug)
        headers = {"dpop": self.proof(method, hub.url + path, nonce)}
        return await web.request(method, hub.url + path, json=body, headers=headers)

    async def ask(
        self, web: httpx2.AsyncClient, hub: HubProcess, method: str, path: str, body: Any = None, **changed: Any
    ) -> httpx2.Response:
        """A request with the token."""
        nonce = await nonce_of(web, hub, self.slug)
        return await self.ask_with(
            web, hub, method, path, self.proof(method, hub.url + path, nonce, self.token, **changed), body
        )

    async def ask_with(
        self, web: httpx2.AsyncClient, hub: HubProcess, method: str, path: str, proof: str, body: Any = None
    ) -> httpx2.Response:
        headers = {"authorization": f"DPoP {self.token}", "dpop": proof}
        return await web.request(method, hub.url + path, json=body, headers=headers)

    async def enter(self, client: Stranger, **changed: Any) -> Wire:
        """Ask for the challenge, and authenticate."""
        challenge = await client.ask("challenge")
        assert challenge["type"] == "challenge_state", challenge
        proof = self.socket_proof(challenge["nonce"], self.token, **changed)
        await client.send({"type": "authenticate", "token": self.token, "proof": proof})
        return await client.receive()


async def nonce_of(web: httpx2.AsyncClient, hub: HubProcess, slug: str, purpose: str = "proof") -> str:
    answer = await web.post(f"{hub.url}/v1/nonces", json={"tenant": slug, "purpose": purpose})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["nonce"])


async def make_code(web: httpx2.AsyncClient, hub: HubProcess, shop: Somebody, **wish: Any) -> str:
    body = {"account": shop.account, "name": "A till", **wish}
    answer = await web.post(f"{hub.url}/v1/terminals/codes", json=body, headers=bearer(shop))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


async def till_of(
    web: httpx2.AsyncClient, hub: HubProcess, shop: Somebody, *, on_curve: bool = False, **wish: Any
) -> Till:
    """A till of this shop that is paired and logged in."""
    till = Till(on_curve=on_curve)
    answer = await till.pair(web, hub, shop.tenant.slug, await make_code(web, hub, shop, **wish))
    assert answer.status_code == 201, answer.text
    answer = await till.log_in(web, hub)
    assert answer.status_code == 200, answer.text
    return till


async def join_till(hub: HubProcess, till: Till, subprotocol: str = JSON) -> Stranger:
    client = await Stranger.connect(hub.socket_url, subprotocol)
    welcome = await till.enter(client)
    assert welcome["type"] == "welcome", welcome
    return client

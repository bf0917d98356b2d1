"""A server that speaks Vault's Transit API over HTTP: encrypt, decrypt, rewrap and rotate, with real AES-256-GCM.

Made after Vault's API reference: versions in the ciphertext, `associated_data` authenticated, errors as Vault words them.
"""

import base64
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Refused(Exception):
    def __init__(self, status: int, *errors: str) -> None:
        self.status = status
        self.errors = errors


class Transit:
    """One server with one engine, at `url`; stopped by `stop`."""

    def __init__(self) -> None:
        self.tokens = {"s.first"}
        self.versions: dict[str, list[AESGCM]] = {"payhub": [_fresh()]}
        self.fails_with: int | None = None
        self.asked: list[str] = []
        transit = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                try:
                    status, answer = transit.answer(self.path, self.headers.get("X-Vault-Token", ""), body)
                except Refused as refused:
                    status, answer = refused.status, {"errors": list(refused.errors)}
                content = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, token: str, body: dict[str, str]) -> tuple[int, Any]:
        self.asked.append(path)
        if self.fails_with is not None:
            raise Refused(self.fails_with, "Vault is sealed")
        if token not in self.tokens:
            raise Refused(403, "permission denied")
        mount, what, name, *rest = path.removeprefix("/v1/").split("/")
        if mount != "transit":
            raise Refused(404, "no handler for route")
        if what == "keys" and rest == ["rotate"]:
            self._of(name).append(_fresh())
            return 204, None
        data = {"encrypt": self._encrypt, "decrypt": self._decrypt, "rewrap": self._rewrap}[what](name, body)
        return 200, {"request_id": secrets.token_hex(8), "lease_duration": 0, "data": data}

    def _of(self, name: str) -> list[AESGCM]:
        if name not in self.versions:
            raise Refused(400, "encryption key not found")
        return self.versions[name]

    def _encrypt(self, name: str, body: dict[str, str]) -> dict[str, str | int]:
        versions, nonce = self._of(name), secrets.token_bytes(12)
        sealed = versions[-1].encrypt(nonce, _bytes(body, "plaintext"), _bytes(body, "associated_data"))
        text = base64.b64encode(nonce + sealed).decode()
        return {"ciphertext": f"vault:v{len(versions)}:{text}", "key_version": len(versions)}

    def _decrypt(self, name: str, body: dict[str, str]) -> dict[str, str | int]:
        try:
            vault, version, text = body["ciphertext"].split(":")
            key = self._of(name)[int(version.removeprefix("v")) - 1]
            sealed = base64.b64decode(text)
            plain = key.decrypt(sealed[:12], sealed[12:], _bytes(body, "associated_data"))
        except (ValueError, IndexError):
            raise Refused(400, "invalid ciphertext: unable to decode") from None
        except InvalidTag:
            raise Refused(400, "cipher: message authentication failed") from None
        assert vault == "vault"
        return {"plaintext": base64.b64encode(plain).decode()}

    def _rewrap(self, name: str, body: dict[str, str]) -> dict[str, str | int]:
        return self._encrypt(name, {**body, "plaintext": str(self._decrypt(name, body)["plaintext"])})


def _fresh() -> AESGCM:
    return AESGCM(secrets.token_bytes(32))


def _bytes(body: dict[str, str], name: str) -> bytes:
    return base64.b64decode(body.get(name, ""))

"""HashiCorp Vault's Transit engine as the key service, over its HTTP API.

The context travels as `associated_data`, which Transit authenticates (its key has to be aes256-gcm96 or another AEAD).
The token is read from a file, which an agent beside Payhub keeps fresh, and goes nowhere but into the request's header.
"""

import asyncio
import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx2

from core.errors import KeysRefused, KeysUnavailable
from core.keys.services import TIMEOUT_S, bound

NAME: Final = "vault"
MOUNT: Final = "transit"
FORBIDDEN: Final = 403
# 412: a standby that has not heard of the last write yet; 429: too many questions, or a standby.
PASSING: Final = frozenset({412, 429, 472, 473})
SERVER_ERROR: Final = 500


class VaultKeys:
    """A key service out of one Transit key."""

    name = NAME

    def __init__(self, url: str | None, key: str | None, mount: str | None, token_file: Path | None) -> None:
        if not url or not key or token_file is None:
            raise KeysRefused("Vault needs PAYHUB_VAULT_URL, PAYHUB_VAULT_KEY and PAYHUB_VAULT_TOKEN_FILE.")
        self._url = f"{url.rstrip('/')}/v1/{mount or MOUNT}"
        self._key = key
        self._token_file = token_file
        self._token = ""
        self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)

    async def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        """Encrypt."""
        answer = await self._ask("encrypt", {"plaintext": _text(key), "associated_data": _text(bound(context))})
        return str(answer["ciphertext"]).encode()

    async def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Decrypt. The ciphertext says which version of the key it is of."""
        try:
            ciphertext = wrapped.decode("ascii")
        except UnicodeDecodeError:
            raise KeysRefused("A wrapped key is damaged.") from None
        answer = await self._ask("decrypt", {"ciphertext": ciphertext, "associated_data": _text(bound(context))})
        return base64.b64decode(answer["plaintext"])

    async def rotate(self) -> None:
        """Rotate the key."""
        await self._ask("rotate", {})

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def _ask(self, what: str, body: dict[str, str]) -> dict[str, Any]:
        place = f"keys/{self._key}/rotate" if what == "rotate" else f"{what}/{self._key}"
        response = await self._send(place, body, await self._read_token())
        if response.status_code == FORBIDDEN:
            before = self._token
            # Its agent may have a newer one for us.
            if (token := await self._read_token(again=True)) != before:
                response = await self._send(place, body, token)
        status = response.status_code
        if status in PASSING or status >= SERVER_ERROR:
            raise KeysUnavailable(f"Vault is away (HTTP {status}).")
        if status >= 300:
            raise KeysRefused(f"Vault refuses to {what} with key {self._key} (HTTP {status}).")
        if not response.content:
            return {}
        try:
            data: dict[str, Any] = response.json()["data"] or {}
        except (ValueError, KeyError, TypeError):
            raise KeysUnavailable("What answers is not Vault.") from None
        return data

    async def _send(self, place: str, body: dict[str, str], token: str) -> httpx2.Response:
        try:
            return await self._client.post(f"{self._url}/{place}", json=body, headers={"X-Vault-Token": token})
        except (httpx2.TransportError, OSError) as error:
            raise KeysUnavailable(f"Vault is away: {type(error).__name__}.") from None

    async def _read_token(self, *, again: bool = False) -> str:
        if again or not self._token:
            try:
                self._token = (await asyncio.to_thread(self._token_file.read_text)).strip()
            except OSError as error:
                raise KeysRefused(f"{self._token_file} cannot be read ({error.strerror}).") from None
        return self._token


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()

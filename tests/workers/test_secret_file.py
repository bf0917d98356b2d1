"""Secrets of the operator's are in files that nobody else can read, or the worker says what to do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.settings import Settings
from core.outside import Outside
from workers.mail.dkim import KeyRefused, read_key
from workers.mail.relays import RelayRefused
from workers.push.roads import RoadsRefused, read_roads
from workers.push.web_push import VapidKey
from workers.reaching import _read_relays
from workers.secret_file import read_secret
from workers.sinks.choices import SinksRefused, read_sinks

VAPID = VapidKey(ec.generate_private_key(ec.SECP256R1()), "mailto:push@example.com")
APPLE = {"key_file": "secret", "key_id": "KEY", "team_id": "TEAM", "topics": ["com.example.pay"]}


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_push(folder: Path, told: dict[str, Any]) -> None:
    (folder / "push.json").write_text(json.dumps({"default": told}))
    read_roads(folder / "push.json", VAPID)


def read_sink(folder: Path) -> None:
    sink = {"name": "lake", "kind": "http", "url": "https://data.example.com/", "bearer_file": "secret"}
    (folder / "sinks.json").write_text(json.dumps([sink]))
    read_sinks(folder / "sinks.json", Outside([]))


def read_password(folder: Path) -> None:
    url = "smtp://payhub@relay.example:587"
    _read_relays(
        Settings.from_environment({"PAYHUB_SMTP_URL": url, "PAYHUB_SMTP_PASSWORD_FILE": str(folder / "secret")})
    )


ACCOUNT = {
    "project_id": "p",
    "client_email": "a@b.example",
    "private_key": pem(rsa.generate_private_key(65_537, 2_048)).decode(),
}
SECRETS: dict[str, tuple[bytes, Callable[[Path], object], type[Exception]]] = {
    "dkim": (
        pem(ed25519.Ed25519PrivateKey.generate()),
        lambda folder: read_key(folder / "secret", "bank.example", "payhub"),
        KeyRefused,
    ),
    "apple": (pem(VAPID.key), lambda folder: read_push(folder, {"apple": APPLE}), RoadsRefused),
    "firebase": (
        json.dumps(ACCOUNT).encode(),
        lambda folder: read_push(folder, {"firebase": {"service_account_file": "secret"}}),
        RoadsRefused,
    ),
    "sink": (b"a-token", read_sink, SinksRefused),
    "sinks": (b"[]", lambda folder: read_sinks(folder / "secret", Outside([])), SinksRefused),
    "relay": (b"a-password", read_password, RelayRefused),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_everybody_can_read_is_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    content, read, refused = SECRETS[name]
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    for mode in (0o600, 0o400, 0o640):
        secret.chmod(mode)
        read(tmp_path)
    for mode in (0o644, 0o604, 0o602):
        secret.chmod(mode)
        with pytest.raises(refused) as caught:
            read(tmp_path)
        assert f"chmod 600 {secret}" in str(caught.value)
        assert content.decode() not in str(caught.value)


def test_it_is_the_file_that_was_opened_which_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"s")
    (tmp_path / "secret").chmod(0o644)
    (tmp_path / "link").symlink_to("secret")
    with pytest.raises(PermissionError):
        read_secret(tmp_path / "link")

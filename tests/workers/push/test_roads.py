"""The push file is read strictly, says what to do when it is wrong, and tells no secret."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.notices.targets import AppleTarget, FirebaseTarget, Target, WebTarget
from loadtest.services.web_push import Browser
from tests.workers.push.conftest import envelope
from workers.delivering import Sender
from workers.outcome import Delivered
from workers.push.apns import HOST, SANDBOX_HOST, AppleSender
from workers.push.fcm import TOKEN_URL, FirebaseSender
from workers.push.http2 import tls_context
from workers.push.message import Envelope
from workers.push.roads import RoadsRefused, read_roads
from workers.push.web_push import VapidKey, WebSender


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="module")
def rsa_pem() -> str:
    return _pem(rsa.generate_private_key(65537, 2048))


@pytest.fixture
def folder(tmp_path: Path, rsa_pem: str) -> Path:
    (tmp_path / "apple.p8").write_text(_pem(ec.generate_private_key(ec.SECP256R1())))
    account = {"type": "service_account", "project_id": "a-project", "client_email": "a@b", "private_key": rsa_pem}
    (tmp_path / "firebase.json").write_text(json.dumps(account))
    (tmp_path / "rsa.pem").write_text(rsa_pem)
    return tmp_path


def apple(**more: Any) -> dict[str, Any]:
    return {
        "key_file": "apple.p8",
        "key_id": "ABC123DEFG",
        "team_id": "DEF123GHIJ",
        "topics": ["com.example.pay"],
    } | more


FIREBASE = {"service_account_file": "firebase.json"}
WEB = {"subject": "mailto:push@example.com"}
VAPID = VapidKey(ec.generate_private_key(ec.SECP256R1()), "mailto:no-reply@example.com")


def write(folder: Path, told: object) -> Path:
    path = folder / "push.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return path


def test_without_a_file_browsers_alone_are_pushed_to() -> None:
    roads = read_roads(None, VAPID)
    assert (roads.apple("x"), roads.firebase("x"), roads.web("x")) == (None, None, VAPID)


def test_a_tenant_has_its_own_credentials_and_otherwise_the_installations(folder: Path) -> None:
    default = {"apple": apple(), "firebase": FIREBASE, "web": WEB}
    tenants = {"own": {"apple": apple(team_id="OTHER12345")}, "none": {"apple": None, "web": None}}
    roads = read_roads(write(folder, {"default": default, "tenants": tenants}), VAPID)
    common = roads.of("anybody")
    assert common.apple is not None and common.firebase is not None and common.web is not None
    assert (common.apple.team_id, common.apple.hosts) == ("DEF123GHIJ", ((HOST, 443), (SANDBOX_HOST, 443)))
    assert (common.firebase.project, common.firebase.token_url) == ("a-project", TOKEN_URL)
    own = roads.apple("own")
    # One key, read once: one connection for each team, and one for all who share a team.
    assert own is not None and own.team_id == "OTHER12345" and own.key is common.apple.key
    assert (roads.firebase("own"), roads.web("own")) == (common.firebase, common.web)
    assert (roads.apple("none"), roads.firebase("none"), roads.web("none")) == (None, common.firebase, None)


def test_browsers_are_pushed_to_by_the_installations_key_whatever_the_file_says(folder: Path) -> None:
    assert read_roads(write(folder, {}), VAPID).web("x") == VAPID
    named = read_roads(write(folder, {"default": {"web": WEB}, "tenants": {"none": {"web": None}}}), VAPID)
    assert (named.web("x"), named.web("none")) == (VapidKey(VAPID.key, "mailto:push@example.com"), None)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RoadsRefused, match=r"nowhere\.json cannot be read"):
        read_roads(tmp_path / "nowhere.json", VAPID)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ({"defaults": {}}, "unknown field `defaults`"),
        ({"default": {"apples": {}}}, "unknown field `apples`"),
        ({"default": {"apple": {"key_file": "apple.p8"}}}, "missing required field `key_id`"),
        ({"default": {"apple": apple(key_file="nowhere.p8")}}, "default.apple.key_file: "),
        ({"default": {"apple": apple(key_file="firebase.json")}}, "is no private key in PEM"),
        ({"default": {"apple": apple(key_file="rsa.pem")}}, "take the .p8 file"),
        ({"default": {"apple": apple(key_id="")}}, "default.apple.key_id"),
        ({"default": {"apple": apple(team_id="a b")}}, "default.apple.team_id"),
        ({"default": {"apple": apple(topics=[])}}, "default.apple.topics"),
        ({"default": {"apple": apple(topics=["a b"])}}, "default.apple.topics"),
        ({"default": {"apple": apple(url="http://localhost")}}, "default.apple.url: has to be an https URL"),
        ({"default": {"firebase": {"service_account_file": "apple.p8"}}}, "is no service account"),
        ({"default": {"firebase": FIREBASE | {"url": "https://[x"}}}, "default.firebase.url"),
        ({"default": {"web": WEB | {"subject": "me"}}}, "default.web.subject"),
        ({"default": {"web": WEB | {"key_file": "vapid.pem"}}}, "unknown field `key_file`"),
        ({"tenants": {"a": {"web": WEB | {"subject": ""}}}}, "tenants.a.web.subject"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_no_secret(
    folder: Path, rsa_pem: str, told: object, words: str
) -> None:
    with pytest.raises(RoadsRefused) as caught:
        read_roads(write(folder, told), VAPID)
    assert words in str(caught.value) and "push.json" in str(caught.value)
    assert "PRIVATE" not in str(caught.value) and rsa_pem[60:90] not in str(caught.value)


def test_a_service_account_with_a_bad_key_or_place_is_refused_without_it(folder: Path, rsa_pem: str) -> None:
    for more, words in (
        ({"private_key": "hush"}, "holds a private_key that"),
        ({"private_key": (folder / "apple.p8").read_text()}, "holds no key of RSA"),
        ({"project_id": "a/../b"}, "project_id"),
        ({"token_uri": "http://localhost"}, "token_uri"),
    ):
        account = {"project_id": "p", "client_email": "a@b", "private_key": rsa_pem} | more
        (folder / "firebase.json").write_text(json.dumps(account))
        with pytest.raises(RoadsRefused, match=words) as caught:
            read_roads(write(folder, {"default": {"firebase": FIREBASE}}), VAPID)
        assert "hush" not in str(caught.value) and "PRIVATE" not in str(caught.value)


async def test_the_three_services_take_pushes_with_what_their_folder_holds(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "loadtest.services.push", str(port), str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env={**os.environ, "PYTHONPATH": "."})
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        roads = read_roads(tmp_path / "push.json", VAPID)
        tls = tls_context(str(tmp_path / "ca.pem"))
        host = f"localhost:{port + 2}"
        browser = Browser(f"https://{host}")

        async def find(_host: str, _port: int) -> str:
            return "127.0.0.1"

        sent: list[tuple[Sender[Envelope], Target]] = [
            (AppleSender(roads.apple, tls), AppleTarget("ab" * 32, "com.example.pay")),
            (FirebaseSender(roads.firebase, tls), FirebaseTarget("x" * 30)),
            (
                WebSender(roads.web, tls, find, hosts=[host]),
                WebTarget(browser.endpoint, browser.p256dh, browser.auth),
            ),
        ]
        for sender, target in sent:
            assert isinstance(await sender.send(envelope(target)), Delivered)
            await sender.close()
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            told, _ = await process.communicate()
    once = {"taken": 1, "twice": 0}
    assert json.loads(told) == {"apple": once, "firebase": once, "web": {"taken": 1}}

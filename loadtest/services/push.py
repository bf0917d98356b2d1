"""Apple, Firebase and a browsers' push service at once, for load: they take everything, fast, and keep ids alone.

python -m loadtest.services.push PORT FOLDER    on PORT and the two after it, until SIGTERM; then says as JSON how many
                                                came to each, and how many twice. FOLDER gets what an operator has:
                                                push.json with its keys, and ca.pem, to be trusted (SSL_CERT_FILE); in
                                                the end apple.arrivals and firebase.arrivals, when each push came
                                                (loadtest/services/arrivals.py), and web.sealed: what came to browsers,
                                                which they alone can read.
python -m loadtest.services.push PORT FOLDER SEEN SEEN SEEN    the same behind gates, which are seen on these ports.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import uvloop
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from loadtest.services.apple import AppleService
from loadtest.services.arrivals import write_arrivals, write_sealed
from loadtest.services.certificates import Certificates
from loadtest.services.firebase import FirebaseService
from loadtest.services.web_push import WebPushService

TOPIC = "com.example.pay"
EMAIL = "push@example.com"


async def serve(port: int, folder: Path, seen: Sequence[int]) -> dict[str, dict[str, int]]:
    """Until SIGTERM. How many came to each, and how many of them more than once."""
    certificates = Certificates(folder)
    apple_key = ec.generate_private_key(ec.SECP256R1())
    firebase_key = rsa.generate_private_key(65537, 2048)
    apple = AppleService(
        certificates.server_context(), {("TEAM", "KEY"): apple_key.public_key()}, frozenset({TOPIC}), keeps=False
    )
    firebase = FirebaseService(
        certificates.server_context(), {EMAIL: firebase_key.public_key()}, keeps=False, port=seen[1]
    )
    sealed = (folder / "web.sealed").open("wb")
    web = WebPushService(
        certificates.server_context(),
        keeps=False,
        port=seen[2],
        on_taken=lambda name, body: write_sealed(sealed, time.time(), name, body),
    )
    servers = (apple.server, firebase.server, web.server)
    for step, server in enumerate(servers):
        await server.start(port + step)
    _write_secret(folder / "apple.p8", _pem(apple_key))
    account = {
        "project_id": "a-project",
        "client_email": EMAIL,
        "private_key": _pem(firebase_key),
        "private_key_id": "KEY",
        "token_uri": firebase.url + "/token",
    }
    _write_secret(folder / "firebase.json", json.dumps(account))
    at = f"https://localhost:{seen[0]}"
    roads = {
        "apple": {
            "key_file": "apple.p8",
            "key_id": "KEY",
            "team_id": "TEAM",
            "topics": [TOPIC],
            "url": at,
            "sandbox_url": at,
        },
        "firebase": {"service_account_file": "firebase.json", "url": firebase.url},
        "web": {"subject": f"mailto:{EMAIL}"},
    }
    (folder / "push.json").write_text(json.dumps({"default": roads}, indent=2))
    print("ready", flush=True)
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    await ending.wait()
    for server in servers:
        await server.stop()
    for name, one in (("apple", apple), ("firebase", firebase)):
        write_arrivals(folder / f"{name}.arrivals", [(id_, count, one.came[id_]) for id_, count in one.ids.items()])
    sealed.close()
    # What came to a browser's service has no id that it could see.
    return {"apple": _counted(apple.ids), "firebase": _counted(firebase.ids), "web": {"taken": web.got.total()}}


def _counted(ids: Counter[str]) -> dict[str, int]:
    return {"taken": ids.total(), "twice": sum(count > 1 for count in ids.values())}


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _write_secret(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)


if __name__ == "__main__":
    first = int(sys.argv[1])
    others = [int(one) for one in sys.argv[3:]] or [first, first + 1, first + 2]
    print(json.dumps(uvloop.run(serve(first, Path(sys.argv[2]), others))))

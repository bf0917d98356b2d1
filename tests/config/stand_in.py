"""A launcher with programs that only answer probes, so that its tests need no hub.

python stand_in.py launch    what `payhub run` does
python stand_in.py serve     answers /readyz and /metrics, until SIGTERM; fails when STAND_IN=fails
python stand_in.py work      waits for SIGTERM
python stand_in.py mailbox   keeps mails, as the real one does
"""

import importlib
import os
import signal
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from config.embedded import EmbeddedError
from config.launcher import Launcher, LaunchError, Programs, say_to_terminal
from config.settings import Settings, address


class Probes(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")


class Server(ThreadingHTTPServer):
    allow_reuse_port = True

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # without looking its own name up


def launch() -> None:
    try:
        launcher().run()
    except (LaunchError, EmbeddedError) as error:
        sys.exit(str(error))


def launcher() -> Launcher:
    program = [sys.executable, __file__]
    return Launcher(
        Settings.from_environment(os.environ),
        Programs(hub=[*program, "serve"], worker=[*program, "work"], mailbox=_mailbox(program)),
        prepare=lambda _settings: [],
        seed=lambda _settings: ["Demo       nobody here but us"],
        say=say_to_terminal,
    )


def _mailbox(program: list[str]) -> list[str]:
    return [*program, "mailbox"] if "mailbox" in os.environ.get("STAND_IN", "") else []


def mailbox() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    importlib.import_module("config.mailbox").keep(Settings.from_environment(os.environ))


def serve() -> None:
    if "fails" in os.environ.get("STAND_IN", ""):
        sys.exit("no hub today")
    settings = Settings.from_environment(os.environ)
    for listen in (settings.listen, settings.admin_listen):
        threading.Thread(target=Server(address(listen), Probes).serve_forever, daemon=True).start()
    work()


def work() -> None:
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM} if sys.argv[1] != "launch" else set())
    {"launch": launch, "serve": serve, "work": work, "mailbox": mailbox}[sys.argv[1]]()

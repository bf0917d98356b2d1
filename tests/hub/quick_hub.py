"""`payhub serve` with times that tests can wait for. Run as `python -m tests.hub.quick_hub`."""

import os

from config.settings import Settings
from hub.serve import serve

TOKEN_LIFETIME_S = 4
KEYS_READ_S = 0.3

if __name__ == "__main__":
    serve(Settings.from_environment(os.environ), token_lifetime_s=TOKEN_LIFETIME_S, keys_read_s=KEYS_READ_S)

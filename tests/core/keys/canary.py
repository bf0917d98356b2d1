"""A word that is looked for wherever it must not be, in every spelling that a dump, a log or a wire may give it."""

import base64
import json
import subprocess
import uuid
from pathlib import Path
from urllib.parse import quote

from config.embedded import postgres_binaries


def fresh_canary() -> str:
    """A word that nobody else writes, with a letter that is spelled differently everywhere."""
    return f"zqçanary{uuid.uuid4().hex[:12]}"


def spellings(word: str) -> set[bytes]:
    """How a word may look: as text, hexadecimal, in base64 at each of its three offsets, escaped, by UTF-16."""
    found: set[bytes] = set()
    for cased in (word, word.upper(), word.lower()):
        for plain in (cased.encode(), cased.encode("latin-1"), cased.encode("utf-16-le"), cased.encode("utf-16-be")):
            found |= {plain, plain.hex().encode(), plain.hex().upper().encode()}
            for offset in range(3):
                # Whole groups of three bytes alone look alike whatever is around them.
                start = (3 - offset) % 3
                middle = plain[start : start + (len(plain) - start) // 3 * 3]
                found.add(base64.b64encode(middle))
                found.add(base64.urlsafe_b64encode(middle))
        found |= {json.dumps(cased)[1:-1].encode(), quote(cased).encode(), repr(cased.encode())[2:-1].encode()}
        # As PostgreSQL escapes bytes.
        found.add("".join(chr(c) if c < 128 else f"\\{c:03o}" for c in cased.encode()).encode())
    return found


def found_in(content: bytes, words: list[str]) -> set[str]:
    """Which of these words are in there, in whatever spelling."""
    return {word for word in words if any(spelled in content for spelled in spellings(word))}


def dump(url: str, file: Path) -> bytes:
    """A whole database as SQL, as a backup has it."""
    command = [str(postgres_binaries() / "pg_dump"), "--no-owner", f"--file={file}", url]
    subprocess.run(command, check=True, capture_output=True)
    return file.read_bytes()


def restore(url: str, file: Path) -> None:
    """Bring a dump into an empty database."""
    command = [str(postgres_binaries() / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-f", str(file), url]
    subprocess.run(command, check=True, capture_output=True)

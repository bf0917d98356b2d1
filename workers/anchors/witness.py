"""A witness as a place: it is shown each head with the proof that the log it saw before is its beginning, and signs.

What it answers is checked with its key, which the operator has from its keeper and not from the network.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeVar

import httpx2
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.proof import heads
from core.proof.anchors import Anchored, Refused, Waiting
from core.proof.checking import KeptHead, LogBroken, read_key
from core.proof.cosignatures import Cosignature, is_cosigned, kid_of
from core.proof.heads import Head
from core.proof.kept import CosignatureText, HeadText, from_head_text, to_head_text
from core.proof.receipts import PublicKeys, ReceiptRefused, from_text, to_text
from core.proof.witnessing import ANSWER_SIZE_MAX, NotTaken, Submission, Taken
from workers.anchors.places import HeadNotTaken, Outcome, PlaceAway

TIMEOUT_S: Final = 10.0
# It says what it has seen at most once for each head; a second time would be a race with another worker.
QUESTIONS_MAX: Final = 3
# Malformed, too large, signed by a key that it does not know: what is said of one head.
ABOUT_ONE: Final = frozenset({400, 413, 422})

T = TypeVar("T")


class Logs(Protocol):
    """The logs as they are here."""

    async def prove(self, tenant_id: int, old_size: int, size: int) -> bytes:
        """That the log of `size` leaves begins with the one of `old_size`. Raises LookupError."""

    async def size(self, tenant_id: int) -> int:
        """How many leaves the log has."""


class WitnessChoice(NamedTuple):
    """Which witness: what we call it, where it is, its key, and the token by which it knows us."""

    name: str
    url: str
    key: Ed25519PublicKey
    token: str

    def __repr__(self) -> str:
        return f"WitnessChoice({self.name!r}, {self.url!r})"


class WitnessesRefused(Exception):
    """The file of witnesses cannot be used: one sentence that says why."""


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    url: str
    public_key: str
    token: str


def read_witnesses(path: Path) -> list[WitnessChoice]:
    """The witnesses in a file, none if it is not there. Raises WitnessesRefused."""
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[_Row])
        found = [WitnessChoice(row.name, row.url.rstrip("/"), read_key(row.public_key), row.token) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, LogBroken) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WitnessesRefused(f"{path} cannot be read: {reason}") from None
    for one in found:
        url = httpx2.URL(one.url)
        if url.scheme != "https" and url.host not in {"127.0.0.1", "::1", "localhost"}:
            raise WitnessesRefused(f"{path}: {one.url} has to be https, a token travels on it.")
        if not one.name or len(one.name) > 80 or not one.name.isprintable():
            raise WitnessesRefused(f"{path}: a witness needs a name.")
    if len({one.name for one in found}) < len(found):
        raise WitnessesRefused(f"{path}: two witnesses have one name.")
    return found


class Witness:
    """One witness."""

    def __init__(self, choice: WitnessChoice, logs: Logs, keys: Callable[[], PublicKeys]) -> None:
        """`keys`: those that sign heads here."""
        self.name = f"witness:{choice.name}"
        self._choice = choice
        self._logs = logs
        self._keys = keys
        self._trusted = {kid_of(choice.key): choice.key}
        self._client = httpx2.AsyncClient(
            timeout=TIMEOUT_S, follow_redirects=False, headers={"authorization": f"Bearer {choice.token}"}
        )

    async def take(self, waiting: Sequence[Waiting]) -> AsyncIterator[Sequence[Outcome]]:
        """Show them one after another. Raises HeadNotTaken at the end, if that is so of any."""
        failed: HeadNotTaken | None = None
        for one in waiting:
            try:
                outcome = await self._show(one)
            except HeadNotTaken as error:
                failed = error
                continue
            if outcome is not None:
                yield [outcome]
        if failed is not None:
            raise failed

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def _show(self, waiting: Waiting) -> Outcome | None:
        """None: it has seen a later head of the same log already, from another worker."""
        head, from_size = waiting.head, min(waiting.anchored_size, waiting.head.size)
        for _ in range(QUESTIONS_MAX):
            try:
                proof = await self._logs.prove(head.tenant_id, from_size, head.size)
            except LookupError:
                # The log's tree has a hole: nothing can be proved, and the witness has to hear of it.
                proof = b""
            status, content = await self._send(head, from_size, proof)
            if status == httpx2.codes.OK:
                return Anchored(head, self._check(head, _decode(content, Taken).cosignature))
            if status not in (httpx2.codes.CONFLICT, httpx2.codes.PRECONDITION_FAILED):
                raise (HeadNotTaken if status in ABOUT_ONE else PlaceAway)(f"HTTP {status}")
            kept = self._read_kept(head, _decode(content, NotTaken).kept)
            if status == httpx2.codes.CONFLICT:
                return Refused(head, kept)
            if kept.size > await self._logs.size(head.tenant_id):
                # Cut off, or out of an old backup, and nothing signed since.
                return Refused(head, kept)
            if kept.size >= head.size:
                return None
            from_size = kept.size
        raise HeadNotTaken("it changes its mind")

    async def _send(self, head: Head, from_size: int, proof: bytes) -> tuple[int, bytes]:
        body = msgspec.json.encode(Submission(to_head_text(head), from_size, to_text(proof)))
        try:
            async with self._client.stream("POST", f"{self._choice.url}/v1/heads", content=body) as response:
                content = b""
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > ANSWER_SIZE_MAX:
                        raise PlaceAway("too long an answer")
        except (httpx2.TransportError, OSError) as error:
            raise PlaceAway(type(error).__name__) from None
        return response.status_code, content

    def _check(self, head: Head, told: CosignatureText) -> Cosignature:
        try:
            cosignature = Cosignature(told.witness, told.seen_at_us, from_text(told.signature))
        except ReceiptRefused:
            raise HeadNotTaken("no cosignature") from None
        if not is_cosigned(head, cosignature, self._trusted):
            raise HeadNotTaken("not its signature")
        return cosignature

    def _read_kept(self, head: Head, told: HeadText) -> KeptHead:
        """What it says that it has seen: believed only if it was signed here."""
        try:
            kept = from_head_text(told, self.name)
        except ReceiptRefused:
            raise HeadNotTaken("no head") from None
        if kept.tenant != head.tenant_id or not heads.is_signed(kept.head, self._keys()):
            raise HeadNotTaken("a head that was not signed here")
        return kept


async def read_heads(choice: WitnessChoice) -> AsyncIterator[bytes]:
    """What a witness has seen of our logs, as lines (core/proof/kept.py), page by page. Raises PlaceAway."""
    tenant, size = -1, 0
    async with httpx2.AsyncClient(timeout=TIMEOUT_S, headers={"authorization": f"Bearer {choice.token}"}) as client:
        while True:
            query = {"size": size} if tenant < 0 else {"tenant": tenant, "size": size}
            try:
                answer = await client.get(f"{choice.url}/v1/heads", params=query)
            except (httpx2.TransportError, OSError) as error:
                raise PlaceAway(type(error).__name__) from None
            if answer.status_code != httpx2.codes.OK:
                raise PlaceAway(f"HTTP {answer.status_code}")
            lines = answer.content.splitlines(keepends=True)
            if not lines:
                return
            last = _decode(lines[-1], HeadText)
            if (last.tenant, last.size) <= (tenant, size):
                raise PlaceAway("its pages do not end")
            tenant, size = last.tenant, last.size
            yield answer.content


def _decode(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise PlaceAway("no witness answers there") from None


def trusted_keys(choices: Sequence[WitnessChoice]) -> Mapping[str, Ed25519PublicKey]:
    """The witnesses' keys by their kids."""
    return {kid_of(one.key): one.key for one in choices}

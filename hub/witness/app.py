"""The witness over HTTP: heads are shown to it, and what it has seen can be read. Everybody may have its key.

Whoever shows or reads is an institution that was admitted, by its token, and gets at its own logs alone. Sizes and
rates are bounded before anything is looked at.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from struct import error
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from core.proof import heads
from core.proof.cosignatures import Cosignature, cosign, kid_of
from core.proof.heads import Head
from core.proof.kept import CosignatureText, from_head_text, to_head_text, to_line
from core.proof.receipts import ReceiptRefused, from_text, to_text
from core.proof.witnessing import PROOF_TEXT_MAX, SUBMISSION_SIZE_MAX, NotTaken, Refusal, Submission, Taken
from hub.limits import Bucket, Limit, address_key
from hub.witness.judging import Judgement, judge
from hub.witness.store import Institution, Store

log = logging.getLogger(__name__)

# A thousand logs that all grow are a thousand heads each half of a minute (core.proof.anchors.STRIDE).
INSTITUTION: Final = Limit(100, 4_000)
# Requests of one address before it is known whose they are.
ADDRESS: Final = Limit(200, 8_000)
ADDRESSES_MAX: Final = 10_000
NO_CACHE: Final = {"cache-control": "no-store"}


class Refused(Exception):
    """An answer other than what was asked for."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Desk:
    """Judges what is shown, and remembers it, one thing at a time."""

    def __init__(self, store: Store, key: Ed25519PrivateKey, clock: Callable[[], float]) -> None:
        self._store = store
        self._key = key
        self._clock = clock
        self._turn = asyncio.Lock()
        self._buckets: dict[str, Bucket] = {}

    @property
    def key(self) -> Ed25519PrivateKey:
        """What it signs with."""
        return self._key

    def spend(self, who: str, limit: Limit) -> None:
        """Take one request from somebody's bucket. Raises Refused."""
        now = self._clock()
        if len(self._buckets) > ADDRESSES_MAX:
            self._buckets = {one: bucket for one, bucket in self._buckets.items() if bucket.full_at > now}
        bucket = self._buckets.setdefault(who, Bucket(limit))
        if bucket.spend(now):
            raise Refused(429, "too_fast", "Too many requests: come again in a second.")

    async def find(self, token: str) -> Institution:
        """Whose token this is. Raises Refused."""
        found: Institution | None = await self._do(self._store.find, token)
        if found is None:
            raise Refused(401, "unknown_token", "This token is nobody's here.")
        return found

    async def show(self, institution: Institution, asked: Submission) -> Cosignature | NotTaken:
        """Look at a head. Raises Refused for what is no head of this institution's."""
        head, proof = _read(asked)
        if not heads.is_signed(head, institution.keys):
            raise Refused(422, "not_signed", "The head is signed by no key that this witness knows of the institution.")
        outcome: Cosignature | NotTaken = await self._do(self._judge, institution.name, head, asked.from_size, proof)
        return outcome

    async def page(self, institution: str, tenant: int, size: int) -> bytes:
        """Heads that were taken, as lines."""
        seen = await self._do(self._store.page, institution, tenant, size)
        return b"".join(to_line(one.head, [one.cosignature]) for one in seen)

    def _judge(self, institution: str, head: Head, from_size: int, proof: bytes) -> Cosignature | NotTaken:
        now_us = int(self._clock() * 1_000_000)
        with self._store.changing():
            kept = self._store.last(institution, head.tenant_id)
            judgement = judge(kept, head, from_size, proof)
            if judgement is Judgement.TAKE:
                cosignature = cosign(head, now_us, self._key)
                self._store.take(institution, head, cosignature)
                return cosignature
            assert kept is not None
            if judgement is Judgement.REFUSE:
                self._store.refuse(institution, kept, head, from_size, proof, now_us)
                log.error(
                    "head_refused",
                    extra={
                        "institution": institution,
                        "tenant_id": head.tenant_id,
                        "size": head.size,
                        "kept_size": kept.size,
                    },
                )
        return NotTaken(judgement.value, to_head_text(kept), to_head_text(head))

    async def _do(self, what: Callable[..., Any], *arguments: Any) -> Any:
        """Apart from the loop, since the disk is waited for; in turn, since the store is one thread's at a time."""
        async with self._turn:
            doing = asyncio.ensure_future(asyncio.to_thread(what, *arguments))
            try:
                return await asyncio.shield(doing)
            except asyncio.CancelledError:
                # Whoever asked is gone; the turn lasts as long as the thread is at it.
                await asyncio.wait([doing])
                raise


def create_app(store: Store, key: Ed25519PrivateKey, clock: Callable[[], float] = time.time) -> Starlette:
    """The application. It closes the store at its end."""
    desk = Desk(store, key, clock)

    async def show(request: Request) -> Response:
        institution = await _enter(desk, request)
        outcome = await desk.show(institution, _decode(await _read_body(request)))
        if isinstance(outcome, NotTaken):
            return _json(outcome, 409 if outcome.code == Judgement.REFUSE.value else 412)
        return _json(Taken(CosignatureText(outcome.witness, outcome.seen_at_us, to_text(outcome.signature))))

    async def read(request: Request) -> Response:
        institution = await _enter(desk, request)
        content = await desk.page(institution.name, _number(request, "tenant", -1), _number(request, "size", 0))
        return Response(content, media_type="application/jsonl", headers=NO_CACHE)

    async def read_key(request: Request) -> Response:
        desk.spend(_address(request), ADDRESS)
        public_key = desk.key.public_key()
        return _json({"keys": [{"key": kid_of(public_key), "public_key": to_text(public_key.public_bytes_raw())}]})

    async def healthz(_: Request) -> Response:
        return _json({"status": "ok"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    return Starlette(
        routes=[
            Route("/v1/heads", _answering(show), methods=["POST"]),
            Route("/v1/heads", _answering(read), methods=["GET"]),
            Route("/v1/key", _answering(read_key), methods=["GET"]),
            Route("/healthz", healthz),
        ],
        lifespan=lifespan,
    )


def _answering(handle: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Every refusal in one form; a full or broken disk is an answer, too, and nothing is signed then."""

    async def answer(request: Request) -> Response:
        try:
            response: Response = await handle(request)
        except Refused as refused:
            return _json(Refusal(refused.code, str(refused)), refused.status)
        except (sqlite3.Error, OSError) as broken:
            log.error("store_failed", extra={"error": type(broken).__name__})  # its text may hold a path
            return _json(Refusal("unavailable", "The witness cannot remember just now. Try again."), 503)
        return response

    return answer


async def _enter(desk: Desk, request: Request) -> Institution:
    desk.spend(_address(request), ADDRESS)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "no_token", "Send the institution's token: Authorization: Bearer …")
    institution = await desk.find(token)
    desk.spend(f"institution {institution.name}", INSTITUTION)
    return institution


async def _read_body(request: Request) -> bytes:
    content = b""
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > SUBMISSION_SIZE_MAX:
                raise Refused(413, "too_large", "A head and its proof are smaller than this.")
    except ClientDisconnect:
        raise Refused(400, "malformed", "It was not sent whole.") from None
    return content


def _decode(content: bytes) -> Submission:
    try:
        return msgspec.json.decode(content, type=Submission)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "malformed", "This is no head.") from None


def _read(asked: Submission) -> tuple[Head, bytes]:
    try:
        if len(asked.proof) > PROOF_TEXT_MAX or asked.head.size < 1:
            raise ReceiptRefused
        return from_head_text(asked.head).head, from_text(asked.proof)
    except (ReceiptRefused, ValueError, error):
        raise Refused(400, "malformed", "This is no head.") from None


def _number(request: Request, name: str, otherwise: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdecimal()) or int(text) >= 2**63:
        raise Refused(400, "malformed", f"{name} is a number.")
    return int(text)


def _address(request: Request) -> str:
    return f"address {address_key(request.client.host) if request.client else ''}"


def _json(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json", headers=NO_CACHE)

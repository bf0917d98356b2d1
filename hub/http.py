"""The same commands over HTTP: a request's JSON becomes a command, its answer JSON, its refusal RFC 9457.

Endpoints are one table; the routes and the OpenAPI document are made from it and from the message types.
It keeps no session: each request carries its bearer token.
"""

import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, NoReturn, get_args

import msgspec
import structlog
from msgspec import UNSET, Meta, UnsetType
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.errors import CoreError
from core.nouns import PaymentStatus
from hub import admitting, downloads, entering, metrics, seeing, vitals
from hub.commands import bulking, charging, identifying, paying
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused, from_core
from hub.commands.rights import PAYS, RIGHTS, SEES, SETTLES, refusal_of, refuse
from hub.commands.scoping import needs_of, require_scope
from hub.commands.table import ROWS
from hub.downloads import CSV
from hub.dpop import add_nonce, require_proof
from hub.endpoint import Call, Endpoint, Nothing, address_of, spend, spend_from, to_handler
from hub.limits import ADDRESS, BY_ROLE, network_of
from hub.protocol import bulks, fields, messages
from hub.protocol.codec import SIZE_MAX
from hub.protocol.codes import MEANINGS, PAYMENT_ADVICE, UNKNOWN_ADVICE, ErrorCode
from hub.protocol.free_text import complaint_about, watch
from hub.protocol.scopes import Scope
from hub.qr import draw
from hub.session import Session, State

log = logging.getLogger(__name__)

PROBLEM: Final = "application/problem+json"
SVG: Final = "image/svg+xml"
# What a till is told to do (RFC 9449, 7.1, 8); everybody else is told to bring a token.
CHALLENGES: Final[dict[str, str]] = {
    ErrorCode.PROOF_NONCE_REQUIRED: 'DPoP error="use_dpop_nonce", algs="ES256 EdDSA"',
    ErrorCode.POSSESSION_REFUSED: 'DPoP error="invalid_dpop_proof", algs="ES256 EdDSA"',
    ErrorCode.CLOCK_SKEWED: 'DPoP error="invalid_dpop_proof", algs="ES256 EdDSA"',
}
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
# Sessions of tokens seen lately, so that a busy client costs one signature check and not thousands. Dropped
# after a few seconds, or when a hint says that the session has ended: without one, it is noticed within them.
SESSION_MEMORY_S = 4.0
SESSIONS_REMEMBERED_MAX = 10_000


class Settle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Payments whose answer was lost."""

    in_doubt: Annotated[list[fields.PaymentId], Meta(min_length=1, max_length=fields.IN_DOUBT_MAX)]


class SettledAnswer(msgspec.Struct, frozen=True):
    """What became of each payment."""

    settled: list[messages.SettledPayment]


class ReadQr(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A charge's QR code as a picture."""

    charge: fields.ChargeId


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457. `code` is the stable code, an error's or a payment status'; `type` is its URI.

    `at`: what time it is, for whoever's clock is wrong.
    """

    type: str
    title: str
    status: int
    code: str
    field: str | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET
    payment: str | UnsetType = UNSET
    at: str | UnsetType = UNSET


async def settle(call: Call) -> SettledAnswer:
    """Each payment's answer, or fenced for good."""
    return SettledAnswer(await paying.settle(call.context, call.session, call.body.in_doubt))


async def draw_qr(call: Call) -> Response:
    """The charge's code, drawn."""
    context, session = call.context, call.session
    tenant = context.tenants[session.speaker.tenant_id]
    found = await charging.read(context, session, call.body.charge)
    return Response(await draw(await charging.text_of(context, tenant, found)), media_type=SVG)


async def send_bulk_file(call: Call) -> bulks.BulkAnswer:
    """Read a bulk's file as it arrives. What is refused on the way is still read, so that the sender hears why."""
    headers = call.request.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    data = call.request.stream()
    try:
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise CommandRefused(ErrorCode.UNSUPPORTED_MEDIA_TYPE)
        return await bulking.receive_file(call.context, call.session, call.body.bulk, media_type, data)
    except (CommandRefused, CoreError):
        async for _ in data:
            pass
        raise


async def read_bulk_csv(call: Call) -> Response:
    """A bulk's report, written as it is read."""
    body: bulks.ReadBulkCsv = call.body
    pieces = await bulking.report_csv(call.context, call.session, body.bulk, wrong=body.wrong is True)
    name = {"content-disposition": f'attachment; filename="bulk-{body.bulk}.csv"'}
    return StreamingResponse(pieces, headers=name, media_type=CSV)


ENDPOINTS: Final = (
    *entering.ENDPOINTS,
    *admitting.ENDPOINTS,
    *seeing.ENDPOINTS,
    *vitals.ENDPOINTS,
    *downloads.ENDPOINTS,
    Endpoint("POST", "/v1/payments/settle", Settle, SettledAnswer, settle, right=SETTLES, scope=Scope.PAYMENTS_WRITE),
    Endpoint(
        "GET",
        "/v1/charges/{charge}/qr.svg",
        ReadQr,
        Nothing,
        draw_qr,
        right=SEES,
        produces=SVG,
        scope=Scope.CHARGES_READ,
    ),
    Endpoint(
        "PUT",
        "/v1/bulks/{bulk}/file",
        bulks.SendBulkFile,
        bulks.BulkAnswer,
        send_bulk_file,
        right=PAYS,
        consumes=bulking.MEDIA_TYPES,
        scope=Scope.BULKS_WRITE,
    ),
    Endpoint(
        "GET",
        "/v1/bulks/{bulk}/report.csv",
        bulks.ReadBulkCsv,
        Nothing,
        read_bulk_csv,
        right=SEES,
        produces=CSV,
        scope=Scope.BULKS_READ,
    ),
    *(
        Endpoint(row.method, row.path, row.takes, row.gives, to_handler(row.handle), row.status, right=row.right)
        for row in ROWS
    ),
)


def routes(context: Context) -> list[Route]:
    """The table as Starlette routes."""
    sessions = RememberedSessions(context)
    return [
        Route(endpoint.path, _serve(context, sessions, endpoint), methods=[endpoint.method]) for endpoint in ENDPOINTS
    ]


class RememberedSessions:
    """Sessions of the tokens seen within the last few seconds."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find(self, token: str, network: str | None, host: str | None) -> Session:
        """The session behind a bearer token that comes from there. Raises CommandRefused."""
        now, remembered = self._context.now(), self._context.remembered
        # By the whole address: a key may be bound to one.
        known = remembered.get((token, host))
        if known is not None and known[0] > now and known[1].state is State.LIVE and known[1].must_close(now) is None:
            return known[1]
        session = Session(now, network=network, host=host)
        await identifying.begin_session(self._context, session, identifying.verify(self._context, session, token))
        if len(remembered) >= SESSIONS_REMEMBERED_MAX:
            remembered.clear()
        remembered[token, host] = now + SESSION_MEMORY_S, session
        return session


def _serve(
    context: Context, sessions: RememberedSessions, endpoint: Endpoint
) -> Callable[[Request], Awaitable[Response]]:
    read = _reader(endpoint.takes)

    async def serve(request: Request) -> Response:
        trace = TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
        trace_id = trace[1] if trace else secrets.token_hex(16)
        structlog.contextvars.bind_contextvars(trace_id=trace_id)
        try:
            response = await carry_out(request)
        except CommandRefused as error:
            response = problem(error)
        except CoreError as error:
            response = problem(from_core(error))
        except ClientDisconnect:
            response = problem(CommandRefused(ErrorCode.MALFORMED))
        except Exception:
            log.exception("request_failed", extra={"path": endpoint.path})
            response = problem(CommandRefused(ErrorCode.INTERNAL))
        finally:
            structlog.contextvars.unbind_contextvars("trace_id")
        add_nonce(context, request, response)
        metrics.http_requests.labels(endpoint.path, response.status_code).inc()
        response.headers["x-trace-id"] = trace_id
        # Tokens, codes, balances: nothing between here and there keeps a copy (RFC 6749, 5.1).
        response.headers["cache-control"] = "no-store"
        return response

    async def carry_out(request: Request) -> Response:
        if context.draining:
            raise CommandRefused(ErrorCode.UNAVAILABLE, retry_after_ms=1_000)
        spend(context, "address", 0, address_of(request), ADDRESS)
        host = request.client.host if request.client else None
        network = network_of(host or "")
        session = Session(context.now(), network=network, host=host)
        if not endpoint.public:
            scheme, token = _authorization(request)
            session = await sessions.find(token, network, host)
            speaker = session.speaker
            context.seen[speaker.tenant_id, speaker.session_id] = context.now()
            kind = f"person-{speaker.role.name.lower()}"
            spend(context, kind, speaker.tenant_id, session.asker, BY_ROLE[speaker.role])
            spend_from(context, context.tenant_bucket(speaker.tenant_id))
            await require_proof(context, request, session, scheme, token)
            refusal = session.withholds(endpoint.takes)
            if refusal is not None and endpoint.takes is not entering.LogOut:
                raise CommandRefused(refusal)
        body = read(b"" if endpoint.consumes else await _read_body(request), request)
        if session.scopes is not None:
            require_scope(session, needs_of(body) if endpoint.scope is None else frozenset({endpoint.scope}))
        if not endpoint.public:
            refusal = refusal_of(session, body) if type(body) in RIGHTS else refuse(session, endpoint.right)
            if refusal is not None:
                raise CommandRefused(refusal)
        answer = await endpoint.handle(Call(context, request, session, body))
        is_otherwise = endpoint.otherwise is not None and isinstance(answer, endpoint.otherwise)
        return to_response(answer, 202 if is_otherwise else endpoint.status)

    return serve


def to_response(answer: msgspec.Struct | Response, status: int) -> Response:
    """An answer as JSON; a payment that was not posted, and a refusal, as a problem."""
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, messages.Refused):
        return problem(
            CommandRefused(
                ErrorCode(answer.code),
                answer.message,
                field=answer.field,
                retry_after_ms=answer.retry_after_ms,
                at=answer.at,
            )
        )
    if isinstance(answer, messages.Paid) and answer.status == IN_REVIEW:
        status = 202
    elif isinstance(answer, messages.Paid) and answer.status != "posted":
        return _problem(
            Problem(
                _problem_type(answer.status),
                PAYMENT_ADVICE.get(answer.status, UNKNOWN_ADVICE),
                payment_http_status(answer.status),
                answer.status,
                payment=answer.payment,
            )
        )
    if isinstance(answer, Nothing):
        return Response(status_code=204)
    content = msgspec.to_builtins(answer)
    content.pop("id", None)
    content.pop("type", None)
    return Response(msgspec.json.encode(content), status, media_type="application/json")


IN_REVIEW: Final = PaymentStatus.IN_REVIEW.name.lower()


def payment_http_status(status: str) -> int:
    """The HTTP status of a payment's status."""
    if status in {"posted", IN_REVIEW}:
        return 200 if status == "posted" else 202
    if status == paying.UNKNOWN:
        return 504
    return 409 if status.startswith("exists_with_different_") or status == "fenced" else 422


async def no_such_page(_: Request, error: Exception) -> Response:
    """What Starlette's router refuses, as RFC 9457: no such path, or not with this method."""
    assert isinstance(error, HTTPException)
    response = problem(CommandRefused(ErrorCode.NOT_FOUND), error.status_code)
    response.headers.update(error.headers or {})
    response.headers["x-trace-id"] = secrets.token_hex(16)
    return response


def problem(refusal: CommandRefused, status: int | None = None) -> Response:
    """A refusal as RFC 9457."""
    return _problem(
        Problem(
            _problem_type(refusal.code),
            str(refusal),
            status or MEANINGS[refusal.code].http_status,
            refusal.code,
            refusal.field,
            refusal.retry_after_ms,
            at=refusal.at,
        )
    )


def _problem(content: Problem) -> Response:
    headers = {}
    if not isinstance(content.retry_after_ms, UnsetType):
        headers["retry-after"] = str(-(-content.retry_after_ms // 1000))
    if content.status == 401:
        headers["www-authenticate"] = CHALLENGES.get(content.code, "Bearer")
    return Response(msgspec.json.encode(content), content.status, headers, PROBLEM)


def _problem_type(code: str) -> str:
    return f"/docs/codes#{code}"


def _authorization(request: Request) -> tuple[str, str]:
    """The scheme, in small letters, and the access token."""
    given = request.headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() not in {"bearer", "dpop"} or not token:
        raise CommandRefused(ErrorCode.AUTHENTICATION_REQUIRED, "Send your access token as a bearer token.")
    return scheme.lower(), token


async def _read_body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > SIZE_MAX:
            raise CommandRefused(ErrorCode.TOO_LARGE)
    return body


def _reader(takes: type[msgspec.Struct]) -> Callable[[bytes, Request], Any]:
    """How a request becomes a value of `takes`: its body's fields, its path's, its query's, each once."""
    kinds = {field.name: _kinds(field.type) for field in msgspec.structs.fields(takes)}
    has_id = "id" in kinds
    free_texts = watch([takes])

    def read(body: bytes, request: Request) -> Any:
        found = _parse(body) if body else {}
        if "id" in found and has_id:
            raise CommandRefused(ErrorCode.INVALID_FIELD, "Over HTTP there is no correlation id.", field="id")
        for name, text in (*request.path_params.items(), *request.query_params.multi_items()):
            if name in found:
                raise CommandRefused(ErrorCode.DUPLICATE_FIELD, field=name)
            found[name] = _from_text(name, text, kinds.get(name, {int}))
        if has_id:
            found["id"] = 0
        try:
            message = msgspec.convert(found, takes)
        except msgspec.ValidationError as error:
            complaint = str(error)
            named = re.search(r"`\$\.(\w+)", complaint) or re.search(r"field `(\w+)`", complaint)
            raise CommandRefused(
                ErrorCode.INVALID_FIELD, complaint.split(" - at")[0] + ".", field=named[1] if named else UNSET
            ) from None
        forbidden = complaint_about(message, free_texts)
        if forbidden is not None:
            field, what = forbidden
            raise CommandRefused(ErrorCode(what.value), field=field)
        return message

    return read


def _from_text(name: str, text: str, kinds: set[type]) -> Any:
    """A value that came in a path or a query. Its spelling there is its type's, once: 7 and true, not 07 or True."""
    if str in kinds:
        return text
    if bool in kinds and text in {"true", "false"}:
        return text == "true"
    if int in kinds and re.fullmatch("-?[0-9]{1,16}", text):
        return int(text)
    raise CommandRefused(ErrorCode.INVALID_FIELD, field=name)


def _kinds(annotation: Any) -> set[type]:
    """The plain types that a field's annotation names."""
    if isinstance(annotation, type):
        return {annotation}
    if isinstance(annotation, str):
        # One of a Literal's.
        return {str}
    return {kind for part in get_args(annotation) for kind in _kinds(part)}


def _parse(body: bytes) -> dict[str, Any]:
    def pairs_to_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise CommandRefused(ErrorCode.DUPLICATE_FIELD)
        return found

    def refuse(_: str) -> NoReturn:
        raise ValueError("not JSON")

    try:
        parsed = json.loads(body, object_pairs_hook=pairs_to_dict, parse_constant=refuse)
        if b"\\u" in body:
            # JSON can spell a lone surrogate, which is no character and which UTF-8 cannot carry on.
            json.dumps(parsed, ensure_ascii=False).encode()
    except CommandRefused:
        raise
    except (ValueError, RecursionError):
        raise CommandRefused(ErrorCode.MALFORMED, "The body is not JSON.") from None
    if not isinstance(parsed, dict):
        raise CommandRefused(ErrorCode.MALFORMED, "The body is not a JSON object.")
    return parsed

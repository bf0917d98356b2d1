"""The same commands over HTTP: a request's JSON becomes a command, its answer JSON, its refusal RFC 9457.

Endpoints are one table; the routes and the OpenAPI document are made from it and from the message types.
It keeps no session: each request carries its bearer token.
"""

import json
import logging
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Final, NamedTuple, NoReturn, get_args

import msgspec
import structlog
from msgspec import UNSET, Meta, UnsetType
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.errors import CoreError
from core.nouns import PaymentStatus
from core.people.credentials import check_password
from core.people.opening import Tenant, find_tenant
from core.people.persons import Role, read_nameless
from core.people.sessions import RefreshTokenReused, revoke, rotate, start_session
from core.privacy.record import to_markdown
from core.privacy.states import Form
from hub import metrics
from hub.broker import CONTROL
from hub.commands import bulking, charging, exporting, identifying, operating, paying, reporting
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused, from_core
from hub.commands.table import ROWS
from hub.commands.values import to_time
from hub.doors import door_for
from hub.limits import ADDRESS, ADDRESS_LOGIN, BY_ROLE, LOGIN, TENANT, Limit, address_key, network_of
from hub.protocol import bulks, fields, incidents, messages, privacy
from hub.protocol.codec import SIZE_MAX
from hub.protocol.codes import MEANINGS, PAYMENT_ADVICE, UNKNOWN_ADVICE, ErrorCode
from hub.protocol.free_text import complaint_about, watch
from hub.qr import draw
from hub.session import Session, State

log = logging.getLogger(__name__)

PROBLEM: Final = "application/problem+json"
SVG: Final = "image/svg+xml"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
# Sessions of tokens seen lately, so that a busy client costs one signature check and not thousands. Dropped
# after a few seconds: an ended session is noticed within them (sockets are told at once).
SESSION_MEMORY_S = 5.0
SESSIONS_REMEMBERED_MAX = 10_000

Slug = Annotated[str, Meta(min_length=3, max_length=40, description="The tenant's short name.")]


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new customer with one account, logged in."""

    tenant: Slug
    name: fields.Name
    login: fields.Login
    password: fields.Password


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A login and its password."""

    tenant: Slug
    login: fields.Login
    password: fields.Password


class RefreshTokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refresh token. It works once; the answer holds the next."""

    tenant: Slug
    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class Settle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Payments whose answer was lost."""

    in_doubt: Annotated[list[fields.PaymentId], Meta(min_length=1, max_length=fields.IN_DOUBT_MAX)]


class LogOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """End this session on every device that shares its tokens."""


class TokensAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An access token for requests and sockets, and a refresh token for the next one."""

    person: str
    access_token: str
    expires_at: str
    refresh_token: str
    account: int | UnsetType = UNSET


class SettledAnswer(msgspec.Struct, frozen=True):
    """What became of each payment."""

    settled: list[messages.SettledPayment]


class Nothing(msgspec.Struct, frozen=True):
    """Done; there is nothing to say."""


class ReadQr(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A charge's QR code as a picture."""

    charge: fields.ChargeId


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457. `code` is the stable code, an error's or a payment status'; `type` is its URI."""

    type: str
    title: str
    status: int
    code: str
    field: str | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET
    payment: str | UnsetType = UNSET


class Call(NamedTuple):
    """One request on its way to its handler."""

    context: Context
    request: Request
    session: Session
    body: Any


class Endpoint(NamedTuple):
    """One row of the API: where, what goes in, what comes out, who does it.

    With `consumes`, the body is a file of one of these media types, which `handle` reads as it arrives (hub/edge.py
    lets files pass on these paths). With `produces`, so is the answer, and `handle` gives the response itself.
    """

    method: str
    path: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    handle: Callable[[Call], Awaitable[msgspec.Struct | Response]]
    status: int = 200
    public: bool = False
    consumes: tuple[str, ...] = ()
    produces: str | None = None


def _command(handler: Callable[[Context, Session, Any], Awaitable[msgspec.Struct]]) -> Callable[[Call], Awaitable[Any]]:
    async def handle(call: Call) -> msgspec.Struct:
        return await handler(call.context, call.session, call.body)

    return handle


async def register(call: Call) -> TokensAnswer:
    """Open a person and an account, and log in."""
    body: Register = call.body
    tenant = await _enter(call, body.tenant, body.login)
    opened = await operating.enter(call.context, tenant.id, Role.CUSTOMER, body.name, body.login, body.password)
    return await _start(call, tenant, opened.person_id, Role.CUSTOMER, opened.account_id)


async def log_in(call: Call) -> TokensAnswer:
    """Check the password and start a session."""
    body: LogIn = call.body
    tenant = await _enter(call, body.tenant, body.login)
    person_id = await check_password(call.context.pool, call.context.keys, tenant.id, body.login, body.password)
    # The limit is for guesses; whoever knows the password did not guess.
    guessed = await _login_key(call.context, tenant.id, body.login)
    call.context.limits.bucket("login", tenant.id, guessed, LOGIN).give_back()
    person = await read_nameless(call.context.pool, tenant.id, person_id)
    return await _start(call, tenant, person_id, person.role)


async def refresh(call: Call) -> TokensAnswer:
    """Trade a refresh token for new tokens. One that was used before ends the session everywhere."""
    body: RefreshTokens = call.body
    context = call.context
    tenant = await _enter(call, body.tenant, None)
    try:
        rotated = await rotate(context.pool, tenant.id, body.refresh_token)
    except RefreshTokenReused as error:
        _end_everywhere(context, tenant.id, error.session_id)
        raise
    issued = context.tokens.issue(
        tenant.id,
        rotated.person_id,
        rotated.role,
        rotated.session_id,
        context.now(),
        door_for(call.request.headers.raw),
    )
    return TokensAnswer(rotated.person_id, issued.token, to_time(issued.expires_at * 1_000_000), rotated.refresh_token)


async def log_out(call: Call) -> Nothing:
    """End the session: its refresh tokens, its sockets on every hub."""
    speaker = call.session.speaker
    await revoke(call.context.pool, speaker.tenant_id, speaker.session_id)
    _end_everywhere(call.context, speaker.tenant_id, speaker.session_id)
    return Nothing()


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


async def fetch_json(call: Call) -> Response:
    """What is held about the speaker, as JSON, opened piece by piece."""
    body: privacy.FetchJson = call.body
    pieces = await exporting.fetch(call.context, call.session, body.export, Form.JSON)
    return _download(pieces, JSON, f"person-{body.export}.json")


async def fetch_pdf(call: Call) -> Response:
    """The same as a PDF."""
    body: privacy.FetchPdf = call.body
    volume = 1 if isinstance(body.volume, UnsetType) else body.volume
    pieces = await exporting.fetch(call.context, call.session, body.export, Form.PDF, volume - 1)
    return _download(pieces, PDF, f"person-{body.export}-{volume}.pdf")


async def read_record_json(call: Call) -> Response:
    """The record of processing."""
    record = await reporting.record_of_processing(call.context, call.session, call.body.language)
    return Response(msgspec.json.encode(record), media_type=JSON)


async def read_record_page(call: Call) -> Response:
    """The record of processing, for people."""
    record = await reporting.record_of_processing(call.context, call.session, call.body.language)
    return Response(to_markdown(record), media_type=MARKDOWN)


async def fetch_authority_draft(call: Call) -> Response:
    """What the authority is to be told."""
    text = await reporting.draft(call.context, call.session, call.body.incident, to_persons=False)
    return Response(text, media_type=MARKDOWN)


async def fetch_persons_draft(call: Call) -> Response:
    """What the people concerned are to be told."""
    text = await reporting.draft(call.context, call.session, call.body.incident, to_persons=True)
    return Response(text, media_type=MARKDOWN)


async def fetch_persons_list(call: Call) -> Response:
    """Whom an incident concerns."""
    pieces = await reporting.persons_csv(call.context, call.session, call.body.incident)
    return _download(pieces, CSV, f"incident-{call.body.incident}-persons.csv")


def _download(pieces: AsyncIterator[bytes], media_type: str, name: str) -> Response:
    """A file that nobody on the way keeps."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return StreamingResponse(pieces, headers=headers, media_type=media_type)


CSV: Final = "text/csv"
JSON: Final = "application/json"
PDF: Final = "application/pdf"
MARKDOWN: Final = "text/markdown"
ENDPOINTS: Final = (
    Endpoint("POST", "/v1/register", Register, TokensAnswer, register, 201, public=True),
    Endpoint("POST", "/v1/login", LogIn, TokensAnswer, log_in, public=True),
    Endpoint("POST", "/v1/refresh", RefreshTokens, TokensAnswer, refresh, public=True),
    Endpoint("POST", "/v1/logout", LogOut, Nothing, log_out),
    Endpoint("POST", "/v1/payments/settle", Settle, SettledAnswer, settle),
    Endpoint("GET", "/v1/charges/{charge}/qr.svg", ReadQr, Nothing, draw_qr, produces=SVG),
    Endpoint(
        "PUT",
        "/v1/bulks/{bulk}/file",
        bulks.SendBulkFile,
        bulks.BulkAnswer,
        send_bulk_file,
        consumes=bulking.MEDIA_TYPES,
    ),
    Endpoint("GET", "/v1/bulks/{bulk}/report.csv", bulks.ReadBulkCsv, Nothing, read_bulk_csv, produces=CSV),
    Endpoint(
        "GET",
        "/v1/privacy/exports/{export}/person.json",
        privacy.FetchJson,
        Nothing,
        fetch_json,
        produces=JSON,
    ),
    Endpoint("GET", "/v1/privacy/exports/{export}/person.pdf", privacy.FetchPdf, Nothing, fetch_pdf, produces=PDF),
    Endpoint("GET", "/v1/privacy/record.json", privacy.ReadRecordJson, Nothing, read_record_json, produces=JSON),
    Endpoint("GET", "/v1/privacy/record.md", privacy.ReadRecordPage, Nothing, read_record_page, produces=MARKDOWN),
    Endpoint(
        "GET",
        "/v1/privacy/incidents/{incident}/authority.md",
        incidents.FetchAuthorityDraft,
        Nothing,
        fetch_authority_draft,
        produces=MARKDOWN,
    ),
    Endpoint(
        "GET",
        "/v1/privacy/incidents/{incident}/persons.md",
        incidents.FetchPersonsDraft,
        Nothing,
        fetch_persons_draft,
        produces=MARKDOWN,
    ),
    Endpoint(
        "GET",
        "/v1/privacy/incidents/{incident}/persons.csv",
        incidents.FetchPersonsList,
        Nothing,
        fetch_persons_list,
        produces=CSV,
    ),
    *(Endpoint(row.method, row.path, row.takes, row.gives, _command(row.handle), row.status) for row in ROWS),
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
        self._known: dict[tuple[str, str | None], tuple[float, Session]] = {}

    async def find(self, token: str, network: str | None) -> Session:
        """The session behind a bearer token that comes from there. Raises CommandRefused."""
        now = self._context.now()
        known = self._known.get((token, network))
        if known is not None and known[0] > now and known[1].state is State.LIVE and known[1].must_close(now) is None:
            return known[1]
        session = Session(now, network=network)
        await identifying.begin_session(self._context, session, identifying.verify(self._context, session, token))
        if len(self._known) >= SESSIONS_REMEMBERED_MAX:
            self._known.clear()
        self._known[token, network] = now + SESSION_MEMORY_S, session
        return session

    def forget_all(self) -> None:
        """Check every token anew."""
        self._known.clear()


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
        metrics.http_requests.labels(endpoint.path, response.status_code).inc()
        response.headers["x-trace-id"] = trace_id
        return response

    async def carry_out(request: Request) -> Response:
        if context.draining:
            raise CommandRefused(ErrorCode.UNAVAILABLE, retry_after_ms=1_000)
        spend(context, "address", 0, _address(request), ADDRESS)
        network = network_of(request.client.host) if request.client else None
        session = Session(context.now(), network=network)
        if not endpoint.public:
            session = await sessions.find(_bearer(request), network)
            speaker = session.speaker
            kind = f"person-{speaker.role.name.lower()}"
            spend(context, kind, speaker.tenant_id, speaker.person_id, BY_ROLE[speaker.role])
            spend(context, "tenant", speaker.tenant_id, "", TENANT)
        body = read(b"" if endpoint.consumes else await _read_body(request), request)
        answer = await endpoint.handle(Call(context, request, session, body))
        if endpoint.handle is log_out:
            sessions.forget_all()
        return to_response(answer, endpoint.status)

    return serve


def spend(context: Context, kind: str, tenant_id: int, who: str, limit: Limit) -> None:
    """Take one from a shared bucket, or refuse."""
    wait = context.limits.bucket(kind, tenant_id, who, limit).spend(context.now())
    if wait:
        metrics.rate_refusals.inc()
        raise CommandRefused(ErrorCode.RATE_LIMITED, retry_after_ms=int(wait * 1000) + 1)


def to_response(answer: msgspec.Struct | Response, status: int) -> Response:
    """An answer as JSON; a payment that was not posted, and a refusal, as a problem."""
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, messages.Refused):
        return problem(
            CommandRefused(
                ErrorCode(answer.code), answer.message, field=answer.field, retry_after_ms=answer.retry_after_ms
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
        )
    )


def _problem(content: Problem) -> Response:
    headers = {}
    if not isinstance(content.retry_after_ms, UnsetType):
        headers["retry-after"] = str(-(-content.retry_after_ms // 1000))
    if content.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(content), content.status, headers, PROBLEM)


def _problem_type(code: str) -> str:
    return f"/docs/codes#{code}"


async def _enter(call: Call, slug: str, login: str | None) -> Tenant:
    """The tenant somebody wants to enter, if they have not knocked too often.

    One that does not exist is answered in the words of a wrong password.
    """
    context = call.context
    if login is not None:
        # A refresh token is no guess: its 256 random bits need no such limit, and many people share an address.
        spend(context, "address-login", 0, _address(call.request), ADDRESS_LOGIN)
    tenant = await find_tenant(context.pool, slug)
    if tenant is None:
        raise CommandRefused(ErrorCode.CREDENTIALS_REFUSED)
    context.tenants[tenant.id] = tenant
    if login is not None:
        spend(context, "login", tenant.id, await _login_key(context, tenant.id, login), LOGIN)
    return tenant


async def _login_key(context: Context, tenant_id: int, login: str) -> str:
    """What stands for a log-in in the limits that hubs tell each other: nothing that names anybody."""
    return (await context.keys.index(tenant_id, "login limit", login.lower())).hex()


async def _start(call: Call, tenant: Tenant, person_id: str, role: Role, account: int | None = None) -> TokensAnswer:
    context, door = call.context, door_for(call.request.headers.raw)
    started = await start_session(context.pool, tenant.id, person_id)
    issued = context.tokens.issue(tenant.id, person_id, role, started.session_id, context.now(), door)
    return TokensAnswer(
        person_id,
        issued.token,
        to_time(issued.expires_at * 1_000_000),
        started.refresh_token,
        UNSET if account is None else account,
    )


def _end_everywhere(context: Context, tenant_id: int, session_id: str) -> None:
    context.end_session(tenant_id, session_id)
    context.broker.publish(CONTROL, ["end_session", tenant_id, session_id])


def _bearer(request: Request) -> str:
    given = request.headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise CommandRefused(ErrorCode.AUTHENTICATION_REQUIRED, "Send your access token as a bearer token.")
    return token


def _address(request: Request) -> str:
    return address_key(request.client.host) if request.client else "unix"


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

"""A till's proof on its way through the HTTP API: read, judged, used up, and the next nonce to make one with."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from core.nonces import LIFETIME_S, Purpose, spend_alone
from hub.commands.context import Context
from hub.commands.pairing import proof_refused
from hub.commands.refusal import CommandRefused
from hub.possession import SKEW_S, Proof, ProofCode, ProofRefused, read_request_proof
from hub.protocol.codes import ErrorCode
from hub.session import Session

# Longer than a proof can be taken for its nonce and for its clock together.
REMEMBERED_S: Final = LIFETIME_S[Purpose.PROOF] + 2 * SKEW_S
NONCE_HEADER: Final = "dpop-nonce"  # RFC 9449, 8.2


def read_proof(context: Context, request: Request, tenant_id: int, token: str | None) -> Proof:
    """The proof of this request, with a nonce that is ours. Whether it was used before is not asked yet.

    Raises CommandRefused. From here on the answer carries a fresh nonce of the tenant.
    """
    request.state.proves_in = tenant_id
    given = request.headers.getlist("dpop")
    if not given:
        raise CommandRefused(ErrorCode.PROOF_NONCE_REQUIRED, "Send a proof of your key in the header DPoP.")
    if len(given) > 1:
        raise proof_refused(context, ProofCode.MALFORMED)
    now = context.now()
    try:
        proof = read_request_proof(
            given[0], method=request.method, address=_address_of(context, request), token=token, now=now
        )
    except ProofRefused as error:
        raise proof_refused(context, error.code) from None
    if not context.nonces.check(proof.nonce, tenant_id, Purpose.PROOF, now):
        raise CommandRefused(ErrorCode.PROOF_NONCE_REQUIRED)
    return proof


async def require_proof(context: Context, request: Request, session: Session, scheme: str, token: str) -> None:
    """That whoever sends a bound token holds its key, shown for this request alone. Raises CommandRefused."""
    speaker = session.speaker
    if speaker.thumbprint is None:
        if scheme == "dpop":
            raise proof_refused(context, ProofCode.OTHER_KEY)
        return
    proof = read_proof(context, request, speaker.tenant_id, token)
    # A bound token is not to be sent as if it were not (RFC 9449, 7.2).
    if scheme != "dpop" or proof.thumbprint != speaker.thumbprint:
        raise proof_refused(context, ProofCode.OTHER_KEY)
    if not await spend_alone(context.pool, speaker.tenant_id, proof.things, context.now() + REMEMBERED_S):
        raise proof_refused(context, ProofCode.REPLAYED)


def add_nonce(context: Context, request: Request, response: Response) -> None:
    """Let the answer to a till carry the nonce of its next proof."""
    tenant_id = getattr(request.state, "proves_in", None)
    if tenant_id is not None:
        response.headers[NONCE_HEADER] = context.nonces.mint(tenant_id, Purpose.PROOF, context.now()).nonce


def _address_of(context: Context, request: Request) -> str:
    """The request's address as its sender knows it. Not by its Host, which whoever relays a proof could choose."""
    path: bytes = request.scope["raw_path"]
    return context.public_url + path.decode("ascii", "replace")

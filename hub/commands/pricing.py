"""What accounts are held under: fees, and how large a tip may be."""

from typing import Final

from msgspec import UNSET, UnsetType

from core.errors import NotFound
from core.ledger import terms as core_terms
from core.ledger.terms import Terms
from hub.commands.context import Context
from hub.commands.operating import require_operator, require_overseer
from hub.commands.reading import seen_account
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset
from hub.protocol import terms
from hub.protocol.codes import ErrorCode
from hub.protocol.scopes import Scope
from hub.session import Session


async def set_terms(context: Context, session: Session, command: terms.SetTerms) -> terms.TermsSet:
    """Write terms, from the next payment on."""
    require_operator(session)
    speaker = session.speaker
    fee_min, fee_max = given(command.fee_min, 0), command.fee_max
    if not isinstance(fee_max, UnsetType) and fee_max < fee_min:
        raise CommandRefused(ErrorCode.INVALID_FIELD, "The largest fee is below the smallest.", field="fee_max")
    written = Terms(
        command.terms,
        command.name,
        given(command.fee_ppm, 0),
        given(command.fee_fixed, 0),
        fee_min,
        given(fee_max),
        command.returns_fee is True,
        given(command.tip_percent_max, 0),
    )
    await core_terms.set_terms(context.pool, speaker.tenant_id, written, speaker.person_id)
    return terms.TermsSet(command.id, _to_state(written))


async def read_terms(context: Context, session: Session, command: terms.ReadTerms) -> terms.TermsAnswer:
    """All terms."""
    require_overseer(session)
    found = await core_terms.read_terms(context.pool, session.speaker.tenant_id)
    return terms.TermsAnswer(command.id, list(map(_to_state, found)))


async def read_account_terms(
    context: Context, session: Session, command: terms.ReadAccountTerms
) -> terms.AccountTermsAnswer:
    """The terms of an account, for whoever sees the account."""
    account = await seen_account(context, session, command.account)
    found = await core_terms.read_account_terms(context.pool, session.speaker.tenant_id, account.id)
    return terms.AccountTermsAnswer(command.id, account.id, UNSET if found is None else _to_state(found))


async def put_under_terms(context: Context, session: Session, command: terms.PutUnderTerms) -> terms.UnderTerms:
    """Put an account under terms, or under none."""
    require_operator(session)
    speaker = session.speaker
    terms_id = given(command.terms)
    try:
        await core_terms.put_under_terms(context.pool, speaker.tenant_id, command.account, terms_id, speaker.person_id)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="account") from None
    return terms.UnderTerms(command.id, command.account, command.terms)


def _to_state(one: Terms) -> terms.TermsState:
    return terms.TermsState(
        one.id,
        one.name,
        one.fee_ppm,
        one.fee_fixed,
        one.fee_min,
        one.returns_fee,
        one.tip_percent_max,
        or_unset(one.fee_max),
    )


ROWS: Final = (
    Row(terms.SetTerms, terms.TermsSet, set_terms, "PUT", "/v1/terms/{terms}"),
    Row(terms.ReadTerms, terms.TermsAnswer, read_terms, "GET", "/v1/terms"),
    Row(
        terms.ReadAccountTerms,
        terms.AccountTermsAnswer,
        read_account_terms,
        "GET",
        "/v1/accounts/{account}/terms",
        scope=Scope.REPORTS_READ,
    ),
    Row(terms.PutUnderTerms, terms.UnderTerms, put_under_terms, "PUT", "/v1/accounts/{account}/terms"),
)

"""Requests to be paid: made, shown as a QR code, paid, cancelled."""

from typing import Final

from msgspec import UNSET, UnsetType

from core.errors import NotFound, Refusal
from core.payments import charges as core_charges
from core.payments.charges import Asked, Charge, Status, charge_in, code_of, read_pix_settings
from core.people.opening import Tenant
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, time_of, time_or_unset
from hub.protocol import charges
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import PAGE_LENGTH
from hub.protocol.scopes import Scope
from hub.session import Session

REAL: Final = "BRL"
# What core calls some fields of the command.
IN_THE_COMMANDS_WORDS: Final = {"id": "charge", "is_reusable": "reusable", "lasts_s": "expires_in_s"}


async def create_charge(context: Context, session: Session, command: charges.CreateCharge) -> charges.ChargeAnswer:
    """Ask to be paid."""
    if not session.may_use(command.payee):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payee")
    asked = Asked(
        command.charge,
        command.payee,
        given(command.amount),
        given(command.description),
        given(command.reference),
        command.reusable is True,
        given(command.expires_in_s),
    )
    speaker = session.speaker
    try:
        made = await core_charges.create_charge(context.pool, context.keys, speaker.tenant_id, session.asker, asked)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="payee") from None
    except Refusal as error:
        field = error.field or "id"
        field = IN_THE_COMMANDS_WORDS.get(field, field)
        # The id itself, when it is somebody else's charge: no more is told of that one.
        complaint = "This id is taken." if field == "charge" else f"This charge exists with another {field}."
        raise CommandRefused(ErrorCode.CONFLICT, f"{complaint} Make a new id.", field=field) from None
    return await _answer(context, session, command.id, made)


async def charge(context: Context, session: Session, command: charges.ReadCharge) -> charges.ChargeAnswer:
    """A charge, for whoever has its id."""
    return await _answer(context, session, command.id, await read(context, session, command.charge))


async def read_code(context: Context, session: Session, command: charges.ReadCode) -> charges.ChargeAnswer:
    """The charge behind a scanned text."""
    charge_id = charge_in(command.code, context.tenants[session.speaker.tenant_id].slug)
    if charge_id is None:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="code")
    return await _answer(context, session, command.id, await read(context, session, charge_id, field="code"))


async def list_charges(context: Context, session: Session, command: charges.ReadCharges) -> charges.ChargesAnswer:
    """A page of an account's charges."""
    if not session.may_see(command.account):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="account")
    tenant_id = session.speaker.tenant_id
    limit = given(command.limit, PAGE_LENGTH)
    status = None if isinstance(command.status, UnsetType) else Status[command.status.upper()]
    # One more than is shown: whether there is a next page.
    found = await core_charges.list_charges(
        context.pool, context.keys, tenant_id, command.account, status, given(command.before), limit + 1
    )
    page = [_to_state(one, is_own=True) for one in found[:limit]]
    return charges.ChargesAnswer(command.id, command.account, page, page[-1].charge if len(found) > limit else UNSET)


async def cancel_charge(context: Context, session: Session, command: charges.CancelCharge) -> charges.ChargeAnswer:
    """Let nobody pay it any more. Whoever is not to be paid by it is told that there is none."""
    found = await read(context, session, command.charge)
    if not session.may_use(found.payee):
        raise CommandRefused(ErrorCode.NOT_FOUND, field="charge")
    cancelled = await core_charges.cancel_charge(context.pool, context.keys, session.speaker.tenant_id, found.id)
    return await _answer(context, session, command.id, cancelled)


async def read(context: Context, session: Session, charge_id: str, field: str = "charge") -> Charge:
    """One of the tenant's charges."""
    try:
        return await core_charges.read_charge(context.pool, context.keys, session.speaker.tenant_id, charge_id)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field=field) from None


def link_to(context: Context, tenant: Tenant, charge_id: str) -> str:
    """The charge's page."""
    return f"{context.public_url}/c/{tenant.slug}/{charge_id}"


async def text_of(context: Context, tenant: Tenant, one: Charge) -> str:
    """The text of the charge's QR code: a BR Code where the tenant's money is the real, else the link."""
    link = link_to(context, tenant, one.id)
    if tenant.currency != REAL:
        return link
    return code_of(one, link, tenant.name, await read_pix_settings(context.pool, tenant.id))


async def _answer(context: Context, session: Session, id_: int, one: Charge) -> charges.ChargeAnswer:
    tenant = context.tenants[session.speaker.tenant_id]
    code, link = await text_of(context, tenant, one), link_to(context, tenant, one.id)
    return charges.ChargeAnswer(id_, _to_state(one, session.may_see(one.payee), code, link))


def _to_state(
    one: Charge, is_own: bool, code: str | UnsetType = UNSET, link: str | UnsetType = UNSET
) -> charges.ChargeState:
    return charges.ChargeState(
        one.id,
        one.payee,
        one.status.name.lower(),
        one.is_reusable,
        time_of(one.created_at),
        code,
        link,
        UNSET if one.name is None else one.name,
        UNSET if one.amount is None else one.amount,
        UNSET if one.description is None else one.description,
        time_or_unset(one.expires_at),
        UNSET if one.reference is None or not is_own else one.reference,
        one.paid_count if is_own else UNSET,
        one.paid_amount if is_own else UNSET,
    )


ROWS: Final[tuple[Row, ...]] = (
    Row(
        charges.CreateCharge, charges.ChargeAnswer, create_charge, "POST", "/v1/charges", 201, scope=Scope.CHARGES_WRITE
    ),
    Row(charges.ReadCode, charges.ChargeAnswer, read_code, "POST", "/v1/charges/code", scope=Scope.CHARGES_READ),
    Row(charges.ReadCharge, charges.ChargeAnswer, charge, "GET", "/v1/charges/{charge}", scope=Scope.CHARGES_READ),
    Row(
        charges.CancelCharge,
        charges.ChargeAnswer,
        cancel_charge,
        "POST",
        "/v1/charges/{charge}/cancel",
        scope=Scope.CHARGES_WRITE,
    ),
    Row(
        charges.ReadCharges,
        charges.ChargesAnswer,
        list_charges,
        "GET",
        "/v1/accounts/{account}/charges",
        scope=Scope.CHARGES_READ,
    ),
)

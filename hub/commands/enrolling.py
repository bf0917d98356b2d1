"""A person's own second factors, and those that an operator takes away from somebody who has lost them.

What a command here needs to be proved first is in hub/commands/stepping_up.py.
"""

import asyncio
from typing import Final

from msgspec import UNSET

from core.audit.trail import Act
from core.errors import NotFound, ProofRefused
from core.people import factors as core_factors
from core.people.credentials import read_login
from core.people.enrolment import Enrolled, enrol_passkey, enrol_totp, finish_passkey, finish_totp
from core.people.factors import Factor
from core.people.passkeys import RelyingParty
from core.people.persons import Role, read_person
from hub.commands.context import Context, end_everywhere
from hub.commands.identifying import needs_factor
from hub.commands.operating import require_operator
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.stepping_up import count_for, issue, tell_refused
from hub.commands.values import given, or_unset, time_of, time_or_unset, to_time
from hub.protocol import factors
from hub.protocol.codes import ErrorCode
from hub.session import Session

APP: Final = "Authenticator app"


async def read_factors(context: Context, session: Session, command: factors.ReadFactors) -> factors.FactorsAnswer:
    """One's own factors."""
    speaker = session.speaker
    found, left = await core_factors.list_factors(context.pool, speaker.tenant_id, speaker.person_id)
    return factors.FactorsAnswer(command.id, list(map(_to_state, found)), left)


async def begin_totp(context: Context, session: Session, command: factors.EnrolTotp) -> factors.TotpBegun:
    """A secret for an app."""
    speaker, name = session.speaker, given(command.name, APP)
    issuer = context.tenants[speaker.tenant_id].name
    # A colon parts the issuer from the account in what the app reads.
    login = await _login_of(context, session)
    begun = await enrol_totp(context.means, speaker.tenant_id, speaker.person_id, name, issuer.replace(":", " "), login)
    return factors.TotpBegun(command.id, begun.factor_id, begun.secret, begun.uri)


async def confirm_totp(context: Context, session: Session, command: factors.ConfirmTotp) -> factors.FactorEnrolled:
    """Its first code."""
    speaker = session.speaker
    count = await count_for(context, session)
    try:
        enrolled = await finish_totp(
            context.means,
            speaker.tenant_id,
            session.by,
            speaker.proofs,
            command.factor,
            command.code,
            context.now(),
            count,
        )
    except ProofRefused as refused:
        await tell_refused(context, session, Act.FACTOR_REFUSED, refused)
        raise
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="factor") from None
    return _enrolled(context, session, command.id, enrolled)


async def begin_passkey(context: Context, session: Session, command: factors.EnrolPasskey) -> factors.PasskeyOptions:
    """What a page asks the browser for."""
    speaker, party = session.speaker, _party(context)
    login = await _login_of(context, session)
    person = await read_person(context.pool, context.keys, speaker.tenant_id, speaker.person_id)
    name = person.display_name or login
    options = await enrol_passkey(context.means, party, speaker.tenant_id, session.by, login, name, context.now())
    return factors.PasskeyOptions(command.id, options)


async def confirm_passkey(
    context: Context, session: Session, command: factors.ConfirmPasskey
) -> factors.FactorEnrolled:
    """What the browser answered."""
    speaker, party = session.speaker, _party(context)
    try:
        enrolled = await finish_passkey(
            context.means,
            party,
            speaker.tenant_id,
            session.by,
            speaker.proofs,
            command.name,
            command.credential,
            context.now(),
        )
    except ProofRefused as refused:
        await tell_refused(context, session, Act.FACTOR_REFUSED, refused)
        raise
    return _enrolled(context, session, command.id, enrolled)


async def name_factor(context: Context, session: Session, command: factors.NameFactor) -> factors.FactorNamed:
    """Give it a name."""
    speaker = session.speaker
    try:
        await core_factors.name_factor(context.pool, speaker.tenant_id, speaker.person_id, command.factor, command.name)
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="factor") from None
    return factors.FactorNamed(command.id, command.factor, command.name)


async def remove_factor(context: Context, session: Session, command: factors.RemoveFactor) -> factors.FactorRemoved:
    """Take it away."""
    speaker = session.speaker
    try:
        await core_factors.remove_factor(
            context.pool,
            speaker.tenant_id,
            speaker.person_id,
            command.factor,
            session.by,
            keeps_one=needs_factor(context, speaker),
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="factor") from None
    return factors.FactorRemoved(command.id, command.factor)


async def renew_codes(context: Context, session: Session, command: factors.RenewRecoveryCodes) -> factors.RecoveryCodes:
    """Ten new ones."""
    speaker = session.speaker
    codes = await core_factors.renew_codes(context.pool, speaker.tenant_id, speaker.person_id, session.by)
    return factors.RecoveryCodes(command.id, codes)


async def reset_factors(context: Context, session: Session, command: factors.ResetFactors) -> factors.FactorsReset:
    """Somebody else's, all of them. Their sessions end: whoever asked for it may not be who they say."""
    require_operator(session)
    speaker = session.speaker
    if command.person == speaker.person_id:
        raise CommandRefused(ErrorCode.FORBIDDEN, "Your own factors are not reset, but removed.")
    try:
        removed, ended = await core_factors.reset_factors(
            context.pool, speaker.tenant_id, command.person, session.by, command.reason
        )
    except NotFound:
        raise CommandRefused(ErrorCode.NOT_FOUND, field="person") from None
    asyncio.get_running_loop().call_soon(end_everywhere, context, speaker.tenant_id, ended)
    return factors.FactorsReset(command.id, command.person, removed, ended)


def _enrolled(context: Context, session: Session, id_: int, enrolled: Enrolled) -> factors.FactorEnrolled:
    issued = issue(context, session, enrolled.proved_at, enrolled.proofs)
    return factors.FactorEnrolled(
        id_,
        _to_state(enrolled.factor),
        issued.token,
        to_time(issued.expires_at * 1_000_000),
        enrolled.recovery_codes or UNSET,
    )


def _party(context: Context) -> RelyingParty:
    if context.means.party is None:
        raise CommandRefused(ErrorCode.PASSKEYS_NOT_SET_UP)
    return context.means.party


async def _login_of(context: Context, session: Session) -> str:
    speaker = session.speaker
    # Whom somebody else logs in has no name for that; the app only shows it.
    return (
        await read_login(context.pool, context.keys, speaker.tenant_id, speaker.person_id)
        or Role(speaker.role).name.lower()
    )


def _to_state(factor: Factor) -> factors.FactorState:
    kind: factors.FactorKind = "totp" if factor.kind == core_factors.Kind.TOTP else "passkey"
    return factors.FactorState(
        factor.id,
        kind,
        factor.name,
        time_of(factor.made_at),
        time_or_unset(factor.last_used_at),
        or_unset(True if factor.is_synced else None),
        time_or_unset(factor.copied_at),
    )


ROWS: Final = (
    Row(factors.ReadFactors, factors.FactorsAnswer, read_factors, "GET", "/v1/factors"),
    Row(factors.EnrolTotp, factors.TotpBegun, begin_totp, "POST", "/v1/factors/totp", 201),
    Row(factors.ConfirmTotp, factors.FactorEnrolled, confirm_totp, "POST", "/v1/factors/totp/{factor}/confirm"),
    Row(factors.EnrolPasskey, factors.PasskeyOptions, begin_passkey, "POST", "/v1/factors/passkeys/options"),
    Row(factors.ConfirmPasskey, factors.FactorEnrolled, confirm_passkey, "POST", "/v1/factors/passkeys", 201),
    Row(factors.NameFactor, factors.FactorNamed, name_factor, "PUT", "/v1/factors/{factor}/name"),
    Row(factors.RemoveFactor, factors.FactorRemoved, remove_factor, "POST", "/v1/factors/{factor}/remove"),
    Row(factors.RenewRecoveryCodes, factors.RecoveryCodes, renew_codes, "POST", "/v1/factors/recovery-codes"),
    Row(factors.ResetFactors, factors.FactorsReset, reset_factors, "POST", "/v1/people/{person}/factors/reset"),
)

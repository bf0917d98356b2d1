"""Stepping up: which commands need a fresh proof of who speaks, whether there is one, and how one is given.

The list is NEEDS, a row per command. Whoever has a second factor needs a proof by one, not older than the tenant's
setting says; whoever has none is asked where `always` says so, for the password.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from core.audit.trail import Act
from core.errors import NotFound, ProofRefused
from core.ledger.rules import read_own_limits
from core.machines.seats import read_scopes
from core.nouns import AMOUNT_MAX, Measure
from core.people.demands import DEFAULT
from core.people.factors import Offer, has_factor, read_offer
from core.people.passkeys import Assertion
from core.people.persons import STAFF, Role
from core.people.proofs import has_factor as is_by_factor
from core.people.proving import (
    Brought,
    ask_passkey,
    note_refused,
    step_up_by_password,
    take_answer,
)
from core.people.proving import step_up as step_up_in_core
from core.people.sessions import read_device
from core.people.throttles import Count, count_proof
from hub.auth import Issued
from hub.commands.context import Context
from hub.commands.refusal import CommandRefused
from hub.commands.row import Row
from hub.commands.values import given, or_unset, to_time
from hub.protocol import (
    api_keys,
    bulks,
    disputes,
    factors,
    messages,
    notices,
    people,
    privacy,
    providers,
    rules,
    schedules,
    seats,
    sessions,
    staff,
    steps,
    terminals,
    terms,
    webhooks,
)
from hub.protocol.codes import ErrorCode
from hub.protocol.fields import Message
from hub.protocol.scopes import INCLUDED_IN
from hub.session import Session

# What a passkey's challenge is spent for.
STEP_UP: Final = "passkey.step_up"
BY_FACTOR: Final = "Prove again that it is you: step_up with a code, a recovery code or a passkey; then renew."
BY_WORD: Final = "Prove again that it is you: step_up with your password; then renew."
ONE_THING: Final = "Bring one thing: a code, a recovery_code, a credential, or the password."
HAS_FACTOR: Final = "You have a second factor: step up by it."

When = Callable[[Context, Session, Any], Awaitable[bool]]
Amount = Callable[[Any], int]


class Need(NamedTuple):
    """When a command needs a fresh proof. `always`: of who has no second factor, too; then the password is one.

    `when`: only if this is so. `amount`: only if it pays more than the tenant's setting, minor units.
    """

    always: bool = False
    when: When | None = None
    amount: Amount | None = None


async def _is_an_operator(_: Context, session: Session, __: Any) -> bool:
    """Whoever is none is refused for that, and for nothing else."""
    return session.is_operator


async def _raises_a_limit(context: Context, session: Session, command: rules.SetOwnLimit) -> bool:
    """To lower one is never made hard."""
    measure = Measure[command.measure.upper()]
    known = await read_own_limits(context.pool, session.speaker.tenant_id, command.account)
    for limit in known:
        if limit.measure == measure:
            return command.max > (limit.max if limit.own is None else limit.own)
    return True


async def _trusts_a_payee(_: Context, __: Session, command: rules.ListPayee) -> bool:
    """To be denied is never made hard."""
    return command.listing != "denied"


async def _ends_somebody_elses(_: Context, session: Session, command: sessions.EndSession) -> bool:
    """To log oneself out is never made hard."""
    return command.session != session.speaker.session_id


async def _lacks_the_old_password(context: Context, session: Session, command: factors.ChangePassword) -> bool:
    """The old one will do for who has no second factor."""
    speaker = session.speaker
    return given(command.old) is None or await has_factor(context.pool, speaker.tenant_id, speaker.person_id)


async def _is_reached_elsewhere(_: Context, session: Session, command: people.EditProfile) -> bool:
    """To say where one is reached is not made hard for who has said nothing yet: only who has a factor is asked."""
    is_own = command.person == session.speaker.person_id
    is_removed = not {"email", "phone"}.isdisjoint(given(command.remove, []))
    return is_own and (is_removed or given(command.email) is not None or given(command.phone) is not None)


async def _leads_elsewhere(_: Context, __: Session, command: webhooks.ChangeWebhook) -> bool:
    """To stop one, or to let it go on, is not made hard."""
    return given(command.url) is not None


async def _widens_a_seat(context: Context, session: Session, command: seats.ChangeSeat) -> bool:
    """To allow less, or to call it something else, is not made hard."""
    wanted = given(command.scopes)
    if wanted is None:
        return False
    whose = None if session.is_operator else session.speaker.person_id
    try:
        known = {*await read_scopes(context.pool, session.speaker.tenant_id, command.seat, whose)}
    except NotFound:
        return True
    return any(known.isdisjoint({scope, INCLUDED_IN.get(scope, scope)}) for scope in wanted)


async def _makes_staff(_: Context, session: Session, command: staff.SetRole) -> bool:
    """Whoever holds somebody's session for a moment is not to make an operator of themselves."""
    return session.is_operator and Role[command.role.upper()] in STAFF


async def _changes_somebody_else(_: Context, session: Session, command: people.EditProfile) -> bool:
    return session.is_operator and command.person != session.speaker.person_id


async def _holds_an_operators_step(_: Context, session: Session, command: steps.Link) -> bool:
    return session.is_operator and any(isinstance(part, OPERATORS_PARTS) for part in command.parts)


def _pays(command: Any) -> int:
    return int(command.amount)


def _pays_in_all(command: steps.Link) -> int:
    return sum(_pays(part) for part in command.parts if isinstance(part, PAYING_PARTS))


def _pays_whatever(_: Any) -> int:
    """What it comes to is not known here: it may be any amount."""
    return AMOUNT_MAX + 1


OPERATORS_PARTS: Final = tuple(steps.PARTS[one] for one in (steps.Reverse, steps.Release, steps.Decline))
PAYING_PARTS: Final = tuple(steps.PARTS[one] for one in (messages.Pay, steps.Authorize))
ALWAYS: Final = Need(always=True)
OPERATOR: Final = Need(when=_is_an_operator)

NEEDS: Final[dict[type[Message], tuple[Need, ...]]] = {
    # Who one is
    factors.EnrolTotp: (ALWAYS,),
    factors.ConfirmTotp: (ALWAYS,),
    factors.EnrolPasskey: (ALWAYS,),
    factors.ConfirmPasskey: (ALWAYS,),
    factors.RemoveFactor: (ALWAYS,),
    factors.RenewRecoveryCodes: (ALWAYS,),
    factors.ChangePassword: (Need(always=True, when=_lacks_the_old_password),),
    sessions.EndSession: (Need(when=_ends_somebody_elses),),
    sessions.EndSessions: (Need(),),
    # What speaks for one
    api_keys.CreateApiKey: (Need(),),
    api_keys.RotateApiKey: (Need(),),
    terminals.CreatePairingCode: (Need(),),
    seats.InviteSeat: (Need(),),
    seats.ChangeSeat: (Need(when=_widens_a_seat),),
    # And what is told of one's money, elsewhere
    webhooks.CreateWebhook: (Need(),),
    webhooks.ChangeWebhook: (Need(when=_leads_elsewhere),),
    webhooks.RotateWebhookSecret: (Need(),),
    # One's own limits
    rules.SetOwnLimit: (Need(when=_raises_a_limit),),
    rules.ListPayee: (Need(when=_trusts_a_payee),),
    # What is held about one, in one's own hands (hub/downloads.py asks for the same); and its end, which is for good
    privacy.AskExport: (ALWAYS,),
    privacy.Erase: (ALWAYS,),
    # What operators decide
    factors.ResetFactors: (Need(always=True, when=_is_an_operator),),
    steps.Reverse: (OPERATOR,),
    steps.Release: (OPERATOR,),
    steps.Decline: (OPERATOR,),
    steps.Link: (Need(when=_holds_an_operators_step), Need(amount=_pays_in_all)),
    disputes.DecideDispute: (OPERATOR,),
    # Where one is reached: whoever took a session over changes that first
    people.EditProfile: (Need(when=_is_reached_elsewhere), Need(when=_changes_somebody_else)),
    # Who works here
    people.SetPersonStatus: (OPERATOR,),
    staff.SetRole: (OPERATOR, Need(always=True, when=_makes_staff)),
    staff.SetPeopleSettings: (OPERATOR,),
    # What operators set
    factors.SetSecurity: (OPERATOR,),
    notices.SetLadder: (OPERATOR,),
    # And what everybody is told in the house's name
    notices.SendNews: (OPERATOR,),
    messages.OpenPerson: (OPERATOR,),
    messages.SetFloor: (OPERATOR,),
    terms.SetTerms: (OPERATOR,),
    terms.PutUnderTerms: (OPERATOR,),
    providers.SetIdentityProvider: (OPERATOR,),
    providers.LinkIdentity: (OPERATOR,),
    rules.SetLimits: (OPERATOR,),
    rules.SetRule: (OPERATOR,),
    rules.PutUnderLimits: (OPERATOR,),
    disputes.SetDisputeProfile: (OPERATOR,),
    # Paying much
    messages.Pay: (Need(amount=_pays),),
    steps.Authorize: (Need(amount=_pays),),
    schedules.CreateSchedule: (Need(amount=_pays),),
    bulks.ApproveBulk: (Need(amount=_pays_whatever),),
}


def guarded(row: Row) -> Row:
    """The row as both doors carry it out: after its proof, if it needs one."""
    needs = NEEDS.get(row.takes)
    if needs is None:
        return row

    async def handle(context: Context, session: Session, command: Any) -> Message:
        for need in needs:
            await require(context, session, need, command)
        return await row.handle(context, session, command)

    return row._replace(handle=handle)


def may_need_proof(context: Context, session: Session, amount: int) -> bool:
    """Whether a payment of this amount is to be looked at before it is queued. Asked for every payment.

    A machine has scopes and no factor; how much it may pay, its merchant's limits say.
    """
    if session.is_machine:
        return False
    demands = context.demands.get(session.speaker.tenant_id, DEFAULT)
    return demands.step_up_above is not None and amount > demands.step_up_above


async def require(context: Context, session: Session, need: Need, command: Any) -> None:
    """Raises CommandRefused when the command needs a proof that is not there."""
    if session.is_machine:
        return
    if need.amount is not None and not may_need_proof(context, session, need.amount(command)):
        return
    if need.when is not None and not await need.when(context, session, command):
        return
    speaker = session.speaker
    demands = context.demands.get(speaker.tenant_id, DEFAULT)
    is_fresh = speaker.proved_at > context.now() - demands.step_up_s
    if is_fresh and is_by_factor(speaker.proofs):
        return
    # From a seat, it is whoever sits there who proves it, in their own session.
    if await has_factor(context.pool, speaker.tenant_id, session.asker):
        raise CommandRefused(ErrorCode.STEP_UP_REQUIRED, BY_FACTOR)
    if need.always and not is_fresh:
        raise CommandRefused(ErrorCode.STEP_UP_REQUIRED, BY_WORD)


async def ask_step_up(context: Context, session: Session, command: factors.AskStepUp) -> factors.StepUpOptions:
    """What a step-up takes."""
    speaker = session.speaker
    offer = await read_offer(context.pool, speaker.tenant_id, speaker.person_id)
    made_for = f"{speaker.person_id} {speaker.session_id}"
    passkey = ask_passkey(context.means, speaker.tenant_id, STEP_UP, made_for, offer, context.now())
    return factors.StepUpOptions(command.id, kinds_of(offer, passkey is not None) or ["password"], or_unset(passkey))


async def step_up(context: Context, session: Session, command: factors.StepUp) -> factors.SteppedUp:
    """A fresh proof, and a fresh token that says so."""
    speaker = session.speaker
    brought, password = await _read(context, session, command)
    offer = await read_offer(context.pool, speaker.tenant_id, speaker.person_id)
    if password is not None and not offer.is_empty:
        raise CommandRefused(ErrorCode.PROOF_REFUSED, HAS_FACTOR, field="password")
    count = await count_for(context, session)
    try:
        if password is not None:
            done = await step_up_by_password(
                context.pool, speaker.tenant_id, session.by, speaker.proofs, password, count
            )
        else:
            done = await step_up_in_core(
                context.means,
                speaker.tenant_id,
                session.by,
                speaker.proofs,
                brought,
                context.now(),
                count if brought.kind == "totp" else None,
            )
    except ProofRefused as refused:
        await tell_refused(context, session, Act.FACTOR_REFUSED, refused)
        raise
    issued = issue(context, session, done.proved_at, done.proofs)
    return factors.SteppedUp(command.id, issued.token, to_time(issued.expires_at * 1_000_000))


def kinds_of(offer: Offer, has_passkey: bool) -> list[factors.ProofKind]:
    """What can be brought, the best first."""
    kinds: list[tuple[factors.ProofKind, bool]] = [
        ("passkey", has_passkey),
        ("totp", offer.has_totp),
        ("recovery_code", bool(offer.recovery_codes) and not offer.is_empty),
    ]
    return [kind for kind, is_there in kinds if is_there]


def issue(context: Context, session: Session, proved_at: int, proofs: tuple[str, ...]) -> Issued:
    """A fresh token of this session."""
    speaker = session.speaker
    return context.tokens.issue(
        speaker.tenant_id,
        speaker.person_id,
        speaker.role,
        speaker.session_id,
        context.now(),
        speaker.door,
        proved_at=proved_at,
        proofs=proofs,
    )


async def count_for(context: Context, session: Session) -> Count:
    """What guesses in this session are counted by."""
    speaker = session.speaker
    device = await read_device(context.pool, speaker.tenant_id, speaker.session_id)
    return count_proof(context.means.marks, speaker.tenant_id, speaker.person_id, device)


async def tell_refused(context: Context, session: Session, act: Act, refused: ProofRefused) -> None:
    """Write down what proved nothing, and warn of a passkey that seems to be copied."""
    speaker = session.speaker
    await note_refused(context.pool, speaker.tenant_id, session.by, act, speaker.person_id, refused)


async def _read(context: Context, session: Session, command: factors.StepUp) -> tuple[Brought, str | None]:
    """The one thing that was brought."""
    brought = [given(one) for one in (command.code, command.recovery_code, command.credential, command.password)]
    if sum(one is not None for one in brought) != 1:
        raise CommandRefused(ErrorCode.INVALID_FIELD, ONE_THING, field="code")
    code, recovery_code, credential, password = brought
    answer: Assertion | None = None
    if credential is not None:
        speaker = session.speaker
        made_for = f"{speaker.person_id} {speaker.session_id}"
        try:
            answer = await take_answer(context.means, speaker.tenant_id, STEP_UP, made_for, credential, context.now())
        except ProofRefused as refused:
            await tell_refused(context, session, Act.FACTOR_REFUSED, refused)
            raise
    return Brought(code, recovery_code, answer), password


ROWS: Final = (
    Row(factors.AskStepUp, factors.StepUpOptions, ask_step_up, "POST", "/v1/step-up/options"),
    Row(factors.StepUp, factors.SteppedUp, step_up, "POST", "/v1/step-up"),
)

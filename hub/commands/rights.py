"""Who may ask for what: one table of all commands, by role and by what a command does. What is not in it, nobody may.

Two questions are asked of every command, before anything of it is looked at: may this role ask for it at all, and may
somebody who stands so with the tenant. Whose money or data it is about is asked by the handlers.
"""

from enum import Enum
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from core.people.persons import STAFF, PersonStatus, Role
from hub.protocol import (
    api_keys,
    bulks,
    charges,
    consents,
    disputes,
    factors,
    histories,
    incidents,
    messages,
    notices,
    oversight,
    people,
    privacy,
    proofs,
    providers,
    rules,
    schedules,
    seats,
    sessions,
    staff,
    steps,
    terminals,
    webhooks,
)
from hub.protocol import terms as fees
from hub.protocol.codes import ErrorCode
from hub.session import Session


class Effect(Enum):
    """What a command does, which says who may still ask for it that is not active."""

    READS = "reads"
    DEFENDS = "defends"  # keeps the speaker from harm: ends, cancels, answers in a dispute
    TENDS = "tends"  # changes what the speaker has or is, or what is in their charge
    COLLECTS = "collects"  # asks to be paid
    PAYS = "pays"
    EMPOWERS = "empowers"  # lets something speak for its merchant, or lets it do more


class Right(NamedTuple):
    """Which roles may ask, and what it does."""

    roles: frozenset[Role]
    effect: Effect


CUSTOMER, MERCHANT, OPERATOR = Role.CUSTOMER, Role.MERCHANT, Role.OPERATOR
EVERYBODY: Final = frozenset(Role)
# Who has money here; operators act on anybody's.
PAYERS: Final = frozenset({CUSTOMER, MERCHANT, OPERATOR})
# Who sees money: their own, or all of it.
VIEWERS: Final = PAYERS | {Role.AUDITOR}
OVERSEERS: Final = frozenset({OPERATOR, Role.AUDITOR})
OPERATORS: Final = frozenset({OPERATOR})
# Who talks to people.
DESK: Final = frozenset({OPERATOR, Role.SUPPORT})
# Auditors write nothing, not even of themselves, but for what keeps them safe.
WRITERS: Final = EVERYBODY - {Role.AUDITOR}

# Who has machines and seats; operators tend to anybody's.
OWNERS: Final = frozenset({MERCHANT, OPERATOR})

NOBODY: Final = Right(frozenset(), Effect.PAYS)
READS: Final = Right(EVERYBODY, Effect.READS)
SEES: Final = Right(VIEWERS, Effect.READS)
OVERSEES: Final = Right(OVERSEERS, Effect.READS)
LOOKS: Final = Right(PAYERS, Effect.READS)
DEFENDS: Final = Right(PAYERS, Effect.DEFENDS)
TENDS: Final = Right(PAYERS, Effect.TENDS)
COLLECTS: Final = Right(PAYERS, Effect.COLLECTS)
PAYS: Final = Right(PAYERS, Effect.PAYS)
OPERATES: Final = Right(OPERATORS, Effect.TENDS)
LEAVES: Final = Right(EVERYBODY, Effect.DEFENDS)
SPEAKS_FOR_ITSELF: Final = Right(WRITERS, Effect.TENDS)
EMPOWERS: Final = Right(OWNERS, Effect.EMPOWERS)
# Keeps one's own account safe: whatever one's role is.
GUARDS: Final = Right(EVERYBODY, Effect.TENDS)

RIGHTS: Final[dict[type, Right]] = {
    # Being here
    messages.Renew: READS,
    messages.Ping: READS,
    messages.ReadProfile: READS,
    # Who one is, and where one is logged in
    sessions.ReadSessions: READS,
    sessions.NameSession: GUARDS,
    sessions.EndSession: LEAVES,
    sessions.EndSessions: LEAVES,
    factors.ReadFactors: READS,
    factors.EnrolTotp: GUARDS,
    factors.ConfirmTotp: GUARDS,
    factors.EnrolPasskey: GUARDS,
    factors.ConfirmPasskey: GUARDS,
    factors.NameFactor: GUARDS,
    factors.RemoveFactor: GUARDS,
    factors.RenewRecoveryCodes: GUARDS,
    factors.ChangePassword: GUARDS,
    factors.AskStepUp: LEAVES,
    factors.StepUp: LEAVES,
    factors.ReadSecurity: READS,
    factors.SetSecurity: OPERATES,
    factors.ResetFactors: OPERATES,
    # What one is told, and how
    notices.ReadNotices: READS,
    notices.HearNotices: LEAVES,
    notices.RegisterPhone: GUARDS,
    notices.ReadPushKey: READS,
    notices.ReadPhones: READS,
    notices.ForgetPhone: LEAVES,
    notices.ReadNoticeSettings: READS,
    notices.SetNoticeSettings: GUARDS,
    notices.ReadLadders: OVERSEES,
    notices.SetLadder: OPERATES,
    notices.ReadDeadDeliveries: OVERSEES,
    notices.RetryDeliveries: OPERATES,
    notices.SendNews: OPERATES,
    notices.ReadNews: OVERSEES,
    # Seeing money
    messages.ReadAccounts: SEES,
    messages.ReadAccount: SEES,
    messages.ReadBalance: SEES,
    messages.ReadHistory: SEES,
    messages.Follow: SEES,
    messages.Unfollow: SEES,
    messages.Resume: SEES,
    messages.Acknowledge: LOOKS,
    messages.FindPayee: LOOKS,
    histories.ReadBalanceAt: SEES,
    histories.SearchEntries: SEES,
    histories.ReadTotals: SEES,
    histories.ReadSales: SEES,
    histories.ReadRefusals: SEES,
    histories.ReadPayment: SEES,
    histories.ReadAccountMetadata: SEES,
    histories.FindAccounts: OVERSEES,
    histories.SetAccountMetadata: TENDS,
    proofs.ReadProof: SEES,
    proofs.ReadHead: SEES,
    proofs.ReadGrowth: SEES,
    proofs.ReadProofKeys: SEES,
    # Moving money
    messages.Pay: PAYS,
    steps.Authorize: PAYS,
    steps.Capture: COLLECTS,
    steps.Void: DEFENDS,
    steps.Refund: PAYS,
    steps.Reverse: Right(OPERATORS, Effect.PAYS),
    steps.Release: Right(OPERATORS, Effect.PAYS),
    steps.Decline: OPERATES,
    steps.Link: PAYS,
    steps.DryRun: LOOKS,
    # Asking to be paid
    charges.CreateCharge: COLLECTS,
    charges.CancelCharge: DEFENDS,
    charges.ReadCharge: SEES,
    charges.ReadCode: SEES,
    charges.ReadCharges: SEES,
    # Files of payments, and payments at later dates
    bulks.CreateBulk: PAYS,
    bulks.AddBulkLines: PAYS,
    bulks.CloseBulk: PAYS,
    bulks.ApproveBulk: PAYS,
    bulks.CancelBulk: DEFENDS,
    bulks.ReadBulk: SEES,
    bulks.ReadBulks: SEES,
    bulks.ReadBulkReport: SEES,
    schedules.CreateSchedule: PAYS,
    schedules.ResumeSchedule: PAYS,
    schedules.PauseSchedule: DEFENDS,
    schedules.CancelSchedule: DEFENDS,
    schedules.PreviewSchedule: LOOKS,
    schedules.ReadSchedule: SEES,
    schedules.ReadSchedules: SEES,
    # Disputes: whoever is blocked still has to answer in time
    disputes.OpenDispute: DEFENDS,
    disputes.AnswerDispute: DEFENDS,
    disputes.AddEvidence: DEFENDS,
    disputes.ClaimDispute: DEFENDS,
    disputes.WithdrawDispute: DEFENDS,
    disputes.ReadDispute: SEES,
    disputes.ReadDisputes: SEES,
    disputes.ReadEvidence: SEES,
    disputes.ReadDisputeProfiles: SEES,
    disputes.DecideDispute: Right(OPERATORS, Effect.PAYS),
    disputes.SetDisputeProfile: OPERATES,
    # Limits, rules, fees
    rules.ReadOwnLimits: SEES,
    rules.SetOwnLimit: TENDS,
    rules.ListPayee: TENDS,
    rules.ReadListedPayees: SEES,
    rules.ReadRules: OVERSEES,
    rules.ReadReviews: OVERSEES,
    rules.ReadAlerts: OVERSEES,
    rules.ReadChanges: OVERSEES,
    rules.SetLimits: OPERATES,
    rules.SetRule: OPERATES,
    rules.PutUnderLimits: OPERATES,
    fees.ReadAccountTerms: SEES,
    fees.ReadTerms: OVERSEES,
    fees.SetTerms: OPERATES,
    fees.PutUnderTerms: OPERATES,
    messages.SetFloor: OPERATES,
    # What speaks for a merchant: to end it is never made hard
    api_keys.CreateApiKey: EMPOWERS,
    api_keys.RotateApiKey: EMPOWERS,
    api_keys.ReadApiKeys: Right(OWNERS, Effect.READS),
    api_keys.RevokeApiKey: Right(OWNERS, Effect.DEFENDS),
    terminals.CreatePairingCode: EMPOWERS,
    terminals.ChangeTerminal: EMPOWERS,
    terminals.ReadTerminals: Right(OWNERS, Effect.READS),
    terminals.RevokeTerminal: Right(OWNERS, Effect.DEFENDS),
    seats.InviteSeat: EMPOWERS,
    seats.ChangeSeat: EMPOWERS,
    seats.ReadSeats: Right(OWNERS, Effect.READS),
    seats.EndSeat: Right(OWNERS, Effect.DEFENDS),
    # And who sits there, by a log-in of their own
    seats.ReadOwnSeats: LOOKS,
    seats.AcceptSeat: Right(PAYERS, Effect.EMPOWERS),
    seats.LeaveSeat: DEFENDS,
    seats.ActInSeat: Right(PAYERS, Effect.EMPOWERS),
    # A merchant's servers, which are told of money
    webhooks.CreateWebhook: EMPOWERS,
    webhooks.ChangeWebhook: EMPOWERS,
    webhooks.RotateWebhookSecret: EMPOWERS,
    webhooks.ReadWebhooks: Right(OWNERS, Effect.READS),
    webhooks.ReadWebhookAttempts: Right(OWNERS, Effect.READS),
    webhooks.TestWebhook: Right(OWNERS, Effect.TENDS),
    webhooks.ReplayWebhook: Right(OWNERS, Effect.TENDS),
    webhooks.DeleteWebhook: Right(OWNERS, Effect.DEFENDS),
    # People of other houses
    providers.ReadIdentityProviders: OVERSEES,
    providers.SetIdentityProvider: OPERATES,
    providers.RemoveIdentityProvider: OPERATES,
    providers.LinkIdentity: OPERATES,
    providers.UnlinkIdentity: OPERATES,
    # People
    people.ReadPerson: READS,
    people.ReadProfileHistory: READS,
    people.EditProfile: SPEAKS_FOR_ITSELF,
    people.SendConfirmation: SPEAKS_FOR_ITSELF,
    people.ConfirmContact: SPEAKS_FOR_ITSELF,
    people.FindPeople: Right(DESK, Effect.READS),
    messages.OpenPerson: OPERATES,
    people.SetPersonStatus: OPERATES,
    # What the law gives people, whoever they are and however they stand
    privacy.ReadData: READS,
    privacy.AskExport: LEAVES,
    privacy.ReadExport: READS,
    privacy.ReadExports: READS,
    privacy.ReadDisclosures: READS,
    privacy.ReadErasure: READS,
    privacy.Erase: LEAVES,
    consents.ReadPurposes: READS,
    consents.GiveConsent: GUARDS,
    consents.RevokeConsent: LEAVES,
    consents.ReadConsents: READS,
    consents.MakeRequest: LEAVES,
    consents.ReadRequest: READS,
    consents.ReadRequests: READS,
    consents.WithdrawRequest: LEAVES,
    # What the institution does about it
    consents.SetPurpose: OPERATES,
    consents.AnswerRequest: OPERATES,
    incidents.RecordIncident: OPERATES,
    incidents.ReviseIncident: OPERATES,
    incidents.ReadIncident: OVERSEES,
    incidents.ReadIncidents: OVERSEES,
    incidents.ReadIncidentPersons: OVERSEES,
    # The tenant as a whole, and a payment from all sides
    oversight.ExplainPayment: OVERSEES,
    oversight.ReadHolds: OVERSEES,
    oversight.ReadConditions: OVERSEES,
    oversight.ReadTraffic: OVERSEES,
    oversight.ReadConnections: OVERSEES,
    # Staff
    staff.SetRole: OPERATES,
    staff.ReadRoleRequests: OVERSEES,
    staff.ReadPeopleSettings: OVERSEES,
    staff.SetPeopleSettings: OPERATES,
    staff.ReadTrail: READS,
}
# What is allowed of oneself above, of others only to these.
OF_OTHERS: Final[dict[type, Right]] = {
    sessions.ReadSessions: OPERATES,
    sessions.EndSessions: OPERATES,
    people.ReadPerson: Right(DESK, Effect.READS),
    people.ReadProfileHistory: Right(DESK, Effect.READS),
    people.EditProfile: OPERATES,
}
PARTS: Final[dict[type, Right]] = {
    part: RIGHTS[command] for parts in (steps.PARTS, steps.DISPUTE_PARTS) for command, part in parts.items()
}
# To settle a payment in doubt is to make sure of it, or that it never can be.
SETTLES: Final = DEFENDS

REFUSALS: Final[dict[PersonStatus, ErrorCode]] = {
    PersonStatus.PENDING: ErrorCode.PERSON_PENDING,
    PersonStatus.BLOCKED: ErrorCode.PERSON_BLOCKED,
    PersonStatus.CLOSED: ErrorCode.PERSON_CLOSED,
}
ALWAYS: Final = frozenset({Effect.READS, Effect.DEFENDS})


def right_of(command: type) -> Right:
    """Who may ask for it. A command that nobody has thought of is nobody's."""
    return RIGHTS.get(command, NOBODY)


def exceeds(session: Session, role: Role) -> bool:
    """Whether a role among the staff may do what the speaker's may not. Nobody gives more than they have."""
    return role in STAFF and (session.role is None or not may_do(role) <= may_do(session.role))


def may_do(role: Role) -> frozenset[tuple[type, bool]]:
    """The commands that a role may ask for, about oneself (False) and about others (True)."""
    return frozenset(
        (command, is_of_others)
        for is_of_others, table in ((False, RIGHTS), (True, OF_OTHERS))
        for command, right in table.items()
        if role in right.roles
    )


def refusal_of(session: Session, command: Any) -> ErrorCode | None:
    """Why this speaker may not ask for this, if they may not."""
    kind = type(command)
    refusal = refuse(session, RIGHTS.get(kind, NOBODY))
    if refusal is not None:
        return refusal
    if kind in OF_OTHERS:
        is_own = command.person is UNSET or command.person == session.speaker.person_id
        return None if is_own else refuse(session, OF_OTHERS[kind])
    if kind is steps.Link:
        return next((found for part in command.parts if (found := refuse(session, PARTS[type(part)]))), None)
    if kind is messages.Resume and command.in_doubt is not UNSET:
        return refuse(session, SETTLES)
    return None


def refuse(session: Session, right: Right) -> ErrorCode | None:
    """Why this speaker does not have this right, if they do not."""
    if session.role not in right.roles:
        return ErrorCode.FORBIDDEN
    standing = session.standing
    if standing.status is PersonStatus.ACTIVE or right.effect in ALWAYS:
        return None
    if standing.status is PersonStatus.PENDING and (
        right.effect is Effect.TENDS
        or (right.effect is Effect.COLLECTS and standing.is_paid)
        or (right.effect is Effect.PAYS and standing.pays)
    ):
        return None
    return REFUSALS[standing.status]

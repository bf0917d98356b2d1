/** Every message on the wire, as hub/protocol declares it. All integers fit a number exactly. Generated: `python -m hub.typescript` renews it. */

/**
 * The first message of a connection, but for a till's `challenge`.
 *
 * `proof`: with a till's token, that it holds the token's key: a JWS of type `payhub-socket+jwt` with the public key
 * as `jwk` in its header and the claims `nonce` (the challenge), `ath` (the token's SHA-256), `aud` (the door),
 * `tenant` and `iat`.
 */
export interface Authenticate {
  readonly type: "authenticate";
  readonly token: string;
  readonly proof?: string;
}

/** A fresh token of the same session, before the old one ends. */
export interface Renew {
  readonly type: "renew";
  readonly id: number;
  readonly token: string;
}

/**
 * Move money. The same payment id again gives the first answer and moves nothing.
 *
 * `charge`: the charge that it pays. `shares`: who else gets how much, out of what the payee gets.
 */
export interface Pay {
  readonly type: "pay";
  readonly id: number;
  readonly payment: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly description?: string;
  readonly charge?: string;
  readonly shares?: readonly (readonly [number, number])[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** One of your accounts: balance, overdraft floor, number of its last event. */
export interface ReadAccount {
  readonly type: "account";
  readonly id: number;
  readonly account: number;
}

/** All of your accounts. */
export interface ReadAccounts {
  readonly type: "accounts";
  readonly id: number;
}

/** The balance of an account and the number of its last event. */
export interface ReadBalance {
  readonly type: "balance";
  readonly id: number;
  readonly account: number;
}

/** A page of an account's entries, newest first, below the event number `before`. */
export interface ReadHistory {
  readonly type: "history";
  readonly id: number;
  readonly account: number;
  readonly before?: number;
  readonly limit?: number;
}

/** Who you are here. */
export interface ReadProfile {
  readonly type: "profile";
  readonly id: number;
}

/** The name behind an account number, to show before money is sent. */
export interface FindPayee {
  readonly type: "payee";
  readonly id: number;
  readonly account: number;
}

/** Receive an account's events: those after number `after`, or from now on. */
export interface Follow {
  readonly type: "follow";
  readonly id: number;
  readonly account: number;
  readonly after?: number;
}

/** Receive an account's events no longer. */
export interface Unfollow {
  readonly type: "unfollow";
  readonly id: number;
  readonly account: number;
}

/** All events of the account up to `number` were seen. Has no answer. */
export interface Acknowledge {
  readonly type: "ack";
  readonly account: number;
  readonly number: number;
}

/**
 * Come back after a disconnect: follow accounts from where they were left, and settle payments in doubt.
 *
 * Each payment comes back with its answer, or `fenced`: it never arrived, and now never can.
 */
export interface Resume {
  readonly type: "resume";
  readonly id: number;
  readonly follow?: readonly (readonly [number, number])[];
  readonly in_doubt?: readonly string[];
}

/** Are you there? Browsers cannot send WebSocket pings. */
export interface Ping {
  readonly type: "ping";
  readonly id: number;
}

/**
 * Operators: enter a person with one account. Without login and password, somebody else logs them in.
 *
 * They are active at once, with the documents that they showed: give those with edit_profile.
 */
export interface OpenPerson {
  readonly type: "open_person";
  readonly id: number;
  readonly name: string;
  readonly role: string;
  readonly login?: string;
  readonly password?: string;
}

/** Operators: how far below zero an account may go. 0: not at all; -5000: fifty units of a two-decimal currency. */
export interface SetFloor {
  readonly type: "set_floor";
  readonly id: number;
  readonly account: number;
  readonly floor: number;
}

/**
 * Reserve money of the payer for the payee: it is no longer available, and not the payee's yet.
 *
 * `lasts_s`: how long, seven days if not said.
 */
export interface Authorize {
  readonly type: "authorize";
  readonly id: number;
  readonly payment: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly lasts_s?: number;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Payees: take reserved money, all or a part, once or several times; with `final` the rest is let go.
 *
 * More than what is left may be taken up to the tip that the payee's terms allow.
 */
export interface Capture {
  readonly type: "capture";
  readonly id: number;
  readonly payment: string;
  readonly about: string;
  readonly amount: number;
  readonly final?: boolean;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Payees: let go of what is still reserved. */
export interface Void {
  readonly type: "void";
  readonly id: number;
  readonly payment: string;
  readonly about: string;
}

/** Payees: give back what was paid or captured, or a part of it; never more in sum. */
export interface Refund {
  readonly type: "refund";
  readonly id: number;
  readonly payment: string;
  readonly about: string;
  readonly amount: number;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Operators: undo a payment as a whole: the amount, its fee and its shares go back where they came from. */
export interface Reverse {
  readonly type: "reverse";
  readonly id: number;
  readonly payment: string;
  readonly about: string;
  readonly description?: string;
}

/** Operators: let a payment through that a rule had set aside for review. */
export interface Release {
  readonly type: "release";
  readonly id: number;
  readonly payment: string;
  readonly about: string;
}

/** Operators: do not let it through; its money is available to the payer again. */
export interface Decline {
  readonly type: "decline";
  readonly id: number;
  readonly payment: string;
  readonly about: string;
}

/** Payments and steps that are posted together, all or none, in this order. */
export interface Link {
  readonly type: "link";
  readonly id: number;
  readonly parts: readonly (PayPart | AuthorizePart | CapturePart | VoidPart | RefundPart | ReversePart | ReleasePart | DeclinePart)[];
}

/**
 * Move money. The same payment id again gives the first answer and moves nothing.
 *
 * `charge`: the charge that it pays. `shares`: who else gets how much, out of what the payee gets.
 */
export interface PayPart {
  readonly type: "pay";
  readonly payment: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly description?: string;
  readonly charge?: string;
  readonly shares?: readonly (readonly [number, number])[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Reserve money of the payer for the payee: it is no longer available, and not the payee's yet.
 *
 * `lasts_s`: how long, seven days if not said.
 */
export interface AuthorizePart {
  readonly type: "authorize";
  readonly payment: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly lasts_s?: number;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Payees: take reserved money, all or a part, once or several times; with `final` the rest is let go.
 *
 * More than what is left may be taken up to the tip that the payee's terms allow.
 */
export interface CapturePart {
  readonly type: "capture";
  readonly payment: string;
  readonly about: string;
  readonly amount: number;
  readonly final?: boolean;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Payees: let go of what is still reserved. */
export interface VoidPart {
  readonly type: "void";
  readonly payment: string;
  readonly about: string;
}

/** Payees: give back what was paid or captured, or a part of it; never more in sum. */
export interface RefundPart {
  readonly type: "refund";
  readonly payment: string;
  readonly about: string;
  readonly amount: number;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Operators: undo a payment as a whole: the amount, its fee and its shares go back where they came from. */
export interface ReversePart {
  readonly type: "reverse";
  readonly payment: string;
  readonly about: string;
  readonly description?: string;
}

/** Operators: let a payment through that a rule had set aside for review. */
export interface ReleasePart {
  readonly type: "release";
  readonly payment: string;
  readonly about: string;
}

/** Operators: do not let it through; its money is available to the payer again. */
export interface DeclinePart {
  readonly type: "decline";
  readonly payment: string;
  readonly about: string;
}

/**
 * Try without doing: what each would be answered, and the entries they would make. Nothing is written.
 *
 * `linked`: as if they were linked, all or none. A command about a dispute is tried alone.
 */
export interface DryRun {
  readonly type: "dry_run";
  readonly id: number;
  readonly parts: readonly (PayPart | AuthorizePart | CapturePart | VoidPart | RefundPart | ReversePart | ReleasePart | DeclinePart | OpenDisputePart | AnswerDisputePart | DecideDisputePart | ClaimDisputePart | WithdrawDisputePart)[];
  readonly linked?: boolean;
}

/**
 * The payer, or an operator: dispute a payment. As much as is there is reserved on the payee's account.
 *
 * Without an amount it is all that has not gone back yet. Only operators name another profile than the default. The
 * same dispute id again gives the dispute as it stands.
 */
export interface OpenDisputePart {
  readonly type: "open_dispute";
  readonly dispute: string;
  readonly payment: string;
  readonly reason: "duplicate" | "fraud" | "not_as_described" | "not_received" | "other" | "wrong_amount";
  readonly text?: string;
  readonly amount?: number;
  readonly profile?: string;
}

/** The payee: accept, accept a part (say which amount), or contest. An operator decides what is not accepted. */
export interface AnswerDisputePart {
  readonly type: "answer_dispute";
  readonly dispute: string;
  readonly answer: "accept" | "accept_part" | "contest";
  readonly amount?: number;
  readonly text?: string;
}

/** Operators: how much the payer gets back: from what the payee offered (or 0) to all that is disputed. */
export interface DecideDisputePart {
  readonly type: "decide_dispute";
  readonly dispute: string;
  readonly amount: number;
  readonly note?: string;
}

/** The payer, or an operator: take what was awarded. Only where the profile asks for it (claim_due_at is there). */
export interface ClaimDisputePart {
  readonly type: "claim_dispute";
  readonly dispute: string;
}

/** Whoever opened it: let it be. What is reserved is let go. */
export interface WithdrawDisputePart {
  readonly type: "withdraw_dispute";
  readonly dispute: string;
}

/**
 * Ask to be paid. Without an amount the payer says how much; without `expires_in_s` it does not expire.
 *
 * A reusable charge, a poster on the wall, is paid again and again. The same id again gives the charge as it stands.
 */
export interface CreateCharge {
  readonly type: "create_charge";
  readonly id: number;
  readonly charge: string;
  readonly payee: number;
  readonly amount?: number;
  readonly description?: string;
  readonly reference?: string;
  readonly expires_in_s?: number;
  readonly reusable?: boolean;
}

/** A charge, for whoever has its id. Pay it by a payment to its payee that names it. */
export interface ReadCharge {
  readonly type: "charge";
  readonly id: number;
  readonly charge: string;
}

/** The charge behind a scanned QR code: the code's text, or the link. */
export interface ReadCode {
  readonly type: "read_code";
  readonly id: number;
  readonly code: string;
}

/** An account's charges, newest first, older than the charge `before`. */
export interface ReadCharges {
  readonly type: "charges";
  readonly id: number;
  readonly account: number;
  readonly status?: "cancelled" | "expired" | "open" | "paid";
  readonly before?: string;
  readonly limit?: number;
}

/** Let nobody pay it any more. */
export interface CancelCharge {
  readonly type: "cancel_charge";
  readonly id: number;
  readonly charge: string;
}

/**
 * Announce a file of payments from an account. Atomic: all of its lines are posted, or none.
 *
 * `lines` and `amount` are what the file has to hold, bad lines included. `again`: a file that was sent within a day
 * is meant.
 */
export interface CreateBulk {
  readonly type: "create_bulk";
  readonly id: number;
  readonly bulk: string;
  readonly account: number;
  readonly atomic: boolean;
  readonly lines?: number;
  readonly amount?: number;
  readonly again?: boolean;
}

/** The next lines of a bulk, instead of a file, from number `first` on. Sent again they change nothing. */
export interface AddBulkLines {
  readonly type: "bulk_lines";
  readonly id: number;
  readonly bulk: string;
  readonly first: number;
  readonly lines: readonly BulkLine[];
}

/** A payment of a bulk. `reference` is your own and stands once in a bulk. Operators may name a payer. */
export interface BulkLine {
  readonly payee: number;
  readonly amount: number;
  readonly description?: string;
  readonly reference?: string;
  readonly payer?: number;
}

/** All lines are there: check what can only be checked of all of them. A file is closed by its end. */
export interface CloseBulk {
  readonly type: "close_bulk";
  readonly id: number;
  readonly bulk: string;
}

/** Let a checked bulk be posted. Whoever made it cannot. */
export interface ApproveBulk {
  readonly type: "approve_bulk";
  readonly id: number;
  readonly bulk: string;
}

/** Give a bulk up, as long as posting has not begun. */
export interface CancelBulk {
  readonly type: "cancel_bulk";
  readonly id: number;
  readonly bulk: string;
}

/**
 * A bulk as it stands. With `watch`, the socket is told of its progress until it is over.
 *
 * At most four times a second, as `bulk_progress`.
 */
export interface ReadBulk {
  readonly type: "bulk";
  readonly id: number;
  readonly bulk: string;
  readonly watch?: boolean;
}

/** Bulks of an account, newest first, below the bulk `before`. Operators may leave the account out. */
export interface ReadBulks {
  readonly type: "bulks";
  readonly id: number;
  readonly account?: number;
  readonly status?: "approved" | "cancelled" | "checked" | "failed" | "finished" | "posting" | "receiving";
  readonly before?: string;
  readonly limit?: number;
}

/** What became of a bulk's lines, those after number `after`. `wrong`: only bad and refused ones. */
export interface ReadBulkReport {
  readonly type: "bulk_report";
  readonly id: number;
  readonly bulk: string;
  readonly after?: number;
  readonly limit?: number;
  readonly wrong?: boolean;
}

/**
 * Pay on later dates: on `first_on`, and then as `rule` says, until a day, so many times, or without end.
 *
 * `day`: of the month, or the n of an nth day (payday in Brazil: the 5th working day). `on_closed`: what happens on a
 * day on which banks rest. `at`: local time, six in the morning if not said, so that the money is there when the day
 * begins. When funds are lacking, a date is attempted `attempts` times, `retry_after_s` apart; `if_unpaid`: then it
 * is skipped, or the schedule pauses. The same id again gives the schedule as it stands.
 */
export interface CreateSchedule {
  readonly type: "create_schedule";
  readonly id: number;
  readonly schedule: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly rule: "daily" | "every_business_day" | "monthly" | "nth_business_day" | "nth_working_day" | "once" | "weekly" | "yearly";
  readonly first_on: string;
  readonly at?: string;
  readonly day?: number;
  readonly on_closed?: "after" | "before" | "same";
  readonly until?: string;
  readonly times?: number;
  readonly attempts?: number;
  readonly retry_after_s?: number;
  readonly if_unpaid?: "pause" | "skip";
  readonly description?: string;
}

/** The next dates that a schedule would have. Nothing is made. */
export interface PreviewSchedule {
  readonly type: "preview_schedule";
  readonly id: number;
  readonly rule: "daily" | "every_business_day" | "monthly" | "nth_business_day" | "nth_working_day" | "once" | "weekly" | "yearly";
  readonly first_on: string;
  readonly at?: string;
  readonly day?: number;
  readonly on_closed?: "after" | "before" | "same";
  readonly until?: string;
  readonly times?: number;
  readonly limit?: number;
}

/** One schedule: its next dates, and what became of the last ones. */
export interface ReadSchedule {
  readonly type: "schedule";
  readonly id: number;
  readonly schedule: string;
}

/** An account's schedules, newest first, below the schedule `before`. */
export interface ReadSchedules {
  readonly type: "schedules";
  readonly id: number;
  readonly account: number;
  readonly before?: string;
  readonly limit?: number;
}

/** Let nothing be paid until it is resumed. */
export interface PauseSchedule {
  readonly type: "pause_schedule";
  readonly id: number;
  readonly schedule: string;
}

/** Go on with the next date to come. Those missed meanwhile are not made up for. */
export interface ResumeSchedule {
  readonly type: "resume_schedule";
  readonly id: number;
  readonly schedule: string;
}

/** End it for good. */
export interface CancelSchedule {
  readonly type: "cancel_schedule";
  readonly id: number;
  readonly schedule: string;
}

/**
 * The payer, or an operator: dispute a payment. As much as is there is reserved on the payee's account.
 *
 * Without an amount it is all that has not gone back yet. Only operators name another profile than the default. The
 * same dispute id again gives the dispute as it stands.
 */
export interface OpenDispute {
  readonly type: "open_dispute";
  readonly id: number;
  readonly dispute: string;
  readonly payment: string;
  readonly reason: "duplicate" | "fraud" | "not_as_described" | "not_received" | "other" | "wrong_amount";
  readonly text?: string;
  readonly amount?: number;
  readonly profile?: string;
}

/** The payee: accept, accept a part (say which amount), or contest. An operator decides what is not accepted. */
export interface AnswerDispute {
  readonly type: "answer_dispute";
  readonly id: number;
  readonly dispute: string;
  readonly answer: "accept" | "accept_part" | "contest";
  readonly amount?: number;
  readonly text?: string;
}

/** Either side, or an operator: bring forward a text, a small file (name, media type, content), or both. */
export interface AddEvidence {
  readonly type: "add_evidence";
  readonly id: number;
  readonly dispute: string;
  readonly evidence: string;
  readonly text?: string;
  readonly name?: string;
  readonly media_type?: "application/pdf" | "image/jpeg" | "image/png" | "text/plain";
  readonly content?: string;
}

/** One piece of evidence, with its file's content. */
export interface ReadEvidence {
  readonly type: "read_evidence";
  readonly id: number;
  readonly dispute: string;
  readonly evidence: string;
}

/** Operators: how much the payer gets back: from what the payee offered (or 0) to all that is disputed. */
export interface DecideDispute {
  readonly type: "decide_dispute";
  readonly id: number;
  readonly dispute: string;
  readonly amount: number;
  readonly note?: string;
}

/** The payer, or an operator: take what was awarded. Only where the profile asks for it (claim_due_at is there). */
export interface ClaimDispute {
  readonly type: "claim_dispute";
  readonly id: number;
  readonly dispute: string;
}

/** Whoever opened it: let it be. What is reserved is let go. */
export interface WithdrawDispute {
  readonly type: "withdraw_dispute";
  readonly id: number;
  readonly dispute: string;
}

/** One dispute with its evidence, for its two sides and for operators. */
export interface ReadDispute {
  readonly type: "dispute";
  readonly id: number;
  readonly dispute: string;
}

/** A page of your disputes, of all for operators, newest first, below the dispute `before`. */
export interface ReadDisputes {
  readonly type: "disputes";
  readonly id: number;
  readonly status?: "accepted" | "expired" | "open" | "partly_accepted" | "rejected" | "under_review" | "withdrawn";
  readonly overdue?: boolean;
  readonly before?: string;
  readonly limit?: number;
}

/**
 * Operators: the clocks of one kind of dispute, and what happens when one runs out. For new disputes.
 *
 * `open_s` and `collect_s` count from the payment, `answer_s` and `decide_s` from the opening, `claim_s` from the
 * acceptance (without it, nothing has to be claimed), `refund_s` from the claim.
 */
export interface SetDisputeProfile {
  readonly type: "set_dispute_profile";
  readonly id: number;
  readonly profile: string;
  readonly reasons: readonly ("duplicate" | "fraud" | "not_as_described" | "not_received" | "other" | "wrong_amount")[];
  readonly open_s: number;
  readonly answer_s: number;
  readonly on_no_answer: "payee_wins" | "payer_wins" | "to_operators";
  readonly decide_s: number;
  readonly on_no_decision: "payee_wins" | "payer_wins" | "to_operators";
  readonly refund_s: number;
  readonly collect_s: number;
  readonly claim_s?: number;
  readonly on_no_claim?: "payee_wins" | "payer_wins" | "to_operators";
  readonly default?: boolean;
}

/** The kinds of dispute there are here, with their clocks. */
export interface ReadDisputeProfiles {
  readonly type: "dispute_profiles";
  readonly id: number;
}

/** Operators: open a set of limits, or name it anew. Its rules are set one by one. */
export interface SetLimits {
  readonly type: "set_limits";
  readonly id: number;
  readonly limits: number;
  readonly name: string;
}

/**
 * Operators: write a rule. It holds from the next payment on.
 *
 * Above `max` (minor units, or a count for `velocity`) the rule acts: it refuses, sets aside for review, or alerts.
 * `within_s`: of velocity the while; of new_payee, new_device and new_device_day how long something is new.
 * `own_max`: how high people may set it for themselves; a raise waits `raise_wait_s`, 24 hours if not said.
 */
export interface SetRule {
  readonly type: "set_rule";
  readonly id: number;
  readonly rule: number;
  readonly limits: number;
  readonly name: string;
  readonly measure: string;
  readonly max: number;
  readonly action: string;
  readonly within_s?: number;
  readonly night_from?: string;
  readonly night_to?: string;
  readonly own_max?: number;
  readonly raise_wait_s?: number;
  readonly off?: boolean;
}

/** Operators: all rules. */
export interface ReadRules {
  readonly type: "rules";
  readonly id: number;
}

/** Operators: put an account under a set of limits, or without `limits` under none. */
export interface PutUnderLimits {
  readonly type: "put_under_limits";
  readonly id: number;
  readonly account: number;
  readonly limits?: number;
}

/** What your account may pay at most: per payment, day, night and month. */
export interface ReadOwnLimits {
  readonly type: "own_limits";
  readonly id: number;
  readonly account: number;
}

/** Lower a limit of your own, at once, or raise it, after a wait of a day or two. */
export interface SetOwnLimit {
  readonly type: "set_own_limit";
  readonly id: number;
  readonly account: number;
  readonly measure: string;
  readonly max: number;
}

/**
 * Allow somebody to be paid beyond the limits for new payees and for the night, from tomorrow on; or deny them.
 *
 * Operators may leave out `account`: then it holds for everybody.
 */
export interface ListPayee {
  readonly type: "list_payee";
  readonly id: number;
  readonly payee: number;
  readonly listing: string;
  readonly account?: number;
}

/** Whom your account may pay beforehand, and whom it does not pay, by number, above `after`. */
export interface ReadListedPayees {
  readonly type: "listed_payees";
  readonly id: number;
  readonly account: number;
  readonly after?: number;
  readonly limit?: number;
}

/** Operators: payments that rules have set aside, oldest first. Release or decline each. */
export interface ReadReviews {
  readonly type: "reviews";
  readonly id: number;
  readonly limit?: number;
}

/**
 * Operators: what rules have decided, newest first. On a socket, with `watch`, new ones are told as they happen.
 *
 * `before` and `before_payment` are the last page's `next_before` and `next_payment`.
 */
export interface ReadAlerts {
  readonly type: "alerts";
  readonly id: number;
  readonly before?: string;
  readonly before_payment?: string;
  readonly action?: string;
  readonly limit?: number;
  readonly watch?: boolean;
}

/** Operators: which settings were changed, by whom, newest first. */
export interface ReadChanges {
  readonly type: "changes";
  readonly id: number;
  readonly before?: string;
  readonly limit?: number;
}

/**
 * Operators: write terms. They hold for every account under them, from the next payment on.
 *
 * The fee on what an account is paid is `amount * fee_ppm / 1,000,000`, rounded half up, plus `fee_fixed`; at least
 * `fee_min`, at most `fee_max`, never more than the amount. `returns_fee`: a refund gives it back in proportion.
 */
export interface SetTerms {
  readonly type: "set_terms";
  readonly id: number;
  readonly terms: number;
  readonly name: string;
  readonly fee_ppm?: number;
  readonly fee_fixed?: number;
  readonly fee_min?: number;
  readonly fee_max?: number;
  readonly returns_fee?: boolean;
  readonly tip_percent_max?: number;
}

/** Operators: all terms. */
export interface ReadTerms {
  readonly type: "terms";
  readonly id: number;
}

/** The terms that one of your accounts is under: what is kept of what it is paid. */
export interface ReadAccountTerms {
  readonly type: "account_terms";
  readonly id: number;
  readonly account: number;
}

/** Operators: put an account under terms, or without `terms` under none. */
export interface PutUnderTerms {
  readonly type: "put_under_terms";
  readonly id: number;
  readonly account: number;
  readonly terms?: number;
}

/** What an account had at a moment of ledger time. */
export interface ReadBalanceAt {
  readonly type: "balance_at";
  readonly id: number;
  readonly account: number;
  readonly at: string;
}

/**
 * A page of an account's entries that fit all that is said, newest first, below the event number `before`.
 *
 * Amounts are what moved, without its sign: a hold moves nothing, its amount is 0. `text` is looked for in
 * descriptions, whatever its capitals and accents; `key`, or `key` and `value`, in metadata. One page looks at a
 * bounded number of entries: as long as there is a `next`, there may be more, even after an empty page.
 */
export interface SearchEntries {
  readonly type: "search";
  readonly id: number;
  readonly account: number;
  readonly from_at?: string;
  readonly to_at?: string;
  readonly amount_min?: number;
  readonly amount_max?: number;
  readonly direction?: "in" | "out";
  readonly counterparty?: number;
  readonly kind?: string;
  readonly text?: string;
  readonly key?: string;
  readonly value?: string;
  readonly before?: number;
  readonly limit?: number;
}

/**
 * How many entries an account has from one moment up to, and without, another; what came in, went out, and was
 * kept as fees.
 */
export interface ReadTotals {
  readonly type: "totals";
  readonly id: number;
  readonly account: number;
  readonly from_at: string;
  readonly to_at: string;
}

/**
 * What an account sold and gave back, from each moment of `edges` up to, and without, the next: a chart's bars.
 *
 * A sale is what somebody paid it; what the institution itself pays in is none.
 */
export interface ReadSales {
  readonly type: "sales";
  readonly id: number;
  readonly account: number;
  readonly edges: readonly string[];
}

/**
 * Payments out of an account that were refused, newest first. They are no entries: nothing moved.
 *
 * `before` and `before_payment` are the last page's `next_before` and `next_payment`.
 */
export interface ReadRefusals {
  readonly type: "refusals";
  readonly id: number;
  readonly account: number;
  readonly status?: string;
  readonly before?: string;
  readonly before_payment?: string;
  readonly limit?: number;
}

/**
 * A payment's whole life: what became of it, what its steps add up to, and each of them.
 *
 * `after` and `after_step` are the last page's `next_after` and `next_step`.
 */
export interface ReadPayment {
  readonly type: "read_payment";
  readonly id: number;
  readonly payment: string;
  readonly after?: string;
  readonly after_step?: string;
  readonly limit?: number;
}

/** Write your own words about an account, in place of all that were there; none: forget them. */
export interface SetAccountMetadata {
  readonly type: "set_account_metadata";
  readonly id: number;
  readonly account: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The words about an account. */
export interface ReadAccountMetadata {
  readonly type: "account_metadata";
  readonly id: number;
  readonly account: number;
}

/** Operators: the accounts with this word, by number, above `after`. */
export interface FindAccounts {
  readonly type: "find_accounts";
  readonly id: number;
  readonly key: string;
  readonly value: string;
  readonly after?: number;
  readonly limit?: number;
}

/** A payment's receipt and its place in the log, for its two sides, whoever asked for it, and operators. */
export interface ReadProof {
  readonly type: "read_proof";
  readonly id: number;
  readonly payment: string;
}

/**
 * The latest signed head of the log, or the one that was signed at `size`, as long as that is kept here.
 *
 * Keep it yourself: the log can be held to it for ever (`log_growth`).
 */
export interface ReadHead {
  readonly type: "log_head";
  readonly id: number;
  readonly size?: number;
}

/**
 * Proof that the log still begins with what it was at `from_size`, any size that it had; `to_size`: of a head.
 *
 * `to_size` is the latest head's if not said.
 */
export interface ReadGrowth {
  readonly type: "log_growth";
  readonly id: number;
  readonly from_size: number;
  readonly to_size?: number;
}

/** The keys that sign receipts and heads, all there ever were. Everybody may have them: /docs/proof-keys.json. */
export interface ReadProofKeys {
  readonly type: "proof_keys";
  readonly id: number;
}

/** Where you are logged in. Operators: where a person is; that you looked is written down. */
export interface ReadSessions {
  readonly type: "sessions";
  readonly id: number;
  readonly person?: string;
}

/** Give one of your sessions a name that you know it by. */
export interface NameSession {
  readonly type: "name_session";
  readonly id: number;
  readonly session: string;
  readonly name: string;
}

/** End a session of yours; its sockets are closed on every hub. Operators: anybody's, with a reason. */
export interface EndSession {
  readonly type: "end_session";
  readonly id: number;
  readonly session: string;
  readonly reason?: string;
}

/** End all your sessions but this one. Operators: all of a person, with a reason. */
export interface EndSessions {
  readonly type: "end_sessions";
  readonly id: number;
  readonly person?: string;
  readonly reason?: string;
}

/** Your second factors, and how many recovery codes are left. */
export interface ReadFactors {
  readonly type: "factors";
  readonly id: number;
}

/**
 * Begin with an authenticator app: a secret, shown once. It counts when confirm_totp brings its first code.
 *
 * There is one app per person: a new one takes the place of the old one then.
 */
export interface EnrolTotp {
  readonly type: "enrol_totp";
  readonly id: number;
  readonly name?: string;
}

/** The first code of the app. From now on a log-in needs a second factor. */
export interface ConfirmTotp {
  readonly type: "confirm_totp";
  readonly id: number;
  readonly factor: string;
  readonly code: string;
}

/** Begin with a passkey: what the page gives to navigator.credentials.create. Good for five minutes, and once. */
export interface EnrolPasskey {
  readonly type: "enrol_passkey";
  readonly id: number;
}

/** What the browser answered. From now on a log-in needs a second factor. */
export interface ConfirmPasskey {
  readonly type: "confirm_passkey";
  readonly id: number;
  readonly credential: string;
  readonly name: string;
}

/** Give a factor a name that you know it by. */
export interface NameFactor {
  readonly type: "name_factor";
  readonly id: number;
  readonly factor: string;
  readonly name: string;
}

/** Remove a factor. With the last one go the recovery codes, and a log-in needs the password alone. */
export interface RemoveFactor {
  readonly type: "remove_factor";
  readonly id: number;
  readonly factor: string;
}

/** Ten new recovery codes; those of before are void. */
export interface RenewRecoveryCodes {
  readonly type: "renew_recovery_codes";
  readonly id: number;
}

/** Operators: remove all factors of somebody who has lost them, and end their sessions. */
export interface ResetFactors {
  readonly type: "reset_factors";
  readonly id: number;
  readonly person: string;
  readonly reason: string;
}

/** What you can step up with, and what the page gives to navigator.credentials.get for a passkey. */
export interface AskStepUp {
  readonly type: "ask_step_up";
  readonly id: number;
}

/**
 * Prove again that it is you, by one of these; by the password only if you have no second factor.
 *
 * The answer is a fresh token of this session. On a socket, renew takes it.
 */
export interface StepUp {
  readonly type: "step_up";
  readonly id: number;
  readonly code?: string;
  readonly recovery_code?: string;
  readonly credential?: string;
  readonly password?: string;
}

/**
 * A new password; all your other sessions end. Bring the old one, or step up first.
 *
 * With a second factor, only stepping up by it will do.
 */
export interface ChangePassword {
  readonly type: "change_password";
  readonly id: number;
  readonly password: string;
  readonly old?: string;
}

/**
 * Operators: what the tenant asks of its people.
 *
 * `step_up_s`: a proof of who one is counts for so long. `step_up_above`: paying more than this needs one.
 * `operators_need_factor`: of the staff, who has none may only enrol one.
 */
export interface SetSecurity {
  readonly type: "set_security";
  readonly id: number;
  readonly step_up_s: number;
  readonly operators_need_factor: boolean;
  readonly step_up_above?: number;
}

/** What the tenant asks of its people. */
export interface ReadSecurity {
  readonly type: "security";
  readonly id: number;
}

/** Merchants: make a key for a program. Its secret is in the answer and is never shown again. */
export interface CreateApiKey {
  readonly type: "create_api_key";
  readonly id: number;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly networks?: readonly string[];
  readonly expires_in_s?: number;
  readonly person?: string;
}

/** A right that a key or a seat may have. */
export type Scope = "accounts:read" | "accounts:write" | "bulks:read" | "bulks:write" | "charges:read" | "charges:write" | "disputes:read" | "disputes:write" | "holds:write" | "limits:read" | "payees:read" | "payments:read" | "payments:write" | "refunds:write" | "reports:read" | "schedules:read" | "schedules:write";

/** A merchant's keys, newest first, those that ended too. */
export interface ReadApiKeys {
  readonly type: "api_keys";
  readonly id: number;
  readonly person?: string;
}

/**
 * Make a successor that may do the same. The old key works for `overlap_s` more; with 0 it ends at once.
 *
 * `expires_in_s`: how long the successor lives; left out, as long as the old one was made for.
 */
export interface RotateApiKey {
  readonly type: "rotate_api_key";
  readonly id: number;
  readonly key: string;
  readonly overlap_s: number;
  readonly expires_in_s?: number;
}

/** End a key. Sockets that speak with it are closed. */
export interface RevokeApiKey {
  readonly type: "revoke_api_key";
  readonly id: number;
  readonly key: string;
}

/** Tills, before they authenticate: something to sign. It is for this connection alone. */
export interface AskChallenge {
  readonly type: "challenge";
  readonly id: number;
}

/**
 * Merchants: make a code that takes one till in, within ten minutes. It is never shown again.
 *
 * The till will make and watch charges for `account`; with `may_refund` it may give back what that was paid.
 */
export interface CreatePairingCode {
  readonly type: "create_pairing_code";
  readonly id: number;
  readonly account: number;
  readonly name: string;
  readonly may_refund?: boolean;
  readonly person?: string;
}

/** A merchant's tills: those that live first, each group newest first. */
export interface ReadTerminals {
  readonly type: "terminals";
  readonly id: number;
  readonly person?: string;
}

/** Name a till anew, or change whether it may refund. With another right it has to log in again. */
export interface ChangeTerminal {
  readonly type: "change_terminal";
  readonly id: number;
  readonly terminal: string;
  readonly name?: string;
  readonly may_refund?: boolean;
}

/** End a till for good. Its sockets are closed. */
export interface RevokeTerminal {
  readonly type: "revoke_terminal";
  readonly id: number;
  readonly terminal: string;
}

/**
 * Merchants: invite somebody to act for you, within scopes, by their own log-in. It lapses after seven days.
 *
 * Name one of their `login` and an `account` of theirs. Whether there is anybody is not told: an invitation to nobody
 * is answered and listed like any other. `name`: what you call the seat.
 */
export interface InviteSeat {
  readonly type: "invite_seat";
  readonly id: number;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly login?: string;
  readonly account?: number;
  readonly person?: string;
}

/** A merchant's seats and invitations, newest first; those that ended stand last. */
export interface ReadSeats {
  readonly type: "seats";
  readonly id: number;
  readonly person?: string;
}

/** Call a seat something else, or give it other scopes; by those, all that it opened ends and begins anew. */
export interface ChangeSeat {
  readonly type: "change_seat";
  readonly id: number;
  readonly seat: string;
  readonly name?: string;
  readonly scopes?: readonly Scope[];
}

/** End a seat for good, or take an invitation back. What it opened is closed. */
export interface EndSeat {
  readonly type: "end_seat";
  readonly id: number;
  readonly seat: string;
}

/** What you are invited to, and then the seats that you hold, each newest first. */
export interface ReadOwnSeats {
  readonly type: "own_seats";
  readonly id: number;
}

/** Take the seat that you were invited to. From then on the merchant sees your name. */
export interface AcceptSeat {
  readonly type: "accept_seat";
  readonly id: number;
  readonly seat: string;
}

/** Decline an invitation, which the merchant is not told, or leave a seat; what it opened is closed. */
export interface LeaveSeat {
  readonly type: "leave_seat";
  readonly id: number;
  readonly seat: string;
}

/**
 * A token that speaks for the seat's merchant, within its scopes; everything done by it names you.
 *
 * Ask again for the next one, with a token of your own: it is the same session as long as your log-in lasts, so a live
 * socket takes it by `renew`. What you proved lately counts there, too; to prove it anew, step up here and ask again.
 */
export interface ActInSeat {
  readonly type: "act_in_seat";
  readonly id: number;
  readonly seat: string;
}

/** Merchants: have a server told what happens from now on. Its secret is in the answer and is never shown again. */
export interface CreateWebhook {
  readonly type: "create_webhook";
  readonly id: number;
  readonly url: string;
  readonly description?: string;
  readonly events?: readonly EventName[];
  readonly accounts?: readonly number[];
  readonly person?: string;
}

/** What happened, as the account sees it that the event belongs to. The words of the wire. */
export type EventName = "charge.paid" | "dispute.charged_back" | "dispute.held" | "dispute.released" | "fee.kept" | "fee.returned" | "hold.captured" | "hold.expired" | "hold.placed" | "hold.voided" | "payment.received" | "payment.reversed" | "payment.sent" | "refund.received" | "refund.sent" | "review.declined" | "review.opened" | "review.released";

/** A merchant's webhooks, newest first. */
export interface ReadWebhooks {
  readonly type: "webhooks";
  readonly id: number;
  readonly person?: string;
}

/** Change what is given and leave the rest. `active`: false stops it; true lets it go on where it stopped. */
export interface ChangeWebhook {
  readonly type: "change_webhook";
  readonly id: number;
  readonly webhook: string;
  readonly url?: string;
  readonly description?: string;
  readonly events?: readonly EventName[];
  readonly accounts?: readonly number[];
  readonly active?: boolean;
}

/** A new secret, shown once. For a day both sign; then the new one alone. */
export interface RotateWebhookSecret {
  readonly type: "rotate_webhook_secret";
  readonly id: number;
  readonly webhook: string;
}

/** Remove a webhook, with what was tried there. */
export interface DeleteWebhook {
  readonly type: "delete_webhook";
  readonly id: number;
  readonly webhook: string;
}

/** Send a signed `webhook.test` there now, and be told what came back. */
export interface TestWebhook {
  readonly type: "test_webhook";
  readonly id: number;
  readonly webhook: string;
}

/** What was tried in the last seven days, newest first, a thousand at most; and what was set aside. */
export interface ReadWebhookAttempts {
  readonly type: "webhook_attempts";
  readonly id: number;
  readonly webhook: string;
  readonly before?: number;
  readonly limit?: number;
}

/**
 * Send events again: from `number` of the `account` on, or from a moment (`since`) on, of it or of all accounts.
 *
 * `only`: this one event alone, beside what comes in order.
 */
export interface ReplayWebhook {
  readonly type: "replay_webhook";
  readonly id: number;
  readonly webhook: string;
  readonly account?: number;
  readonly number?: number;
  readonly since?: string;
  readonly only?: boolean;
}

/**
 * Operators: let people come in with what an OpenID provider says, from the next log-in on.
 *
 * `claim` says who somebody is: an id of the provider's own (`external_id`, best `sub`), or a `login` of yours; of
 * `email`, only addresses that the provider has verified. `opens_people`: whoever is unknown becomes a customer.
 * `admits_operators`: it is enough for operators, too, and all others of the staff.
 */
export interface SetIdentityProvider {
  readonly type: "set_identity_provider";
  readonly id: number;
  readonly provider: string;
  readonly issuer: string;
  readonly audience: string;
  readonly claim: string;
  readonly names: "external_id" | "login";
  readonly algorithms: readonly ("ES256" | "EdDSA" | "RS256")[];
  readonly opens_people?: boolean;
  readonly admits_operators?: boolean;
}

/** Operators, auditors: the providers that are believed. */
export interface ReadIdentityProviders {
  readonly type: "identity_providers";
  readonly id: number;
}

/** Operators: believe a provider no longer, and forget who its people were. Sessions go on. */
export interface RemoveIdentityProvider {
  readonly type: "remove_identity_provider";
  readonly id: number;
  readonly provider: string;
}

/** Operators: let a person come in with this identity of a provider's. */
export interface LinkIdentity {
  readonly type: "link_identity";
  readonly id: number;
  readonly provider: string;
  readonly person: string;
  readonly external_id: string;
}

/** Operators: let a person come in by this provider no longer. Sessions go on. */
export interface UnlinkIdentity {
  readonly type: "unlink_identity";
  readonly id: number;
  readonly provider: string;
  readonly person: string;
}

/**
 * A person as they are known: yourself. Operators and support: anybody, and that they looked is written down.
 *
 * Support sees documents and contacts masked, says why, and sees what somebody has for a case alone.
 */
export interface ReadPerson {
  readonly type: "read_person";
  readonly id: number;
  readonly person: string;
  readonly reason?: "correction" | "dispute" | "fraud_check" | "identification" | "legal_duty" | "operation" | "own_request";
  readonly case?: string;
}

/**
 * Operators and support: who has this document, contact, login, account or name. One of them, and whole.
 *
 * What is sealed is found by a keyed hash of all of it: nobody is found by the beginning of a name. Capitals and
 * accents of names do not matter. At most twenty are told; each search is written down.
 */
export interface FindPeople {
  readonly type: "find_people";
  readonly id: number;
  readonly cpf?: string;
  readonly cnpj?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly login?: string;
  readonly account?: number;
  readonly name?: string;
  readonly reason?: "correction" | "dispute" | "fraud_check" | "identification" | "legal_duty" | "operation" | "own_request";
  readonly case?: string;
}

/**
 * Say something of yourself anew, or take it away; what was before is kept. Operators: of anybody, and say why.
 *
 * Who you are (documents, names, birth date, category) you say until the tenant has looked at it; then ask support.
 * A contact that was changed has to be confirmed again.
 */
export interface EditProfile {
  readonly type: "edit_profile";
  readonly id: number;
  readonly person: string;
  readonly name?: string;
  readonly cpf?: string;
  readonly cnpj?: string;
  readonly legal_name?: string;
  readonly trade_name?: string;
  readonly category?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly birth_date?: string;
  readonly address?: Address;
  readonly remove?: readonly ("address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name")[];
  readonly reason?: "correction" | "dispute" | "fraud_check" | "identification" | "legal_duty" | "operation" | "own_request";
  readonly case?: string;
}

/**
 * Where somebody lives, or a merchant is at home. `country`: two letters (ISO 3166-1).
 *
 * In Brazil, `postal_code` is a CEP and `state` two letters.
 */
export interface Address {
  readonly street: string;
  readonly city: string;
  readonly postal_code: string;
  readonly country: string;
  readonly number?: string;
  readonly complement?: string;
  readonly district?: string;
  readonly state?: string;
}

/**
 * What was known of a person, newest first: yourself. Operators and support: anybody, as with read_person.
 *
 * The next page begins before `before`, `before_field` and `before_number`, which come together.
 */
export interface ReadProfileHistory {
  readonly type: "profile_history";
  readonly id: number;
  readonly person: string;
  readonly field?: "address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name";
  readonly before?: string;
  readonly before_field?: "address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name";
  readonly before_number?: number;
  readonly limit?: number;
  readonly reason?: "correction" | "dispute" | "fraud_check" | "identification" | "legal_duty" | "operation" | "own_request";
  readonly case?: string;
}

/**
 * Operators: say how somebody stands, and why. Their accounts follow in the same moment, their sockets hear of it.
 *
 * pending: read, and be paid (what else, the tenant says). active: everything. blocked: log in and read. closed:
 * nothing, for good; whoever still has money cannot be closed. `reason` is one of those that fit the status: active:
 * identified, cleared, own_wish, court_order; pending: not_identified, under_review; blocked: own_wish, access_lost,
 * suspected_fraud, under_review, court_order, terms_broken, deceased; closed: own_wish, not_identified,
 * suspected_fraud, court_order, terms_broken, duplicate, deceased.
 */
export interface SetPersonStatus {
  readonly type: "set_person_status";
  readonly id: number;
  readonly person: string;
  readonly status: "active" | "blocked" | "closed" | "pending";
  readonly reason: "access_lost" | "cleared" | "court_order" | "deceased" | "duplicate" | "identified" | "not_identified" | "own_wish" | "suspected_fraud" | "terms_broken" | "under_review";
  readonly case?: string;
}

/** Have a code sent to a contact of yours. It lasts a quarter of an hour and five tries; the last one counts. */
export interface SendConfirmation {
  readonly type: "send_confirmation";
  readonly id: number;
  readonly contact: "email" | "phone";
}

/** Confirm a contact of yours by the code that was sent to it. From then on, nobody else's in the tenant is it. */
export interface ConfirmContact {
  readonly type: "confirm_contact";
  readonly id: number;
  readonly contact: "email" | "phone";
  readonly code: string;
}

/**
 * Operators: give somebody a role; their sessions end, and begin anew with it. Never one's own.
 *
 * Where the tenant wants two operators to agree on staff, the first one asks, and it is done when another one says the
 * same within a week.
 */
export interface SetRole {
  readonly type: "set_role";
  readonly id: number;
  readonly person: string;
  readonly role: string;
  readonly case?: string;
}

/** Operators and auditors: roles that wait for a second operator, oldest first. */
export interface ReadRoleRequests {
  readonly type: "role_requests";
  readonly id: number;
}

/** Operators and auditors: what the tenant asks of its people. */
export interface ReadPeopleSettings {
  readonly type: "people_settings";
  readonly id: number;
}

/**
 * Operators: change what the tenant asks of its people; what is left out stays.
 *
 * `customers_begin_pending`, `merchants_begin_pending`: whoever registers waits for an operator; whoever names a CPF
 * does so anyway, for else it would show whether somebody has it. `pending_are_paid`, `pending_pay`: what they may
 * meanwhile. `customers_need`, `merchants_need`: what they have to say of themselves. `needs_second_operator`: for a
 * role among the staff; only the administrator gives that up again.
 */
export interface SetPeopleSettings {
  readonly type: "set_people_settings";
  readonly id: number;
  readonly customers_begin_pending?: boolean;
  readonly merchants_begin_pending?: boolean;
  readonly pending_are_paid?: boolean;
  readonly pending_pay?: boolean;
  readonly customers_need?: readonly ("address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name")[];
  readonly merchants_need?: readonly ("address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name")[];
  readonly needs_second_operator?: boolean;
}

/**
 * The audit trail, newest first. Operators and auditors: the tenant's, and that they read it is written down.
 *
 * Anybody else: what they did, and what was done to their profile, contacts, role and sessions; not who of the staff
 * it was, nor why. The next page begins before `before` and `before_entry`, which come together.
 */
export interface ReadTrail {
  readonly type: "trail";
  readonly id: number;
  readonly who?: string;
  readonly what?: string;
  readonly about?: string;
  readonly since?: string;
  readonly before?: string;
  readonly before_entry?: string;
  readonly limit?: number;
}

/** What you were told, newest first, below `before`; with `after`, what came after that number, oldest first. */
export interface ReadNotices {
  readonly type: "notices";
  readonly id: number;
  readonly after?: number;
  readonly before?: number;
  readonly limit?: number;
}

/**
 * You have seen your notices up to `number`: they are told on no other road. Not those of what this session did.
 */
export interface HearNotices {
  readonly type: "hear_notices";
  readonly id: number;
  readonly number: number;
}

/**
 * Be told here when no socket is: this app, or this browser, as long as you are logged in here.
 *
 * apple: `address` (the device token) in hexadecimal, `topic` (the app's bundle id), `sandbox` for one that was built
 * for development. firebase: `address`. web: `endpoint`, `p256dh` and `auth` of a PushSubscription. Whoever had this
 * phone before hears nothing there any more.
 */
export interface RegisterPhone {
  readonly type: "register_phone";
  readonly id: number;
  readonly provider: "apple" | "firebase" | "web";
  readonly language: "en" | "pt";
  readonly address?: string;
  readonly topic?: string;
  readonly sandbox?: boolean;
  readonly endpoint?: string;
  readonly p256dh?: string;
  readonly auth?: string;
}

/** The key that a browser subscribes to pushes with, before it is registered. */
export interface ReadPushKey {
  readonly type: "push_key";
  readonly id: number;
}

/** Where you are told by push, the newest first. */
export interface ReadPhones {
  readonly type: "phones";
  readonly id: number;
}

/** Be told nothing more at one of your phones. */
export interface ForgetPhone {
  readonly type: "forget_phone";
  readonly id: number;
  readonly phone: string;
}

/** How you are told. */
export interface ReadNoticeSettings {
  readonly type: "notice_settings";
  readonly id: number;
}

/**
 * Say how you want to be told; what you leave out is as the tenant has it.
 *
 * `quiet_from` and `quiet_to` go together. They hold back, and `muted` turns off, only what can wait: never money, and
 * never a warning.
 */
export interface SetNoticeSettings {
  readonly type: "set_notice_settings";
  readonly id: number;
  readonly language?: "en" | "pt";
  readonly quiet_from?: string;
  readonly quiet_to?: string;
  readonly muted?: readonly ("export_ready" | "news" | "seat_offered" | "webhook_disabled")[];
}

/** Operators: how each kind of notice climbs. */
export interface ReadLadders {
  readonly type: "ladders";
  readonly id: number;
}

/**
 * Operators: let a kind of notice climb so, from the next one on.
 *
 * The socket has `socket_s` seconds alone, then the phone `push_s` before the mail is written. Money and warnings keep
 * at least one road.
 */
export interface SetLadder {
  readonly type: "set_ladder";
  readonly id: number;
  readonly kind: "bulk_finished" | "charge_paid" | "charged_back" | "claimed" | "contact_changed" | "contact_code" | "dispute_held" | "dispute_opened" | "dispute_released" | "export_ready" | "factor_enrolled" | "factor_removed" | "hold_captured" | "hold_ended" | "hold_expiring" | "hold_placed" | "in_review" | "limit_raised" | "new_device" | "news" | "passkey_copied" | "password_changed" | "payment_received" | "payment_refused" | "payment_reversed" | "payment_sent" | "recovery_code_used" | "refund_received" | "refund_sent" | "review_declined" | "review_released" | "seat_offered" | "seat_taken" | "second_factor_refused" | "webhook_disabled";
  readonly socket_s: number;
  readonly push_s: number;
  readonly has_push: boolean;
  readonly has_mail: boolean;
}

/**
 * Operators: pushes and mails that were set aside, newest first: refused for good, or tried too often.
 *
 * `before` and `before_delivery` are the last page's `next_before` and `next_delivery`.
 */
export interface ReadDeadDeliveries {
  readonly type: "dead_deliveries";
  readonly id: number;
  readonly before?: string;
  readonly before_delivery?: string;
  readonly limit?: number;
}

/** Operators: send again, under the same ids, what was set aside; all of it without `deliveries`. */
export interface RetryDeliveries {
  readonly type: "retry_deliveries";
  readonly id: number;
  readonly deliveries?: readonly string[];
}

/**
 * Operators: tell something to everybody who agreed to a purpose of consent, and has not turned news off.
 *
 * `news`: a UUID of yours; sent again, it is told nobody twice. Paragraphs of `text` have empty lines between. Quiet
 * hours are kept, and whoever follows the link in its mail has taken their consent back. Three times a day at most.
 */
export interface SendNews {
  readonly type: "send_news";
  readonly id: number;
  readonly news: string;
  readonly purpose: string;
  readonly title: string;
  readonly text: string;
}

/** Operators: what was sent, newest first. `before`: the last page's `next_before`. */
export interface ReadNews {
  readonly type: "news";
  readonly id: number;
  readonly before?: string;
  readonly limit?: number;
}

/**
 * Operators and auditors: a payment from all sides, beside read_payment and read_proof.
 *
 * Each step with whoever asked for it, refused ones too; every entry that they made; what rules decided; its disputes;
 * what its people were told, and what their webhooks were.
 */
export interface ExplainPayment {
  readonly type: "explain_payment";
  readonly id: number;
  readonly payment: string;
}

/**
 * Operators and auditors: money that is reserved, what ends first at the top; but for reviews, which are a queue.
 *
 * `after` and `after_payment` are the last page's `next_after` and `next_payment`.
 */
export interface ReadHolds {
  readonly type: "holds";
  readonly id: number;
  readonly after?: string;
  readonly after_payment?: string;
  readonly limit?: number;
}

/** Operators and auditors: whose an account is, and under which limits and terms it stands. */
export interface ReadConditions {
  readonly type: "account_conditions";
  readonly id: number;
  readonly account: number;
}

/**
 * Operators and auditors: the tenant's payments of the last two minutes, second by second, all hubs together.
 *
 * On a socket, with `watch`, each further second is told as it ends, as `traffic_second`.
 */
export interface ReadTraffic {
  readonly type: "traffic";
  readonly id: number;
  readonly watch?: boolean;
}

/**
 * Operators and auditors: who is connected, and who left lately and why. That you looked is written down.
 *
 * `person`: of one person alone. Of each hub at most `limit` of either are told, the latest first.
 */
export interface ReadConnections {
  readonly type: "connections";
  readonly id: number;
  readonly person?: string;
  readonly limit?: number;
}

/** What is held about the speaker, in short: which kinds, how much of each, why, for how long (art. 19, I). */
export interface ReadData {
  readonly type: "my_data";
  readonly id: number;
  readonly language?: "en" | "pt";
}

/**
 * Ask for everything that is held about the speaker, as JSON and as PDF (art. 18, II and V; art. 19, II).
 *
 * One at a time and a few a day. The files are the speaker's to fetch for seven days, over HTTP.
 */
export interface AskExport {
  readonly type: "ask_export";
  readonly id: number;
  readonly export: string;
  readonly language?: "en" | "pt";
}

/** An export as it stands. With `watch`, the socket is told of its progress until it is ready. */
export interface ReadExport {
  readonly type: "export";
  readonly id: number;
  readonly export: string;
  readonly watch?: boolean;
}

/** The speaker's exports, newest first, before the one called `before`. */
export interface ReadExports {
  readonly type: "exports";
  readonly id: number;
  readonly before?: string;
  readonly limit?: number;
}

/** Who was told what about the speaker (art. 18, VII), newest first, before the one called `before`. */
export interface ReadDisclosures {
  readonly type: "disclosures";
  readonly id: number;
  readonly before?: string;
  readonly limit?: number;
}

/** What erasing the speaker would meet, or what became of it. Operators may name somebody else. */
export interface ReadErasure {
  readonly type: "erasure";
  readonly id: number;
  readonly person?: string;
}

/**
 * End the relationship and erase the speaker (art. 18, VI): for good, as far as nothing obliges to keep it.
 *
 * `person` says again who it is: the speaker or, for operators who were asked to, somebody else. Accounts are closed
 * and sessions end; what the law obliges to keep is kept until its day, and nobody can use it meanwhile.
 */
export interface Erase {
  readonly type: "erase";
  readonly id: number;
  readonly person: string;
}

/**
 * Ask for consent in these words from now on, in Portuguese and English. For operators.
 *
 * `asks_again`: what was given to earlier words no longer counts. `open` false: it is asked for no more, and what was
 * given counts no more.
 */
export interface SetPurpose {
  readonly type: "set_consent_purpose";
  readonly id: number;
  readonly purpose: string;
  readonly title_pt: string;
  readonly text_pt: string;
  readonly title_en: string;
  readonly text_en: string;
  readonly asks_again?: boolean;
  readonly open?: boolean;
}

/** What the tenant asks consent for, and what the speaker says to it. */
export interface ReadPurposes {
  readonly type: "consent_purposes";
  readonly id: number;
}

/** Agree to a purpose, in the version of its text that was read. */
export interface GiveConsent {
  readonly type: "give_consent";
  readonly id: number;
  readonly purpose: string;
  readonly version: number;
}

/** Take consent back, whatever version it was given to. What rests on it alone stops at once. */
export interface RevokeConsent {
  readonly type: "revoke_consent";
  readonly id: number;
  readonly purpose: string;
}

/** All that the speaker ever allowed or took back, newest first, before one of those changes: all three values. */
export interface ReadConsents {
  readonly type: "consents";
  readonly id: number;
  readonly before_at?: string;
  readonly before_purpose?: string;
  readonly before_number?: number;
  readonly limit?: number;
}

/**
 * Ask the institution for something that takes a person to answer. It is due within fifteen days.
 *
 * A correction names its `field`. What can be had without asking: `my_data`, `ask_export`, `disclosures`, `erase`.
 */
export interface MakeRequest {
  readonly type: "make_privacy_request";
  readonly id: number;
  readonly request: string;
  readonly right: "access" | "blocking" | "confirmation" | "correction" | "objection" | "other" | "review" | "sharing";
  readonly field?: "address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "login" | "name" | "other" | "phone" | "trade_name";
  readonly text?: string;
}

/** A request as it stands. Operators may read everybody's, and it is written down that they did. */
export interface ReadRequest {
  readonly type: "privacy_request";
  readonly id: number;
  readonly request: string;
}

/**
 * The speaker's requests, newest first. With `open`, for operators: everybody's open ones, the most urgent first.
 *
 * With `watch`, an operator's socket is told when some are due soon or late (`privacy_alert`).
 */
export interface ReadRequests {
  readonly type: "privacy_requests";
  readonly id: number;
  readonly open?: boolean;
  readonly watch?: boolean;
  readonly before?: string;
  readonly limit?: number;
}

/**
 * Answer a person's request. For operators; nobody answers their own.
 *
 * With `correct`, a correction that was asked for is made, in the profile and its history, and then answered.
 */
export interface AnswerRequest {
  readonly type: "answer_privacy_request";
  readonly id: number;
  readonly request: string;
  readonly status: "granted" | "partly_granted" | "refused";
  readonly answer: string;
  readonly correct?: Corrected;
}

/** The one field that a correction asks for, as it is to be. */
export interface Corrected {
  readonly name?: string;
  readonly cpf?: string;
  readonly cnpj?: string;
  readonly legal_name?: string;
  readonly trade_name?: string;
  readonly category?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly birth_date?: string;
  readonly address?: Address;
}

/** Let one's own request be. */
export interface WithdrawRequest {
  readonly type: "withdraw_privacy_request";
  readonly id: number;
  readonly request: string;
}

/**
 * Write an incident down, and find whom it concerns. The clocks run from `known_at`.
 *
 * `scope` store: everything that was there by `ended_at`, as when a copy got out; traffic: what came about from
 * `began_at` to `ended_at`. `tables`: what was hit; none: all personal data. `keys_too`: their keys were hit as well.
 */
export interface RecordIncident {
  readonly type: "record_incident";
  readonly id: number;
  readonly incident: string;
  readonly known_at: string;
  readonly began_at: string;
  readonly ended_at: string;
  readonly scope: "store" | "traffic";
  readonly notes: IncidentNotes;
  readonly tables?: readonly string[];
  readonly keys_too?: boolean;
}

/** What the institution says of it. `not_told_why`: that nobody has to be told, and why (art. 10, § 1, VIII). */
export interface IncidentNotes {
  readonly what: string;
  readonly cause?: string;
  readonly measures_before?: string;
  readonly measures_after?: string;
  readonly risks?: string;
  readonly mitigation?: string;
  readonly delay?: string;
  readonly not_told_why?: string;
  readonly vulnerable?: string;
}

/** Add what was learned or done since, as a revision. What is left out stays as it was. */
export interface ReviseIncident {
  readonly type: "revise_incident";
  readonly id: number;
  readonly incident: string;
  readonly notes?: IncidentNotes;
  readonly told_authority_at?: string;
  readonly told_persons_at?: string;
}

/** An incident as it is known now. The drafts and the list of persons are files, over HTTP. */
export interface ReadIncident {
  readonly type: "incident";
  readonly id: number;
  readonly incident: string;
}

/** The register, the latest known first, before the incident `before`. */
export interface ReadIncidents {
  readonly type: "incidents";
  readonly id: number;
  readonly before?: string;
  readonly limit?: number;
}

/** Ids of whom an incident concerns, in their order, after `after`. */
export interface ReadIncidentPersons {
  readonly type: "incident_persons";
  readonly id: number;
  readonly incident: string;
  readonly after?: string;
  readonly limit?: number;
}

/**
 * The session is live until `expires_at`, unless renewed. `status`: how you stand, if you are not active.
 *
 * `notices`: the number of your last notice, if you were left any; later ones are told as they come. `actor`: from a
 * seat, who you are, while `person` is the merchant that you speak for.
 */
export interface Welcome {
  readonly type: "welcome";
  readonly person: string;
  readonly name: string;
  readonly role: string;
  readonly tenant: string;
  readonly currency: string;
  readonly accounts: readonly AccountState[];
  readonly expires_at: string;
  readonly at: string;
  readonly notices?: number;
  readonly status?: string;
  readonly actor?: string;
}

/**
 * An account as it stands after its event `number`.
 *
 * `posted` is the balance of all entries, `held` the part of it that is reserved by holds, `available` what a payment
 * may take.
 */
export interface AccountState {
  readonly account: number;
  readonly posted: number;
  readonly held: number;
  readonly available: number;
  readonly floor: number;
  readonly number: number;
  readonly status: string;
}

/** The session is live until `expires_at`. */
export interface Renewed {
  readonly type: "renewed";
  readonly id: number;
  readonly expires_at: string;
}

/**
 * The answer to a payment or a step: `posted` after its commit, `in_review` when a rule set it aside, a refusal,
 * or `unknown`: ask again with the same id.
 *
 * `balance` (after) and `number` are the payer's, or the payee's where the payee takes the step (capture, void); they
 * are there when it was done. `held`: what is reserved on that account after, if it changed. `amount`: what it was
 * for, where the ledger says it. `fee`: what was kept of the amount; negative: given back. `rule`: who decided.
 * `receipt`: signed proof of what was done now; of what was done before, read_proof gives it.
 */
export interface Paid {
  readonly type: "payment";
  readonly id: number;
  readonly payment: string;
  readonly status: string;
  readonly at?: string;
  readonly balance?: number;
  readonly number?: number;
  readonly held?: number;
  readonly amount?: number;
  readonly fee?: number;
  readonly rule?: number;
  readonly receipt?: string;
}

/** One account. */
export interface AccountAnswer {
  readonly type: "account_state";
  readonly id: number;
  readonly account: AccountState;
}

/** All of the person's accounts. */
export interface AccountsAnswer {
  readonly type: "account_states";
  readonly id: number;
  readonly accounts: readonly AccountState[];
}

/** A balance, as it stood after event `number`: what is posted, the part that is held, what is available. */
export interface BalanceAnswer {
  readonly type: "balance_state";
  readonly id: number;
  readonly account: number;
  readonly posted: number;
  readonly held: number;
  readonly available: number;
  readonly number: number;
}

/** A page of entries, newest first. `next` is the `before` of the next page; none: this was the last. */
export interface HistoryAnswer {
  readonly type: "history_page";
  readonly id: number;
  readonly account: number;
  readonly entries: readonly EntryState[];
  readonly next?: number;
}

/**
 * What a payment, or a step in its life, did to one account: negative when money left.
 *
 * `what` names it, as seen from this account (hub/protocol/codes.py lists the names). `balance` is the balance after,
 * `held` what is reserved on the account after, where that changed. `fee` was kept of the amount on its way.
 * `about`: of a later step, the payment it belongs to. `charge`: the charge that was paid.
 */
export interface EntryState {
  readonly number: number;
  readonly payment: string;
  readonly what: string;
  readonly amount: number;
  readonly counterparty: number;
  readonly balance: number;
  readonly at: string;
  readonly description?: string;
  readonly about?: string;
  readonly charge?: string;
  readonly hold?: number;
  readonly held?: number;
  readonly fee?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A person's own profile. */
export interface ProfileAnswer {
  readonly type: "profile_state";
  readonly id: number;
  readonly person: string;
  readonly name: string;
  readonly role: string;
  readonly tenant: string;
  readonly currency: string;
}

/** The name behind an account number. */
export interface PayeeAnswer {
  readonly type: "payee_name";
  readonly id: number;
  readonly account: number;
  readonly name: string;
}

/** Events follow, from the one after `number`; the last one there is now is `latest`. */
export interface Following {
  readonly type: "following";
  readonly id: number;
  readonly account: number;
  readonly number: number;
  readonly latest: number;
  readonly posted: number;
}

/** No more events of this account. */
export interface Unfollowed {
  readonly type: "unfollowed";
  readonly id: number;
  readonly account: number;
}

/**
 * Something happened on a followed account: an entry, as it is made. `what` names it: charge.paid, hold.placed…
 *
 * Numbers have no gap: a jump means that something was missed.
 */
export interface Event {
  readonly type: "event";
  readonly account: number;
  readonly number: number;
  readonly payment: string;
  readonly what: string;
  readonly amount: number;
  readonly counterparty: number;
  readonly balance: number;
  readonly at: string;
  readonly description?: string;
  readonly about?: string;
  readonly charge?: string;
  readonly hold?: number;
  readonly held?: number;
  readonly fee?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Payments in doubt, settled; the events of the followed accounts come after this. */
export interface Resumed {
  readonly type: "resumed";
  readonly id: number;
  readonly settled: readonly SettledPayment[];
  readonly following: readonly AccountState[];
}

/** What became of a payment in doubt. */
export interface SettledPayment {
  readonly payment: string;
  readonly status: string;
  readonly at: string;
  readonly balance?: number;
  readonly number?: number;
}

/** I am here; my clock says `at`. */
export interface Pong {
  readonly type: "pong";
  readonly id: number;
  readonly at: string;
}

/** A person was entered, with one account. */
export interface PersonOpened {
  readonly type: "person_opened";
  readonly id: number;
  readonly person: string;
  readonly account: number;
}

/** The account's floor from now on. */
export interface FloorSet {
  readonly type: "floor_set";
  readonly id: number;
  readonly account: number;
  readonly floor: number;
}

/** This hub is about to restart. Come back after `retry_after_ms`; each client gets its own moment. */
export interface Draining {
  readonly type: "draining";
  readonly retry_after_ms: number;
}

/** The command with this id was not carried out and changed nothing, unless the code is outcome_unknown. */
export interface Refused {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
  readonly id?: number;
  readonly field?: string;
  readonly retry_after_ms?: number;
  readonly at?: string;
}

/** Whether they were posted, and what became of each: where one was refused, the others are `linked_refused`. */
export interface Linked {
  readonly type: "linked";
  readonly id: number;
  readonly posted: boolean;
  readonly payments: readonly Outcome[];
}

/** What became of one payment or step, or what would. */
export interface Outcome {
  readonly payment: string;
  readonly status: string;
  readonly balance?: number;
  readonly number?: number;
  readonly amount?: number;
  readonly fee?: number;
  readonly held?: number;
  readonly rule?: number;
  readonly receipt?: string;
}

/**
 * What would become of each, and every entry that would be made.
 *
 * A dispute's steps have ids of their own, drawn anew when it is done. `dispute`: how it would stand.
 */
export interface Tried {
  readonly type: "tried";
  readonly id: number;
  readonly payments: readonly Outcome[];
  readonly entries: readonly EntryTried[];
  readonly dispute?: DisputeState;
}

/** An entry that would be made. Balances and numbers are told of accounts that you may see. */
export interface EntryTried {
  readonly account: number;
  readonly payment: string;
  readonly what: string;
  readonly amount: number;
  readonly counterparty: number;
  readonly hold?: number;
  readonly fee?: number;
  readonly number?: number;
  readonly balance?: number;
  readonly held?: number;
}

/**
 * A dispute as it stands.
 *
 * `held` is reserved on the payee's account, `offered` is the payee's answer, `awarded` the decision; of it,
 * `charged_back` is with the payer and `owed` is not yet, because it is not claimed or the payee has too little.
 * `overdue`: a clock has run out and an operator must act. Times that lie ahead are deadlines: what comes at the very
 * moment is in time. `closed_at`: nothing more will happen.
 */
export interface DisputeState {
  readonly dispute: string;
  readonly payment: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly reason: string;
  readonly profile: string;
  readonly status: string;
  readonly held: number;
  readonly charged_back: number;
  readonly owed: number;
  readonly overdue: boolean;
  readonly opened_by: string;
  readonly opened_at: string;
  readonly answer_due_at: string;
  readonly decision_due_at: string;
  readonly text?: string;
  readonly offered?: number;
  readonly answer?: string;
  readonly answered_at?: string;
  readonly awarded?: number;
  readonly note?: string;
  readonly decided_at?: string;
  readonly claim_due_at?: string;
  readonly claimed_at?: string;
  readonly refund_due_at?: string;
  readonly collect_until?: string;
  readonly closed_at?: string;
}

/** One charge. */
export interface ChargeAnswer {
  readonly type: "charge_state";
  readonly id: number;
  readonly charge: ChargeState;
}

/**
 * A charge as it stands: open, paid, cancelled or expired.
 *
 * `code` is the text for its QR code (a BR Code; where the money is no real, the link), `link` its page. In a list
 * neither is told. `reference`, `paid_count` and `paid_amount` are the payee's to know.
 */
export interface ChargeState {
  readonly charge: string;
  readonly payee: number;
  readonly status: string;
  readonly reusable: boolean;
  readonly created_at: string;
  readonly code?: string;
  readonly link?: string;
  readonly name?: string;
  readonly amount?: number;
  readonly description?: string;
  readonly expires_at?: string;
  readonly reference?: string;
  readonly paid_count?: number;
  readonly paid_amount?: number;
}

/** A page of charges, newest first. `next` is the `before` of the next page; none: this was the last. */
export interface ChargesAnswer {
  readonly type: "charge_states";
  readonly id: number;
  readonly account: number;
  readonly charges: readonly ChargeState[];
  readonly next?: string;
}

/** A bulk. */
export interface BulkAnswer {
  readonly type: "bulk_state";
  readonly id: number;
  readonly bulk: BulkState;
}

/**
 * A bulk as it stands. `lines` were read, `good` of them can be posted, and sum up to `amount`.
 *
 * `through` is the last line that was judged; `posted` and `refused` count, `posted_amount` sums up. An atomic bulk
 * that failed says by which line and by which payment status.
 */
export interface BulkState {
  readonly bulk: string;
  readonly account: number;
  readonly atomic: boolean;
  readonly status: "approved" | "cancelled" | "checked" | "failed" | "finished" | "posting" | "receiving";
  readonly maker: string;
  readonly lines: number;
  readonly good: number;
  readonly bad: number;
  readonly amount: number;
  readonly through: number;
  readonly posted: number;
  readonly posted_amount: number;
  readonly refused: number;
  readonly created_at: string;
  readonly checked_at?: string;
  readonly approved_at?: string;
  readonly finished_at?: string;
  readonly approver?: string;
  readonly failed_line?: number;
  readonly failed_code?: string;
}

/** Bulks, newest first. `next` is the `before` of the next page; none: this was the last. */
export interface BulksAnswer {
  readonly type: "bulk_states";
  readonly id: number;
  readonly bulks: readonly BulkState[];
  readonly next?: string;
}

/** Lines and what became of them. `next` is the `after` of the next page; none: this was the last. */
export interface BulkReport {
  readonly type: "bulk_report_page";
  readonly id: number;
  readonly bulk: string;
  readonly lines: readonly LineResult[];
  readonly next?: number;
}

/**
 * A line and what became of it.
 *
 * `status` is its payment's, or `waiting`, `not_posted` where the bulk ended before, `bad`: `code`, `field` say why.
 */
export interface LineResult {
  readonly number: number;
  readonly payer: number;
  readonly status: string;
  readonly payee?: number;
  readonly amount?: number;
  readonly description?: string;
  readonly reference?: string;
  readonly payment?: string;
  readonly code?: string;
  readonly field?: string;
}

/** A watched bulk has moved. `lines` were read so far, or in all; `through` is the last one that was judged. */
export interface BulkProgress {
  readonly type: "bulk_progress";
  readonly bulk: string;
  readonly status: "approved" | "cancelled" | "checked" | "failed" | "finished" | "posting" | "receiving";
  readonly lines: number;
  readonly good: number;
  readonly bad: number;
  readonly through: number;
  readonly posted: number;
  readonly refused: number;
}

/** A schedule after what was asked. */
export interface ScheduleAnswer {
  readonly type: "schedule_state";
  readonly id: number;
  readonly schedule: ScheduleState;
}

/** A schedule as it stands: active, paused, cancelled or completed. `due_at`: its next attempt, if it is active. */
export interface ScheduleState {
  readonly schedule: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly rule: string;
  readonly first_on: string;
  readonly at: string;
  readonly on_closed: string;
  readonly attempts: number;
  readonly retry_after_s: number;
  readonly if_unpaid: string;
  readonly status: string;
  readonly created_at: string;
  readonly day?: number;
  readonly until?: string;
  readonly times?: number;
  readonly description?: string;
  readonly due_at?: string;
}

/** A schedule, its next dates, and what became of the last ones, the latest first. */
export interface ScheduleFileAnswer {
  readonly type: "schedule_file";
  readonly id: number;
  readonly schedule: ScheduleState;
  readonly coming: readonly DateState[];
  readonly outcomes: readonly OutcomeState[];
}

/** One date of a schedule: its number, the day that the rule names, and the moment it is due. */
export interface DateState {
  readonly number: number;
  readonly day: string;
  readonly due_at: string;
}

/** What became of one attempt at one date: the payment and its status. */
export interface OutcomeState {
  readonly day: string;
  readonly attempt: number;
  readonly payment: string;
  readonly status: string;
  readonly at: string;
}

/** A page of schedules, newest first. `next` is the `before` of the next page; none: this was the last. */
export interface SchedulesAnswer {
  readonly type: "schedule_states";
  readonly id: number;
  readonly schedules: readonly ScheduleState[];
  readonly next?: string;
}

/**
 * Dates to come. `holidays`: whether the holidays of the tenant's country are known; if not, only weekends rest.
 */
export interface PreviewAnswer {
  readonly type: "schedule_preview";
  readonly id: number;
  readonly dates: readonly DateState[];
  readonly holidays: boolean;
}

/** A dispute after what was asked. */
export interface DisputeAnswer {
  readonly type: "dispute_state";
  readonly id: number;
  readonly dispute: DisputeState;
}

/** A dispute and all that was brought forward, oldest first. */
export interface DisputeFileAnswer {
  readonly type: "dispute_file";
  readonly id: number;
  readonly dispute: DisputeState;
  readonly evidence: readonly EvidenceState[];
}

/** A piece of evidence; of its file, name, media type and size in bytes. */
export interface EvidenceState {
  readonly evidence: string;
  readonly side: string;
  readonly at: string;
  readonly text?: string;
  readonly name?: string;
  readonly media_type?: string;
  readonly size?: number;
}

/** A page of disputes, newest first. `next` is the `before` of the next page; none: this was the last. */
export interface DisputesAnswer {
  readonly type: "dispute_states";
  readonly id: number;
  readonly disputes: readonly DisputeState[];
  readonly next?: string;
}

/** The piece is in the dispute's file. */
export interface EvidenceAdded {
  readonly type: "evidence_added";
  readonly id: number;
  readonly dispute: string;
  readonly evidence: EvidenceState;
}

/** One piece of evidence; `content`: its file in base64. */
export interface EvidenceAnswer {
  readonly type: "evidence_content";
  readonly id: number;
  readonly dispute: string;
  readonly evidence: EvidenceState;
  readonly content?: string;
}

/** The profile as it holds from now on. */
export interface DisputeProfileSet {
  readonly type: "dispute_profile_set";
  readonly id: number;
  readonly profile: ProfileState;
}

/** The clocks of one kind of dispute, in seconds, and what happens when one runs out. */
export interface ProfileState {
  readonly profile: string;
  readonly default: boolean;
  readonly reasons: readonly string[];
  readonly open_s: number;
  readonly answer_s: number;
  readonly on_no_answer: string;
  readonly decide_s: number;
  readonly on_no_decision: string;
  readonly on_no_claim: string;
  readonly refund_s: number;
  readonly collect_s: number;
  readonly claim_s?: number;
}

/** All kinds of dispute there are. */
export interface DisputeProfilesAnswer {
  readonly type: "dispute_profile_states";
  readonly id: number;
  readonly profiles: readonly ProfileState[];
}

/** The set of limits is there. */
export interface LimitsSet {
  readonly type: "limits_set";
  readonly id: number;
  readonly limits: number;
  readonly name: string;
}

/** The rule holds from now on. */
export interface RuleSet {
  readonly type: "rule_set";
  readonly id: number;
  readonly rule: RuleState;
}

/** A rule as it stands. */
export interface RuleState {
  readonly rule: number;
  readonly limits: number;
  readonly name: string;
  readonly measure: string;
  readonly max: number;
  readonly action: string;
  readonly within_s?: number;
  readonly night_from?: string;
  readonly night_to?: string;
  readonly own_max?: number;
  readonly raise_wait_s?: number;
  readonly off?: boolean;
}

/** All rules, by set. */
export interface RulesAnswer {
  readonly type: "rule_states";
  readonly id: number;
  readonly rules: readonly RuleState[];
}

/** The limits that the account is under from now on; none if they are not said. */
export interface UnderLimits {
  readonly type: "under_limits";
  readonly id: number;
  readonly account: number;
  readonly limits?: number;
}

/** What the account may pay at most. */
export interface OwnLimits {
  readonly type: "own_limit_states";
  readonly id: number;
  readonly account: number;
  readonly limits: readonly LimitState[];
}

/** A limit of an account: what holds now, and what will from a moment on. `own_max`: how high you may set it. */
export interface LimitState {
  readonly measure: string;
  readonly max: number;
  readonly own_max?: number;
  readonly next_max?: number;
  readonly next_from?: string;
}

/** The limit as it stands now. */
export interface OwnLimitSet {
  readonly type: "own_limit_set";
  readonly id: number;
  readonly account: number;
  readonly limit: LimitState;
}

/** The listing holds from `from_at` on. */
export interface PayeeListed {
  readonly type: "payee_listed";
  readonly id: number;
  readonly payee: number;
  readonly listing: string;
  readonly from_at: string;
  readonly account?: number;
}

/** A page. `next` is the `after` of the next page; none: this was the last. */
export interface ListedPayees {
  readonly type: "listed_payee_states";
  readonly id: number;
  readonly account: number;
  readonly payees: readonly ListedPayeeState[];
  readonly next?: number;
}

/** Somebody who is listed: allowed or denied, from that moment on. */
export interface ListedPayeeState {
  readonly payee: number;
  readonly listing: string;
  readonly from_at: string;
}

/** Payments that wait, oldest first. */
export interface Reviews {
  readonly type: "review_states";
  readonly id: number;
  readonly reviews: readonly ReviewState[];
}

/** A payment that waits for an operator, until `until` at the latest, and what set it aside. */
export interface ReviewState {
  readonly payment: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly what: string;
  readonly at: string;
  readonly until: string;
  readonly rule: number;
  readonly measure: string;
  readonly measured: number;
  readonly max: number;
  readonly description?: string;
}

/** What rules have decided, newest first. `next_before` and `next_payment` begin the next page; none: no more. */
export interface Alerts {
  readonly type: "decision_states";
  readonly id: number;
  readonly decisions: readonly DecisionState[];
  readonly next_before?: string;
  readonly next_payment?: string;
}

/** What a rule decided of a payment, and on what grounds. */
export interface DecisionState {
  readonly payment: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly rule: number;
  readonly measure: string;
  readonly measured: number;
  readonly max: number;
  readonly action: string;
  readonly at: string;
}

/** Changed settings, newest first. */
export interface Changes {
  readonly type: "change_states";
  readonly id: number;
  readonly changes: readonly ChangeState[];
}

/** A setting that was changed. `before` and `after` are JSON. */
export interface ChangeState {
  readonly at: string;
  readonly what: string;
  readonly key: string;
  readonly asked_by?: string;
  readonly before?: string;
  readonly after?: string;
}

/** To operators who watch: a rule has decided a payment. */
export interface Alert {
  readonly type: "alert";
  readonly payment: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly rule: number;
  readonly action: string;
  readonly at: string;
}

/** The terms hold from now on. */
export interface TermsSet {
  readonly type: "terms_set";
  readonly id: number;
  readonly terms: TermsState;
}

/** Terms as they stand. */
export interface TermsState {
  readonly terms: number;
  readonly name: string;
  readonly fee_ppm: number;
  readonly fee_fixed: number;
  readonly fee_min: number;
  readonly returns_fee: boolean;
  readonly tip_percent_max: number;
  readonly fee_max?: number;
}

/** All terms. */
export interface TermsAnswer {
  readonly type: "terms_states";
  readonly id: number;
  readonly terms: readonly TermsState[];
}

/** The terms of an account. None: nothing is kept. */
export interface AccountTermsAnswer {
  readonly type: "account_terms_state";
  readonly id: number;
  readonly account: number;
  readonly terms?: TermsState;
}

/** The terms that the account is under from now on; none if they are not said. */
export interface UnderTerms {
  readonly type: "under_terms";
  readonly id: number;
  readonly account: number;
  readonly terms?: number;
}

/** What the account had then, after its event `number`: posted, and the part of it that was held. */
export interface BalanceAtAnswer {
  readonly type: "balance_then";
  readonly id: number;
  readonly account: number;
  readonly at: string;
  readonly posted: number;
  readonly held: number;
  readonly number: number;
}

/** Entries that fit, newest first. `next` is the `before` of the next page; none: that was all. */
export interface SearchAnswer {
  readonly type: "found";
  readonly id: number;
  readonly account: number;
  readonly entries: readonly EntryState[];
  readonly next?: number;
}

/** Sums in minor units. */
export interface TotalsAnswer {
  readonly type: "totals_state";
  readonly id: number;
  readonly account: number;
  readonly count: number;
  readonly sum_in: number;
  readonly sum_out: number;
  readonly fees: number;
}

/** A span for each pair of neighbouring edges. `number`: of the last event that was looked at. */
export interface SalesAnswer {
  readonly type: "sales_state";
  readonly id: number;
  readonly account: number;
  readonly number: number;
  readonly spans: readonly SalesSpan[];
}

/** What was sold and given back in one span, as payers paid and got it; `fees`: kept, less what was returned. */
export interface SalesSpan {
  readonly sales: number;
  readonly amount: number;
  readonly returns: number;
  readonly returned: number;
  readonly fees: number;
}

/** Refused payments, newest first. `next_before` and `next_payment` begin the next page; none: no more. */
export interface RefusalsAnswer {
  readonly type: "refusal_states";
  readonly id: number;
  readonly account: number;
  readonly refusals: readonly RefusalState[];
  readonly next_before?: string;
  readonly next_payment?: string;
}

/** A payment that was not made, and why. */
export interface RefusalState {
  readonly payment: string;
  readonly status: string;
  readonly kind: string;
  readonly payee: number;
  readonly amount: number;
  readonly at: string;
  readonly about?: string;
  readonly rule?: number;
  readonly description?: string;
}

/**
 * A payment's whole life; its steps, oldest first. `next_after`, `next_step` begin the next page; none: no more.
 */
export interface LifeAnswer {
  readonly type: "life";
  readonly id: number;
  readonly life: LifeState;
  readonly steps: readonly StepState[];
  readonly next_after?: string;
  readonly next_step?: string;
}

/**
 * A payment and what its steps add up to. `held`: still reserved; `disputed`: reserved on the payee's account.
 *
 * `by`, `by_name`: to the merchant who paid, who of their people asked for it.
 */
export interface LifeState {
  readonly payment: string;
  readonly kind: string;
  readonly status: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly at: string;
  readonly captured: number;
  readonly refunded: number;
  readonly held?: number;
  readonly disputed?: number;
  readonly fee?: number;
  readonly fee_returned?: number;
  readonly shared?: number;
  readonly expires_at?: string;
  readonly in_review?: boolean;
  readonly about?: string;
  readonly charge?: string;
  readonly rule?: number;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly by?: string;
  readonly by_name?: string;
}

/**
 * A step that was taken in a payment's life. `by`, `by_name`: to the merchant, who of their people asked for it.
 */
export interface StepState {
  readonly payment: string;
  readonly kind: string;
  readonly amount: number;
  readonly at: string;
  readonly fee?: number;
  readonly by?: string;
  readonly by_name?: string;
}

/** The words about an account, as they stand. */
export interface AccountMetadataAnswer {
  readonly type: "account_words";
  readonly id: number;
  readonly account: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Accounts, by number. `next` is the `after` of the next page; none: that was all. */
export interface AccountsFound {
  readonly type: "accounts_found";
  readonly id: number;
  readonly accounts: readonly AccountWords[];
  readonly next?: number;
}

/** An account and the words about it. */
export interface AccountWords {
  readonly account: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * All that proves a payment. Without `receipt` and `log` it is not sealed yet; ask again in a second.
 *
 * `asked_hash` and `kept_hash` are the two parts of the commitment in the receipt.
 */
export interface PaymentProof {
  readonly type: "payment_proof";
  readonly id: number;
  readonly tenant: number;
  readonly facts: PaymentFacts;
  readonly asked_hash: string;
  readonly kept_hash: string;
  readonly receipt?: string;
  readonly log?: LogPlace;
  readonly kept?: Kept;
  readonly asked?: Asked;
}

/** What a payment's leaf says of it. `at_us`: microseconds since the epoch. */
export interface PaymentFacts {
  readonly payment: string;
  readonly kind: string;
  readonly status: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly at_us: number;
  readonly about?: string;
  readonly charge?: string;
}

/** Where the log has the payment's batch: leaf `number` of the head's tree, and the path to its root. */
export interface LogPlace {
  readonly number: number;
  readonly path: string;
  readonly head: HeadState;
}

/** A signed head: `size` leaves below `root`, at `at_us`, by the key `key`. */
export interface HeadState {
  readonly tenant: number;
  readonly size: number;
  readonly root: string;
  readonly at_us: number;
  readonly key: string;
  readonly signature: string;
}

/** What the payee did not get of the amount, and what opens it: told to the payee and operators. */
export interface Kept {
  readonly fee: number;
  readonly shares: readonly (readonly [number, number])[];
  readonly salt: string;
}

/** Who asked, and what opens it: told to that person and operators. */
export interface Asked {
  readonly person: string;
  readonly salt: string;
}

/** A signed head of the log. */
export interface HeadAnswer {
  readonly type: "log_head_state";
  readonly id: number;
  readonly head: HeadState;
}

/**
 * That the log of `head` begins with the one of `from_size` leaves (RFC 6962, 2.1.2).
 *
 * `old` is the head of that size, as long as it is kept here; check the proof with the one that you kept.
 */
export interface GrowthAnswer {
  readonly type: "log_growth_proof";
  readonly id: number;
  readonly head: HeadState;
  readonly proof: string;
  readonly old?: HeadState;
}

/** The keys, oldest first. */
export interface ProofKeysAnswer {
  readonly type: "proof_key_states";
  readonly id: number;
  readonly keys: readonly ProofKey[];
}

/** An Ed25519 key (RFC 8032): its 32 bytes, and from when until when it signed. */
export interface ProofKey {
  readonly key: string;
  readonly public_key: string;
  readonly signs_from: string;
  readonly signs_until?: string;
}

/** Live sessions, the one heard of last first; 200 at most. */
export interface SessionsAnswer {
  readonly type: "session_states";
  readonly id: number;
  readonly sessions: readonly SessionState[];
}

/**
 * A live session. `proofs`: how its person proved who they are (RFC 8176). `current`: the one that asks.
 *
 * `door`: web (a page), native (a program), installation (opened on its command line). `network`: where from, cut to
 * what names no single person. `last_seen_at` is right to about a minute. `device`: the same for all log-ins from it.
 */
export interface SessionState {
  readonly session: string;
  readonly made_at: string;
  readonly last_seen_at: string;
  readonly door: "installation" | "native" | "web";
  readonly proofs: readonly string[];
  readonly name?: string;
  readonly network?: string;
  readonly device?: string;
  readonly current?: boolean;
}

/** The session's name from now on. */
export interface SessionNamed {
  readonly type: "session_named";
  readonly id: number;
  readonly session: string;
  readonly name: string;
}

/** These sessions are over: their tokens open nothing any more. */
export interface SessionsEnded {
  readonly type: "sessions_ended";
  readonly id: number;
  readonly sessions: readonly string[];
}

/** Your second factors, oldest first. `recovery_codes`: how many are left. */
export interface FactorsAnswer {
  readonly type: "factor_states";
  readonly id: number;
  readonly factors: readonly FactorState[];
  readonly recovery_codes: number;
}

/**
 * A second factor. `synced`: it lives on several of your devices. `copied_at`: when there last seemed to be two.
 */
export interface FactorState {
  readonly factor: string;
  readonly kind: "passkey" | "totp";
  readonly name: string;
  readonly made_at: string;
  readonly last_used_at?: string;
  readonly synced?: boolean;
  readonly copied_at?: string;
}

/** The secret, and the text of the QR code that an app reads. Neither is shown again. */
export interface TotpBegun {
  readonly type: "totp_begun";
  readonly id: number;
  readonly factor: string;
  readonly secret: string;
  readonly uri: string;
}

/** What the page gives to navigator.credentials.create. */
export interface PasskeyOptions {
  readonly type: "passkey_options";
  readonly id: number;
  readonly options: string;
}

/**
 * It counts from now on. The token is a fresh one of this session: who enrols has just proved the factor.
 *
 * `recovery_codes`: shown now and never again; there when you had none left.
 */
export interface FactorEnrolled {
  readonly type: "factor_enrolled";
  readonly id: number;
  readonly factor: FactorState;
  readonly access_token: string;
  readonly expires_at: string;
  readonly recovery_codes?: readonly string[];
}

/** The factor's name from now on. */
export interface FactorNamed {
  readonly type: "factor_named";
  readonly id: number;
  readonly factor: string;
  readonly name: string;
}

/** It proves nothing any more. */
export interface FactorRemoved {
  readonly type: "factor_removed";
  readonly id: number;
  readonly factor: string;
}

/** Shown now and never again. Each works once. */
export interface RecoveryCodes {
  readonly type: "recovery_codes";
  readonly id: number;
  readonly codes: readonly string[];
}

/** The person has no second factor any more, and these sessions are over. */
export interface FactorsReset {
  readonly type: "factors_reset";
  readonly id: number;
  readonly person: string;
  readonly removed: number;
  readonly sessions: readonly string[];
}

/** What a step-up takes; `passkey`: what the page gives to navigator.credentials.get. */
export interface StepUpOptions {
  readonly type: "step_up_options";
  readonly id: number;
  readonly factors: readonly ("passkey" | "password" | "recovery_code" | "totp")[];
  readonly passkey?: string;
}

/** A fresh token of this session, until `expires_at`. */
export interface SteppedUp {
  readonly type: "stepped_up";
  readonly id: number;
  readonly access_token: string;
  readonly expires_at: string;
}

/** The password is another one now; these sessions are over. */
export interface PasswordChanged {
  readonly type: "password_changed";
  readonly id: number;
  readonly sessions: readonly string[];
}

/** What the tenant asks of its people. */
export interface SecurityState {
  readonly type: "security_state";
  readonly id: number;
  readonly step_up_s: number;
  readonly operators_need_factor: boolean;
  readonly step_up_above?: number;
}

/** A new key. `secret` is shown here and never again; trade it for tokens at /v1/login/key. */
export interface ApiKeyMade {
  readonly type: "api_key_made";
  readonly id: number;
  readonly key: ApiKeyState;
  readonly secret: string;
}

/**
 * A key as it stands. `beginning`: how its secret begins, to tell it from others.
 *
 * `name` is left out while personal data cannot be read. `last_used_on`, `last_used_network`: the day it was last
 * traded for a token, and where from.
 */
export interface ApiKeyState {
  readonly key: string;
  readonly person: string;
  readonly beginning: string;
  readonly scopes: readonly string[];
  readonly state: "active" | "expired" | "revoked";
  readonly made_at: string;
  readonly name?: string;
  readonly networks?: readonly string[];
  readonly expires_at?: string;
  readonly revoked_at?: string;
  readonly successor?: string;
  readonly last_used_on?: string;
  readonly last_used_network?: string;
}

/** The successor, with its secret, and the old key, which works until its `expires_at`. */
export interface ApiKeyRotated {
  readonly type: "api_key_rotated";
  readonly id: number;
  readonly key: ApiKeyState;
  readonly secret: string;
  readonly old: ApiKeyState;
}

/** One key. */
export interface ApiKeyAnswer {
  readonly type: "api_key_state";
  readonly id: number;
  readonly key: ApiKeyState;
}

/** A merchant's keys, newest first. */
export interface ApiKeysAnswer {
  readonly type: "api_key_states";
  readonly id: number;
  readonly keys: readonly ApiKeyState[];
}

/** Sign this with the token's hash, the door and the tenant: the `proof` of `authenticate`. `at`: our clock. */
export interface Challenge {
  readonly type: "challenge_state";
  readonly id: number;
  readonly nonce: string;
  readonly at: string;
}

/** A code to be typed into a till. Small letters, spaces and dashes do not matter. */
export interface PairingCodeMade {
  readonly type: "pairing_code_made";
  readonly id: number;
  readonly code: string;
  readonly account: number;
  readonly expires_at: string;
}

/** One till. */
export interface TerminalAnswer {
  readonly type: "terminal_state";
  readonly id: number;
  readonly terminal: TerminalState;
}

/**
 * A till as it stands. `algorithm` is its key's; the key itself never leaves it.
 *
 * `name` is left out while personal data cannot be read.
 */
export interface TerminalState {
  readonly terminal: string;
  readonly person: string;
  readonly account: number;
  readonly may_refund: boolean;
  readonly algorithm: string;
  readonly paired_at: string;
  readonly name?: string;
  readonly revoked_at?: string;
  readonly last_used_on?: string;
  readonly last_used_network?: string;
}

/** A merchant's tills. */
export interface TerminalsAnswer {
  readonly type: "terminal_states";
  readonly id: number;
  readonly terminals: readonly TerminalState[];
}

/** One seat. */
export interface SeatAnswer {
  readonly type: "seat_state";
  readonly id: number;
  readonly seat: SeatState;
}

/**
 * A seat as its merchant sees it.
 *
 * `pending`: not accepted yet; `lapsed`: it never was. `holder`, `holder_name`: who accepted. `left`: they ended it.
 * `name`, and theirs, are left out while personal data cannot be read. `last_used_on`: when it was last spoken from.
 */
export interface SeatState {
  readonly seat: string;
  readonly person: string;
  readonly scopes: readonly string[];
  readonly state: "active" | "ended" | "lapsed" | "pending";
  readonly invited_at: string;
  readonly lapses_at: string;
  readonly name?: string;
  readonly accepted_at?: string;
  readonly holder?: string;
  readonly holder_name?: string;
  readonly ended_at?: string;
  readonly left?: boolean;
  readonly last_used_on?: string;
}

/** A merchant's seats. */
export interface SeatsAnswer {
  readonly type: "seat_states";
  readonly id: number;
  readonly seats: readonly SeatState[];
}

/** One seat of yours, or an invitation to one. */
export interface OwnSeatAnswer {
  readonly type: "own_seat_state";
  readonly id: number;
  readonly seat: OwnSeatState;
}

/** A seat as whoever was invited to it sees it. `over`: it has ended, lapsed, or was declined or left. */
export interface OwnSeatState {
  readonly seat: string;
  readonly merchant: string;
  readonly scopes: readonly string[];
  readonly state: "held" | "invited" | "over";
  readonly invited_at: string;
  readonly lapses_at: string;
  readonly merchant_name?: string;
  readonly accepted_at?: string;
}

/** Your invitations, and the seats that you hold. */
export interface OwnSeatsAnswer {
  readonly type: "own_seat_states";
  readonly id: number;
  readonly seats: readonly OwnSeatState[];
}

/** A token that speaks for `merchant` until `expires_at`, within these scopes. There is no refresh token. */
export interface SeatToken {
  readonly type: "seat_token";
  readonly id: number;
  readonly access_token: string;
  readonly expires_at: string;
  readonly merchant: string;
  readonly scopes: readonly string[];
}

/** A webhook with a new secret, which is shown here and never again. */
export interface WebhookMade {
  readonly type: "webhook_made";
  readonly id: number;
  readonly webhook: WebhookState;
  readonly secret: string;
}

/**
 * A webhook as it stands. `state`, if it is not active: `stopped` by somebody; by itself, because nobody took
 * anything until the tries were used up (`failing`), it answered 410 (`gone`) or refused every event (`refusing`);
 * `ended`, because its merchant is none any more.
 *
 * `behind`: events of its accounts that it was not told yet. `set_aside`: events that were refused too often.
 * `failing_since`: nothing was taken since. `old_secret_until`: two secrets sign until then. `url` is left out while
 * it cannot be read.
 */
export interface WebhookState {
  readonly webhook: string;
  readonly person: string;
  readonly state: "active" | "ended" | "failing" | "gone" | "refusing" | "stopped";
  readonly made_at: string;
  readonly behind: number;
  readonly set_aside: number;
  readonly url?: string;
  readonly description?: string;
  readonly events?: readonly string[];
  readonly accounts?: readonly number[];
  readonly old_secret_until?: string;
  readonly failing_since?: string;
  readonly last_taken_at?: string;
}

/** One webhook. */
export interface WebhookAnswer {
  readonly type: "webhook_state";
  readonly id: number;
  readonly webhook: WebhookState;
}

/** A merchant's webhooks, newest first. */
export interface WebhooksAnswer {
  readonly type: "webhook_states";
  readonly id: number;
  readonly webhooks: readonly WebhookState[];
}

/** What came back. `code` as in attempts. */
export interface WebhookTested {
  readonly type: "webhook_tested";
  readonly id: number;
  readonly event: string;
  readonly code: string;
  readonly took_ms: number;
  readonly status?: number;
}

/** What was tried, newest first; `before` of the next page, if there may be one; and what was set aside. */
export interface WebhookAttempts {
  readonly type: "webhook_attempts_page";
  readonly id: number;
  readonly attempts: readonly AttemptState[];
  readonly set_aside: readonly AsideState[];
  readonly before?: number;
}

/**
 * A try. `event`: the `webhook-id`. `tries`: which of its event's it was. `status`: of HTTP, if anybody answered.
 *
 * `code`: taken, refused, gone, busy, error, redirect, not_there, timeout, connection_failed, no_address,
 * address_refused.
 */
export interface AttemptState {
  readonly attempt: number;
  readonly account: number;
  readonly number: number;
  readonly event: string;
  readonly what: string;
  readonly at: string;
  readonly took_ms: number;
  readonly code: string;
  readonly tries: number;
  readonly status?: number;
}

/** An event that was refused too often. `replay_webhook` with `only` sends it again. */
export interface AsideState {
  readonly account: number;
  readonly number: number;
  readonly at: string;
  readonly code: string;
}

/** What will be told again; empty: there is nothing after that moment that was told. */
export interface WebhookReplayed {
  readonly type: "webhook_replayed";
  readonly id: number;
  readonly replayed: readonly ReplayedFrom[];
}

/** From which event on an account is told again. */
export interface ReplayedFrom {
  readonly account: number;
  readonly number: number;
}

/** One provider. */
export interface IdentityProviderAnswer {
  readonly type: "identity_provider_state";
  readonly id: number;
  readonly provider: IdentityProviderState;
}

/** A provider as it is believed. */
export interface IdentityProviderState {
  readonly provider: string;
  readonly issuer: string;
  readonly audience: string;
  readonly claim: string;
  readonly names: "external_id" | "login";
  readonly algorithms: readonly string[];
  readonly opens_people: boolean;
  readonly admits_operators: boolean;
}

/** The tenant's providers. */
export interface IdentityProvidersAnswer {
  readonly type: "identity_provider_states";
  readonly id: number;
  readonly providers: readonly IdentityProviderState[];
}

/** It is believed no longer. */
export interface IdentityProviderRemoved {
  readonly type: "identity_provider_removed";
  readonly id: number;
  readonly provider: string;
}

/** The person comes in by this provider, or, with `linked` false, no longer. */
export interface IdentityLinked {
  readonly type: "identity_linked";
  readonly id: number;
  readonly provider: string;
  readonly person: string;
  readonly linked: boolean;
}

/**
 * A person as they are known. `masked`: not whole. `accounts` with what is in them, or `account_numbers` alone.
 *
 * `status_reason` and who set it are told to staff.
 */
export interface PersonAnswer {
  readonly type: "person_state";
  readonly id: number;
  readonly person: string;
  readonly role: string;
  readonly status: "active" | "blocked" | "closed" | "pending";
  readonly opened_at: string;
  readonly fields: readonly FieldState[];
  readonly name?: string;
  readonly login?: string;
  readonly masked?: boolean;
  readonly accounts?: readonly AccountState[];
  readonly account_numbers?: readonly number[];
  readonly status_reason?: "access_lost" | "cleared" | "court_order" | "deceased" | "duplicate" | "identified" | "not_identified" | "own_wish" | "suspected_fraud" | "terms_broken" | "under_review";
  readonly status_set_at?: string;
  readonly status_set_by?: string;
}

/**
 * A field as it was set. Without `value` and `address` it was taken away, or its person erased.
 *
 * `confirmed_at`: a contact that its person has confirmed, a document by which the tenant has identified them.
 * `set_by` is left out of what was there when the person was opened.
 */
export interface FieldState {
  readonly field: "address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name";
  readonly number: number;
  readonly set_at: string;
  readonly value?: string;
  readonly address?: Address;
  readonly confirmed_at?: string;
  readonly set_by?: string;
  readonly session?: string;
}

/** Who was found: those first whose it is. */
export interface PeopleFound {
  readonly type: "people_found";
  readonly id: number;
  readonly people: readonly FoundState[];
}

/** Somebody who was found. `confirmed`: it is theirs, and not only said. */
export interface FoundState {
  readonly person: string;
  readonly role: string;
  readonly status: "active" | "blocked" | "closed" | "pending";
  readonly confirmed: boolean;
  readonly name?: string;
}

/** What has changed; what was the same already has not. */
export interface ProfileEdited {
  readonly type: "profile_edited";
  readonly id: number;
  readonly person: string;
  readonly changed: readonly ("address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name")[];
}

/** A page, newest first. `next_…` begin the next page; none: this was the last. */
export interface ProfileHistory {
  readonly type: "profile_history_page";
  readonly id: number;
  readonly person: string;
  readonly fields: readonly FieldState[];
  readonly masked?: boolean;
  readonly next_before?: string;
  readonly next_field?: "address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name";
  readonly next_number?: number;
}

/** How the person stands from now on. */
export interface PersonStatusSet {
  readonly type: "person_status_set";
  readonly id: number;
  readonly person: string;
  readonly status: "active" | "blocked" | "closed" | "pending";
  readonly before: "active" | "blocked" | "closed" | "pending";
}

/** A code is on its way, if the contact is free to be yours. It lasts until `expires_at`. */
export interface ConfirmationSent {
  readonly type: "confirmation_sent";
  readonly id: number;
  readonly contact: "email" | "phone";
  readonly expires_at: string;
}

/** The contact is yours. */
export interface ContactConfirmed {
  readonly type: "contact_confirmed";
  readonly id: number;
  readonly contact: "email" | "phone";
  readonly confirmed_at: string;
}

/** How you stand with the tenant has changed: what you may do now. Told to each of your live sockets. */
export interface StatusChanged {
  readonly type: "status_changed";
  readonly status: "active" | "blocked" | "closed" | "pending";
  readonly is_paid: boolean;
  readonly pays: boolean;
}

/** The person's role. `waits`: it is what it was before, until another operator says the same. */
export interface RoleSet {
  readonly type: "role_set";
  readonly id: number;
  readonly person: string;
  readonly role: string;
  readonly before: string;
  readonly waits?: boolean;
}

/** All that wait. */
export interface RoleRequests {
  readonly type: "role_request_states";
  readonly id: number;
  readonly requests: readonly RoleRequestState[];
}

/** A role that waits for a second operator. */
export interface RoleRequestState {
  readonly person: string;
  readonly role: string;
  readonly asked_by: string;
  readonly asked_at: string;
}

/** What the tenant asks of its people. */
export interface PeopleSettingsAnswer {
  readonly type: "people_settings_state";
  readonly id: number;
  readonly customers_begin_pending: boolean;
  readonly merchants_begin_pending: boolean;
  readonly pending_are_paid: boolean;
  readonly pending_pay: boolean;
  readonly customers_need: readonly ("address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name")[];
  readonly merchants_need: readonly ("address" | "birth_date" | "category" | "cnpj" | "cpf" | "email" | "legal_name" | "name" | "phone" | "trade_name")[];
  readonly needs_second_operator: boolean;
}

/** A page, newest first. `next_…` begin the next page; none: this was the last. */
export interface TrailPage {
  readonly type: "trail_page";
  readonly id: number;
  readonly entries: readonly TrailEntry[];
  readonly next_before?: string;
  readonly next_entry?: string;
}

/** One entry. Without `who`, the installation did it, or (in one's own) somebody of the staff. `details`: JSON. */
export interface TrailEntry {
  readonly entry: string;
  readonly at: string;
  readonly what: string;
  readonly who?: string;
  readonly about?: string;
  readonly why?: string;
  readonly session?: string;
  readonly network?: string;
  readonly details?: string;
}

/** A page. `number`: of your last notice; `unheard`: how many you have not acknowledged (100: or more). */
export interface NoticesAnswer {
  readonly type: "notice_states";
  readonly id: number;
  readonly notices: readonly NoticeState[];
  readonly number: number;
  readonly unheard: number;
}

/**
 * One of your notices. `session`: where it was done, and `name` what you call that; `network`: where from.
 *
 * `subject`: what it is about (a dispute, a bulk file, an export). `code`: which sort: totp, passkey, a refusal's.
 * `lines` and `refused`: of a bulk file. `ends_at`: until when there is something to do. `title` and `text`: of news.
 */
export interface NoticeState {
  readonly number: number;
  readonly kind: "bulk_finished" | "charge_paid" | "charged_back" | "claimed" | "contact_changed" | "contact_code" | "dispute_held" | "dispute_opened" | "dispute_released" | "export_ready" | "factor_enrolled" | "factor_removed" | "hold_captured" | "hold_ended" | "hold_expiring" | "hold_placed" | "in_review" | "limit_raised" | "new_device" | "news" | "passkey_copied" | "password_changed" | "payment_received" | "payment_refused" | "payment_reversed" | "payment_sent" | "recovery_code_used" | "refund_received" | "refund_sent" | "review_declined" | "review_released" | "seat_offered" | "seat_taken" | "second_factor_refused" | "webhook_disabled";
  readonly at: string;
  readonly heard?: boolean;
  readonly session?: string;
  readonly name?: string;
  readonly network?: string;
  readonly amount?: number;
  readonly subject?: string;
  readonly code?: string;
  readonly lines?: number;
  readonly refused?: number;
  readonly ends_at?: string;
  readonly title?: string;
  readonly text?: string;
}

/** So many were not acknowledged before. */
export interface NoticesHeard {
  readonly type: "notices_heard";
  readonly id: number;
  readonly count: number;
}

/**
 * Something that you are to know, told to each of your sockets but those of the session that did it.
 *
 * Acknowledge it with `hear_notices`, or your phone will ring. What may be somebody else's doing: end the `session`
 * where it was done, and change your password.
 */
export interface Notice {
  readonly type: "notice";
  readonly notice: NoticeState;
}

/** It takes your pushes from now on. */
export interface PhoneRegistered {
  readonly type: "phone_registered";
  readonly id: number;
  readonly phone: string;
}

/** PushManager.subscribe()'s applicationServerKey (VAPID, RFC 8292), in base64url. It does not change. */
export interface PushKeyAnswer {
  readonly type: "push_key_state";
  readonly id: number;
  readonly key: string;
}

/** Those of your live sessions. */
export interface PhonesAnswer {
  readonly type: "phone_states";
  readonly id: number;
  readonly phones: readonly PhoneState[];
}

/** One of your phones. `session`: the one that registered it, and `name` what you call that. */
export interface PhoneState {
  readonly phone: string;
  readonly provider: "apple" | "firebase" | "web";
  readonly language: "en" | "pt";
  readonly registered_at: string;
  readonly session: string;
  readonly name?: string;
}

/** Nothing more is sent there. */
export interface PhoneForgotten {
  readonly type: "phone_forgotten";
  readonly id: number;
  readonly phone: string;
}

/** How you are told. What is not here is as the tenant has it. */
export interface NoticeSettingsAnswer {
  readonly type: "notice_settings_state";
  readonly id: number;
  readonly muted: readonly ("export_ready" | "news" | "seat_offered" | "webhook_disabled")[];
  readonly language?: "en" | "pt";
  readonly quiet_from?: string;
  readonly quiet_to?: string;
}

/** Every kind's. */
export interface LaddersAnswer {
  readonly type: "ladder_states";
  readonly id: number;
  readonly ladders: readonly LadderState[];
}

/** How a kind climbs. `own`: the tenant says so itself. */
export interface LadderState {
  readonly kind: "bulk_finished" | "charge_paid" | "charged_back" | "claimed" | "contact_changed" | "contact_code" | "dispute_held" | "dispute_opened" | "dispute_released" | "export_ready" | "factor_enrolled" | "factor_removed" | "hold_captured" | "hold_ended" | "hold_expiring" | "hold_placed" | "in_review" | "limit_raised" | "new_device" | "news" | "passkey_copied" | "password_changed" | "payment_received" | "payment_refused" | "payment_reversed" | "payment_sent" | "recovery_code_used" | "refund_received" | "refund_sent" | "review_declined" | "review_released" | "seat_offered" | "seat_taken" | "second_factor_refused" | "webhook_disabled";
  readonly socket_s: number;
  readonly push_s: number;
  readonly has_push: boolean;
  readonly has_mail: boolean;
  readonly own?: boolean;
}

/** The kind climbs so from now on. */
export interface LadderSet {
  readonly type: "ladder_set";
  readonly id: number;
  readonly ladder: LadderState;
}

/** A page. With `next_before` there may be more. */
export interface DeadDeliveriesAnswer {
  readonly type: "dead_delivery_states";
  readonly id: number;
  readonly deliveries: readonly DeadDelivery[];
  readonly next_before?: string;
  readonly next_delivery?: string;
}

/** One that was set aside. `code`: what came of its last try. */
export interface DeadDelivery {
  readonly delivery: string;
  readonly road: "apple" | "firebase" | "mail" | "web";
  readonly kind: "bulk_finished" | "charge_paid" | "charged_back" | "claimed" | "contact_changed" | "contact_code" | "dispute_held" | "dispute_opened" | "dispute_released" | "export_ready" | "factor_enrolled" | "factor_removed" | "hold_captured" | "hold_ended" | "hold_expiring" | "hold_placed" | "in_review" | "limit_raised" | "new_device" | "news" | "passkey_copied" | "password_changed" | "payment_received" | "payment_refused" | "payment_reversed" | "payment_sent" | "recovery_code_used" | "refund_received" | "refund_sent" | "review_declined" | "review_released" | "seat_offered" | "seat_taken" | "second_factor_refused" | "webhook_disabled";
  readonly person: string;
  readonly tries: number;
  readonly made_at: string;
  readonly ended_at: string;
  readonly code?: string;
}

/** These are sent again. */
export interface DeliveriesRetried {
  readonly type: "deliveries_retried";
  readonly id: number;
  readonly deliveries: readonly string[];
}

/** It is told, within minutes. */
export interface NewsSent {
  readonly type: "news_sent";
  readonly id: number;
  readonly news: NewsState;
}

/** Something that was sent. `told`: to how many so far; `ended_at`: when all who had agreed were. */
export interface NewsState {
  readonly news: string;
  readonly purpose: string;
  readonly title: string;
  readonly text: string;
  readonly sent_at: string;
  readonly told: number;
  readonly sent_by?: string;
  readonly ended_at?: string;
}

/** A page. With `next_before` there may be more. */
export interface NewsAnswer {
  readonly type: "news_states";
  readonly id: number;
  readonly news: readonly NewsState[];
  readonly next_before?: string;
}

/** All that is known of a payment beside its life and its proof. Oldest first, the payment itself at the top. */
export interface PaymentExplained {
  readonly type: "payment_explained";
  readonly id: number;
  readonly payment: string;
  readonly taken: readonly TakenState[];
  readonly entries: readonly SideEntry[];
  readonly owners: readonly OwnerState[];
  readonly decisions: readonly DecisionState[];
  readonly disputes: readonly string[];
  readonly told: readonly ToldState[];
  readonly hooked: readonly HookedState[];
}

/** The payment or a step about it, done or refused. `asked_by`: a person; the installation acts as nobody. */
export interface TakenState {
  readonly payment: string;
  readonly kind: string;
  readonly status: string;
  readonly amount: number;
  readonly at: string;
  readonly asked_by: string;
  readonly session?: string;
  readonly rule?: number;
}

/** An entry, and the account that it is of. */
export interface SideEntry {
  readonly account: number;
  readonly entry: EntryState;
}

/** Whose an account is. `seen`: the number of the last event that its owner acknowledged. */
export interface OwnerState {
  readonly account: number;
  readonly person: string;
  readonly seen?: number;
}

/** A notice that somebody was left. One of money goes when it is acknowledged: then `seen` says so alone. */
export interface ToldState {
  readonly kind: "bulk_finished" | "charge_paid" | "charged_back" | "claimed" | "contact_changed" | "contact_code" | "dispute_held" | "dispute_opened" | "dispute_released" | "export_ready" | "factor_enrolled" | "factor_removed" | "hold_captured" | "hold_ended" | "hold_expiring" | "hold_placed" | "in_review" | "limit_raised" | "new_device" | "news" | "passkey_copied" | "password_changed" | "payment_received" | "payment_refused" | "payment_reversed" | "payment_sent" | "recovery_code_used" | "refund_received" | "refund_sent" | "review_declined" | "review_released" | "seat_offered" | "seat_taken" | "second_factor_refused" | "webhook_disabled";
  readonly person: string;
  readonly at: string;
  readonly heard_at?: string;
  readonly handed?: readonly HandedState[];
}

/** A push or a mail that was made of a notice. `taken`: the other side has it. `code`: of its last try. */
export interface HandedState {
  readonly road: "apple" | "firebase" | "mail" | "web";
  readonly state: "dead" | "dropped" | "gone" | "taken" | "waiting";
  readonly tries: number;
  readonly made_at: string;
  readonly ended_at?: string;
  readonly code?: string;
}

/** A try to tell a webhook of an entry. Kept for a week. */
export interface HookedState {
  readonly webhook: string;
  readonly account: number;
  readonly number: number;
  readonly event: string;
  readonly what: string;
  readonly at: string;
  readonly took_ms: number;
  readonly code: string;
  readonly tries: number;
  readonly status?: number;
}

/** A page of holds. `next_…` begin the next page; none: this was the last. */
export interface HoldsAnswer {
  readonly type: "hold_states";
  readonly id: number;
  readonly holds: readonly HoldState[];
  readonly next_after?: string;
  readonly next_payment?: string;
}

/** Money that is reserved until `expires_at`: `held` of `amount`, of which `captured` was taken. */
export interface HoldState {
  readonly payment: string;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly held: number;
  readonly captured: number;
  readonly at: string;
  readonly expires_at: string;
  readonly description?: string;
}

/** What an account is under; none if it is not said. Without `person` it is the tenant's own. */
export interface ConditionsAnswer {
  readonly type: "account_conditions_state";
  readonly id: number;
  readonly account: number;
  readonly person?: string;
  readonly limits?: number;
  readonly terms?: number;
}

/**
 * The seconds in which there was something, oldest first; and how it is now.
 *
 * `hubs`: how many figures come from; `hubs_known`: how many there are. `outbox_ms`: for how long the oldest batch
 * waits for a worker. `sessions`: open connections.
 */
export interface TrafficAnswer {
  readonly type: "traffic_state";
  readonly id: number;
  readonly at: string;
  readonly hubs: number;
  readonly hubs_known: number;
  readonly sessions: number;
  readonly outbox_ms: number;
  readonly seconds: readonly SecondState[];
}

/**
 * What was answered in one second: how many payments by status, and how long it took them, from asked to committed.
 *
 * Times are those of the slowest payment of each batch, so that they are never better than they were.
 */
export interface SecondState {
  readonly at: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly p50_us?: number;
  readonly p99_us?: number;
}

/** To whoever watches: a second is over. */
export interface TrafficSecond {
  readonly type: "traffic_second";
  readonly second: SecondState;
  readonly hubs: number;
  readonly hubs_known: number;
  readonly sessions: number;
  readonly outbox_ms: number;
}

/** Who is connected and who left. `hubs` of `hubs_known` answered; `total`: open connections, told here or not. */
export interface ConnectionsAnswer {
  readonly type: "connection_states";
  readonly id: number;
  readonly hubs: number;
  readonly hubs_known: number;
  readonly total: number;
  readonly connected: readonly ConnectedState[];
  readonly departures: readonly DepartureState[];
}

/** An open connection. `behind`: it reads more slowly than it is told; `in_flight`: commands without an answer. */
export interface ConnectedState {
  readonly person: string;
  readonly role: string;
  readonly session: string;
  readonly door: "machine" | "native" | "seat" | "web";
  readonly since: string;
  readonly in_flight: number;
  readonly following: number;
  readonly seen_at?: string;
  readonly network?: string;
  readonly behind?: boolean;
}

/** A connection that ended, with its close code. `by_hub`: the hub closed it; otherwise the client, or the line. */
export interface DepartureState {
  readonly person: string;
  readonly role: string;
  readonly session: string;
  readonly door: "machine" | "native" | "seat" | "web";
  readonly since: string;
  readonly at: string;
  readonly code: number;
  readonly network?: string;
  readonly by_hub?: boolean;
}

/** What is held, by whom, and whom to ask. */
export interface DataAnswer {
  readonly type: "data_held";
  readonly id: number;
  readonly controller: string;
  readonly held: readonly HeldState[];
  readonly officer?: string;
  readonly contact?: string;
}

/** A kind of data that is held: how many rows, `at_least` so many where counting on would take long. */
export interface HeldState {
  readonly section: string;
  readonly title: string;
  readonly count: number;
  readonly purpose: string;
  readonly basis: string;
  readonly kept: string;
  readonly recipients: readonly string[];
  readonly law?: string;
  readonly at_least?: boolean;
}

/** One export. */
export interface ExportAnswer {
  readonly type: "export_state";
  readonly id: number;
  readonly export: ExportState;
}

/**
 * An export as it stands: waiting, making, ready, expired or failed. `done` of `total` things are told.
 *
 * When it is ready: the bytes of the JSON, the volumes of the PDF, and until when they can be fetched.
 */
export interface ExportState {
  readonly export: string;
  readonly status: string;
  readonly language: string;
  readonly asked_at: string;
  readonly done: number;
  readonly total: number;
  readonly json_size?: number;
  readonly volumes?: number;
  readonly finished_at?: string;
  readonly expires_at?: string;
}

/** A page of exports. `next` is the `before` of the next page; none: this was the last. */
export interface ExportsAnswer {
  readonly type: "export_states";
  readonly id: number;
  readonly exports: readonly ExportState[];
  readonly next?: string;
}

/** How far an export is that this session watches, at most four times a second. The last says ready or failed. */
export interface ExportProgress {
  readonly type: "export_progress";
  readonly export: string;
  readonly status: string;
  readonly done: number;
  readonly total: number;
}

/** A page of disclosures. `next` is the `before` of the next page; none: this was the last. */
export interface DisclosuresAnswer {
  readonly type: "disclosure_states";
  readonly id: number;
  readonly disclosures: readonly DisclosureState[];
  readonly next?: string;
}

/** What somebody was told once. `consent`: the purpose of consent that it rested on. */
export interface DisclosureState {
  readonly disclosure: string;
  readonly at: string;
  readonly recipient: string;
  readonly purpose: string;
  readonly basis: string;
  readonly kinds: readonly string[];
  readonly consent?: string;
}

/**
 * An erasure: not asked, waiting for its day, erasing or erased.
 *
 * Where it was not asked for, `obstacles` and `kept` are what asking would meet now.
 */
export interface ErasureAnswer {
  readonly type: "erasure_state";
  readonly id: number;
  readonly person: string;
  readonly status: string;
  readonly obstacles: readonly ObstacleState[];
  readonly kept: readonly DutyState[];
  readonly due_on?: string;
  readonly asked_at?: string;
  readonly erased_at?: string;
}

/** What has to be done first, and what it is about: a dispute, a payment, a schedule or a bulk. */
export interface ObstacleState {
  readonly code: string;
  readonly advice: string;
  readonly account?: number;
  readonly about?: string;
}

/** What has to be kept, by which rule, and the first day on which it has not (LGPD art. 16, I). */
export interface DutyState {
  readonly code: string;
  readonly law: string;
  readonly until: string;
  readonly tables: readonly string[];
}

/** One purpose, as it is asked for and as the speaker answered. */
export interface PurposeAnswer {
  readonly type: "consent_purpose_state";
  readonly id: number;
  readonly purpose: PurposeState;
}

/** A purpose in the version that holds. `given`: the speaker's consent counts. `answered_…`: their last word. */
export interface PurposeState {
  readonly purpose: string;
  readonly version: number;
  readonly title_pt: string;
  readonly text_pt: string;
  readonly title_en: string;
  readonly text_en: string;
  readonly given: boolean;
  readonly answered_version?: number;
  readonly answered_at?: string;
}

/** The words hold, as this version. */
export interface PurposeSet {
  readonly type: "consent_purpose_set";
  readonly id: number;
  readonly purpose: string;
  readonly version: number;
}

/** All purposes. */
export interface PurposesAnswer {
  readonly type: "consent_purpose_states";
  readonly id: number;
  readonly purposes: readonly PurposeState[];
}

/** A page of changes. With `more`, the next page is asked for before the last of them. */
export interface ConsentsAnswer {
  readonly type: "consent_changes";
  readonly id: number;
  readonly changes: readonly ConsentChange[];
  readonly more?: boolean;
}

/** One word of the speaker's: given or taken back, when, and by which door. */
export interface ConsentChange {
  readonly purpose: string;
  readonly number: number;
  readonly version: number;
  readonly given: boolean;
  readonly at: string;
  readonly door?: string;
  readonly session?: string;
}

/** One request. */
export interface RequestAnswer {
  readonly type: "privacy_request_state";
  readonly id: number;
  readonly request: RequestState;
}

/**
 * A request: open, granted, partly_granted, refused or withdrawn. In the list of open ones its text is not told.
 */
export interface RequestState {
  readonly request: string;
  readonly person: string;
  readonly right: string;
  readonly status: string;
  readonly asked_at: string;
  readonly due_at: string;
  readonly field?: string;
  readonly text?: string;
  readonly answer?: string;
  readonly answered_at?: string;
}

/** A page of requests. `next` is the `before` of the next page; none: this was the last. */
export interface RequestsAnswer {
  readonly type: "privacy_request_states";
  readonly id: number;
  readonly requests: readonly RequestState[];
  readonly next?: string;
}

/** How many of the tenant's requests are due within five days, and how many are late. To operators who watch. */
export interface PrivacyAlert {
  readonly type: "privacy_alert";
  readonly due_soon: number;
  readonly late: number;
}

/** One incident. */
export interface IncidentAnswer {
  readonly type: "incident_state";
  readonly id: number;
  readonly incident: IncidentState;
}

/**
 * An incident. `tell_by` and `complement_by`: the first moments that are too late.
 *
 * `criteria`: which of art. 5's criteria the register sees met (III financial data, IV authentication data).
 */
export interface IncidentState {
  readonly incident: string;
  readonly revision: number;
  readonly recorded_at: string;
  readonly known_at: string;
  readonly began_at: string;
  readonly ended_at: string;
  readonly scope: string;
  readonly keys_too: boolean;
  readonly tables: readonly string[];
  readonly notes: IncidentNotes;
  readonly persons: number;
  readonly total_persons: number;
  readonly figures: readonly FigureState[];
  readonly criteria: readonly string[];
  readonly tell_by: string;
  readonly small_agent: boolean;
  readonly told_authority_at?: string;
  readonly complement_by?: string;
  readonly told_persons_at?: string;
}

/** A kind of data that was hit: of how many persons, and whether all of it is noise without their keys. */
export interface FigureState {
  readonly kind: string;
  readonly persons: number;
  readonly sealed: boolean;
}

/** A page of the register. `next` is the `before` of the next page; none: this was the last. */
export interface IncidentsAnswer {
  readonly type: "incident_states";
  readonly id: number;
  readonly incidents: readonly IncidentState[];
  readonly next?: string;
}

/** A page of persons. `next` is the `after` of the next page; none: this was the last. */
export interface IncidentPersonsAnswer {
  readonly type: "incident_person_ids";
  readonly id: number;
  readonly incident: string;
  readonly persons: readonly string[];
  readonly next?: string;
}

/**
 * An access token for requests and sockets, and a refresh token for the next one.
 *
 * `device`: this log-in came from a device that was not known; keep it there, and bring it to every later log-in.
 * `account`, and `status` if it is not active: of somebody who has just registered.
 */
export interface TokensAnswer {
  readonly person: string;
  readonly access_token: string;
  readonly expires_at: string;
  readonly refresh_token: string;
  readonly account?: number;
  readonly device?: string;
  readonly status?: "active" | "blocked" | "closed" | "pending";
}

/**
 * RFC 9457. `code` is the stable code, an error's or a payment status'; `type` is its URI.
 *
 * `at`: what time it is, for whoever's clock is wrong.
 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly field?: string;
  readonly retry_after_ms?: number;
  readonly payment?: string;
  readonly at?: string;
}

/**
 * A new customer or merchant with one account, logged in. What else has to be said, the tenant says.
 *
 * A contact or a CPF that is somebody else's is taken like any other: nothing here tells whose anything is. Who names
 * a CPF, and every merchant, waits until the tenant has looked at them, unless it wants that otherwise.
 */
export interface Register {
  readonly tenant: string;
  readonly name: string;
  readonly login: string;
  readonly password: string;
  readonly role?: string;
  readonly cpf?: string;
  readonly cnpj?: string;
  readonly legal_name?: string;
  readonly trade_name?: string;
  readonly category?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly birth_date?: string;
  readonly address?: Address;
  readonly session_name?: string;
}

/**
 * The password was right, and is not enough. The ticket lasts until `expires_at` and a few tries.
 *
 * `factors`: what the second step takes. `passkey`: what the page gives to navigator.credentials.get.
 */
export interface FactorNeeded {
  readonly ticket: string;
  readonly expires_at: string;
  readonly factors: readonly ("passkey" | "password" | "recovery_code" | "totp")[];
  readonly passkey?: string;
}

/** A login and its password. Whoever has a second factor is answered 202, with a ticket for the second step. */
export interface LogIn {
  readonly tenant: string;
  readonly login: string;
  readonly password: string;
  readonly device?: string;
  readonly session_name?: string;
}

/** The second step: the ticket, and one of a code, a recovery code or a passkey's answer. */
export interface ProveLogIn {
  readonly tenant: string;
  readonly ticket: string;
  readonly code?: string;
  readonly recovery_code?: string;
  readonly credential?: string;
  readonly device?: string;
  readonly session_name?: string;
}

/** A refresh token. It works once; the answer holds the next. */
export interface RefreshTokens {
  readonly tenant: string;
  readonly refresh_token: string;
}

/** Counted. */
export interface VitalsTold {

}

/**
 * How one visit to a page felt. Needs no log-in and names nobody; pages send it for a sample of visits.
 *
 * `lcp`, `inp`, `cls`: Web Vitals (largest contentful paint, interaction to next paint, cumulative layout shift).
 * `taps`: from the tap that pays to the hub's answer. `connects`: sockets that were opened, `failures`: that were
 * not; `reconnects`: how often a live session had to come back.
 */
export interface TellVitals {
  readonly page: "app" | "console" | "pos";
  readonly screen: "desktop" | "phone";
  readonly lcp?: number;
  readonly inp?: number;
  readonly cls?: number;
  readonly taps?: readonly number[];
  readonly connects?: number;
  readonly failures?: number;
  readonly reconnects?: number;
}

/** What may be asked by its type, and what it is answered. Any may be refused with `Refused` instead. */
export interface Commands {
  /** A fresh token of the same session, before the old one ends. */
  renew: [asked: Renew, answered: Renewed];
  /** Receive an account's events: those after number `after`, or from now on. */
  follow: [asked: Follow, answered: Following];
  /** Receive an account's events no longer. */
  unfollow: [asked: Unfollow, answered: Unfollowed];
  /** Come back after a disconnect: follow accounts from where they were left, and settle payments in doubt. */
  resume: [asked: Resume, answered: Resumed];
  /** Are you there? Browsers cannot send WebSocket pings. */
  ping: [asked: Ping, answered: Pong];
  /** Move money. The same payment id again gives the first answer and moves nothing. */
  pay: [asked: Pay, answered: Paid];
  /** Reserve money of the payer for the payee: it is no longer available, and not the payee's yet. */
  authorize: [asked: Authorize, answered: Paid];
  /** Payees: take reserved money, all or a part, once or several times; with `final` the rest is let go. */
  capture: [asked: Capture, answered: Paid];
  /** Payees: let go of what is still reserved. */
  void: [asked: Void, answered: Paid];
  /** Payees: give back what was paid or captured, or a part of it; never more in sum. */
  refund: [asked: Refund, answered: Paid];
  /** Operators: undo a payment as a whole: the amount, its fee and its shares go back where they came from. */
  reverse: [asked: Reverse, answered: Paid];
  /** Operators: let a payment through that a rule had set aside for review. */
  release: [asked: Release, answered: Paid];
  /** Operators: do not let it through; its money is available to the payer again. */
  decline: [asked: Decline, answered: Paid];
  /** Payments and steps that are posted together, all or none, in this order. */
  link: [asked: Link, answered: Linked];
  /** Try without doing: what each would be answered, and the entries they would make. Nothing is written. */
  dry_run: [asked: DryRun, answered: Tried];
  /** All of your accounts. */
  accounts: [asked: ReadAccounts, answered: AccountsAnswer];
  /** One of your accounts: balance, overdraft floor, number of its last event. */
  account: [asked: ReadAccount, answered: AccountAnswer];
  /** The balance of an account and the number of its last event. */
  balance: [asked: ReadBalance, answered: BalanceAnswer];
  /** A page of an account's entries, newest first, below the event number `before`. */
  history: [asked: ReadHistory, answered: HistoryAnswer];
  /** Who you are here. */
  profile: [asked: ReadProfile, answered: ProfileAnswer];
  /** The name behind an account number, to show before money is sent. */
  payee: [asked: FindPayee, answered: PayeeAnswer];
  /** Operators: enter a person with one account. Without login and password, somebody else logs them in. */
  open_person: [asked: OpenPerson, answered: PersonOpened];
  /** Operators: how far below zero an account may go. 0: not at all; -5000: fifty units of a two-decimal currency. */
  set_floor: [asked: SetFloor, answered: FloorSet];
  /** Ask to be paid. Without an amount the payer says how much; without `expires_in_s` it does not expire. */
  create_charge: [asked: CreateCharge, answered: ChargeAnswer];
  /** The charge behind a scanned QR code: the code's text, or the link. */
  read_code: [asked: ReadCode, answered: ChargeAnswer];
  /** A charge, for whoever has its id. Pay it by a payment to its payee that names it. */
  charge: [asked: ReadCharge, answered: ChargeAnswer];
  /** Let nobody pay it any more. */
  cancel_charge: [asked: CancelCharge, answered: ChargeAnswer];
  /** An account's charges, newest first, older than the charge `before`. */
  charges: [asked: ReadCharges, answered: ChargesAnswer];
  /** Announce a file of payments from an account. Atomic: all of its lines are posted, or none. */
  create_bulk: [asked: CreateBulk, answered: BulkAnswer];
  /** Bulks of an account, newest first, below the bulk `before`. Operators may leave the account out. */
  bulks: [asked: ReadBulks, answered: BulksAnswer];
  /** A bulk as it stands. With `watch`, the socket is told of its progress until it is over. */
  bulk: [asked: ReadBulk, answered: BulkAnswer];
  /** The next lines of a bulk, instead of a file, from number `first` on. Sent again they change nothing. */
  bulk_lines: [asked: AddBulkLines, answered: BulkAnswer];
  /** All lines are there: check what can only be checked of all of them. A file is closed by its end. */
  close_bulk: [asked: CloseBulk, answered: BulkAnswer];
  /** Let a checked bulk be posted. Whoever made it cannot. */
  approve_bulk: [asked: ApproveBulk, answered: BulkAnswer];
  /** Give a bulk up, as long as posting has not begun. */
  cancel_bulk: [asked: CancelBulk, answered: BulkAnswer];
  /** What became of a bulk's lines, those after number `after`. `wrong`: only bad and refused ones. */
  bulk_report: [asked: ReadBulkReport, answered: BulkReport];
  /** Pay on later dates: on `first_on`, and then as `rule` says, until a day, so many times, or without end. */
  create_schedule: [asked: CreateSchedule, answered: ScheduleAnswer];
  /** The next dates that a schedule would have. Nothing is made. */
  preview_schedule: [asked: PreviewSchedule, answered: PreviewAnswer];
  /** One schedule: its next dates, and what became of the last ones. */
  schedule: [asked: ReadSchedule, answered: ScheduleFileAnswer];
  /** An account's schedules, newest first, below the schedule `before`. */
  schedules: [asked: ReadSchedules, answered: SchedulesAnswer];
  /** Let nothing be paid until it is resumed. */
  pause_schedule: [asked: PauseSchedule, answered: ScheduleAnswer];
  /** Go on with the next date to come. Those missed meanwhile are not made up for. */
  resume_schedule: [asked: ResumeSchedule, answered: ScheduleAnswer];
  /** End it for good. */
  cancel_schedule: [asked: CancelSchedule, answered: ScheduleAnswer];
  /** The payer, or an operator: dispute a payment. As much as is there is reserved on the payee's account. */
  open_dispute: [asked: OpenDispute, answered: DisputeAnswer];
  /** A page of your disputes, of all for operators, newest first, below the dispute `before`. */
  disputes: [asked: ReadDisputes, answered: DisputesAnswer];
  /** One dispute with its evidence, for its two sides and for operators. */
  dispute: [asked: ReadDispute, answered: DisputeFileAnswer];
  /** The payee: accept, accept a part (say which amount), or contest. An operator decides what is not accepted. */
  answer_dispute: [asked: AnswerDispute, answered: DisputeAnswer];
  /** Either side, or an operator: bring forward a text, a small file (name, media type, content), or both. */
  add_evidence: [asked: AddEvidence, answered: EvidenceAdded];
  /** One piece of evidence, with its file's content. */
  read_evidence: [asked: ReadEvidence, answered: EvidenceAnswer];
  /** Operators: how much the payer gets back: from what the payee offered (or 0) to all that is disputed. */
  decide_dispute: [asked: DecideDispute, answered: DisputeAnswer];
  /** The payer, or an operator: take what was awarded. Only where the profile asks for it (claim_due_at is there). */
  claim_dispute: [asked: ClaimDispute, answered: DisputeAnswer];
  /** Whoever opened it: let it be. What is reserved is let go. */
  withdraw_dispute: [asked: WithdrawDispute, answered: DisputeAnswer];
  /** Operators: the clocks of one kind of dispute, and what happens when one runs out. For new disputes. */
  set_dispute_profile: [asked: SetDisputeProfile, answered: DisputeProfileSet];
  /** The kinds of dispute there are here, with their clocks. */
  dispute_profiles: [asked: ReadDisputeProfiles, answered: DisputeProfilesAnswer];
  /** Operators: open a set of limits, or name it anew. Its rules are set one by one. */
  set_limits: [asked: SetLimits, answered: LimitsSet];
  /** Operators: write a rule. It holds from the next payment on. */
  set_rule: [asked: SetRule, answered: RuleSet];
  /** Operators: all rules. */
  rules: [asked: ReadRules, answered: RulesAnswer];
  /** Operators: put an account under a set of limits, or without `limits` under none. */
  put_under_limits: [asked: PutUnderLimits, answered: UnderLimits];
  /** What your account may pay at most: per payment, day, night and month. */
  own_limits: [asked: ReadOwnLimits, answered: OwnLimits];
  /** Lower a limit of your own, at once, or raise it, after a wait of a day or two. */
  set_own_limit: [asked: SetOwnLimit, answered: OwnLimitSet];
  /** Allow somebody to be paid beyond the limits for new payees and for the night, from tomorrow on; or deny them. */
  list_payee: [asked: ListPayee, answered: PayeeListed];
  /** Whom your account may pay beforehand, and whom it does not pay, by number, above `after`. */
  listed_payees: [asked: ReadListedPayees, answered: ListedPayees];
  /** Operators: payments that rules have set aside, oldest first. Release or decline each. */
  reviews: [asked: ReadReviews, answered: Reviews];
  /** Operators: what rules have decided, newest first. On a socket, with `watch`, new ones are told as they happen. */
  alerts: [asked: ReadAlerts, answered: Alerts];
  /** Operators: which settings were changed, by whom, newest first. */
  changes: [asked: ReadChanges, answered: Changes];
  /** Operators: write terms. They hold for every account under them, from the next payment on. */
  set_terms: [asked: SetTerms, answered: TermsSet];
  /** Operators: all terms. */
  terms: [asked: ReadTerms, answered: TermsAnswer];
  /** The terms that one of your accounts is under: what is kept of what it is paid. */
  account_terms: [asked: ReadAccountTerms, answered: AccountTermsAnswer];
  /** Operators: put an account under terms, or without `terms` under none. */
  put_under_terms: [asked: PutUnderTerms, answered: UnderTerms];
  /** What an account had at a moment of ledger time. */
  balance_at: [asked: ReadBalanceAt, answered: BalanceAtAnswer];
  /** A page of an account's entries that fit all that is said, newest first, below the event number `before`. */
  search: [asked: SearchEntries, answered: SearchAnswer];
  /** How many entries an account has from one moment up to, and without, another; what came in, went out, and was */
  totals: [asked: ReadTotals, answered: TotalsAnswer];
  /** What an account sold and gave back, from each moment of `edges` up to, and without, the next: a chart's bars. */
  sales: [asked: ReadSales, answered: SalesAnswer];
  /** Payments out of an account that were refused, newest first. They are no entries: nothing moved. */
  refusals: [asked: ReadRefusals, answered: RefusalsAnswer];
  /** A payment's whole life: what became of it, what its steps add up to, and each of them. */
  read_payment: [asked: ReadPayment, answered: LifeAnswer];
  /** Write your own words about an account, in place of all that were there; none: forget them. */
  set_account_metadata: [asked: SetAccountMetadata, answered: AccountMetadataAnswer];
  /** The words about an account. */
  account_metadata: [asked: ReadAccountMetadata, answered: AccountMetadataAnswer];
  /** Operators: the accounts with this word, by number, above `after`. */
  find_accounts: [asked: FindAccounts, answered: AccountsFound];
  /** A payment's receipt and its place in the log, for its two sides, whoever asked for it, and operators. */
  read_proof: [asked: ReadProof, answered: PaymentProof];
  /** The latest signed head of the log, or the one that was signed at `size`, as long as that is kept here. */
  log_head: [asked: ReadHead, answered: HeadAnswer];
  /** Proof that the log still begins with what it was at `from_size`, any size that it had; `to_size`: of a head. */
  log_growth: [asked: ReadGrowth, answered: GrowthAnswer];
  /** The keys that sign receipts and heads, all there ever were. Everybody may have them: /docs/proof-keys.json. */
  proof_keys: [asked: ReadProofKeys, answered: ProofKeysAnswer];
  /** Where you are logged in. Operators: where a person is; that you looked is written down. */
  sessions: [asked: ReadSessions, answered: SessionsAnswer];
  /** End all your sessions but this one. Operators: all of a person, with a reason. */
  end_sessions: [asked: EndSessions, answered: SessionsEnded];
  /** Give one of your sessions a name that you know it by. */
  name_session: [asked: NameSession, answered: SessionNamed];
  /** End a session of yours; its sockets are closed on every hub. Operators: anybody's, with a reason. */
  end_session: [asked: EndSession, answered: SessionsEnded];
  /** What you were told, newest first, below `before`; with `after`, what came after that number, oldest first. */
  notices: [asked: ReadNotices, answered: NoticesAnswer];
  /** You have seen your notices up to `number`: they are told on no other road. Not those of what this session did. */
  hear_notices: [asked: HearNotices, answered: NoticesHeard];
  /** Be told here when no socket is: this app, or this browser, as long as you are logged in here. */
  register_phone: [asked: RegisterPhone, answered: PhoneRegistered];
  /** The key that a browser subscribes to pushes with, before it is registered. */
  push_key: [asked: ReadPushKey, answered: PushKeyAnswer];
  /** Where you are told by push, the newest first. */
  phones: [asked: ReadPhones, answered: PhonesAnswer];
  /** Be told nothing more at one of your phones. */
  forget_phone: [asked: ForgetPhone, answered: PhoneForgotten];
  /** How you are told. */
  notice_settings: [asked: ReadNoticeSettings, answered: NoticeSettingsAnswer];
  /** Say how you want to be told; what you leave out is as the tenant has it. */
  set_notice_settings: [asked: SetNoticeSettings, answered: NoticeSettingsAnswer];
  /** Operators: how each kind of notice climbs. */
  ladders: [asked: ReadLadders, answered: LaddersAnswer];
  /** Operators: let a kind of notice climb so, from the next one on. */
  set_ladder: [asked: SetLadder, answered: LadderSet];
  /** Operators: pushes and mails that were set aside, newest first: refused for good, or tried too often. */
  dead_deliveries: [asked: ReadDeadDeliveries, answered: DeadDeliveriesAnswer];
  /** Operators: send again, under the same ids, what was set aside; all of it without `deliveries`. */
  retry_deliveries: [asked: RetryDeliveries, answered: DeliveriesRetried];
  /** Operators: tell something to everybody who agreed to a purpose of consent, and has not turned news off. */
  send_news: [asked: SendNews, answered: NewsSent];
  /** Operators: what was sent, newest first. `before`: the last page's `next_before`. */
  news: [asked: ReadNews, answered: NewsAnswer];
  /** Your second factors, and how many recovery codes are left. */
  factors: [asked: ReadFactors, answered: FactorsAnswer];
  /** Begin with an authenticator app: a secret, shown once. It counts when confirm_totp brings its first code. */
  enrol_totp: [asked: EnrolTotp, answered: TotpBegun];
  /** The first code of the app. From now on a log-in needs a second factor. */
  confirm_totp: [asked: ConfirmTotp, answered: FactorEnrolled];
  /** Begin with a passkey: what the page gives to navigator.credentials.create. Good for five minutes, and once. */
  enrol_passkey: [asked: EnrolPasskey, answered: PasskeyOptions];
  /** What the browser answered. From now on a log-in needs a second factor. */
  confirm_passkey: [asked: ConfirmPasskey, answered: FactorEnrolled];
  /** Give a factor a name that you know it by. */
  name_factor: [asked: NameFactor, answered: FactorNamed];
  /** Remove a factor. With the last one go the recovery codes, and a log-in needs the password alone. */
  remove_factor: [asked: RemoveFactor, answered: FactorRemoved];
  /** Ten new recovery codes; those of before are void. */
  renew_recovery_codes: [asked: RenewRecoveryCodes, answered: RecoveryCodes];
  /** Operators: remove all factors of somebody who has lost them, and end their sessions. */
  reset_factors: [asked: ResetFactors, answered: FactorsReset];
  /** Merchants: make a key for a program. Its secret is in the answer and is never shown again. */
  create_api_key: [asked: CreateApiKey, answered: ApiKeyMade];
  /** A merchant's keys, newest first, those that ended too. */
  api_keys: [asked: ReadApiKeys, answered: ApiKeysAnswer];
  /** Make a successor that may do the same. The old key works for `overlap_s` more; with 0 it ends at once. */
  rotate_api_key: [asked: RotateApiKey, answered: ApiKeyRotated];
  /** End a key. Sockets that speak with it are closed. */
  revoke_api_key: [asked: RevokeApiKey, answered: ApiKeyAnswer];
  /** Merchants: make a code that takes one till in, within ten minutes. It is never shown again. */
  create_pairing_code: [asked: CreatePairingCode, answered: PairingCodeMade];
  /** A merchant's tills: those that live first, each group newest first. */
  terminals: [asked: ReadTerminals, answered: TerminalsAnswer];
  /** Name a till anew, or change whether it may refund. With another right it has to log in again. */
  change_terminal: [asked: ChangeTerminal, answered: TerminalAnswer];
  /** End a till for good. Its sockets are closed. */
  revoke_terminal: [asked: RevokeTerminal, answered: TerminalAnswer];
  /** Merchants: invite somebody to act for you, within scopes, by their own log-in. It lapses after seven days. */
  invite_seat: [asked: InviteSeat, answered: SeatAnswer];
  /** A merchant's seats and invitations, newest first; those that ended stand last. */
  seats: [asked: ReadSeats, answered: SeatsAnswer];
  /** What you are invited to, and then the seats that you hold, each newest first. */
  own_seats: [asked: ReadOwnSeats, answered: OwnSeatsAnswer];
  /** Call a seat something else, or give it other scopes; by those, all that it opened ends and begins anew. */
  change_seat: [asked: ChangeSeat, answered: SeatAnswer];
  /** End a seat for good, or take an invitation back. What it opened is closed. */
  end_seat: [asked: EndSeat, answered: SeatAnswer];
  /** Take the seat that you were invited to. From then on the merchant sees your name. */
  accept_seat: [asked: AcceptSeat, answered: OwnSeatAnswer];
  /** Decline an invitation, which the merchant is not told, or leave a seat; what it opened is closed. */
  leave_seat: [asked: LeaveSeat, answered: OwnSeatAnswer];
  /** A token that speaks for the seat's merchant, within its scopes; everything done by it names you. */
  act_in_seat: [asked: ActInSeat, answered: SeatToken];
  /** Merchants: have a server told what happens from now on. Its secret is in the answer and is never shown again. */
  create_webhook: [asked: CreateWebhook, answered: WebhookMade];
  /** A merchant's webhooks, newest first. */
  webhooks: [asked: ReadWebhooks, answered: WebhooksAnswer];
  /** Change what is given and leave the rest. `active`: false stops it; true lets it go on where it stopped. */
  change_webhook: [asked: ChangeWebhook, answered: WebhookAnswer];
  /** A new secret, shown once. For a day both sign; then the new one alone. */
  rotate_webhook_secret: [asked: RotateWebhookSecret, answered: WebhookMade];
  /** Send a signed `webhook.test` there now, and be told what came back. */
  test_webhook: [asked: TestWebhook, answered: WebhookTested];
  /** What was tried in the last seven days, newest first, a thousand at most; and what was set aside. */
  webhook_attempts: [asked: ReadWebhookAttempts, answered: WebhookAttempts];
  /** Send events again: from `number` of the `account` on, or from a moment (`since`) on, of it or of all accounts. */
  replay_webhook: [asked: ReplayWebhook, answered: WebhookReplayed];
  /** Remove a webhook, with what was tried there. */
  delete_webhook: [asked: DeleteWebhook, answered: WebhookAnswer];
  /** Operators: let people come in with what an OpenID provider says, from the next log-in on. */
  set_identity_provider: [asked: SetIdentityProvider, answered: IdentityProviderAnswer];
  /** Operators, auditors: the providers that are believed. */
  identity_providers: [asked: ReadIdentityProviders, answered: IdentityProvidersAnswer];
  /** Operators: believe a provider no longer, and forget who its people were. Sessions go on. */
  remove_identity_provider: [asked: RemoveIdentityProvider, answered: IdentityProviderRemoved];
  /** Operators: let a person come in with this identity of a provider's. */
  link_identity: [asked: LinkIdentity, answered: IdentityLinked];
  /** Operators: let a person come in by this provider no longer. Sessions go on. */
  unlink_identity: [asked: UnlinkIdentity, answered: IdentityLinked];
  /** What you can step up with, and what the page gives to navigator.credentials.get for a passkey. */
  ask_step_up: [asked: AskStepUp, answered: StepUpOptions];
  /** Prove again that it is you, by one of these; by the password only if you have no second factor. */
  step_up: [asked: StepUp, answered: SteppedUp];
  /** A new password; all your other sessions end. Bring the old one, or step up first. */
  change_password: [asked: ChangePassword, answered: PasswordChanged];
  /** Operators: what the tenant asks of its people. */
  set_security: [asked: SetSecurity, answered: SecurityState];
  /** What the tenant asks of its people. */
  security: [asked: ReadSecurity, answered: SecurityState];
  /** Operators and support: who has this document, contact, login, account or name. One of them, and whole. */
  find_people: [asked: FindPeople, answered: PeopleFound];
  /** A person as they are known: yourself. Operators and support: anybody, and that they looked is written down. */
  read_person: [asked: ReadPerson, answered: PersonAnswer];
  /** Say something of yourself anew, or take it away; what was before is kept. Operators: of anybody, and say why. */
  edit_profile: [asked: EditProfile, answered: ProfileEdited];
  /** What was known of a person, newest first: yourself. Operators and support: anybody, as with read_person. */
  profile_history: [asked: ReadProfileHistory, answered: ProfileHistory];
  /** Have a code sent to a contact of yours. It lasts a quarter of an hour and five tries; the last one counts. */
  send_confirmation: [asked: SendConfirmation, answered: ConfirmationSent];
  /** Confirm a contact of yours by the code that was sent to it. From then on, nobody else's in the tenant is it. */
  confirm_contact: [asked: ConfirmContact, answered: ContactConfirmed];
  /** Operators: say how somebody stands, and why. Their accounts follow in the same moment, their sockets hear of it. */
  set_person_status: [asked: SetPersonStatus, answered: PersonStatusSet];
  /** Operators: give somebody a role; their sessions end, and begin anew with it. Never one's own. */
  set_role: [asked: SetRole, answered: RoleSet];
  /** Operators and auditors: roles that wait for a second operator, oldest first. */
  role_requests: [asked: ReadRoleRequests, answered: RoleRequests];
  /** Operators and auditors: what the tenant asks of its people. */
  people_settings: [asked: ReadPeopleSettings, answered: PeopleSettingsAnswer];
  /** Operators: change what the tenant asks of its people; what is left out stays. */
  set_people_settings: [asked: SetPeopleSettings, answered: PeopleSettingsAnswer];
  /** The audit trail, newest first. Operators and auditors: the tenant's, and that they read it is written down. */
  trail: [asked: ReadTrail, answered: TrailPage];
  /** What is held about the speaker, in short: which kinds, how much of each, why, for how long (art. 19, I). */
  my_data: [asked: ReadData, answered: DataAnswer];
  /** Ask for everything that is held about the speaker, as JSON and as PDF (art. 18, II and V; art. 19, II). */
  ask_export: [asked: AskExport, answered: ExportAnswer];
  /** The speaker's exports, newest first, before the one called `before`. */
  exports: [asked: ReadExports, answered: ExportsAnswer];
  /** An export as it stands. With `watch`, the socket is told of its progress until it is ready. */
  export: [asked: ReadExport, answered: ExportAnswer];
  /** Who was told what about the speaker (art. 18, VII), newest first, before the one called `before`. */
  disclosures: [asked: ReadDisclosures, answered: DisclosuresAnswer];
  /** What erasing the speaker would meet, or what became of it. Operators may name somebody else. */
  erasure: [asked: ReadErasure, answered: ErasureAnswer];
  /** End the relationship and erase the speaker (art. 18, VI): for good, as far as nothing obliges to keep it. */
  erase: [asked: Erase, answered: ErasureAnswer];
  /** Ask for consent in these words from now on, in Portuguese and English. For operators. */
  set_consent_purpose: [asked: SetPurpose, answered: PurposeSet];
  /** What the tenant asks consent for, and what the speaker says to it. */
  consent_purposes: [asked: ReadPurposes, answered: PurposesAnswer];
  /** Agree to a purpose, in the version of its text that was read. */
  give_consent: [asked: GiveConsent, answered: PurposeAnswer];
  /** Take consent back, whatever version it was given to. What rests on it alone stops at once. */
  revoke_consent: [asked: RevokeConsent, answered: PurposeAnswer];
  /** All that the speaker ever allowed or took back, newest first, before one of those changes: all three values. */
  consents: [asked: ReadConsents, answered: ConsentsAnswer];
  /** Ask the institution for something that takes a person to answer. It is due within fifteen days. */
  make_privacy_request: [asked: MakeRequest, answered: RequestAnswer];
  /** The speaker's requests, newest first. With `open`, for operators: everybody's open ones, the most urgent first. */
  privacy_requests: [asked: ReadRequests, answered: RequestsAnswer];
  /** A request as it stands. Operators may read everybody's, and it is written down that they did. */
  privacy_request: [asked: ReadRequest, answered: RequestAnswer];
  /** Answer a person's request. For operators; nobody answers their own. */
  answer_privacy_request: [asked: AnswerRequest, answered: RequestAnswer];
  /** Let one's own request be. */
  withdraw_privacy_request: [asked: WithdrawRequest, answered: RequestAnswer];
  /** Write an incident down, and find whom it concerns. The clocks run from `known_at`. */
  record_incident: [asked: RecordIncident, answered: IncidentAnswer];
  /** The register, the latest known first, before the incident `before`. */
  incidents: [asked: ReadIncidents, answered: IncidentsAnswer];
  /** An incident as it is known now. The drafts and the list of persons are files, over HTTP. */
  incident: [asked: ReadIncident, answered: IncidentAnswer];
  /** Add what was learned or done since, as a revision. What is left out stays as it was. */
  revise_incident: [asked: ReviseIncident, answered: IncidentAnswer];
  /** Ids of whom an incident concerns, in their order, after `after`. */
  incident_persons: [asked: ReadIncidentPersons, answered: IncidentPersonsAnswer];
  /** Operators and auditors: a payment from all sides, beside read_payment and read_proof. */
  explain_payment: [asked: ExplainPayment, answered: PaymentExplained];
  /** Operators and auditors: money that is reserved, what ends first at the top; but for reviews, which are a queue. */
  holds: [asked: ReadHolds, answered: HoldsAnswer];
  /** Operators and auditors: whose an account is, and under which limits and terms it stands. */
  account_conditions: [asked: ReadConditions, answered: ConditionsAnswer];
  /** Operators and auditors: the tenant's payments of the last two minutes, second by second, all hubs together. */
  traffic: [asked: ReadTraffic, answered: TrafficAnswer];
  /** Operators and auditors: who is connected, and who left lately and why. That you looked is written down. */
  connections: [asked: ReadConnections, answered: ConnectionsAnswer];
}

/** What the hub says without being asked. */
export type Unasked =
  | Event
  | Draining
  | BulkProgress
  | Alert
  | StatusChanged
  | Notice
  | TrafficSecond
  | ExportProgress
  | PrivacyAlert;

/** Whatever the hub may say. */
export type FromHub =
  | Refused
  | Event
  | Draining
  | BulkProgress
  | Alert
  | StatusChanged
  | Notice
  | TrafficSecond
  | ExportProgress
  | PrivacyAlert
  | Challenge
  | Welcome
  | Renewed
  | Following
  | Unfollowed
  | Resumed
  | Pong
  | Paid
  | Linked
  | Tried
  | AccountsAnswer
  | AccountAnswer
  | BalanceAnswer
  | HistoryAnswer
  | ProfileAnswer
  | PayeeAnswer
  | PersonOpened
  | FloorSet
  | ChargeAnswer
  | ChargesAnswer
  | BulkAnswer
  | BulksAnswer
  | BulkReport
  | ScheduleAnswer
  | PreviewAnswer
  | ScheduleFileAnswer
  | SchedulesAnswer
  | DisputeAnswer
  | DisputesAnswer
  | DisputeFileAnswer
  | EvidenceAdded
  | EvidenceAnswer
  | DisputeProfileSet
  | DisputeProfilesAnswer
  | LimitsSet
  | RuleSet
  | RulesAnswer
  | UnderLimits
  | OwnLimits
  | OwnLimitSet
  | PayeeListed
  | ListedPayees
  | Reviews
  | Alerts
  | Changes
  | TermsSet
  | TermsAnswer
  | AccountTermsAnswer
  | UnderTerms
  | BalanceAtAnswer
  | SearchAnswer
  | TotalsAnswer
  | SalesAnswer
  | RefusalsAnswer
  | LifeAnswer
  | AccountMetadataAnswer
  | AccountsFound
  | PaymentProof
  | HeadAnswer
  | GrowthAnswer
  | ProofKeysAnswer
  | SessionsAnswer
  | SessionsEnded
  | SessionNamed
  | NoticesAnswer
  | NoticesHeard
  | PhoneRegistered
  | PushKeyAnswer
  | PhonesAnswer
  | PhoneForgotten
  | NoticeSettingsAnswer
  | LaddersAnswer
  | LadderSet
  | DeadDeliveriesAnswer
  | DeliveriesRetried
  | NewsSent
  | NewsAnswer
  | FactorsAnswer
  | TotpBegun
  | FactorEnrolled
  | PasskeyOptions
  | FactorNamed
  | FactorRemoved
  | RecoveryCodes
  | FactorsReset
  | ApiKeyMade
  | ApiKeysAnswer
  | ApiKeyRotated
  | ApiKeyAnswer
  | PairingCodeMade
  | TerminalsAnswer
  | TerminalAnswer
  | SeatAnswer
  | SeatsAnswer
  | OwnSeatsAnswer
  | OwnSeatAnswer
  | SeatToken
  | WebhookMade
  | WebhooksAnswer
  | WebhookAnswer
  | WebhookTested
  | WebhookAttempts
  | WebhookReplayed
  | IdentityProviderAnswer
  | IdentityProvidersAnswer
  | IdentityProviderRemoved
  | IdentityLinked
  | StepUpOptions
  | SteppedUp
  | PasswordChanged
  | SecurityState
  | PeopleFound
  | PersonAnswer
  | ProfileEdited
  | ProfileHistory
  | ConfirmationSent
  | ContactConfirmed
  | PersonStatusSet
  | RoleSet
  | RoleRequests
  | PeopleSettingsAnswer
  | TrailPage
  | DataAnswer
  | ExportAnswer
  | ExportsAnswer
  | DisclosuresAnswer
  | ErasureAnswer
  | PurposeSet
  | PurposesAnswer
  | PurposeAnswer
  | ConsentsAnswer
  | RequestAnswer
  | RequestsAnswer
  | IncidentAnswer
  | IncidentsAnswer
  | IncidentPersonsAnswer
  | PaymentExplained
  | HoldsAnswer
  | ConditionsAnswer
  | TrafficAnswer
  | ConnectionsAnswer;

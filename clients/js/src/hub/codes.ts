/** Every code that a client can meet, as hub/protocol/codes.py declares it. Generated: `python -m hub.typescript` renews it. */

/** Why a command was refused. */
export type ErrorCode =
  | "malformed"
  | "unknown_type"
  | "invalid_field"
  | "duplicate_field"
  | "too_large"
  | "authentication_required"
  | "authentication_failed"
  | "already_authenticated"
  | "credentials_refused"
  | "possession_refused"
  | "proof_nonce_required"
  | "clock_skewed"
  | "identity_refused"
  | "identity_unknown"
  | "provider_unavailable"
  | "forbidden"
  | "scope_missing"
  | "not_found"
  | "conflict"
  | "not_disputable"
  | "already_disputed"
  | "reason_not_covered"
  | "dispute_deadline_passed"
  | "dispute_moved_on"
  | "too_much_evidence"
  | "card_data_in_text"
  | "document_in_text"
  | "person_pending"
  | "person_blocked"
  | "person_closed"
  | "not_on_yourself"
  | "last_operator"
  | "second_operator_needed"
  | "role_exceeds_yours"
  | "reason_does_not_fit"
  | "reason_needed"
  | "account_not_empty"
  | "document_invalid"
  | "field_not_theirs"
  | "field_missing"
  | "already_held"
  | "already_confirmed"
  | "ask_support"
  | "code_refused"
  | "code_damaged"
  | "charge_paid"
  | "schedule_over"
  | "too_many_schedules"
  | "too_many_bulks"
  | "range_too_large"
  | "rule_does_not_fit"
  | "limit_not_yours"
  | "unsupported_media_type"
  | "malformed_file"
  | "totals_mismatch"
  | "sum_out_of_range"
  | "too_many_lines"
  | "lines_out_of_order"
  | "duplicate_file"
  | "bulk_begun_again"
  | "bulk_wrong_status"
  | "bulk_is_empty"
  | "bulk_has_bad_lines"
  | "maker_cannot_approve"
  | "ticket_refused"
  | "proof_refused"
  | "step_up_required"
  | "second_factor_required"
  | "passkeys_not_set_up"
  | "too_many_factors"
  | "password_too_weak"
  | "too_many_keys"
  | "key_over"
  | "too_many_terminals"
  | "too_many_seats"
  | "too_many_invitations"
  | "already_seated"
  | "seat_over"
  | "too_many_providers"
  | "too_many_phones"
  | "too_many_webhooks"
  | "url_refused"
  | "export_under_way"
  | "too_many_exports"
  | "erasure_obstructed"
  | "consent_text_changed"
  | "consent_missing"
  | "too_many_purposes"
  | "too_many_changes"
  | "too_many_requests"
  | "request_answered"
  | "cursor_out_of_range"
  | "too_many_followed"
  | "too_many_in_flight"
  | "rate_limited"
  | "overloaded"
  | "unavailable"
  | "keys_unavailable"
  | "outcome_unknown"
  | "internal";

/** What became of a payment. */
export type PaymentStatus =
  | "posted"
  | "in_review"
  | "fenced"
  | "exists_with_different_kind"
  | "exists_with_different_subject"
  | "exists_with_different_charge"
  | "exists_with_different_payer"
  | "exists_with_different_payee"
  | "exists_with_different_amount"
  | "exists_with_different_description"
  | "exists_with_different_options"
  | "exists_with_different_metadata"
  | "amount_out_of_range"
  | "subject_not_found"
  | "not_in_review"
  | "still_in_review"
  | "hold_closed"
  | "hold_expired"
  | "hold_not_expired"
  | "capture_exceeds_hold"
  | "refund_exceeds_captured"
  | "dispute_open"
  | "charge_not_found"
  | "charge_closed"
  | "charge_expired"
  | "charge_amount_differs"
  | "accounts_must_differ"
  | "payer_not_found"
  | "payee_not_found"
  | "payer_not_open"
  | "payee_not_open"
  | "shares_not_payable"
  | "payee_denied"
  | "limit_exceeded"
  | "insufficient_funds"
  | "balance_out_of_range"
  | "linked_refused"
  | "unknown";

/** What happened on an account. */
export type EventName =
  | "payment.sent"
  | "payment.received"
  | "charge.paid"
  | "payment.reversed"
  | "hold.placed"
  | "hold.captured"
  | "hold.voided"
  | "hold.expired"
  | "refund.sent"
  | "refund.received"
  | "review.opened"
  | "review.released"
  | "review.declined"
  | "dispute.held"
  | "dispute.charged_back"
  | "dispute.released"
  | "fee.kept"
  | "fee.returned";

/** Whether to come back after the hub closed with this code. */
export const CLOSE_CODES = {
  1002: false,
  1003: false,
  1007: false,
  1009: false,
  1011: true,
  1012: true,
  4001: true,
  4002: true,
  4003: true,
  4004: true,
  4005: true,
  4500: false,
  4501: false,
  4502: false,
  4503: false,
  4504: false,
} as const;

/** Refusals after which asking again can help. */
export const TEMPORARY: ReadonlySet<ErrorCode> = /* @__PURE__ */ new Set<ErrorCode>([
  "proof_nonce_required",
  "clock_skewed",
  "provider_unavailable",
  "too_many_in_flight",
  "rate_limited",
  "overloaded",
  "unavailable",
  "keys_unavailable",
  "outcome_unknown",
  "internal",
]);

/** Statuses that say nothing final: ask again with the same id. */
export const NOT_FINAL: ReadonlySet<PaymentStatus> = /* @__PURE__ */ new Set<PaymentStatus>([
  "unknown",
]);

/** Commands that change nothing, so that they may be asked again. */
export const READS: ReadonlySet<string> = /* @__PURE__ */ new Set<string>([
  "account",
  "account_conditions",
  "account_metadata",
  "account_terms",
  "accounts",
  "alerts",
  "api_keys",
  "balance",
  "balance_at",
  "bulk",
  "bulk_report",
  "bulks",
  "changes",
  "charge",
  "charges",
  "connections",
  "consent_purposes",
  "consents",
  "dead_deliveries",
  "disclosures",
  "dispute",
  "dispute_profiles",
  "disputes",
  "dry_run",
  "erasure",
  "explain_payment",
  "export",
  "exports",
  "factors",
  "find_accounts",
  "find_people",
  "history",
  "holds",
  "identity_providers",
  "incident",
  "incident_persons",
  "incidents",
  "ladders",
  "listed_payees",
  "log_growth",
  "log_head",
  "my_data",
  "news",
  "notice_settings",
  "notices",
  "own_limits",
  "own_seats",
  "payee",
  "people_settings",
  "phones",
  "preview_schedule",
  "privacy_request",
  "privacy_requests",
  "profile",
  "profile_history",
  "proof_keys",
  "push_key",
  "read_code",
  "read_evidence",
  "read_payment",
  "read_person",
  "read_proof",
  "refusals",
  "reviews",
  "role_requests",
  "rules",
  "sales",
  "schedule",
  "schedules",
  "search",
  "seats",
  "security",
  "sessions",
  "terminals",
  "terms",
  "totals",
  "traffic",
  "trail",
  "webhook_attempts",
  "webhooks",
]);

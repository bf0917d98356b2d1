/** What a push says to this browser, and where its tap leads. No page shares this file: a worker is one file alone. */

/** As workers/push/web_push.py writes it. Without a title nobody is to see it: it takes away what was acknowledged elsewhere. */
export interface Push {
  readonly id?: string;
  readonly title?: string;
  readonly body?: string;
  readonly tag?: string;
  readonly badge?: number;
  readonly clears?: readonly string[];
  readonly data?: { readonly kind?: string; readonly seen?: string };
}

/** Of those that lead elsewhere than to what happened on the account. */
const PATHS: Readonly<Partial<Record<string, string>>> = {
  contact_code: "you/profile",
  claimed: "you/profile",
  contact_changed: "you/profile",
  payment_refused: "you/schedules",
  bulk_finished: "sales/bulk",
  limit_raised: "you/limits",
  dispute_opened: "sales/disputes",
  new_device: "you/devices",
  second_factor_refused: "you/security",
  factor_enrolled: "you/security",
  factor_removed: "you/security",
  recovery_code_used: "you/security",
  passkey_copied: "you/security",
  password_changed: "you/devices",
  export_ready: "you/privacy/copy",
  webhook_disabled: "sales/webhooks",
  seat_offered: "you/teams",
  seat_taken: "sales/staff",
  news: "notices",
};

/** Which payment it was a push does not say: the newest is on top of the activity. */
export function pageOf(kind: string | undefined): string {
  return `/app/${kind === undefined ? "notices" : (PATHS[kind] ?? "activity")}`;
}

/** What came, as far as it can be read. */
export function readPush(text: string | undefined): Push {
  try {
    const said: unknown = JSON.parse(text ?? "{}");
    return typeof said === "object" && said !== null ? said : {};
  } catch {
    return {};
  }
}

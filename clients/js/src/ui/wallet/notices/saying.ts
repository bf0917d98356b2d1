/** A notice as a person reads it: what it says, what is beneath, and where it leads. */
import type { NoticeState } from "../../../hub/wire.js";
import { count, money, shortMoment } from "../../words/figures.js";
import { preferences } from "../../words/preferences.svelte.js";
import { whyRefused } from "../../words/refusals.js";
import type { PaymentStatus } from "../../../hub/codes.js";
import { noticeWords } from "./words.js";

type Kind = NoticeState["kind"];

/** What it says, in one line. A sum that somebody has hidden stays hidden. */
export function sayNotice(notice: NoticeState, currency: string): string {
  const w = noticeWords();
  const sum = notice.amount === undefined ? w.some : preferences.hidesAmounts ? "••••" : money(notice.amount, currency);
  return w.kinds[notice.kind](sum);
}

/** What is beneath: what to make of it. */
export function adviseOf(notice: NoticeState): string | undefined {
  const w = noticeWords();
  const about: Readonly<Partial<Record<string, string>>> = w.about;
  if (notice.kind === "payment_refused" && notice.code !== undefined) {
    return `${whyRefused(notice.code as PaymentStatus)} ${w.about.payment_refused}`;
  }
  return about[notice.kind];
}

/** Which, where from, until when: what is known of it besides. */
export function factsOf(notice: NoticeState): string[] {
  const w = noticeWords();
  const found: string[] = [];
  const measures: Readonly<Partial<Record<string, string>>> = w.measure;
  const factors: Readonly<Partial<Record<string, string>>> = w.factor;
  const named = notice.code === undefined ? undefined : notice.kind === "limit_raised" ? measures[notice.code] : factors[notice.code];
  if (named !== undefined) found.push(named);
  if (notice.name !== undefined) found.push(notice.name);
  if (notice.network !== undefined) found.push(w.from(notice.network));
  if (notice.lines !== undefined) found.push(w.lines(count(notice.lines)));
  if (notice.refused !== undefined && notice.refused > 0) found.push(w.refusedLines(count(notice.refused)));
  if (notice.ends_at !== undefined) found.push(w.until(shortMoment(notice.ends_at)));
  return found;
}

/** Of which sort it is: what may be somebody else's doing has to be seen. */
export function sortOf(kind: Kind): "money" | "warning" | "service" {
  if (WARNINGS.has(kind)) return "warning";
  return SERVICES.has(kind) ? "service" : "money";
}

const WARNINGS: ReadonlySet<Kind> = new Set<Kind>([
  "claimed",
  "contact_changed",
  "limit_raised",
  "new_device",
  "second_factor_refused",
  "factor_enrolled",
  "factor_removed",
  "recovery_code_used",
  "passkey_copied",
  "password_changed",
  "seat_taken",
]);
const SERVICES: ReadonlySet<Kind> = new Set<Kind>(["contact_code", "export_ready", "webhook_disabled", "seat_offered", "news"]);

/** The page that it leads to, from the wallet's beginning; undefined: there is none. */
export function pathOf({ kind, subject }: Pick<NoticeState, "kind" | "subject">): string | undefined {
  switch (kind) {
    case "dispute_opened":
      return subject === undefined ? "/sales/disputes" : `/sales/disputes/${subject}`;
    case "bulk_finished":
      return subject === undefined ? "/sales/bulk" : `/sales/bulk/${subject}`;
    case "webhook_disabled":
      return subject === undefined ? "/sales/webhooks" : `/sales/webhooks/${subject}`;
    case "seat_offered":
      return "/you/teams";
    case "seat_taken":
      return "/sales/staff";
    case "payment_refused":
      return "/you/schedules";
    case "limit_raised":
      return "/you/limits";
    case "new_device":
      return "/you/devices";
    case "claimed":
    case "contact_changed":
    case "contact_code":
      return "/you/profile";
    case "export_ready":
      return "/you/privacy/copy";
    case "news":
      return undefined;
    default:
      if (WARNINGS.has(kind)) return "/you/security";
      return subject === undefined ? "/activity" : `/payment/${subject}`;
  }
}

/** When a payment is to be made, of what was filled in. As core/payments/calendar.py wants it: a monthly one has a day. */
import type { CreateSchedule } from "../../../../hub/wire.js";

export type Rule = "once" | "weekly" | "monthly" | "yearly";
type Plan = Pick<CreateSchedule, "rule" | "first_on" | "day" | "on_closed" | "times">;

export interface Filled {
  readonly rule: Rule;
  readonly first: string;
  readonly closed: "same" | "after" | "before";
  /** Empty: without end. */
  readonly times: string;
}

export function isDay(text: string, today: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && text >= today;
}

export function isCount(text: string): boolean {
  return text.trim() === "" || /^[1-9]\d{0,3}$/.test(text.trim());
}

export function planOf({ rule, first, closed, times }: Filled): Plan {
  return {
    rule,
    first_on: first,
    on_closed: closed,
    ...(rule === "monthly" && { day: Number(first.slice(8, 10)) }),
    ...(rule !== "once" && times.trim() !== "" && { times: Number(times.trim()) }),
  };
}

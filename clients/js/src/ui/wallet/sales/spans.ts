/** Sales by the hour and by the day, on the reader's own clock; and how events that arrive are added to what the hub summed up. */
import type { EntryState, SalesSpan } from "../../../hub/wire.js";
import { isSystem } from "../../kit/entry_words.js";

export interface Span extends SalesSpan {
  /** From when, and until, without, when. */
  readonly from: number;
  readonly to: number;
}

export const NOTHING: SalesSpan = { sales: 0, amount: 0, returns: 0, returned: 0, fees: 0 };
export const DAYS = 30;

/** Yesterday by the hour, with an edge at this very time of it, and today by the hour. */
export function hourEdges(now: Date): readonly number[] {
  const hours = Array.from({ length: 49 }, (_, hour) => at(now, -1, hour));
  return [...new Set([...hours, at(now, -1, now.getHours(), now.getMinutes())])].sort((one, other) => one - other);
}

/** The last thirty days, today among them, and the thirty before, each with its two ends. */
export function dayEdges(now: Date): readonly number[] {
  return Array.from({ length: 2 * DAYS + 1 }, (_, day) => at(now, day + 1 - 2 * DAYS));
}

/** Days and hours as the calendar has them: some days have 23 or 25 hours. */
function at(now: Date, days: number, hours = 0, minutes = 0): number {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hours, minutes).getTime();
}

export function toSpans(edges: readonly number[], found: readonly SalesSpan[]): readonly Span[] {
  return found.map((span, place) => ({ ...span, from: edges[place] ?? 0, to: edges[place + 1] ?? 0 }));
}

export function sum(spans: readonly SalesSpan[]): SalesSpan {
  return spans.reduce(plus, NOTHING);
}

export function plus(one: SalesSpan, other: SalesSpan): SalesSpan {
  return {
    sales: one.sales + other.sales,
    amount: one.amount + other.amount,
    returns: one.returns + other.returns,
    returned: one.returned + other.returned,
    fees: one.fees + other.fees,
  };
}

const SOLD: ReadonlySet<string> = new Set(["payment.received", "charge.paid", "hold.captured", "review.released"]);
const GIVEN_BACK: ReadonlySet<string> = new Set(["refund.sent", "payment.reversed", "dispute.charged_back"]);

/** Whether it is what somebody paid here, as `sales` counts it. */
export function isSale(entry: EntryState): boolean {
  return SOLD.has(entry.what) && entry.amount > 0 && !isSystem(entry.counterparty);
}

/** What an entry adds: a sale is what its payer paid, so the fee counts as sold and as kept. */
export function worth(entry: EntryState): SalesSpan {
  const fees = entry.fee ?? 0;
  if (isSale(entry)) return { ...NOTHING, sales: 1, amount: entry.amount + fees, fees };
  if (GIVEN_BACK.has(entry.what) && entry.amount < 0) return { ...NOTHING, returns: 1, returned: -(entry.amount + fees), fees };
  return NOTHING;
}

export function add(spans: readonly Span[], entry: EntryState): readonly Span[] {
  const more = worth(entry);
  const when = Date.parse(entry.at);
  return more === NOTHING ? spans : spans.map((span) => (span.from <= when && when < span.to ? { ...span, ...plus(span, more) } : span));
}

/** How much more or less, as a share of what was before; of nothing there is no share. */
export function change(now: number, before: number): number | undefined {
  return before === 0 ? undefined : (now - before) / before;
}

/** The edge at this time of yesterday cuts an hour in two: they are one bar. */
export function joinHours(spans: readonly Span[]): readonly Span[] {
  const found: Span[] = [];
  for (const span of spans) {
    const last = found.at(-1);
    const isSame = last !== undefined && new Date(last.from).getHours() === new Date(span.from).getHours();
    if (isSame) found[found.length - 1] = { ...plus(last, span), from: last.from, to: span.to };
    else found.push(span);
  }
  return found;
}

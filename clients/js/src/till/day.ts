/** What this till has sold in a day, out of its own book: paid for, given back, still to be posted, and lost. */
import type { Pages } from "./book.js";
import type { ChargeRecord, SaleRecord } from "./records.js";

export interface DaySums {
  /** What is in the merchant's account: the newest first. */
  readonly sold: readonly (ChargeRecord | SaleRecord)[];
  readonly count: number;
  readonly byCharge: number;
  readonly onTabs: number;
  readonly refunded: number;
  /** Sold without the hub having said so yet. */
  readonly waiting: number;
  /** Sold, and there was no money for it. */
  readonly refused: number;
  /** Paid in all, less what was given back. */
  readonly total: number;
}

/** The day from one moment up to, and without, another. A charge counts when it was paid, a sale when it was made. */
export function sumDay({ charges, sales }: Pages, from: number, to: number): DaySums {
  const paid = charges.filter((one) => one.state === "paid" && isWithin(one.paid?.at ?? one.at, from, to));
  const made = sales.filter((one) => isWithin(one.at, from, to));
  const posted = made.filter((one) => one.state === "posted");
  const byCharge = sum(paid.map((one) => one.paid?.amount ?? one.amount));
  const onTabs = sum(posted.map((one) => one.amount));
  const refunded = sum([...paid, ...posted].map((one) => one.refunded ?? 0));
  return {
    sold: [...paid, ...made].sort((one, other) => momentOf(other) - momentOf(one)),
    count: paid.length + posted.length,
    byCharge,
    onTabs,
    refunded,
    waiting: sum(made.filter((one) => one.state === "accepted").map((one) => one.amount)),
    refused: sum(made.filter((one) => one.state === "refused").map((one) => one.amount)),
    total: byCharge + onTabs - refunded,
  };
}

export function momentOf(record: ChargeRecord | SaleRecord): number {
  return record.sort === "charge" ? (record.paid?.at ?? record.at) : record.at;
}

function isWithin(at: number, from: number, to: number): boolean {
  return at >= from && at < to;
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

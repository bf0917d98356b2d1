/** What a till writes down before it says that it is so: charges, tabs, and the sales on them. */
import type { CapturePart, VoidPart } from "../hub/wire.js";

/**
 * A request to be paid by whoever scans it. `making`: the hub has not said yet that it has it. `left`: nobody here wants
 * it any more, and the hub has not said yet what became of it.
 */
export interface ChargeRecord {
  readonly sort: "charge";
  readonly charge: string;
  readonly amount: number;
  readonly description?: string;
  readonly at: number;
  readonly state: "making" | "open" | "left" | "paid" | "cancelled" | "expired" | "refused";
  /** The text of its QR code. */
  readonly code?: string;
  readonly paid?: PaidBy;
  /** Why the hub would not have it. */
  readonly why?: string;
  readonly refunded?: number;
}

export interface PaidBy {
  readonly at: number;
  readonly amount: number;
  readonly payment?: string;
  readonly payer?: number;
}

/**
 * A customer's allowance for this till: money of theirs that the ledger holds for the merchant, until it expires.
 * `asked`: shown as a code, and not held yet. `closing`: no sale is taken any more. `lost`: it never came to be.
 */
export interface TabRecord {
  readonly sort: "tab";
  /** The payment that holds the money; this till chose its id. */
  readonly hold: string;
  readonly label: string;
  /** What was asked for; once it is open, what is held. */
  readonly amount: number;
  readonly at: number;
  readonly lasts_s: number;
  readonly state: "asked" | "open" | "closing" | "closed" | "lost";
  readonly payer?: number;
  /** By the hub's clock, milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** The institution's signed proof of the hold (read_proof). */
  readonly paper?: unknown;
  /** What is being sent: the same until it is answered, whatever happens meanwhile. */
  readonly posting?: Posting;
  /** The hub would not take them together, so they go one by one. */
  readonly isSplit?: boolean;
  /** Why it cannot be sent now, or why it was lost. */
  readonly why?: string;
}

export interface Posting {
  readonly parts: readonly (CapturePart | VoidPart)[];
  readonly isFinal: boolean;
}

/** A sale on a tab, signed by this till. `accepted`: it is safe here, and the hub has not said yet that it has it. */
export interface SaleRecord {
  readonly sort: "sale";
  readonly sale: string;
  readonly hold: string;
  /** Of this till's sales, without a gap. */
  readonly count: number;
  readonly amount: number;
  readonly description?: string;
  /** By the hub's clock as the till knew it. */
  readonly at: number;
  /** The hash of the sale before it. */
  readonly before: string;
  readonly signed: string;
  readonly isOffline: boolean;
  readonly state: "accepted" | "posted" | "refused";
  /** The capture that takes its money. */
  readonly payment: string;
  /** Why there is no money for it. */
  readonly why?: string;
  readonly refunded?: number;
}

/** The last sale that is kept no more: the next one goes on from it. */
export interface CountRecord {
  readonly sort: "count";
  readonly count: number;
  readonly hash: string;
}

export type TillRecord = ChargeRecord | TabRecord | SaleRecord | CountRecord;

export function keyOf(record: TillRecord): string {
  switch (record.sort) {
    case "charge":
      return `charge-${record.charge}`;
    case "tab":
      return `tab-${record.hold}`;
    case "sale":
      return `sale-${record.sale}`;
    case "count":
      return "count";
  }
}

/** Whether nothing more can become of it. */
export function isOver(record: TillRecord): boolean {
  switch (record.sort) {
    case "charge":
      return ["paid", "cancelled", "expired", "refused"].includes(record.state);
    case "tab":
      return record.state === "closed" || record.state === "lost";
    case "sale":
      return record.state !== "accepted";
    case "count":
      return false;
  }
}

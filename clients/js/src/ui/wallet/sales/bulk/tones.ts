/** How a bulk stands, and what that looks like. */
import type { BulkState, LineResult } from "../../../../hub/wire.js";

export const TONES: Readonly<Record<BulkState["status"], "calm" | "wait" | "good" | "bad">> = {
  receiving: "wait",
  checked: "wait",
  approved: "wait",
  posting: "wait",
  finished: "good",
  failed: "bad",
  cancelled: "calm",
};

const OVER: ReadonlySet<BulkState["status"]> = new Set(["finished", "failed", "cancelled"]);

export function isOver(bulk: Pick<BulkState, "status">): boolean {
  return OVER.has(bulk.status);
}

/** How much of it is paid or refused. */
export function shareOf({ through, lines, status }: Pick<BulkState, "through" | "lines" | "status">): number {
  if (status === "finished") return 1;
  return lines === 0 ? 0 : Math.min(through / lines, 1);
}

export type LineStatus = "posted" | "waiting" | "not_posted" | "bad" | "refused";

/** A line's status is its payment's once it was judged: whatever is not among these was refused, for that reason. */
export function lineStatusOf({ status }: Pick<LineResult, "status">): LineStatus {
  if (status === "in_review") return "waiting";
  return status === "posted" || status === "waiting" || status === "not_posted" || status === "bad" ? status : "refused";
}

export const LINE_TONES: Readonly<Record<LineStatus, "calm" | "wait" | "good" | "bad">> = {
  posted: "good",
  waiting: "wait",
  not_posted: "calm",
  bad: "bad",
  refused: "bad",
};

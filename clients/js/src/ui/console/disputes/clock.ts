/** The clock of a dispute that runs out next, if one runs. Pure. */
import type { DisputeState } from "../../../hub/wire.js";

export type Due = "answer" | "decision" | "claim" | "refund" | "collect";

export function nextDue(one: DisputeState): readonly [Due, string] | undefined {
  if (one.closed_at !== undefined) return undefined;
  if (one.claimed_at !== undefined) {
    const at = one.overdue ? one.collect_until : one.refund_due_at;
    return at === undefined ? undefined : [one.overdue ? "collect" : "refund", at];
  }
  if (one.status === "open") return ["answer", one.answer_due_at];
  if (one.status === "under_review") return ["decision", one.decision_due_at];
  return one.claim_due_at === undefined ? undefined : ["claim", one.claim_due_at];
}

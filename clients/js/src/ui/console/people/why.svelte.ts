/** Why support looks at people: said once a shift, and sent with each look. Kept in memory alone. */
import type { Asked } from "../../../hub/commands.js";

export type Reason = NonNullable<Asked<"read_person">["reason"]>;

export const REASONS: readonly Reason[] = ["own_request", "operation", "identification", "correction", "dispute", "fraud_check", "legal_duty"];

class Why {
  reason: Reason = $state("own_request");
  case: string = $state("");

  /** As commands take it. Operators need none, and nothing is made up for them. */
  fields(isAsked: boolean): { reason?: Reason; case?: string } {
    if (!isAsked) return {};
    const said = this.case.trim();
    return { reason: this.reason, ...(said !== "" && { case: said }) };
  }
}

export const why = new Why();

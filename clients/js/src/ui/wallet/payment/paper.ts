/** What a customer keeps of a payment's proof: the hub's answer as JSON, without what is this conversation's. */
import type { PaymentProof } from "../../../hub/wire.js";

export function paperOf({ type: _, id: __, ...paper }: PaymentProof): string {
  return JSON.stringify(paper, null, 2);
}

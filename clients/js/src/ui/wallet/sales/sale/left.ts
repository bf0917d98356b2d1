/** What of a sale can still be given back. */
import type { LifeState } from "../../../../hub/wire.js";

export function leftOf(life: Pick<LifeState, "captured" | "refunded" | "disputed">): number {
  return Math.max(life.captured - life.refunded - (life.disputed ?? 0), 0);
}

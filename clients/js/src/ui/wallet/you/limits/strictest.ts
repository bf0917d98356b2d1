/** Of several rules that measure the same, the one that holds is the one with the least; one card each. */
import type { LimitState } from "../../../../hub/wire.js";

const ORDER: readonly string[] = ["payment", "day", "night", "month"];

export function strictest(limits: readonly LimitState[]): readonly LimitState[] {
  const found = new Map<string, LimitState>();
  for (const limit of limits) {
    const known = found.get(limit.measure);
    if (known === undefined || limit.max < known.max) found.set(limit.measure, limit);
  }
  return [...found.values()].sort((one, other) => ORDER.indexOf(one.measure) - ORDER.indexOf(other.measure));
}

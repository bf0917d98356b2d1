/** What entries are narrowed by, as it stands in the address. Pure. */
import type { Asked } from "../../../hub/commands.js";

export type Filter = Omit<Asked<"search">, "account" | "before" | "limit">;

/** `date` inputs give local days: the first moment of one, and the last of another. */
export function filterOf(read: (name: string) => string | undefined, decimals: number): Filter {
  const from = dayOf(read("since"));
  const to = dayOf(read("until"));
  const min = amountOf(read("min"), decimals);
  const max = amountOf(read("max"), decimals);
  const direction = read("direction");
  const kind = read("kind");
  const text = read("text");
  return {
    ...(from && { from_at: from.toISOString() }),
    ...(to && { to_at: new Date(to.getFullYear(), to.getMonth(), to.getDate() + 1, 0, 0, 0, -1).toISOString() }),
    ...(min !== undefined && { amount_min: min }),
    ...(max !== undefined && { amount_max: max }),
    ...((direction === "in" || direction === "out") && { direction }),
    ...(kind !== undefined && { kind }),
    ...(text !== undefined && { text }),
  };
}

function dayOf(text: string | undefined): Date | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? "");
  return parts === null ? undefined : new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
}

/** "12", "12,5" and "12.50" alike, as minor units. */
export function amountOf(text: string | undefined, decimals: number): number | undefined {
  const parts = /^(\d{1,11})(?:[.,](\d*))?$/.exec(text?.trim() ?? "");
  if (parts === null || (parts[2] ?? "").length > decimals) return undefined;
  return Number((parts[1] ?? "0") + (parts[2] ?? "").padEnd(decimals, "0"));
}

/** What happened on the whole account since a moment, from its own numbered entries. */
import type { Hub } from "../hub/hub.js";

const PAGE = 200;

export interface AccountDay {
  readonly count: number;
  readonly sumIn: number;
  readonly sumOut: number;
  readonly fees: number;
  /** After the last entry. */
  readonly balance: number;
}

/** Newest first until the moment is passed. Holds and what they let go move nothing, and are not counted. */
export async function readDay(hub: Hub, account: number, from: number): Promise<AccountDay> {
  const day = { count: 0, sumIn: 0, sumOut: 0, fees: 0 };
  let balance: number | undefined;
  let before: number | undefined;
  for (;;) {
    const { entries, next } = await hub.ask("history", { account, limit: PAGE, ...(before !== undefined && { before }) });
    for (const entry of entries) {
      balance ??= entry.balance;
      if (Date.parse(entry.at) < from) return { ...day, balance };
      if (entry.amount === 0) continue;
      day.count += 1;
      if (entry.amount > 0) day.sumIn += entry.amount;
      else day.sumOut -= entry.amount;
      day.fees += entry.fee ?? 0;
    }
    if (next === undefined) return { ...day, balance: balance ?? 0 };
    before = next;
  }
}

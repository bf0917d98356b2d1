/** What the code on a till asks for: how much to reserve, for whom, for how long, and under which id. */
export interface Asked {
  readonly hold: string;
  readonly payee: number;
  readonly amount: number;
  readonly lasts_s: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What the hub takes at most (core.nouns). */
const AMOUNT_MAX = 10_000_000_000_000;
const LASTS_S_MAX = 30 * 86_400;

/** None: it is no such code, or a damaged one. */
export function askedBy(hold: string, search: string): Asked | undefined {
  const fields = new URLSearchParams(search);
  const payee = whole(fields.get("to"));
  const amount = whole(fields.get("sum"));
  const lasts_s = whole(fields.get("lasts"));
  if (!UUID.test(hold) || payee === undefined || amount === undefined || lasts_s === undefined) return undefined;
  return amount <= AMOUNT_MAX && lasts_s <= LASTS_S_MAX ? { hold, payee, amount, lasts_s } : undefined;
}

function whole(text: string | null): number | undefined {
  if (text === null || !/^[1-9]\d{0,15}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

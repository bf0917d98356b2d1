/** Whom somebody means by what they have typed, pasted or scanned. */
import type { ChargeState } from "../../../hub/wire.js";
import type { Visit } from "../../app/visit.svelte.js";

/** Who is paid, and for what charge, if one asks for it. */
export interface Target {
  readonly account: number;
  readonly name: string;
  readonly charge?: ChargeState;
}

const ACCOUNT = /^\d{5,16}$/;

/** An account's number, as people write it: with blanks or dots in it. */
export function accountIn(text: string): number | undefined {
  const digits = text.replaceAll(/[\s.-]/g, "");
  return ACCOUNT.test(digits) && Number.isSafeInteger(Number(digits)) ? Number(digits) : undefined;
}

/** A payment code (EMV, which begins with its format's number) or a link to a charge. */
export function isCode(text: string): boolean {
  return /^0002\d{2}/.test(text.trim()) || /^https?:\/\/\S+\/c\/\S+$/i.test(text.trim());
}

/** What a till shows for somebody to reserve an allowance: a page of this wallet, by its path. */
export function tabIn(text: string): string | undefined {
  if (!URL.canParse(text.trim())) return undefined;
  const { origin, pathname, search } = new URL(text.trim());
  return origin === location.origin && pathname.startsWith("/app/tab/") ? pathname + search : undefined;
}

/** Rejected with CommandRefused: no such account, or a code that leads nowhere. */
export async function findAccount(visit: Visit, account: number): Promise<Target> {
  const { name } = await visit.ask("payee", { account });
  visit.names.keep(account, name);
  return { account, name };
}

export async function readCode(visit: Visit, code: string): Promise<Target> {
  const { charge } = await visit.ask("read_code", { code: code.trim() });
  if (charge.name === undefined) return { ...(await findAccount(visit, charge.payee)), charge };
  visit.names.keep(charge.payee, charge.name);
  return { account: charge.payee, name: charge.name, charge };
}

/** What people do in a shop, as rights. Somebody may have others; then it has no name. */
import type { Scope } from "../../../../hub/wire.js";
import { SCOPES } from "../keys/words.js";

export type Job = "cashier" | "bookkeeper" | "manager";

const CASHIER: readonly Scope[] = ["accounts:read", "payees:read", "payments:read", "charges:read", "charges:write", "holds:write"];

export const JOBS: Readonly<Record<Job, readonly Scope[]>> = {
  // Sells, and sees what was sold; gives nothing back.
  cashier: CASHIER,
  // Sees everything, and prepares files of payments that the merchant approves.
  bookkeeper: [...SCOPES.filter((scope) => scope.endsWith(":read")), "bulks:write"],
  // All that a merchant can allow; keys, people and the profile stay the merchant's.
  manager: SCOPES,
};

export function jobOf(scopes: readonly string[]): Job | undefined {
  const names = Object.keys(JOBS) as Job[];
  return names.find((job) => JOBS[job].length === scopes.length && JOBS[job].every((scope) => scopes.includes(scope)));
}

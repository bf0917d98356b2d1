/** What each of the wallet's pages needs of somebody who acts for a merchant from a seat. */
import type { Scope } from "../../hub/wire.js";

/** `own`: it is about whoever is here, or the merchant's alone, and no seat opens it. */
export type Need = Scope | "own";

const NEEDS: readonly (readonly [path: string, need: Need])[] = [
  ["/pay", "payments:write"],
  ["/ask", "charges:write"],
  ["/activity", "accounts:read"],
  ["/payment", "payments:read"],
  ["/tab", "payments:write"],
  ["/notices", "own"],
  ["/you", "own"],
  ["/sales/sale", "payments:read"],
  ["/sales/charges", "charges:read"],
  ["/sales/bulk", "bulks:read"],
  ["/sales/fees", "reports:read"],
  ["/sales/disputes", "disputes:read"],
  ["/sales/keys", "own"],
  ["/sales/webhooks", "own"],
  ["/sales/tills", "own"],
  ["/sales/staff", "own"],
  ["/", "accounts:read"],
];

/** What the page at this path needs; undefined: nothing, or it says for itself what is missing. */
export function needOf(path: string): Need | undefined {
  return NEEDS.find(([begins]) => path === begins || (begins !== "/" && path.startsWith(`${begins}/`)))?.[1];
}

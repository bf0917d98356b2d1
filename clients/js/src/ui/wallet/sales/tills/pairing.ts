/** How a pairing code is shown: as people read it out, as a link that a camera opens, and for how long. */

/** ABCD EFGH. Spaces do not matter to the hub. */
export function inFours(code: string): string {
  return code.match(/.{1,4}/g)?.join(" ") ?? code;
}

/** The code is behind the #, so it is in no server's log. */
export function pairingLink(origin: string, tenant: string, code: string): string {
  const link = new URL("/pos/", origin);
  link.searchParams.set("tenant", tenant);
  link.hash = `pair=${code}`;
  return link.href;
}

/** 9:05 */
export function countdown(ms: number): string {
  const seconds = Math.max(Math.ceil(ms / 1_000), 0);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

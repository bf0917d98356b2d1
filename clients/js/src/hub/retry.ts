/** When to come back: what the hub's close codes advise, and how long to wait. */
import { CLOSE_CODES } from "./codes.js";

const FIRST_MS = 500;
const LONGEST_MS = 20_000;
const FLOODING = 4005;
const TOKEN_EXPIRED = 4002;

/**
 * A random part of a bound that doubles (full jitter): when a hub dies, its clients come back spread over all of the
 * bound, not in waves.
 */
export function backoffMs(tries: number, random: () => number = Math.random): number {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries, 16));
}

/** Whether the close code says to come back. Of a code that is new, its range says it. */
export function comesBack(code: number): boolean {
  const known: Readonly<Record<number, boolean>> = CLOSE_CODES;
  return known[code] ?? !(code >= 4500 && code <= 4999);
}

/** How many failed tries a close counts for: whoever flooded comes back slower, whose token ended at once. */
export function weightOf(code: number): number {
  if (code === TOKEN_EXPIRED) return 0;
  return code === FLOODING ? 5 : 1;
}

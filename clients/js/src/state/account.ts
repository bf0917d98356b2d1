/**
 * An account, as a fold over what the hub says of it. Snapshots and events come in any order, twice or not at all; the
 * one with the highest number is the newest, and nothing older changes it. Pure.
 */
import type { AccountState, Event } from "../hub/wire.js";

/** An account as it stands after its event `number`. */
export interface Account {
  readonly account: number;
  /** The balance of all entries. */
  readonly posted: number;
  /** The part of it that is reserved by holds. */
  readonly held: number;
  /** What a payment may take, as far as the hub has said. */
  readonly available: number;
  readonly floor: number;
  readonly status: string;
  readonly number: number;
}

/** How far below zero it may go and whether it is open stand in snapshots alone, and in those no number tells the newer. */
export function withSnapshot(known: Account | undefined, state: AccountState): Account {
  if (known === undefined || state.number >= known.number) return { ...state };
  return available({ ...known, floor: state.floor, status: state.status });
}

export function withEvent(known: Account, event: Event): Account {
  if (event.number <= known.number) return known;
  return available({ ...known, number: event.number, posted: event.balance, held: event.held ?? known.held });
}

/** As the hub computes it (hub/commands/context.py). */
function available(account: Account): Account {
  return { ...account, available: Math.max(account.posted - account.held - account.floor, 0) };
}

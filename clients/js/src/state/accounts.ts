/** One's accounts and what is in them: from the welcome's snapshot on, every event of theirs. */
import type { Hub } from "../hub/hub.js";
import type { Entry } from "../hub/outbox.js";
import type { AccountState, Event } from "../hub/wire.js";
import { type Account, withEvent, withSnapshot } from "./account.js";
import { Store } from "./store.js";

/** An account, and what is on its way out of it. Pending is pending: no balance counts it before the hub does. */
export interface AccountView extends Account {
  /** The sum of the payments from here whose outcome the hub has not said yet. */
  readonly pending: number;
  /** What is left if all of them are made: at least so much can be paid now. */
  readonly spendable: number;
}

export function accountsOf(hub: Hub): Store<readonly AccountView[]> {
  const store = new Store<readonly AccountView[]>([]);
  const accounts = new Map<number, Account>();
  // Open payments that have been seen as events: posted already counts them, though the answer is still on its way.
  const counted = new Set<string>();

  const show = (): void => {
    store.set([...accounts.values()].map((account) => toView(account, hub.outbox.entries, counted)));
  };
  const take = (states: readonly AccountState[]): void => {
    for (const state of states) accounts.set(state.account, withSnapshot(accounts.get(state.account), state));
    show();
  };
  const hear = (event: Event): void => {
    const known = accounts.get(event.account);
    if (known === undefined) return;
    if (hub.outbox.entries.some((entry) => entry.payment === event.payment)) counted.add(event.payment);
    accounts.set(event.account, withEvent(known, event));
    show();
  };
  const read = async (): Promise<void> => {
    try {
      take((await hub.ask("accounts", {})).accounts);
    } catch {
      // The next welcome brings them.
    }
  };

  hub.on("event", hear);
  hub.on("status_changed", () => void read());
  hub.on("reset", ({ account }) => {
    accounts.delete(account);
    void read();
  });
  hub.on("welcome", ({ accounts: states }) => {
    const own = new Set(states.map((one) => one.account));
    for (const account of accounts.keys()) if (!own.has(account)) accounts.delete(account);
    take(states);
    // From the snapshot on; what is followed already goes on by itself.
    for (const { account, number } of states) {
      if (!hub.follows(account)) void hub.follow(account, number).catch(() => undefined);
    }
  });
  hub.outbox.on("changed", (entries) => {
    const open = new Set(entries.map((one) => one.payment));
    for (const payment of counted) if (!open.has(payment)) counted.delete(payment);
    show();
  });
  return store;
}

function toView(account: Account, entries: readonly Entry[], counted: ReadonlySet<string>): AccountView {
  const pending = entries
    .filter(({ fields, payment }) => "payer" in fields && fields.payer === account.account && !counted.has(payment))
    .reduce((sum, { fields }) => sum + ("amount" in fields ? fields.amount : 0), 0);
  return { ...account, pending, spendable: Math.max(account.available - pending, 0) };
}

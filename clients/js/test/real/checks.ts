/** What the hub says now, beside what the stores show. */
import type { Hub, State, wire } from "../../src/index.js";

export type Account = wire.AccountState;
export type EntriesOf = readonly wire.EntryState[];

export async function fresh(hub: Hub, account: number): Promise<{ account: Account; entries: EntriesOf }> {
  const [state, page] = await Promise.all([
    hub.ask("account", { account }),
    hub.ask("history", { account, limit: 200 }),
  ]);
  return { account: state.account, entries: page.entries };
}

/** What a screen of the account shows, once it is open. */
export async function shown(state: State, account: number) {
  const history = state.history(account);
  if (!history.getSnapshot().isLoaded) await history.more();
  const view = state.accounts.getSnapshot().find((one) => one.account === account);
  return { account: view, entries: history.getSnapshot().entries };
}

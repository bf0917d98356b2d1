/** An account's entries, newest first: pages from the hub, and events on top of them as they happen. */
import type { Hub } from "../hub/hub.js";
import type { EntryState, Event } from "../hub/wire.js";
import { type Readable, Store } from "./store.js";

const PAGE = 50;

export interface Entries {
  readonly entries: readonly EntryState[];
  /** Whether the hub has older ones. */
  readonly hasMore: boolean;
  /** Whether the first page has come. */
  readonly isLoaded: boolean;
}

export class History implements Readable<Entries> {
  readonly #hub: Hub;
  readonly #account: number;
  readonly #store = new Store<Entries>({ entries: [], hasMore: true, isLoaded: false });
  #reading: Promise<void> | undefined;
  readonly subscribe = this.#store.subscribe;
  readonly getSnapshot = this.#store.getSnapshot;

  constructor(hub: Hub, account: number) {
    this.#hub = hub;
    this.#account = account;
    hub.on("event", (event) => {
      if (event.account === account) this.#add(event);
    });
    hub.on("reset", (reset) => {
      if (reset.account !== account) return;
      this.#store.set({ entries: [], hasMore: true, isLoaded: false });
      this.more().catch(() => undefined);
    });
  }

  /** The next older page; the first one, if there is none yet. Asked twice at once, it is asked once. */
  more(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { entries, hasMore, isLoaded } = this.getSnapshot();
    if (!hasMore) return;
    const before = isLoaded ? entries.at(-1)?.number : undefined;
    const page = await this.#hub.ask("history", {
      account: this.#account,
      limit: PAGE,
      ...(before !== undefined && { before }),
    });
    this.#store.update((known) => ({
      entries: merge(known.entries, page.entries),
      hasMore: page.next !== undefined,
      isLoaded: true,
    }));
  }

  #add({ type: _, account: __, ...entry }: Event): void {
    this.#store.update((known) => ({ ...known, entries: merge([entry], known.entries) }));
  }
}

/** Each number once, the highest first, as both of them are. */
export function merge(some: readonly EntryState[], others: readonly EntryState[]): readonly EntryState[] {
  const [last, first] = [some.at(-1), others[0]];
  // A page below, or an event on top: nothing to sort, however long the list has become.
  if (last === undefined || first === undefined || last.number > first.number) return [...some, ...others];
  const found = new Map([...others, ...some].map((entry) => [entry.number, entry]));
  return [...found.values()].sort((one, other) => other.number - one.number);
}

/** What a person is to know, newest first, and how much of it they have not seen. */
import type { Hub } from "../hub/hub.js";
import type { NoticeState } from "../hub/wire.js";
import { type Readable, Store } from "./store.js";

export interface NoticeList {
  readonly notices: readonly NoticeState[];
  /** How many were not acknowledged; the hub counts to 100. */
  readonly unheard: number;
}

export class Notices implements Readable<NoticeList> {
  readonly #hub: Hub;
  readonly #store = new Store<NoticeList>({ notices: [], unheard: 0 });
  readonly subscribe = this.#store.subscribe;
  readonly getSnapshot = this.#store.getSnapshot;

  constructor(hub: Hub) {
    this.#hub = hub;
    hub.on("notice", ({ notice }) => {
      const isKnown = this.getSnapshot().notices.some((one) => one.number === notice.number);
      const more = notice.heard === true || isKnown ? 0 : 1;
      this.#store.update((list) => ({ notices: join([notice], list.notices), unheard: list.unheard + more }));
    });
    hub.on("welcome", ({ notices }) => {
      if (notices !== undefined) void this.#read();
    });
  }

  /** All that is shown has been seen: it is told on no other road. */
  async hear(): Promise<void> {
    const number = this.getSnapshot().notices[0]?.number;
    if (number === undefined) return;
    await this.#hub.ask("hear_notices", { number });
    this.#store.update((list) => ({
      notices: list.notices.map((one) => (one.number <= number ? { ...one, heard: true } : one)),
      unheard: list.notices.filter((one) => one.number > number && one.heard !== true).length,
    }));
  }

  async #read(): Promise<void> {
    try {
      const page = await this.#hub.ask("notices", {});
      this.#store.update((list) => ({ notices: join(page.notices, list.notices), unheard: page.unheard }));
    } catch {
      // The next welcome reads them.
    }
  }
}

function join(some: readonly NoticeState[], others: readonly NoticeState[]): readonly NoticeState[] {
  const found = new Map([...others, ...some].map((notice) => [notice.number, notice]));
  return [...found.values()].sort((one, other) => other.number - one.number);
}

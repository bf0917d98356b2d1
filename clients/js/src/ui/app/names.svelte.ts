/** Whose account a number is. Each is asked once; until then, and where nobody is told, it is the number. */
import { SvelteMap } from "svelte/reactivity";

import type { Hub } from "../../hub/hub.js";
import type { LastSeen } from "./last_seen.js";

/** Below are the tenant's own accounts (core.nouns.SystemAccount). */
const FIRST_OWN = 5;

export class Names {
  readonly #hub: Hub;
  readonly #lastSeen: LastSeen;
  readonly #known = new SvelteMap<number, string>();
  readonly #asked = new Set<number>();

  constructor(hub: Hub, lastSeen: LastSeen) {
    this.#hub = hub;
    this.#lastSeen = lastSeen;
  }

  /** The name, if it is known; in a component it appears as soon as it is. */
  of(account: number): string | undefined {
    const known = this.#known.get(account) ?? this.#lastSeen.nameOf(account);
    if (known === undefined) this.#ask(account);
    return known;
  }

  /** Said by the hub in passing. */
  keep(account: number, name: string): void {
    this.#asked.add(account);
    this.#known.set(account, name);
    this.#lastSeen.keepName(account, name);
  }

  #ask(account: number): void {
    // The tenant's own accounts have no person behind them.
    if (account < FIRST_OWN || this.#asked.has(account)) return;
    this.#asked.add(account);
    this.#hub.ask("payee", { account }).then(
      ({ name }) => this.keep(account, name),
      () => undefined,
    );
  }
}

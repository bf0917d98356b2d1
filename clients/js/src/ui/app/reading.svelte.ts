/** What a page reads when it opens, and again whenever the line has come back: it may have changed meanwhile. */
import { untrack } from "svelte";

import type { Visit } from "./visit.svelte.js";

export class Reading<T> {
  readonly #ask: () => Promise<T> | undefined;
  #value: T | undefined = $state.raw();
  #error: unknown = $state.raw();
  #turn = 0;

  /** In a component: `ask` is asked anew when what it depends on changes. Undefined: there is nothing to ask yet. */
  constructor(visit: Visit, ask: () => Promise<T> | undefined) {
    this.#ask = ask;
    $effect(() => {
      if (!visit.isLive) return;
      const asked = ask();
      untrack(() => void this.#take(asked));
    });
  }

  get value(): T | undefined {
    return this.#value;
  }

  /** Why the last try failed; what was read before it stays. */
  get error(): unknown {
    return this.#error;
  }

  readonly again = (): Promise<void> => this.#take(untrack(this.#ask));

  /** Known already, by what was just done. */
  set(value: T): void {
    this.#turn += 1;
    this.#value = value;
    this.#error = undefined;
  }

  async #take(asked: Promise<T> | undefined): Promise<void> {
    if (asked === undefined) return;
    // An answer that was overtaken is none.
    const turn = (this.#turn += 1);
    try {
      const value = await asked;
      if (turn !== this.#turn) return;
      this.#value = value;
      this.#error = undefined;
    } catch (error) {
      if (turn === this.#turn) this.#error = error;
    }
  }
}

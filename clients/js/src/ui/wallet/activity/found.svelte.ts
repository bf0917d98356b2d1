/** The entries of an account that fit a filter: pages of the hub's search, newest first. */
import type { EntryState } from "../../../hub/wire.js";
import type { Visit } from "../../app/visit.svelte.js";

const PAGE = 50;

export interface Filter {
  readonly text?: string;
  readonly direction?: "in" | "out";
  readonly days?: number;
  readonly amountMin?: number;
  readonly amountMax?: number;
}

/** How many of its parts say something. */
export function weightOf(filter: Filter): number {
  return Object.values(filter).filter((part) => part !== undefined && part !== "" && part !== 0).length;
}

export class Found {
  readonly filter: Filter;
  readonly #visit: Visit;
  readonly #account: number;
  readonly #from: string | undefined;
  #entries: readonly EntryState[] = $state.raw([]);
  #hasMore: boolean = $state(true);
  #isLoaded: boolean = $state(false);
  #error: unknown = $state.raw();
  #reading: Promise<void> | undefined;

  constructor(visit: Visit, account: number, filter: Filter) {
    this.#visit = visit;
    this.#account = account;
    this.filter = filter;
    this.#from = filter.days ? new Date(Date.now() - filter.days * 86_400_000).toISOString() : undefined;
  }

  get entries(): readonly EntryState[] {
    return this.#entries;
  }

  get hasMore(): boolean {
    return this.#hasMore;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get error(): unknown {
    return this.#error;
  }

  /** The next older page. Asked twice at once, it is asked once. */
  more(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    if (!this.#hasMore) return;
    const { text, direction, amountMin, amountMax } = this.filter;
    const before = this.#entries.at(-1)?.number;
    this.#error = undefined;
    try {
      const page = await this.#visit.ask("search", {
        account: this.#account,
        limit: PAGE,
        ...(before !== undefined && { before }),
        ...(text && { text }),
        ...(direction && { direction }),
        ...(amountMin && { amount_min: amountMin }),
        ...(amountMax && { amount_max: amountMax }),
        ...(this.#from !== undefined && { from_at: this.#from }),
      });
      this.#entries = [...this.#entries, ...page.entries];
      this.#hasMore = page.next !== undefined;
      this.#isLoaded = true;
    } catch (error) {
      this.#error = error;
    }
  }
}

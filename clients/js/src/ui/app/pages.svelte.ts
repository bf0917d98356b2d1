/** A list that comes in pages, the newest first, as far back as somebody wants to see. */
export interface Page<Item, Before> {
  readonly items: readonly Item[];
  /** Where the next page begins; undefined: this was the last. */
  readonly next: Before | undefined;
}

export class Pages<Item, Before> {
  readonly #ask: (before: Before | undefined) => Promise<Page<Item, Before>>;
  #items: readonly Item[] | undefined = $state.raw();
  #next: Before | undefined = $state.raw();
  #error: unknown = $state.raw();
  #isBusy: boolean = $state(false);
  #turn = 0;

  constructor(ask: (before: Before | undefined) => Promise<Page<Item, Before>>) {
    this.#ask = ask;
  }

  /** Undefined before the first page is there. */
  get items(): readonly Item[] | undefined {
    return this.#items;
  }

  get hasMore(): boolean {
    return this.#next !== undefined;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  get error(): unknown {
    return this.#error;
  }

  /** From the beginning; what is shown stays until that is there. */
  readonly begin = (): Promise<void> => this.#read(undefined);

  readonly more = (): Promise<void> => (this.#isBusy ? Promise.resolve() : this.#read(this.#next));

  async #read(before: Before | undefined): Promise<void> {
    const turn = (this.#turn += 1);
    this.#isBusy = true;
    this.#error = undefined;
    try {
      const page = await this.#ask(before);
      if (turn !== this.#turn) return;
      this.#items = before === undefined ? page.items : [...(this.#items ?? []), ...page.items];
      this.#next = page.next;
    } catch (error) {
      if (turn === this.#turn) this.#error = error;
    } finally {
      if (turn === this.#turn) this.#isBusy = false;
    }
  }
}

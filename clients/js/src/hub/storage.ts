/** Where the outbox keeps payments. What `put` has fulfilled survives a crash, or it is no storage for money. */
export interface Storage {
  /** Everything that is kept, by its key. */
  readAll(): Promise<ReadonlyMap<string, unknown>>;
  /** Keep a value of plain data. Fulfilled when it is safe. */
  put(key: string, value: unknown): Promise<void>;
  remove(key: string): Promise<void>;
}

/** Forgets everything with the program. For tests, and for whoever wants no payment to outlive the page. */
export class MemoryStorage implements Storage {
  readonly #kept = new Map<string, unknown>();

  readAll(): Promise<ReadonlyMap<string, unknown>> {
    return Promise.resolve(new Map(this.#kept));
  }

  put(key: string, value: unknown): Promise<void> {
    this.#kept.set(key, structuredClone(value));
    return Promise.resolve();
  }

  remove(key: string): Promise<void> {
    this.#kept.delete(key);
    return Promise.resolve();
  }
}

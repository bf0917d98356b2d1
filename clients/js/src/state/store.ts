/**
 * A value that tells when it changes. Svelte takes it as a store; React by `useSyncExternalStore(store.subscribe,
 * store.getSnapshot)`; everybody else calls `subscribe`. Values are never changed in place.
 */
export interface Readable<T> {
  /** Called at once with the value, and again whenever it is another one. What it returns ends that. */
  readonly subscribe: (run: (value: T) => void) => () => void;
  readonly getSnapshot: () => T;
}

export class Store<T> implements Readable<T> {
  readonly #runs = new Set<(value: T) => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  readonly subscribe = (run: (value: T) => void): (() => void) => {
    const own = (value: T): void => run(value);
    this.#runs.add(own);
    own(this.#value);
    return () => {
      this.#runs.delete(own);
    };
  };

  readonly getSnapshot = (): T => this.#value;

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const run of [...this.#runs]) {
      // One that changed it again has told everybody already.
      if (!Object.is(value, this.#value)) return;
      run(value);
    }
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }
}

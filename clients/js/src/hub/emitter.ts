/** Who wants to be told of what. One listener's mistake is nobody else's: it is reported, and the others are told. */
export class Emitter<Told extends object> {
  readonly #listeners = new Map<keyof Told, Set<(value: never) => void>>();

  /** Be told from now on; what it returns ends that. */
  on<Name extends keyof Told>(name: Name, listener: (value: Told[Name]) => void): () => void {
    const found = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, found);
    // A wrapper of its own each time: the same function may listen twice.
    const own = (value: Told[Name]): void => listener(value);
    found.add(own);
    return () => {
      found.delete(own);
    };
  }

  tell<Name extends keyof Told>(name: Name, value: Told[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])] as ((value: Told[Name]) => void)[]) {
      try {
        listener(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

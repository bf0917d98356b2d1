/**
 * How far each followed account has been heard. The hub numbers an account's events without a gap, so a number says
 * whether one is new, was heard before, or comes after one that was missed. Pure: it asks nobody.
 */
export class Streams {
  readonly #heard = new Map<number, number>();

  /** Follow from here on. */
  begin(account: number, number: number): void {
    this.#heard.set(account, number);
  }

  end(account: number): void {
    this.#heard.delete(account);
  }

  /** The last number that was heard of an account; undefined: it is not followed. */
  numberOf(account: number): number | undefined {
    return this.#heard.get(account);
  }

  /** Where to go on, as `resume` wants it. */
  get cursors(): [account: number, number: number][] {
    return [...this.#heard];
  }

  /** What an event is to us. Only a next one is to be acted on; after a gap, ask for what follows `numberOf`. */
  hear(account: number, number: number): "next" | "known" | "gap" {
    const heard = this.#heard.get(account);
    // Its follow was ended, and this was on its way.
    if (heard === undefined || number <= heard) return "known";
    if (number > heard + 1) return "gap";
    this.#heard.set(account, number);
    return "next";
  }
}

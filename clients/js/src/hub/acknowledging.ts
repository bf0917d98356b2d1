/** Says which events somebody has seen, so that no phone rings for them: some at a time, and only while a page shows. */
import { isVisible } from "./world.js";

const TOGETHER_MS = 200;

export class Acknowledging {
  readonly #say: (account: number, number: number) => void;
  readonly #seen = new Map<number, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isHidden = false;

  constructor(say: (account: number, number: number) => void) {
    this.#say = say;
  }

  note(account: number, number: number): void {
    this.#seen.set(account, number);
    if (!this.#isHidden) this.#timer ??= setTimeout(() => this.#flush(), TOGETHER_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    this.#timer = undefined;
    this.#isHidden = !isVisible();
    if (this.#isHidden) {
      document.addEventListener("visibilitychange", () => this.#flush(), { once: true });
      return;
    }
    for (const [account, number] of this.#seen) this.#say(account, number);
    this.#seen.clear();
  }
}

/** Short news at the edge of the page. They go by themselves; what must not be missed stands on the page instead. */
const SHOWN_MS = 5_000;
const SHOWN_MAX = 3;

export interface Toast {
  readonly id: number;
  readonly tone: "good" | "bad" | "calm";
  readonly text: string;
}

class Toasts {
  #next = 0;
  #shown: readonly Toast[] = $state.raw([]);

  get shown(): readonly Toast[] {
    return this.#shown;
  }

  say(text: string, tone: Toast["tone"] = "calm"): void {
    const id = (this.#next += 1);
    this.#shown = [...this.#shown, { id, tone, text }].slice(-SHOWN_MAX);
    setTimeout(() => this.drop(id), SHOWN_MS);
  }

  drop(id: number): void {
    this.#shown = this.#shown.filter((one) => one.id !== id);
  }
}

export const toasts = new Toasts();

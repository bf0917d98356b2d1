/** Two minutes of traffic, second by second: what is drawn and summed up. Pure. */
import type { SecondState } from "../../../hub/wire.js";

export const LENGTH_S = 120;
const LATELY_S = 10;
/** Done, or set aside: everything else was refused. */
const DONE = new Set(["posted", "in_review"]);

export interface Lane {
  /** Seconds since the epoch, each of them, the quiet ones too. */
  readonly at: readonly number[];
  readonly done: readonly number[];
  readonly refused: readonly number[];
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

/** The seconds that are known, one after another: a later word of the same second is the better one. */
export class Flow {
  readonly #seconds: ReadonlyMap<number, SecondState>;
  readonly end: number;

  constructor(seconds: Iterable<SecondState> = [], end = 0) {
    const known = new Map<number, SecondState>();
    for (const second of seconds) known.set(secondOf(second.at), second);
    this.end = Math.max(end, ...known.keys());
    for (const at of known.keys()) if (at <= this.end - LENGTH_S) known.delete(at);
    this.#seconds = known;
  }

  with(second: SecondState): Flow {
    return new Flow([...this.#seconds.values(), second], Math.max(this.end, secondOf(second.at)));
  }

  get lane(): Lane {
    const at = Array.from({ length: LENGTH_S }, (_, back) => this.end - LENGTH_S + 1 + back);
    const seconds = at.map((one) => this.#seconds.get(one));
    return {
      at,
      done: seconds.map((one) => sum(one, true)),
      refused: seconds.map((one) => sum(one, false)),
      p50Ms: seconds.map((one) => (one?.p50_us === undefined ? null : one.p50_us / 1_000)),
      p99Ms: seconds.map((one) => (one?.p99_us === undefined ? null : one.p99_us / 1_000)),
    };
  }

  /** Of the last ten seconds. */
  get perSecond(): number {
    let count = 0;
    for (const [at, one] of this.#seconds) if (at > this.end - LATELY_S) count += sum(one, true) + sum(one, false);
    return count / LATELY_S;
  }

  get total(): number {
    return this.refusals.reduce((count, [, one]) => count + one, 0) + [...this.#seconds.values()].reduce((count, one) => count + sum(one, true), 0);
  }

  /** Refused payments by their status, the most frequent first. */
  get refusals(): readonly (readonly [status: string, count: number])[] {
    const counts = new Map<string, number>();
    for (const { counts: told } of this.#seconds.values()) {
      for (const [status, count] of Object.entries(told)) if (!DONE.has(status)) counts.set(status, (counts.get(status) ?? 0) + count);
    }
    return [...counts].sort(([, one], [, other]) => other - one);
  }

  /** The worst of the last ten seconds in which there was something; undefined: there was nothing. */
  get latency(): { readonly p50Ms: number; readonly p99Ms: number } | undefined {
    const lately = [...this.#seconds].filter(([at, one]) => at > this.end - LATELY_S && one.p99_us !== undefined).map(([, one]) => one);
    if (lately.length === 0) return undefined;
    return {
      p50Ms: Math.max(...lately.map(({ p50_us = 0 }) => p50_us)) / 1_000,
      p99Ms: Math.max(...lately.map(({ p99_us = 0 }) => p99_us)) / 1_000,
    };
  }
}

function secondOf(at: string): number {
  return Math.round(Date.parse(at) / 1_000);
}

function sum(one: SecondState | undefined, isDone: boolean): number {
  if (one === undefined) return 0;
  return Object.entries(one.counts).reduce((count, [status, each]) => (DONE.has(status) === isDone ? count + each : count), 0);
}

/** What was sold, live: the hub's sums up to an event, and the events after it on top of them. */
import type { Hub } from "../../../hub/hub.js";
import { CommandRefused } from "../../../hub/refused.js";
import type { EntryState, SalesSpan } from "../../../hub/wire.js";
import { type Span, DAYS, add, change, dayEdges, hourEdges, joinHours, sum, toSpans } from "./spans.js";

/** As time passes, "until now" of yesterday moves on, and so does the day itself. */
const AGAIN_MS = 5 * 60_000;

interface Sums {
  /** The last event that is in them. */
  readonly number: number;
  readonly spans: readonly Span[];
}

export interface Period {
  readonly now: readonly Span[];
  readonly before: readonly Span[];
  readonly total: SalesSpan;
  /** Against the period before, as far as this one has come; undefined: there was nothing then. */
  readonly change: number | undefined;
}

export class Tally {
  readonly #hub: Hub;
  readonly #account: number;
  readonly #ends: (() => void)[] = [];
  /** Since the sums were asked for: they are in them, or not. */
  #events: readonly EntryState[] = $state.raw([]);
  #hours: Sums | undefined = $state.raw();
  #days: Sums | undefined = $state.raw();
  #at = 0;
  failed: unknown = $state.raw();

  constructor(hub: Hub, account: number) {
    this.#hub = hub;
    this.#account = account;
  }

  /** Returns how to end it. */
  begin(): () => void {
    const timer = setInterval(() => void this.read(), AGAIN_MS);
    this.#ends.push(
      () => clearInterval(timer),
      this.#hub.on("event", (event) => {
        if (event.account === this.#account) this.#events = [...this.#events, event];
      }),
      this.#hub.on("reset", ({ account }) => account === this.#account && void this.read()),
    );
    void this.read();
    return () => {
      for (const end of this.#ends.splice(0)) end();
    };
  }

  async read(now = new Date()): Promise<void> {
    try {
      const hours = await this.#ask(hourEdges(now));
      const days = await this.#ask(dayEdges(now));
      this.#at = now.getTime();
      this.#hours = hours;
      this.#days = days;
      this.#events = this.#events.filter((event) => event.number > hours.number);
      this.failed = undefined;
    } catch (error) {
      this.failed = error;
    }
  }

  /** Today by the hour, and yesterday, compared as far as today has come. */
  get today(): Period | undefined {
    const spans = this.#spans(this.#hours);
    if (spans === undefined) return undefined;
    const midnight = new Date(this.#at).setHours(0, 0, 0, 0);
    const before = spans.filter((span) => span.from < midnight);
    const soFar = before.filter((span) => span.to - (before[0]?.from ?? 0) <= this.#at - midnight);
    return toPeriod(spans.filter((span) => span.from >= midnight), joinHours(before), soFar);
  }

  /** Thirty days, and the thirty before. */
  get month(): Period | undefined {
    const spans = this.#spans(this.#days);
    if (spans === undefined) return undefined;
    return toPeriod(spans.slice(DAYS), spans.slice(0, DAYS), spans.slice(0, DAYS));
  }

  #spans(sums: Sums | undefined): readonly Span[] | undefined {
    return sums && this.#events.filter((event) => event.number > sums.number).reduce(add, sums.spans);
  }

  /** Spans with more entries than the hub sums up at once are asked for in halves. */
  async #ask(edges: readonly number[]): Promise<Sums> {
    try {
      const asked = { account: this.#account, edges: edges.map((edge) => new Date(edge).toISOString()) };
      const { number, spans } = await this.#hub.ask("sales", asked);
      return { number, spans: toSpans(edges, spans) };
    } catch (error) {
      if (!(error instanceof CommandRefused) || error.code !== "range_too_large" || edges.length < 3) throw error;
      const middle = edges.length >> 1;
      const first = await this.#ask(edges.slice(0, middle + 1));
      const second = await this.#ask(edges.slice(middle));
      return { number: second.number, spans: [...first.spans, ...second.spans] };
    }
  }
}

function toPeriod(now: readonly Span[], before: readonly Span[], soFar: readonly Span[]): Period {
  const total = sum(now);
  return { now, before, total, change: change(total.amount, sum(soFar).amount) };
}

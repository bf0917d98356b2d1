/** The tenant's traffic, as long as somebody looks: the last two minutes at once, then each second as the hub tells it. */
import type { TrafficAnswer, TrafficSecond } from "../../../hub/wire.js";
import type { Visit } from "../../app/visit.svelte.js";
import { Flow } from "./flow.js";

export type Figures = Pick<TrafficAnswer, "hubs" | "hubs_known" | "sessions" | "outbox_ms">;

export class Traffic {
  readonly #visit: Visit;
  flow: Flow | undefined = $state.raw();
  figures: Figures | undefined = $state.raw();
  failed: unknown = $state.raw();

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  /** Begin to look, and again with every new connection. Returns how to stop. */
  watch(): () => void {
    const stop = this.#visit.hub.on("traffic_second", (told) => this.#hear(told));
    void this.#begin();
    return () => {
      stop();
      this.#visit.ask("traffic", { watch: false }).catch(() => undefined);
    };
  }

  async #begin(): Promise<void> {
    this.failed = undefined;
    try {
      const answer = await this.#visit.ask("traffic", { watch: true });
      this.figures = answer;
      // The running second is told when it is over.
      this.flow = new Flow(answer.seconds, Math.round(Date.parse(answer.at) / 1_000) - 1);
    } catch (error) {
      this.failed = error;
    }
  }

  #hear(told: TrafficSecond): void {
    this.figures = told;
    this.flow = (this.flow ?? new Flow()).with(told.second);
  }
}

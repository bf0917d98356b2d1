/**
 * How this visit felt, told to the hub when the page is left: figures of nobody, of a sample of visits, and no
 * reason for anything to fail. What is measured is what a person waits for, not what a server did.
 */
import type { Hub } from "../../hub/hub.js";
import type { TellVitals } from "../../hub/wire.js";
import { place } from "../place.js";

const TAPS_MAX = 50;
const PHONE_MAX_PX = 767;

type Told = { -readonly [Name in keyof TellVitals]: TellVitals[Name] };

export class Vitals {
  readonly #told: Told;
  readonly #taps: number[] = [];
  #connects = 0;
  #failures = 0;
  #reconnects = 0;

  constructor(page: TellVitals["page"]) {
    this.#told = { page, screen: innerWidth > PHONE_MAX_PX ? "desktop" : "phone" };
  }

  /** From now on, if this visit is in the sample. */
  begin(): void {
    if (Math.random() >= (place.vitals ?? 0)) return;
    // Beside what the page is for: it may come late.
    void import("web-vitals").then(({ onCLS, onINP, onLCP }) => {
      onLCP(({ value }) => (this.#told.lcp = Math.round(value)));
      onINP(({ value }) => (this.#told.inp = Math.round(value)));
      onCLS(({ value }) => (this.#told.cls = Math.round(value * 1_000)));
    });
    addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#tell();
    });
  }

  /** How its sockets fare. */
  watch(hub: Hub): void {
    let was = hub.state.name;
    let wasLive = false;
    hub.on("state", ({ name }) => {
      if (name === "live" && was !== "live") {
        this.#connects += 1;
        if (wasLive) this.#reconnects += 1;
        wasLive = true;
      } else if (name === "waiting" && was === "connecting") this.#failures += 1;
      was = name;
    });
  }

  /** Time from the tap that pays to what the hub says of it. Payments that waited for a network are none of its. */
  async tap<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const isOnline = navigator.onLine;
    const done = await work();
    if (isOnline && this.#taps.length < TAPS_MAX) this.#taps.push(Math.round(performance.now() - began));
    return done;
  }

  #tell(): void {
    const counts = { connects: this.#connects, failures: this.#failures, reconnects: this.#reconnects };
    const told: TellVitals = { ...this.#told, ...counts, ...(this.#taps.length > 0 && { taps: [...this.#taps] }) };
    navigator.sendBeacon("/v1/vitals", new Blob([JSON.stringify(told)], { type: "application/json" }));
    // Of a page that is only looked away from, more may come: what was told is not told again.
    this.#taps.length = 0;
    this.#connects = this.#failures = this.#reconnects = 0;
    delete this.#told.lcp;
    delete this.#told.inp;
    delete this.#told.cls;
  }
}

/**
 * A fresh token before the old one ends. How long it lasts is the hub's to say, by the hub's clock: this machine's may
 * be wrong by hours. It may also sleep; whoever wakes it calls `look`.
 */
import type { Connection } from "./connection.js";
import { CommandRefused, LoggedOut } from "./refused.js";
import type { Welcome } from "./wire.js";

/** At the latest so long before the end; of short tokens, when a fifth is left. */
const BEFORE_MS = 30_000;
const ASK_WITHIN_MS = 10_000;
const AGAIN_MS = 1_000;
const TIMER_MAX_MS = 2 ** 31 - 1;

export class Renewal {
  readonly #connection: Connection;
  readonly #token: () => Promise<string>;
  /** What this machine's clock says when the hub's says zero. */
  readonly #skewMs: number;
  #dueAt = 0;
  #endsAt = 0;
  #isAsking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(welcome: Pick<Welcome, "at" | "expires_at">, connection: Connection, token: () => Promise<string>) {
    this.#connection = connection;
    this.#token = token;
    this.#skewMs = Date.now() - Date.parse(welcome.at);
    this.#plan(welcome.expires_at);
  }

  /** Whether it is time; called by its own timer, and after sleep. */
  look(): void {
    if (Date.now() >= this.#dueAt) void this.#renew();
    else this.#wait(this.#dueAt - Date.now());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  #plan(expiresAt: string): void {
    this.#endsAt = Date.parse(expiresAt) + this.#skewMs;
    const leftMs = this.#endsAt - Date.now();
    this.#dueAt = this.#endsAt - Math.min(BEFORE_MS, leftMs / 5);
    this.#wait(this.#dueAt - Date.now());
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), Math.min(Math.max(ms, 0), TIMER_MAX_MS));
  }

  async #renew(): Promise<void> {
    if (this.#isAsking || this.#dueAt === Infinity) return;
    this.#isAsking = true;
    try {
      const token = await this.#token();
      const renewed = await this.#connection.ask("renew", { token }, ASK_WITHIN_MS);
      if (this.#dueAt !== Infinity) this.#plan(renewed.expires_at);
    } catch (error) {
      if (this.#dueAt === Infinity) return;
      // A new log-in's token is no renewal, but a new connection takes it.
      if (error instanceof CommandRefused && !error.isTemporary) this.#connection.close("renewal_refused");
      // Who was logged out has none: the hub ends the connection when its token ends, and until then it is good.
      else if (!(error instanceof LoggedOut) && Date.now() < this.#endsAt) this.#wait(AGAIN_MS);
    } finally {
      this.#isAsking = false;
    }
  }
}

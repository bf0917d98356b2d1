/**
 * Keeps a connection to the hub: makes it, makes it again when the hub's codes say so, renews its token in time.
 *
 *     idle ──connect──► connecting ──welcome, resume──► live
 *                          ▲  │                          │
 *                          │  └────────► waiting ◄───────┤
 *                          └──────────────┘              └──► ended: a new log-in is needed
 */
import { Connection, type End, GONE, type Prove, type SocketClass } from "./connection.js";
import type { Codec } from "./codec.js";
import { Emitter } from "./emitter.js";
import { AnswerLost, LoggedOut } from "./refused.js";
import { Renewal } from "./renewal.js";
import { backoffMs, comesBack, weightOf } from "./retry.js";
import type { FromHub, Welcome } from "./wire.js";
import { watchWorld } from "./world.js";

const TOKEN_WITHIN_MS = 20_000;
/** After sleep or a change of networks a socket often looks open and is not. */
const AWAKE_WITHIN_MS = 3_000;
/** Where the browser says that there is no network a socket looks open for long: a cashier has to know now. */
const GONE_WITHIN_MS = 1_000;
/** A connection that lasted less is no sign that all is well again. */
const STEADY_MS = 5_000;
const UNSTEADY_TRIES = 2;
const AUTHENTICATION_FAILED = 4501;

/** Where the line stands. `until`: when it tries again; `why`: what ended the last connection. */
export type LineState =
  | { readonly name: "idle" }
  | { readonly name: "connecting"; readonly tries: number }
  | { readonly name: "live"; readonly welcome: Welcome }
  | { readonly name: "waiting"; readonly tries: number; readonly until: number; readonly code: number; readonly why: string }
  | { readonly name: "ended"; readonly code: number; readonly why: string };

/** Why a token is asked for. `refused`: the last one was not taken, so one that was kept will not do. */
export type TokenReason = "connect" | "renew" | "refused";

export interface LineOptions {
  readonly url: string;
  readonly codec: Codec;
  readonly WebSocket: SocketClass;
  readonly token: (reason: TokenReason) => Promise<string>;
  readonly prove?: Prove | undefined;
  /** Everything that has to be done before the line is live. */
  readonly ready: (connection: Connection, welcome: Welcome) => Promise<void>;
  readonly hear: (message: FromHub) => void;
}

export class Line {
  readonly #options: LineOptions;
  readonly #told = new Emitter<{ state: LineState }>();
  #state: LineState = { name: "idle" };
  #connection: Connection | undefined;
  #renewal: Renewal | undefined;
  /** Of the attempt that counts; an older one finds out by it that it is over. */
  #attempt = 0;
  #tries = 0;
  /** When a draining hub wants us back; 0: none is draining. */
  #slot = 0;
  #triedAt = 0;
  #liveAt = 0;
  #wasRefused = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  get state(): LineState {
    return this.#state;
  }

  /** The connection, while the line is live and the hub takes commands on it. */
  get connection(): Connection | undefined {
    return this.#state.name === "live" && this.#slot === 0 ? this.#connection : undefined;
  }

  on(listener: (state: LineState) => void): () => void {
    return this.#told.on("state", listener);
  }

  /** Begin, or begin again after the end. */
  connect(): void {
    if (this.#state.name !== "idle" && this.#state.name !== "ended") return;
    this.#stopWatching ??= watchWorld(
      () => this.#wake(),
      () => this.connection?.probe(GONE_WITHIN_MS),
    );
    this.#tries = 0;
    this.#wasRefused = false;
    void this.#try();
  }

  /** Stop, and stay so until somebody connects. */
  close(): void {
    this.#over({ name: "idle" }, "closed");
  }

  /** The next live connection. Rejected when there is none in time, or the line has ended. */
  live(withinMs: number): Promise<Connection> {
    if (this.connection !== undefined) return Promise.resolve(this.connection);
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(late);
        stop();
      };
      const look = (): void => {
        const { name } = this.#state;
        if (this.connection !== undefined) {
          done();
          resolve(this.connection);
        } else if (name === "idle" || name === "ended") {
          done();
          reject(new AnswerLost("ended", "There is no session: connect first, or log in again."));
        }
      };
      const stop = this.on(look);
      const late = setTimeout(() => {
        done();
        reject(new AnswerLost("timeout", `The hub was not reached within ${withinMs} ms.`));
      }, withinMs);
      look();
    });
  }

  async #try(): Promise<void> {
    const attempt = (this.#attempt += 1);
    clearTimeout(this.#timer);
    this.#slot = 0;
    this.#triedAt = Date.now();
    this.#set({ name: "connecting", tries: this.#tries });
    try {
      const token = await within(this.#options.token(this.#wasRefused ? "refused" : "connect"));
      if (attempt !== this.#attempt) return;
      const { url, codec, WebSocket, prove } = this.#options;
      const connection = new Connection(
        { url, codec, WebSocket, token, prove },
        { hear: (message) => this.#hear(connection, message), closed: (end) => this.#closed(attempt, end) },
      );
      this.#connection = connection;
      const welcome = await connection.welcome;
      await this.#options.ready(connection, welcome);
      if (attempt !== this.#attempt || !connection.isOpen) return;
      this.#liveAt = Date.now();
      this.#wasRefused = false;
      this.#renewal = new Renewal(welcome, connection, () => this.#options.token("renew"));
      this.#set({ name: "live", welcome });
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (error instanceof LoggedOut) this.#over({ name: "ended", code: AUTHENTICATION_FAILED, why: "logged_out" }, "logged_out");
      // A connection that ended has said so itself.
      else if (this.#connection?.isOpen === true) this.#connection.close("not_ready");
      else this.#closed(attempt, { code: GONE, reason: "no_token" });
    }
  }

  #hear(connection: Connection, message: FromHub): void {
    if (connection !== this.#connection) return;
    if (message.type === "draining") {
      this.#slot = Date.now() + message.retry_after_ms;
      // Whoever waits for a live line waits for the next one; what was asked is still answered on this one.
      this.#told.tell("state", this.#state);
    }
    this.#options.hear(message);
  }

  #closed(attempt: number, end: End): void {
    if (attempt !== this.#attempt) return;
    // What still waits in this attempt finds that it is over.
    this.#attempt += 1;
    this.#leave();
    this.#forgive();
    const { code } = end;
    const why = end.refused?.code ?? end.reason;
    if (code === AUTHENTICATION_FAILED && !this.#wasRefused) {
      // It may have ended on its way here, or while this machine slept: a fresh one is worth one try.
      this.#wasRefused = true;
      void this.#try();
    } else if (!comesBack(code)) this.#over({ name: "ended", code, why }, why);
    else {
      const waitMs = this.#slot > 0 ? Math.max(this.#slot - Date.now(), 0) : weightOf(code) === 0 ? 0 : backoffMs(this.#tries);
      this.#tries += weightOf(code);
      this.#set({ name: "waiting", tries: this.#tries, until: Date.now() + waitMs, code, why });
      this.#timer = setTimeout(() => void this.#try(), waitMs);
    }
  }

  /** Once it was live, it begins to wait anew; not quite, where hubs welcome and throw out at once. */
  #forgive(): void {
    if (this.#liveAt === 0) return;
    this.#tries = Date.now() - this.#liveAt >= STEADY_MS ? 0 : Math.min(this.#tries, UNSTEADY_TRIES);
    this.#liveAt = 0;
  }

  /** Something happened that makes it worth looking at once; but a place in a drain's queue is kept. */
  #wake(): void {
    if (this.#state.name === "waiting" && this.#slot <= Date.now()) void this.#try();
    else if (this.#state.name === "live") {
      this.#connection?.probe(AWAKE_WITHIN_MS);
      this.#renewal?.look();
    } else if (this.#state.name === "connecting" && Date.now() - this.#triedAt > AWAKE_WITHIN_MS) {
      // It was begun on a network that is no more.
      this.#connection?.close("awake");
    }
  }

  #over(state: LineState, why: string): void {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    const connection = this.#connection;
    this.#leave();
    connection?.close(why);
    this.#slot = 0;
    this.#set(state);
  }

  #leave(): void {
    this.#renewal?.stop();
    this.#renewal = undefined;
    this.#connection = undefined;
  }

  #set(state: LineState): void {
    this.#state = state;
    this.#told.tell("state", state);
  }
}

async function within<T>(promise: Promise<T>): Promise<T> {
  let late: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new AnswerLost("timeout", "No token came.")), TOKEN_WITHIN_MS);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(late);
  }
}

/**
 * A live session with a hub: asks, pays, follows accounts, and comes back by itself. It holds no state of its own for
 * people to look at; clients/js/src/state does.
 */
import { Acknowledging } from "./acknowledging.js";
import { CODECS, type Encoding } from "./codec.js";
import type { Answered, Asked, CommandName, MoneyCommand } from "./commands.js";
import { READS } from "./codes.js";
import type { Connection, Prove, SocketClass } from "./connection.js";
import { Emitter } from "./emitter.js";
import { newId } from "./ids.js";
import { Line, type LineState, type TokenReason } from "./line.js";
import { IN_DOUBT_MAX, type MoneyFields, Outbox, type Outcome } from "./outbox.js";
import { AnswerLost, CommandRefused } from "./refused.js";
import { MemoryStorage, type Storage } from "./storage.js";
import { Streams } from "./streams.js";
import type { Event, FromHub, Unasked, Welcome } from "./wire.js";
import { isWeb } from "./world.js";

const ANSWER_WITHIN_MS = 15_000;
const GOOD_FOR_MS = 24 * 60 * 60 * 1_000;
const FOR_EVER = Number.MAX_SAFE_INTEGER;

export interface HubOptions {
  /** Where the hub is: https://pay.example.com. */
  readonly url: string;
  /** An access token that is good now. Asked before every connection and every renewal; see LogIn. */
  readonly token: (reason: TokenReason) => Promise<string> | string;
  /** Where payments on their way are kept. In a browser: `new IndexedDbStorage()`; otherwise they die with the program. */
  readonly storage?: Storage;
  readonly encoding?: Encoding;
  /** `web` where a page's Origin is sent, `native` where none is. Found out by itself. */
  readonly door?: "web" | "native";
  /** For Node 20, which has none: `NodeWebSocket` of @payhub/client/node. */
  readonly WebSocket?: SocketClass;
  /** A till's: signs the connection's challenge by the key that its token is bound to. */
  readonly prove?: Prove;
  /** Tell the hub which events were seen, so that no phone rings for them; true if not said. */
  readonly acknowledges?: boolean;
}

export interface AskOptions {
  /** How long an answer is waited for, however often the connection changes meanwhile. */
  readonly withinMs?: number;
}

export interface PayOptions {
  /** The payment's id, if you have written it down yourself. */
  readonly payment?: string;
  /** How long it is wanted; a day if not said. 0: now or never, and nothing is tried while the hub is out of reach. */
  readonly goodForMs?: number;
}

/** What can be listened to: everything that the hub says without being asked, by its type, and the session's own turns. */
export type HubEvents = { [Message in Unasked as Message["type"]]: Message } & {
  state: LineState;
  /** A session has begun, or begun anew; everything that was followed goes on from where it was. */
  welcome: Welcome;
  /** An account's events do not go on from where they were: what is known of it has to be read again. */
  reset: { readonly account: number };
};

export class Hub {
  readonly outbox: Outbox;
  readonly #told = new Emitter<HubEvents>();
  readonly #streams = new Streams();
  readonly #mending = new Set<number>();
  readonly #seen: Acknowledging | undefined;
  readonly #line: Line;

  constructor(options: HubOptions) {
    this.outbox = new Outbox(options.storage ?? new MemoryStorage());
    const WebSocketClass = options.WebSocket ?? globalThis.WebSocket;
    if (WebSocketClass === undefined) {
      throw new TypeError("There is no WebSocket here: give NodeWebSocket of @payhub/client/node as `WebSocket`.");
    }
    this.#line = new Line({
      url: socketUrl(options.url, options.door ?? (isWeb() ? "web" : "native")),
      codec: CODECS[options.encoding ?? "msgpack"],
      WebSocket: WebSocketClass,
      token: async (reason) => options.token(reason),
      prove: options.prove,
      ready: (connection, welcome) => this.#resume(connection, welcome),
      hear: (message) => this.#hear(message),
    });
    this.#line.on((state) => this.#turn(state));
    if (options.acknowledges ?? true) {
      this.#seen = new Acknowledging((account, number) => this.#line.connection?.acknowledge(account, number));
    }
  }

  get state(): LineState {
    return this.#line.state;
  }

  connect(): void {
    this.#line.connect();
  }

  /** Leave. Payments on their way stay where they are kept. */
  close(): void {
    this.#seen?.stop();
    this.#line.close();
  }

  on<Name extends keyof HubEvents>(name: Name, listener: (value: HubEvents[Name]) => void): () => void {
    return this.#told.on(name, listener);
  }

  /**
   * Any command, by its type. What only reads is asked again when the connection ends before the answer; of anything
   * else it is then not known whether it was done (AnswerLost).
   */
  async ask<Name extends CommandName>(type: Name, fields: Asked<Name>, options: AskOptions = {}): Promise<Answered<Name>> {
    const until = Date.now() + (options.withinMs ?? ANSWER_WITHIN_MS);
    for (;;) {
      const connection = await this.#line.live(until - Date.now());
      try {
        return await connection.ask(type, fields, Math.max(until - Date.now(), 1));
      } catch (error) {
        const waitMs = againAfterMs(type, error);
        if (waitMs === undefined || Date.now() + waitMs >= until) throw error;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  /** Pay. The promise is kept when the hub has said what became of it, however long that takes; refusals are results. */
  pay(fields: MoneyFields<"pay">, options?: PayOptions): Promise<Outcome> {
    return this.move("pay", fields, options);
  }

  /** Any command that moves money, as safely as `pay`: authorize, capture, void, refund, reverse, release, decline. */
  async move<Name extends MoneyCommand>(type: Name, fields: MoneyFields<Name>, options: PayOptions = {}): Promise<Outcome> {
    const { payment = newId(), goodForMs = GOOD_FOR_MS } = options;
    if (goodForMs === 0 && this.#line.connection === undefined) {
      throw new AnswerLost("ended", "The hub is out of reach, and this payment was to be made now or never.");
    }
    // Now or never still has the time of one answer.
    const goodUntil = Math.min(Date.now() + Math.max(goodForMs, ANSWER_WITHIN_MS), FOR_EVER);
    return this.outbox.put({ payment, type, fields, goodUntil });
  }

  /** Hear an account's events: those after number `after`, or from now on. Goes on through every reconnect. */
  async follow(account: number, after?: number): Promise<number> {
    const known = this.#streams.numberOf(account);
    if (known !== undefined && after === undefined) return known;
    return (await this.ask("follow", { account, ...(after !== undefined && { after }) })).number;
  }

  /** Whether an account's events are heard, or will be again by the next connection. */
  follows(account: number): boolean {
    return this.#streams.numberOf(account) !== undefined;
  }

  async unfollow(account: number): Promise<void> {
    this.#streams.end(account);
    // A connection that ends follows nothing, and the next one does not follow this any more.
    await this.#line.connection?.ask("unfollow", { account }, ANSWER_WITHIN_MS);
  }

  /** Before anybody may use the connection: what was followed goes on, and what is in doubt and unwanted is settled. */
  async #resume(connection: Connection, welcome: Welcome): Promise<void> {
    const own = welcome.accounts.map((one) => one.account);
    const in_doubt = await this.outbox.begin(welcome.person, own);
    const follow = this.#streams.cursors;
    const first = in_doubt.slice(0, IN_DOUBT_MAX);
    if (follow.length > 0 || first.length > 0) {
      try {
        const resumed = await connection.ask("resume", { follow, in_doubt: first }, ANSWER_WITHIN_MS);
        await this.outbox.settled(resumed.settled);
      } catch (error) {
        if (!(error instanceof CommandRefused) || error.isTemporary) throw error;
        // All or nothing: one account that cannot go on has kept the others and the payments from it.
        const resumed = await connection.ask("resume", { in_doubt: first }, ANSWER_WITHIN_MS);
        await this.outbox.settled(resumed.settled);
        for (const [account, number] of follow) await this.#followAgain(connection, account, number);
      }
    }
    this.#told.tell("welcome", welcome);
  }

  /** Go on with one account after `number`; anew, if the hub has no such number (its books come out of a backup). */
  async #followAgain(connection: Connection, account: number, number: number): Promise<void> {
    try {
      await connection.ask("follow", { account, after: number }, ANSWER_WITHIN_MS);
    } catch (error) {
      if (!(error instanceof CommandRefused) || error.isTemporary) throw error;
      if (error.code === "cursor_out_of_range") await connection.ask("follow", { account }, ANSWER_WITHIN_MS);
      // It is not ours any more.
      else this.#streams.end(account);
      this.#told.tell("reset", { account });
    }
  }

  #hear(message: FromHub): void {
    switch (message.type) {
      case "event":
        this.#hearEvent(message);
        break;
      case "following":
        this.#streams.begin(message.account, message.number);
        break;
      default:
        // Answers have nobody else who listens; what is new to this client has nobody at all.
        if (!("id" in message)) this.#told.tell(message.type as keyof HubEvents, message as never);
    }
  }

  #hearEvent(event: Event): void {
    switch (this.#streams.hear(event.account, event.number)) {
      case "next":
        this.#told.tell("event", event);
        this.#seen?.note(event.account, event.number);
        break;
      case "gap":
        void this.#mend(event.account);
    }
  }

  /** Something was missed: have it sent again, from the last one on. */
  async #mend(account: number): Promise<void> {
    const number = this.#streams.numberOf(account);
    const connection = this.#line.connection;
    if (number === undefined || connection === undefined || this.#mending.has(account)) return;
    this.#mending.add(account);
    try {
      await this.#followAgain(connection, account, number);
    } catch {
      // The next event finds the same gap, and the next connection resumes from the same number.
    } finally {
      this.#mending.delete(account);
    }
  }

  #turn(state: LineState): void {
    const connection = this.#line.connection;
    if (connection === undefined) this.outbox.shut();
    else {
      this.outbox.open({
        send: ({ type, payment, fields }) =>
          connection.ask(type, { ...fields, payment } as Asked<MoneyCommand>, ANSWER_WITHIN_MS),
        settle: async (in_doubt) => (await connection.ask("resume", { in_doubt }, ANSWER_WITHIN_MS)).settled,
      });
    }
    this.#told.tell("state", state);
  }
}

/** After how long a command may be asked again; undefined: not at all. */
function againAfterMs(type: CommandName, error: unknown): number | undefined {
  if (error instanceof CommandRefused) return error.passes ? (error.retryAfterMs ?? 1_000) : undefined;
  return error instanceof AnswerLost && error.why === "closed" && READS.has(type) ? 0 : undefined;
}

function socketUrl(url: string, door: "web" | "native"): string {
  const found = new URL(url);
  found.protocol = found.protocol.replace("http", "ws");
  found.pathname = door === "web" ? "/v1/socket" : "/v1/native";
  found.search = "";
  return found.href;
}

/**
 * One WebSocket, from the first byte to the close: authenticates, matches answers to commands by id, and notices
 * silence. It never comes back; line.ts makes the next one.
 */
import type { Codec } from "./codec.js";
import type { Answered, Asked, CommandName } from "./commands.js";
import { AnswerLost, CommandRefused } from "./refused.js";
import type { Acknowledge, Authenticate, FromHub, Refused, Welcome } from "./wire.js";

const HANDSHAKE_MS = 10_000;
const PING_AFTER_MS = 25_000;
const PONG_WITHIN_MS = 8_000;
/** What a close is called that came without a word (RFC 6455). */
export const GONE = 1006;

/** As much of a WebSocket as is used: the browser's, Node's (22 and later) or the package ws's. */
export interface Socket {
  binaryType: string;
  readonly readyState: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: SocketEvent) => void): void;
}
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
}
export type SocketClass = new (url: string, protocols: string[]) => Socket;

/** Signs a till's proof of possession over the connection's challenge. */
export type Prove = (challenge: string, token: string) => Promise<string>;

export interface Route {
  readonly url: string;
  readonly codec: Codec;
  readonly WebSocket: SocketClass;
  readonly token: string;
  readonly prove?: Prove | undefined;
}

/** How it ended. `refused`: why the token was not taken. */
export interface End {
  readonly code: number;
  readonly reason: string;
  readonly refused?: Refused;
}

export interface Ears {
  /** Every message after the welcome, answers too: in the order and in the turn in which they come. */
  hear(message: FromHub): void;
  /** Called once. */
  closed(end: End): void;
}

interface Ask {
  answer(message: FromHub): void;
  lose(error: AnswerLost): void;
}

export class Connection {
  /** Fulfilled when the token was taken; rejected when the connection ends before. */
  readonly welcome: Promise<Welcome>;
  readonly #route: Route;
  readonly #ears: Ears;
  readonly #socket: Socket;
  readonly #asks = new Map<number, Ask>();
  #lastId = 0;
  #heardAt = Date.now();
  #watch: ReturnType<typeof setTimeout>;
  #refused: Refused | undefined;
  #isOver = false;
  #isWelcome = false;
  #welcomed: (welcome: Welcome) => void = () => undefined;
  #unwelcome: (error: AnswerLost) => void = () => undefined;

  constructor(route: Route, ears: Ears) {
    this.#route = route;
    this.#ears = ears;
    this.welcome = new Promise((resolve, reject) => {
      this.#welcomed = resolve;
      this.#unwelcome = reject;
    });
    // Whoever waits for it is told; that nobody does is no mistake.
    this.welcome.catch(() => undefined);
    this.#watch = setTimeout(() => this.#finish({ code: GONE, reason: "no_welcome" }), HANDSHAKE_MS);
    this.#socket = new route.WebSocket(route.url, [route.codec.subprotocol]);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("open", () => void this.#authenticate());
    this.#socket.addEventListener("message", ({ data }) => this.#take(data));
    this.#socket.addEventListener("close", ({ code, reason }) =>
      this.#finish({ code: code ?? GONE, reason: reason ?? "" }),
    );
    // What went wrong is in the close that follows.
    this.#socket.addEventListener("error", () => undefined);
  }

  get isOpen(): boolean {
    return !this.#isOver;
  }

  /** Ask, and wait for the answer. Rejected with CommandRefused, or AnswerLost. */
  ask<Name extends CommandName>(type: Name, fields: Asked<Name>, timeoutMs: number): Promise<Answered<Name>> {
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      if (this.#isOver) {
        reject(new AnswerLost("closed", "The connection has ended."));
        return;
      }
      const late = setTimeout(() => {
        this.#asks.delete(id);
        reject(new AnswerLost("timeout", `No answer to ${type} within ${timeoutMs} ms.`));
        this.probe(PONG_WITHIN_MS);
      }, timeoutMs);
      this.#asks.set(id, {
        answer: (message) => {
          clearTimeout(late);
          if (message.type === "error") reject(new CommandRefused(message));
          // The hub answers each command with its own answer: wire.ts has the table.
          else resolve(message as Answered<Name>);
        },
        lose: (error) => {
          clearTimeout(late);
          reject(error);
        },
      });
      this.#send({ ...fields, type, id });
    });
  }

  /** Say what has no answer. */
  acknowledge(account: number, number: number): void {
    const message: Acknowledge = { type: "ack", account, number };
    if (!this.#isOver) this.#send(message);
  }

  /** Look whether the other side is still there: it has to say something within `patienceMs`, or this is over. */
  probe(patienceMs: number): void {
    if (this.#isOver || !this.#isWelcome) return;
    const askedAt = Date.now();
    this.#heardAt = Math.min(this.#heardAt, askedAt - 1);
    // The pong is a message like any other; what it says does not matter.
    this.#send({ type: "ping", id: (this.#lastId += 1) });
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      if (this.#heardAt >= askedAt) this.#watchSilence();
      else this.#finish({ code: GONE, reason: "silence" });
    }, patienceMs);
  }

  close(reason: string): void {
    this.#finish({ code: 1000, reason });
  }

  async #authenticate(): Promise<void> {
    const { token, prove } = this.#route;
    if (prove !== undefined) {
      this.#send({ type: "challenge", id: (this.#lastId += 1) });
      return;
    }
    this.#send({ type: "authenticate", token } satisfies Authenticate);
  }

  async #prove(challenge: string): Promise<void> {
    const { token, prove } = this.#route;
    try {
      const proof = await prove?.(challenge, token);
      if (!this.#isOver && proof !== undefined) this.#send({ type: "authenticate", token, proof } satisfies Authenticate);
    } catch {
      this.#finish({ code: GONE, reason: "no_proof" });
    }
  }

  #take(data: unknown): void {
    if (this.#isOver) return;
    this.#heardAt = Date.now();
    const message = this.#route.codec.decode(data);
    // A hub that is newer may say what this client does not know yet.
    if (message === undefined) return;
    if (!this.#isWelcome) this.#takeFirst(message);
    else {
      this.#ears.hear(message);
      if ("id" in message && message.id !== undefined) {
        const asked = this.#asks.get(message.id);
        this.#asks.delete(message.id);
        asked?.answer(message);
      }
    }
  }

  #takeFirst(message: FromHub): void {
    if (message.type === "welcome") {
      this.#isWelcome = true;
      this.#watchSilence();
      this.#welcomed(message);
    } else if (message.type === "challenge_state") void this.#prove(message.nonce);
    else if (message.type === "error") this.#refused = message;
  }

  #watchSilence(): void {
    clearTimeout(this.#watch);
    const quietMs = Date.now() - this.#heardAt;
    this.#watch = setTimeout(
      () => {
        if (Date.now() - this.#heardAt >= PING_AFTER_MS) this.probe(PONG_WITHIN_MS);
        else this.#watchSilence();
      },
      Math.max(PING_AFTER_MS - quietMs, 1),
    );
  }

  #send(message: object): void {
    this.#socket.send(this.#route.codec.encode(message));
  }

  /** Whatever ends it, once. A socket whose network is gone may take minutes to say so: nobody waits for that. */
  #finish(end: End): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#watch);
    try {
      this.#socket.close(1000);
    } catch {
      // One that never opened cannot be closed everywhere.
    }
    const lost = new AnswerLost("closed", `The connection ended (${end.code} ${end.reason}) before the answer.`);
    this.#unwelcome(lost);
    for (const asked of this.#asks.values()) asked.lose(lost);
    this.#asks.clear();
    this.#ears.closed(this.#refused === undefined ? end : { ...end, refused: this.#refused });
  }
}

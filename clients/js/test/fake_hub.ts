/**
 * A scripted hub for unit tests: a WebSocket class that leads to a script instead of a network.
 *
 *     vi.useFakeTimers();
 *     const fake = new FakeHub();
 *     const hub = new Hub({ ...fake.options });
 *     hub.connect();
 *     await fake.welcomed();                                  // it has connected and authenticated
 *
 *     fake.answers("pay", ({ payment }) => ({ type: "payment", payment, status: "posted" }));
 *     fake.answers("pay", () => undefined);                   // it hears and says nothing
 *     fake.says({ type: "event", account: 1, number: 7, ... });
 *     fake.ends(4001);                                        // close, with a code of hub/protocol/codes.py
 *     fake.isAway = true;                                     // nobody can connect
 *     fake.isDeaf = true;                                     // the network is gone: no frame arrives, no close either
 *
 *     expect(fake.heard("pay")).toEqual([{ type: "pay", id: 1, payment: ... }]);
 *
 * Frames take a millisecond each way, so time has to pass: `await vi.advanceTimersByTimeAsync(10)`, which `welcomed`
 * does itself. What a real hub does is for the tests in test/real; this is for what a real hub does seldom.
 */
import { vi } from "vitest";

import type { SocketClass, SocketEvent } from "../src/hub/connection.js";
import type { AccountState, Event, FromHub, Unasked, Welcome } from "../src/hub/wire.js";

type Heard = Record<string, unknown> & { readonly type: string; readonly id?: number };
type Script = (message: Heard) => object | undefined;

const FRAME_MS = 1;

export const PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11";

export function accountState(account: number, more: Partial<AccountState> = {}): AccountState {
  return { account, posted: 1_000, held: 0, available: 1_000, floor: 0, number: 5, status: "open", ...more };
}

export function eventOf(account: number, number: number, more: Partial<Event> = {}): Event {
  return {
    type: "event",
    account,
    number,
    payment: crypto.randomUUID(),
    what: "payment.received",
    amount: 10,
    counterparty: 99,
    balance: 1_000 + 10 * (number - 5),
    at: "2026-03-01T12:34:56.789012Z",
    ...more,
  };
}

export class FakeHub {
  readonly sockets: FakeSocket[] = [];
  isAway = false;
  isDeaf = false;
  accounts: AccountState[] = [accountState(1)];
  lifetimeMs = 300_000;
  /** How far the hub's clock is ahead of this machine's. */
  skewMs = 0;
  readonly tokens: string[] = [];
  #scripts = new Map<string, Script>();
  #heard: Heard[] = [];

  constructor() {
    this.answers("authenticate", () => this.welcome());
    this.answers("renew", () => ({ type: "renewed", expires_at: this.#at(this.lifetimeMs) }));
    this.answers("ping", () => ({ type: "pong", at: this.#at(0) }));
    this.answers("ack", () => undefined);
    this.answers("follow", ({ account, after }) => {
      const state = this.accounts.find((one) => one.account === account);
      const latest = state?.number ?? 0;
      return { type: "following", account, number: after ?? latest, latest, posted: state?.posted ?? 0 };
    });
    this.answers("unfollow", ({ account }) => ({ type: "unfollowed", account }));
    this.answers("resume", ({ in_doubt = [] }) => ({
      type: "resumed",
      settled: (in_doubt as string[]).map((payment) => ({ payment, status: "fenced", at: this.#at(0) })),
      following: [],
    }));
    this.answers("pay", ({ payment }) => ({ type: "payment", payment, status: "posted", at: this.#at(0) }));
  }

  /** What a Hub needs to come here. */
  get options() {
    return {
      url: "https://hub.test",
      encoding: "json" as const,
      WebSocket: this.WebSocket,
      token: (reason: string) => {
        this.tokens.push(reason);
        return `token ${this.tokens.length}`;
      },
    };
  }

  get WebSocket(): SocketClass {
    const hub = this;
    return class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(hub, url, protocols);
      }
    };
  }

  answers(type: string, script: Script): void {
    this.#scripts.set(type, script);
  }

  refuses(type: string, code: string, more: object = {}): void {
    this.answers(type, () => ({ type: "error", code, message: code, ...more }));
  }

  says(message: Unasked): void {
    this.last.receive(message);
  }

  ends(code: number, reason = ""): void {
    this.last.end(code, reason);
  }

  /** Everything of a type that was heard, on whichever connection. */
  heard(type: string): Heard[] {
    return this.#heard.filter((message) => message.type === type);
  }

  /** The types of what was heard last. */
  get lately(): string[] {
    return this.#heard.slice(-5).map(({ type }) => type);
  }

  get heardCount(): number {
    return this.#heard.length;
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("Nobody has connected.");
    return socket;
  }

  async welcomed(): Promise<void> {
    await vi.advanceTimersByTimeAsync(10 * FRAME_MS);
  }

  welcome(): Omit<Welcome, "id"> {
    return {
      type: "welcome",
      person: PERSON,
      name: "Ana",
      role: "customer",
      tenant: "demo",
      currency: "BRL",
      accounts: this.accounts,
      at: this.#at(0),
      expires_at: this.#at(this.lifetimeMs),
    };
  }

  take(message: Heard, socket: FakeSocket): void {
    this.#heard.push(message);
    const script = this.#scripts.get(message.type);
    if (script === undefined) throw new Error(`The fake hub has no script for ${message.type}.`);
    const answer = script(message);
    if (answer !== undefined) socket.receive({ ...answer, ...(message.id !== undefined && { id: message.id }) } as FromHub);
  }

  #at(laterMs: number): string {
    return new Date(Date.now() + this.skewMs + laterMs).toISOString();
  }
}

class FakeSocket {
  binaryType = "blob";
  readyState = 0;
  readonly #hub: FakeHub;
  readonly #listeners = new Map<string, ((event: SocketEvent) => void)[]>();

  constructor(
    hub: FakeHub,
    readonly url: string,
    readonly protocols: string[],
  ) {
    this.#hub = hub;
    hub.sockets.push(this);
    setTimeout(() => {
      if (hub.isDeaf || this.readyState > 1) return;
      if (hub.isAway) this.end(1006, "");
      else {
        this.readyState = 1;
        this.#tell({ type: "open" });
      }
    }, FRAME_MS);
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | Uint8Array): void {
    if (this.readyState !== 1) return;
    const message: Heard = JSON.parse(String(data));
    setTimeout(() => {
      if (this.readyState === 1 && !this.#hub.isDeaf) this.#hub.take(message, this);
    }, FRAME_MS);
  }

  close(): void {
    this.readyState = 3;
  }

  receive(message: object): void {
    setTimeout(() => {
      if (this.readyState === 1 && !this.#hub.isDeaf) this.#tell({ type: "message", data: JSON.stringify(message) });
    }, FRAME_MS);
  }

  end(code: number, reason: string): void {
    if (this.readyState > 1 || this.#hub.isDeaf) return;
    this.readyState = 3;
    this.#tell({ type: "close", code, reason });
  }

  #tell(event: SocketEvent): void {
    for (const listener of this.#listeners.get(event.type) ?? []) listener(event);
  }
}

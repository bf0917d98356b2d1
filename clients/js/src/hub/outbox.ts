/**
 * Payments on their way: written down before they are sent, kept until the hub has said what became of them.
 *
 * A payment has one id for ever, so it can be sent again as often as it takes and is made once. While it is wanted it
 * is: after a disconnect it is sent again under its id, and the hub gives its first answer. When it is wanted no more
 * (cancelled, or `goodForMs` is over) it is listed in the resume: the hub says what became of it, or fences it, and it
 * can never be made. What became of a payment is the hub's to say and nobody else's: here is nothing but what is open.
 */
import { NOT_FINAL, type PaymentStatus } from "./codes.js";
import type { Asked, MoneyCommand } from "./commands.js";
import { Emitter } from "./emitter.js";
import { AnswerLost, CommandRefused } from "./refused.js";
import type { Storage } from "./storage.js";
import type { Paid, SettledPayment } from "./wire.js";

/** Sent and not yet answered at one time; the hub's limit for a connection is far above. */
const FLYING_MAX = 16;
const AGAIN_MS = 1_000;
/** The hub settles so many in one resume (hub/protocol/fields.py). */
export const IN_DOUBT_MAX = 500;

export type MoneyFields<Name extends MoneyCommand = MoneyCommand> = Name extends MoneyCommand
  ? Omit<Asked<Name>, "payment">
  : never;

/** A payment on its way. `queued`: never sent. `sent`: it may have been made, and may not. */
export interface Entry {
  readonly payment: string;
  readonly type: MoneyCommand;
  readonly fields: MoneyFields;
  readonly state: "queued" | "sent";
  readonly madeAt: number;
  /** Until when it is wanted; 0: it was cancelled. Milliseconds since the epoch. */
  readonly goodUntil: number;
  /** Whose it is: another person who logs in here has nothing to do with it. */
  readonly person?: string;
}

/** What became of a payment. `receipt`: the hub's signed proof, if it was made just now. */
export type Outcome = Omit<Paid, "type" | "id" | "status"> & { readonly status: PaymentStatus };

export interface OutboxEvents {
  /** Something was put, sent or settled: read `entries`. */
  changed: readonly Entry[];
  /** The hub has said what became of this one. */
  settled: { readonly entry: Entry; readonly outcome: Outcome };
  /** The hub did not take the command: nothing was done. */
  refused: { readonly entry: Entry; readonly error: CommandRefused };
}

/** How payments get to the hub, while it can be reached. */
export interface Road {
  send(entry: Entry): Promise<Paid>;
  settle(payments: readonly string[]): Promise<readonly SettledPayment[]>;
}

interface Waiter {
  readonly promise: Promise<Outcome>;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

export class Outbox {
  readonly #storage: Storage;
  readonly #told = new Emitter<OutboxEvents>();
  readonly #entries = new Map<string, Entry>();
  readonly #waiters = new Map<string, Waiter>();
  readonly #flying = new Set<string>();
  /** Settled here, and perhaps still in the storage for a moment. */
  readonly #gone = new Set<string>();
  readonly #loaded: Promise<void>;
  #road: Road | undefined;
  #person: string | undefined;
  #accounts: ReadonlySet<number> = new Set();
  #pausedUntil = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#loaded = this.#load();
    // Whoever uses the outbox is told; until then it is nobody's error.
    this.#loaded.catch(() => undefined);
  }

  /** The payments that are open, the oldest first. */
  get entries(): readonly Entry[] {
    return [...this.#entries.values()].sort((one, other) => one.madeAt - other.madeAt);
  }

  on<Name extends keyof OutboxEvents>(name: Name, listener: (value: OutboxEvents[Name]) => void): () => void {
    return this.#told.on(name, listener);
  }

  /** Write a payment down, send it when the hub can be reached, and wait for what becomes of it. */
  async put(entry: Omit<Entry, "state" | "madeAt" | "person">): Promise<Outcome> {
    await this.#loaded;
    const known = this.#entries.get(entry.payment);
    if (known !== undefined) {
      if (known.type !== entry.type || !isSame(known.fields, entry.fields)) {
        throw new TypeError(`The id ${entry.payment} is another payment's.`);
      }
      return this.#wait(entry.payment).promise;
    }
    const person = this.#person === undefined ? {} : { person: this.#person };
    const made: Entry = { ...entry, ...person, state: "queued", madeAt: Date.now() };
    const waiter = this.#wait(entry.payment);
    try {
      await this.#keep(made);
    } catch (error) {
      // What cannot be written down is not sent.
      this.#entries.delete(entry.payment);
      this.#waiters.delete(entry.payment);
      throw error;
    }
    this.#pump();
    return waiter.promise;
  }

  /** Want it no more. The hub says whether that came in time: at once, or as soon as it can be reached. */
  async cancel(payment: string): Promise<void> {
    await this.#loaded;
    const entry = this.#entries.get(payment);
    if (entry === undefined) return;
    await this.#keep({ ...entry, goodUntil: 0 });
    this.#pump();
  }

  /** Whose session it is from now on, and which of the payments that are wanted no more the hub has to settle. */
  async begin(person: string, accounts: Iterable<number>): Promise<readonly string[]> {
    await this.#loaded;
    // Other tabs share the storage: what one of them left behind is taken up here.
    await this.#load();
    this.#person = person;
    this.#accounts = new Set(accounts);
    return this.entries.filter((one) => this.#isOurs(one) && !isWanted(one)).map((one) => one.payment);
  }

  /** The hub has said what became of these. */
  async settled(payments: readonly SettledPayment[]): Promise<void> {
    for (const { payment, status, ...rest } of payments) {
      const entry = this.#entries.get(payment);
      if (entry !== undefined) await this.#settle(entry, { ...rest, payment, status: status as PaymentStatus });
    }
  }

  /** The hub can be reached: everything that is wanted goes out, in the order in which it was put. */
  open(road: Road): void {
    this.#road = road;
    this.#pausedUntil = 0;
    this.#pump();
  }

  /** It cannot be reached any more. */
  shut(): void {
    this.#road = undefined;
    clearTimeout(this.#pause);
  }

  #pump(): void {
    const road = this.#road;
    if (road === undefined || Date.now() < this.#pausedUntil) return;
    const idle = this.entries.filter((one) => this.#isOurs(one) && !this.#flying.has(one.payment));
    const unwanted = idle.filter((one) => !isWanted(one)).slice(0, IN_DOUBT_MAX);
    if (unwanted.length > 0) void this.#giveUp(unwanted, road);
    for (const entry of idle) {
      if (this.#flying.size >= FLYING_MAX) return;
      if (isWanted(entry)) void this.#send(entry, road);
    }
  }

  async #giveUp(entries: readonly Entry[], road: Road): Promise<void> {
    const payments = entries.map((one) => one.payment);
    for (const payment of payments) this.#flying.add(payment);
    try {
      await this.settled(await road.settle(payments));
    } catch (error) {
      if (!(error instanceof AnswerLost)) this.#rest(retryMs(error));
    } finally {
      for (const payment of payments) this.#flying.delete(payment);
      if (road === this.#road) this.#pump();
    }
  }

  async #send(queued: Entry, road: Road): Promise<void> {
    this.#flying.add(queued.payment);
    try {
      if (queued.state === "queued") await this.#keep({ ...queued, state: "sent" });
      // It may have been cancelled, or the hub be gone, while it was written down.
      const entry = this.#entries.get(queued.payment);
      if (road !== this.#road || entry === undefined || !isWanted(entry)) return;
      const { type: _, id: __, status, ...rest } = await road.send(entry);
      const outcome = { ...rest, status: status as PaymentStatus };
      if (NOT_FINAL.has(outcome.status)) this.#rest(AGAIN_MS);
      else await this.#settle(entry, outcome);
    } catch (error) {
      // No answer: it stays open, and the next connection sends it again.
      if (error instanceof CommandRefused) {
        if (error.isTemporary) this.#rest(retryMs(error));
        // The session ended under it, which says nothing about the payment.
        else if (error.code !== "authentication_required") await this.#refuse(queued, error);
      } else if (!(error instanceof AnswerLost)) this.#rest(AGAIN_MS);
    } finally {
      this.#flying.delete(queued.payment);
      if (road === this.#road) this.#pump();
    }
  }

  /** The hub wants to be left alone for a moment. */
  #rest(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, Date.now() + ms);
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#pump(), this.#pausedUntil - Date.now());
  }

  async #settle(entry: Entry, outcome: Outcome): Promise<void> {
    if (!this.#entries.delete(entry.payment)) return;
    this.#waiters.get(entry.payment)?.resolve(outcome);
    this.#waiters.delete(entry.payment);
    this.#told.tell("settled", { entry, outcome });
    this.#told.tell("changed", this.entries);
    // Last: whoever is killed before it asks once more, and is given the same answer.
    await this.#forget(entry.payment);
  }

  async #refuse(entry: Entry, error: CommandRefused): Promise<void> {
    if (!this.#entries.delete(entry.payment)) return;
    this.#waiters.get(entry.payment)?.reject(error);
    this.#waiters.delete(entry.payment);
    this.#told.tell("refused", { entry, error });
    this.#told.tell("changed", this.entries);
    await this.#forget(entry.payment);
  }

  async #keep(entry: Entry): Promise<void> {
    this.#entries.set(entry.payment, entry);
    await this.#storage.put(entry.payment, entry);
    this.#told.tell("changed", this.entries);
  }

  async #forget(payment: string): Promise<void> {
    this.#gone.add(payment);
    try {
      await this.#storage.remove(payment);
      this.#gone.delete(payment);
    } catch {
      // It is asked about once more after the next start, which changes nothing.
    }
  }

  async #load(): Promise<void> {
    const kept = await this.#storage.readAll();
    for (const value of kept.values()) {
      if (isEntry(value) && !this.#entries.has(value.payment) && !this.#gone.has(value.payment)) this.#entries.set(value.payment, value);
    }
    this.#told.tell("changed", this.entries);
  }

  /** What was put before anybody was known belongs to whoever may pay from its account. */
  #isOurs({ person, fields }: Entry): boolean {
    if (person !== undefined) return person === this.#person;
    return this.#person !== undefined && (!("payer" in fields) || this.#accounts.has(fields.payer));
  }

  #wait(payment: string): Waiter {
    const known = this.#waiters.get(payment);
    if (known !== undefined) return known;
    let resolve: Waiter["resolve"] = () => undefined;
    let reject: Waiter["reject"] = () => undefined;
    const promise = new Promise<Outcome>((fulfil, refuse) => {
      resolve = fulfil;
      reject = refuse;
    });
    // A payment outlives whoever waits for it.
    promise.catch(() => undefined);
    const waiter = { promise, resolve, reject };
    this.#waiters.set(payment, waiter);
    return waiter;
  }
}

function retryMs(error: unknown): number {
  return (error instanceof CommandRefused ? error.retryAfterMs : undefined) ?? AGAIN_MS;
}

function isWanted(entry: Entry): boolean {
  return entry.goodUntil > Date.now();
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && "payment" in value && "fields" in value && "goodUntil" in value;
}

/** The same fields with the same values, in whatever order. */
function isSame(one: object, other: object): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: object): [string, unknown][] {
  return Object.entries(value).sort(([one], [another]) => (one < another ? -1 : 1));
}

/**
 * A till without a screen: paired once, it asks to be paid, keeps tabs, sells through a bad network and gives money
 * back, and what it was told survives whoever kills it. A page shows it (ui/till); in Node it runs as it is.
 */
import type { Encoding } from "../hub/codec.js";
import type { SocketClass } from "../hub/connection.js";
import { Hub } from "../hub/hub.js";
import type { LineState } from "../hub/line.js";
import type { Storage } from "../hub/storage.js";
import type { Welcome } from "../hub/wire.js";
import { type Readable, Store } from "../state/store.js";
import { Book, type Pages } from "./book.js";
import { Charges, type Counter } from "./charges.js";
import type { KeyForm } from "./key.js";
import { findBroken } from "./signing.js";
import { Tabs } from "./tabs.js";
import { type Paired, Terminal } from "./terminal.js";
import type { ChargeRecord, SaleRecord } from "./records.js";

const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;
const LOOK_MS = 30_000;

export interface TillOptions {
  /** Where the hub is, as it calls itself. */
  readonly url: string;
  /** Where everything is kept: one till's alone, and safe when `put` says so. */
  readonly storage: Storage;
  /** `handle` where the storage takes keys as they are (IndexedDB), `file` where it takes JSON. */
  readonly keyForm: KeyForm;
  readonly door?: "web" | "native";
  readonly encoding?: Encoding;
  readonly WebSocket?: SocketClass;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
}

/** How this till stands. */
export interface Standing {
  readonly paired: Paired | undefined;
  readonly line: LineState["name"];
  /** Whose till it is and in which money, as it was last told. */
  readonly merchant?: string;
  readonly currency?: string;
}

const STANDING = "standing";

export class Till {
  readonly terminal: Terminal;
  readonly hub: Hub;
  readonly book: Book;
  readonly charges: Charges;
  readonly tabs: Tabs;
  readonly standing: Readable<Standing>;
  readonly #standing = new Store<Standing>({ paired: undefined, line: "idle" });
  readonly #storage: Storage;
  readonly #now: () => number;
  #latest = 0;
  #look: ReturnType<typeof setInterval> | undefined;

  private constructor(options: TillOptions) {
    this.#storage = options.storage;
    this.#now = options.now ?? Date.now;
    this.terminal = new Terminal(options);
    this.hub = new Hub({
      url: options.url,
      storage: options.storage,
      token: this.terminal.token,
      prove: this.terminal.prove,
      ...(options.encoding !== undefined && { encoding: options.encoding }),
      ...(options.door !== undefined && { door: options.door }),
      ...(options.WebSocket !== undefined && { WebSocket: options.WebSocket }),
    });
    this.book = new Book(options.storage);
    this.standing = this.#standing;
    const counter: Counter = {
      hub: this.hub,
      book: this.book,
      account: () => this.terminal.paired?.account ?? 0,
      now: () => this.now(),
      isLive: () => this.isLive,
      isEnded: () => this.hub.state.name === "ended",
    };
    this.charges = new Charges(counter);
    this.tabs = new Tabs(counter, this.terminal);
  }

  /** The till that this storage knows, or one that is still to be paired. */
  static async open(options: TillOptions): Promise<Till> {
    const till = new Till(options);
    await till.#begin();
    return till;
  }

  get isLive(): boolean {
    return this.hub.state.name === "live";
  }

  /** The hub's time, as well as it is known. It never goes back behind what was written down: a clock may be set. */
  now(): number {
    this.#latest = Math.max(this.#latest, this.#now() + this.terminal.skewMs);
    return this.#latest;
  }

  /** Become a till, by the code that the merchant was shown. */
  async pair(tenant: string, code: string): Promise<Paired> {
    const paired = await this.terminal.pair(tenant, code);
    this.#standing.update((standing) => ({ ...standing, paired }));
    this.connect();
    return paired;
  }

  connect(): void {
    if (this.terminal.paired === undefined) return;
    this.hub.connect();
    clearInterval(this.#look);
    // Tabs end and charges expire while nothing happens.
    this.#look = setInterval(() => this.#settle(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.#look);
    this.hub.close();
  }

  /** Be no till any more. False: sales wait for the hub, or customers' money is still held for this till. */
  async unpair(): Promise<boolean> {
    const holds = this.book.getSnapshot().tabs.some((tab) => tab.state === "open" || tab.state === "closing");
    if (this.waiting.length > 0 || holds) return false;
    this.close();
    await this.terminal.forget();
    this.#standing.set({ paired: undefined, line: "idle" });
    return true;
  }

  /** Sales that are safe here and not yet at the hub. */
  get waiting(): readonly SaleRecord[] {
    return this.book.getSnapshot().sales.filter((sale) => sale.state === "accepted");
  }

  /** Give back what was paid for a charge or a sale, or a part of it. It goes out when it can, and once. */
  async refund(record: ChargeRecord | SaleRecord, amount: number): Promise<string> {
    const payment = record.sort === "charge" ? record.paid?.payment : record.payment;
    if (payment === undefined) return "subject_not_found";
    const { status } = await this.hub.move("refund", { about: payment, amount }, { goodForMs: FOR_EVER_MS });
    const { life } = await this.hub.ask("read_payment", { payment });
    const now = record.sort === "charge" ? this.book.charge(record.charge) : this.book.sale(record.sale);
    if (now !== undefined) await this.book.put({ ...now, refunded: life.refunded });
    return status;
  }

  /** The first sale that is not what this till signed, or does not follow from the one before; none: the book is whole. */
  findBroken(): Promise<SaleRecord | undefined> {
    const sales = [...this.book.getSnapshot().sales].reverse();
    return findBroken(this.terminal.key.jwk, this.terminal.paired?.terminal ?? "", sales);
  }

  async #begin(): Promise<void> {
    const paired = await this.terminal.read();
    const kept = (await this.#storage.readAll()).get(STANDING) as Pick<Standing, "merchant" | "currency"> | undefined;
    await this.book.open(this.#now());
    this.#latest = latestIn(this.book.getSnapshot());
    this.#standing.set({ ...kept, paired, line: this.hub.state.name });
    this.hub.on("state", ({ name }) => {
      this.#standing.update((standing) => ({ ...standing, line: name, paired: this.terminal.paired }));
      if (name === "live") this.#settle();
    });
    this.hub.on("welcome", (welcome) => void this.#welcomed(welcome));
    this.hub.on("event", (event) => {
      void this.charges.hear(event);
      void this.tabs.hear(event);
    });
  }

  async #welcomed({ name, currency, accounts }: Welcome): Promise<void> {
    const told = { merchant: name, currency };
    this.#standing.update((standing) => ({ ...standing, ...told }));
    await this.#storage.put(STANDING, told).catch(() => undefined);
    for (const { account } of accounts) if (!this.hub.follows(account)) await this.hub.follow(account).catch(() => undefined);
  }

  #settle(): void {
    if (!this.isLive) return;
    this.charges.settle();
    this.tabs.settle();
  }
}

function latestIn({ charges, tabs, sales }: Pages): number {
  return Math.max(0, ...[...charges, ...tabs, ...sales].map((record) => record.at));
}

/** The till as its pages see it: the library's till, in runes, and what is on the screen. */
import { createContext } from "svelte";
import { fromStore } from "svelte/store";

import { IndexedDbStorage } from "../../hub/indexed_db_storage.js";
import type { Pages, Standing } from "../../till/index.js";
import { type ChargeRecord, type TabRecord, Till } from "../../till/index.js";
import { keepTenant } from "../place.js";
import { Sounds } from "./sounds.js";

export type View = "sell" | "tabs" | "day";

/** Over everything: a code that a customer scans, or news that fills the screen. */
export type Shown =
  | { readonly what: "charge"; readonly charge: string }
  | { readonly what: "tab"; readonly hold: string }
  | { readonly what: "sold"; readonly sale: string };

const MINUTE_MS = 60_000;

export class Shop {
  readonly till: Till;
  readonly sounds = new Sounds();
  readonly #pages: { readonly current: Pages };
  readonly #standing: { readonly current: Standing };
  view: View = $state("sell");
  shown: Shown | undefined = $state.raw();
  /** What is being typed, in minor units. It stays when somebody looks at another page. */
  amount: number = $state(0);
  description: string = $state("");
  #minute: number = $state(0);

  constructor(till: Till) {
    this.till = till;
    this.#pages = fromStore(till.book);
    this.#standing = fromStore(till.standing);
    // A reload goes on with what was on the screen: a code that a customer may be paying this very moment.
    const open = till.book.getSnapshot().charges.find((one) => one.state === "open" || one.state === "making");
    const recent = open !== undefined && till.now() - open.at < 15 * MINUTE_MS;
    if (recent) this.shown = { what: "charge", charge: open.charge };
    setInterval(() => (this.#minute += 1), MINUTE_MS / 2);
  }

  static async open(): Promise<Shop> {
    const till = await Till.open({ url: location.origin, storage: new IndexedDbStorage("payhub-till"), keyForm: "handle" });
    const shop = new Shop(till);
    till.connect();
    return shop;
  }

  get pages(): Pages {
    return this.#pages.current;
  }

  get standing(): Standing {
    return this.#standing.current;
  }

  get isLive(): boolean {
    return this.standing.line === "live";
  }

  get currency(): string {
    return this.standing.currency ?? "BRL";
  }

  get mayRefund(): boolean {
    return this.standing.paired?.scopes.includes("refunds:write") === true;
  }

  /** The hub's time; whoever reads it in a component is told twice a minute that it has gone on. */
  get now(): number {
    return this.#minute >= 0 ? this.till.now() : 0;
  }

  get openTabs(): readonly TabRecord[] {
    return this.pages.tabs.filter((tab) => tab.state === "open" && tab.posting?.isFinal !== true);
  }

  /** Sales that are safe here, and not at the hub yet. */
  get waiting(): number {
    return this.pages.sales.filter((sale) => sale.state === "accepted").length;
  }

  async pair(tenant: string, code: string): Promise<void> {
    await this.till.pair(tenant, code);
    keepTenant(tenant);
    // A browser that runs out of space forgets whom it was not asked to remember.
    await navigator.storage?.persist?.().catch(() => false);
  }

  async charge(): Promise<ChargeRecord> {
    const words = this.description.trim();
    const record = await this.till.charges.ask(this.amount, words === "" ? undefined : words);
    this.clear();
    this.shown = { what: "charge", charge: record.charge };
    return record;
  }

  async sellOn(hold: string): Promise<void> {
    const words = this.description.trim();
    const sale = await this.till.tabs.sell(hold, this.amount, words === "" ? undefined : words);
    this.clear();
    this.shown = { what: "sold", sale: sale.sale };
  }

  clear(): void {
    this.amount = 0;
    this.description = "";
  }
}

export const [getShop, setShop] = createContext<Shop>();

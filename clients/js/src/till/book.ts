/** The till's book: every record is in the storage before it is in memory, so what a screen shows survives a crash. */
import type { Storage } from "../hub/storage.js";
import { type Readable, Store } from "../state/store.js";
import { hashOfSale } from "./signing.js";
import { type ChargeRecord, type CountRecord, isOver, keyOf, type SaleRecord, type TabRecord, type TillRecord } from "./records.js";

/** How long what is over is kept: the day's totals, and whoever comes back with a question. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1_000;

export interface Pages {
  /** The newest first. */
  readonly charges: readonly ChargeRecord[];
  readonly tabs: readonly TabRecord[];
  /** The latest first. */
  readonly sales: readonly SaleRecord[];
  readonly count: CountRecord | undefined;
}

const EMPTY: Pages = { charges: [], tabs: [], sales: [], count: undefined };

export class Book implements Readable<Pages> {
  readonly #storage: Storage;
  readonly #records = new Map<string, TillRecord>();
  readonly #store = new Store<Pages>(EMPTY);
  readonly subscribe = this.#store.subscribe;
  readonly getSnapshot = this.#store.getSnapshot;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async open(now: number): Promise<void> {
    for (const [key, value] of await this.#storage.readAll()) if (isRecord(value)) this.#records.set(key, value);
    await this.#forgetOld(now);
    this.#show();
  }

  /** Write it down. Fulfilled when it is safe; only then is it shown. */
  async put(...records: readonly TillRecord[]): Promise<void> {
    for (const record of records) {
      await this.#storage.put(keyOf(record), record);
      this.#records.set(keyOf(record), record);
    }
    this.#show();
  }

  charge(charge: string): ChargeRecord | undefined {
    const found = this.#records.get(`charge-${charge}`);
    return found?.sort === "charge" ? found : undefined;
  }

  tab(hold: string): TabRecord | undefined {
    const found = this.#records.get(`tab-${hold}`);
    return found?.sort === "tab" ? found : undefined;
  }

  sale(sale: string): SaleRecord | undefined {
    const found = this.#records.get(`sale-${sale}`);
    return found?.sort === "sale" ? found : undefined;
  }

  /** The sales on a tab, in the order in which they were made. */
  salesOn(hold: string): readonly SaleRecord[] {
    return this.getSnapshot()
      .sales.filter((sale) => sale.hold === hold)
      .reverse();
  }

  async #forgetOld(now: number): Promise<void> {
    const records = [...this.#records.values()];
    const isOld = (record: TillRecord): boolean => record.sort !== "count" && isOver(record) && now - record.at > KEPT_MS;
    const open = new Set(records.filter((one) => one.sort === "tab" && !isOver(one)).map((one) => (one as TabRecord).hold));
    const sales = records.filter((one): one is SaleRecord => one.sort === "sale").sort((one, other) => one.count - other.count);
    for (const sale of sales) {
      // From the first on, without a gap: what is left still leads from one to the next.
      if (!isOld(sale) || open.has(sale.hold)) break;
      await this.put({ sort: "count", count: sale.count, hash: await hashOfSale(sale) });
      await this.#remove(sale);
    }
    const left = new Set(records.filter((one) => one.sort === "sale" && this.#records.has(keyOf(one))).map((one) => (one as SaleRecord).hold));
    for (const record of records) {
      if (record.sort === "charge" ? isOld(record) : record.sort === "tab" && isOld(record) && !left.has(record.hold)) await this.#remove(record);
    }
  }

  async #remove(record: TillRecord): Promise<void> {
    await this.#storage.remove(keyOf(record));
    this.#records.delete(keyOf(record));
  }

  #show(): void {
    const pages = { charges: [] as ChargeRecord[], tabs: [] as TabRecord[], sales: [] as SaleRecord[], count: undefined as CountRecord | undefined };
    for (const record of this.#records.values()) {
      if (record.sort === "charge") pages.charges.push(record);
      else if (record.sort === "tab") pages.tabs.push(record);
      else if (record.sort === "sale") pages.sales.push(record);
      else pages.count = record;
    }
    pages.charges.sort((one, other) => other.at - one.at);
    pages.tabs.sort((one, other) => other.at - one.at);
    pages.sales.sort((one, other) => other.count - one.count);
    this.#store.set(pages);
  }
}

function isRecord(value: unknown): value is TillRecord {
  return typeof value === "object" && value !== null && "sort" in value;
}

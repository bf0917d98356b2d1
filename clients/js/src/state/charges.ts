/** An account's charges, newest first: made, shown, paid, cancelled. */
import type { Asked } from "../hub/commands.js";
import type { Hub } from "../hub/hub.js";
import { newId } from "../hub/ids.js";
import type { ChargeState } from "../hub/wire.js";
import { type Readable, Store } from "./store.js";

export interface ChargeList {
  readonly charges: readonly ChargeState[];
  readonly hasMore: boolean;
  readonly isLoaded: boolean;
}

export class Charges implements Readable<ChargeList> {
  readonly #hub: Hub;
  readonly #account: number;
  readonly #store = new Store<ChargeList>({ charges: [], hasMore: true, isLoaded: false });
  #reading: Promise<void> | undefined;
  readonly subscribe = this.#store.subscribe;
  readonly getSnapshot = this.#store.getSnapshot;

  constructor(hub: Hub, account: number) {
    this.#hub = hub;
    this.#account = account;
    hub.on("event", (event) => {
      if (event.account === account && event.charge !== undefined) void this.#reread(event.charge);
    });
  }

  /** The next older page; the first one, if there is none yet. Asked twice at once, it is asked once. */
  more(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { charges, hasMore, isLoaded } = this.getSnapshot();
    if (!hasMore) return;
    const before = isLoaded ? charges.at(-1)?.charge : undefined;
    const page = await this.#hub.ask("charges", { account: this.#account, ...(before !== undefined && { before }) });
    const known = new Set(charges.map((one) => one.charge));
    const fresh = page.charges.filter((one) => !known.has(one.charge));
    this.#store.update((list) => ({
      charges: [...list.charges, ...fresh],
      hasMore: page.next !== undefined,
      isLoaded: true,
    }));
  }

  /** Ask to be paid. Asked again with the same id, it is the same charge. */
  async create(fields: Omit<Asked<"create_charge">, "charge" | "payee">, charge = newId()): Promise<ChargeState> {
    const answer = await this.#hub.ask("create_charge", { ...fields, charge, payee: this.#account });
    this.#show(answer.charge);
    return answer.charge;
  }

  async cancel(charge: string): Promise<void> {
    this.#show((await this.#hub.ask("cancel_charge", { charge })).charge);
  }

  async #reread(charge: string): Promise<void> {
    try {
      this.#show((await this.#hub.ask("charge", { charge })).charge);
    } catch {
      // The list is read again when it is opened again.
    }
  }

  #show(charge: ChargeState): void {
    this.#store.update((list) => ({
      ...list,
      charges: list.charges.some((one) => one.charge === charge.charge)
        ? list.charges.map((one) => (one.charge === charge.charge ? charge : one))
        : [charge, ...list.charges],
    }));
  }
}

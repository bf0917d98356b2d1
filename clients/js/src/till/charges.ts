/**
 * Asking to be paid while there is a network. A charge is written down before the hub hears of it, and what became of
 * it is the hub's to say: after a reload, a crash or an hour without a network the hub is asked, and never assumed.
 */
import type { Hub } from "../hub/hub.js";
import { newId } from "../hub/ids.js";
import { AnswerLost, CommandRefused } from "../hub/refused.js";
import type { ChargeState, Event } from "../hub/wire.js";
import type { Book } from "./book.js";
import { type ChargeRecord, isOver, type PaidBy } from "./records.js";

/** How long a customer has to scan and pay. */
const LASTS_S = 15 * 60;
const AGAIN_MS = 2_000;
const PAGE = 200;
/** The same charge is shown and paid again; so far back its payment is looked for. */
const PAGES_MAX = 5;

export interface Counter {
  readonly hub: Pick<Hub, "ask">;
  readonly book: Book;
  /** The account that is paid here. */
  readonly account: () => number;
  /** By the hub's clock, as well as it is known. */
  readonly now: () => number;
  readonly isLive: () => boolean;
  /** Whether the hub has turned this till away for good. */
  readonly isEnded?: () => boolean;
}

export class Charges {
  readonly #till: Counter;
  readonly #asking = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(till: Counter) {
    this.#till = till;
  }

  /** Ask to be paid. Written down at once; its code comes with the hub's answer. */
  async ask(amount: number, description?: string): Promise<ChargeRecord> {
    const { book, now } = this.#till;
    const record: ChargeRecord = {
      sort: "charge",
      charge: newId(),
      amount,
      ...(description !== undefined && { description }),
      at: now(),
      state: "making",
    };
    await book.put(record);
    void this.#settle(record.charge);
    return record;
  }

  /** Want it no more. Whether that came in time is the hub's to say. */
  async leave(charge: string): Promise<void> {
    const record = this.#till.book.charge(charge);
    if (record === undefined || isOver(record)) return;
    await this.#till.book.put({ ...record, state: "left" });
    await this.#settle(charge);
  }

  /** The hub can be reached again: everything that is open is asked about. */
  settle(): void {
    for (const record of this.#till.book.getSnapshot().charges) if (!isOver(record)) void this.#settle(record.charge);
  }

  /** Look again, at one whose time is over. */
  look(charge: string): void {
    void this.#settle(charge);
  }

  async hear(event: Event): Promise<void> {
    const record = event.charge === undefined ? undefined : this.#till.book.charge(event.charge);
    if (event.what !== "charge.paid" || record === undefined || record.paid?.payment !== undefined) return;
    const { payment, amount, counterparty } = event;
    await this.#till.book.put({ ...record, state: "paid", paid: { at: Date.parse(event.at), amount, payment, payer: counterparty } });
  }

  async #settle(charge: string): Promise<void> {
    const { book, isLive } = this.#till;
    if (this.#asking.has(charge) || !isLive()) return;
    this.#asking.add(charge);
    try {
      const record = book.charge(charge);
      if (record === undefined || isOver(record)) return;
      await this.#take(await this.#ask(record));
    } catch (error) {
      const record = book.charge(charge);
      if (record !== undefined && error instanceof CommandRefused && !error.isTemporary) {
        await book.put({ ...record, state: "refused", why: error.code });
      } else if (!(error instanceof AnswerLost) || error.why === "timeout") this.#later();
    } finally {
      this.#asking.delete(charge);
      // It may have been left while the hub was asked.
      const record = book.charge(charge);
      if (record?.state === "left" && isLive()) this.#later();
    }
  }

  /** How it stands now. One that the hub may not have heard of is made again: the same id is the same charge. */
  async #ask(record: ChargeRecord): Promise<ChargeState> {
    const { hub, account } = this.#till;
    const { charge, amount, description, state, code } = record;
    const fields = { charge, payee: account(), amount, expires_in_s: LASTS_S, ...(description !== undefined && { description }) };
    const made = code === undefined ? await hub.ask("create_charge", fields) : await hub.ask("charge", { charge });
    if (state !== "left" || made.charge.status !== "open") return made.charge;
    return (await hub.ask("cancel_charge", { charge })).charge;
  }

  async #take(told: ChargeState): Promise<void> {
    const { book } = this.#till;
    const paid = told.status === "paid" ? await this.#paidBy(told) : undefined;
    const record = book.charge(told.charge);
    // An event may have said more, meanwhile.
    if (record === undefined || record.paid?.payment !== undefined) return;
    const status = told.status === "open" && record.state === "left" ? "left" : (told.status as ChargeRecord["state"]);
    await book.put({ ...record, state: status, ...(told.code !== undefined && { code: told.code }), ...(paid && { paid }) });
  }

  /** By which payment: its event was missed, so it is looked for. */
  async #paidBy(told: ChargeState): Promise<PaidBy> {
    const { hub, account } = this.#till;
    let before: number | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const { entries, next } = await hub.ask("history", { account: account(), limit: PAGE, ...(before !== undefined && { before }) });
      const entry = entries.find((one) => one.charge === told.charge && one.amount > 0);
      if (entry !== undefined) return { at: Date.parse(entry.at), amount: entry.amount, payment: entry.payment, payer: entry.counterparty };
      const last = entries.at(-1);
      if (next === undefined || last === undefined || last.at < told.created_at) break;
      before = next;
    }
    return { at: this.#till.now(), amount: told.paid_amount ?? told.amount ?? 0 };
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.settle(), AGAIN_MS);
  }
}

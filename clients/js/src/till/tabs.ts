/**
 * Selling without a network. While there is one, a customer reserves money for this merchant: an allowance with an end,
 * a hold in the ledger that the institution has signed. On it the till sells by itself, network or not: each sale is
 * signed, counted and stored before anybody is told that it is made. When the hub can be reached they are posted
 * together, all or none, as captures under ids that were written down with them; sent again they change nothing. What
 * was sold without a network ends its tab: the rest goes back to the customer in the same step.
 */
import { newId } from "../hub/ids.js";
import { AnswerLost, CommandRefused } from "../hub/refused.js";
import type { CapturePart, Event, LifeState, Linked } from "../hub/wire.js";
import { checkPaper, readKeys } from "../proof/index.js";
import type { Counter } from "./charges.js";
import { isOver, type Posting, type SaleRecord, type TabRecord } from "./records.js";
import { FIRST, hashOfSale, signSale, wordsOf } from "./signing.js";
import type { Terminal } from "./terminal.js";
import { Turns } from "./turns.js";

/** How long an allowance lasts if nobody says otherwise: an evening. */
export const LASTS_S = 8 * 60 * 60;
/** No sale is taken so shortly before the end: the network has to come back in time to post it. */
export const RETURN_MS = 60 * 60 * 1_000;
/** The hub posts so many together (core.nouns.GROUP_SIZE_MAX). */
const PARTS_MAX = 100;
const AGAIN_MS = 2_000;
/** The log seals what was posted within about a second. */
const SEALED_TRIES = 10;
const SEALED_AGAIN_MS = 500;
const TEXT_CODES: ReadonlySet<string> = new Set(["card_data_in_text", "document_in_text", "invalid_field"]);

/** Why a sale was not taken. Nothing was written down. */
export type NotTaken = "tab_over" | "tab_exceeded" | "tab_expired" | "till_ended";

export class SaleNotTaken extends Error {
  override readonly name = "SaleNotTaken";

  constructor(readonly why: NotTaken) {
    super(why);
  }
}

export class Tabs {
  readonly #till: Counter;
  readonly #terminal: Pick<Terminal, "key" | "paired">;
  readonly #counting = new Turns();
  readonly #posting = new Map<string, Turns>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(till: Counter, terminal: Pick<Terminal, "key" | "paired">) {
    this.#till = till;
    this.#terminal = terminal;
  }

  /** Ask a customer for an allowance of this much. It is good when they have reserved it under the id that this till chose. */
  async ask(amount: number, label: string, lasts_s = LASTS_S): Promise<TabRecord> {
    const tab: TabRecord = { sort: "tab", hold: newId(), label, amount, at: this.#till.now(), lasts_s, state: "asked" };
    await this.#till.book.put(tab);
    return tab;
  }

  /** What can still be sold on it. */
  left(tab: TabRecord): number {
    const sold = this.#till.book.salesOn(tab.hold).filter((sale) => sale.state !== "refused");
    return tab.amount - sold.reduce((sum, sale) => sum + sale.amount, 0);
  }

  /** Until when it can be sold on, by the hub's clock. */
  sellsUntil(tab: TabRecord): number {
    return (tab.expiresAt ?? 0) - Math.min(RETURN_MS, (tab.lasts_s * 1_000) / 2);
  }

  /** Why nothing more can be sold on it, if that is so. */
  whyNot(tab: TabRecord): NotTaken | undefined {
    if (tab.state !== "open" || tab.posting?.isFinal === true) return "tab_over";
    return this.#till.now() >= this.sellsUntil(tab) ? "tab_expired" : undefined;
  }

  /** Sell on a tab. Fulfilled when the sale is signed and safe on this machine; throws SaleNotTaken. */
  sell(hold: string, amount: number, description?: string): Promise<SaleRecord> {
    return this.#counting.take(async () => {
      const { book, isLive, isEnded } = this.#till;
      // What is sold now could never be sent.
      if (isEnded?.() === true) throw new SaleNotTaken("till_ended");
      const tab = book.tab(hold);
      const why = tab === undefined ? "tab_over" : this.whyNot(tab);
      if (tab === undefined || why !== undefined) throw new SaleNotTaken(why ?? "tab_over");
      if (!Number.isSafeInteger(amount) || amount < 1 || amount > this.left(tab)) throw new SaleNotTaken("tab_exceeded");
      const { sales, count: kept } = book.getSnapshot();
      const last = sales[0];
      const unsigned = {
        sale: newId(),
        hold,
        amount,
        count: (last?.count ?? kept?.count ?? 0) + 1,
        at: this.#till.now(),
        before: last === undefined ? (kept?.hash ?? FIRST) : await hashOfSale(last),
      };
      const signed = await signSale(this.#terminal.key, this.#terminal.paired?.terminal ?? "", unsigned);
      const sale: SaleRecord = {
        sort: "sale",
        ...unsigned,
        ...(description !== undefined && { description }),
        signed,
        isOffline: !isLive(),
        state: "accepted",
        payment: newId(),
      };
      await book.put(sale);
      void this.post(hold);
      return sale;
    });
  }

  /** Sell no more on it; what was sold is posted and the rest let go, as soon as the hub can be reached. */
  async close(hold: string): Promise<void> {
    await this.#counting.take(async () => {
      const tab = this.#till.book.tab(hold);
      if (tab === undefined || isOver(tab)) return;
      await this.#till.book.put({ ...tab, state: tab.state === "asked" ? "lost" : "closing" });
    });
    await this.post(hold);
  }

  /** The hub can be reached again. */
  settle(): void {
    for (const tab of this.#till.book.getSnapshot().tabs) {
      if (tab.state === "asked" || (tab.state === "lost" && tab.payer === undefined && this.#till.now() - tab.at < tab.lasts_s * 1_000)) void this.#confirm(tab.hold);
      else if (!isOver(tab)) void this.post(tab.hold).then(() => this.#check(tab.hold));
    }
  }

  async hear(event: Event): Promise<void> {
    const tab = this.#till.book.tab(event.about ?? event.payment);
    if (tab === undefined) return;
    if (event.what === "hold.placed") await this.#confirm(tab.hold);
    // Somebody else took of it or let it go, or its time is over.
    else if (event.what.startsWith("hold.")) await this.#check(tab.hold);
  }

  /** Send what waits on a tab, until nothing does or the hub cannot be reached. One at a time for each tab. */
  post(hold: string): Promise<void> {
    const turns = this.#posting.get(hold) ?? new Turns();
    this.#posting.set(hold, turns);
    return turns.take(async () => {
      try {
        while (this.#till.isLive() && (await this.#postOnce(hold)));
      } catch (error) {
        // What cannot be written down now is sent again under the same ids.
        if (!(error instanceof AnswerLost) || error.why === "timeout") this.#later();
      }
    });
  }

  /** Whether the customer has reserved the money, as the hub says and has signed. */
  async #confirm(hold: string): Promise<void> {
    if (!this.#till.isLive()) return;
    try {
      const { life } = await this.#till.hub.ask("read_payment", { payment: hold });
      const tab = this.#till.book.tab(hold);
      if (tab === undefined || tab.state === "open" || tab.state === "closing" || tab.state === "closed") return;
      if (!isAllowance(life, this.#till.account())) return;
      const opened: TabRecord = { ...tab, amount: life.held, payer: life.payer, expiresAt: Date.parse(life.expires_at) };
      if (tab.state === "lost") {
        // Nobody here wanted it any more when the customer reserved it.
        await this.#till.book.put({ ...opened, state: "closing" });
        await this.post(hold);
        return;
      }
      const paper = await this.#proof(hold);
      if (paper === undefined) this.#later();
      else await this.#till.book.put({ ...opened, state: "open", paper });
    } catch (error) {
      // `not_found`: nobody has reserved anything yet.
      if (error instanceof CommandRefused ? error.isTemporary : !(error instanceof AnswerLost) || error.why === "timeout") this.#later();
    }
  }

  /** Whether as much is still held as this till believes: the merchant may have taken of it, or let it go, elsewhere. */
  async #check(hold: string): Promise<void> {
    if (!this.#till.isLive() || this.#till.book.tab(hold)?.state !== "open") return;
    try {
      const { life } = await this.#till.hub.ask("read_payment", { payment: hold });
      await this.#counting.take(async () => {
        const tab = this.#till.book.tab(hold);
        const sales = this.#till.book.salesOn(hold);
        // While something is being sent, the answer says it.
        if (tab?.state !== "open" || tab.posting !== undefined) return;
        const posted = sales.filter((sale) => sale.state === "posted").reduce((sum, sale) => sum + sale.amount, 0);
        const held = life.held ?? 0;
        if (held === 0 && !sales.some((sale) => sale.state === "accepted")) await this.#till.book.put({ ...tab, state: "closed" });
        else if (posted + held < tab.amount) await this.#till.book.put({ ...tab, amount: posted + held });
      });
    } catch {
      // It is looked at again when the hub can be reached again; what cannot be taken is refused by the ledger anyway.
    }
  }

  /** The institution's signature under the hold, checked here. */
  async #proof(hold: string): Promise<unknown> {
    const keys = await readKeys(await this.#till.hub.ask("proof_keys", {}));
    for (let tries = 0; tries < SEALED_TRIES; tries += 1) {
      const paper = await this.#till.hub.ask("read_proof", { payment: hold });
      if (paper.receipt !== undefined) {
        const proved = await checkPaper(paper, keys);
        return proved.facts.payment === hold ? paper : undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, SEALED_AGAIN_MS));
    }
    return undefined;
  }

  /** True: something was settled, and there may be more. */
  async #postOnce(hold: string): Promise<boolean> {
    const posting = await this.#freeze(hold);
    if (posting === undefined) return false;
    try {
      return await this.#take(hold, posting, await this.#till.hub.ask("link", { parts: posting.parts }));
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
      return this.#refused(hold, posting, error);
    }
  }

  /** What is to be sent, written down before it is: until it is answered, nothing else is sent about this tab. */
  #freeze(hold: string): Promise<Posting | undefined> {
    return this.#counting.take(async () => {
      const tab = this.#till.book.tab(hold);
      if (tab === undefined || tab.posting !== undefined) return tab?.posting;
      if (tab.state !== "open" && tab.state !== "closing") return undefined;
      const waiting = this.#till.book.salesOn(hold).filter((sale) => sale.state === "accepted");
      const ends = tab.state === "closing" || waiting.some((sale) => sale.isOffline) || this.#till.now() >= this.sellsUntil(tab);
      if (waiting.length === 0 && !ends) return undefined;
      const sent = waiting.slice(0, tab.isSplit ? 1 : PARTS_MAX);
      // One by one, the rest is let go by a step of its own: a capture that is refused lets nothing go.
      const isFinal = ends && sent.length === waiting.length && (tab.isSplit !== true || waiting.length === 0);
      const parts: Posting["parts"] =
        waiting.length === 0
          ? [{ type: "void", payment: newId(), about: hold }]
          : sent.map((sale, at) => this.#capture(sale, isFinal && at === sent.length - 1));
      const posting = { parts, isFinal };
      // Whoever has sold without a network sells no more on this tab once it is being sent.
      await this.#till.book.put({ ...tab, posting, ...(ends && { state: "closing" as const }) });
      return posting;
    });
  }

  #capture(sale: SaleRecord, isFinal: boolean): CapturePart {
    return {
      type: "capture",
      payment: sale.payment,
      about: sale.hold,
      amount: sale.amount,
      ...(isFinal && { final: true }),
      ...(sale.description !== undefined && { description: sale.description }),
      metadata: wordsOf(this.#terminal.paired?.terminal ?? "", sale),
    };
  }

  async #take(hold: string, posting: Posting, answer: Linked): Promise<boolean> {
    if (answer.payments.some(({ status }) => status === "unknown")) {
      this.#later();
      return false;
    }
    const sales = this.#salesIn(hold, posting);
    if (answer.posted) await this.#till.book.put(...sales.map((sale) => ({ ...sale, state: "posted" as const })));
    else if (posting.parts.length > 1) {
      // Together they were refused, and those ids with them: each is tried alone, under a new one.
      await this.#till.book.put(...sales.map((sale) => ({ ...sale, payment: newId() })));
    } else {
      const why = answer.payments[0]?.status ?? "hold_closed";
      await this.#till.book.put(...sales.map((sale) => ({ ...sale, state: "refused" as const, why })));
    }
    const isSplit = !answer.posted && posting.parts[0]?.type === "capture";
    // A hold that nothing is left of cannot be let go again.
    await this.#sent(hold, posting.isFinal && !isSplit, isSplit);
    return true;
  }

  async #refused(hold: string, posting: Posting, error: CommandRefused): Promise<boolean> {
    if (TEXT_CODES.has(error.code) && posting.parts.some((part) => part.type === "capture" && part.description !== undefined)) {
      // A description that the hub does not take loses no sale: nothing was judged, so the ids are still good.
      await this.#till.book.put(...this.#salesIn(hold, posting).map(({ description: _, ...sale }) => sale));
      await this.#sent(hold, false, false);
      return true;
    }
    if (error.code === "not_found") {
      await this.#till.book.put(...this.#salesIn(hold, posting).map((sale) => ({ ...sale, state: "refused" as const, why: error.code })));
      await this.#sent(hold, true, false);
      return true;
    }
    const tab = this.#till.book.tab(hold);
    if (tab !== undefined && tab.why !== error.code && !error.isTemporary) await this.#till.book.put({ ...tab, why: error.code });
    this.#later(error.retryAfterMs);
    return false;
  }

  #salesIn(hold: string, posting: Posting): readonly SaleRecord[] {
    const payments = new Set(posting.parts.map((part) => part.payment));
    return this.#till.book.salesOn(hold).filter((sale) => sale.state === "accepted" && payments.has(sale.payment));
  }

  #sent(hold: string, isClosed: boolean, isSplit: boolean): Promise<void> {
    return this.#counting.take(async () => {
      const tab = this.#till.book.tab(hold);
      if (tab === undefined) return;
      const { posting: _, why: __, ...rest } = tab;
      await this.#till.book.put({ ...rest, ...(isClosed && { state: "closed" as const }), ...(isSplit && { isSplit }) });
    });
  }

  #later(ms = AGAIN_MS): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.settle(), ms);
  }
}

/** Money that is reserved for this account, whole and unquestioned, and until when. */
function isAllowance(life: LifeState, account: number): life is LifeState & { readonly held: number; readonly expires_at: string } {
  const isHeld = (life.held ?? 0) > 0 && life.expires_at !== undefined && life.in_review !== true;
  return life.kind === "authorize" && life.status === "posted" && life.payee === account && isHeld;
}

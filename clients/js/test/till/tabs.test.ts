/** Sales on tabs: counted, capped, chained, kept before they are accepted, posted once. */
import { beforeEach, describe, expect, it, vi } from "vitest";

import { MemoryStorage, type Storage } from "../../src/hub/storage.js";
import { Book } from "../../src/till/book.js";
import { findBroken } from "../../src/till/signing.js";
import { TillKey } from "../../src/till/key.js";
import type { SaleRecord } from "../../src/till/records.js";
import { Tabs } from "../../src/till/tabs.js";
import { SmallLedger } from "./small_ledger.js";

const HOUR_MS = 3_600_000;
const NOW = Date.parse("2026-03-01T18:00:00Z");
const HOLD = "018f0000-0000-7000-8000-000000000001";
const paired = { tenant: "demo", terminal: "018f0000-0000-7000-8000-0000000000aa", account: 10, name: "Caixa 1", scopes: [] };

let key: TillKey;
let ledger: SmallLedger;
let storage: Storage;
let book: Book;
let tabs: Tabs;
let now: number;
let isLive: boolean;

/** As after a reload: what is in the storage is all that is known. */
async function reload(): Promise<void> {
  book = new Book(storage);
  await book.open(now);
  tabs = new Tabs({ hub: ledger, book, account: () => 10, now: () => now, isLive: () => isLive }, { key, paired });
}

beforeEach(async () => {
  key = await TillKey.make("handle");
  ledger = new SmallLedger();
  storage = new MemoryStorage();
  now = NOW;
  isLive = true;
  await reload();
  ledger.reserve(HOLD, 10_000, 8 * HOUR_MS, NOW);
  await book.put({ sort: "tab", hold: HOLD, label: "7", amount: 10_000, at: NOW, lasts_s: 8 * 3_600, state: "open", payer: 20, expiresAt: NOW + 8 * HOUR_MS });
});

function leave(): void {
  isLive = false;
  ledger.isAway = true;
}

async function comeBack(): Promise<void> {
  isLive = true;
  ledger.isAway = false;
  await tabs.post(HOLD);
}

async function settled(): Promise<void> {
  await vi.waitFor(() => expect(book.getSnapshot().sales.every((sale) => sale.state !== "accepted")).toBe(true));
}

function states(): string[] {
  return book.salesOn(HOLD).map((sale) => sale.state);
}

describe("with a network", () => {
  it("a sale is posted at once, and the tab goes on", async () => {
    await tabs.sell(HOLD, 1_000);
    await settled();
    await tabs.sell(HOLD, 2_000);
    await settled();
    expect(ledger.holds.get(HOLD)).toMatchObject({ held: 7_000, captured: 3_000 });
    expect(book.tab(HOLD)?.state).toBe("open");
    expect(tabs.left(book.tab(HOLD) ?? expect.fail())).toBe(7_000);
  });

  it("an answer that was lost is asked for again, with the same parts", async () => {
    ledger.loses = 1;
    await tabs.sell(HOLD, 1_000);
    await vi.waitFor(() => expect(ledger.links).toHaveLength(1));
    await tabs.sell(HOLD, 500);
    await settled();
    expect(ledger.links[1]).toEqual(ledger.links[0]);
    expect(ledger.holds.get(HOLD)).toMatchObject({ held: 8_500, captured: 1_500 });
  });

  it("closing lets the rest go, once", async () => {
    await tabs.sell(HOLD, 400);
    await settled();
    await tabs.close(HOLD);
    await tabs.close(HOLD);
    expect(book.tab(HOLD)?.state).toBe("closed");
    expect(ledger.holds.get(HOLD)).toMatchObject({ held: 0, captured: 400 });
    await expect(tabs.sell(HOLD, 1)).rejects.toMatchObject({ why: "tab_over" });
  });
});

describe("without a network", () => {
  it("sales are kept, and go as one batch that gives the rest back", async () => {
    leave();
    await tabs.sell(HOLD, 1_000, "Pastel");
    await tabs.sell(HOLD, 2_500);
    now += HOUR_MS;
    await reload();
    await tabs.sell(HOLD, 500);
    expect(states()).toEqual(["accepted", "accepted", "accepted"]);
    await comeBack();
    expect(states()).toEqual(["posted", "posted", "posted"]);
    expect(ledger.links).toHaveLength(1);
    expect(ledger.links[0]?.map((part) => part.type === "capture" && [part.amount, part.final ?? false])).toEqual([
      [1_000, false],
      [2_500, false],
      [500, true],
    ]);
    expect(ledger.holds.get(HOLD)).toMatchObject({ held: 0, captured: 4_000 });
    expect(book.tab(HOLD)?.state).toBe("closed");
  });

  it("no more is sold than was reserved, however fast", async () => {
    leave();
    const tries = await Promise.allSettled([6_000, 3_000, 2_000, 1_000].map((amount) => tabs.sell(HOLD, amount)));
    expect(tries.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(book.salesOn(HOLD).map(({ count }) => count)).toEqual([1, 2, 3]);
    expect(tabs.left(book.tab(HOLD) ?? expect.fail())).toBe(0);
  });

  it("nothing is sold in the last hour, so that there is time to come back", async () => {
    leave();
    now = NOW + 7 * HOUR_MS;
    await expect(tabs.sell(HOLD, 100)).rejects.toMatchObject({ why: "tab_expired" });
  });

  it("a sale that cannot be written down is none", async () => {
    leave();
    vi.spyOn(storage, "put").mockRejectedValueOnce(new Error("The disk is full."));
    await expect(tabs.sell(HOLD, 100)).rejects.toThrow("full");
    expect(states()).toEqual([]);
    expect((await tabs.sell(HOLD, 200)).count).toBe(1);
  });

  it("a crash between the answer and its writing down posts nothing twice", async () => {
    leave();
    await tabs.sell(HOLD, 700);
    await tabs.sell(HOLD, 800);
    isLive = true;
    ledger.isAway = false;
    ledger.loses = 1;
    await tabs.post(HOLD);
    expect(states()).toEqual(["accepted", "accepted"]);
    await reload();
    await tabs.post(HOLD);
    expect(states()).toEqual(["posted", "posted"]);
    expect(ledger.links[1]).toEqual(ledger.links[0]);
    expect(ledger.holds.get(HOLD)).toMatchObject({ captured: 1_500, held: 0 });
  });

  it("what cannot go together goes one by one, and says which has no money", async () => {
    leave();
    await tabs.sell(HOLD, 1_000);
    await tabs.sell(HOLD, 8_000);
    await tabs.sell(HOLD, 900);
    // The merchant took of the hold elsewhere.
    ledger.reserve(HOLD, 3_000, 8 * HOUR_MS, NOW);
    await comeBack();
    expect(book.salesOn(HOLD).map(({ state, why }) => [state, why])).toEqual([
      ["posted", undefined],
      ["refused", "capture_exceeds_hold"],
      ["posted", undefined],
    ]);
    expect(ledger.holds.get(HOLD)).toMatchObject({ captured: 1_900, held: 0 });
    expect(book.tab(HOLD)?.state).toBe("closed");
  });

  it("a description that the hub does not take loses no sale", async () => {
    ledger.refusesTexts = true;
    leave();
    await tabs.sell(HOLD, 300, "CPF 529.982.247-25");
    await comeBack();
    expect(states()).toEqual(["posted"]);
  });
});

describe("the book", () => {
  async function sell(count: number): Promise<readonly SaleRecord[]> {
    leave();
    for (let at = 0; at < count; at += 1) await tabs.sell(HOLD, 100 + at);
    return book.salesOn(HOLD);
  }

  it("is whole as it was written, and after its oldest pages went", async () => {
    const sales = await sell(3);
    expect(await findBroken(key.jwk, paired.terminal, sales)).toBeUndefined();
    await comeBack();
    now += 8 * 24 * HOUR_MS;
    await reload();
    expect(book.getSnapshot().sales).toEqual([]);
    expect(book.getSnapshot().count?.count).toBe(3);
  });

  it.each([
    ["an amount", (sales: SaleRecord[]) => sales.splice(1, 1, { ...sales[1]!, amount: 1 })],
    ["a moment", (sales: SaleRecord[]) => sales.splice(1, 1, { ...sales[1]!, at: 5 })],
    ["one left out", (sales: SaleRecord[]) => sales.splice(1, 1)],
    ["one put in again", (sales: SaleRecord[]) => sales.splice(1, 0, sales[0]!)],
  ])("shows %s that was changed", async (_, change) => {
    const sales = [...(await sell(3))];
    change(sales);
    expect(await findBroken(key.jwk, paired.terminal, sales)).toBeDefined();
  });
});

/** Charges: what became of one is what the hub says, however often the till is restarted meanwhile. */
import { beforeEach, expect, it, vi } from "vitest";

import { MemoryStorage } from "../../src/hub/storage.js";
import { Book } from "../../src/till/book.js";
import { Charges } from "../../src/till/charges.js";
import { sumDay } from "../../src/till/day.js";
import { eventOf } from "../fake_hub.js";
import { SmallLedger } from "./small_ledger.js";

const NOW = Date.parse("2026-03-01T18:00:00Z");
const storage = { current: new MemoryStorage() };
let ledger: SmallLedger;
let book: Book;
let charges: Charges;
let isLive: boolean;

async function reload(): Promise<void> {
  book = new Book(storage.current);
  await book.open(NOW);
  charges = new Charges({ hub: ledger, book, account: () => 10, now: () => NOW, isLive: () => isLive });
}

beforeEach(async () => {
  storage.current = new MemoryStorage();
  ledger = new SmallLedger();
  isLive = true;
  await reload();
});

it("is shown when the hub has it, and paid when the hub says so", async () => {
  const { charge, state } = await charges.ask(100, "Café");
  expect(state).toBe("making");
  await vi.waitFor(() => expect(book.charge(charge)).toMatchObject({ state: "open", code: `code of ${charge}` }));
  await charges.hear(eventOf(10, 6, { what: "charge.paid", charge, amount: 100, payment: "p", counterparty: 20, at: "2026-03-01T18:00:05Z" }));
  expect(book.charge(charge)).toMatchObject({ state: "paid", paid: { amount: 100, payment: "p", payer: 20 } });
  const day = sumDay(book.getSnapshot(), NOW - 1, NOW + 86_400_000);
  expect(day).toMatchObject({ count: 1, byCharge: 100, total: 100, waiting: 0 });
});

it("that the hub never heard of is made by the next start, once", async () => {
  ledger.isAway = true;
  const { charge } = await charges.ask(100);
  expect(book.charge(charge)?.state).toBe("making");
  await reload();
  ledger.isAway = false;
  charges.settle();
  await vi.waitFor(() => expect(book.charge(charge)?.state).toBe("open"));
  expect(ledger.charges.size).toBe(1);
});

it("that was left, and paid before that came through, is paid", async () => {
  const { charge } = await charges.ask(100);
  await vi.waitFor(() => expect(book.charge(charge)?.state).toBe("open"));
  isLive = false;
  await charges.leave(charge);
  expect(book.charge(charge)?.state).toBe("left");
  ledger.charges.set(charge, "paid");
  isLive = true;
  charges.settle();
  await vi.waitFor(() => expect(book.charge(charge)?.state).toBe("paid"));
});

it("that was left is cancelled when the hub can be asked", async () => {
  const { charge } = await charges.ask(100);
  await vi.waitFor(() => expect(book.charge(charge)?.state).toBe("open"));
  await charges.leave(charge);
  await vi.waitFor(() => expect(book.charge(charge)?.state).toBe("cancelled"));
});

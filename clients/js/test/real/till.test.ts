/** The till against a hub that is one: paired, paid, killed, an hour without a network; nothing is lost or doubled. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { Hub } from "../../src/index.js";
import { FolderStorage, NodeWebSocket } from "../../src/node/index.js";
import { isSaleSigned, type TabRecord, Till } from "../../src/till/index.js";
import { buildTill, HeadlessTill, killTills } from "./headless.js";
import { clientOf, closeAll, hubIsUp, hubLeaves, hubReturns, type Somebody, until, url, world } from "./world.js";

const { ana, cafe } = world.people;
const HOUR_MS = 60 * 60 * 1_000;
const folders: string[] = [];
const tills: Till[] = [];

beforeAll(() => buildTill());
beforeEach(() => hubReturns());
afterEach(async () => {
  await killTills();
  for (const till of tills.splice(0)) till.close();
  closeAll();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  await hubReturns();
});

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), "payhub-till-"));
  folders.push(folder);
  return folder;
}

async function live(somebody: Somebody): Promise<Hub> {
  const { hub } = await clientOf(somebody);
  hub.connect();
  await until(() => hub.state.name === "live", "live");
  return hub;
}

async function codeFor(more: { readonly may_refund?: boolean } = {}): Promise<string> {
  const hub = await live(cafe);
  return (await hub.ask("create_pairing_code", { account: cafe.account, name: "Caixa 1", ...more })).code;
}

async function open(folder: string): Promise<Till> {
  const till = await Till.open({ url, storage: new FolderStorage(folder), keyForm: "file", WebSocket: NodeWebSocket });
  tills.push(till);
  till.connect();
  return till;
}

async function pairedTill(folder: string): Promise<HeadlessTill> {
  const till = new HeadlessTill(folder);
  await till.ask({ do: "pair", tenant: world.tenant, code: await codeFor() });
  await till.until((state) => state.live, "paired and live");
  return till;
}

/** Ana reserves as much for the till, under the id that it chose. */
async function tabOf(till: HeadlessTill, customer: Hub, amount: number): Promise<string> {
  const { hold } = (await till.ask({ do: "tab", amount, label: "7" })) as unknown as TabRecord;
  const held = await customer.move("authorize", { payer: ana.account, payee: cafe.account, amount, lasts_s: 8 * 3_600 }, { payment: hold });
  expect(held.status).toBe("posted");
  await till.until((state) => state.tabs.some((one) => one.hold === hold && one.state === "open"), "the tab is open");
  return hold;
}

async function stateOf(hub: Hub, account: number) {
  return (await hub.ask("account", { account })).account;
}

describe("a till", () => {
  it("is paired by a code, asks to be paid, hears that it was, and gives money back", async () => {
    const folder = folderOf();
    const till = await open(folder);
    expect(till.terminal.paired).toBeUndefined();
    const paired = await till.pair(world.tenant, (await codeFor({ may_refund: true })).toLowerCase());
    expect(paired).toMatchObject({ account: cafe.account, name: "Caixa 1" });
    await until(() => till.isLive, "live");
    const { charge } = await till.charges.ask(1_250, "Dois cafés");
    await until(() => till.book.charge(charge)?.state === "open", "open");
    expect(till.book.charge(charge)?.code).toMatch(/^000201/);
    const customer = await live(ana);
    const paid = await customer.pay({ payer: ana.account, payee: cafe.account, amount: 1_250, charge });
    await until(() => till.book.charge(charge)?.state === "paid", "paid");
    expect(till.book.charge(charge)?.paid).toMatchObject({ payment: paid.payment, amount: 1_250, payer: ana.account });
    const record = till.book.charge(charge);
    expect(record && (await till.refund(record, 250))).toBe("posted");
    expect(till.book.charge(charge)?.refunded).toBe(250);
    // The code is used up, and the key is another till's.
    const other = await open(folderOf());
    await expect(other.pair(world.tenant, "ACDEFGHJ")).rejects.toMatchObject({ code: "credentials_refused" });
  });

  it("finds out after a reload what became of a charge that it had asked for", async () => {
    const folder = folderOf();
    const first = await open(folder);
    await first.pair(world.tenant, await codeFor());
    await until(() => first.isLive, "live");
    const [kept, dropped] = [await first.charges.ask(700), await first.charges.ask(900)];
    await until(() => [kept, dropped].every(({ charge }) => first.book.charge(charge)?.state === "open"), "open");
    first.close();
    const customer = await live(ana);
    const paid = await customer.pay({ payer: ana.account, payee: cafe.account, amount: 700, charge: kept.charge });
    // Left while there is no line: the hub is told as soon as there is one.
    await first.charges.leave(dropped.charge);
    const again = await open(folder);
    await until(() => again.book.charge(kept.charge)?.state === "paid", "paid");
    expect(again.book.charge(kept.charge)?.paid).toMatchObject({ payment: paid.payment, payer: ana.account });
    await until(() => again.book.charge(dropped.charge)?.state === "cancelled", "cancelled");
    const refused = await customer.pay({ payer: ana.account, payee: cafe.account, amount: 900, charge: dropped.charge });
    expect(refused.status).toBe("charge_closed");
  });
});

describe("a tab", { timeout: 120_000 }, () => {
  it("outlives kill -9 and an hour without a network: every sale is posted once, and the rest goes back", async () => {
    const folder = folderOf();
    const customer = await live(ana);
    const before = await stateOf(customer, ana.account);
    let till = await pairedTill(folder);
    const hold = await tabOf(till, customer, 10_000);
    // While there is a network, a sale is posted at once and the tab goes on.
    await till.ask({ do: "sell", hold, amount: 1_000, description: "Caipirinha" });
    await till.until((state) => state.sales[0]?.state === "posted" && state.tabs[0]?.state === "open", "posted, and still open");
    await hubLeaves();
    await till.until((state) => !state.live, "offline");
    await till.ask({ do: "sell", hold, amount: 2_000, description: "Pastel" });
    await till.kill();
    till = new HeadlessTill(folder, HOUR_MS);
    await till.ask({ do: "sell", hold, amount: 500 });
    await expect(till.ask({ do: "sell", hold, amount: 6_501 })).rejects.toThrow("tab_exceeded");
    const offline = await till.state();
    expect(offline.sales.map(({ count, state, isOffline }) => [count, state, isOffline])).toEqual([
      [3, "accepted", true],
      [2, "accepted", true],
      [1, "posted", false],
    ]);
    expect((offline.sales[0]?.at ?? 0) - (offline.sales[1]?.at ?? 0)).toBeGreaterThan(HOUR_MS - 60_000);
    await till.kill();
    // The same book once more, as from a backup: what it posts drops by its ids.
    const copy = folderOf();
    cpSync(folder, copy, { recursive: true });
    await hubReturns();
    till = new HeadlessTill(folder, HOUR_MS);
    const posted = await till.until((state) => state.tabs[0]?.state === "closed", "posted and closed");
    expect(posted.sales.map(({ state }) => state)).toEqual(["posted", "posted", "posted"]);
    expect(posted.broken).toBeUndefined();
    const twin = new HeadlessTill(copy);
    await twin.until((state) => state.tabs[0]?.state === "closed" && state.sales.every((sale) => sale.state === "posted"), "drop by id");
    const after = await stateOf(await live(ana), ana.account);
    expect(before.posted - after.posted).toBe(3_500);
    expect(after.held).toBe(before.held);
    // The ledger keeps what the till signed.
    const merchant = await live(cafe);
    const { entries } = await merchant.ask("history", { account: cafe.account, limit: 10 });
    const captures = entries.filter((entry) => entry.about === hold && entry.amount > 0);
    expect(captures.map(({ amount, metadata }) => [amount, metadata?.["till.count"]])).toEqual([
      [500, "3"],
      [2_000, "2"],
      [1_000, "1"],
    ]);
    expect(captures[1]?.metadata?.["till.signed"]).toBe(posted.sales[1]?.signed);
  });

  it("is posted once, however often the till is killed while it posts", async () => {
    const folder = folderOf();
    const customer = await live(ana);
    const before = await stateOf(customer, ana.account);
    let till = await pairedTill(folder);
    const hold = await tabOf(till, customer, 20_000);
    let answered = 0;
    for (let round = 0; round < 6; round += 1) {
      // Every other time it is killed as it begins, with what the one before left behind.
      if (round % 2 === 0) await till.until((state) => state.live, "live");
      const sold = Array.from({ length: 4 }, (_, at) => till.ask({ do: "sell", hold, amount: 100 + at }).then(() => true, () => false));
      // Then in the middle of posting what it has just accepted; the other times whenever.
      if (round % 2 === 0) await sold[0];
      const dying = till;
      setTimeout(() => void dying.kill(), 15 + 12 * round);
      answered += (await Promise.all(sold)).filter(Boolean).length;
      await till.kill();
      till = new HeadlessTill(folder);
    }
    await till.ask({ do: "close", hold });
    const state = await till.until(({ tabs }) => tabs[0]?.state === "closed", "closed");
    const total = state.sales.reduce((sum, sale) => sum + sale.amount, 0);
    expect(state.sales.length).toBeGreaterThanOrEqual(answered);
    expect(answered).toBeGreaterThanOrEqual(3);
    expect(state.sales.every((sale) => sale.state === "posted")).toBe(true);
    expect(state.sales.map(({ count }) => count)).toEqual(state.sales.map((_, at) => state.sales.length - at));
    expect(state.broken).toBeUndefined();
    const after = await stateOf(customer, ana.account);
    expect([before.posted - after.posted, after.held]).toEqual([total, before.held]);
  });

  it("says which sale has no money behind it, when the merchant let the hold go elsewhere meanwhile", async () => {
    const folder = folderOf();
    const customer = await live(ana);
    const before = await stateOf(customer, ana.account);
    let till = await pairedTill(folder);
    const hold = await tabOf(till, customer, 3_000);
    await till.kill();
    const merchant = await live(cafe);
    expect((await merchant.move("capture", { about: hold, amount: 2_500 })).status).toBe("posted");
    await hubLeaves();
    till = new HeadlessTill(folder);
    await till.ask({ do: "sell", hold, amount: 400 });
    await till.ask({ do: "sell", hold, amount: 2_000 });
    await hubReturns();
    const state = await till.until(({ tabs }) => tabs[0]?.state === "closed", "closed");
    expect(state.sales.map(({ amount, state: became, why }) => [amount, became, why])).toEqual([
      [2_000, "refused", "capture_exceeds_hold"],
      [400, "posted", undefined],
    ]);
    expect((await stateOf(await live(ana), ana.account)).held).toBe(before.held);
  });

  it("that nobody wanted any more gives the money back when it is reserved after all", async () => {
    const till = await pairedTill(folderOf());
    const { hold } = (await till.ask({ do: "tab", amount: 900, label: "8" })) as unknown as TabRecord;
    await till.ask({ do: "close", hold });
    const customer = await live(ana);
    const before = await stateOf(customer, ana.account);
    await customer.move("authorize", { payer: ana.account, payee: cafe.account, amount: 900 }, { payment: hold });
    await till.until(({ tabs }) => tabs[0]?.state === "closed", "closed");
    expect((await stateOf(customer, ana.account)).held).toBe(before.held);
  });
});

it("a sale that was changed is found", async () => {
  const till = await pairedTill(folderOf());
  const hold = await tabOf(till, await live(ana), 1_000);
  await till.ask({ do: "sell", hold, amount: 300 });
  const [sale] = (await till.state()).sales;
  const other = await open(folderOf());
  await other.pair(world.tenant, await codeFor());
  expect(sale && (await isSaleSigned(other.terminal.key.jwk, other.terminal.paired?.terminal ?? "", sale))).toBe(false);
  await till.ask({ do: "close", hold });
  await till.until(({ tabs }) => tabs[0]?.state === "closed", "closed");
  await hubIsUp();
});

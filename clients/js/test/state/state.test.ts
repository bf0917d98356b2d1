import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Hub } from "../../src/hub/hub.js";
import { State } from "../../src/state/state.js";
import { Store } from "../../src/state/store.js";
import { accountState, eventOf, FakeHub } from "../fake_hub.js";

const COFFEE = { payer: 1, payee: 2, amount: 450 };

let fake: FakeHub;
let hub: Hub;
let state: State;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  fake = new FakeHub();
  hub = new Hub(fake.options);
  state = new State(hub);
});
afterEach(() => {
  hub.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function connected(): Promise<void> {
  hub.connect();
  await fake.welcomed();
}
const account = () => state.accounts.getSnapshot()[0];

describe("a store", () => {
  it("calls at once, and again for each other value, until it is left", () => {
    const store = new Store(1);
    const seen: number[] = [];
    const { subscribe, getSnapshot } = store;
    const leave = subscribe((value) => seen.push(value));
    store.set(2);
    store.set(2);
    expect(getSnapshot()).toBe(2);
    leave();
    leave();
    store.set(3);
    expect(seen).toEqual([1, 2]);
  });

  it("gives the same value to the same question, as React wants it", async () => {
    await connected();
    expect(state.accounts.getSnapshot()).toBe(state.accounts.getSnapshot());
    expect(state.history(1).getSnapshot()).toBe(state.history(1).getSnapshot());
  });

  it("that is changed while it tells ends with the last value everywhere", () => {
    const store = new Store(0);
    const seen: number[] = [];
    store.subscribe((value) => {
      if (value === 1) store.set(2);
    });
    store.subscribe((value) => seen.push(value));
    store.set(1);
    expect(seen).toEqual([0, 2]);
  });
});

describe("the session", () => {
  it("says who is here and how the line stands", async () => {
    const lines: string[] = [];
    state.session.subscribe(({ line }) => lines.push(line));
    await connected();
    expect(state.session.getSnapshot()).toMatchObject({ name: "Ana", currency: "BRL", standing: "active", line: "live" });
    fake.says({ type: "status_changed", status: "blocked", is_paid: true, pays: false });
    fake.answers("accounts", () => ({ type: "account_states", accounts: fake.accounts }));
    await vi.advanceTimersByTimeAsync(5);
    expect(state.session.getSnapshot().standing).toBe("blocked");
    fake.ends(1006);
    expect(state.session.getSnapshot()).toMatchObject({ line: "waiting", retryAt: Date.now() + 250, name: "Ana" });
    await vi.advanceTimersByTimeAsync(300);
    expect(state.session.getSnapshot()).not.toHaveProperty("retryAt");
    expect([...new Set(lines)]).toEqual(["idle", "connecting", "live", "waiting"]);
  });
});

describe("balances", () => {
  it("follow from the welcome's snapshot on", async () => {
    await connected();
    expect(fake.heard("follow")).toMatchObject([{ account: 1, after: 5 }]);
    fake.says(eventOf(1, 6, { balance: 900, held: 100, what: "hold.placed" }));
    await vi.advanceTimersByTimeAsync(5);
    expect(account()).toMatchObject({ posted: 900, held: 100, available: 800, number: 6 });
  });

  it("count nothing that the hub has not said: pending is pending", async () => {
    await connected();
    fake.answers("pay", () => undefined);
    void hub.pay(COFFEE, { payment: "p1" });
    await vi.advanceTimersByTimeAsync(5);
    expect(account()).toMatchObject({ posted: 1_000, available: 1_000, pending: 450, spendable: 550 });
    expect(state.payments.getSnapshot()).toMatchObject([{ payment: "p1", state: "sent" }]);
    // Its event overtakes its answer: it is counted once.
    fake.says(eventOf(1, 6, { payment: "p1", amount: -450, balance: 550, what: "payment.sent" }));
    await vi.advanceTimersByTimeAsync(5);
    expect(account()).toMatchObject({ posted: 550, available: 550, pending: 0, spendable: 550 });
  });

  it("of a declined payment are as before", async () => {
    await connected();
    fake.answers("pay", ({ payment }) => ({ type: "payment", payment, status: "limit_exceeded", rule: 3 }));
    void hub.pay(COFFEE);
    await vi.advanceTimersByTimeAsync(5);
    expect(account()).toMatchObject({ posted: 1_000, pending: 0, spendable: 1_000 });
    expect(state.payments.getSnapshot()).toMatchObject([{ state: "limit_exceeded", outcome: { rule: 3 } }]);
  });

  it("go on through a reconnect whose welcome is ahead of the events", async () => {
    await connected();
    fake.ends(1006);
    fake.accounts = [accountState(1, { number: 7, posted: 1_020, available: 1_500, floor: -500 })];
    await vi.advanceTimersByTimeAsync(300);
    expect(account()).toMatchObject({ posted: 1_020, floor: -500, number: 7 });
    for (const number of [6, 7, 8]) fake.says(eventOf(1, number));
    await vi.advanceTimersByTimeAsync(5);
    expect(account()).toMatchObject({ posted: 1_030, available: 1_530, number: 8 });
  });

  it("are read again when the account begins anew", async () => {
    await connected();
    const states = [accountState(1, { number: 2, posted: 77 })];
    fake.answers("accounts", () => ({ type: "account_states", accounts: states }));
    fake.answers("resume", ({ follow }) =>
      follow === undefined
        ? { type: "resumed", settled: [], following: [] }
        : { type: "error", code: "cursor_out_of_range", message: "" },
    );
    fake.answers("follow", ({ account: one, after }) =>
      after === undefined
        ? { type: "following", account: one, number: 2, latest: 2, posted: 77 }
        : { type: "error", code: "cursor_out_of_range", message: "" },
    );
    fake.accounts = states;
    fake.ends(1006);
    await vi.advanceTimersByTimeAsync(300);
    expect(account()).toMatchObject({ posted: 77, number: 2 });
  });
});

describe("the history", () => {
  const entryOf = (number: number) => {
    const { type: _, account: __, ...entry } = eventOf(1, number);
    return entry;
  };

  it("is pages below, and events on top, each number once", async () => {
    await connected();
    fake.answers("history", ({ before }) => {
      const from = Number(before ?? 6) - 1;
      const entries = [from, from - 1].filter((number) => number > 0).map(entryOf);
      return { type: "history_page", account: 1, entries, ...(from > 2 && { next: from - 1 }) };
    });
    const history = state.history(1);
    await Promise.all([history.more(), history.more(), vi.advanceTimersByTimeAsync(5)]);
    expect(fake.heard("history")).toHaveLength(1);
    fake.says(eventOf(1, 6));
    await vi.advanceTimersByTimeAsync(5);
    for (let page = 0; page < 3; page += 1) await Promise.all([history.more(), vi.advanceTimersByTimeAsync(5)]);
    const { entries, hasMore } = history.getSnapshot();
    expect(entries.map((entry) => entry.number)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(hasMore).toBe(false);
    expect(fake.heard("history")).toHaveLength(3);
  });
});

describe("charges", () => {
  it("are made, and seen to be paid by the event that names them", async () => {
    await connected();
    const charge = { payee: 1, status: "open", reusable: false, created_at: "x", amount: 5 };
    fake.answers("create_charge", (asked) => ({ type: "charge_state", charge: { ...charge, charge: asked["charge"] } }));
    fake.answers("charge", (asked) => ({
      type: "charge_state",
      charge: { ...charge, charge: asked["charge"], status: "paid" },
    }));
    const charges = state.charges(1);
    const [made] = await Promise.all([charges.create({ amount: 5 }), vi.advanceTimersByTimeAsync(5)]);
    expect(charges.getSnapshot().charges).toMatchObject([{ status: "open", charge: made.charge }]);
    fake.says(eventOf(1, 6, { what: "charge.paid", charge: made.charge }));
    await vi.advanceTimersByTimeAsync(10);
    expect(charges.getSnapshot().charges).toMatchObject([{ status: "paid", charge: made.charge }]);
  });
});

describe("notices", () => {
  const notice = (number: number, heard = false) => ({ number, kind: "news" as const, at: "x", ...(heard && { heard }) });

  it("are read with the welcome, told as they come, and heard all at once", async () => {
    const welcome = fake.welcome();
    fake.answers("authenticate", () => ({ ...welcome, notices: 3 }));
    fake.answers("notices", () => ({ type: "notice_states", notices: [notice(3), notice(2, true)], number: 3, unheard: 1 }));
    fake.answers("hear_notices", () => ({ type: "notices_heard", count: 2 }));
    await connected();
    for (const number of [5, 5]) fake.says({ type: "notice", notice: notice(number) });
    await vi.advanceTimersByTimeAsync(5);
    expect(state.notices.getSnapshot()).toMatchObject({ unheard: 2, notices: [{ number: 5 }, { number: 3 }, { number: 2 }] });
    await Promise.all([state.notices.hear(), vi.advanceTimersByTimeAsync(5)]);
    expect(fake.heard("hear_notices")).toMatchObject([{ number: 5 }]);
    expect(state.notices.getSnapshot().unheard).toBe(0);
  });
});

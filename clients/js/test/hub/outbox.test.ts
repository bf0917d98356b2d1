import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Hub } from "../../src/hub/hub.js";
import type { Entry } from "../../src/hub/outbox.js";
import { MemoryStorage } from "../../src/hub/storage.js";
import { FakeHub, PERSON } from "../fake_hub.js";

const COFFEE = { payer: 1, payee: 2, amount: 450 };
const ID = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b";

let fake: FakeHub;
let storage: MemoryStorage;
let hub: Hub;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  fake = new FakeHub();
  storage = new MemoryStorage();
  hub = new Hub({ ...fake.options, storage });
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
async function kept(): Promise<Entry[]> {
  return [...(await storage.readAll()).values()] as Entry[];
}
/** As after a reload: another hub on the same storage. */
function reloaded(): Hub {
  hub.close();
  hub = new Hub({ ...fake.options, storage });
  return hub;
}

describe("a payment", () => {
  it("is written down as sent before it is sent, and forgotten when it is answered", async () => {
    await connected();
    const found: Entry[][] = [];
    const put = storage.put.bind(storage);
    vi.spyOn(storage, "put").mockImplementation(async (key, value) => {
      await put(key, value);
      found.push(await kept());
      expect(fake.heard("pay")).toEqual([]);
    });
    const paid = hub.pay(COFFEE, { payment: ID });
    await vi.advanceTimersByTimeAsync(5);
    expect(found.map(([entry]) => [entry?.payment, entry?.state])).toEqual([
      [ID, "queued"],
      [ID, "sent"],
    ]);
    expect(fake.heard("pay")).toMatchObject([{ ...COFFEE, payment: ID }]);
    expect(await paid).toMatchObject({ payment: ID, status: "posted" });
    expect(await kept()).toEqual([]);
    expect(hub.outbox.entries).toEqual([]);
  });

  it("that cannot be written down is not sent", async () => {
    await connected();
    vi.spyOn(storage, "put").mockRejectedValue(new Error("The disk is full."));
    await expect(hub.pay(COFFEE)).rejects.toThrow("The disk is full.");
    await vi.advanceTimersByTimeAsync(50);
    expect(fake.heard("pay")).toEqual([]);
    expect(hub.outbox.entries).toEqual([]);
  });

  it("made while nobody can be reached goes out when somebody can", async () => {
    const paid = hub.pay(COFFEE, { payment: ID });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(hub.outbox.entries).toMatchObject([{ payment: ID, state: "queued" }]);
    await connected();
    expect(await paid).toMatchObject({ status: "posted" });
    expect(fake.heard("resume")).toEqual([]);
  });

  it("survives a reload, and keeps its id", async () => {
    void hub.pay(COFFEE, { payment: ID });
    await vi.advanceTimersByTimeAsync(5);
    const settled: unknown[] = [];
    reloaded().outbox.on("settled", ({ outcome }) => settled.push([outcome.payment, outcome.status]));
    await connected();
    expect(settled).toEqual([[ID, "posted"]]);
    expect(await kept()).toEqual([]);
  });

  it("whose answer was lost is sent again under its id, and only under that", async () => {
    await connected();
    fake.answers("pay", () => undefined);
    const paid = hub.pay(COFFEE);
    await vi.advanceTimersByTimeAsync(5);
    fake.ends(1006);
    fake.answers("pay", ({ payment }) => ({ type: "payment", payment, status: "posted" }));
    await vi.advanceTimersByTimeAsync(300);
    const { payment, status } = await paid;
    expect(status).toBe("posted");
    expect(fake.heard("pay").map((message) => message["payment"])).toEqual([payment, payment]);
  });

  it("whose outcome is unknown to the hub itself is asked about again", async () => {
    await connected();
    let times = 0;
    fake.answers("pay", ({ payment }) => {
      times += 1;
      return { type: "payment", payment, status: times < 3 ? "unknown" : "posted" };
    });
    const paid = hub.pay(COFFEE, { payment: ID });
    await vi.advanceTimersByTimeAsync(2_050);
    expect(await paid).toMatchObject({ status: "posted" });
    expect(times).toBe(3);
  });

  it("that is declined is a result", async () => {
    await connected();
    fake.answers("pay", ({ payment }) => ({ type: "payment", payment, status: "insufficient_funds" }));
    const paid = hub.pay(COFFEE);
    await vi.advanceTimersByTimeAsync(5);
    expect(await paid).toMatchObject({ status: "insufficient_funds" });
  });

  it("that is not taken at all is a refusal, and is forgotten", async () => {
    await connected();
    fake.refuses("pay", "step_up_required");
    const refused = expect(hub.pay(COFFEE)).rejects.toMatchObject({ code: "step_up_required" });
    await vi.advanceTimersByTimeAsync(5);
    await refused;
    expect(await kept()).toEqual([]);
  });

  it("waits for as long as an overloaded hub says", async () => {
    await connected();
    fake.refuses("pay", "overloaded", { retry_after_ms: 400 });
    const paid = hub.pay(COFFEE);
    await vi.advanceTimersByTimeAsync(350);
    expect(fake.heard("pay")).toHaveLength(1);
    fake.answers("pay", ({ payment }) => ({ type: "payment", payment, status: "posted" }));
    await vi.advanceTimersByTimeAsync(100);
    expect(await paid).toMatchObject({ status: "posted" });
  });

  it("stays when its session ends under it", async () => {
    await connected();
    fake.refuses("pay", "authentication_required");
    const paid = hub.pay(COFFEE);
    await vi.advanceTimersByTimeAsync(5);
    fake.answers("pay", ({ payment }) => ({ type: "payment", payment, status: "posted" }));
    fake.ends(4002);
    await fake.welcomed();
    expect(await paid).toMatchObject({ status: "posted" });
  });

  it("with an id that is another's is refused here; asked twice, it is one", async () => {
    const first = hub.pay(COFFEE, { payment: ID });
    const again = hub.pay({ amount: 450, payee: 2, payer: 1 }, { payment: ID });
    await expect(hub.pay({ ...COFFEE, amount: 1 }, { payment: ID })).rejects.toThrow(TypeError);
    await connected();
    expect(await first).toEqual(await again);
    expect(fake.heard("pay")).toHaveLength(1);
  });
});

describe("a payment that is wanted no more", () => {
  it("is listed in the resume, and what the hub says became of it", async () => {
    await connected();
    fake.answers("pay", () => undefined);
    const paid = hub.pay(COFFEE, { payment: ID, goodForMs: 20_000 });
    await vi.advanceTimersByTimeAsync(5);
    fake.isAway = true;
    fake.ends(1006);
    await vi.advanceTimersByTimeAsync(60_000);
    fake.isAway = false;
    fake.answers("resume", ({ in_doubt }) => ({
      type: "resumed",
      settled: (in_doubt as string[]).map((payment) => ({ payment, status: "posted", at: "x", balance: 550, number: 6 })),
      following: [],
    }));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(fake.heard("resume")).toMatchObject([{ in_doubt: [ID] }]);
    expect(await paid).toEqual({ payment: ID, status: "posted", at: "x", balance: 550, number: 6 });
    expect(fake.heard("pay")).toHaveLength(1);
  });

  it("is fenced by the hub when it is cancelled, at once or as soon as it can be reached", async () => {
    const early = hub.pay(COFFEE, { payment: ID });
    await hub.outbox.cancel(ID);
    await connected();
    expect(await early).toMatchObject({ status: "fenced" });
    expect(fake.heard("pay")).toEqual([]);

    fake.refuses("pay", "overloaded", { retry_after_ms: 5_000 });
    const late = hub.pay(COFFEE);
    await vi.advanceTimersByTimeAsync(5);
    await hub.outbox.cancel(hub.outbox.entries[0]?.payment ?? "");
    await vi.advanceTimersByTimeAsync(5_100);
    expect(await late).toMatchObject({ status: "fenced" });
  });

  it("is not cancelled where the hub has made it", async () => {
    await connected();
    const paid = hub.pay(COFFEE, { payment: ID });
    await hub.outbox.cancel(ID);
    await vi.advanceTimersByTimeAsync(10);
    expect((await paid).status).toMatch(/posted|fenced/);
    expect(fake.heard("pay").length + fake.heard("resume").length).toBe(1);
  });

  it("is settled five hundred at a time", async () => {
    for (let one = 0; one < 600; one += 1) {
      void hub.pay(COFFEE, { goodForMs: 15_000 }).catch(() => undefined);
    }
    await vi.advanceTimersByTimeAsync(16_000);
    await connected();
    await vi.advanceTimersByTimeAsync(100);
    expect(fake.heard("resume").map((message) => (message["in_doubt"] as string[]).length)).toEqual([500, 100]);
    expect(hub.outbox.entries).toEqual([]);
    expect(fake.heard("pay")).toEqual([]);
  });

  it("is not even tried when it is now or never, and nobody can be reached", async () => {
    await expect(hub.pay(COFFEE, { goodForMs: 0 })).rejects.toMatchObject({ name: "AnswerLost" });
    expect(hub.outbox.entries).toEqual([]);
  });
});

describe("an outbox", () => {
  it("sends a few at a time, in the order in which they were put", async () => {
    const paid = Array.from({ length: 40 }, async (_, place) => {
      await vi.advanceTimersByTimeAsync(0);
      return hub.pay({ ...COFFEE, amount: place + 1 });
    });
    await vi.advanceTimersByTimeAsync(50);
    fake.answers("pay", () => undefined);
    await connected();
    expect(fake.heard("pay")).toHaveLength(16);
    fake.answers("pay", ({ payment }) => ({ type: "payment", payment, status: "posted" }));
    fake.ends(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all(paid);
    const amounts = fake.heard("pay").slice(16).map((message) => message["amount"]);
    expect(amounts).toEqual(Array.from({ length: 40 }, (_, place) => place + 1));
  });

  it("is its person's: whoever else logs in here neither sends nor settles it", async () => {
    await connected();
    fake.answers("pay", () => undefined);
    void hub.pay(COFFEE, { payment: ID });
    await vi.advanceTimersByTimeAsync(5);
    expect(await kept()).toMatchObject([{ person: PERSON, state: "sent" }]);

    const ana = fake.welcome();
    fake.answers("authenticate", () => ({ ...ana, person: "another" }));
    reloaded();
    await connected();
    await vi.advanceTimersByTimeAsync(100);
    expect(fake.heard("pay")).toHaveLength(1);
    expect(fake.heard("resume")).toEqual([]);
    expect(await kept()).toMatchObject([{ payment: ID }]);
  });

  it("gives what was put before anybody was known to whose account it is", async () => {
    void hub.pay({ ...COFFEE, payer: 77 });
    void hub.pay(COFFEE);
    await connected();
    expect(fake.heard("pay")).toMatchObject([COFFEE]);
    expect(hub.outbox.entries).toMatchObject([{ fields: { payer: 77 } }]);
  });

  it("carries every step of a payment's life, not payments alone", async () => {
    await connected();
    fake.answers("refund", ({ payment }) => ({ type: "payment", payment, status: "posted" }));
    const refunded = hub.move("refund", { about: ID, amount: 5 });
    await vi.advanceTimersByTimeAsync(5);
    expect(await refunded).toMatchObject({ status: "posted" });
    expect(fake.heard("refund")).toMatchObject([{ about: ID, amount: 5 }]);
  });

  it("of two tabs that share a storage makes each payment under one id", async () => {
    const other = new Hub({ ...fake.options, storage });
    void hub.pay(COFFEE, { payment: ID });
    await vi.advanceTimersByTimeAsync(5);
    other.connect();
    await connected();
    await vi.advanceTimersByTimeAsync(20);
    other.close();
    expect(new Set(fake.heard("pay").map((message) => message["payment"]))).toEqual(new Set([ID]));
    expect(await kept()).toEqual([]);
  });
});

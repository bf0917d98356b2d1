/** The hub's sums and the events after them add up, whichever comes first. */
import { describe, expect, it, vi } from "vitest";

import type { SalesSpan } from "../../../../src/hub/wire.js";
import { NOTHING } from "../../../../src/ui/wallet/sales/spans.js";
import { Tally } from "../../../../src/ui/wallet/sales/tally.svelte.js";
import { eventOf } from "../../../fake_hub.js";
import { begin, SHOP } from "./world.js";

const SOLD: SalesSpan = { ...NOTHING, sales: 1, amount: 1_000 };

/** `number`: up to which event the hub's sums go; the last span of them has one sale. */
function answerSales(fake: ReturnType<typeof begin>["fake"], number: () => number): void {
  fake.answers("sales", ({ edges }) => {
    const spans = (edges as string[]).slice(1).map((_, at, all) => (at === all.length - 1 ? SOLD : NOTHING));
    return { type: "sales_state", account: SHOP, number: number(), spans };
  });
}

const now = (): string => new Date().toISOString();

describe("a tally", () => {
  it("adds events to the sums, and none that are in them", async () => {
    const { fake, hub } = begin();
    answerSales(fake, () => 7);
    await hub.follow(SHOP, 5);
    const tally = new Tally(hub, SHOP);
    const end = tally.begin();
    // 6 and 7 are told late: the hub has counted them.
    for (const number of [6, 7, 8]) fake.says(eventOf(SHOP, number, { amount: 200, counterparty: 99_999, at: now() }));
    await vi.waitFor(() => expect(tally.month?.total.amount).toBe(1_200));
    expect(tally.month?.total.sales).toBe(2);
    // Read again, event 8 is in the sums.
    answerSales(fake, () => 8);
    await tally.read();
    expect(tally.month?.total.amount).toBe(1_000);
    end();
    hub.close();
  });

  it("asks in halves for more than the hub sums up at once", async () => {
    const { fake, hub } = begin();
    answerSales(fake, () => 5);
    const sums = (edges: string[]): object => ({ type: "sales_state", account: SHOP, number: 5, spans: edges.slice(1).map(() => SOLD) });
    fake.answers("sales", ({ edges }) =>
      (edges as string[]).length > 20 ? { type: "error", code: "range_too_large", message: "" } : sums(edges as string[]),
    );
    const tally = new Tally(hub, SHOP);
    await tally.read();
    expect(tally.failed).toBeUndefined();
    expect(tally.month?.now).toHaveLength(30);
    expect(tally.month?.before).toHaveLength(30);
    expect(tally.month?.total.sales).toBe(30);
    hub.close();
  });

  it("says that it failed, and keeps what it knew", async () => {
    const { fake, hub } = begin();
    answerSales(fake, () => 5);
    const tally = new Tally(hub, SHOP);
    await tally.read();
    fake.refuses("sales", "forbidden");
    await tally.read();
    expect(tally.failed).toMatchObject({ code: "forbidden" });
    expect(tally.month?.total.amount).toBe(1_000);
    hub.close();
  });
});

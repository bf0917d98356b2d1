/** Sales by the hour and by the day are what people paid, and events on top of them count as the hub counts. */
import { describe, expect, it } from "vitest";

import type { EntryState } from "../../../../src/hub/wire.js";
import { add, change, dayEdges, hourEdges, isSale, joinHours, NOTHING, sum, toSpans, worth } from "../../../../src/ui/wallet/sales/spans.js";

const NOON = new Date(2026, 2, 10, 12, 34, 56);

export function entry(more: Partial<EntryState>): EntryState {
  return {
    number: 1,
    payment: "p",
    what: "payment.received",
    amount: 985,
    counterparty: 123_456_789_012,
    balance: 0,
    at: NOON.toISOString(),
    fee: 15,
    ...more,
  };
}

describe("edges", () => {
  it("of hours are two days of hours, with this minute of yesterday among them", () => {
    const edges = hourEdges(NOON);
    expect(edges).toHaveLength(50);
    expect(edges).toContain(new Date(2026, 2, 9, 12, 34).getTime());
    expect(edges.at(-1)).toBe(new Date(2026, 2, 11).getTime());
    expect([...edges].sort((one, other) => one - other)).toEqual(edges);
  });

  it("of days end with today's end, and begin sixty days before", () => {
    const edges = dayEdges(NOON);
    expect(edges).toHaveLength(61);
    expect(edges[0]).toBe(new Date(2026, 0, 10).getTime());
    expect(edges.at(-1)).toBe(new Date(2026, 2, 11).getTime());
  });
});

describe("an entry", () => {
  it("is a sale of what was paid, the fee kept of it", () => {
    expect(worth(entry({}))).toEqual({ ...NOTHING, sales: 1, amount: 1_000, fees: 15 });
    for (const what of ["charge.paid", "hold.captured", "review.released"]) expect(worth(entry({ what })).sales).toBe(1);
  });

  it("is none when it reserves, comes from the institution, or goes out", () => {
    expect(isSale(entry({ what: "hold.placed", amount: 0 }))).toBe(false);
    expect(isSale(entry({ counterparty: 1 }))).toBe(false);
    expect(worth(entry({ what: "payment.sent", amount: -500 }))).toBe(NOTHING);
  });

  it("gives back what the payer gets, and takes the fee's part with it", () => {
    // 500 of a payment go back; of the fee 8 come back to the shop.
    const back = worth(entry({ what: "refund.sent", amount: -492, fee: -8 }));
    expect(back).toEqual({ ...NOTHING, returns: 1, returned: 500, fees: -8 });
  });

  it("counts in its own span and no other", () => {
    const spans = toSpans(hourEdges(NOON), Array.from({ length: 49 }, () => NOTHING));
    const added = add(spans, entry({}));
    expect(sum(added)).toMatchObject({ sales: 1, amount: 1_000 });
    expect(added.filter((span) => span.sales > 0).map((span) => new Date(span.from).getHours())).toEqual([12]);
  });
});

it("joins the two halves of the hour that was cut", () => {
  const spans = toSpans(hourEdges(NOON), Array.from({ length: 49 }, () => ({ ...NOTHING, sales: 1, amount: 10 })));
  const joined = joinHours(spans.slice(0, 25));
  expect(joined).toHaveLength(24);
  expect(joined[12]).toMatchObject({ sales: 2, amount: 20 });
});

it("compares with nothing by saying nothing", () => {
  expect(change(500, 0)).toBeUndefined();
  expect(change(150, 100)).toBe(0.5);
  expect(change(0, 100)).toBe(-1);
});

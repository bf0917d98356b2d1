/** Two minutes of traffic: nothing twice, nothing for ever, and quiet seconds as zeros. */
import { expect, test } from "vitest";

import type { SecondState } from "../../../src/hub/wire.js";
import { Flow, LENGTH_S } from "../../../src/ui/console/now/flow.js";

const second = (at: number, counts: Record<string, number>, p99_us?: number): SecondState => ({
  at: new Date(at * 1_000).toISOString(),
  counts,
  ...(p99_us !== undefined && { p50_us: p99_us / 2, p99_us }),
});

test("a quiet second is a zero and has no latency", () => {
  const lane = new Flow([second(1_000, { posted: 3, insufficient_funds: 1 }, 8_000)], 1_001).lane;
  expect(lane.at).toHaveLength(LENGTH_S);
  expect([lane.at.at(-1), lane.at.at(-2)]).toEqual([1_001, 1_000]);
  expect(lane.done.slice(-2)).toEqual([3, 0]);
  expect(lane.refused.slice(-2)).toEqual([1, 0]);
  expect(lane.p99Ms.slice(-2)).toEqual([8, null]);
});

test("the same second told again is counted once, and what is old is forgotten", () => {
  let flow = new Flow([second(1_000, { posted: 5 })]);
  flow = flow.with(second(1_000, { posted: 7 }));
  expect(flow.total).toBe(7);
  flow = flow.with(second(1_000 + LENGTH_S, { limit_exceeded: 2 }));
  expect(flow.total).toBe(2);
  expect(flow.refusals).toEqual([["limit_exceeded", 2]]);
});

test("what was set aside for review was not refused", () => {
  const flow = new Flow([second(1_000, { in_review: 2, payee_not_found: 1, insufficient_funds: 4 })]);
  expect(flow.refusals).toEqual([["insufficient_funds", 4], ["payee_not_found", 1]]);
});

test("figures are of the last ten seconds, and latency is the worst of them", () => {
  const flow = new Flow([second(1_000, { posted: 1_000 }, 900_000), second(1_011, { posted: 10 }, 4_000), second(1_015, { posted: 30 }, 2_000)], 1_015);
  expect(flow.perSecond).toBe(4);
  expect(flow.latency).toEqual({ p50Ms: 2, p99Ms: 4 });
  expect(new Flow([], 1_000).latency).toBeUndefined();
});

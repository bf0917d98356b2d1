/** A payment's life as one line: in its order, whole, and with what is still ahead at the end. */
import { expect, test } from "vitest";

import type { DisputeFileAnswer, LifeAnswer, PaymentExplained } from "../../../src/hub/wire.js";
import { type Known, storyOf } from "../../../src/ui/console/explain/story.js";

const AT = (second: string): string => `2026-03-01T12:34:${second}Z`;
const PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b";

const life: LifeAnswer = {
  type: "life",
  id: 1,
  life: { payment: PAYMENT, kind: "pay", status: "in_review", payer: 11, payee: 22, amount: 500, at: AT("00.000001"), captured: 500, refunded: 0 },
  steps: [],
};
const entry = (payment: string, account: number, amount: number) => ({
  account,
  entry: { number: 1, payment, what: "payment.sent", amount, counterparty: 1, balance: 0, at: AT("00.000002") },
});
const explained: PaymentExplained = {
  type: "payment_explained",
  id: 1,
  payment: PAYMENT,
  taken: [
    { payment: PAYMENT, kind: "pay", status: "in_review", amount: 500, at: AT("00.000001"), asked_by: "p" },
    { payment: "b", kind: "release", status: "posted", amount: 500, at: AT("00.000002"), asked_by: "o" },
    { payment: "c", kind: "refund", status: "refund_exceeds_captured", amount: 900, at: AT("09.000000"), asked_by: "m" },
  ],
  entries: [entry("b", 3, 5), entry("b", 22, 495), entry("b", 11, -500)],
  owners: [],
  decisions: [{ payment: PAYMENT, payer: 11, payee: 22, amount: 500, rule: 7, measure: "payment", measured: 500, max: 100, action: "review", at: AT("00.000001") }],
  disputes: [],
  told: [{ kind: "payment_received", person: "m", at: AT("03.000000"), heard_at: AT("30.000000"), handed: [{ road: "mail", state: "dead", tries: 5, made_at: AT("05.000000"), ended_at: AT("08.000000") }] }],
  hooked: [{ webhook: "w", account: 22, number: 1, event: "e", what: "payment.received", at: AT("01.000000"), took_ms: 3, code: "taken", tries: 1, status: 200 }],
};
const open: DisputeFileAnswer = {
  type: "dispute_file",
  id: 1,
  dispute: {
    dispute: "d", payment: PAYMENT, payer: 11, payee: 22, amount: 500, reason: "fraud", profile: "med", status: "open", held: 500, charged_back: 0, owed: 0,
    overdue: false, opened_by: "payer", opened_at: AT("10.000000"), answer_due_at: "2026-03-08T12:34:10Z", decision_due_at: "2026-03-15T12:34:10Z",
  },
  evidence: [{ evidence: "e", side: "payer", at: AT("11.000000"), text: "x" }],
};
const known = (more: Partial<Known> = {}): Known => ({ life, explained, disputes: [open], trail: [], ...more });

test("everything stands in the order in which it happened, to the microsecond", () => {
  const whats = storyOf(known()).map(({ what, at }) => `${what} ${at.slice(17, 19)}`);
  expect(whats).toEqual([
    "step 00", "step 00", "hooked 01", "told 03", "handed 08", "step 09", "dispute 10", "evidence 11", "heard 30", "clock 10", "clock 10",
  ]);
});

test("a step has its own entries, from who gave to the institution's fee, and the rule that decided it", () => {
  const [first, second] = storyOf(known());
  if (first?.what !== "step" || second?.what !== "step") throw new Error("The payment comes first.");
  expect(first.isFirst).toBe(true);
  expect(first.decision?.rule).toBe(7);
  expect(first.entries).toEqual([]);
  expect(second.entries.map(({ account }) => account)).toEqual([11, 22, 3]);
});

test("what was refused is told, too", () => {
  expect(storyOf(known()).some((one) => one.what === "step" && one.step.status === "refund_exceeds_captured")).toBe(true);
});

test("clocks stand at the end, even those that have run out already", () => {
  const late = { ...open, dispute: { ...open.dispute, answer_due_at: AT("00.5") } };
  expect(storyOf(known({ disputes: [late] })).slice(-2).map(({ what }) => what)).toEqual(["clock", "clock"]);
  const over = { ...open, dispute: { ...open.dispute, status: "withdrawn", closed_at: AT("40.0") } };
  expect(storyOf(known({ disputes: [over] })).some(({ what }) => what === "clock")).toBe(false);
});

test("every moment has a key of its own", () => {
  const story = storyOf(known({ disputes: [open, { ...open, dispute: { ...open.dispute, dispute: "d2" }, evidence: [] }] }));
  expect(new Set(story.map(({ key }) => key)).size).toBe(story.length);
});

/** What somebody types, by its shape; filters; the facts of an audit entry. */
import { expect, test } from "vitest";

import { factsOf } from "../../../src/ui/console/audit/facts.js";
import { nextDue } from "../../../src/ui/console/disputes/clock.js";
import { shapesOf } from "../../../src/ui/console/finding.svelte.js";
import { amountOf, filterOf } from "../../../src/ui/console/payments/filter.js";
import { pageAt } from "../../../src/ui/console/ways.js";

test("an id is an id, whatever its capitals", () => {
  const id = "0190A1B2-c3d4-7e5f-8a6b-9c0d1e2f3a4b";
  expect(shapesOf(` ${id} `)).toEqual({ id: id.toLowerCase(), account: undefined, people: [] });
});

test("digits may be an account, and eleven of them a CPF as well", () => {
  expect(shapesOf("421483782716")).toMatchObject({ account: 421_483_782_716, people: [{ by: "account", value: "421483782716" }] });
  expect(shapesOf("529.982.247-25")).toMatchObject({ account: undefined, people: [{ by: "cpf", value: "52998224725" }] });
  expect(shapesOf("11.222.333/0001-81").people).toEqual([{ by: "cnpj", value: "11222333000181" }]);
});

test("words are a name, an address a contact", () => {
  expect(shapesOf("Ana Souza").people).toEqual([{ by: "name", value: "Ana Souza" }]);
  expect(shapesOf("ana@example.com").people.map(({ by }) => by)).toEqual(["email", "login"]);
  expect(shapesOf("+55 11 98888-7777").people).toEqual([{ by: "phone", value: "+5511988887777" }]);
  expect(shapesOf("an").people).toEqual([]);
});

test("sums are typed as people write them", () => {
  expect([amountOf("12", 2), amountOf("12,5", 2), amountOf("12.50", 2), amountOf("0,005", 2), amountOf("x", 2), amountOf("7", 0)]).toEqual([1_200, 1_250, 1_250, undefined, undefined, 7]);
});

test("a day as a filter is that whole day, here", () => {
  const place: Record<string, string> = { since: "2026-03-01", until: "2026-03-01", direction: "sideways", text: "rent" };
  const filter = filterOf((name) => place[name], 2);
  expect(Date.parse(filter.to_at ?? "") - Date.parse(filter.from_at ?? "")).toBe(86_400_000 - 1);
  expect(filter.direction).toBeUndefined();
  expect(filter.text).toBe("rent");
});

test("of a changed setting, what changed is shown and nothing else", () => {
  const before = JSON.stringify({ id: 1, max: 5, name: "Day", tenant_id: 3, updated_at: "x" });
  const after = JSON.stringify({ id: 1, max: 9, name: "Day", tenant_id: 3, updated_at: "y" });
  expect(factsOf(JSON.stringify({ before: JSON.parse(before) as unknown, after: JSON.parse(after) as unknown }))).toEqual([["max", "5 → 9"]]);
  expect(factsOf(JSON.stringify({ before, after }))).toEqual([["max", "5 → 9"]]);
  expect(factsOf(after, before)).toEqual([["max", "9"]]);
  expect(factsOf("7")).toEqual([["", "7"]]);
  expect(factsOf("no json")).toEqual([["", "no json"]]);
});

test("the clock of a dispute is the one that runs now", () => {
  const dispute = {
    dispute: "d", payment: "p", payer: 1, payee: 2, amount: 5, reason: "fraud", profile: "med", status: "open", held: 5, charged_back: 0, owed: 0, overdue: false,
    opened_by: "payer", opened_at: "a", answer_due_at: "b", decision_due_at: "c",
  };
  expect(nextDue(dispute)).toEqual(["answer", "b"]);
  expect(nextDue({ ...dispute, status: "under_review" })).toEqual(["decision", "c"]);
  expect(nextDue({ ...dispute, status: "accepted", claimed_at: "d", refund_due_at: "e" })).toEqual(["refund", "e"]);
  expect(nextDue({ ...dispute, status: "rejected", closed_at: "z" })).toBeUndefined();
});

test("a page belongs to its way", () => {
  expect([pageAt("/"), pageAt("/payment/x"), pageAt("/account/5"), pageAt("/person/x"), pageAt("/nowhere")]).toEqual(["now", "payments", "payments", "people", "now"]);
});

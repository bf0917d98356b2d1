/** A dispute is read from the reader's own side: whoever is to give money back answers, whoever wants it withdraws or takes it. */
import { screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { DisputeState } from "../../../../src/hub/wire.js";
import Dispute from "../../../../src/ui/wallet/sales/disputes/Dispute.svelte";
import { toneOf } from "../../../../src/ui/wallet/sales/disputes/words.js";
import { begin, SHOP, show } from "./world.js";

const ID = vi.hoisted(() => "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b");
vi.mock("../../../../src/ui/wallet/routes.js", () => ({
  p: (path: string) => path,
  navigate: vi.fn(),
  route: { params: { dispute: ID }, search: {}, pathname: "/" },
}));

const ELSEWHERE = 2;
const OPEN: DisputeState = {
  dispute: ID,
  payment: "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4c",
  payer: ELSEWHERE,
  payee: SHOP,
  amount: 700,
  reason: "not_received",
  profile: "med",
  status: "open",
  held: 700,
  charged_back: 0,
  owed: 0,
  overdue: false,
  opened_by: "payer",
  opened_at: "2026-03-01T12:00:00Z",
  answer_due_at: "2026-03-08T12:00:00Z",
  decision_due_at: "2026-03-12T12:00:00Z",
};
const OWN: DisputeState = { ...OPEN, payer: SHOP, payee: ELSEWHERE };

function open(dispute: DisputeState): ReturnType<typeof begin> {
  const begun = begin();
  begun.fake.answers("dispute", () => ({ type: "dispute_file", dispute, evidence: [] }));
  show(begun.visit, Dispute);
  return begun;
}

it("is answered by whoever was paid", async () => {
  const { hub } = open(OPEN);
  expect(await screen.findByRole("button", { name: "Enviar a resposta" })).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Retirar a contestação" })).toBeNull();
  hub.close();
});

it("is withdrawn by whoever opened it, who cannot answer it", async () => {
  const { fake, hub } = open(OWN);
  fake.answers("withdraw_dispute", () => ({ type: "dispute_state", dispute: { ...OWN, status: "withdrawn" } }));
  await userEvent.click(await screen.findByRole("button", { name: "Retirar a contestação" }));
  expect(screen.queryByRole("button", { name: "Enviar a resposta" })).toBeNull();
  await userEvent.click((await screen.findAllByRole("button", { name: "Retirar a contestação" })).at(-1) as HTMLElement);
  await vi.waitFor(() => expect(fake.heard("withdraw_dispute")).toMatchObject([{ dispute: ID }]));
  hub.close();
});

it("that an operator opened for them is theirs to read, not to withdraw", async () => {
  const { hub } = open({ ...OWN, opened_by: "operator" });
  expect(await screen.findByText(/Você pede dinheiro de volta/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Retirar a contestação" })).toBeNull();
  hub.close();
});

it("that was decided for them is taken, where it has to be", async () => {
  const decided = { ...OWN, status: "accepted", awarded: 700, decided_at: "2026-03-02T12:00:00Z", claim_due_at: "2026-04-01T12:00:00Z" };
  const { fake, hub } = open(decided);
  fake.answers("claim_dispute", () => ({ type: "dispute_state", dispute: { ...decided, claimed_at: "2026-03-03T12:00:00Z" } }));
  await userEvent.click(await screen.findByRole("button", { name: "Receber o dinheiro" }));
  await vi.waitFor(() => expect(fake.heard("claim_dispute")).toMatchObject([{ dispute: ID }]));
  hub.close();
});

it("is good news for one side and bad for the other", () => {
  expect([toneOf("rejected"), toneOf("rejected", true)]).toEqual(["good", "bad"]);
  expect([toneOf("accepted"), toneOf("accepted", true)]).toEqual(["bad", "good"]);
  expect([toneOf("open"), toneOf("open", true)]).toEqual(["wait", "wait"]);
});

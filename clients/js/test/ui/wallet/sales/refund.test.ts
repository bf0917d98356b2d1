/** Money goes back by the outbox, never more than is left, and what the hub says is what is shown. */
import { screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { LifeState } from "../../../../src/hub/wire.js";
import Refund from "../../../../src/ui/wallet/refund/Refund.svelte";
import { leftBeside, leftOf, onTheirWay } from "../../../../src/ui/wallet/refund/left.js";
import { toasts } from "../../../../src/ui/kit/toasts.svelte.js";
import { begin, show } from "./world.js";

const PAYMENT = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b";
const OTHER = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4c";

it("leaves what was given back and what is disputed", () => {
  expect(leftOf({ captured: 1_000, refunded: 300 })).toBe(700);
  expect(leftOf({ captured: 1_000, refunded: 300, disputed: 700 })).toBe(0);
});

it("counts as given what is on its way, so that nobody gives it twice", async () => {
  const { fake, hub, visit } = begin();
  fake.answers("refund", () => undefined);
  const life = { captured: 1_000, refunded: 0 } as LifeState;
  const left = (): number => leftBeside(life, onTheirWay(visit.state.payments.getSnapshot(), PAYMENT));
  void hub.move("refund", { about: PAYMENT, amount: 400 });
  void hub.move("refund", { about: OTHER, amount: 50 });
  await vi.waitFor(() => expect(fake.heard("refund")).toHaveLength(2));
  expect(left()).toBe(600);
  hub.close();
});

it("gives a part back, once, with its reason", async () => {
  const { fake, hub, visit } = begin();
  fake.answers("refund", ({ payment }) => ({ type: "payment", payment, status: "posted" }));
  const ondone = vi.fn();
  show(visit, Refund, { open: true, payment: PAYMENT, left: 1_000, name: "Ana", ondone });
  await userEvent.click(await screen.findByText("Uma parte"));
  await userEvent.type(screen.getByLabelText("Valor a devolver"), "250");
  await userEvent.type(screen.getByLabelText(/Motivo/), "Faltou o suco");
  await userEvent.click(screen.getByRole("button", { name: /^Devolver R/ }));
  await vi.waitFor(() => expect(ondone).toHaveBeenCalledOnce());
  expect(fake.heard("refund")).toMatchObject([{ about: PAYMENT, amount: 250, description: "Faltou o suco" }]);
  expect(toasts.shown.at(-1)?.tone).toBe("good");
  hub.close();
});

it("does not send more than is left", async () => {
  const { fake, hub, visit } = begin();
  show(visit, Refund, { open: true, payment: PAYMENT, left: 1_000, name: "Ana", ondone: vi.fn() });
  await userEvent.click(await screen.findByText("Uma parte"));
  await userEvent.type(screen.getByLabelText("Valor a devolver"), "1001");
  await userEvent.click(screen.getByRole("button", { name: /^Devolver R/ }));
  expect((await screen.findByRole("alert")).textContent).toContain("No máximo");
  expect(fake.heard("refund")).toHaveLength(0);
  hub.close();
});

it("says why the hub would not", async () => {
  const { fake, hub, visit } = begin();
  fake.answers("refund", ({ payment }) => ({ type: "payment", payment, status: "insufficient_funds" }));
  const ondone = vi.fn();
  show(visit, Refund, { open: true, payment: PAYMENT, left: 1_000, name: "Ana", ondone });
  await userEvent.click(await screen.findByRole("button", { name: /^Devolver R/ }));
  expect((await screen.findByRole("alert")).textContent).toContain("saldo suficiente");
  expect(ondone).not.toHaveBeenCalled();
  hub.close();
});

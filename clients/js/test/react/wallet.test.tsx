/** The stores that Svelte shows serve React as they are: examples/react is what somebody would write. */
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Wallet } from "../../examples/react/Wallet.js";
import { Hub } from "../../src/hub/hub.js";
import { State } from "../../src/state/state.js";
import { eventOf, FakeHub } from "../fake_hub.js";

let fake: FakeHub;
let hub: Hub;

beforeEach(async () => {
  vi.useFakeTimers();
  fake = new FakeHub();
  hub = new Hub(fake.options);
  const state = new State(hub);
  render(<Wallet hub={hub} state={state} />);
  expect(screen.getByRole("status").textContent).toBe("Connecting…");
  hub.connect();
  await act(() => fake.welcomed());
});
afterEach(() => {
  cleanup();
  hub.close();
  vi.useRealTimers();
});

const passes = (ms: number): Promise<void> => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));

it("shows a balance that changes by itself", async () => {
  expect(screen.getByLabelText("balance").textContent).toContain("10.00");
  fake.says(eventOf(1, 6, { amount: 250, balance: 1_250 }));
  await passes(10);
  expect(screen.getByLabelText("balance").textContent).toContain("12.50");
});

it("shows what is on its way beside the balance until the hub has said what became of it", async () => {
  fake.answers("pay", () => undefined);
  fireEvent.change(screen.getByLabelText("account"), { target: { value: "2" } });
  fireEvent.change(screen.getByLabelText("amount in cents"), { target: { value: "450" } });
  fireEvent.click(screen.getByRole("button", { name: "Pay" }));
  await passes(20);
  expect(screen.getByLabelText("balance").textContent).toContain("10.00");
  expect(screen.getByLabelText("on its way").textContent).toContain("4.50");
  const payment = fake.heard("pay")[0]?.["payment"];
  fake.says(eventOf(1, 6, { amount: -450, balance: 550, payment: String(payment), what: "payment.sent" }));
  await passes(20);
  expect(screen.getByLabelText("balance").textContent).toContain("5.50");
  expect(screen.queryByLabelText("on its way")).toBeNull();
});

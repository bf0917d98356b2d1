/** A charge's page says that it is paid in the moment when it is, and not before. */
import { screen } from "@testing-library/svelte";
import { expect, it, vi } from "vitest";

import type { ChargeState } from "../../../../src/hub/wire.js";
import Charge from "../../../../src/ui/wallet/sales/charges/Charge.svelte";
import { eventOf } from "../../../fake_hub.js";
import { begin, SHOP, show } from "./world.js";

const ID = vi.hoisted(() => "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b");
vi.mock("../../../../src/ui/wallet/routes.js", () => ({
  p: (path: string) => path,
  navigate: vi.fn(),
  route: { params: { charge: ID }, search: {}, pathname: "/" },
}));

const OPEN: ChargeState = {
  charge: ID,
  payee: SHOP,
  status: "open",
  reusable: false,
  created_at: "2026-03-01T12:00:00Z",
  code: "0002012681",
  link: "https://hub.test/c/demo/1",
  amount: 2_590,
};

it("turns from a code to paid", async () => {
  const { fake, hub, visit } = begin();
  let charge = OPEN;
  fake.answers("charge", () => ({ type: "charge_state", charge }));
  await hub.follow(SHOP, 5);
  show(visit, Charge);
  expect(await screen.findByRole("img", { name: "QR code da cobrança" })).toBeTruthy();
  expect(screen.getByText("https://hub.test/c/demo/1")).toBeTruthy();
  expect(screen.queryByText("Paga!")).toBeNull();
  charge = { ...OPEN, status: "paid", paid_count: 1, paid_amount: 2_590 };
  fake.says(eventOf(SHOP, 6, { what: "charge.paid", charge: ID, amount: 2_541, fee: 49 }));
  expect(await screen.findByText("Paga!")).toBeTruthy();
  expect(screen.queryByRole("img", { name: "QR code da cobrança" })).toBeNull();
  hub.close();
});

it("lets nobody scan what has expired", async () => {
  const { fake, hub, visit } = begin();
  fake.answers("charge", () => ({ type: "charge_state", charge: { ...OPEN, status: "expired" } }));
  show(visit, Charge);
  expect(await screen.findByText(/ninguém mais consegue pagar/)).toBeTruthy();
  expect(screen.queryByRole("img", { name: "QR code da cobrança" })).toBeNull();
  hub.close();
});

/** Keys and tills: a secret is shown once and is gone, a code is read out and linked to, fees are the ledger's. */
import { screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import type { TermsState } from "../../../../src/hub/wire.js";
import { feeOf } from "../../../../src/ui/wallet/sales/fees/fee.js";
import Keys from "../../../../src/ui/wallet/sales/keys/Keys.svelte";
import { countdown, inFours, pairingLink } from "../../../../src/ui/wallet/sales/tills/pairing.js";
import { begin, show } from "./world.js";

const KEY = { key: "k", person: "p", beginning: "phk_abcd", scopes: ["charges:read"], state: "active", made_at: "2026-03-01T12:00:00Z", name: "Site" };

describe("a key", () => {
  it("is made with the rights that were chosen, and its secret is shown this once", async () => {
    const { fake, hub, visit } = begin();
    fake.answers("api_keys", () => ({ type: "api_key_states", keys: [KEY] }));
    fake.answers("create_api_key", () => ({ type: "api_key_made", key: KEY, secret: "phk_abcd_secret" }));
    show(visit, Keys);
    await screen.findByText("Site");
    await userEvent.click(screen.getByRole("button", { name: "Nova chave" }));
    await userEvent.type(await screen.findByLabelText("Nome"), "Loja");
    await userEvent.click(screen.getByLabelText("Devolver dinheiro"));
    await userEvent.click(screen.getAllByRole("button", { name: "Criar a chave" }).at(-1) as HTMLElement);
    expect(await screen.findByText("phk_abcd_secret")).toBeTruthy();
    expect(fake.heard("create_api_key")).toMatchObject([{ name: "Loja", scopes: ["charges:read", "charges:write", "payments:read"] }]);
    await userEvent.click(screen.getByRole("button", { name: "Já guardei" }));
    await waitFor(() => expect(screen.queryByText("phk_abcd_secret")).toBeNull());
    hub.close();
  });

  it("without a name or a right is not asked for", async () => {
    const { fake, hub, visit } = begin();
    fake.answers("api_keys", () => ({ type: "api_key_states", keys: [] }));
    show(visit, Keys);
    await userEvent.click((await screen.findAllByRole("button", { name: "Nova chave" }))[0] as HTMLElement);
    await userEvent.click(await screen.findByText("Nada"));
    await userEvent.click(screen.getAllByRole("button", { name: "Criar a chave" }).at(-1) as HTMLElement);
    expect((await screen.findAllByRole("alert")).map((one) => one.textContent)).toHaveLength(2);
    expect(fake.heard("create_api_key")).toHaveLength(0);
    hub.close();
  });
});

describe("a pairing code", () => {
  it("is read out in fours, and lies behind the # of its link", () => {
    expect(inFours("ETMQ697Q")).toBe("ETMQ 697Q");
    const link = new URL(pairingLink("https://hub.test", "demo", "ETMQ697Q"));
    expect([link.pathname, link.search, link.hash]).toEqual(["/pos/", "?tenant=demo", "#pair=ETMQ697Q"]);
  });

  it("counts down, and never below nothing", () => {
    expect(countdown(600_000)).toBe("10:00");
    expect(countdown(61_001)).toBe("1:02");
    expect(countdown(-5)).toBe("0:00");
  });
});

describe("a fee", () => {
  const terms = (more: Partial<TermsState>): TermsState => ({
    terms: 1,
    name: "Shop",
    fee_ppm: 0,
    fee_fixed: 0,
    fee_min: 0,
    returns_fee: true,
    tip_percent_max: 0,
    ...more,
  });

  it("is rounded half up, with its fixed part", () => {
    expect(feeOf(200, terms({ fee_ppm: 15_000, fee_fixed: 10 }))).toBe(13);
    expect(feeOf(50, terms({ fee_ppm: 10_000 }))).toBe(1);
    expect(feeOf(49, terms({ fee_ppm: 10_000 }))).toBe(0);
  });

  it("has a floor and a lid, and never eats more than there is", () => {
    expect(feeOf(100, terms({ fee_min: 15 }))).toBe(15);
    expect(feeOf(10_000_000, terms({ fee_ppm: 20_000, fee_max: 5_000 }))).toBe(5_000);
    expect(feeOf(9, terms({ fee_min: 15 }))).toBe(9);
  });

  it("is exact where numbers are not", () => {
    expect(feeOf(10_000_000_000_000, terms({ fee_ppm: 500_000 }))).toBe(5_000_000_000_000);
  });
});

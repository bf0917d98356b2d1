/** The till by keyboard, with a network and without: what it says of money is what it knows. */
import { cleanup, render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { MemoryStorage } from "../../../src/hub/storage.js";
import { Till } from "../../../src/till/index.js";
import Counter from "../../../src/ui/till/Counter.svelte";
import { Shop } from "../../../src/ui/till/shop.svelte.js";
import { accountState, eventOf, FakeHub } from "../../fake_hub.js";

const ACCOUNT = 10;
const HOLD = "018f0000-0000-7000-8000-000000000001";
let fake: FakeHub;
let till: Till;
let shop: Shop;

/** A token that ends in five minutes. */
function token(): string {
  const now = Math.floor(Date.now() / 1_000);
  return `x.${btoa(JSON.stringify({ iat: now, exp: now + 300 }))}.x`;
}

const answers: Readonly<Record<string, () => object>> = {
  "/v1/nonces": () => ({ nonce: "n", expires_at: "", at: new Date().toISOString() }),
  "/v1/terminals/pair": () => ({ terminal: "018f0000-0000-7000-8000-0000000000aa", account: ACCOUNT, name: "Caixa 1", scopes: [] }),
  "/v1/login/terminal": () => ({ access_token: token(), scopes: ["charges:write"] }),
};

beforeEach(async () => {
  fake = new FakeHub();
  fake.accounts = [accountState(ACCOUNT)];
  fake.answers("challenge", () => ({ type: "challenge_state", nonce: "c", at: new Date().toISOString() }));
  fake.answers("create_charge", ({ charge }) => ({
    type: "charge_state",
    charge: { charge, payee: ACCOUNT, status: "open", reusable: false, created_at: new Date().toISOString(), code: "000201", amount: 1_250 },
  }));
  fake.answers("charge", ({ charge }) => ({
    type: "charge_state",
    charge: { charge, payee: ACCOUNT, status: "open", reusable: false, created_at: new Date().toISOString(), code: "000201", amount: 700 },
  }));
  fake.answers("cancel_charge", ({ charge }) => ({
    type: "charge_state",
    charge: { charge, payee: ACCOUNT, status: "cancelled", reusable: false, created_at: new Date().toISOString() },
  }));
  till = await Till.open({
    url: "https://hub.test",
    storage: new MemoryStorage(),
    keyForm: "handle",
    encoding: "json",
    WebSocket: fake.WebSocket,
    fetch: (at) => Promise.resolve(Response.json(answers[new URL(String(at)).pathname]?.() ?? {})),
  });
  await till.pair("demo", "ACDEFGHJ");
  await vi.waitFor(() => expect(till.isLive).toBe(true));
  shop = new Shop(till);
  render(Counter, { shop, onpair: () => undefined });
});
afterEach(() => {
  cleanup();
  till.close();
});

async function openTab(): Promise<void> {
  const now = till.now();
  const hour = 3_600_000;
  await till.book.put({ sort: "tab", hold: HOLD, label: "Mesa 7", amount: 5_000, at: now, lasts_s: 8 * 3_600, state: "open", payer: 20, expiresAt: now + 8 * hour });
}

async function goOffline(): Promise<void> {
  fake.isAway = true;
  fake.ends(1006);
  await vi.waitFor(() => expect(shop.isLive).toBe(false));
}

describe("with a network", { timeout: 30_000 }, () => {
  it("digits and Enter show a code, and it is paid when the hub says so and not before", async () => {
    const user = userEvent.setup();
    await user.keyboard("129{Backspace}50");
    expect(screen.getByRole("status", { name: "Valor" }).textContent).toContain("12,50");
    await user.keyboard("{Enter}");
    await screen.findByRole("img", { name: /escanear/ });
    expect(screen.queryByText("Pago")).toBeNull();
    const [asked] = fake.heard("create_charge");
    expect(asked).toMatchObject({ payee: ACCOUNT, amount: 1_250 });
    fake.says(eventOf(ACCOUNT, 6, { what: "charge.paid", charge: String(asked?.["charge"]), amount: 1_250 }));
    await screen.findByRole("heading", { name: "Pago" });
    await user.keyboard("{Escape}");
    expect(screen.getByRole("status", { name: "Valor" }).textContent).toContain("0,00");
  });

  it("Enter asks for what was typed, wherever a finger has left the focus", async () => {
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Vender" }));
    await user.keyboard("700{Enter}");
    await screen.findByRole("img", { name: /escanear/ });
  });

  it("Escape leaves the code and cancels the charge at the hub", async () => {
    const user = userEvent.setup();
    await user.keyboard("700{Enter}");
    await screen.findByRole("img", { name: /escanear/ });
    await user.keyboard("{Escape}");
    await vi.waitFor(() => expect(fake.heard("cancel_charge")).toHaveLength(1));
    await screen.findByRole("status", { name: "Valor" });
  });
});

describe("without a network", { timeout: 30_000 }, () => {
  it("nothing can be charged, and it says so", async () => {
    const user = userEvent.setup();
    await goOffline();
    await screen.findByText(/não venda agora/);
    await user.keyboard("500{Enter}");
    expect(till.book.getSnapshot().charges).toEqual([]);
    expect(screen.queryByRole("img", { name: /escanear/ })).toBeNull();
  });

  it("a tab takes the sale: accepted, which is not paid, and never more than is reserved", async () => {
    const user = userEvent.setup();
    await openTab();
    await goOffline();
    await user.keyboard("6000{Enter}");
    expect((await screen.findByRole("button", { name: /Mesa 7/ })).hasAttribute("disabled")).toBe(true);
    await user.keyboard("{Escape}");
    await vi.waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await user.keyboard("{Escape}1500{Enter}");
    await user.click(await screen.findByRole("button", { name: /Mesa 7/ }));
    await screen.findByRole("heading", { name: "Aceito" });
    expect(screen.queryByText("Pago")).toBeNull();
    expect(till.waiting).toMatchObject([{ amount: 1_500, isOffline: true, count: 1 }]);
  });
});

describe("out of service", { timeout: 30_000 }, () => {
  it("takes no sale, on a tab neither: nobody would ever pay it", async () => {
    const user = userEvent.setup();
    await openTab();
    fake.ends(4502);
    await screen.findByText(/Este caixa foi desativado/);
    await user.keyboard("500{Enter}");
    await user.keyboard("t");
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(screen.queryByRole("button", { name: "Na comanda" })).toBeNull();
    expect(screen.queryByText(/Sem conexão/)).toBeNull();
    await expect(till.tabs.sell(HOLD, 500)).rejects.toMatchObject({ why: "till_ended" });
    expect(till.book.getSnapshot().sales).toEqual([]);
  });
});

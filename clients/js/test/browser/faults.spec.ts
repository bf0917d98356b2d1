/** Whatever breaks in the middle of it, a payment is made once: the hub, the network, the tab, the token. */
import type { Page } from "@playwright/test";

import { another, expect, hubIsUp, killHub, logIn, shoot, somebody, test, world } from "./world.js";

/** Not sent, or sent and not answered. */
const PENDING = /Esperando a conexão|ainda sem confirmação/;

async function typePayment(page: Page, payee: number, sum: string, name: RegExp): Promise<void> {
  await page.goto(`${world.url}/app/pay?to=${payee}`);
  await page.getByLabel("Quanto?").fill(sum);
  await expect(page.getByRole("button", { name })).toBeEnabled();
}

test("the hub is killed in the middle of a payment", async ({ page, browser }) => {
  const [ana, bruno] = [somebody(), somebody()];
  const his = await another(browser, bruno);
  await logIn(page, ana);
  await typePayment(page, bruno.account, "1500", /^Pagar\sR\$\s15,00$/);
  await Promise.all([page.getByRole("button", { name: /^Pagar\sR\$/ }).click(), killHub()]);
  await hubIsUp();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
  await page.getByRole("link", { name: "Voltar ao início" }).click();
  await expect(page.getByText("985,00").first()).toBeVisible();
  await expect(his.getByText("1.015,00").first()).toBeVisible();
  await his.context().close();
});

test("there is no network: the payment looks pending, survives a reload without one, and is made once", async ({ page, context }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  await expect(page.getByText("Depósito")).toBeVisible();
  // What is seen is written down a moment later. The worker has kept the pages.
  await page.waitForTimeout(1_000);
  await expect.poll(() => page.evaluate(async () => (await caches.keys()).length > 0 && (await (await caches.open("shell")).keys()).length)).toBeGreaterThan(10);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await typePayment(page, bruno.account, "2500", /^Pagar\sR\$\s25,00$/);
  await context.setOffline(true);
  await page.getByRole("button", { name: /^Pagar\sR\$/ }).click();
  await expect(page.locator("[data-turn=way]")).toBeVisible();
  await expect(page.getByText("A caminho", { exact: true })).toBeVisible();
  await shoot(page, "on-its-way");
  await page.goto(`${world.url}/app/`);
  // What was seen last, and it says so; what is on its way is not counted as done.
  await expect(page.getByText("975,00").first()).toBeVisible();
  await expect(page.getByText(/sem internet/)).toBeVisible();
  await expect(page.getByText(PENDING)).toBeVisible();
  await expect(page.getByText("Depósito")).toBeVisible();
  await shoot(page, "offline");
  await context.setOffline(false);
  await expect(page.getByText(PENDING)).toHaveCount(0);
  await expect(page.getByText("975,00").first()).toBeVisible();
  await page.goto(`${world.url}/app/activity`);
  await expect(page.getByRole("list", { name: "Lançamentos" }).getByText(bruno.name)).toHaveCount(1);
});

test("the page is closed with a payment on its way, and the next one settles it", async ({ page, context }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  await typePayment(page, bruno.account, "500", /^Pagar\sR\$\s5,00$/);
  await context.setOffline(true);
  await page.getByRole("button", { name: /^Pagar\sR\$/ }).click();
  await expect(page.locator("[data-turn=way]")).toBeVisible();
  await page.close();
  await context.setOffline(false);
  const next = await context.newPage();
  await next.goto(`${world.url}/app/`);
  await expect(next.getByText("995,00").first()).toBeVisible();
  await expect(next.getByText(PENDING)).toHaveCount(0);
  await next.goto(`${world.url}/app/activity`);
  await expect(next.getByRole("list", { name: "Lançamentos" }).getByText(bruno.name)).toHaveCount(1);
});

test("the tab was asleep and shows what happened meanwhile", async ({ page, browser, context }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  const sleeper = await context.newCDPSession(page);
  await sleeper.send("Page.setWebLifecycleState", { state: "frozen" });
  const his = await another(browser, bruno);
  await typePayment(his, ana.account, "800", /^Pagar\sR\$\s8,00$/);
  await his.getByRole("button", { name: /^Pagar\sR\$/ }).click();
  await expect(his.locator("[data-turn=done]")).toBeVisible();
  await sleeper.send("Page.setWebLifecycleState", { state: "active" });
  await expect(page.getByText("1.008,00").first()).toBeVisible();
  await his.context().close();
});

test("the token has ended, and nobody has to log in again", async ({ page }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  await page.evaluate(async () => {
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const asked = indexedDB.open("payhub-app-log-in");
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error ?? new Error("closed"));
    });
    const table = db.transaction("kept", "readwrite").objectStore("kept");
    const kept = await new Promise<{ accessToken: string; endsAt: number }>((resolve) => {
      const asked = table.get("log-in");
      asked.onsuccess = () => resolve(asked.result as { accessToken: string; endsAt: number });
    });
    // It still looks good to this machine, and the hub knows better.
    table.put({ ...kept, accessToken: `${kept.accessToken.slice(0, -6)}AAAAAA` }, "log-in");
    db.close();
  });
  await typePayment(page, bruno.account, "100", /^Pagar\sR\$\s1,00$/);
  await page.getByRole("button", { name: /^Pagar\sR\$/ }).click();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
});

test("two tabs pay at once, both are right, and leaving one leaves both", async ({ page, context }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  const second = await context.newPage();
  await typePayment(page, bruno.account, "100", /^Pagar\sR\$\s1,00$/);
  await typePayment(second, bruno.account, "200", /^Pagar\sR\$\s2,00$/);
  await Promise.all([page, second].map((one) => one.getByRole("button", { name: /^Pagar\sR\$/ }).click()));
  await expect(page.locator("[data-turn=done]")).toBeVisible();
  await expect(second.locator("[data-turn=done]")).toBeVisible();
  for (const one of [page, second]) await one.getByRole("link", { name: "Voltar ao início" }).click();
  await expect(page.getByText("997,00").first()).toBeVisible();
  await expect(second.getByText("997,00").first()).toBeVisible();
  await page.goto(`${world.url}/app/you`);
  await page.getByRole("button", { name: "Sair", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sair", exact: true }).click();
  for (const one of [page, second]) await expect(one.locator("input[name=username]")).toBeVisible();
  // Whoever comes next sees nothing of hers, not for a moment and not without a network.
  await logIn(second, bruno);
  await expect(second.getByText("1.003,00").first()).toBeVisible();
});

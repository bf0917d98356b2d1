/** The till at a counter: paid by code, on tabs, without a network, and never twice. */
import type { Browser, Page } from "@playwright/test";

import { confirm, scan } from "./acts.js";
import { as, type Ask } from "./asking.js";
import { another, expect, expectAccessible, shoot, somebody, type Somebody, test, world } from "./world.js";

/** A machine becomes the merchant's till, by the code that they were shown. */
async function pairTill(page: Page, ask: Ask, shop: Somebody): Promise<void> {
  const { code } = await ask("POST", "/v1/terminals/codes", { account: shop.account, name: "Balcão", may_refund: true });
  await page.goto(`${world.url}/pos/`);
  await page.getByLabel("Código de pareamento").fill(String(code).toLowerCase());
  await page.keyboard.press("Enter");
  await expect(page.getByText("Conectado")).toBeVisible();
}

function sum(page: Page): ReturnType<Page["getByRole"]> {
  return page.getByRole("status", { name: "Valor" });
}

/** Type a sum and ask for it, by keyboard alone. */
async function charge(page: Page, cents: string): Promise<ReturnType<Page["getByRole"]>> {
  await expect(sum(page)).toContainText("0,00");
  await page.keyboard.type(cents);
  await page.keyboard.press("Enter");
  const code = page.getByRole("img", { name: "Código para escanear com o celular" });
  await expect(code).toBeVisible();
  return code;
}

test("by keyboard alone: charged, cancelled, paid, found out after a reload, given back, counted", async ({ page, browser, context }) => {
  const [shop, ana] = [somebody("merchants"), somebody()];
  const ask = await as(shop);
  await page.goto(`${world.url}/pos/`);
  await expect(page.getByRole("heading", { name: "Parear este caixa" })).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "till-pair");
  await pairTill(page, ask, shop);
  await expectAccessible(page);
  await shoot(page, "till-sell");

  await charge(page, "500");
  await expectAccessible(page);
  await shoot(page, "till-charge");
  await page.keyboard.press("Escape");
  // Where a finger was last does not matter to whoever types.
  await page.getByRole("button", { name: "Vender" }).click();
  await expect.poll(async () => ((await ask("GET", `/v1/accounts/${shop.account}/charges?status=cancelled`))["charges"] as unknown[]).length).toBe(1);

  const hers = await another(browser, ana);
  await scan(hers, await charge(page, "1250"));
  await confirm(hers);
  await expect(page.getByRole("heading", { name: "Pago" })).toBeVisible();
  await expect(page.getByRole("alert")).toContainText("12,50");
  await expectAccessible(page);
  await shoot(page, "till-paid");
  await page.keyboard.press("Enter");

  const code = await (await charge(page, "700")).screenshot();
  await page.reload();
  await expect(page.getByRole("img", { name: "Código para escanear com o celular" })).toBeVisible();
  // Nobody is at the till when she pays.
  await page.goto("about:blank");
  await scan(hers, code);
  await confirm(hers);
  await page.goto(`${world.url}/pos/`);
  await expect(page.getByRole("heading", { name: "Pago" })).toBeVisible();
  await expect(page.getByRole("alert")).toContainText("7,00");
  await page.keyboard.press("Enter");

  await page.getByRole("button", { name: "Hoje" }).click();
  await expect(page.getByText("2 vendas")).toBeVisible();
  await page.getByRole("region", { name: "Vendas" }).getByRole("button", { name: /12,50/ }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByRole("button", { name: "Devolver" }).click();
  await sheet.getByLabel("Quanto").fill("300");
  await expectAccessible(page);
  await shoot(page, "till-refund");
  await sheet.getByRole("button", { name: "Devolver" }).click();
  await expect(sheet).toHaveCount(0);
  await expect(page.locator(".total")).toContainText("16,50");
  await expect(page.getByText("516,50").last()).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "till-day");
  await hers.getByRole("link", { name: "Voltar ao início" }).click();
  await expect(hers.getByText("983,50").first()).toBeVisible();
  await hers.context().close();

  // Two windows of one till would count its sales twice.
  const second = await context.newPage();
  await second.goto(`${world.url}/pos/`);
  await expect(second.getByText("O caixa está aberto em outra janela")).toBeVisible();
  await expectAccessible(second);
  await page.close();
  await expect(second.getByText("Conectado")).toBeVisible();
  const { terminals } = await ask("GET", "/v1/terminals");
  await ask("DELETE", `/v1/terminals/${(terminals as { terminal: string }[])[0]?.terminal ?? ""}`);
  await expect(second.getByRole("alert")).toContainText("Este caixa foi desativado");
  await second.keyboard.type("100");
  await expect(second.getByRole("button", { name: "Cobrar" })).toBeDisabled();
  await expectAccessible(second);
  await shoot(second, "till-revoked");
  await second.close();
});

test("a tab is sold on with a network and without, posted once, and the rest goes back", async ({ page, browser, context }) => {
  const [shop, ana] = [somebody("merchants"), somebody()];
  await pairTill(page, await as(shop), shop);
  await keptForLater(page);
  const hers = await openTab(page, browser, ana);

  await sell(page, "1200");
  await expect(page.getByRole("heading", { name: "Pago" })).toBeVisible();
  await expect(page.getByRole("alert")).toContainText(/Restam R\$\s38,00 nela/);
  await page.keyboard.press("Enter");

  await context.setOffline(true);
  await expect(page.getByText("Sem conexão", { exact: true })).toBeVisible();
  await expect(page.getByText("Sem conexão, só comandas abertas podem pagar.")).toBeVisible();
  for (const [cents, left] of [["800", "30,00"], ["500", "25,00"]] as const) {
    await sell(page, cents);
    await expect(page.getByRole("heading", { name: "Aceito" })).toBeVisible();
    await expect(page.getByRole("alert")).toContainText(left);
    await shoot(page, "till-accepted");
    await page.keyboard.press("Enter");
  }
  // What was accepted is safe, whoever pulls the plug.
  await page.reload();
  await expect(page.getByText("2 a enviar")).toBeVisible();
  await page.getByRole("button", { name: /Hoje/ }).click();
  await expect(page.getByText("Guardado neste caixa até a conexão voltar. Não entra no total.")).toBeVisible();
  await expect(page.locator(".total")).toContainText("12,00");
  await expectAccessible(page);
  await shoot(page, "till-offline");

  await context.setOffline(false);
  await expect(page.getByText("2 a enviar")).toHaveCount(0);
  await expect(page.locator(".total")).toContainText("25,00");
  await expect(page.getByText("3 vendas")).toBeVisible();
  await expect(page.getByText("525,00").last()).toBeVisible();
  await page.getByRole("button", { name: /Comandas/ }).click();
  await expect(page.getByText(/R\$\s25,00 pagos, R\$\s25,00 devolvidos/)).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "till-tabs");
  await expect(hers.getByText("975,00").first()).toBeVisible();
  await hers.context().close();
});

/** Ask for a tab at the till, and have a customer reserve it in their wallet, which is given back. */
async function openTab(page: Page, browser: Browser, who: Somebody): Promise<Page> {
  await page.getByRole("button", { name: /Comandas/ }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Abrir comanda" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("De quem é").fill("Mesa 4");
  await sheet.getByLabel("Até quanto").fill("5000");
  await expectAccessible(page);
  await shoot(page, "till-tab-new");
  await sheet.getByRole("button", { name: "Mostrar o código" }).click();
  const code = page.getByRole("img", { name: "Código para escanear com o celular" });
  await expect(code).toBeVisible();
  await expect(sheet).toHaveCount(0);
  const wallet = await another(browser, who);
  await scan(wallet, code);
  await expect(wallet.getByRole("heading", { name: "Abrir comanda" })).toBeVisible();
  await expectAccessible(wallet);
  await shoot(wallet, "tab-reserve");
  await wallet.getByRole("button", { name: "Reservar" }).click();
  await expect(wallet.getByText("Reservado")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Reservado" })).toBeVisible();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Vender" }).click();
  await wallet.getByRole("link", { name: "Pronto" }).click();
  return wallet;
}

/** Sell on the only tab, by keyboard alone. */
async function sell(page: Page, cents: string): Promise<void> {
  await expect(sum(page)).toContainText("0,00");
  await page.keyboard.type(cents);
  await page.keyboard.press("t");
  await expect(page.getByRole("dialog").getByRole("button", { name: /Mesa 4/ })).toBeFocused();
  await page.keyboard.press("Enter");
}

/** The worker has kept the pages for when there is no network. */
async function keptForLater(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await expect.poll(() => page.evaluate(async () => (await (await caches.open("shell")).keys()).length)).toBeGreaterThan(10);
}

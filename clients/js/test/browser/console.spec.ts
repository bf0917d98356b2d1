/** Those who work there: they find any payment, decide what waits, stop somebody, and see no more than their role does. */
import type { Page } from "@playwright/test";

import { as, paid } from "./asking.js";
import { another, expect, expectAccessible, logIn, shoot, somebody, test, world } from "./world.js";

test.use({ viewport: { width: 1280, height: 800 } });

async function find(page: Page, typed: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "O que você procura?" }).fill(typed);
}

test("any payment is found by its id, whole, and its proof is checked", async ({ page }) => {
  const [ana, bruno, olga] = [somebody(), somebody(), somebody("operators")];
  const payment = await paid(ana, bruno, 12_34);
  await logIn(page, olga, "console");
  await expect(page.getByRole("heading", { level: 1, name: "Agora" })).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "console-now");
  await find(page, payment);
  await expectAccessible(page);
  await shoot(page, "console-find");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Explicar um pagamento" })).toBeVisible();
  await expect(page.getByText("R$ 12,34").first()).toBeVisible();
  await expect(page.getByText("Pagamento pedido")).toBeVisible();
  // It may have been too early for the log, which is sealed within a second.
  await expect(async () => {
    await page.getByRole("button", { name: "Atualizar" }).click();
    await expect(page.getByText("O recibo é autêntico e está no registro")).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await expectAccessible(page);
  await shoot(page, "console-payment");
  // Undone from here: both have what they had.
  await page.getByRole("button", { name: "Desfazer o pagamento" }).click();
  await page.getByRole("dialog").getByLabel(/Por quê/).fill("Pago por engano");
  await page.getByRole("dialog").getByRole("button", { name: "Desfazer o pagamento" }).click();
  await expect(page.getByText("Desfeito por um operador")).toBeVisible();
  await find(page, String(ana.account));
  await page.getByRole("option", { name: /Esta conta/ }).click();
  await expect(page.getByText("1.000,00").first()).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "console-account");
});

test("what a rule set aside arrives by itself, and is let through or not", async ({ page, browser }) => {
  const [carla, davi, bruno, olga] = [somebody("watched"), somebody("watched"), somebody(), somebody("operators")];
  await logIn(page, olga, "console");
  await page.getByRole("link", { name: "Análises" }).click();
  await expect(page.getByText("Nada espera por você")).toBeVisible();
  const hers = await another(browser, carla);
  await hers.goto(`${world.url}/app/pay?to=${bruno.account}`);
  await hers.getByLabel("Quanto?").fill("15000");
  await hers.getByRole("button", { name: /^Pagar\sR\$\s150,00$/ }).click();
  await expect(hers.getByText(/análise/i).first()).toBeVisible();
  await paid(davi, bruno, 200_00);
  const rows = page.getByRole("table").locator("tbody tr");
  await expect(rows).toHaveCount(2);
  await expectAccessible(page);
  await shoot(page, "console-reviews");
  await rows.filter({ hasText: "150,00" }).getByRole("button", { name: "Aprovar", exact: true }).click();
  await rows.filter({ hasText: "200,00" }).getByRole("button", { name: "Não aprovar" }).click();
  await expect(page.getByText("Nada espera por você")).toBeVisible();
  // The one is with him, and the other's money is hers again.
  await hers.goto(`${world.url}/app/`);
  await expect(hers.getByText("850,00").first()).toBeVisible();
  await page.goto(`${world.url}/console/account/${davi.account}`);
  await expect(page.getByText("1.000,00").first()).toBeVisible();
  await page.goto(`${world.url}/console/account/${bruno.account}`);
  await expect(page.getByText("1.150,00").first()).toBeVisible();
  await hers.context().close();
});

test("a dispute is decided, and the money goes back", async ({ page }) => {
  const [ana, shop, olga] = [somebody(), somebody("merchants"), somebody("operators")];
  const payment = await paid(ana, shop, 80_00);
  const dispute = crypto.randomUUID();
  await (await as(ana))("POST", "/v1/disputes", { dispute, payment, reason: "fraud", text: "Não fui eu." });
  await (await as(shop))("POST", `/v1/disputes/${dispute}/answer`, { answer: "contest", text: "Foi entregue." });
  await logIn(page, olga, "console");
  await page.getByRole("link", { name: "Contestações", exact: true }).click();
  await page.getByRole("table").getByRole("link").filter({ hasText: "80,00" }).click();
  await expect(page.getByText("Não fui eu.")).toBeVisible();
  await expect(page.getByText("Foi entregue.")).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "console-dispute");
  await page.getByRole("button", { name: "Tudo", exact: true }).click();
  await page.getByLabel(/Nota/).fill("Sem comprovante de entrega.");
  await page.getByRole("button", { name: /R\$\s80,00$/ }).click();
  await expect(page.getByText("Sem comprovante de entrega.")).toBeVisible();
  await page.getByRole("link", { name: "Explicar o pagamento" }).click();
  await expect(page.getByText("Contestação decidida")).toBeVisible();
  // It goes back when the payer asks for it.
  await (await as(ana))("POST", `/v1/disputes/${dispute}/claim`, {});
  await page.getByRole("button", { name: "Atualizar" }).click();
  await expect(page.getByText("Devolvido após a contestação").first()).toBeVisible();
  await shoot(page, "console-disputed");
  await page.goto(`${world.url}/console/account/${ana.account}`);
  await expect(page.getByText("1.000,00").first()).toBeVisible();
});

test("somebody is stopped, thrown out, and let in again, and the trail has it", async ({ page, browser }) => {
  const [ana, bruno, olga] = [somebody(), somebody(), somebody("operators")];
  const hers = await another(browser, ana);
  await logIn(page, olga, "console");
  await page.getByRole("link", { name: "Pessoas" }).click();
  await page.getByLabel("Por", { exact: true }).selectOption("login");
  await page.getByLabel("O quê").fill(ana.login);
  await page.keyboard.press("Enter");
  await page.getByRole("table").getByRole("link").filter({ hasText: ana.name }).click();
  await page.getByRole("button", { name: "Abrir a ficha" }).click();
  await expect(page.getByText(ana.login, { exact: true })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Mudar", exact: true }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Situação").selectOption("blocked");
  await sheet.getByLabel("Motivo").selectOption("suspected_fraud");
  await expectAccessible(page);
  await shoot(page, "console-standing");
  await sheet.getByRole("button", { name: "Bloquear" }).click();
  await expect(page.getByText(/porque há suspeita de fraude/)).toBeVisible();
  // Her page knows at once, and whoever pays her is told.
  await expect(hers.getByText(/bloquead/i).first()).toBeVisible();
  await expect(paid(bruno, ana, 1_00)).rejects.toThrow("payee_not_open");
  await page.getByRole("button", { name: "Mostrar" }).click();
  await page.getByRole("button", { name: "Encerrar todas" }).click();
  await sheet.getByLabel(/Por quê/).fill("Conta tomada");
  await sheet.getByRole("button", { name: "Encerrar todas" }).click();
  await expect(hers.locator("input[name=username]")).toBeVisible();
  await page.getByRole("button", { name: "Mudar", exact: true }).click();
  await sheet.getByLabel("Situação").selectOption("active");
  await sheet.getByRole("button", { name: "Ativar" }).click();
  await expect(page.getByText(/porque foi identificada/)).toBeVisible();
  await page.getByRole("link", { name: "A auditoria dela" }).click();
  await expect(page.getByRole("row").filter({ hasText: "suspected_fraud" })).toContainText("Situação da pessoa definida");
  await expectAccessible(page);
  await shoot(page, "console-trail");
  await hers.context().close();
});

test("what is reserved, who is connected and why they went, and what is refused right now", async ({ page, browser }) => {
  const [ana, shop, olga] = [somebody(), somebody("merchants"), somebody("operators")];
  const hers = await another(browser, ana);
  await (await as(ana))("POST", "/v1/payments/authorize", { payment: crypto.randomUUID(), payer: ana.account, payee: shop.account, amount: 61_00 });
  await expect(paid(ana, shop, 9_999_00)).rejects.toThrow("insufficient_funds");
  await logIn(page, olga, "console");
  await expect(page.getByText("Sem saldo").first()).toBeVisible();
  await page.getByRole("link", { name: "Reservas" }).click();
  await expect(page.getByRole("row").filter({ hasText: "61,00" })).toContainText(ana.name);
  await expectAccessible(page);
  await shoot(page, "console-holds");
  await page.getByRole("link", { name: "Conexões", exact: true }).click();
  await page.getByLabel(/^Id da pessoa/).fill(ana.person);
  await page.getByRole("button", { name: "Olhar" }).click();
  const [here, gone] = [page.getByRole("table", { name: "Conectados" }), page.getByRole("table", { name: "Saíram há pouco" })];
  await expect(here.getByRole("row").filter({ hasText: "Página web" })).toHaveCount(1);
  await hers.context().close();
  await expect(async () => {
    await page.getByRole("button", { name: "Atualizar" }).click();
    await expect(gone.getByRole("row").filter({ hasText: /1001|1006/ })).toHaveCount(1, { timeout: 1_000 });
  }).toPass();
  await expect(page.getByText("Ninguém está conectado")).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "console-connections");
});

test("a rule is changed, and what was never delivered is sent again", async ({ page }) => {
  await logIn(page, somebody("operators"), "console");
  await page.getByRole("navigation").getByRole("link", { name: "Não entregues" }).click();
  const rows = page.getByRole("table").locator("tbody tr");
  await expect(rows.filter({ hasText: "INVALID_ARGUMENT" })).toHaveCount(1);
  await expectAccessible(page);
  await shoot(page, "console-undelivered");
  await rows.getByRole("button", { name: "Enviar de novo" }).click();
  await expect(page.getByText("Nada foi posto de lado")).toBeVisible();
  await page.getByRole("link", { name: "Instituição" }).click();
  await page.getByRole("button", { name: "Limites e regras" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Nova regra" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Regra", { exact: true }).fill("Muitos de uma vez");
  await sheet.getByLabel("Número do conjunto").fill("3");
  await sheet.getByLabel("Número da regra").fill("9");
  await sheet.getByLabel("Olha").selectOption("velocity");
  await sheet.getByLabel("Acima de que número ela age").fill("5");
  await expectAccessible(page);
  await shoot(page, "console-rule");
  await sheet.getByRole("button", { name: "Mudar" }).click();
  await page.getByRole("button", { name: "Mudar: Muitos de uma vez" }).click();
  await sheet.getByLabel("Acima de que número ela age").fill("7");
  await sheet.getByRole("button", { name: "Mudar" }).click();
  await expect(page.getByRole("row").filter({ hasText: "Muitos de uma vez" })).toContainText("7");
});

test("each sees what their role is for", async ({ page, browser }) => {
  await logIn(page, somebody("auditors"), "console");
  await page.getByRole("link", { name: "Instituição" }).click();
  await page.getByRole("button", { name: "Limites e regras" }).click();
  await expect(page.getByRole("row").filter({ hasText: "Look first" })).toBeVisible();
  await expect(page.getByRole("button", { name: /Nova regra|Mudar/ })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Pessoas" })).toHaveCount(0);
  await expectAccessible(page);
  const other = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
  await logIn(other, somebody("support"), "console");
  await other.getByRole("button", { name: "Menu" }).click();
  await expect(other.getByRole("navigation").getByRole("link")).toHaveText(["Pessoas", "Auditoria"]);
  await expectAccessible(other);
  await other.goto(`${world.url}/console/payments`);
  await expect(other.getByText("Esta página não é para o seu papel")).toBeVisible();
  await shoot(other, "console-not-yours");
  // Whoever does not work here is led to where their money is.
  const third = await (await browser.newContext({ locale: "en-GB" })).newPage();
  await logIn(third, somebody(), "console");
  await expect(third.getByRole("link", { name: "Go to the wallet" })).toBeVisible();
  await other.context().close();
  await third.context().close();
});

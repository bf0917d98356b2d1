/** Somebody works for a shop with a log-in of their own: invited, acting within their rights, and out at once. */
import { another, expect, expectAccessible, logIn, shoot, somebody, test, world } from "./world.js";

test("a cashier is invited, sells for the shop and is named for it, and is out when the shop says so", async ({ page, browser }) => {
  const shop = somebody("merchants");
  const rita = somebody();
  await logIn(page, shop);
  await page.goto(`${world.url}/app/sales/staff`);
  await page.getByRole("button", { name: "Convidar alguém" }).first().click();
  await page.getByLabel("Usuário da pessoa").fill(rita.login);
  await page.getByLabel("Nome").fill("Balcão");
  await expectAccessible(page);
  await shoot(page, "staff-invite");
  await page.getByRole("button", { name: "Enviar o convite" }).last().click();
  await expect(page.getByText("Convite enviado")).toBeVisible();

  const working = await another(browser, rita);
  await working.goto(`${world.url}/app/you/teams`);
  await working.getByRole("button", { name: "Aceitar" }).click();
  await working.getByRole("button", { name: "Aceitar" }).last().click();
  await working.getByRole("button", { name: "Agir por ela" }).click();
  await expect(working.getByText(`Você age por ${shop.name}.`)).toBeVisible();
  // What is the shop's own is not there, by no way; and a page that is loaded anew still acts.
  await expect(working.getByRole("link", { name: /Cobranças/ })).toBeVisible();
  await expect(working.getByRole("link", { name: /Chaves/ })).toHaveCount(0);
  await expectAccessible(working);
  await shoot(working, "staff-acting");
  await working.goto(`${world.url}/app/sales/keys`);
  await expect(working.getByRole("heading", { level: 1 })).toHaveText("Isto não está aberto para você aqui");
  await expectAccessible(working);
  await working.goto(`${world.url}/app/sales/charges?new=yes`);
  await expect(working.getByText(`Você age por ${shop.name}.`)).toBeVisible();

  // The shop sees who it is, and ends it.
  await expect(page.getByText(rita.name)).toBeVisible();
  await expect(page.getByText("Ativo", { exact: true })).toBeVisible();
  await shoot(page, "staff");
  await page.getByRole("button", { name: "Encerrar" }).click();
  await page.getByRole("button", { name: "Encerrar" }).last().click();
  await expect(working.getByText(`Você não age mais por ${shop.name}`)).toBeVisible();
  await expect(working.getByText("Nenhuma equipe ainda")).toBeVisible();
  await expect(working.getByRole("link", { name: "Você", exact: true })).toBeVisible();
  await working.context().close();
});

/** Coming in, and being refused. */
import { expect, expectAccessible, listen, logIn, shoot, somebody, test, world } from "./world.js";

test("somebody logs in, stays logged in over a reload, and sees what they have", async ({ page }) => {
  const ana = somebody();
  await page.goto(`${world.url}/`);
  await expect(page).toHaveURL(/\/app\/$/);
  await expectAccessible(page);
  await shoot(page, "entrance");
  await logIn(page, ana);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(ana.name.split(" ")[0] ?? "");
  await expect(page.getByText("1.000,00").first()).toBeVisible();
  await page.reload();
  await expect(page.getByText("1.000,00").first()).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "home");
});

test("a wrong password says what is wrong and nothing else", async ({ page }) => {
  const ana = somebody();
  await page.goto(`${world.url}/app/`);
  await page.getByLabel("Usuário").fill(ana.login);
  await page.getByLabel("Senha", { exact: true }).fill("not this one");
  await page.getByRole("button", { name: "Entrar", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("senha");
  await expect(page.locator("main#content")).toHaveCount(0);
});

test("a page asks nobody else for anything", async ({ page }) => {
  const asked: string[] = [];
  const said = listen(page);
  page.on("request", (request) => asked.push(new URL(request.url()).host));
  await logIn(page, somebody());
  await page.waitForTimeout(500);
  expect([...new Set(asked)]).toEqual([new URL(world.url).host]);
  expect(said).toEqual([]);
});

test("somebody new opens an account and is in", async ({ page }) => {
  await page.goto(`${world.url}/app/`);
  await page.getByRole("button", { name: "Abrir conta" }).click();
  await expectAccessible(page);
  await page.getByLabel("Seu nome completo").fill("Rita Campos");
  await page.getByLabel("Escolha um usuário").fill(`rita-${Date.now()}`);
  await page.getByLabel("Escolha uma senha").fill("quatro palavras bem incomuns");
  await page.getByRole("button", { name: "Abrir a conta" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Rita");
});

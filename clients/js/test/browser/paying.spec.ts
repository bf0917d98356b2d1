/** Money from one person to another, as both of them see it. */
import { another, expect, expectAccessible, logIn, shoot, somebody, test, world } from "./world.js";

test("somebody pays a friend by their number, both see it at once, and the payer checks the proof", async ({ page, browser }) => {
  const [ana, bruno] = [somebody(), somebody()];
  const his = await another(browser, bruno);
  await logIn(page, ana);
  await page.getByRole("link", { name: "Pagar", exact: true }).first().click();
  await expectAccessible(page);
  await page.getByLabel("Nome, número da conta ou código").fill(String(bruno.account));
  await page.getByRole("button", { name: `Pagar a conta ${bruno.account}` }).click();
  await expect(page.getByText(bruno.name)).toBeVisible();
  await page.getByLabel("Quanto?").fill("2050");
  await page.getByLabel("Mensagem").fill("Dois cafés");
  await expectAccessible(page);
  await shoot(page, "pay");
  await page.getByRole("button", { name: /^Pagar\sR\$\s20,50$/ }).click();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
  await expect(page.getByText("979,50").first()).toBeVisible();
  await shoot(page, "paid");
  // On his page it is there without anything done.
  await expect(his.getByText("1.020,50").first()).toBeVisible();
  await expect(his.getByText("Dois cafés").first()).toBeVisible();

  await page.getByRole("link", { name: "Ver o pagamento" }).click();
  await page.getByRole("button", { name: "Conferir o comprovante" }).click();
  await expect(page.getByText("A instituição assinou este pagamento.")).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "proof");
  await his.context().close();
});

test("a friend who was paid before is three taps away", async ({ page }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  await page.goto(`${world.url}/app/pay?to=${bruno.account}`);
  await page.getByLabel("Quanto?").fill("100");
  await page.getByRole("button", { name: /^Pagar\sR\$\s1,00$/ }).click();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
  await page.getByRole("link", { name: "Voltar ao início" }).click();
  // One, the friend; two, the sum; three, pay.
  await page.getByRole("link", { name: `Pagar ${bruno.name}` }).click();
  await page.getByLabel("Quanto?").fill("250");
  await page.getByRole("button", { name: /^Pagar\sR\$\s2,50$/ }).click();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
  await expect(page.getByText("996,50").first()).toBeVisible();
});

test("more than there is cannot be paid, and nothing is asked of the hub", async ({ page }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  await page.goto(`${world.url}/app/pay?to=${bruno.account}`);
  await page.getByLabel("Quanto?").fill("100001");
  await expect(page.getByRole("alert")).toContainText("1.000,00");
  await expect(page.getByRole("button", { name: /^Pagar\sR\$/ })).toBeDisabled();
});

test("a request is paid by its code, and turns to paid before the eyes of whoever shows it", async ({ page, browser }) => {
  const [ana, bruno] = [somebody(), somebody()];
  const his = await another(browser, bruno);
  await his.getByRole("link", { name: "Receber" }).first().click();
  await his.getByRole("button", { name: "Cobrar um valor" }).click();
  await his.getByLabel("Quanto?").fill("4200");
  await his.getByLabel("Do que se trata?").fill("Almoço");
  await his.getByRole("button", { name: "Criar a cobrança" }).click();
  const code = his.locator(".copy .text").nth(1);
  await expect(code).toBeVisible();
  await expect(his.getByRole("img", { name: "Código QR" })).toBeVisible();
  await expectAccessible(his);
  await shoot(his, "charge");
  const text = (await code.textContent()) ?? "";

  await logIn(page, ana);
  await page.goto(`${world.url}/app/pay`);
  await page.getByLabel("Nome, número da conta ou código").fill(text);
  await page.getByRole("button", { name: "Pagar este código" }).click();
  await expect(page.getByText("Almoço")).toBeVisible();
  await page.getByRole("button", { name: /^Pagar\sR\$\s42,00$/ }).click();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
  await expect(his.getByText("Pago!")).toBeVisible();
  await his.context().close();
});

test("a code is read out of a picture", async ({ page, browser }) => {
  const [ana, bruno] = [somebody(), somebody()];
  const his = await another(browser, bruno);
  await his.getByRole("link", { name: "Receber" }).first().click();
  await his.getByRole("button", { name: /^Meu código/ }).click();
  const picture = his.getByRole("img", { name: "Código QR" });
  await expect(picture).toBeVisible();
  const buffer = await picture.screenshot();
  await his.context().close();

  await logIn(page, ana);
  await page.goto(`${world.url}/app/pay?scan=yes`);
  await page.locator("input[type=file]").setInputFiles({ name: "code.png", mimeType: "image/png", buffer });
  await expect(page.getByText(bruno.name)).toBeVisible();
  await page.getByLabel("Quanto?").fill("500");
  await page.getByRole("button", { name: /^Pagar\sR\$\s5,00$/ }).click();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
});

test("what was paid is given back, in part, by whoever got it", async ({ page, browser }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  await page.goto(`${world.url}/app/pay?to=${bruno.account}`);
  await page.getByLabel("Quanto?").fill("3000");
  await page.getByRole("button", { name: /^Pagar\sR\$\s30,00$/ }).click();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
  await page.getByRole("link", { name: "Ver o pagamento" }).click();
  await expect(page).toHaveURL(/\/payment\//);
  const path = new URL(page.url()).pathname;

  const his = await another(browser, bruno);
  await his.goto(`${world.url}${path}`);
  await his.getByRole("button", { name: "Devolver dinheiro" }).click();
  await his.getByText("Uma parte").click();
  await his.getByLabel("Valor a devolver").fill("1000");
  await his.getByRole("button", { name: /^Devolver\sR\$\s10,00$/ }).click();
  await expect(his.getByRole("dialog")).toHaveCount(0);
  // Hers changes by itself.
  await expect(page.getByText("Devolvido em parte")).toBeVisible();
  await his.context().close();
});

test("something wrong with a payment is said, and the dispute is open", async ({ page }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  await page.goto(`${world.url}/app/pay?to=${bruno.account}`);
  await page.getByLabel("Quanto?").fill("700");
  await page.getByRole("button", { name: /^Pagar\sR\$\s7,00$/ }).click();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
  await page.getByRole("link", { name: "Ver o pagamento" }).click();
  await page.getByRole("button", { name: "Algo está errado" }).click();
  await page.getByText("Não fui eu que paguei").click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Abrir a contestação" }).click();
  await expect(page.getByText("Contestado", { exact: true }).first()).toBeVisible();
});

test("the activity is searched and filtered by the hub", async ({ page }) => {
  const [ana, bruno] = [somebody(), somebody()];
  await logIn(page, ana);
  for (const note of ["feira", "padaria"]) {
    await page.goto(`${world.url}/app/pay?to=${bruno.account}`);
    await page.getByLabel("Quanto?").fill("300");
    await page.getByLabel("Mensagem").fill(note);
    await page.getByRole("button", { name: /^Pagar\sR\$\s3,00$/ }).click();
    await expect(page.locator("[data-turn=done]")).toBeVisible();
  }
  await page.goto(`${world.url}/app/activity`);
  await expect(page.getByText("feira")).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "activity");
  await page.getByLabel("Buscar nas mensagens").fill("padaria");
  await expect(page.getByText("feira")).toHaveCount(0);
  await expect(page.getByText("padaria").last()).toBeVisible();
  await page.getByLabel("Buscar nas mensagens").fill("");
  await page.getByText("Entradas", { exact: true }).click();
  await expect(page.getByText("Depósito").first()).toBeVisible();
  await expect(page.getByText("feira")).toHaveCount(0);
});

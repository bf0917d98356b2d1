/** A merchant's pages: what is sold before their eyes, and all that a shop has beside it. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

import type { Page } from "@playwright/test";

import { pay, payCode } from "./acts.js";
import { as, takesKey, totp } from "./asking.js";
import { another, expect, expectAccessible, fresh, logIn, shoot, somebody, test, world } from "./world.js";

test("sales arrive while one looks; a charge is paid, given back in part, and both see it", async ({ page, browser }) => {
  const [shop, ana] = [somebody("merchants"), somebody()];
  await logIn(page, shop);
  await page.getByRole("link", { name: "Vendas" }).click();
  const sold = page.getByRole("region", { name: "Vendido hoje" });
  await expect(sold.locator(".sum")).toContainText("0,00");
  await expect(page.getByText("Nenhuma venda ainda")).toBeVisible();
  await expectAccessible(page);

  const hers = await another(browser, ana);
  await pay(hers, shop.account, 3000);
  // Nothing is done on the merchant's page: the sums, the chart and the list are there by themselves.
  await expect(sold.locator(".sum")).toContainText("30,00");
  await expect(page.getByRole("img", { name: /Gráfico das vendas de hoje.*30,00/ })).toBeVisible();
  await expect(page.getByRole("region", { name: "Últimas vendas" }).getByRole("link", { name: ana.name })).toBeVisible();
  await shoot(page, "sales");

  await page.getByRole("link", { name: "Nova cobrança" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByRole("button", { name: "Criar a cobrança" }).click();
  await expect(sheet.getByRole("alert")).toContainText("pelo menos um centavo");
  await sheet.getByLabel("Valor", { exact: true }).fill("4200");
  await sheet.getByLabel("Referente a").fill("Pedido 17");
  await expectAccessible(page);
  await shoot(page, "sales-charge-new");
  await sheet.getByRole("button", { name: "Criar a cobrança" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Pedido 17");
  await expect(page.getByRole("img", { name: "QR code da cobrança" })).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "sales-charge");
  await payCode(hers, (await page.locator(".copy .text").nth(1).textContent()) ?? "");
  await expect(page.getByText("Paga!")).toBeVisible();
  await expect(page.getByText(`por ${ana.name}`)).toBeVisible();
  await shoot(page, "sales-charge-paid");

  await hers.getByRole("link", { name: "Ver o pagamento" }).click();
  await page.getByRole("region", { name: "Quem pagou" }).getByRole("link").click();
  await page.getByRole("button", { name: "Devolver dinheiro" }).click();
  await sheet.getByText("Uma parte").click();
  await sheet.getByLabel("Valor a devolver").fill("1000");
  await sheet.getByRole("button", { name: /^Devolver\sR\$\s10,00$/ }).click();
  await expect(sheet).toHaveCount(0);
  await expect(page.getByText(/Ainda dá para devolver R\$\s32,00/)).toBeVisible();
  await expect(hers.getByText("Devolvido em parte")).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "sales-sale");

  await page.getByRole("link", { name: "Início" }).click();
  await expect(page.getByText("562,00").first()).toBeVisible();
  await hers.goto(`${world.url}/app/`);
  await expect(hers.getByText("938,00").first()).toBeVisible();
  await hers.context().close();
});

test("a file with bad lines says what is wrong with each, and pays the others once somebody else has approved it", async ({ page, browser }) => {
  const [shop, ana] = [somebody("merchants"), somebody()];
  await logIn(page, shop);
  await page.goto(`${world.url}/app/sales/bulk`);
  await expect(page.getByText("Nada enviado ainda")).toBeVisible();
  await expectAccessible(page);
  const lines = [`${ana.account},1000,Salário,r1`, `7,1000,Ninguém,r2`, `${ana.account},dez,Por extenso,r3`, `${ana.account},2050,Bônus,r4`, `${ana.account},1,De novo,r1`];
  await page.locator("input[type=file]").setInputFiles({
    name: "folha.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(["payee,amount,description,reference", ...lines, ""].join("\r\n")),
  });
  await shoot(page, "bulk-file");
  await page.getByRole("button", { name: "Enviar", exact: true }).click();
  await expect(page).toHaveURL(/\/sales\/bulk\/[0-9a-f-]{36}$/);
  await expect(page.getByText("Espera aprovação").first()).toBeVisible();
  const report = page.getByRole("region", { name: "Linha por linha" });
  await expect(report.locator("li")).toHaveCount(3);
  await expect(report.locator("li").nth(0)).toContainText(/Linha 2.*Não existe conta com este número/);
  await expect(report.locator("li").nth(1)).toContainText(/Linha 3.*Precisa ser um número inteiro/);
  await expect(report.locator("li").nth(2)).toContainText(/Linha 5.*Esta referência aparece duas vezes/);
  // Four eyes: whoever sent it has no button to approve it.
  await expect(page.getByRole("button", { name: "Aprovar e pagar" })).toHaveCount(0);
  await expectAccessible(page);
  await shoot(page, "bulk-checked");

  const operator = await another(browser, somebody("operators"));
  await operator.goto((await page.locator(".copy .text").textContent()) ?? "");
  await operator.getByRole("button", { name: "Aprovar e pagar" }).click();
  await expect(operator.getByRole("dialog")).toContainText(/Pagamentos: 2\. Ao todo, R\$\s30,50/);
  await expectAccessible(operator);
  await operator.getByRole("dialog").getByRole("button", { name: "Aprovar e pagar" }).click();
  // The merchant's page goes on by itself.
  await expect(page.getByText("Concluído").first()).toBeVisible();
  await expect(page.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "100");
  await report.getByText("Tudo", { exact: true }).click();
  await expect(report.locator("li")).toHaveCount(5);
  await expect(report.getByText("Paga", { exact: true })).toHaveCount(2);
  await shoot(page, "bulk-finished");
  await page.getByRole("link", { name: "Início" }).click();
  await expect(page.getByText("469,50").first()).toBeVisible();
  await operator.context().close();
});

test("a key is made by whoever proves who they are, shown once, exchanged and revoked; a till likewise", async ({ page, browser }) => {
  const shop = somebody("merchants");
  await logIn(page, shop);
  const recovery = await protect(shop);
  await page.goto(`${world.url}/app/sales/keys`);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Nova chave" }).first().click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Nome").fill("Site");
  await expectAccessible(page);
  await shoot(page, "key-new");
  await sheet.getByRole("button", { name: "Criar a chave" }).click();
  await page.getByRole("button", { name: "Usar um código de recuperação" }).click();
  await expectAccessible(page);
  await page.getByLabel("Um código de recuperação").fill(recovery);
  await page.getByRole("button", { name: "Confirmar" }).click();
  await expect(page.getByRole("dialog", { name: "Sua nova chave" })).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "key-secret");
  const first = await takeSecret(page, "Sua nova chave");
  expect(await takesKey(first)).toBe(true);
  await expect(page.locator("main").getByText("Ativa", { exact: true })).toBeVisible();
  // Nobody can show it again, this page neither.
  expect(await page.content()).not.toContain(first);
  await shoot(page, "keys");
  await page.getByRole("button", { name: "Trocar" }).click();
  await sheet.getByLabel("A antiga ainda funciona por").selectOption({ label: "Nem mais um momento" });
  await sheet.getByRole("button", { name: "Trocar" }).click();
  const second = await takeSecret(page, "Sua nova chave");
  expect([await takesKey(first), await takesKey(second)]).toEqual([false, true]);
  await page.getByRole("button", { name: "Revogar" }).click();
  await sheet.getByRole("button", { name: "Revogar" }).click();
  await expect(page.getByRole("button", { name: "Revogar" })).toHaveCount(0);
  expect(await takesKey(second)).toBe(false);

  await page.goto(`${world.url}/app/sales/tills`);
  await page.getByRole("button", { name: "Conectar um caixa" }).first().click();
  await sheet.getByLabel("Nome").fill("Balcão");
  await sheet.getByRole("button", { name: "Mostrar o código" }).click();
  await expect(sheet.getByRole("img", { name: /QR code que abre o caixa/ })).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "till-code");
  const code = (await sheet.locator(".big").textContent()) ?? "";
  const till = await fresh(browser);
  await till.goto(`${world.url}/pos/`);
  await till.getByLabel("Código de pareamento").fill(code);
  await till.getByRole("button", { name: "Parear" }).click();
  await expect(till.getByText("Conectado")).toBeVisible();
  await expect(sheet.getByText("Balcão está conectado e já pode vender.")).toBeVisible();
  await sheet.getByRole("button", { name: "Pronto" }).click();
  await page.getByRole("button", { name: "Mudar" }).click();
  await sheet.getByLabel("Nome").fill("Varanda");
  await sheet.getByRole("button", { name: "Salvar" }).click();
  await expect(page.getByText("Varanda")).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "tills");
  await page.getByRole("button", { name: "Revogar" }).click();
  await sheet.getByRole("button", { name: "Revogar" }).click();
  await expect(page.locator("main").getByText("Revogado", { exact: true })).toBeVisible();
  await expect(till.getByRole("alert")).toContainText("Este caixa foi desativado");
  await till.context().close();
});

test("a server is told what happens, signed; its attempts are seen, and it is told again", async ({ page }) => {
  const [shop, ana] = [somebody("merchants"), somebody()];
  const heard: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      heard.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const types = (): unknown[] => heard.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  try {
    await logIn(page, shop);
    await page.goto(`${world.url}/app/sales/webhooks`);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Novo webhook" }).first().click();
    const sheet = page.getByRole("dialog");
    await sheet.getByLabel("Endereço").fill("http://10.0.0.1/");
    await sheet.getByRole("button", { name: "Criar o webhook" }).click();
    await expect(sheet.getByRole("alert")).toBeVisible();
    await sheet.getByLabel("Endereço").fill(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`);
    await sheet.getByLabel("Para quê").fill("Loja");
    await expectAccessible(page);
    await shoot(page, "webhook-new");
    await sheet.getByRole("button", { name: "Criar o webhook" }).click();
    const secret = await takeSecret(page, "O segredo deste webhook");
    await page.getByRole("link", { name: /127\.0\.0\.1/ }).click();
    await expect(page.getByText("Nada foi tentado ainda")).toBeVisible();
    await page.getByRole("button", { name: "Enviar um teste" }).click();
    await expect(page.getByRole("alert")).toContainText("Aceito (204)");
    expect(types()).toEqual(["webhook.test"]);
    const path = new URL(page.url()).pathname;

    await pay(page, ana.account, 100);
    await expect.poll(types).toEqual(["webhook.test", "payment.sent"]);
    const told = heard[1];
    expect(signatures(secret, told)).toContain(String(told?.headers["webhook-signature"]));
    await page.goto(`${world.url}${path}`);
    const log = page.getByRole("region", { name: "Tentativas" });
    await expect(log.getByText("Pagamento", { exact: true })).toHaveCount(1);
    await expect(log.getByText("Aceito 204").first()).toBeVisible();
    await expect(page.getByText("Nada esperando")).toBeVisible();
    await expectAccessible(page);
    await shoot(page, "webhook");
    const { number } = (JSON.parse(told?.body ?? "") as { data: { number: number } }).data;
    await page.getByRole("button", { name: "Reenviar" }).click();
    await sheet.getByText("Um número").click();
    await sheet.getByLabel("Número do evento").fill(String(number));
    await expectAccessible(page);
    await sheet.getByRole("button", { name: "Reenviar" }).click();
    await expect(page.getByText(`Será contado de novo a partir do evento ${number}.`)).toBeVisible();
    await expect.poll(types).toEqual(["webhook.test", "payment.sent", "payment.sent"]);
    // A server knows it again.
    expect(heard[2]?.headers["webhook-id"]).toBe(told?.headers["webhook-id"]);
  } finally {
    server.close();
  }
});

test("a customer wants money back, the merchant says why it is theirs, and both see how it stands", async ({ page, browser }) => {
  const [shop, ana] = [somebody("merchants"), somebody()];
  const hers = await another(browser, ana);
  await pay(hers, shop.account, 700);
  await hers.getByRole("link", { name: "Ver o pagamento" }).click();
  await hers.getByRole("button", { name: "Algo está errado" }).click();
  await hers.getByText("Paguei duas vezes").click();
  await hers.getByLabel("Conte o que aconteceu").fill("O primeiro pagamento já tinha passado.");
  await hers.getByRole("button", { name: "Abrir a contestação" }).click();
  await expect(hers.getByRole("region", { name: "Contestação" })).toContainText("Espera a resposta");

  await logIn(page, shop);
  await page.goto(`${world.url}/app/sales/disputes`);
  await expect(page.getByText(`${ana.name} pede o dinheiro de volta`)).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "disputes");
  await page.getByRole("link", { name: new RegExp(ana.name) }).click();
  await expect(page.getByText("O primeiro pagamento já tinha passado.")).toBeVisible();
  await page.getByRole("button", { name: "Enviar a resposta" }).click();
  await expect(page.getByRole("alert")).toContainText("Diga por quê");
  await expectAccessible(page);
  await shoot(page, "dispute");
  await page.getByLabel("Por quê").fill("São duas encomendas, ambas entregues.");
  await page.getByRole("button", { name: "Enviar a resposta" }).click();
  await expect(page.getByText("Em decisão").first()).toBeVisible();
  await page.getByRole("button", { name: "Juntar prova" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.locator("input[type=file]").setInputFiles({ name: "entrega.txt", mimeType: "text/plain", buffer: Buffer.from("Recebido por: A. S.") });
  await expectAccessible(page);
  await sheet.getByRole("button", { name: "Juntar", exact: true }).click();
  await expect(page.getByRole("button", { name: "Abrir: entrega.txt" })).toBeVisible();
  await expect(page.getByText("Reservado na sua conta")).toBeVisible();
  await shoot(page, "dispute-answered");

  await hers.reload();
  await hers.getByRole("region", { name: "Contestação" }).getByRole("link").click();
  await expect(hers.getByText("São duas encomendas, ambas entregues.")).toBeVisible();
  await expectAccessible(hers);
  await shoot(hers, "dispute-payer");
  const file = hers.waitForEvent("download");
  await hers.getByRole("button", { name: "Abrir: entrega.txt" }).click();
  expect((await file).suggestedFilename()).toBe("entrega.txt");
  // She had forgotten the other one: the money is the merchant's again, before their eyes.
  await hers.getByRole("button", { name: "Retirar a contestação" }).click();
  await hers.getByRole("dialog").getByRole("button", { name: "Retirar a contestação" }).click();
  await expect(hers.locator("main").getByText("Retirada", { exact: true })).toBeVisible();
  await expect(page.locator("main").getByText("Retirada", { exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Início" }).click();
  await expect(page.getByText("507,00").first()).toBeVisible();
  await hers.getByRole("link", { name: "Início" }).click();
  await expect(hers.getByText("993,00").first()).toBeVisible();
  await hers.context().close();
});

/** Give somebody a second factor, beside their page; a code that is good once instead of it. */
async function protect(person: Parameters<typeof as>[0]): Promise<string> {
  const ask = await as(person);
  const { factor, secret } = await ask("POST", "/v1/factors/totp", {});
  const made = await ask("POST", `/v1/factors/totp/${String(factor)}/confirm`, { code: totp(String(secret)) });
  return (made["recovery_codes"] as readonly string[])[0] ?? "";
}

/** What is shown this once. */
async function takeSecret(page: Page, title: string): Promise<string> {
  const shown = page.getByRole("dialog", { name: title });
  const secret = (await shown.locator(".copy .text").textContent()) ?? "";
  expect(secret.length).toBeGreaterThan(20);
  await shown.getByRole("button", { name: "Já guardei" }).click();
  await expect(shown).toHaveCount(0);
  return secret;
}

/** What Standard Webhooks says that a server is to check. */
function signatures(secret: string, told: { headers: IncomingHttpHeaders; body: string } | undefined): readonly string[] {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const text = `${String(told?.headers["webhook-id"])}.${String(told?.headers["webhook-timestamp"])}.${told?.body ?? ""}`;
  return [`v1,${createHmac("sha256", key).update(text).digest("base64")}`];
}

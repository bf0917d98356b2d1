/** Oneself: what is known of one, what keeps others out, what may be paid, and one's rights. */
import type { Page } from "@playwright/test";

import { totp } from "./asking.js";
import { another, codeOf, expect, expectAccessible, logIn, shoot, somebody, test, world } from "./world.js";

test("somebody sees who they are, chooses how they read, and logs out", async ({ page }) => {
  const ana = somebody();
  await logIn(page, ana);
  await page.getByRole("link", { name: "Você" }).click();
  await expect(page.getByText(ana.name)).toBeVisible();
  await expect(page.getByText(`Usuário: ${ana.login}`)).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "you");
  await page.getByText("Escura", { exact: true }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expectAccessible(page);
  await page.getByText("English", { exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("You");
  await expect(page.locator("html")).toHaveAttribute("lang", "en-GB");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Log out" }).click();
  await expect(page.locator("input[name=username]")).toBeVisible();
});

test("a contact is written down, confirmed by its code, and what was before is kept", async ({ page }) => {
  const ana = somebody();
  await logIn(page, ana);
  await page.goto(`${world.url}/app/you/profile`);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Mudar: E-mail" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("E-mail").fill("ana");
  await sheet.getByRole("button", { name: "Salvar" }).click();
  await expect(sheet.getByRole("alert")).toContainText("não é um e-mail");
  await expectAccessible(page);
  await sheet.getByLabel("E-mail").fill(`${ana.login}@example.com`);
  await sheet.getByRole("button", { name: "Salvar" }).click();
  await expect(page.getByText(`${ana.login}@example.com`)).toBeVisible();
  await page.getByRole("button", { name: "Confirmar: E-mail" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Enviar código" }).click();
  await page.getByRole("dialog").getByLabel("Código").fill("000000");
  await page.getByRole("dialog").getByRole("button", { name: "Confirmar" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toBeVisible();
  await page.getByRole("dialog").getByLabel("Código").fill(await codeOf(ana));
  await page.getByRole("dialog").getByRole("button", { name: "Confirmar" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByText("Confirmado", { exact: true })).toBeVisible();
  await shoot(page, "profile");
  await page.getByRole("button", { name: "Ver o que mudou" }).click();
  await expect(page.getByRole("dialog").getByText(`${ana.login}@example.com`)).toBeVisible();
  await expectAccessible(page);
});

test("an app for codes is set up, and the next log-in asks for one", async ({ page }) => {
  const ana = somebody();
  await logIn(page, ana);
  await page.goto(`${world.url}/app/you/security`);
  await expect(page.getByText("protegida só pela senha")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: /Configurar: Aplicativo de códigos/ }).click();
  const sheet = page.getByRole("dialog");
  const secret = ((await sheet.locator(".secret").textContent()) ?? "").replace("Segredo", "").replaceAll(" ", "");
  await expectAccessible(page);
  await shoot(page, "security-totp");
  await sheet.getByLabel(/O código que o aplicativo mostra/).fill(totp(secret));
  await sheet.getByRole("button", { name: "Confirmar" }).click();
  const codes = page.getByRole("dialog", { name: "Seus códigos de recuperação" });
  await expect(codes.locator("ol li")).toHaveCount(10);
  const recovery = (await codes.locator("ol li").first().textContent()) ?? "";
  await expectAccessible(page);
  await shoot(page, "security-codes");
  const saved = page.waitForEvent("download");
  await codes.getByRole("button", { name: "Salvar em arquivo" }).click();
  expect((await saved).suggestedFilename()).toBe("payhub-codigos-de-recuperacao.txt");
  await codes.getByRole("button", { name: "Já guardei" }).click();
  await expect(page.getByText("Restam 10")).toBeVisible();
  await shoot(page, "security");

  await logOut(page);
  await fillLogIn(page, ana.login);
  // The one of the moment is used up; the next one is taken, as of a clock that is ahead.
  await page.getByLabel(/Código/).fill(totp(secret, 1));
  await page.getByRole("button", { name: "Confirmar" }).click();
  await expect(page.locator("main#content")).toBeVisible();
  await logOut(page);
  await fillLogIn(page, ana.login);
  await page.getByRole("button", { name: /recuperação/ }).click();
  await page.getByLabel(/recuperação/).fill(recovery);
  await page.getByRole("button", { name: "Confirmar" }).click();
  await expect(page.locator("main#content")).toBeVisible();
  // The proof is fresh: what is risky is done without asking again.
  await page.goto(`${world.url}/app/you/security`);
  await expect(page.getByText("Restam 9")).toBeVisible();
  await page.getByRole("button", { name: /Aplicativo de códigos \(/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remover" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remover" }).click();
  await expect(page.getByText("protegida só pela senha")).toBeVisible();
});

test("a passkey is made, and lets its owner in", async ({ page }) => {
  const ana = somebody();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await logIn(page, ana);
  await page.goto(`${world.url}/app/you/security`);
  await page.getByRole("button", { name: /Configurar: Chave de acesso/ }).click();
  await page.getByRole("dialog").getByLabel("Nome").fill("Meu celular");
  await page.getByRole("dialog").getByRole("button", { name: "Criar a chave de acesso" }).click();
  await page.getByRole("button", { name: "Já guardei" }).click();
  await expect(page.getByRole("button", { name: /Meu celular/ })).toBeVisible();
  await logOut(page);
  await fillLogIn(page, ana.login);
  await page.getByRole("button", { name: "Usar uma chave de acesso" }).click();
  await expect(page.locator("main#content")).toBeVisible();
});

test("the password is changed by the old one, and the old one lets nobody in any more", async ({ page }) => {
  const ana = somebody();
  await logIn(page, ana);
  await page.goto(`${world.url}/app/you/security`);
  await page.getByRole("button", { name: /Senha/ }).first().click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Sua senha de agora").fill(world.password);
  await sheet.getByLabel("A nova senha").fill("12345678");
  await sheet.getByRole("button", { name: "Trocar a senha" }).click();
  await expect(sheet.getByRole("alert")).toContainText("fácil de adivinhar");
  await sheet.getByLabel("A nova senha").fill("lagarta vinte e sete bules");
  await sheet.getByRole("button", { name: "Trocar a senha" }).click();
  await expect(page.getByText("Senha trocada.")).toBeVisible();
});

test("a session is named and ended from another browser", async ({ page, browser }) => {
  const ana = somebody();
  await logIn(page, ana);
  const other = await another(browser, ana);
  await page.goto(`${world.url}/app/you/devices`);
  await expect(page.getByRole("button", { name: "Encerrar os outros" })).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "devices");
  await page.getByRole("region", { name: "Em outros lugares" }).getByRole("button", { name: /Navegador/ }).click();
  await page.getByRole("dialog").getByLabel("Nome").fill("Emprestado");
  await page.getByRole("dialog").getByRole("button", { name: "Salvar" }).click();
  await page.getByRole("button", { name: /Emprestado/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Encerrar esta sessão" }).click();
  await expect(page.getByText("não está aberta em nenhum outro lugar")).toBeVisible();
  await expect(other.locator("input[name=username]")).toBeVisible();
  await other.context().close();
});

test("a limit is lowered at once, raised later, and somebody is never paid", async ({ page }) => {
  const [ana, stranger] = [somebody("limited"), somebody()];
  await logIn(page, ana);
  await page.goto(`${world.url}/app/you/limits`);
  await expect(page.getByText("500,00").first()).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Mudar: Por dia" }).click();
  await page.getByRole("dialog").getByLabel("Novo limite").fill("20000");
  await expect(page.getByText("É menor: vale na hora.")).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Baixar agora" }).click();
  await expect(page.locator(".limit").getByText("200,00").first()).toBeVisible();
  await page.getByRole("button", { name: "Mudar: Por dia" }).click();
  await page.getByRole("dialog").getByLabel("Novo limite").fill("90000");
  await page.getByRole("dialog").getByRole("button", { name: "Pedir o aumento" }).click();
  await expect(page.getByText(/Sobe para R\$\s900,00/)).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("button", { name: "Incluir alguém" }).click();
  await page.getByRole("dialog").getByLabel("Número da conta").fill(String(stranger.account));
  await expect(page.getByRole("dialog").getByText(stranger.name)).toBeVisible();
  await page.getByRole("dialog").getByText("Nunca pagar").click();
  await page.getByRole("dialog").getByRole("button", { name: "Incluir" }).click();
  await expect(page.locator("li").getByText("Nunca pagar")).toBeVisible();
  await shoot(page, "limits");
  await expectAccessible(page);
  await page.getByRole("button", { name: `${stranger.name}: tirar da lista` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Tirar da lista" }).click();
  await expect(page.getByText("Ninguém ainda")).toBeVisible();
});

test("a payment is scheduled for every month, paused and cancelled", async ({ page }) => {
  const [ana, rui] = [somebody(), somebody()];
  await logIn(page, ana);
  await page.goto(`${world.url}/app/you/schedules`);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Agendar um pagamento" }).click();
  const sheet = page.getByRole("dialog");
  await sheet.getByLabel("Valor").fill("5000");
  await sheet.getByLabel("Número da conta").fill(String(rui.account));
  await sheet.getByLabel("Primeira vez em").fill(inDays(40));
  await expect(sheet.getByText("Próximas datas")).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "schedule-new");
  await sheet.getByRole("button", { name: "Agendar", exact: true }).click();
  await page.getByRole("button", { name: new RegExp(`Para ${rui.name}`) }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pausar" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Continuar" }).click();
  await expect(page.getByRole("dialog").getByRole("button", { name: "Pausar" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Cancelar de vez" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancelar de vez" }).click();
  await expect(page.locator("main").getByText("Cancelado", { exact: true })).toBeVisible();
});

test("a copy of one's data is made before one's eyes, and taken home", async ({ page }) => {
  await logIn(page, somebody());
  await page.goto(`${world.url}/app/you/privacy/copy`);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Fazer uma cópia" }).click();
  await expect(page.getByText("Pronta", { exact: true })).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "copy");
  const json = page.waitForEvent("download");
  await page.getByRole("button", { name: "Para programas (JSON)" }).click();
  expect((await json).suggestedFilename()).toBe("meus-dados.json");
  const pdf = page.waitForEvent("download");
  await page.getByRole("button", { name: "Para ler (PDF)" }).click();
  expect((await pdf).suggestedFilename()).toBe("meus-dados-1.pdf");
});

test("the rights over one's data are used: seen, asked, withdrawn", async ({ page }) => {
  await logIn(page, somebody());
  for (const part of ["", "/held", "/shared", "/consents", "/requests"]) {
    await page.goto(`${world.url}/app/you/privacy${part}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expectAccessible(page);
  }
  await page.getByRole("button", { name: "Pedir alguma coisa" }).click();
  await page.getByRole("dialog").getByText("Corrigir alguma coisa").click();
  await page.getByRole("dialog").getByText("Data de nascimento").click();
  await page.getByRole("dialog").getByLabel("Com suas palavras").fill("Nasci um dia depois.");
  await expectAccessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Enviar" }).click();
  await expect(page.getByText("Nasci um dia depois.")).toBeVisible();
  await page.getByRole("button", { name: "Retirar" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Retirar" }).click();
  await expect(page.locator("main").getByText("Retirado", { exact: true })).toBeVisible();
});

test("whoever has money left is told so, and whoever has none leaves for good", async ({ page }) => {
  await logIn(page, somebody());
  await page.goto(`${world.url}/app/you/privacy/erasure`);
  await expect(page.getByText("Sobrou dinheiro na conta")).toBeVisible();
  await expect(page.getByRole("button", { name: "Encerrar a conta e me eliminar" })).toBeDisabled();
  await expectAccessible(page);
  await logOut(page);
  const rui = somebody("penniless");
  await logIn(page, rui);
  await page.goto(`${world.url}/app/you/privacy/erasure`);
  await page.getByRole("button", { name: "Encerrar a conta e me eliminar" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Encerrar a conta e me eliminar" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("eliminar");
  await page.getByRole("dialog").getByLabel(/Digite/).fill("eliminar");
  await expectAccessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Encerrar a conta e me eliminar" }).click();
  await fillLogIn(page, rui.login);
  await expect(page.getByRole("alert")).toContainText("errado");
});

async function logOut(page: Page): Promise<void> {
  await page.goto(`${world.url}/app/you`);
  await page.getByRole("button", { name: "Sair" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sair" }).click();
}

async function fillLogIn(page: Page, login: string): Promise<void> {
  await page.locator("input[name=username]").fill(login);
  await page.locator("input[name=password]").fill(world.password);
  await page.locator("button[type=submit]").click();
}

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

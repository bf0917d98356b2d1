/** What somebody is told: on the page, and by push when no page is open. */
import { another, expect, expectAccessible, logIn, shoot, somebody, test, world } from "./world.js";

test("a log-in elsewhere is told at once, and once it was on the screen it is no longer new", async ({ page, browser }) => {
  const ana = somebody();
  await logIn(page, ana);
  await page.goto(`${world.url}/app/notices`);
  const other = await another(browser, ana);
  await expect(page.getByText("Sua conta foi aberta em um aparelho novo").first()).toBeVisible();
  await expectAccessible(page);
  await shoot(page, "notices");
  await expect(page.getByText("Novo", { exact: true }).first()).toBeVisible();
  await page.waitForTimeout(2_500);
  await page.getByRole("link", { name: /Sua conta foi aberta/ }).first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Aparelhos");
  await other.context().close();
});

test("how one is told is said: language, quiet hours, what is left out", async ({ page }) => {
  await logIn(page, somebody());
  await page.goto(`${world.url}/app/you/notices`);
  await page.getByRole("switch", { name: "Horas de silêncio" }).click();
  await expect(page.getByLabel("Das", { exact: true })).toHaveValue("22:00");
  await page.getByLabel("Das", { exact: true }).fill("21:30");
  await page.getByRole("button", { name: "Salvar as horas" }).click();
  await page.getByRole("switch", { name: "Novidades" }).click();
  await expect(page.getByRole("switch", { name: "Novidades" })).not.toBeChecked();
  await expectAccessible(page);
  await shoot(page, "telling");
  await page.reload();
  await expect(page.getByLabel("Das", { exact: true })).toHaveValue("21:30");
  await expect(page.getByRole("switch", { name: "Novidades" })).not.toBeChecked();
});

test("a push is shown by the worker, and what was acknowledged elsewhere is taken away", async ({ page, context }) => {
  await context.grantPermissions(["notifications"], { origin: world.url });
  const cdp = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    cdp.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const found = registrations.find((one) => one.scopeURL.endsWith("/app/") && !one.isDeleted);
      if (found) resolve(found.registrationId);
    });
  });
  await cdp.send("ServiceWorker.enable");
  await logIn(page, somebody());
  const registrationId = await registered;
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const push = (data: object): Promise<unknown> => cdp.send("ServiceWorker.deliverPushMessage", { origin: world.url, registrationId, data: JSON.stringify(data) });
  const shown = (): Promise<string[]> =>
    page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((one) => `${one.title} ${one.body} ${one.tag}`));
  await push({ id: "1", title: "Você recebeu um pagamento", body: "Toque para ver.", tag: "payment_received", data: { kind: "payment_received", seen: "x" } });
  await expect.poll(shown).toEqual(["Você recebeu um pagamento Toque para ver. payment_received"]);
  await push({ id: "2", title: "Você recebeu 2 pagamentos", body: "Toque para ver.", tag: "payment_received" });
  await expect.poll(shown).toEqual(["Você recebeu 2 pagamentos Toque para ver. payment_received"]);
  await push({ id: "3", clears: ["payment_received"] });
  await expect.poll(shown).toEqual([]);
});

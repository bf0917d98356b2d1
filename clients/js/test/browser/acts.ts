/** What several journeys do in the wallet on their way to something else. */
import { expect, type Locator, type Page } from "@playwright/test";

import { world } from "./world.js";

/** Pay an account; the page stays where the payment is. */
export async function pay(page: Page, payee: number, cents: number): Promise<void> {
  await page.goto(`${world.url}/app/pay?to=${payee}`);
  await page.getByLabel("Quanto?").fill(String(cents));
  await confirm(page);
}

/** What somebody types or pastes, as a code to pay by. */
export async function payCode(page: Page, code: string): Promise<void> {
  await page.goto(`${world.url}/app/pay`);
  await page.getByLabel("Nome, número da conta ou código").fill(code);
  await page.getByRole("button", { name: "Pagar este código" }).click();
  await confirm(page);
}

/** What another screen shows, held before this one's camera. */
export async function scan(page: Page, code: Locator | Buffer): Promise<void> {
  const buffer = Buffer.isBuffer(code) ? code : await code.screenshot();
  await page.goto(`${world.url}/app/pay?scan=yes`);
  await page.locator("input[type=file]").setInputFiles({ name: "code.png", mimeType: "image/png", buffer });
}

/** The last tap, when it is known who is paid how much. */
export async function confirm(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Pagar\sR\$/ }).click();
  await expect(page.locator("[data-turn=done]")).toBeVisible();
}

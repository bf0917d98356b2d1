/** What tests/hub/test_browser.py has set up: a hub that may be killed and comes back, and people for each journey. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, expect, type Page, test as base } from "@playwright/test";

export interface Somebody {
  readonly login: string;
  readonly name: string;
  readonly account: number;
  readonly person: string;
}
type Kind = "customers" | "merchants" | "operators" | "auditors" | "support" | "limited" | "watched" | "penniless";
interface World {
  readonly url: string;
  readonly tenant: string;
  readonly password: string;
  readonly pidFile: string;
  readonly codesFile: string;
  readonly people: Readonly<Record<Kind, readonly Somebody[]>>;
}

const told = process.env["PAYHUB_BROWSER"];
if (told === undefined) throw new Error("Run these by pytest: tests/hub/test_browser.py starts the hub.");
export const world: World = JSON.parse(told) as World;

/** Somebody whom no other journey knows: after a failure the journeys go on in another process, so it is noted in files. */
export function somebody(kind: Kind = "customers"): Somebody {
  for (const [at, one] of world.people[kind].entries()) {
    try {
      mkdirSync(`${world.pidFile}.${kind}-${at}`);
      return one;
    } catch {
      // Somebody else's.
    }
  }
  throw new Error(`All ${kind} have their journeys: tests/hub/test_browser.py opens more.`);
}

/** What the page says of itself while a journey goes on: nothing. */
export const test = base.extend<{ quiet: undefined }>({
  quiet: [
    async ({ page }, use) => {
      const said = listen(page);
      await use(undefined);
      expect(said).toEqual([]);
    },
    { auto: true },
  ],
});

/** Errors of the page, and whatever its policy forbade. What the network does is a journey's own affair. */
export function listen(page: Page): string[] {
  const said: string[] = [];
  page.on("pageerror", (error) => said.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|WebSocket connection|net::ERR/.test(message.text())) {
      said.push(message.text());
    }
  });
  return said;
}

export async function logIn(page: Page, { login }: Somebody, root: "app" | "pos" | "console" = "app"): Promise<void> {
  await page.goto(`${world.url}/${root}/`);
  await page.locator("input[name=username]").fill(login);
  await page.locator("input[name=password]").fill(world.password);
  await page.locator("button[type=submit]").click();
  await expect(page.locator("main#content")).toBeVisible();
}

/** Another browser, that nobody has used yet. */
export async function fresh(browser: Browser): Promise<Page> {
  return (await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "pt-BR", reducedMotion: "reduce" })).newPage();
}

/** Another browser, for another person. */
export async function another(browser: Browser, person: Somebody): Promise<Page> {
  const page = await fresh(browser);
  await logIn(page, person);
  return page;
}

/** What stands in the last mail to somebody that had a code. */
export async function codeOf({ account }: Somebody): Promise<string> {
  let code: string | undefined;
  await expect
    .poll(() => (code = (JSON.parse(readFileSync(world.codesFile, "utf8")) as Record<string, string>)[account]))
    .toMatch(/^[0-9]{6}$/);
  return code ?? "";
}

/** It is started again at once; this is when it takes requests. */
export async function killHub(): Promise<void> {
  process.kill(Number(readFileSync(world.pidFile, "utf8")), "SIGKILL");
}

export async function hubIsUp(): Promise<void> {
  await expect
    .poll(() => fetch(`${world.url.replace("localhost", "127.0.0.1")}/readyz`).then(({ ok }) => ok, () => false))
    .toBe(true);
}

/** Kept for people to look at; nothing is compared with them. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env["PAYHUB_SCREENSHOTS"];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Nothing that keeps somebody out (WCAG 2.2 A and AA, and axe's own advice). */
export async function expectAccessible(page: Page): Promise<void> {
  // What is still on its way says nothing yet.
  await expect(page.locator("h1").first()).toBeAttached();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`)).toEqual([]);
}

export { expect };

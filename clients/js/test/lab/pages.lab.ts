/**
 * What a page costs on a slow machine: when its content is there, how long an input waits, how far it jumps, how much
 * script it takes, and whether ten thousand rows scroll. Figures go to the file that PAYHUB_LAB names.
 */
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { type Browser, expect, type Page, test } from "@playwright/test";

interface Lab {
  readonly url: string;
  readonly tenant: string;
  readonly login: string;
  readonly password: string;
  readonly entries: number;
  readonly slowdown: number;
  readonly rounds: number;
  readonly out: string;
}
/** What the page notes of itself, as Web Vitals are defined. */
interface Noted {
  lcp: number;
  cls: number;
  inputs: number[];
  longTasks: number[];
}

const told = process.env["PAYHUB_LAB"];
if (told === undefined) throw new Error("Run this by `python -m loadtest pages`: it starts the hub.");
const lab: Lab = JSON.parse(told) as Lab;
const LONG_MS = 50;
const PHONE = { viewport: { width: 390, height: 844 }, locale: "pt-BR" };

/** Runs in the page before anything of it. */
function watch(): void {
  const noted: Noted = { lcp: 0, cls: 0, inputs: [], longTasks: [] };
  Object.assign(globalThis, { noted });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) noted.lcp = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
      if (!entry.hadRecentInput) noted.cls += entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) noted.longTasks.push(entry.duration);
  }).observe({ type: "longtask" });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { interactionId: number })[]) {
      if (entry.interactionId > 0) noted.inputs.push(entry.duration);
    }
  }).observe({ type: "event", durationThreshold: 16, buffered: true } as PerformanceObserverInit);
}

async function openPage(browser: Browser, slowdown: number): Promise<{ page: Page; scripts: Map<string, Buffer> }> {
  const context = await browser.newContext(PHONE);
  const page = await context.newPage();
  await page.addInitScript(watch);
  const scripts = new Map<string, Buffer>();
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.startsWith("/assets/") && pathname.endsWith(".js")) void response.body().then((body) => scripts.set(pathname, body));
  });
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  return { page, scripts };
}

async function notedOf(page: Page): Promise<Noted> {
  return page.evaluate(() => (globalThis as unknown as { noted: Noted }).noted);
}

async function logIn(page: Page): Promise<void> {
  await page.goto(`${lab.url}/app/?tenant=${lab.tenant}`);
  await page.locator("input[name=username]").fill(lab.login);
  await page.locator("input[name=password]").fill(lab.password);
  await page.locator("button[type=submit]").click();
  await expect(page.locator("main#content")).toBeVisible();
}

const middle = (values: number[]): number => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
const sizeOf = (scripts: Map<string, Buffer>): number =>
  [...scripts.values()].reduce((sum, body) => sum + gzipSync(body, { level: 9 }).length, 0);

test("what pages cost", async ({ browser }) => {
  const first: Noted[] = [];
  const home: Noted[] = [];
  let scriptBytes = 0;
  let homeScriptBytes = 0;
  let state: Awaited<ReturnType<import("@playwright/test").BrowserContext["storageState"]>> | undefined;
  for (let round = 0; round < lab.rounds; round += 1) {
    // Whoever comes for the first time.
    const { page, scripts } = await openPage(browser, lab.slowdown);
    await page.goto(`${lab.url}/app/?tenant=${lab.tenant}`);
    await expect(page.locator("input[name=username]")).toBeVisible();
    await page.waitForTimeout(800);
    first.push(await notedOf(page));
    scriptBytes = sizeOf(scripts);
    await logIn(page);
    // Whoever comes back.
    scripts.clear();
    await page.goto(`${lab.url}/app/`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await page.waitForTimeout(1_500);
    home.push(await notedOf(page));
    homeScriptBytes = Math.max(homeScriptBytes, sizeOf(scripts));
    state = await page.context().storageState({ indexedDB: true });
    await page.context().close();
  }

  // Somebody uses it.
  const { page } = await openPage(browser, lab.slowdown);
  await logIn(page);
  for (const name of ["Extrato", "Pagar", "Receber", "Início"]) {
    await page.getByRole("link", { name, exact: true }).first().click();
    await page.waitForTimeout(700);
  }
  await page.getByRole("button", { name: "Esconder valores" }).click();
  await page.getByRole("button", { name: "Minha conta" }).click();
  await page.waitForTimeout(500);
  await page.keyboard.press("Escape");
  await page.goto(`${lab.url}/app/pay`);
  await page.getByLabel("Nome, número da conta ou código").pressSequentially("123456", { delay: 60 });
  await page.waitForTimeout(500);
  const used = await notedOf(page);
  await page.context().close();

  // Somebody scrolls through all that ever happened.
  const context = await browser.newContext({ ...PHONE, ...(state && { storageState: state }) });
  const list = await context.newPage();
  await list.addInitScript(watch);
  // Logged in as in the last round: what is measured is the list alone.
  await list.goto(`${lab.url}/app/activity`);
  await expect(list.getByRole("list", { name: "Lançamentos" })).toBeVisible();
  await list.waitForTimeout(1_000);
  await list.evaluate(() => ((globalThis as unknown as { noted: Noted }).noted.longTasks.length = 0));
  await list.mouse.move(195, 600);
  const began = Date.now();
  for (let turn = 0; turn < 4_000; turn += 1) {
    await list.mouse.wheel(0, 900);
    await list.waitForTimeout(16);
    if (turn % 50 === 0 && (await list.getByText("Isso é tudo.").isVisible())) break;
  }
  await expect(list.getByText("Isso é tudo.")).toBeVisible();
  const scrolled = await notedOf(list);
  const scrollSeconds = (Date.now() - began) / 1_000;
  const rows = await list.evaluate(() => document.querySelectorAll(".entry").length);
  await context.close();

  writeFileSync(
    lab.out,
    JSON.stringify({
      first_lcp_ms: Math.round(middle(first.map(({ lcp }) => lcp))),
      first_cls: Math.max(...first.map(({ cls }) => cls)),
      home_lcp_ms: Math.round(middle(home.map(({ lcp }) => lcp))),
      home_cls: Math.max(...home.map(({ cls }) => cls)),
      inp_ms: Math.max(0, ...used.inputs),
      inputs: used.inputs.length,
      first_script_gzip_bytes: scriptBytes,
      home_script_gzip_bytes: homeScriptBytes,
      scroll_long_tasks: scrolled.longTasks.filter((ms) => ms > LONG_MS).length,
      scroll_longest_task_ms: Math.max(0, ...scrolled.longTasks),
      scroll_seconds: scrollSeconds,
      rows_drawn_at_the_end: rows,
    }),
  );
});

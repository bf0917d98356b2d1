/**
 * Each page of the wallet and of the console stands, whatever it is answered: the examples of every message, which the
 * hub's own tests are held to. In both languages, within its budget.
 */
import { cleanup, render } from "@testing-library/svelte";
import { type Component, tick } from "svelte";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { Hub } from "../../src/hub/hub.js";
import { State } from "../../src/state/state.js";
import { Names } from "../../src/ui/app/names.svelte.js";
import { StepUp } from "../../src/ui/app/step_up.svelte.js";
import type { Visit } from "../../src/ui/app/visit.svelte.js";
import { Vitals } from "../../src/ui/app/vitals.js";
import { preferences } from "../../src/ui/words/preferences.svelte.js";
import wallet from "../../src/ui/wallet/routes.ts?raw";
import console_ from "../../src/ui/console/routes.ts?raw";
import wire from "../../src/hub/wire.ts?raw";
import messages from "../../../../tests/vectors/messages.json?raw";
import { accountState, FakeHub, PERSON } from "../fake_hub.js";
import Rows from "./Rows.svelte";
import Within from "./wallet/sales/Within.svelte";

const place = vi.hoisted(() => ({ pathname: "/", params: {} as Record<string, string>, search: {} }));
const routes = vi.hoisted(() => () => ({ p: (path: string) => path, navigate: vi.fn(), route: place }));
vi.mock("../../src/ui/wallet/routes.js", routes);
vi.mock("../../src/ui/console/routes.js", routes);

const ID = "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b";
const FILES = import.meta.glob<{ default: Component<Record<string, unknown>> }>("../../src/ui/{wallet,console}/**/*.svelte");
/** What a page may ask the hub for before anybody touches it: each is a wait on a slow line. */
const ASKS_MAX = 10;
/** Longer is a list that is not drawn piece by piece, or something drawn that nobody sees. */
const ELEMENTS_MAX = 1_200;
/** As much time as so many plain rows take to be drawn here: a machine's speed is in both. */
const ROWS_MAX = 2_000;

interface Vector {
  readonly name: string;
  readonly from: string;
  readonly value: Readonly<Record<string, unknown>>;
}
declare const process: { readonly cpuUsage: (since?: object) => { readonly user: number; readonly system: number }; readonly env: Readonly<Record<string, string>> };
const vectors = JSON.parse(messages) as readonly Vector[];
const commands = /export interface Commands \{(?<all>[^]*?)\n\}/.exec(wire)?.groups?.["all"] ?? "";
const answers = new Map([...commands.matchAll(/^ {2}(\w+): \[asked: \w+, answered: (\w+)\];/gm)].map(([, command = "", answer = ""]) => [command, answer]));

function pagesOf(root: "wallet" | "console"): [path: string, file: string][] {
  const found = [...(root === "wallet" ? wallet : console_).matchAll(/"(\/[^"]*)": (?:\(\) => import\("\.\/([^"]+)"\)|Home)/g)];
  return found.map(([, path = "", file = "home/Home.svelte"]) => [path, `../../src/ui/${root}/${root === "console" && path === "/" ? "now/Now.svelte" : file}`]);
}
const PAGES = (["wallet", "console"] as const).flatMap((root) => pagesOf(root).map(([path, file]) => ({ root, path, file })));

/** The same example for ever would be a list without an end; and what is listed has an id of its own, each. */
function lastPage(example: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(example).filter(([name]) => !name.startsWith("next"));
  return Object.fromEntries(kept.map(([name, value]) => [name, Array.isArray(value) ? value.map(apart) : value]));
}

let given = 0;
function apart(one: unknown): unknown {
  if (typeof one !== "object" || one === null) return one;
  const [first] = Object.entries(one);
  if (first === undefined || typeof first[1] !== "string" || !/^[0-9a-f-]{36}$/.test(first[1])) return one;
  given += 1;
  return { ...one, [first[0]]: first[1].slice(0, -6) + given.toString(16).padStart(6, "0") };
}

/** A visit to a hub that answers with its examples, the `nth` of each. */
function begin(root: "wallet" | "console", nth: number): { fake: FakeHub; hub: Hub; visit: Visit } {
  const fake = new FakeHub();
  fake.accounts = [accountState(1, { number: 0 })];
  for (const [command, answer] of answers) {
    if (["renew", "ping", "follow", "unfollow", "resume"].includes(command)) continue;
    const known = vectors.filter(({ name }) => name === answer);
    const example = known[nth % known.length]?.value;
    if (example === undefined) fake.refuses(command, "not_found");
    else fake.answers(command, () => lastPage(example));
  }
  const hub = new Hub(fake.options);
  const ask = hub.ask.bind(hub);
  const stepUp = new StepUp(ask);
  const account = { ...accountState(1), pending: 0, spendable: 1_000 };
  const lastSeen = { value: undefined, nameOf: () => undefined, keepName: () => undefined };
  const visit = {
    tenant: "demo",
    hub,
    state: new State(hub),
    ask,
    stepUp,
    guarded: (work: (token?: string) => Promise<unknown>) => stepUp.guarded(work),
    names: new Names(hub, lastSeen as never),
    vitals: new Vitals("app"),
    lastSeen,
    session: { person: PERSON, name: "Ana Souza", role: root === "console" ? "operator" : "merchant", standing: "active", tenant: "demo", currency: "BRL", line: "live" },
    accounts: [account],
    account,
    currency: "BRL",
    isLive: true,
    asOf: undefined,
    acting: undefined,
    may: () => true,
  } as unknown as Visit;
  hub.connect();
  return { fake, hub, visit };
}

/** Until the hub has been asked for nothing new for a while. */
async function settle(fake: FakeHub): Promise<void> {
  for (let calm = 0, heard = -1; calm < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await tick();
    const now = fake.heardCount;
    calm = now === heard ? calm + 1 : 0;
    heard = now;
    if (now > 10 * ASKS_MAX) throw new Error(`It asks and asks: ${fake.lately.join(", ")}`);
  }
}

const pages = new Map<string, Component<Record<string, unknown>>>();
beforeAll(async () => {
  place.params = { payment: ID, charge: ID, bulk: ID, dispute: ID, webhook: ID, hold: ID, person: PERSON, account: "1" };
  for (const { file } of PAGES) {
    const found = await FILES[file]?.();
    if (found === undefined) throw new Error(`There is no ${file}.`);
    pages.set(file, found.default);
  }
  // All of the pages are compiled here, one after another.
}, 120_000);
afterEach(() => vi.restoreAllMocks());

it("knows the pages and what the hub answers", () => {
  expect(PAGES.length).toBeGreaterThan(45);
  expect(answers.size).toBeGreaterThan(100);
});

describe.each(PAGES)("$root $path", ({ root, path, file }) => {
  it.each([
    [0, "pt"],
    [1, "en"],
  ] as const)("stands, answered by example %i of each message, in %s", async (nth, language) => {
    const errors = vi.spyOn(console, "error");
    place.pathname = path.replaceAll(/:(\w+)/g, (_, name: string) => place.params[name] ?? name);
    const { fake, hub, visit } = begin(root, nth);
    const page = pages.get(file);
    if (page === undefined) throw new Error(file);
    preferences.language = language;
    const { container } = render(Within, { props: { visit, page, of: {} } });
    await settle(fake);
    expect(container.querySelectorAll("h1").length, "one heading of the first order").toBe(1);
    expect(container.textContent).not.toMatch(/undefined|NaN|\[object|Invalid Date/);
    expect(container.querySelectorAll("*").length).toBeLessThan(ELEMENTS_MAX);
    for (const control of container.querySelectorAll("button, a[href]")) {
      const label = control.getAttribute("aria-label") ?? container.querySelector(`label[for="${control.id}"]`)?.textContent ?? control.textContent;
      expect(label.trim(), control.outerHTML).not.toBe("");
    }
    expect(fake.heardCount).toBeLessThanOrEqual(ASKS_MAX);
    expect(errors).not.toHaveBeenCalled();
    hub.close();
  });
});

it("draws no page more slowly than so many plain rows", async () => {
  // In time of the processor, which other work on the machine takes little of; the least of three.
  const took = (work: () => void): number => {
    const times = [0, 1, 2].map(() => {
      const began = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(began);
      cleanup();
      return user + system;
    });
    return Math.min(...times);
  };
  const slow: string[] = [];
  for (const { root, path, file } of PAGES) {
    place.pathname = path;
    const { fake, hub, visit } = begin(root, 0);
    const page = pages.get(file);
    if (page === undefined) throw new Error(file);
    await settle(fake);
    const row = took(() => void render(Rows, { props: { count: 100 } })) / 100;
    const rows = took(() => void render(Within, { props: { visit, page, of: {} } })) / row;
    if (process.env["PAYHUB_SHOW"]) console.log(root, path, Math.round(rows));
    if (rows > ROWS_MAX) slow.push(`${root} ${path}: ${Math.round(rows)} rows`);
    hub.close();
  }
  expect(slow).toEqual([]);
}, 60_000);

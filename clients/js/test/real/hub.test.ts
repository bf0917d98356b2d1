/** The library against a hub that is one: in both encodings, through both doors, killed and drained in the middle. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket as Ws } from "ws";

import { fresh, shown } from "./checks.js";
import { type Encoding, LogIn, type SocketClass } from "../../src/index.js";
import { FolderStorage } from "../../src/node/index.js";
import { checkAnswer, readKeys } from "../../src/proof/index.js";
import { type Client, clientBy, clientOf, closeAll, hubIsUp, signalHub, Tunnel, until, url, world } from "./world.js";

const { ana, bruno } = world.people;

const random = Math.random.bind(Math);

beforeEach(async () => {
  await hubIsUp();
  // How long to wait for the hub is for test/hub/line.test.ts; here nobody has time for it.
  vi.spyOn(Math, "random").mockImplementation(() => random() / 8);
});
afterEach(() => {
  closeAll();
  vi.restoreAllMocks();
});

async function live(client: Client): Promise<void> {
  client.hub.connect();
  await until(() => client.hub.state.name === "live", "live");
}

/** What is shown is what somebody who comes now is told. */
async function expectTruth(client: Client, account: number): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const told = await fresh(client.hub, account);
    const seen = await shown(client.state, account);
    if (seen.account?.number !== told.account.number && tries < 100) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    expect(seen.account).toMatchObject(told.account);
    const both = Math.min(seen.entries.length, told.entries.length);
    expect(both).toBeGreaterThan(0);
    expect(seen.entries.slice(0, both)).toEqual(told.entries.slice(0, both));
    return;
  }
}

describe.each<Encoding>(["msgpack", "json"])("in %s", (encoding) => {
  it("a payment is made, seen by the other side, and proved", async () => {
    const payer = await clientOf(ana, { encoding });
    const payee = await clientOf(bruno, { encoding });
    await Promise.all([live(payer), live(payee)]);
    await until(() => payee.hub.follows(bruno.account), "following");
    const seen = new Promise((resolve) => payee.hub.on("event", resolve));
    const paid = await payer.hub.pay({ payer: ana.account, payee: bruno.account, amount: 1_250, description: "Pão 😀" });
    expect(paid).toMatchObject({ status: "posted" });
    expect(await seen).toMatchObject({ payment: paid.payment, amount: 1_250, description: "Pão 😀" });
    await expectTruth(payer, ana.account);
    await expectTruth(payee, bruno.account);

    const asked = { payer: ana.account, payee: bruno.account, amount: 1_250 };
    const { tenant } = await payer.hub.ask("read_proof", { payment: paid.payment });
    const keys = await readKeys(await payer.hub.ask("proof_keys", {}));
    expect(await checkAnswer(tenant, "pay", asked, paid, keys)).toMatchObject({ payment: paid.payment, kind: "pay" });
    const dearer = checkAnswer(tenant, "pay", { ...asked, amount: 1_251 }, paid, keys);
    await expect(dearer).rejects.toMatchObject({ reason: "signature" });
  });
});

describe("the quick start", () => {
  it("pays", async () => {
    const folder = mkdtempSync(join(tmpdir(), "payhub-outbox-"));
    const printed = vi.spyOn(console, "log").mockImplementation(() => undefined);
    vi.stubEnv("PAYHUB_URL", url);
    vi.stubEnv("PAYHUB_TENANT", world.tenant);
    vi.stubEnv("PAYHUB_LOGIN", ana.login);
    vi.stubEnv("PAYHUB_PASSWORD", world.password);
    vi.stubEnv("PAYHUB_PAYEE", String(bruno.account));
    vi.stubEnv("PAYHUB_OUTBOX", folder);
    await import("./quick_start.js");
    vi.unstubAllEnvs();
    const lines = printed.mock.calls.map(([line]) => String(line));
    expect(lines.at(-1)).toMatch(/^posted, \d+ left$/);
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${ana.account}: \\d+, on its way 1250$`)));
    rmSync(folder, { recursive: true });
  });
});

describe("a session", () => {
  it("comes in by the web's door with its Origin, and refreshes its tokens", async () => {
    const { origin } = world;
    const Page: SocketClass = class extends Ws {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { origin });
      }
    } as unknown as SocketClass;
    const logIn = new LogIn({
      url,
      tenant: world.tenant,
      fetch: (at, init) => fetch(at, { ...init, headers: { ...(init?.headers as object), origin } }),
    });
    await logIn.withPassword({ login: ana.login, password: world.password });
    const page = clientBy(logIn, { door: "web", WebSocket: Page });
    await live(page);
    const [one, other] = await Promise.all([logIn.token("renew"), logIn.token("renew")]);
    expect(one).toBe(other);
    expect(await page.hub.ask("renew", { token: one })).toMatchObject({ type: "renewed" });
    await logIn.logOut();
    await until(() => page.hub.state.name === "ended", "ended by the log-out");
    expect(page.hub.state).toMatchObject({ code: 4503 });
    await expect(logIn.token()).rejects.toMatchObject({ name: "LoggedOut" });
  });

  it("with a wrong password does not begin", async () => {
    const logIn = new LogIn({ url, tenant: world.tenant });
    const refused = logIn.withPassword({ login: ana.login, password: "another one" });
    await expect(refused).rejects.toMatchObject({ code: "credentials_refused" });
  });

  it("makes charges, pays them, and sees them paid", async () => {
    const payer = await clientOf(ana);
    const payee = await clientOf(bruno);
    await Promise.all([live(payer), live(payee)]);
    await until(() => payee.hub.follows(bruno.account), "following");
    const charges = payee.state.charges(bruno.account);
    await charges.more();
    const { charge } = await charges.create({ amount: 700, description: "Coffee" });
    await payer.hub.pay({ payer: ana.account, payee: bruno.account, amount: 700, charge });
    const found = () => charges.getSnapshot().charges.find((one) => one.charge === charge)?.status;
    await until(() => found() === "paid", "paid");
  });
});

describe("whatever happens to the hub and the way to it", () => {
  it("no payment is lost or made twice, and what is shown is the truth", async () => {
    const folder = mkdtempSync(join(tmpdir(), "payhub-outbox-"));
    const tunnel = await Tunnel.open(40_000);
    const payee = await clientOf(bruno, { encoding: "json", url: tunnel.url });
    const payer = await clientOf(ana, { url: tunnel.url, storage: new FolderStorage(folder) });
    await Promise.all([live(payer), live(payee)]);
    await until(() => payer.hub.follows(ana.account), "following");
    const before = (await fresh(payer.hub, ana.account)).account;

    const outcomes: Promise<{ payment: string; status: string }>[] = [];
    const pay = () => outcomes.push(payer.hub.pay({ payer: ana.account, payee: bruno.account, amount: 3 }));
    // Killed without a word, then, when there is one again, told to go.
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await hubIsUp();
      await until(() => payer.hub.state.name === "live", "live before it ends");
      for (let round = 0; round < 20; round += 1) {
        for (let one = 0; one < 6; one += 1) pay();
        if (round === 10) signalHub(signal);
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    }
    const settled = await Promise.all(outcomes);
    tunnel.isSafe = true;
    expect(tunnel.cuts).toBeGreaterThan(1);
    expect(new Set(settled.map(({ status }) => status))).toEqual(new Set(["posted"]));
    expect(new Set(settled.map(({ payment }) => payment)).size).toBe(240);
    expect(payer.hub.outbox.entries).toEqual([]);
    await until(() => payer.hub.state.name === "live" && payee.hub.state.name === "live", "both live again");

    const after = (await fresh(payer.hub, ana.account)).account;
    expect(before.posted - after.posted).toBe(240 * 3);
    expect(after.number - before.number).toBe(240);
    await expectTruth(payer, ana.account);
    await expectTruth(payee, bruno.account);
    tunnel.close();
    rmSync(folder, { recursive: true });
  });

  it("a program that is killed leaves its payments to the next one, which settles or makes them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "payhub-outbox-"));
    const first = await clientOf(ana, { storage: new FolderStorage(folder) });
    await live(first);
    const before = (await fresh(first.hub, ana.account)).account;
    // Sent, and the program is gone before any answer: nothing of it but the folder is left.
    signalHub("SIGSTOP");
    const short = { goodForMs: 1 };
    const unwanted = crypto.randomUUID();
    const wanted = crypto.randomUUID();
    void first.hub.pay({ payer: ana.account, payee: bruno.account, amount: 5 }, { payment: wanted });
    void first.hub.pay({ payer: ana.account, payee: bruno.account, amount: 7 }, { payment: unwanted, ...short });
    await until(() => first.hub.outbox.entries.every((one) => one.state === "sent"), "sent");
    await first.hub.outbox.cancel(unwanted);
    first.hub.close();
    signalHub("SIGKILL");

    const next = clientBy(first.logIn, { storage: new FolderStorage(folder) });
    const became = new Map<string, string>();
    next.hub.outbox.on("settled", ({ outcome }) => became.set(outcome.payment, outcome.status));
    await live(next);
    await until(() => became.size === 2, "both settled");
    expect(became.get(wanted)).toBe("posted");
    expect(["posted", "fenced"]).toContain(became.get(unwanted));
    const after = (await fresh(next.hub, ana.account)).account;
    expect(before.posted - after.posted).toBe(5 + (became.get(unwanted) === "posted" ? 7 : 0));
    rmSync(folder, { recursive: true });
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Hub } from "../../src/hub/hub.js";
import type { LineState } from "../../src/hub/line.js";
import { AnswerLost, CommandRefused, LoggedOut } from "../../src/hub/refused.js";
import { FakeHub } from "../fake_hub.js";

let fake: FakeHub;
let hub: Hub;
let states: LineState[];

beforeEach(() => {
  vi.useFakeTimers();
  fake = new FakeHub();
  hub = new Hub(fake.options);
  states = [];
  hub.on("state", (state) => states.push(state));
});
afterEach(() => {
  hub.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function connected(): Promise<void> {
  hub.connect();
  await fake.welcomed();
  expect(hub.state.name).toBe("live");
}

describe("connecting", () => {
  it("goes to the native door where there is no page, and authenticates with the first message", async () => {
    await connected();
    expect(fake.last.url).toBe("wss://hub.test/v1/native");
    expect(fake.last.protocols).toEqual(["payhub.v1.json"]);
    expect(fake.heard("authenticate")).toEqual([{ type: "authenticate", token: "token 1" }]);
    expect(states.map((state) => state.name)).toEqual(["connecting", "live"]);
  });

  it("goes to the web's door in a page", async () => {
    vi.stubGlobal("location", { protocol: "https:" });
    hub = new Hub(fake.options);
    await connected();
    expect(fake.last.url).toBe("wss://hub.test/v1/socket");
  });

  it("signs a till's challenge before it authenticates", async () => {
    fake.answers("challenge", () => ({ type: "challenge_state", nonce: "n1", at: "2026-03-01T12:00:00Z" }));
    hub = new Hub({ ...fake.options, prove: (challenge, token) => Promise.resolve(`${challenge} for ${token}`) });
    await connected();
    expect(fake.heard("authenticate")).toEqual([{ type: "authenticate", token: "token 1", proof: "n1 for token 1" }]);
  });

  it("happens once, however often it is asked for", async () => {
    hub.connect();
    await connected();
    hub.connect();
    await fake.welcomed();
    expect(fake.sockets).toHaveLength(1);
  });
});

describe("coming back", () => {
  it.each([1006, 1011, 1012, 4001, 4003, 4004, 4250])("after %i, at a random moment", async (code) => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    await connected();
    fake.ends(code);
    expect(hub.state).toMatchObject({ name: "waiting", code, until: Date.now() + 250 });
    await vi.advanceTimersByTimeAsync(260);
    expect(hub.state.name).toBe("live");
  });

  it.each([1002, 1009, 4500, 4502, 4503, 4504, 4777])("not after %i", async (code) => {
    await connected();
    fake.ends(code, "why");
    expect(hub.state).toEqual({ name: "ended", code, why: "why" });
    await vi.advanceTimersByTimeAsync(600_000);
    expect(fake.sockets).toHaveLength(1);
    await expect(hub.ask("accounts", {})).rejects.toThrow(AnswerLost);
    hub.connect();
    await fake.welcomed();
    expect(hub.state.name).toBe("live");
  });

  it("at once when the token has ended, with a new one", async () => {
    await connected();
    fake.ends(4002);
    await fake.welcomed();
    expect(hub.state.name).toBe("live");
    expect(fake.heard("authenticate").map((message) => message["token"])).toEqual(["token 1", "token 2"]);
  });

  it("waits longer each time, to a bound, and less once it was welcome", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    fake.isAway = true;
    hub.connect();
    const waits: number[] = [];
    for (let tries = 0; tries < 8; tries += 1) {
      await vi.advanceTimersByTimeAsync(5);
      if (hub.state.name !== "waiting") throw new Error(hub.state.name);
      waits.push(Math.round((hub.state.until - Date.now()) / 100) * 100);
      await vi.advanceTimersByTimeAsync(hub.state.until - Date.now());
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
    fake.isAway = false;
    await vi.advanceTimersByTimeAsync(20_100);
    expect(hub.state.name).toBe("live");
    await vi.advanceTimersByTimeAsync(5_000);
    fake.ends(1006);
    expect(hub.state).toMatchObject({ name: "waiting", until: Date.now() + 500 });
  });

  it("waits two seconds at most where it is welcomed and thrown out again and again, and not half of one", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    await connected();
    const waits: number[] = [];
    for (let times = 0; times < 6; times += 1) {
      fake.ends(1011);
      if (hub.state.name !== "waiting") throw new Error(hub.state.name);
      waits.push(hub.state.until - Date.now());
      await vi.advanceTimersByTimeAsync(hub.state.until - Date.now() + 10);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 2_000, 2_000, 2_000]);
  });

  it("slower after flooding", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    await connected();
    fake.isAway = true;
    fake.ends(4005);
    await vi.advanceTimersByTimeAsync(505);
    expect(hub.state).toMatchObject({ name: "waiting", tries: 6 });
    expect(hub.state.name === "waiting" && hub.state.until - Date.now()).toBeGreaterThan(15_000);
  });

  it("keeps the slot that a draining hub gave, whatever wakes it", async () => {
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    await connected();
    fake.says({ type: "draining", retry_after_ms: 1_700 });
    await vi.advanceTimersByTimeAsync(5);
    const asked = hub.ask("ping", {});
    await vi.advanceTimersByTimeAsync(95);
    expect(fake.heard("ping")).toEqual([]);
    fake.ends(1012);
    page.dispatchEvent(new Event("online"));
    await vi.advanceTimersByTimeAsync(1_500);
    expect(fake.sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(130);
    expect(hub.state.name).toBe("live");
    await expect(asked).resolves.toMatchObject({ type: "pong" });
  });

  it.each(["online", "pageshow"])("at once on %s", async (name) => {
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    vi.spyOn(Math, "random").mockReturnValue(1);
    fake.isAway = true;
    hub.connect();
    await vi.advanceTimersByTimeAsync(40_000);
    fake.isAway = false;
    expect(hub.state.name).toBe("waiting");
    page.dispatchEvent(new Event(name));
    await fake.welcomed();
    expect(hub.state.name).toBe("live");
  });

  it("knows soon that the network is gone, where the browser says so and nobody answers", async () => {
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    hub.connect();
    await fake.welcomed();
    page.dispatchEvent(new Event("offline"));
    await vi.advanceTimersByTimeAsync(1_100);
    // It was another network, or none that mattered.
    expect(hub.state.name).toBe("live");
    fake.answers("ping", () => undefined);
    page.dispatchEvent(new Event("offline"));
    await vi.advanceTimersByTimeAsync(1_100);
    expect(hub.state.name).not.toBe("live");
  });

  it("at once when the tab is looked at, and not when it is left", async () => {
    const sheet = Object.assign(new EventTarget(), { visibilityState: "hidden" });
    vi.stubGlobal("document", sheet);
    vi.spyOn(Math, "random").mockReturnValue(1);
    fake.isAway = true;
    hub.connect();
    await vi.advanceTimersByTimeAsync(40_000);
    fake.isAway = false;
    sheet.dispatchEvent(new Event("visibilitychange"));
    await fake.welcomed();
    expect(hub.state.name).toBe("waiting");
    sheet.visibilityState = "visible";
    sheet.dispatchEvent(new Event("visibilitychange"));
    await fake.welcomed();
    expect(hub.state.name).toBe("live");
  });
});

describe("silence", () => {
  it("is asked about after 25 seconds, and ends the connection 8 seconds later", async () => {
    await connected();
    await vi.advanceTimersByTimeAsync(25_100);
    expect(fake.heard("ping")).toHaveLength(1);
    expect(hub.state.name).toBe("live");
    fake.isDeaf = true;
    await vi.advanceTimersByTimeAsync(25_000);
    expect(hub.state.name).toBe("live");
    await vi.advanceTimersByTimeAsync(8_100);
    expect(hub.state.name).not.toBe("live");
    fake.isDeaf = false;
    await vi.advanceTimersByTimeAsync(21_000);
    expect(hub.state.name).toBe("live");
  });

  it("after sleep is found out within three seconds", async () => {
    await connected();
    fake.isDeaf = true;
    // The clock has gone on, and no timer with it.
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(5_000);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(hub.state.name).not.toBe("live");
  });

  it("instead of a welcome is given ten seconds", async () => {
    fake.answers("authenticate", () => undefined);
    hub.connect();
    await vi.advanceTimersByTimeAsync(9_900);
    expect(hub.state.name).toBe("connecting");
    await vi.advanceTimersByTimeAsync(150);
    expect(hub.state).toMatchObject({ name: "waiting", why: "no_welcome" });
  });

  it("instead of an answer is AnswerLost, and makes the connection prove itself", async () => {
    await connected();
    fake.answers("payee", () => undefined);
    const asked = hub.ask("payee", { account: 1 }, { withinMs: 2_000 });
    const lost = expect(asked).rejects.toMatchObject({ name: "AnswerLost", why: "timeout" });
    await vi.advanceTimersByTimeAsync(2_010);
    await lost;
    expect(fake.heard("ping")).toHaveLength(1);
  });
});

describe("tokens", () => {
  it("are renewed before they end, by the hub's clock, which may be hours ahead", async () => {
    fake.skewMs = 5 * 3_600_000;
    await connected();
    await vi.advanceTimersByTimeAsync(269_000);
    expect(fake.heard("renew")).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(fake.heard("renew")).toMatchObject([{ token: "token 2" }]);
    await vi.advanceTimersByTimeAsync(270_000);
    expect(fake.heard("renew")).toHaveLength(2);
    expect(fake.tokens).toEqual(["connect", "renew", "renew"]);
    expect(fake.sockets).toHaveLength(1);
  });

  it("are renewed at once after sleep", async () => {
    await connected();
    vi.setSystemTime(Date.now() + 290_000);
    await vi.advanceTimersByTimeAsync(5_010);
    expect(fake.heard("renew")).toHaveLength(1);
  });

  it("that were refused are asked for anew, once", async () => {
    fake.answers("authenticate", () => {
      queueMicrotask(() => setTimeout(() => fake.ends(4501), 2));
      return { type: "error", code: "authentication_failed", message: "The token was refused: expired." };
    });
    hub.connect();
    await vi.advanceTimersByTimeAsync(100);
    expect(fake.tokens).toEqual(["connect", "refused"]);
    expect(hub.state).toEqual({ name: "ended", code: 4501, why: "authentication_failed" });
  });

  it("that are another session's make a new connection", async () => {
    await connected();
    fake.refuses("renew", "authentication_failed");
    await vi.advanceTimersByTimeAsync(272_000);
    expect(hub.state.name).toBe("live");
    expect(fake.sockets).toHaveLength(2);
  });

  it("that cannot be had for a moment are waited for; that cannot be had at all end it", async () => {
    let failure: Error | undefined = new TypeError("fetch failed");
    hub = new Hub({ ...fake.options, token: () => (failure === undefined ? "good" : Promise.reject(failure)) });
    hub.connect();
    await vi.advanceTimersByTimeAsync(5);
    expect(hub.state).toMatchObject({ name: "waiting", why: "no_token" });
    failure = undefined;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(hub.state.name).toBe("live");
    failure = new LoggedOut();
    fake.ends(4002);
    await fake.welcomed();
    expect(hub.state).toEqual({ name: "ended", code: 4501, why: "logged_out" });
  });
});

describe("asking", () => {
  it("is answered by id, in whatever order", async () => {
    await connected();
    const held: Record<number, number> = {};
    fake.answers("payee", ({ account, id }) => {
      held[account as number] = id as number;
      return undefined;
    });
    const [one, other] = [hub.ask("payee", { account: 1 }), hub.ask("payee", { account: 2 })];
    await vi.advanceTimersByTimeAsync(5);
    for (const account of [2, 1]) fake.last.receive({ type: "payee_name", id: held[account], account, name: `${account}` });
    await vi.advanceTimersByTimeAsync(5);
    expect(await Promise.all([one, other])).toMatchObject([{ name: "1" }, { name: "2" }]);
  });

  it("is refused with the hub's code", async () => {
    await connected();
    fake.refuses("payee", "not_found", { field: "account" });
    const asked = hub.ask("payee", { account: 7 });
    const refused = expect(asked).rejects.toMatchObject({ code: "not_found", field: "account", isTemporary: false });
    await vi.advanceTimersByTimeAsync(5);
    await refused;
  });

  it("waits as long as the hub says where nothing was done", async () => {
    await connected();
    fake.refuses("create_charge", "rate_limited", { retry_after_ms: 700 });
    const asked = hub.ask("create_charge", { charge: "c", payee: 1 });
    await vi.advanceTimersByTimeAsync(500);
    fake.answers("create_charge", () => ({ type: "charge_state", charge: {} }));
    await vi.advanceTimersByTimeAsync(300);
    await expect(asked).resolves.toMatchObject({ type: "charge_state" });
    expect(fake.heard("create_charge")).toHaveLength(2);
  });

  it("again after a disconnect is for what only reads", async () => {
    await connected();
    fake.answers("payee", () => undefined);
    fake.answers("cancel_charge", () => undefined);
    const read = hub.ask("payee", { account: 1 });
    const changed = expect(hub.ask("cancel_charge", { charge: "c" })).rejects.toMatchObject({ why: "closed" });
    await vi.advanceTimersByTimeAsync(5);
    fake.answers("payee", ({ account }) => ({ type: "payee_name", account, name: "Ana" }));
    fake.ends(1006);
    await changed;
    await vi.advanceTimersByTimeAsync(600);
    await expect(read).resolves.toMatchObject({ name: "Ana" });
    expect(fake.heard("cancel_charge")).toHaveLength(1);
  });

  it("before there is a connection waits for one", async () => {
    hub.connect();
    const asked = hub.ask("ping", {});
    await fake.welcomed();
    await expect(asked).resolves.toMatchObject({ type: "pong" });
    hub.close();
    await expect(hub.ask("ping", {})).rejects.toThrow(AnswerLost);
  });

  it("is not troubled by what it does not know, nor by a listener's mistake", async () => {
    const reported: unknown[] = [];
    vi.spyOn(globalThis, "queueMicrotask").mockImplementation((report) => {
      try {
        report();
      } catch (error) {
        reported.push(error);
      }
    });
    await connected();
    const heard: unknown[] = [];
    hub.on("status_changed", () => {
      throw new CommandRefused({ code: "x", message: "a mistake" });
    });
    hub.on("status_changed", ({ status }) => heard.push(status));
    fake.last.receive({ type: "news_of_next_year", what: 1 });
    fake.says({ type: "status_changed", status: "blocked", is_paid: false, pays: false });
    await vi.advanceTimersByTimeAsync(5);
    expect(heard).toEqual(["blocked"]);
    expect(reported).toHaveLength(1);
  });
});

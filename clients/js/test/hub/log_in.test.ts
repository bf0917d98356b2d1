import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LogIn } from "../../src/hub/log_in.js";
import { MemoryStorage } from "../../src/hub/storage.js";

const LASTS_S = 300;
let asked: [path: string, body: Record<string, unknown>][];
let answers: Record<string, () => Response>;
let count: number;

function tokens(more: object = {}): Response {
  count += 1;
  const claims = btoa(JSON.stringify({ iat: 1_000, exp: 1_000 + LASTS_S })).replaceAll("=", "");
  return Response.json({
    person: "p",
    access_token: `head${count}.${claims}.sig`,
    refresh_token: `refresh ${count}`,
    expires_at: "2026-03-01T12:00:00Z",
    ...more,
  });
}
function problem(status: number, code: string): Response {
  return Response.json({ type: "about:blank", title: code, status, code }, { status });
}
function logIn(storage = new MemoryStorage()): LogIn {
  return new LogIn({
    url: "https://hub.test",
    tenant: "demo",
    storage,
    fetch: async (at, init) => {
      const { pathname } = new URL(String(at));
      asked.push([pathname, JSON.parse(String(init?.body))]);
      return (answers[pathname] ?? (() => tokens()))();
    },
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  answers = {};
  count = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

describe("logging in", () => {
  it("keeps the tokens and what the device is known by, for whoever starts next", async () => {
    const storage = new MemoryStorage();
    answers["/v1/login"] = () => tokens({ device: "phd_1" });
    const first = logIn(storage);
    expect(await first.isIn()).toBe(false);
    await first.withPassword({ login: "ana", password: "x" });
    expect(await logIn(storage).token()).toMatch(/^head1\./);
    expect(await logIn(storage).person()).toBe("p");
    await first.logOut();
    expect(await first.isIn()).toBe(false);
    await first.withPassword({ login: "ana", password: "x" });
    expect(asked.at(-1)).toEqual(["/v1/login", { tenant: "demo", login: "ana", password: "x", device: "phd_1" }]);
  });

  it("in two steps keeps nothing after the first", async () => {
    answers["/v1/login"] = () => Response.json({ ticket: "t", expires_at: "x", factors: ["totp"] }, { status: 202 });
    const ana = logIn();
    expect(await ana.withPassword({ login: "ana", password: "x" })).toMatchObject({ ticket: "t" });
    expect(await ana.isIn()).toBe(false);
    await ana.prove({ ticket: "t", code: "123456" });
    expect(asked.at(-1)?.[0]).toBe("/v1/login/factor");
    expect(await ana.isIn()).toBe(true);
  });
});

describe("a token", () => {
  it("is kept while it is good, and traded for another one before it ends", async () => {
    const ana = logIn();
    await ana.withPassword({ login: "ana", password: "x" });
    expect(await ana.token("connect")).toMatch(/^head1\./);
    await vi.advanceTimersByTimeAsync((LASTS_S - 10) * 1_000);
    expect(await ana.token("connect")).toMatch(/^head2\./);
    expect(asked.at(-1)).toEqual(["/v1/refresh", { tenant: "demo", refresh_token: "refresh 1" }]);
  });

  it("is traded when the hub did not take it, or wants a new one", async () => {
    const ana = logIn();
    await ana.withPassword({ login: "ana", password: "x" });
    expect(await ana.token("refused")).toMatch(/^head2\./);
    expect(await ana.token("renew")).toMatch(/^head3\./);
  });

  it("is traded once, however many want it at once: a refresh token works once", async () => {
    const ana = logIn();
    await ana.withPassword({ login: "ana", password: "x" });
    const all = await Promise.all([ana.token("renew"), ana.token("renew"), ana.token("refused")]);
    expect(new Set(all).size).toBe(1);
    expect(asked.filter(([path]) => path === "/v1/refresh")).toHaveLength(1);
  });

  it("that cannot be had for a moment leaves the log-in as it is", async () => {
    const ana = logIn();
    await ana.withPassword({ login: "ana", password: "x" });
    answers["/v1/refresh"] = () => problem(503, "unavailable");
    await expect(ana.token("renew")).rejects.toMatchObject({ code: "unavailable" });
    expect(await ana.isIn()).toBe(true);
  });

  it("that cannot be had any more ends it", async () => {
    const ana = logIn();
    await ana.withPassword({ login: "ana", password: "x" });
    answers["/v1/refresh"] = () => problem(401, "credentials_refused");
    await expect(ana.token("renew")).rejects.toMatchObject({ name: "LoggedOut" });
    expect(await ana.isIn()).toBe(false);
    await expect(ana.token()).rejects.toMatchObject({ name: "LoggedOut" });
  });

  it("with a proof in it takes the place of the one that is kept, in its own session alone", async () => {
    const ana = logIn();
    answers["/v1/login"] = () => tokens({ access_token: token("one", "old") });
    await ana.withPassword({ login: "ana", password: "x" });
    await ana.take(token("one", "proved"));
    expect(await ana.token()).toBe(token("one", "proved"));
    await ana.take(token("two", "stranger"));
    expect(await ana.token()).toBe(token("one", "proved"));
  });
});

/** An access token of a session. */
function token(sid: string, signature: string): string {
  return `head.${btoa(JSON.stringify({ sid, iat: 1_000, exp: 1_000 + LASTS_S }))}.${signature}`;
}

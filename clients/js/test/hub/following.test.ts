import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Hub } from "../../src/hub/hub.js";
import { Streams } from "../../src/hub/streams.js";
import type { Event } from "../../src/hub/wire.js";
import { accountState, eventOf, FakeHub } from "../fake_hub.js";

let fake: FakeHub;
let hub: Hub;
let heard: number[];

beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  fake = new FakeHub();
  hub = new Hub(fake.options);
  heard = [];
  hub.on("event", (event) => heard.push(event.number));
  hub.connect();
  await fake.welcomed();
  void hub.follow(1);
  await fake.welcomed();
});
afterEach(() => {
  hub.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("a stream", () => {
  it("says of a number whether it is next, known, or after a gap", () => {
    const streams = new Streams();
    expect(streams.hear(1, 6)).toBe("known");
    streams.begin(1, 5);
    expect([6, 6, 5, 9, 7, 8].map((number) => streams.hear(1, number))).toEqual([
      "next",
      "known",
      "known",
      "gap",
      "next",
      "next",
    ]);
    expect(streams.cursors).toEqual([[1, 8]]);
  });
});

describe("an account's events", () => {
  it("are heard in order and once", async () => {
    for (const number of [6, 7, 7, 6, 8]) fake.says(eventOf(1, number));
    fake.says(eventOf(2, 1));
    await vi.advanceTimersByTimeAsync(5);
    expect(heard).toEqual([6, 7, 8]);
  });

  it("are asked for again where one is missing, once for each gap", async () => {
    fake.answers("follow", ({ account, after }) => {
      setTimeout(() => {
        for (let number = Number(after) + 1; number <= 9; number += 1) fake.says(eventOf(1, number));
      }, 1);
      return { type: "following", account, number: after, latest: 9, posted: 0 };
    });
    for (const number of [6, 8, 9]) fake.says(eventOf(1, number));
    await vi.advanceTimersByTimeAsync(20);
    expect(heard).toEqual([6, 7, 8, 9]);
    expect(fake.heard("follow").slice(1)).toMatchObject([{ account: 1, after: 6 }]);
  });

  it("go on after a disconnect from the last one that was heard", async () => {
    fake.says(eventOf(1, 6));
    await vi.advanceTimersByTimeAsync(5);
    fake.ends(4001);
    await vi.advanceTimersByTimeAsync(300);
    expect(fake.heard("resume")).toMatchObject([{ follow: [[1, 6]], in_doubt: [] }]);
    fake.says(eventOf(1, 7));
    await vi.advanceTimersByTimeAsync(5);
    expect(heard).toEqual([6, 7]);
  });

  it("begin anew where the hub has no such number, and whoever shows them is told", async () => {
    const reset: number[] = [];
    hub.on("reset", ({ account }) => reset.push(account));
    fake.accounts = [accountState(1, { number: 3 })];
    fake.answers("resume", ({ follow }) =>
      follow === undefined
        ? { type: "resumed", settled: [], following: [] }
        : { type: "error", code: "cursor_out_of_range", message: "", field: "follow" },
    );
    fake.answers("follow", ({ account, after }) =>
      after === undefined
        ? { type: "following", account, number: 3, latest: 3, posted: 0 }
        : { type: "error", code: "cursor_out_of_range", message: "", field: "after" },
    );
    fake.ends(1006);
    await vi.advanceTimersByTimeAsync(300);
    expect(hub.state.name).toBe("live");
    expect(reset).toEqual([1]);
    fake.says(eventOf(1, 4));
    await vi.advanceTimersByTimeAsync(5);
    expect(heard).toEqual([4]);
  });

  it("of an account that is not ours any more keep nothing else from going on", async () => {
    void hub.follow(2, 0);
    await fake.welcomed();
    fake.answers("resume", ({ follow }) =>
      follow === undefined
        ? { type: "resumed", settled: [], following: [] }
        : { type: "error", code: "not_found", message: "", field: "follow" },
    );
    fake.answers("follow", ({ account, after }) =>
      account === 2
        ? { type: "error", code: "not_found", message: "" }
        : { type: "following", account, number: after, latest: after, posted: 0 },
    );
    fake.ends(1006);
    await vi.advanceTimersByTimeAsync(300);
    expect([hub.state.name, hub.follows(1), hub.follows(2)]).toEqual(["live", true, false]);
  });

  it("are heard no more after unfollowing, not after a disconnect either", async () => {
    void hub.unfollow(1);
    await vi.advanceTimersByTimeAsync(5);
    fake.says(eventOf(1, 6));
    fake.ends(1006);
    await vi.advanceTimersByTimeAsync(300);
    expect(heard).toEqual([]);
    expect(fake.heard("resume")).toEqual([]);
  });
});

describe("acknowledging", () => {
  const acks = () => fake.heard("ack").map(({ account, number }) => [account, number]);

  it("says the last number of several, a moment later", async () => {
    for (const number of [6, 7, 8]) fake.says(eventOf(1, number));
    await vi.advanceTimersByTimeAsync(150);
    expect(acks()).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(acks()).toEqual([[1, 8]]);
  });

  it("waits until somebody can see it, so that a phone rings meanwhile", async () => {
    const sheet = Object.assign(new EventTarget(), { visibilityState: "hidden" });
    vi.stubGlobal("document", sheet);
    for (const number of [6, 7]) {
      fake.says(eventOf(1, number) satisfies Event);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(acks()).toEqual([]);
    sheet.visibilityState = "visible";
    sheet.dispatchEvent(new globalThis.Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(5);
    expect(acks()).toEqual([[1, 7]]);
  });
});

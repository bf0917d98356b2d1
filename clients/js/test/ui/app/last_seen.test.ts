/** What somebody saw last is shown to them again, and to nobody who comes after them. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Hub } from "../../../src/hub/hub.js";
import { MemoryStorage } from "../../../src/hub/storage.js";
import { State } from "../../../src/state/state.js";
import { LastSeen } from "../../../src/ui/app/last_seen.js";
import { FakeHub, PERSON } from "../../fake_hub.js";

const SOMEBODY_ELSE = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c99";
let storage: MemoryStorage;

beforeEach(() => {
  vi.useFakeTimers();
  storage = new MemoryStorage();
});
afterEach(() => vi.useRealTimers());

/** Somebody is here long enough for it to be written down. */
async function visit(): Promise<void> {
  const fake = new FakeHub();
  const hub = new Hub(fake.options);
  const seen = new LastSeen(storage, new State(hub));
  await seen.read(PERSON);
  hub.connect();
  await fake.welcomed();
  await vi.advanceTimersByTimeAsync(1_000);
  hub.close();
  seen.stop();
}

function nobodyYet(): LastSeen {
  return new LastSeen(storage, new State(new Hub(new FakeHub().options)));
}

it("is there before the hub has said anything", async () => {
  await visit();
  const seen = nobodyYet();
  await seen.read(PERSON);
  expect(seen.value?.accounts[0]?.posted).toBe(1_000);
  seen.stop();
});

it("is gone for whoever logs in next, though the one before never logged out", async () => {
  await visit();
  const seen = nobodyYet();
  await seen.read(SOMEBODY_ELSE);
  expect(seen.value).toBeUndefined();
  expect((await storage.readAll()).size).toBe(0);
  seen.stop();
});

/**
 * Snapshot and events == fresh snapshot: whatever is lost, comes twice, comes late or out of order, and whenever somebody
 * reads. The ledger here is a list; that the real hub's snapshots and events fit each other is for tests/hub.
 */
import { describe, expect, it } from "vitest";

import { Streams } from "../../src/hub/streams.js";
import type { AccountState, EntryState, Event } from "../../src/hub/wire.js";
import { type Account, withEvent, withSnapshot } from "../../src/state/account.js";
import { merge } from "../../src/state/history.js";

/** Reproducible: a failure names the seed that made it. */
function dice(seed: number): (sides: number) => number {
  let state = seed + 0x9e3779b9;
  return (sides) => {
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) + 0x6d2b79f5;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
}

/** An account's past, number by number: what the hub would tell of each moment. */
class Ledger {
  readonly events: Event[] = [];
  floor = -200;
  status = "open";

  grow(roll: (sides: number) => number): void {
    const last = this.snapshot();
    const what = ["payment.sent", "payment.received", "hold.placed", "hold.captured"][roll(4)] ?? "";
    const isHold = what.startsWith("hold");
    const amount = what === "hold.placed" ? 0 : roll(500) - (what === "payment.received" ? 0 : 500);
    this.events.push({
      type: "event",
      account: 1,
      number: this.events.length + 1,
      payment: `payment ${this.events.length + 1}`,
      what,
      amount,
      counterparty: 2,
      balance: last.posted + amount,
      at: "2026-03-01T12:00:00Z",
      ...(isHold && { held: Math.max(last.held + roll(60) - 20, 0) }),
    });
    // Told by no event.
    if (roll(20) === 0) this.floor = -roll(900);
    if (roll(40) === 0) this.status = this.status === "open" ? "blocked" : "open";
  }

  snapshot(): AccountState {
    const posted = this.events.at(-1)?.balance ?? 0;
    const held = [...this.events].reverse().find((event) => event.held !== undefined)?.held ?? 0;
    const { floor, status } = this;
    const available = Math.max(posted - held - floor, 0);
    return { account: 1, posted, held, available, floor, status, number: this.events.length };
  }

  entries(): EntryState[] {
    return this.events.map(toEntry).reverse();
  }
}

function toEntry({ type: _, account: __, ...entry }: Event): EntryState {
  return entry;
}

describe("snapshot and events == fresh snapshot", () => {
  it("over the fold alone: doubled and late, with old snapshots in between", () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const roll = dice(seed);
      const ledger = new Ledger();
      for (let count = 0; count < 5; count += 1) ledger.grow(roll);
      const snapshots = [ledger.snapshot()];
      let known: Account = withSnapshot(undefined, snapshots[0] as AccountState);
      for (let count = 0; count < 60; count += 1) {
        ledger.grow(roll);
        snapshots.push(ledger.snapshot());
        // The next event or none, an old one again, an old snapshot. It is never given an event after a gap, because what
        // is held stands in some events alone: that is the stream's promise, which the test below is about.
        const event = ledger.events[known.number];
        const old = ledger.events[roll(ledger.events.length)];
        if (roll(3) > 0 && event !== undefined) known = withEvent(known, event);
        if (old !== undefined && old.number <= known.number) known = withEvent(known, old);
        const late = snapshots[roll(snapshots.length)];
        if (roll(8) === 0 && late !== undefined && late.number <= known.number) {
          const { posted, held, number } = withSnapshot(known, late);
          expect({ posted, held, number }, `seed ${seed}`).toEqual({
            posted: known.posted,
            held: known.held,
            number: known.number,
          });
        }
      }
      for (const event of ledger.events) if (event.number === known.number + 1) known = withEvent(known, event);
      known = withSnapshot(known, ledger.snapshot());
      expect(known, `seed ${seed}`).toEqual(ledger.snapshot());
    }
  });

  it("over a stream that loses, doubles and reorders, and mends its gaps", () => {
    let gaps = 0;
    for (let seed = 0; seed < 300; seed += 1) {
      const roll = dice(seed);
      const ledger = new Ledger();
      for (let count = 0; count < 3; count += 1) ledger.grow(roll);
      const streams = new Streams();
      const first = ledger.snapshot();
      streams.begin(1, first.number);
      let account: Account = withSnapshot(undefined, first);
      let entries: readonly EntryState[] = [];
      // What is on its way: a hub that loses nothing would make this a queue.
      let wire: Event[] = [];
      const hear = (event: Event): void => {
        const verdict = streams.hear(1, event.number);
        if (verdict === "next") {
          account = withEvent(account, event);
          entries = merge([toEntry(event)], entries);
        } else if (verdict === "gap") {
          gaps += 1;
          // The hub sends everything after the number again; some of that is lost again, too.
          const after = streams.numberOf(1) ?? 0;
          streams.begin(1, after);
          wire = [...ledger.events.slice(after).filter(() => roll(6) > 0), ...wire];
        }
      };
      for (let count = 0; count < 80; count += 1) {
        ledger.grow(roll);
        const event = ledger.events.at(-1) as Event;
        for (let copies = [0, 1, 1, 1, 2][roll(5)] ?? 1; copies > 0; copies -= 1) wire.splice(roll(wire.length + 1), 0, event);
        while (wire.length > 0 && roll(3) > 0) hear(wire.shift() as Event);
        // Somebody reads a snapshot or a page at any moment.
        if (roll(10) === 0) account = withSnapshot(account, ledger.snapshot());
        if (roll(10) === 0) entries = merge(ledger.entries().slice(0, 10), entries);
        // Never ahead of the truth, never behind what it has shown, and always something that was true.
        expect(account.number).toBeLessThanOrEqual(ledger.events.length);
        const then = ledger.events[account.number - 1];
        expect(account.posted, `seed ${seed}`).toBe(then?.balance);
      }
      // The connection breaks, and the resume brings what is left, in order.
      for (const event of ledger.events.slice(streams.numberOf(1))) hear(event);
      account = withSnapshot(account, ledger.snapshot());
      entries = merge(ledger.entries(), entries);
      expect(account, `seed ${seed}`).toEqual(ledger.snapshot());
      expect(entries, `seed ${seed}`).toEqual(ledger.entries());
      expect(streams.numberOf(1)).toBe(ledger.events.length);
    }
    expect(gaps).toBeGreaterThan(1_000);
  });
});

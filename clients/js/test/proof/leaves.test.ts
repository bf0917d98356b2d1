import { describe, expect, it } from "vitest";

import { batchLeaf, type Facts, fromText, hashAsked, hashKept, joinPrivate, paymentLeaf, readFacts, type Share, toText } from "../../src/proof/index.js";
import { rows } from "../vectors.js";

describe("leaves", () => {
  interface Leaf {
    facts: Facts;
    asked_by: string;
    fee: number;
    shares: Share[];
    salt: string;
    asked_hash: string;
    kept_hash: string;
    commitment: string;
    leaf: string;
  }
  it.each(rows<Leaf>("leaves"))("of payment $facts.payment", async (row) => {
    const salt = fromText(row.salt);
    const asked = await hashAsked(row.asked_by, salt.slice(0, 16));
    const kept = await hashKept(row.fee, row.shares, salt.slice(16));
    const commitment = await joinPrivate(asked, kept);
    const leaf = await paymentLeaf(readFacts(row.facts), commitment);
    const told = [row.asked_hash, row.kept_hash, row.commitment, row.leaf];
    expect([asked, kept, commitment, leaf].map(toText)).toEqual(told);
  });

  it("of a batch", async () => {
    for (const row of rows<{ kind: number; size: number; root: string; leaf: string }>("batches")) {
      expect(toText(await batchLeaf(row.kind, row.size, fromText(row.root)))).toBe(row.leaf);
    }
  });
});

import { describe, expect, it } from "vitest";

import { fromText, hashLeaf, isConsistent, isIncluded, rootOf, toText } from "../../src/proof/index.js";
import { rows } from "../vectors.js";

describe("trees", () => {
  it("have the roots that they have elsewhere", async () => {
    const leaves = await Promise.all(Array.from({ length: 40 }, (_, at) => hashLeaf(new TextEncoder().encode(`${at}`))));
    const roots = await Promise.all(Array.from({ length: 40 }, (_, size) => rootOf(leaves.slice(0, size))));
    expect(roots.map(toText)).toEqual(rows("roots"));
  });

  interface Inclusion {
    leaf: string;
    index: number;
    size: number;
    path: string;
    root: string;
    holds: boolean;
  }
  it.each(rows<Inclusion>("inclusions"))("inclusion of $index in $size: $holds", async (row) => {
    const found = await isIncluded(fromText(row.leaf), row.index, row.size, fromText(row.path), fromText(row.root));
    expect(found).toBe(row.holds);
  });

  interface Consistency {
    old_size: number;
    old_root: string;
    new_size: number;
    new_root: string;
    proof: string;
    holds: boolean;
  }
  it.each(rows<Consistency>("consistencies"))("consistency of $old_size with $new_size: $holds", async (row) => {
    const [oldRoot, newRoot, proof] = [fromText(row.old_root), fromText(row.new_root), fromText(row.proof)];
    expect(await isConsistent(row.old_size, oldRoot, row.new_size, newRoot, proof)).toBe(row.holds);
  });
});

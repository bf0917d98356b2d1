import { describe, expect, it } from "vitest";

import { fromText, hasGrown, isCosigned, isSigned, readCosignature, readHead } from "../../src/proof/index.js";
import { keys, rows, witnesses } from "../vectors.js";

describe("heads", () => {
  it.each(rows<{ head: unknown; holds: boolean }>("heads"))("are signed: $holds", async (row) => {
    expect(await isSigned(readHead(row.head), keys)).toBe(row.holds);
  });

  interface Growth {
    old: unknown;
    head: unknown;
    proof: string;
    holds: boolean;
  }
  it.each(rows<Growth>("growths"))("grow: $holds", async (row) => {
    expect(await hasGrown(readHead(row.old), readHead(row.head), fromText(row.proof), keys)).toBe(row.holds);
  });

  interface Cosigned {
    head: unknown;
    cosignature: unknown;
    holds: boolean;
  }
  it.each(rows<Cosigned>("cosignatures"))("are cosigned: $holds", async (row) => {
    expect(await isCosigned(readHead(row.head), readCosignature(row.cosignature), witnesses)).toBe(row.holds);
  });
});

import { describe, expect, it } from "vitest";

import { fromText, ProofRefused, toText } from "../../src/proof/index.js";

describe("text", () => {
  it("has one spelling for each bytes", () => {
    for (let size = 0; size < 70; size += 1) {
      const data = Uint8Array.from({ length: size }, (_, at) => (at * 37 + size) % 256);
      expect(toText(data)).toBe(Buffer.from(data).toString("base64"));
      expect(fromText(toText(data))).toEqual(data);
    }
    for (const bad of ["A", "AA", "AAA", "AB==", "AAB=", "AAA-", "AAA_", "AA A", "é", "AAAAA", "AA==AA==", 7]) {
      expect(() => fromText(bad)).toThrow(ProofRefused);
    }
  });
});

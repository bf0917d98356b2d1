import { describe, expect, it } from "vitest";

import { fromText, ProofRefused, toText } from "../../src/proof/index.js";

describe("text", () => {
  it("has one spelling for each bytes", () => {
    for (let size = 0; size < 70; size += 1) {
      const data = Uint8Array.from({ length: size }, (_, at) => (at * 37 + size) % 256);
      expect(toText(data)).toBe(Buffer.from(data).toString("base64url"));
      expect(fromText(toText(data))).toEqual(data);
    }
    for (const bad of ["A", "AB", "AAB", "AA==", "A+AA", "A/AA", "AA A", "é", "AAAAA"]) {
      expect(() => fromText(bad)).toThrow(ProofRefused);
    }
  });
});

import { describe, expect, it } from "vitest";

import { readKeys } from "../../src/proof/index.js";
import { reasonOf } from "../vectors.js";

describe("what is no key", () => {
  it.each(["", "[]", "{}", '{"keys":[1]}', '{"keys":[{"key":"00","public_key":"AAAA"}]}', '{"keys":[{"key":1}]}'])(
    "is refused: %s",
    async (text) => {
      expect(await reasonOf(() => readKeys(text))).toBe("malformed");
    },
  );
});

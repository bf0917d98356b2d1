/** Sums and moments are exact, and written as their readers write them. */
import { describe, expect, it } from "vitest";

import { ago, decimalText, money, moneyParts } from "../../src/ui/words/figures.js";
import { preferences } from "../../src/ui/words/preferences.svelte.js";

const plain = (text: string): string => text.replaceAll(/\s/g, " ");

describe("money", () => {
  it("is exact to the last cent that a number holds", () => {
    expect(decimalText(9_007_199_254_740_991, 2)).toBe("90071992547409.91");
    expect(plain(money(9_007_199_254_740_991, "BRL"))).toBe("R$ 90.071.992.547.409,91");
    expect(decimalText(5, 2)).toBe("0.05");
    expect(decimalText(-5, 2)).toBe("-0.05");
    expect(decimalText(123, 0)).toBe("123");
  });

  it("is written as its reader writes it", () => {
    expect(plain(money(123_456, "BRL"))).toBe("R$ 1.234,56");
    preferences.language = "en";
    expect(plain(money(123_456, "BRL"))).toBe("R$1,234.56");
    expect(plain(money(1_234, "JPY"))).toMatch(/1,234$/);
  });

  it("has parts that can be set apart", () => {
    expect(moneyParts(-123_456, "BRL")).toEqual({ symbol: "R$", figures: "1.234,56", isNegative: true });
  });
});

describe("ago", () => {
  it("says how long, in words", () => {
    const now = Date.parse("2026-11-26T12:00:00Z");
    expect(ago("2026-11-26T11:55:00Z", now)).toBe("há 5 minutos");
    expect(ago("2026-11-25T11:00:00Z", now)).toBe("ontem");
    expect(ago("2026-11-26T12:00:00Z", now)).toBe("agora");
  });
});

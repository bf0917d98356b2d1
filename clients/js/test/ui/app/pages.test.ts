/** A list in pages is whole, in order, and never holds what was overtaken. */
import { describe, expect, it, vi } from "vitest";

import { Pages, type Page } from "../../../src/ui/app/pages.svelte.js";

describe("a list in pages", () => {
  it("goes on where it was left, and ends", async () => {
    const ask = vi.fn((before: number | undefined): Promise<Page<number, number>> =>
      Promise.resolve(before === undefined ? { items: [5, 4], next: 4 } : { items: [3], next: undefined }),
    );
    const pages = new Pages(ask);
    expect(pages.items).toBeUndefined();
    await pages.begin();
    expect(pages.hasMore).toBe(true);
    await pages.more();
    expect(pages.items).toEqual([5, 4, 3]);
    expect(pages.hasMore).toBe(false);
    expect(ask.mock.calls).toEqual([[undefined], [4]]);
  });

  it("keeps what is shown when the next page cannot be had", async () => {
    let isAway = false;
    const pages = new Pages<number, number>(() => (isAway ? Promise.reject(new Error("away")) : Promise.resolve({ items: [2], next: 2 })));
    await pages.begin();
    isAway = true;
    await pages.more();
    expect(pages.items).toEqual([2]);
    expect(pages.error).toBeInstanceOf(Error);
    isAway = false;
    await pages.more();
    expect(pages.error).toBeUndefined();
  });

  it("takes no answer that another question has overtaken", async () => {
    const answers: ((page: Page<number, number>) => void)[] = [];
    const pages = new Pages<number, number>(() => new Promise((resolve) => answers.push(resolve)));
    const [slow, quick] = [pages.begin(), pages.begin()];
    answers[1]?.({ items: [2], next: undefined });
    answers[0]?.({ items: [1], next: undefined });
    await Promise.all([slow, quick]);
    expect(pages.items).toEqual([2]);
  });
});

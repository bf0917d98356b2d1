/** Only the last question's answer is shown, and pages follow one another. */
import { expect, test } from "vitest";

import { Loaded, Pages } from "../../../src/ui/console/loaded.svelte.js";

test("an answer that comes late to another question is not shown", async () => {
  const loaded = new Loaded<string>();
  let answer = (_: string): void => undefined;
  const slow = loaded.load(() => new Promise<string>((resolve) => (answer = resolve)));
  await loaded.load(() => Promise.resolve("second"));
  answer("first");
  await slow;
  expect(loaded.value).toBe("second");
  expect(loaded.isBusy).toBe(false);
});

test("what failed says so, keeps what was there, and can be asked again", async () => {
  const loaded = new Loaded<number>();
  let tries = 0;
  const work = (): Promise<number> => ((tries += 1) === 2 ? Promise.reject(new Error("no")) : Promise.resolve(tries));
  await loaded.load(work);
  await loaded.again();
  expect(loaded.failed).toBeInstanceOf(Error);
  expect(loaded.value).toBe(1);
  await loaded.again();
  expect([loaded.value, loaded.failed]).toEqual([3, undefined]);
});

test("pages come one after another, and beginning anew forgets them", async () => {
  const pages = new Pages<number, number>();
  const read = (place: number | undefined): Promise<{ rows: number[]; next: number | undefined }> => {
    const from = place ?? 0;
    return Promise.resolve({ rows: [from, from + 1], next: from < 4 ? from + 2 : undefined });
  };
  await pages.begin(read);
  await pages.more();
  await pages.more();
  expect(pages.rows).toEqual([0, 1, 2, 3, 4, 5]);
  expect(pages.next).toBeUndefined();
  await pages.more();
  expect(pages.rows).toHaveLength(6);
  await pages.again();
  expect(pages.rows).toEqual([0, 1]);
});

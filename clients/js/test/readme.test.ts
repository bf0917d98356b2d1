/** The quick start that is printed is the one that runs. */
import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

it("the README's quick start is the file that test/real runs", () => {
  const [, printed] = /```ts\n(import \{ Hub[\s\S]*?)```/.exec(read("../README.md")) ?? [];
  const run = read("./real/quick_start.ts")
    .replace('"../../src/index.js"', '"@payhub/client"')
    .replace('"../../src/node/index.js"', '"@payhub/client/node"');
  expect(printed).toBe(run);
});

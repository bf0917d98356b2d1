/** What a page loads: everything that `@payhub/client` exports, with its one dependency, as a bundler makes it. */
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

import { build } from "vite";
import { describe, expect, it } from "vitest";

const KIB = 1_024;

async function sizeOf(entry: string): Promise<{ gzip: number; code: string }> {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      target: "es2022",
      minify: true,
      modulePreload: false,
      rollupOptions: {
        input: fileURLToPath(new URL(`../src/${entry}`, import.meta.url)),
        preserveEntrySignatures: "strict",
      },
    },
  });
  const [first] = Array.isArray(built) ? built : [built];
  if (first === undefined || !("output" in first)) throw new Error("Nothing was built.");
  const code = first.output.map((part) => (part.type === "chunk" ? part.code : "")).join("");
  return { gzip: gzipSync(code, { level: 9 }).length, code };
}

describe("the bundle", () => {
  it("of the whole library is no larger than 20 KiB, gzipped", async () => {
    const { gzip, code } = await sizeOf("index.ts");
    console.info(`@payhub/client: ${(gzip / KIB).toFixed(1)} KiB gzipped, ${(code.length / KIB).toFixed(1)} KiB minified`);
    expect(gzip).toBeLessThan(20 * KIB);
    expect(gzip).toBeGreaterThan(5 * KIB);
    expect(code).not.toMatch(/(from|import)\s*\(?["'`](node:|ws\b)/);
  });

  it("of what checks proofs is a few more, for whoever wants them", async () => {
    const { gzip } = await sizeOf("proof/index.ts");
    expect(gzip).toBeLessThan(6 * KIB);
  });
});

/** Which room may know which: ui ► state ► hub, never back; proofs and what Node alone has stand apart. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));
const MAY_KNOW: Readonly<Record<string, readonly string[]>> = {
  hub: ["@msgpack/msgpack"],
  proof: [],
  state: ["hub"],
  node: ["hub", "till", "node:", "ws"],
  till: ["state", "hub", "proof"],
  ui: [
    "state", "hub", "proof", "till", "svelte", "svelte/", "bits-ui", "sv-router", "@lucide/", "@fontsource-variable/", "uqr",
    "uplot", "uplot/", "virtua", "barcode-detector", "zxing-wasm", "web-vitals",
  ],
  ".": ["hub", "state"],
};

/** Every file with the rooms and packages that it imports. */
function imports(): [file: string, room: string, known: string[]][] {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|svelte)$/.test(name));
  return files.map((file) => {
    const code = readFileSync(join(SRC, file), "utf8");
    const named = [...code.matchAll(/(?:from\s+|import\s*\(?\s*)"([^"]+)"/g)].map(([, name]) => name ?? "");
    const room = roomOf(join(SRC, file));
    const known = named.map((name) => (name.startsWith(".") ? roomOf(join(SRC, dirname(file), name)) : name));
    return [file, room, known.filter((name) => name !== room)];
  });
}

function roomOf(path: string): string {
  const [first = ".", ...rest] = relative(SRC, path).split("/");
  return rest.length === 0 ? "." : first;
}

describe("the rooms of the client", () => {
  it("know what they may, and nothing else", () => {
    const found = imports();
    expect(found.length).toBeGreaterThan(25);
    for (const [file, room, known] of found) {
      for (const name of known) {
        const may = MAY_KNOW[room]?.some((one) => name === one || name.startsWith(`${one}/`) || (/[:/]$/.test(one) && name.startsWith(one)));
        expect(may, `${file} imports ${name}`).toBe(true);
      }
    }
  });

  it("are typed all the way", () => {
    for (const [file] of imports()) {
      const code = readFileSync(join(SRC, file), "utf8").replaceAll(/<!--[\s\S]*?-->|<style>[\s\S]*<\/style>|\/\*[\s\S]*?\*\/|\/\/.*|"[^"]*"/g, "");
      // As a type: a text or a field may well be called so.
      expect(/[:<,|&=]\s*any\b(?!\s*:)|\bas\s+any\b|@ts-/.test(code), file).toBe(false);
    }
  });
});

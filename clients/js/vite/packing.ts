/** What the hub serves beside the files themselves: a list of them for the service worker, and each of them packed. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import type { Plugin } from "vite";

const TEXTS = /\.(?:css|html|js|json|svg|webmanifest)$/;
/** Smaller ones fit into a packet as they are. */
const WORTH_IT = 1_024;
/** What the wallet needs when there is no network: the till has its own, and the console is nothing without one. */
const WALLET = "app.html";

interface Part {
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
  readonly css?: readonly string[];
  readonly assets?: readonly string[];
  readonly file: string;
}

/** `shell.json`: everything that the wallet and the till may need, however deep they are loaded. */
export function listed(): Plugin {
  return {
    name: "payhub-listed",
    apply: "build",
    config: () => ({ build: { manifest: "manifest.json" } }),
    writeBundle({ dir = "" }) {
      const manifest = JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8")) as Record<string, Part>;
      const found = new Set<string>();
      const seen = new Set<string>();
      const walk = (name: string): void => {
        const part = manifest[name];
        if (part === undefined || seen.has(name)) return;
        seen.add(name);
        for (const file of [part.file, ...(part.css ?? []), ...(part.assets ?? [])]) found.add(`/${file}`);
        for (const next of [...(part.imports ?? []), ...(part.dynamicImports ?? [])]) walk(next);
      };
      for (const page of [WALLET, "pos.html"]) walk(page);
      writeFileSync(join(dir, "shell.json"), JSON.stringify([...found].sort()));
    },
  };
}

/** Packs what is text, once and as small as it gets, so that no hub does it for each who asks. */
export function packed(): Plugin {
  return {
    name: "payhub-packed",
    apply: "build",
    enforce: "post",
    closeBundle: {
      order: "post",
      sequential: true,
      handler() {
        const dir = this.environment.config.build.outDir;
        for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
          const path = join(dir, name);
          if (!TEXTS.test(name) || statSync(path).size < WORTH_IT) continue;
          const text = readFileSync(path);
          writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
          writeFileSync(`${path}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        }
      },
    },
  };
}

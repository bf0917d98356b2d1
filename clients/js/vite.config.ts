/** Builds the pages: the wallet, the till and the console, each with what it needs and nothing from elsewhere. */
import { readFileSync } from "node:fs";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { listed, packed } from "./vite/packing.js";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as { version: string };
const PAGES = ["app", "pos", "console"] as const;

export default defineConfig({
  plugins: [svelte(), listed(), packed()],
  define: { __PAYHUB_VERSION__: JSON.stringify(version) },
  // In development the pages come from here and everything else from a hub beside it.
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8080", ws: true }, "/docs": "http://127.0.0.1:8080" } },
  build: {
    outDir: "build",
    target: "es2022",
    // What a page needs is asked for by its own head; older browsers than these are not served.
    modulePreload: { polyfill: false },
    // A file that becomes a data: URL is none that a policy can name.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { ...Object.fromEntries(PAGES.map((page) => [page, `${page}.html`])), sw: "src/ui/app/service_worker.ts" },
      output: {
        // Workers are found by one name for ever; all else is named for what is in it.
        entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
});

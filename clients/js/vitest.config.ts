import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "library", include: ["test/**/*.test.ts"], exclude: ["test/real/**", "test/ui/**", "test/browser/**"] } },
      { test: { name: "react", include: ["test/react/**/*.test.tsx"], environment: "happy-dom" } },
      {
        plugins: [svelte()],
        // Svelte has another build for servers, and Node would take that.
        resolve: { conditions: ["browser"] },
        define: { __PAYHUB_VERSION__: '"0.0.0"' },
        // The hub's examples of its messages are beside its own tests.
        server: { fs: { allow: ["../.."] } },
        test: { name: "pages", include: ["test/ui/**/*.test.ts"], environment: "happy-dom", setupFiles: ["test/ui/setup.ts"] },
      },
    ],
  },
});

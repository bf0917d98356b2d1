/** The journeys in a real browser: tests/hub/test_browser.py starts the hub, and this. */
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "test/browser",
  outputDir: "build-tests",
  // A journey takes seconds; on a busy machine, where the other tests run beside it, a good many.
  timeout: 120_000,
  expect: { timeout: 40_000 },
  // One hub that some of them kill: one after another.
  workers: 1,
  reporter: "list",
  use: {
    viewport: { width: 390, height: 844 },
    locale: "pt-BR",
    actionTimeout: 40_000,
    // A button is pressed when it has come to rest: nothing is to keep it moving.
    contextOptions: { reducedMotion: "reduce" },
    launchOptions: {
      executablePath: process.env["PAYHUB_CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    },
    screenshot: "only-on-failure",
    trace: "off",
  },
});

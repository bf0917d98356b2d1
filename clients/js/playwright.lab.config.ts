/** What pages cost in a slow browser: `python -m loadtest pages` starts a hub, and this. */
import { defineConfig } from "@playwright/test";

import browser from "./playwright.config.js";

export default defineConfig({ ...browser, testDir: "test/lab", testMatch: "**/*.lab.ts", timeout: 240_000, reporter: "line" });

/** The tests against real hubs: tests/hub/test_client.py starts the hubs, and this. */
import { defineConfig } from "vitest/config";

export default defineConfig({ test: { include: ["test/real/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false } });

import { expect, it } from "vitest";

import { newId } from "../../src/hub/ids.js";

it("an id is a UUID of version 7 that says when it was made, and no other one", () => {
  const now = Date.parse("2026-03-01T12:34:56.789Z");
  const ids = Array.from({ length: 1_000 }, () => newId(now));
  expect(new Set(ids).size).toBe(1_000);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(now);
  }
  expect(newId(now + 1) > newId(now)).toBe(true);
});

import "fake-indexeddb/auto";

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { IndexedDbStorage } from "../../src/hub/indexed_db_storage.js";
import { MemoryStorage, type Storage } from "../../src/hub/storage.js";
import { FolderStorage } from "../../src/node/folder_storage.js";

const folder = mkdtempSync(join(tmpdir(), "payhub-storage-"));
afterAll(() => rmSync(folder, { recursive: true }));

const memory = new MemoryStorage();
const kinds: [string, () => Storage][] = [
  ["in memory", () => memory],
  ["in IndexedDB", () => new IndexedDbStorage()],
  ["in a folder", () => new FolderStorage(join(folder, "outbox"))],
];

describe.each(kinds)("a storage %s", (_, open) => {
  const value = { payment: "p", fields: { amount: 2 ** 53 - 1, description: "Pão 😀", shares: [[1, 2]] } };

  it("gives back what was put, to whoever opens it next", async () => {
    await open().put("one", value);
    await open().put("two", { state: "queued" });
    await open().put("two", { state: "sent" });
    expect(await open().readAll()).toEqual(
      new Map<string, unknown>([
        ["one", value],
        ["two", { state: "sent" }],
      ]),
    );
    await open().remove("one");
    await open().remove("nothing");
    expect([...(await open().readAll()).keys()]).toEqual(["two"]);
  });

  it("keeps what it was given, whatever becomes of that", async () => {
    const mine = { state: "queued" };
    await open().put("two", mine);
    mine.state = "sent";
    expect((await open().readAll()).get("two")).toEqual({ state: "queued" });
  });
});

describe("a folder", () => {
  it("passes over what was being written when the program was killed", async () => {
    const storage = new FolderStorage(join(folder, "killed"));
    await storage.put("one", 1);
    writeFileSync(join(folder, "killed", "two.json.a1b2c3"), '{"half');
    expect(await storage.readAll()).toEqual(new Map([["one", 1]]));
    expect(readdirSync(join(folder, "killed")).filter((name) => name.startsWith("one"))).toEqual(["one.json"]);
  });

  it("takes no key that leads out of it", async () => {
    await expect(new FolderStorage(folder).put("../x", 1)).rejects.toThrow(TypeError);
  });
});

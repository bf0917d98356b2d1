/** Keeps the outbox in a folder, a file for each payment. One program at a time may use a folder. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Storage } from "../hub/storage.js";

const KEY = /^[A-Za-z0-9-]{1,64}$/;
const ENDING = ".json";

export class FolderStorage implements Storage {
  constructor(readonly folder: string) {}

  async readAll(): Promise<ReadonlyMap<string, unknown>> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const kept = new Map<string, unknown>();
    for (const name of (await readdir(this.folder)).sort()) {
      // What was being written when the program was killed was never said to be kept.
      if (!name.endsWith(ENDING)) continue;
      kept.set(name.slice(0, -ENDING.length), JSON.parse(await readFile(join(this.folder, name), "utf8")));
    }
    return kept;
  }

  /** Written beside, then renamed: whoever reads finds the old value or the new one. */
  async put(key: string, value: unknown): Promise<void> {
    const path = this.#path(key);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const beside = `${path}.${randomBytes(6).toString("hex")}`;
    const file = await open(beside, "wx", 0o600);
    try {
      await file.writeFile(JSON.stringify(value));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await this.#syncFolder();
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new TypeError(`This is no key of a storage: ${key}`);
    return join(this.folder, key + ENDING);
  }

  /** A rename is safe when its folder is. */
  async #syncFolder(): Promise<void> {
    if (process.platform === "win32") return;
    const folder = await open(this.folder, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

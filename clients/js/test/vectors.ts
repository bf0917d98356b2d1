/** The vectors that the Python implementation writes and is held to itself (tests/core/proof/vectors.py). */
import { readFileSync } from "node:fs";

import { ProofRefused, readKeys } from "../src/proof/index.js";

const file = new URL("../../../tests/vectors/proofs.json", import.meta.url);
const vectors: Record<string, unknown[]> = JSON.parse(readFileSync(file, "utf8"));

export const keys = await readKeys({ keys: vectors["keys"] });
export const witnesses = await readKeys(JSON.stringify({ keys: vectors["witnesses"] }));

/** The cases of one kind. None at all is a mistake. */
export function rows<T>(name: string): T[] {
  const found = vectors[name];
  if (found === undefined || found.length === 0) throw new Error(`There are no vectors called ${name}.`);
  return found as T[];
}

/** What it is refused for; undefined if it is not. */
export async function reasonOf(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof ProofRefused) return error.reason;
    throw error;
  }
}

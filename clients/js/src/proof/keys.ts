/** Ed25519 public keys (RFC 8032): read from what the hub or a witness gives, and used. */
import { type Bytes, fromText } from "./bytes.js";
import { isList, isRecord, parse } from "./reading.js";
import { malformed } from "./refused.js";

export type PublicKeys = ReadonlyMap<string, CryptoKey>;

const ALGORITHM = { name: "Ed25519" } as const;
const SIGNATURE_SIZE = 64;

/** The keys in what /docs/proof-keys.json, or a witness's /v1/key, gave: as text, or parsed already. */
export async function readKeys(told: unknown): Promise<PublicKeys> {
  const content = typeof told === "string" ? parse(told, "These are no keys.") : told;
  const rows = isRecord(content) ? content["keys"] : undefined;
  if (!isList(rows)) throw malformed("These are no keys.");
  const keys = new Map<string, CryptoKey>();
  for (const row of rows) {
    if (!isRecord(row) || typeof row["key"] !== "string") throw malformed("These are no keys.");
    keys.set(row["key"], await readKey(fromText(row["public_key"])));
  }
  return keys;
}

/** A public key from its 32 bytes. */
export async function readKey(data: Bytes): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("raw", data, ALGORITHM, true, ["verify"]);
  } catch {
    throw malformed("A key cannot be read.");
  }
}

/** Whether the key signed this. */
export async function isSignedBy(key: CryptoKey, signature: Bytes, statement: Bytes): Promise<boolean> {
  return signature.length === SIGNATURE_SIZE && crypto.subtle.verify(ALGORITHM, key, signature, statement);
}

/**
 * Signed receipts: one signature per batch over its root, and each payment's path to it (core/proof/receipts.py).
 *
 *     version 1 · kid 8 · size 4 · place 4 · commitment 32 · path length 1 · path 32 each · signature 64
 */
import { ascii, type Bytes, concat, toHex, u32 } from "./bytes.js";
import { isSignedBy, type PublicKeys } from "./keys.js";
import { type Facts, KINDS, paymentLeaf, STATUSES } from "./leaves.js";
import { malformed, ProofRefused } from "./refused.js";
import { HASH_SIZE, rootFrom } from "./tree.js";

const VERSION = 1;
const SIGNATURE_SIZE = 64;
const HEAD_SIZE = 1 + 8 + 4 + 4 + HASH_SIZE + 1;
const STATEMENT = ascii("payhub statement 1");

/** A receipt, taken apart. `kid` names the key that signed it. */
export interface Receipt {
  readonly kid: string;
  readonly size: number;
  readonly place: number;
  readonly commitment: Bytes;
  readonly path: Bytes;
  readonly signature: Bytes;
}

/** Take a receipt apart. Throws ProofRefused. */
export function readReceipt(data: Bytes): Receipt {
  if (data.length < HEAD_SIZE) throw malformed("It is too short for a receipt.");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (view.getUint8(0) !== VERSION) throw malformed("It is a receipt of a version that is not known here.");
  const end = HEAD_SIZE + view.getUint8(HEAD_SIZE - 1) * HASH_SIZE;
  if (data.length !== end + SIGNATURE_SIZE) throw malformed("It has not the length of a receipt.");
  return {
    kid: toHex(data.slice(1, 9)),
    size: view.getUint32(9),
    place: view.getUint32(13),
    commitment: data.slice(17, 17 + HASH_SIZE),
    path: data.slice(HEAD_SIZE, end),
    signature: data.slice(end),
  };
}

/** The root of the batch that the payment is in, if the receipt proves that it is. Throws ProofRefused. */
export async function checkReceipt(tenant: number, facts: Facts, receipt: Receipt, keys: PublicKeys): Promise<Bytes> {
  if (!STATUSES.includes(facts.status)) throw new ProofRefused("not_done", "There are receipts of what was done alone.");
  if (!KINDS.includes(facts.kind)) throw malformed("These are no facts of a payment.");
  const key = keys.get(receipt.kid);
  if (key === undefined) {
    throw new ProofRefused("unknown_key", `It is signed by a key (${receipt.kid}) that is none of the institution's.`);
  }
  const leaf = await paymentLeaf(facts, receipt.commitment);
  const root = await rootFrom(leaf, receipt.place, receipt.size, receipt.path);
  if (root === null) throw new ProofRefused("no_way", "Its path leads nowhere.");
  if (!(await isSignedBy(key, receipt.signature, statement(tenant, receipt.size, root)))) {
    throw new ProofRefused("signature", "The signature is not over this: the payment or the receipt was changed.");
  }
  return root;
}

function statement(tenant: number, size: number, root: Uint8Array): Bytes {
  return concat(STATEMENT, u32(tenant), u32(size), root);
}

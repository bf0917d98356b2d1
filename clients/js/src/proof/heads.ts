/**
 * Signed tree heads: what an institution's log was at a moment. Keep one, and the log can be held to it for ever: ask for
 * the log's growth from its size on (`log_growth`), and check it.
 */
import { ascii, type Bytes, concat, fromHex, fromText, u32, u64 } from "./bytes.js";
import { isSignedBy, type PublicKeys } from "./keys.js";
import { Fields } from "./reading.js";
import { malformed } from "./refused.js";
import { HASH_SIZE, isConsistent } from "./tree.js";

const STATEMENT = ascii("payhub head 1");
const COSIGNED = ascii("payhub cosignature 1");
const KID = /^[0-9a-f]{16}$/;

/** `size` leaves below `root`, signed by the key `kid`; `atUs`: microseconds since the epoch. */
export interface Head {
  readonly tenant: number;
  readonly size: number;
  readonly root: Bytes;
  readonly atUs: number;
  readonly kid: string;
  readonly signature: Bytes;
}

/** A witness's word for a head: that it saw it, and that the log it had seen before is its beginning. */
export interface Cosignature {
  readonly witness: string;
  readonly seenAtUs: number;
  readonly signature: Bytes;
}

/** A head as the hub writes it (`log_head`, `read_proof`). Throws ProofRefused. */
export function readHead(told: unknown): Head {
  const fields = new Fields(told, "It is no head.");
  const kid = fields.text("key");
  const root = fromText(fields.text("root"));
  if (root.length !== HASH_SIZE || !KID.test(kid)) throw malformed("It is no head.");
  return {
    tenant: fields.tenant("tenant"),
    size: fields.whole("size"),
    root,
    atUs: fields.moment("at_us"),
    kid,
    signature: fromText(fields.text("signature")),
  };
}

/** A cosignature as a witness writes it. Throws ProofRefused. */
export function readCosignature(told: unknown): Cosignature {
  const fields = new Fields(told, "It is no cosignature.");
  return {
    witness: fields.text("witness"),
    seenAtUs: fields.moment("seen_at_us"),
    signature: fromText(fields.text("signature")),
  };
}

/** Whether one of the institution's keys signed this head. */
export async function isSigned(head: Head, keys: PublicKeys): Promise<boolean> {
  const key = keys.get(head.kid);
  const statement = concat(STATEMENT, u32(head.tenant), u64(head.size), u64(head.atUs), head.root);
  return key !== undefined && isSignedBy(key, head.signature, statement);
}

/** Whether one of these witnesses signed that it saw this head. */
export async function isCosigned(head: Head, cosignature: Cosignature, witnesses: PublicKeys): Promise<boolean> {
  const key = witnesses.get(cosignature.witness);
  const statement = concat(
    COSIGNED,
    fromHex(head.kid),
    u32(head.tenant),
    u64(head.size),
    u64(head.atUs),
    u64(cosignature.seenAtUs),
    head.root,
  );
  return key !== undefined && isSignedBy(key, cosignature.signature, statement);
}

/** Whether both heads are signed, and the later log begins with the earlier one. */
export async function hasGrown(old: Head, head: Head, proof: Bytes, keys: PublicKeys): Promise<boolean> {
  return (
    old.tenant === head.tenant &&
    (await isSigned(old, keys)) &&
    (await isSigned(head, keys)) &&
    isConsistent(old.size, old.root, head.size, head.root, proof)
  );
}

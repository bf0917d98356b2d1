/**
 * What stands in the leaves, byte by byte, as core/proof/leaves.py builds it. Leaves of audit entries are not here: they
 * are the institution's and its auditors'.
 */
import { ascii, type Bytes, concat, i64, sha256, u32, u64, u8, uuidBytes } from "./bytes.js";
import { hashLeaf } from "./tree.js";

const PAYMENT = ascii("payhub payment 1");
const PRIVATE = ascii("payhub private 1");
const ASKED = ascii("payhub asked 1");
const KEPT = ascii("payhub kept 1");
const BATCH = ascii("payhub batch 1");
const NO_ID = new Uint8Array(16);
const NOTHING_KEPT = new Uint8Array(32);
/** Half of a payment's salt blinds who asked, the other half what was kept. */
export const SALT_SIZE = 16;

/** What kinds are called on the wire, by their numbers (core.nouns.Kind). */
export const KINDS = [
  "pay",
  "authorize",
  "capture",
  "void",
  "expire",
  "refund",
  "reverse",
  "dispute",
  "chargeback",
  "absolve",
  "release",
  "decline",
] as const;
export type Kind = (typeof KINDS)[number];

/** Statuses of what was done, by their numbers (core.nouns.DONE). There are receipts of no others. */
export const STATUSES = ["posted", "in_review"] as const;
export type Status = (typeof STATUSES)[number];

/** What a leaf says of a payment. `at_us`: microseconds since the epoch. */
export interface Facts {
  readonly payment: string;
  readonly kind: Kind;
  readonly status: Status;
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly at_us: number;
  readonly about?: string;
  readonly charge?: string;
}

/** (account, amount) that went on from the payee; negative: came back. */
export type Share = readonly [account: number, amount: number];

/** Who asked, blinded by the first half of the payment's salt. */
export function hashAsked(person: string, salt: Uint8Array): Promise<Bytes> {
  return sha256(concat(ASKED, salt, uuidBytes(person)));
}

/** What the payee did not get of the amount, blinded by the second half of the payment's salt. */
export async function hashKept(fee: number, shares: readonly Share[], salt: Uint8Array): Promise<Bytes> {
  if (fee === 0 && shares.length === 0) return NOTHING_KEPT;
  const sorted = [...shares].sort(([one, its], [other, theirs]) => one - other || its - theirs);
  return sha256(concat(KEPT, salt, i64(fee), ...sorted.flatMap(([account, amount]) => [u64(account), i64(amount)])));
}

/** The commitment in the leaf, from its two parts. */
export function joinPrivate(asked: Uint8Array, kept: Uint8Array): Promise<Bytes> {
  return sha256(concat(PRIVATE, asked, kept));
}

/** The hash of a payment's leaf. */
export function paymentLeaf(facts: Facts, commitment: Uint8Array): Promise<Bytes> {
  return hashLeaf(
    concat(
      PAYMENT,
      uuidBytes(facts.payment),
      u8(KINDS.indexOf(facts.kind)),
      u8(STATUSES.indexOf(facts.status)),
      u64(facts.payer),
      u64(facts.payee),
      u64(facts.amount),
      u64(facts.at_us),
      facts.about === undefined ? NO_ID : uuidBytes(facts.about),
      facts.charge === undefined ? NO_ID : uuidBytes(facts.charge),
      commitment,
    ),
  );
}

/** What is below a leaf of the log. */
export const BATCH_OF_PAYMENTS = 0;

/** The hash of the log's leaf that stands for a batch. */
export function batchLeaf(kind: number, size: number, root: Uint8Array): Promise<Bytes> {
  return hashLeaf(concat(BATCH, u8(kind), u32(size), root));
}

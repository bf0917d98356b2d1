/**
 * Checks the paper that a customer keeps of a payment: the hub's `payment_proof`. The keys are those that the reader
 * trusts, from wherever they had them first.
 */
import { type Bytes, equal, fromText } from "./bytes.js";
import { type Head, isSigned, readHead } from "./heads.js";
import type { PublicKeys } from "./keys.js";
import {
  BATCH_OF_PAYMENTS,
  batchLeaf,
  type Facts,
  hashAsked,
  hashKept,
  joinPrivate,
  type Kind,
  KINDS,
  SALT_SIZE,
  type Share,
  type Status,
  STATUSES,
} from "./leaves.js";
import { Fields, parse } from "./reading.js";
import { checkReceipt, readReceipt } from "./receipts.js";
import { malformed, ProofRefused } from "./refused.js";
import { isIncluded } from "./tree.js";

const NO_PAPER = "This is no proof of a payment: save what read_proof gives.";

/** What a paper proves. What it does not open is left out. */
export interface Proved {
  /** The institution (key `kid`) signed these facts. */
  readonly kid: string;
  readonly tenant: number;
  readonly facts: Facts;
  /** What the payee did not get of the amount. */
  readonly kept?: { readonly fee: number; readonly shares: readonly Share[] };
  /** Who asked. */
  readonly askedBy?: string;
  /** The log whose head this is has the payment in this leaf. */
  readonly log?: { readonly number: number; readonly head: Head };
}

/** What the paper proves: as text, or parsed already. Throws ProofRefused with what is wrong with it. */
export async function checkPaper(paper: unknown, keys: PublicKeys): Promise<Proved> {
  const fields = new Fields(typeof paper === "string" ? parse(paper, NO_PAPER) : paper, NO_PAPER);
  const tenant = fields.tenant("tenant");
  // All of it is read before anything is believed.
  const opening = readOpening(fields);
  const place = fields.has("log") ? readPlace(fields.get("log")) : undefined;
  const receipt = readReceipt(fromText(fields.text("receipt")));
  const facts = readFacts(fields.get("facts"));
  const root = await checkReceipt(tenant, facts, receipt, keys);
  if (opening.isOpen) await checkOpening(opening, receipt.commitment);
  if (place !== undefined) await checkPlace(place, tenant, root, receipt.size, keys);
  return {
    kid: receipt.kid,
    tenant,
    facts,
    ...(opening.kept && { kept: { fee: opening.kept.fee, shares: opening.kept.shares } }),
    ...(opening.asked && { askedBy: opening.asked.person }),
    ...(place && { log: { number: place.number, head: place.head } }),
  };
}

/** The facts of a payment, as the hub writes them. Throws ProofRefused. */
export function readFacts(told: unknown): Facts {
  const fields = new Fields(told, NO_PAPER);
  const kind = fields.text("kind");
  const status = fields.text("status");
  if (!isKind(kind)) throw malformed(NO_PAPER);
  const facts = {
    payment: fields.id("payment"),
    kind,
    payer: fields.whole("payer"),
    payee: fields.whole("payee"),
    amount: fields.whole("amount"),
    at_us: fields.moment("at_us"),
    ...(fields.has("about") && { about: fields.id("about") }),
    ...(fields.has("charge") && { charge: fields.id("charge") }),
  };
  if (!isStatus(status)) throw new ProofRefused("not_done", "There are receipts of what was done alone.");
  return { ...facts, status };
}

interface Opening {
  readonly isOpen: boolean;
  readonly askedHash: Bytes;
  readonly keptHash: Bytes;
  readonly kept?: { readonly fee: number; readonly shares: readonly Share[]; readonly salt: Bytes };
  readonly asked?: { readonly person: string; readonly salt: Bytes };
}

function readOpening(fields: Fields): Opening {
  const kept = fields.has("kept") ? new Fields(fields.get("kept"), NO_PAPER) : undefined;
  const asked = fields.has("asked") ? new Fields(fields.get("asked"), NO_PAPER) : undefined;
  return {
    isOpen: kept !== undefined || asked !== undefined,
    askedHash: fields.has("asked_hash") ? fromText(fields.text("asked_hash")) : new Uint8Array(),
    keptHash: fields.has("kept_hash") ? fromText(fields.text("kept_hash")) : new Uint8Array(),
    ...(kept && { kept: { fee: kept.signed("fee"), shares: kept.pairs("shares"), salt: readSalt(kept) } }),
    ...(asked && { asked: { person: asked.id("person"), salt: readSalt(asked) } }),
  };
}

/** Of its one length: a longer one could swallow the fee and make another of what follows. */
function readSalt(fields: Fields): Bytes {
  const salt = fromText(fields.text("salt"));
  if (salt.length !== SALT_SIZE) throw malformed("What opens the commitment cannot be read.");
  return salt;
}

async function checkOpening(opening: Opening, commitment: Bytes): Promise<void> {
  const { kept, asked } = opening;
  const found = await joinPrivate(
    asked ? await hashAsked(asked.person, asked.salt) : opening.askedHash,
    kept ? await hashKept(kept.fee, kept.shares, kept.salt) : opening.keptHash,
  );
  if (!equal(found, commitment)) {
    throw new ProofRefused("commitment", "The fee, the shares or who asked are not what was signed.");
  }
}

interface Place {
  readonly number: number;
  readonly path: Bytes;
  readonly head: Head;
}

function readPlace(told: unknown): Place {
  const fields = new Fields(told, NO_PAPER);
  return { number: fields.whole("number"), path: fromText(fields.text("path")), head: readHead(fields.get("head")) };
}

async function checkPlace(place: Place, tenant: number, root: Bytes, size: number, keys: PublicKeys): Promise<void> {
  const { number, path, head } = place;
  if (head.tenant !== tenant || !(await isSigned(head, keys))) {
    throw new ProofRefused("head_signature", "The log's head is not signed by a trusted key.");
  }
  const leaf = await batchLeaf(BATCH_OF_PAYMENTS, size, root);
  if (!(await isIncluded(leaf, number, head.size, path, head.root))) {
    throw new ProofRefused("not_in_log", "The path does not lead from the payment to the log's head.");
  }
}

function isKind(text: string): text is Kind {
  return (KINDS as readonly string[]).includes(text);
}

function isStatus(text: string): text is Status {
  return (STATUSES as readonly string[]).includes(text);
}

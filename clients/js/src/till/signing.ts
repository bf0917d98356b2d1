/**
 * What is signed of a sale, byte by byte: whose till, which hold, which number, how much, when, and the sale before it.
 * A sale that is changed, left out or put between two others is found by whoever has the till's public key. In the
 * ledger it travels as words beside the capture, in letters alone: digits by chance could read like a card's number.
 */
import { type Bytes, concat, sha256 } from "../proof/index.js";
import { isSignedByTill, type TillKey, utf8 } from "./key.js";
import type { SaleRecord } from "./records.js";

const MARK = "payhub till sale 1";
const LETTERS = "abcdefghijklmnop";
/** What stands before the first sale. */
export const FIRST = toLetters(new Uint8Array(32));

export type Unsigned = Pick<SaleRecord, "sale" | "hold" | "count" | "amount" | "at" | "before">;

export async function signSale(key: TillKey, terminal: string, sale: Unsigned): Promise<string> {
  return toLetters(await key.sign(bytesOf(terminal, sale)));
}

export function isSaleSigned(jwk: TillKey["jwk"], terminal: string, sale: SaleRecord): Promise<boolean> {
  return isSignedByTill(jwk, fromLetters(sale.signed), bytesOf(terminal, sale));
}

/** What the next sale names as the one before it. */
export async function hashOfSale(sale: Pick<SaleRecord, "signed">): Promise<string> {
  return toLetters(await sha256(fromLetters(sale.signed)));
}

/** The first sale, in order, that does not follow from the one before it; none: all of them are what was signed. */
export async function findBroken(jwk: TillKey["jwk"], terminal: string, sales: readonly SaleRecord[]): Promise<SaleRecord | undefined> {
  for (const [at, sale] of sales.entries()) {
    const before = sales[at - 1];
    const follows = before === undefined || (sale.count === before.count + 1 && sale.before === (await hashOfSale(before)));
    if (!follows || !(await isSaleSigned(jwk, terminal, sale))) return sale;
  }
  return undefined;
}

/** The words beside the capture in the ledger. */
export function wordsOf(terminal: string, sale: SaleRecord): Readonly<Record<string, string>> {
  return {
    "till": toLetters(idBytes(terminal)),
    "till.sale": toLetters(idBytes(sale.sale)),
    "till.count": String(sale.count),
    "till.at": toLetters(u64(sale.at)),
    "till.before": sale.before,
    "till.signed": sale.signed,
  };
}

export function toLetters(data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += LETTERS.charAt(byte >> 4) + LETTERS.charAt(byte & 15);
  return text;
}

export function fromLetters(text: string): Bytes {
  const data = new Uint8Array(text.length / 2);
  for (let at = 0; at < data.length; at += 1) {
    data[at] = (LETTERS.indexOf(text.charAt(2 * at)) << 4) | LETTERS.indexOf(text.charAt(2 * at + 1));
  }
  return data;
}

function bytesOf(terminal: string, { sale, hold, count, amount, at, before }: Unsigned): Bytes {
  return concat(utf8(MARK), idBytes(terminal), idBytes(hold), idBytes(sale), u64(count), u64(amount), u64(at), fromLetters(before));
}

function idBytes(id: string): Bytes {
  return Uint8Array.from(id.replaceAll("-", "").match(/../g) ?? [], (two) => Number.parseInt(two, 16));
}

function u64(value: number): Bytes {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, BigInt(value));
  return data;
}

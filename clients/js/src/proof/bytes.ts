/**
 * Bytes: put together, compared, hashed, written as text. All numbers are big-endian, as core/proof/leaves.py packs them.
 */
import { malformed } from "./refused.js";

/** What WebCrypto takes: bytes of a buffer that nobody shares. */
export type Bytes = Uint8Array<ArrayBuffer>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Bytes as base64 (RFC 4648, 4), as the hub's JSON has them. */
export function toText(data: Uint8Array): string {
  return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));
}

/** The bytes in a text, which has one spelling for them. */
export function fromText(text: unknown): Bytes {
  const data = typeof text === "string" ? decoded(text) : undefined;
  // What reads base64 is lax about padding, spaces and unused bits.
  if (data === undefined || toText(data) !== text) throw malformed("It is not base64.");
  return data;
}

function decoded(text: string): Bytes | undefined {
  try {
    return ascii(atob(text));
  } catch {
    return undefined;
  }
}

export function ascii(text: string): Bytes {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function toHex(data: Uint8Array): string {
  return Array.from(data, (one) => one.toString(16).padStart(2, "0")).join("");
}

/** The bytes in hexadecimal digits; the caller has looked that they are some. */
export function fromHex(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (two) => Number.parseInt(two, 16));
}

export function isUuid(text: unknown): text is string {
  return typeof text === "string" && UUID.test(text);
}

/** A UUID's 16 bytes. */
export function uuidBytes(text: string): Bytes {
  if (!isUuid(text)) throw malformed("It is no id.");
  return fromHex(text.replaceAll("-", ""));
}

export function u8(value: number): Bytes {
  return Uint8Array.of(value);
}

export function u32(value: number): Bytes {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, value);
  return data;
}

export function u64(value: number): Bytes {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, BigInt(value));
  return data;
}

export function i64(value: number): Bytes {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigInt64(0, BigInt(value));
  return data;
}

/**
 * The till's own key (ECDSA on P-256, which every browser keeps well): made here, and the private half never leaves.
 * A browser keeps it as a handle that nobody can read, the page neither; where there are only files it is in one.
 */
import { type Bytes, toText } from "../proof/index.js";

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;

/** How a key lies in the storage: as WebCrypto's handles, or written out. */
type KeptKey = { readonly pair: CryptoKeyPair } | { readonly jwk: JsonWebKey };

/** `handle`: the storage holds what structured clone knows, as IndexedDB does. `file`: it holds JSON. */
export type KeyForm = "handle" | "file";

interface PublicJwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y: string;
}

export class TillKey {
  readonly jwk: PublicJwk;
  /** What to put into the storage. */
  readonly kept: KeptKey;
  readonly #secret: CryptoKey;

  private constructor(jwk: PublicJwk, secret: CryptoKey, kept: KeptKey) {
    this.jwk = jwk;
    this.#secret = secret;
    this.kept = kept;
  }

  static async make(form: KeyForm): Promise<TillKey> {
    const pair = await crypto.subtle.generateKey(CURVE, form === "file", ["sign", "verify"]);
    const kept = form === "file" ? { jwk: await crypto.subtle.exportKey("jwk", pair.privateKey) } : { pair };
    return new TillKey(await publicOf(pair.publicKey), pair.privateKey, kept);
  }

  static async read(kept: unknown): Promise<TillKey> {
    const found = kept as KeptKey;
    if ("pair" in found) return new TillKey(await publicOf(found.pair.publicKey), found.pair.privateKey, found);
    const secret = await crypto.subtle.importKey("jwk", found.jwk, CURVE, false, ["sign"]);
    const { kty = "", crv = "", x = "", y = "" } = found.jwk;
    return new TillKey({ kty, crv, x, y }, secret, found);
  }

  /** 64 bytes: r and s, as JWS has them (RFC 7518, 3.4). */
  async sign(data: Bytes): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.sign(SIGNING, this.#secret, data));
  }

  /** A signed token with the public key in its head. */
  async jws(type: string, claims: object): Promise<string> {
    const head = { typ: type, alg: "ES256", jwk: this.jwk };
    const signed = `${part(head)}.${part(claims)}`;
    return `${signed}.${toUrlText(await this.sign(utf8(signed)))}`;
  }
}

/** Whether the key with this public half signed the data. */
export async function isSignedByTill(jwk: PublicJwk, signature: Bytes, data: Bytes): Promise<boolean> {
  const key = await crypto.subtle.importKey("jwk", { ...jwk }, CURVE, true, ["verify"]);
  return crypto.subtle.verify(SIGNING, key, signature, data);
}

/** Bytes as base64url without padding, as tokens have them (RFC 7515, 2). */
export function toUrlText(data: Bytes): string {
  return toText(data).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

async function publicOf(key: CryptoKey): Promise<PublicJwk> {
  const { kty = "", crv = "", x = "", y = "" } = await crypto.subtle.exportKey("jwk", key);
  return { kty, crv, x, y };
}

function part(value: object): string {
  return toUrlText(utf8(JSON.stringify(value)));
}

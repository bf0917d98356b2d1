/** The two subprotocols: the same messages in MessagePack or JSON. Integers of the hub's all fit a number exactly. */
import { decode, encode } from "@msgpack/msgpack";

import type { FromHub } from "./wire.js";

export type Encoding = "msgpack" | "json";

/** One encoding. A field that is undefined is left out, as the hub wants it. */
export interface Codec {
  readonly subprotocol: string;
  encode(message: object): string | Uint8Array<ArrayBuffer>;
  /** The message in a frame; undefined: it is none that this client can read. */
  decode(data: unknown): FromHub | undefined;
}

export const CODECS: Readonly<Record<Encoding, Codec>> = {
  msgpack: {
    subprotocol: "payhub.v1.msgpack",
    encode: (message) => encode(message, { ignoreUndefined: true }),
    decode: (data) => (data instanceof ArrayBuffer || ArrayBuffer.isView(data) ? read(() => withTexts(decode(data))) : undefined),
  },
  json: {
    subprotocol: "payhub.v1.json",
    encode: (message) => JSON.stringify(message),
    decode: (data) => (typeof data === "string" ? read(() => JSON.parse(data)) : undefined),
  },
};

/** What is bytes in MessagePack is base64 here, as it is in JSON: a proof of payment can be kept as it came. */
function withTexts(value: unknown): unknown {
  if (value instanceof Uint8Array) return btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join(""));
  if (Array.isArray(value)) return value.map(withTexts);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withTexts(one)]));
}

function read(decoded: () => unknown): FromHub | undefined {
  try {
    const message = decoded();
    // The hub is believed about the rest: its types are what wire.ts was made from.
    return isMessage(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

function isMessage(value: unknown): value is FromHub {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

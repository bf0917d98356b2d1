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
    decode: (data) => (data instanceof ArrayBuffer || ArrayBuffer.isView(data) ? read(() => decode(data)) : undefined),
  },
  json: {
    subprotocol: "payhub.v1.json",
    encode: (message) => JSON.stringify(message),
    decode: (data) => (typeof data === "string" ? read(() => JSON.parse(data)) : undefined),
  },
};

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

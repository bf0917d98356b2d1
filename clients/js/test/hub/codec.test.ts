/** The vectors that the hub is held to itself (tests/hub/protocol/examples.py): every message, in both encodings. */
import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { CODECS } from "../../src/hub/codec.js";

interface Row {
  name: string;
  from: "client" | "hub";
  value: { type: string };
  json: string;
  msgpack: string;
}
const file = new URL("../../../../tests/vectors/messages.json", import.meta.url);
const rows: Row[] = JSON.parse(readFileSync(file, "utf8"));
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

describe("the vectors", () => {
  it("are of every message that wire.ts declares", () => {
    const wire = readFileSync(new URL("../../src/hub/wire.ts", import.meta.url), "utf8");
    const declared = [...wire.matchAll(/export interface (\w+) \{\n {2}readonly type: "\w+";/g)].map(([, name]) => name);
    const parts = (name: string | undefined) => name !== undefined && name.endsWith("Part");
    const shown = new Set(rows.map((row) => row.name));
    expect(declared.filter((name) => !parts(name) && !shown.has(name ?? ""))).toEqual([]);
    expect(shown.size).toBeGreaterThan(200);
  });

  it.each(["client", "hub"] as const)("from the %s are read from JSON and MessagePack alike", (from) => {
    for (const row of rows.filter((one) => one.from === from)) {
      expect(CODECS.json.decode(row.json), row.name).toEqual(row.value);
      expect(CODECS.msgpack.decode(bytesOf(row.msgpack)), row.name).toEqual(row.value);
      expect(CODECS.msgpack.decode(bytesOf(row.msgpack).buffer), row.name).toEqual(row.value);
    }
  });

  it("are written byte for byte as the hub writes them", () => {
    for (const row of rows) {
      // The hub heads a map with two bytes more than it needs where it leaves fields out.
      const bytes = row.msgpack.replace(/^de000(.)/, "8$1");
      expect(CODECS.json.encode(row.value), row.name).toBe(row.json);
      if (row.from === "hub") continue;
      expect(Buffer.from(CODECS.msgpack.encode(row.value) as Uint8Array).toString("hex"), row.name).toBe(bytes);
    }
  });
});

describe("a codec", () => {
  it.each(["msgpack", "json"] as const)("leaves out of %s what is undefined", (encoding) => {
    const codec = CODECS[encoding];
    const sent = codec.encode({ type: "ping", id: 1, more: undefined });
    expect(codec.decode(sent)).toEqual({ type: "ping", id: 1 });
  });

  it("reads no message in what is none", () => {
    for (const frame of ["", "{", "[]", "null", "7", '{"kind":"event"}', '{"type":5}', new Uint8Array([0xc1]), undefined]) {
      expect(CODECS.json.decode(frame)).toBeUndefined();
      expect(CODECS.msgpack.decode(frame)).toBeUndefined();
    }
  });

  it("keeps the largest number that the hub has", () => {
    const { msgpack } = CODECS;
    for (const amount of [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 2 ** 32, -(2 ** 31) - 1]) {
      expect(msgpack.decode(msgpack.encode({ type: "x", amount }))).toEqual({ type: "x", amount });
    }
  });
});

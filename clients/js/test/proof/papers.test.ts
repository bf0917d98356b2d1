import { describe, expect, it } from "vitest";

import { checkPaper } from "../../src/proof/index.js";
import { keys, reasonOf, rows } from "../vectors.js";

describe("papers", () => {
  interface Row {
    paper: string;
    proves?: string[];
    refused?: string;
    what?: string;
  }
  it.each(rows<Row>("papers").filter((row) => row.proves !== undefined))("prove $proves", async (row) => {
    const proved = await checkPaper(row.paper, keys);
    const told = JSON.parse(row.paper);
    const found = ["receipt", proved.kept && "kept", proved.askedBy && "asked", proved.log && "log"];
    expect(found.filter((one) => one !== undefined)).toEqual(row.proves);
    expect(proved.facts).toEqual(told.facts);
    if (proved.kept) expect(proved.kept).toEqual({ fee: told.kept.fee, shares: told.kept.shares });
    if (proved.askedBy) expect(proved.askedBy).toBe(told.asked.person);
    if (proved.log) expect([proved.log.number, proved.log.head.size]).toEqual([told.log.number, told.log.head.size]);
    // As an object that is parsed already, too.
    expect(await checkPaper(told, keys)).toEqual(proved);
  });

  it.each(rows<Row>("papers").filter((row) => row.refused !== undefined))("$what: $refused", async (row) => {
    expect(await reasonOf(() => checkPaper(row.paper, keys))).toBe(row.refused);
  });

  it("prove nothing with keys that are not trusted", async () => {
    const row = rows<Row>("papers").find((one) => one.proves !== undefined);
    expect(await reasonOf(() => checkPaper(row?.paper, new Map()))).toBe("unknown_key");
  });
});

import { describe, expect, it } from "vitest";

import { checkReceipt, fromText, readFacts, readReceipt, toText } from "../../src/proof/index.js";
import { keys, reasonOf, rows } from "../vectors.js";

describe("receipts", () => {
  interface Row {
    tenant: number;
    facts: unknown;
    receipt: string;
    root: string;
    refused?: string;
    what?: string;
  }
  const check = async (row: Row) =>
    toText(await checkReceipt(row.tenant, readFacts(row.facts), readReceipt(fromText(row.receipt)), keys));

  it.each(rows<Row>("receipts").filter((row) => row.refused === undefined))("lead to root $root", async (row) => {
    expect(await check(row)).toBe(row.root);
  });

  it.each(rows<Row>("receipts").filter((row) => row.refused !== undefined))("$what: $refused", async (row) => {
    expect(await reasonOf(() => check(row))).toBe(row.refused);
  });
});

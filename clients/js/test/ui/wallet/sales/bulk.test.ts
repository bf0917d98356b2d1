/** What becomes of a file of payments is said line by line, with what to do. */
import { screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { CommandRefused } from "../../../../src/hub/refused.js";
import type { BulkState } from "../../../../src/hub/wire.js";
import Report from "../../../../src/ui/wallet/sales/bulk/Report.svelte";
import { isOver, lineStatusOf, shareOf } from "../../../../src/ui/wallet/sales/bulk/tones.js";
import { mediaTypeOf, toRefused } from "../../../../src/ui/wallet/sales/bulk/upload.js";
import { begin, SHOP, show } from "./world.js";

const BULK: BulkState = {
  bulk: "0190a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b",
  account: SHOP,
  atomic: false,
  status: "finished",
  maker: "m",
  lines: 3,
  good: 2,
  bad: 1,
  amount: 300,
  through: 3,
  posted: 1,
  posted_amount: 100,
  refused: 1,
  created_at: "2026-03-01T12:00:00Z",
};

describe("a file", () => {
  it("is known by its ending", () => {
    expect(mediaTypeOf("folha.CSV")).toBe("text/csv");
    expect(mediaTypeOf("remessa.rem")).toBe("text/plain");
    expect(mediaTypeOf("pain.xml")).toBe("application/xml");
    expect(mediaTypeOf("folha.xlsx")).toBeUndefined();
  });

  it("is refused in the hub's words, and by nobody else's", () => {
    expect(toRefused('{"code":"malformed_file","title":"Line 3.","status":422,"type":""}')).toBeInstanceOf(CommandRefused);
    expect(toRefused("<html>")).not.toBeInstanceOf(CommandRefused);
  });
});

describe("a bulk", () => {
  it("has come as far as its last judged line", () => {
    expect(shareOf({ status: "posting", through: 3, lines: 4 })).toBe(0.75);
    expect(shareOf({ status: "receiving", through: 0, lines: 0 })).toBe(0);
    expect(shareOf({ status: "finished", through: 2, lines: 4 })).toBe(1);
    expect(isOver({ status: "failed" })).toBe(true);
    expect(isOver({ status: "approved" })).toBe(false);
  });

  it("counts whatever is not paid and not waiting as refused", () => {
    expect(lineStatusOf({ status: "insufficient_funds" })).toBe("refused");
    expect(lineStatusOf({ status: "in_review" })).toBe("waiting");
    expect(lineStatusOf({ status: "not_posted" })).toBe("not_posted");
  });

  it("says of every line that went wrong what to do about it", async () => {
    const { fake, hub, visit } = begin();
    fake.answers("bulk_report", () => ({
      type: "bulk_report_page",
      bulk: BULK.bulk,
      lines: [
        { number: 2, payer: SHOP, status: "bad", code: "not_a_number", field: "amount", payee: 12 },
        { number: 3, payer: SHOP, status: "insufficient_funds", payee: 99, amount: 200, payment: "p" },
      ],
    }));
    show(visit, Report, { bulk: BULK });
    expect(await screen.findByText(/só algarismos/)).toBeTruthy();
    expect(screen.getByText("Valor:")).toBeTruthy();
    expect(screen.getByText(/Não há saldo suficiente/)).toBeTruthy();
    // Something went wrong, so that is what is shown first.
    expect(fake.heard("bulk_report")).toMatchObject([{ wrong: true }]);
    hub.close();
  });
});

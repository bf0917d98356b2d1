/** A till's code and the page that reads it agree; what is damaged is no reservation. */
import { expect, it } from "vitest";

import { linkOf } from "../../../src/ui/till/tabs/link.js";
import { askedBy } from "../../../src/ui/wallet/tab/asked.js";

const HOLD = "018f0000-0000-7000-8000-000000000001";
const tab = { sort: "tab", hold: HOLD, label: "Mesa 7", amount: 10_000, at: 0, lasts_s: 28_800, state: "asked" } as const;

it("is read as it was written, and tells nobody whose tab it is", () => {
  const link = new URL(linkOf(tab, { tenant: "demo", terminal: "t", account: 10, name: "Caixa 1", scopes: [] }));
  expect(link.pathname).toBe(`/app/tab/${HOLD}`);
  expect(askedBy(HOLD, link.search)).toEqual({ hold: HOLD, payee: 10, amount: 10_000, lasts_s: 28_800 });
  expect(link.href).not.toContain("Mesa");
});

it.each([
  ["", "to=10&sum=1&lasts=60"],
  [HOLD, "to=10&sum=-1&lasts=60"],
  [HOLD, "to=10&sum=1.5&lasts=60"],
  [HOLD, "to=10&lasts=60"],
  [HOLD, "to=10&sum=99999999999999&lasts=60"],
  [HOLD, "to=10&sum=1&lasts=99999999"],
])("%s?%s is none", (hold, search) => {
  expect(askedBy(hold, search)).toBeUndefined();
});

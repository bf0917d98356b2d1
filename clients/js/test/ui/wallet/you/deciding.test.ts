/** What the pages about limits, schedules and settings work out before they ask the hub. */
import { expect, it } from "vitest";

import { strictest } from "../../../../src/ui/wallet/you/limits/strictest.js";
import { isCount, isDay, planOf } from "../../../../src/ui/wallet/you/schedules/plan.js";
import { settingsOf } from "../../../../src/ui/wallet/you/notices/settings.js";

const now = { type: "notice_settings_state", id: 1, muted: ["news"], language: "en", quiet_from: "22:00", quiet_to: "07:00" } as const;

it("brings along what does not change", () => {
  expect(settingsOf(now, { muted: [] })).toEqual({ muted: [], language: "en", quiet_from: "22:00", quiet_to: "07:00" });
});

it("leaves out what goes back to the tenant's", () => {
  expect(settingsOf(now, { language: undefined })).toEqual({ muted: ["news"], quiet_from: "22:00", quiet_to: "07:00" });
  expect(settingsOf(now, { quiet_from: undefined, quiet_to: undefined })).toEqual({ muted: ["news"], language: "en" });
});

it("gives a monthly payment its day, and an end only to what goes on", () => {
  const filled = { rule: "monthly", first: "2027-01-05", closed: "after", times: " 12 " } as const;
  expect(planOf(filled)).toEqual({ rule: "monthly", first_on: "2027-01-05", on_closed: "after", day: 5, times: 12 });
  expect(planOf({ ...filled, rule: "once" })).toEqual({ rule: "once", first_on: "2027-01-05", on_closed: "after" });
  expect(planOf({ ...filled, rule: "weekly", times: "" })).toEqual({ rule: "weekly", first_on: "2027-01-05", on_closed: "after" });
  expect([isDay("2027-01-05", "2027-01-05"), isDay("2027-01-04", "2027-01-05"), isDay("", "2027-01-05")]).toEqual([true, false, false]);
  expect(["", "1", "0", "x"].map(isCount)).toEqual([true, true, false, false]);
});

it("shows of several limits of one kind the one that holds", () => {
  const limits = [
    { measure: "day", max: 500, own_max: 900 },
    { measure: "payment", max: 100 },
    { measure: "day", max: 300 },
  ];
  expect(strictest(limits)).toEqual([{ measure: "payment", max: 100 }, { measure: "day", max: 300 }]);
});

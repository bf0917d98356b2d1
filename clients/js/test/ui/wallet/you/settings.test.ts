/** What is left out of settings falls back to the tenant's: a change loses nothing else. */
import { expect, it } from "vitest";

import { strictest } from "../../../../src/ui/wallet/you/limits/strictest.js";
import { settingsOf } from "../../../../src/ui/wallet/you/notices/settings.js";

const now = { type: "notice_settings_state", id: 1, muted: ["news"], language: "en", quiet_from: "22:00", quiet_to: "07:00" } as const;

it("brings along what does not change", () => {
  expect(settingsOf(now, { muted: [] })).toEqual({ muted: [], language: "en", quiet_from: "22:00", quiet_to: "07:00" });
});

it("leaves out what goes back to the tenant's", () => {
  expect(settingsOf(now, { language: undefined })).toEqual({ muted: ["news"], quiet_from: "22:00", quiet_to: "07:00" });
  expect(settingsOf(now, { quiet_from: undefined, quiet_to: undefined })).toEqual({ muted: ["news"], language: "en" });
});

it("shows of several limits of one kind the one that holds", () => {
  const limits = [
    { measure: "day", max: 500, own_max: 900 },
    { measure: "payment", max: 100 },
    { measure: "day", max: 300 },
  ];
  expect(strictest(limits)).toEqual([{ measure: "payment", max: 100 }, { measure: "day", max: 300 }]);
});

/** Every kind of notice has words in both languages and leads somewhere sensible. */
import { describe, expect, it } from "vitest";

import type { NoticeState } from "../../../../src/hub/wire.js";
import { pageOf, readPush } from "../../../../src/ui/app/push_target.js";
import { adviseOf, factsOf, pathOf, sayNotice, sortOf } from "../../../../src/ui/wallet/notices/saying.js";
import { noticeWords } from "../../../../src/ui/wallet/notices/words.js";
import { preferences } from "../../../../src/ui/words/preferences.svelte.js";

const kinds = Object.keys(noticeWords().kinds) as NoticeState["kind"][];
const notice = (kind: NoticeState["kind"], more: Partial<NoticeState> = {}): NoticeState => ({ number: 1, kind, at: "2026-11-26T12:00:00Z", ...more });

describe("a notice", () => {
  it("is said in both languages, with its sum", () => {
    for (const language of ["pt", "en"] as const) {
      preferences.language = language;
      for (const kind of kinds) expect(sayNotice(notice(kind, { amount: 12_34 }), "BRL"), kind).toMatch(/\S/);
      expect(sayNotice(notice("payment_refused", { amount: 12_34 }), "BRL")).toMatch(/12[.,]34/);
    }
  });

  it("shows no sum to whoever has hidden them", () => {
    preferences.hidesAmounts = true;
    expect(sayNotice(notice("limit_raised", { amount: 12_34 }), "BRL")).not.toMatch(/12,34/);
  });

  it("says why a scheduled payment was refused", () => {
    expect(adviseOf(notice("payment_refused", { code: "insufficient_funds" }))).toContain("saldo");
  });

  it("says what is known of it: which factor, from where, until when", () => {
    expect(factsOf(notice("factor_enrolled", { code: "totp", network: "203.0.113.0/24" }))).toEqual(["Aplicativo de códigos", "De 203.0.113.0/24"]);
    expect(factsOf(notice("bulk_finished", { lines: 1_000, refused: 0 }))).toEqual(["1.000 linhas"]);
  });

  it("leads to what it is about", () => {
    expect(pathOf(notice("dispute_opened", { subject: "d1" }))).toBe("/sales/disputes/d1");
    expect(pathOf(notice("hold_expiring", { subject: "p1" }))).toBe("/payment/p1");
    expect(pathOf(notice("password_changed"))).toBe("/you/security");
    expect(pathOf(notice("export_ready", { subject: "e1" }))).toBe("/you/privacy/copy");
    expect(pathOf(notice("payment_received"))).toBe("/activity");
    expect(pathOf(notice("news"))).toBeUndefined();
    expect(sortOf("new_device")).toBe("warning");
    expect(sortOf("payment_sent")).toBe("money");
  });
});

describe("a push", () => {
  it("leads to the page of its kind, and to the notices when that is not known", () => {
    expect(pageOf("payment_received")).toBe("/app/activity");
    expect(pageOf("limit_raised")).toBe("/app/you/limits");
    expect(pageOf(undefined)).toBe("/app/notices");
  });

  it("is nothing worse than empty when it cannot be read", () => {
    expect(readPush("{")).toEqual({});
    expect(readPush("3")).toEqual({});
    expect(readPush(undefined)).toEqual({});
    expect(readPush('{"title":"Oi"}')).toEqual({ title: "Oi" });
  });
});

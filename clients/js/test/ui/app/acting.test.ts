/** For whom somebody acts in this tab, within what, and by whose proof. */
import { beforeEach, describe, expect, it } from "vitest";

import type { Asked, CommandName } from "../../../src/hub/commands.js";
import type { Seat } from "../../../src/hub/seat.js";
import { type Acting, allows, type Ask, keepActing, keptActing, proving } from "../../../src/ui/app/acting.js";
import { needOf } from "../../../src/ui/wallet/access.js";

const CAFE: Acting = { seat: "s", merchant: "m", name: "Café", scopes: ["payments:write", "charges:read"], holder: "ana" };

beforeEach(() => sessionStorage.clear());

describe("acting for a merchant", () => {
  it("is kept for whoever did it, and for nobody else", () => {
    keepActing(CAFE);
    expect([keptActing("ana"), keptActing("bob"), keptActing(undefined)]).toEqual([CAFE, undefined, undefined]);
    keepActing(undefined);
    expect(keptActing("ana")).toBeUndefined();
  });

  it("allows what was allowed and what that includes; oneself, everything", () => {
    expect(allows(CAFE, "charges:read")).toBe(true);
    expect(allows(CAFE, "holds:write")).toBe(true);
    expect(allows(CAFE, "refunds:write")).toBe(false);
    expect(allows(undefined, "refunds:write")).toBe(true);
  });

  it("proves who one is in one's own log-in, and goes on with a token of the seat", async () => {
    const asked: unknown[] = [];
    const seat = {
      post: async (path: string, body: object) => {
        asked.push([path, body]);
        return { type: "stepped_up", access_token: "own", expires_at: "" };
      },
      act: async (own: string) => ({ access_token: `seat by ${own}` }),
    } as unknown as Seat;
    const ask: Ask = async <Name extends CommandName>(type: Name, fields: Asked<Name>) => {
      asked.push([type, fields]);
      return undefined as never;
    };
    const prove = proving(ask, seat);
    await prove("ask_step_up", {});
    expect(await prove("step_up", { code: "123456" })).toMatchObject({ access_token: "seat by own" });
    await prove("renew", { token: "x" });
    expect(asked).toEqual([
      ["/v1/step-up/options", {}],
      ["/v1/step-up", { code: "123456" }],
      ["renew", { token: "x" }],
    ]);
  });
});

describe("a page", () => {
  it("needs what its commands need, and what is the merchant's own no seat opens", () => {
    expect(["/", "/sales", "/sales/charges/7", "/sales/keys", "/sales/staff", "/you/teams", "/pay"].map(needOf)).toEqual([
      "accounts:read",
      undefined,
      "charges:read",
      "own",
      "own",
      "own",
      "payments:write",
    ]);
  });
});

/** Acting for a merchant: one's own token is traded anew each time, and what is over gives nothing. */
import { expect, it } from "vitest";

import { CommandRefused, LoggedOut } from "../../src/hub/refused.js";
import { Seat } from "../../src/hub/seat.js";

const URL_OF = "https://hub.test";

function seatOf(answer: () => Response): { seat: Seat; asked: string[] } {
  const asked: string[] = [];
  let count = 0;
  const seat = new Seat({
    url: URL_OF,
    seat: "s",
    logIn: { token: async (reason = "connect") => `${reason} ${(count += 1)}` },
    fetch: async (at, init) => {
      asked.push(`${new URL(String(at)).pathname} ${new Headers(init?.headers).get("authorization")}`);
      return answer();
    },
  });
  return { seat, asked };
}

function problem(status: number, code: string): Response {
  return Response.json({ type: "about:blank", title: code, status, code }, { status });
}

it("trades a fresh token of one's own for each token of the seat", async () => {
  const { seat, asked } = seatOf(() => Response.json({ access_token: "theirs", merchant: "m", scopes: [], expires_at: "" }));
  expect([await seat.token(), await seat.token()]).toEqual(["theirs", "theirs"]);
  expect(asked).toEqual(["/v1/seats/s/act Bearer renew 1", "/v1/seats/s/act Bearer renew 2"]);
});

it("is over when the hub says so, and comes again when it is only busy", async () => {
  const over = seatOf(() => problem(409, "seat_over"));
  await expect(over.seat.token()).rejects.toBeInstanceOf(LoggedOut);
  const busy = seatOf(() => problem(503, "unavailable"));
  await expect(busy.seat.token()).rejects.toBeInstanceOf(CommandRefused);
});

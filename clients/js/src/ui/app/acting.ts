/** Acting for a merchant from a seat: for whom, within which rights, and that this tab does. */
import type { Answered, Asked, CommandName } from "../../hub/commands.js";
import type { Seat } from "../../hub/seat.js";
import type { Scope, SteppedUp } from "../../hub/wire.js";

export interface Acting {
  readonly seat: string;
  /** The merchant. */
  readonly merchant: string;
  readonly name: string | undefined;
  readonly scopes: readonly string[];
  /** Whoever sits there: another person who logs in here does not. */
  readonly holder: string;
}
export type Ask = <Name extends CommandName>(type: Name, fields: Asked<Name>) => Promise<Answered<Name>>;

/** Of each tab by itself: one may act here, and be themselves beside it. */
const KEPT = "payhub-acting";
/** Whoever may do more may do this, too (hub/protocol/scopes.py). */
const INCLUDED_IN: Readonly<Partial<Record<Scope, Scope>>> = { "holds:write": "payments:write" };

export function keepActing(acting: Acting | undefined): void {
  if (acting === undefined) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, JSON.stringify(acting));
}

/** For whom this person acted here before the page was loaded anew. */
export function keptActing(holder: string | undefined): Acting | undefined {
  const kept = sessionStorage.getItem(KEPT);
  if (kept === null || holder === undefined) return undefined;
  // What is in there was written above.
  const acting = JSON.parse(kept) as Acting;
  return acting.holder === holder ? acting : undefined;
}

export function allows(acting: Acting | undefined, scope: Scope): boolean {
  const wider = INCLUDED_IN[scope];
  return acting === undefined || acting.scopes.includes(scope) || (wider !== undefined && acting.scopes.includes(wider));
}

/** Who somebody is they prove in their own log-in; what comes of it is a token for the seat again. */
export function proving(ask: Ask, seat: Seat): Ask {
  async function own(type: CommandName, fields: object): Promise<unknown> {
    if (type === "ask_step_up") return seat.post("/v1/step-up/options", fields);
    const proved = await seat.post<SteppedUp>("/v1/step-up", fields);
    return { ...proved, access_token: (await seat.act(proved.access_token)).access_token };
  }
  return <Name extends CommandName>(type: Name, fields: Asked<Name>) =>
    type === "ask_step_up" || type === "step_up" ? (own(type, fields) as Promise<Answered<Name>>) : ask(type, fields);
}

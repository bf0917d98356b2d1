/**
 * Holds, captures and charges as the ledger has them, in a few lines: ids answer once and for ever, groups are all or
 * none. What a real hub does is for test/real; this is for what it seldom does, and for minutes that nobody waits for.
 */
import type { Answered, Asked, CommandName } from "../../src/hub/commands.js";
import { AnswerLost, CommandRefused } from "../../src/hub/refused.js";
import type { CapturePart, VoidPart } from "../../src/hub/wire.js";

interface Hold {
  held: number;
  captured: number;
  readonly expires_at: string;
}

export class SmallLedger {
  readonly holds = new Map<string, Hold>();
  readonly judged = new Map<string, string>();
  readonly links: (readonly (CapturePart | VoidPart)[])[] = [];
  readonly charges = new Map<string, string>();
  isAway = false;
  /** The next answers are lost on their way back; what was asked is done. */
  loses = 0;
  refusesTexts = false;

  readonly ask = async <Name extends CommandName>(type: Name, fields: Asked<Name>): Promise<Answered<Name>> => {
    await Promise.resolve();
    if (this.isAway) throw new AnswerLost("closed", "away");
    const answer = this.#answer(type, fields as unknown as Readonly<Record<string, unknown>>);
    if (this.loses > 0) {
      this.loses -= 1;
      throw new AnswerLost("closed", "lost");
    }
    return answer as unknown as Answered<Name>;
  };

  reserve(hold: string, held: number, lastsMs: number, now: number): void {
    this.holds.set(hold, { held, captured: 0, expires_at: new Date(now + lastsMs).toISOString() });
  }

  #answer(type: CommandName, fields: Readonly<Record<string, unknown>>): object {
    const hold = this.holds.get(String(fields["payment"]));
    switch (type) {
      case "read_payment":
        if (hold === undefined) throw refused("not_found");
        return { life: { payment: fields["payment"], kind: "authorize", status: "posted", payer: 20, payee: 10, amount: hold.held, at: "", captured: hold.captured, refunded: 0, held: hold.held, expires_at: hold.expires_at } };
      case "link":
        return this.#link(fields["parts"] as readonly (CapturePart | VoidPart)[]);
      case "create_charge":
      case "charge":
        if (!this.charges.has(String(fields["charge"]))) this.charges.set(String(fields["charge"]), "open");
        return this.#charge(String(fields["charge"]));
      case "cancel_charge":
        if (this.charges.get(String(fields["charge"])) === "open") this.charges.set(String(fields["charge"]), "cancelled");
        return this.#charge(String(fields["charge"]));
      case "history":
        return { entries: [] };
      default:
        throw new Error(`Nobody asks a till's hub for ${type}.`);
    }
  }

  #charge(charge: string): object {
    return { charge: { charge, payee: 10, status: this.charges.get(charge), reusable: false, created_at: "2026-01-01T00:00:00Z", code: `code of ${charge}`, amount: 100, paid_amount: 100 } };
  }

  #link(parts: readonly (CapturePart | VoidPart)[]): object {
    if (this.refusesTexts && parts.some((part) => part.type === "capture" && part.description !== undefined)) throw refused("document_in_text");
    this.links.push(parts);
    const before = structuredClone(this.holds);
    const statuses = parts.map((part) => this.judged.get(part.payment) ?? this.#judge(part));
    const posted = statuses.every((status) => status === "posted");
    if (!posted) {
      this.holds.clear();
      for (const [id, one] of before) this.holds.set(id, one);
    }
    const told = statuses.map((status) => (posted || status !== "posted" ? status : "linked_refused"));
    for (const [at, part] of parts.entries()) if (!this.judged.has(part.payment)) this.judged.set(part.payment, told[at] ?? "");
    return { posted, payments: parts.map((part, at) => ({ payment: part.payment, status: told[at] })) };
  }

  #judge(part: CapturePart | VoidPart): string {
    const hold = this.holds.get(part.about);
    if (hold === undefined || hold.held === 0) return "hold_closed";
    if (part.type === "void") hold.held = 0;
    else {
      if (part.amount > hold.held) return "capture_exceeds_hold";
      hold.captured += part.amount;
      hold.held = part.final === true ? 0 : hold.held - part.amount;
    }
    return "posted";
  }
}

function refused(code: string): CommandRefused {
  return new CommandRefused({ code, message: code });
}

/** What a promise of the hub's is rejected with: the hub said no, or nobody said anything. */
import { type ErrorCode, TEMPORARY } from "./codes.js";
import type { Refused } from "./wire.js";

/** The hub refused a command and changed nothing, unless the code is `outcome_unknown`. */
export class CommandRefused extends Error {
  override readonly name = "CommandRefused";
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(refused: Pick<Refused, "code" | "message" | "field" | "retry_after_ms">) {
    super(refused.message);
    // One that this client does not know yet is read as one that does not pass by itself.
    this.code = refused.code as ErrorCode;
    this.field = refused.field;
    this.retryAfterMs = refused.retry_after_ms;
  }

  /** Whether asking again can help. */
  get isTemporary(): boolean {
    return TEMPORARY.has(this.code);
  }

  /** Whether it is certain that nothing was done, and a moment's wait is all that it takes. */
  get passes(): boolean {
    return this.isTemporary && this.code !== "outcome_unknown" && this.code !== "internal";
  }
}

/** `closed`: the connection ended first. `timeout`: it took too long. `ended`: the session is over, or was never begun. */
export type Silence = "closed" | "timeout" | "ended";

/** No answer came, so it is not known whether the command was carried out. */
export class AnswerLost extends Error {
  override readonly name = "AnswerLost";

  constructor(
    readonly why: Silence,
    message: string,
  ) {
    super(message);
  }
}

/** There is no token to be had: somebody has to log in. */
export class LoggedOut extends Error {
  override readonly name = "LoggedOut";

  constructor(message = "Log in again.") {
    super(message);
  }
}

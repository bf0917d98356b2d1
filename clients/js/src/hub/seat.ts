/**
 * Acting for a merchant from a seat: a token of one's own, traded for one that speaks for the merchant. There is no
 * refresh token: whoever still may asks again, so that a seat that has ended gives nothing more.
 */
import type { LogIn } from "./log_in.js";
import { CommandRefused, LoggedOut } from "./refused.js";
import type { Problem, SeatToken } from "./wire.js";

const ANSWER_WITHIN_MS = 10_000;

export interface SeatOptions {
  /** Where the hub is: https://pay.example.com. */
  readonly url: string;
  /** Which seat: `own_seats` says what there is. */
  readonly seat: string;
  /** Whoever sits there. */
  readonly logIn: Pick<LogIn, "token">;
  readonly fetch?: typeof fetch;
}

export class Seat {
  readonly #options: SeatOptions;

  constructor(options: SeatOptions) {
    this.#options = options;
  }

  /**
   * A token that speaks for the merchant now: give this to the Hub as its `token`. Rejected with LoggedOut when the seat
   * or the log-in is over.
   */
  readonly token = async (): Promise<string> => {
    // A fresh one of one's own says what was proved lately.
    const { access_token } = await this.act(await this.#options.logIn.token("renew"));
    return access_token;
  };

  /** The same with this token of one's own. */
  async act(own: string): Promise<SeatToken> {
    try {
      return await this.post<SeatToken>(`/v1/seats/${this.#options.seat}/act`, {}, own);
    } catch (error) {
      if (!(error instanceof CommandRefused) || error.isTemporary) throw error;
      throw new LoggedOut(error.message);
    }
  }

  /** A request by one's own token: what is about oneself is not the seat's. Rejected as a command is. */
  async post<Answer>(path: string, body: object, own?: string): Promise<Answer> {
    const response = await (this.#options.fetch ?? fetch)(new URL(path, this.#options.url), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${own ?? (await this.#options.logIn.token("connect"))}`,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    // The hub's answers are what wire.ts was made from.
    if (response.ok) return (await response.json()) as Answer;
    const problem = (await response.json()) as Problem;
    throw new CommandRefused({ ...problem, message: problem.title });
  }
}

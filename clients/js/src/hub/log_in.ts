/**
 * Logging in, and the tokens that come of it. A refresh token works once, so it is used by one at a time: in this
 * program by one promise, among a browser's tabs by a lock; and it is kept before anybody uses what came with it.
 */
import { CommandRefused, LoggedOut } from "./refused.js";
import type { Storage } from "./storage.js";
import { MemoryStorage } from "./storage.js";
import type { FactorNeeded, LogIn as LogInFields, Problem, ProveLogIn, Register, TokensAnswer } from "./wire.js";
import type { TokenReason } from "./line.js";

const ANSWER_WITHIN_MS = 10_000;
/** A token that ends so soon is not worth a connection. */
const FRESH_MS = 20_000;

export interface LogInOptions {
  /** Where the hub is: https://pay.example.com. */
  readonly url: string;
  readonly tenant: string;
  /** Where the log-in is kept. Apart from the outbox's: a log-out empties it. In memory if not said. */
  readonly storage?: Storage;
  readonly fetch?: typeof fetch;
}

interface Kept {
  readonly person: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** By this machine's clock. */
  readonly endsAt: number;
}

const KEY = "log-in";
const DEVICE = "device";

export class LogIn {
  readonly #options: LogInOptions;
  readonly #storage: Storage;
  #refreshing: Promise<string> | undefined;

  constructor(options: LogInOptions) {
    this.#options = options;
    this.#storage = options.storage ?? new MemoryStorage();
  }

  /** Whether somebody has logged in here, and not out. */
  async isIn(): Promise<boolean> {
    return (await this.#kept()) !== undefined;
  }

  /** Who it is, if somebody has. */
  async person(): Promise<string | undefined> {
    return (await this.#kept())?.person;
  }

  /** By a password. What comes back with a `ticket` needs a second step: `prove`. */
  async withPassword(fields: Omit<LogInFields, "tenant" | "device">): Promise<TokensAnswer | FactorNeeded> {
    const device = await this.#device();
    return this.#enter("/v1/login", { ...fields, ...device });
  }

  /** The second step: the ticket, with a code, a recovery code or a passkey's answer. */
  async prove(fields: Omit<ProveLogIn, "tenant" | "device">): Promise<TokensAnswer> {
    const device = await this.#device();
    return this.#enter("/v1/login/factor", { ...fields, ...device });
  }

  async register(fields: Omit<Register, "tenant">): Promise<TokensAnswer> {
    return this.#enter("/v1/register", fields);
  }

  /** An access token that is good now: give this to the Hub as its `token`. Rejected with LoggedOut. */
  readonly token = (reason: TokenReason = "connect"): Promise<string> => {
    this.#refreshing ??= alone(() => this.#fresh(reason)).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  };

  /**
   * A newer token of the session that is kept here, which came another way: with a proof that was given meanwhile.
   * Whoever asks next has it, this page's next life and its other tabs too. Another session's is not kept.
   */
  take(accessToken: string): Promise<void> {
    return alone(async () => {
      const kept = await this.#kept();
      if (kept === undefined || claimsOf(kept.accessToken)["sid"] !== claimsOf(accessToken)["sid"]) return;
      await this.#storage.put(KEY, { ...kept, accessToken, endsAt: Date.now() + lifetimeMs(accessToken) } satisfies Kept);
    });
  }

  /** End the session, on the hub and here; what this device is known by stays. */
  async logOut(): Promise<void> {
    const kept = await this.#kept();
    await this.#storage.remove(KEY);
    if (kept === undefined) return;
    await this.#fetch("/v1/logout", {}, { authorization: `Bearer ${kept.accessToken}` }).catch(() => undefined);
  }

  async #fresh(reason: TokenReason): Promise<string> {
    // Another tab may have refreshed it a moment ago.
    const kept = await this.#kept();
    if (kept === undefined) throw new LoggedOut();
    if (reason === "connect" && kept.endsAt - Date.now() > FRESH_MS) return kept.accessToken;
    try {
      const tokens = await this.#post<TokensAnswer>("/v1/refresh", { refresh_token: kept.refreshToken });
      return (await this.#keep(tokens)).accessToken;
    } catch (error) {
      if (!(error instanceof CommandRefused) || error.isTemporary) throw error;
      await this.#storage.remove(KEY);
      throw new LoggedOut(error.message);
    }
  }

  async #enter<Answer extends TokensAnswer | FactorNeeded>(path: string, fields: object): Promise<Answer> {
    const answer = await this.#post<Answer>(path, fields);
    if ("access_token" in answer) await this.#keep(answer);
    return answer;
  }

  async #keep(tokens: TokensAnswer): Promise<Kept> {
    // This machine's clock may be wrong: a token that came this moment is good for its lifetime from this moment on.
    const kept: Kept = {
      person: tokens.person,
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      endsAt: Date.now() + lifetimeMs(tokens.access_token),
    };
    await this.#storage.put(KEY, kept);
    if (tokens.device !== undefined) await this.#storage.put(DEVICE, tokens.device);
    return kept;
  }

  async #kept(): Promise<Kept | undefined> {
    return (await this.#storage.readAll()).get(KEY) as Kept | undefined;
  }

  async #device(): Promise<{ device?: string }> {
    const device = (await this.#storage.readAll()).get(DEVICE);
    return typeof device === "string" ? { device } : {};
  }

  async #post<Answer>(path: string, fields: object): Promise<Answer> {
    const response = await this.#fetch(path, { tenant: this.#options.tenant, ...fields }, {});
    // The hub's answers are what wire.ts was made from.
    return (await response.json()) as Answer;
  }

  async #fetch(path: string, body: object, headers: Record<string, string>): Promise<Response> {
    const response = await (this.#options.fetch ?? fetch)(new URL(path, this.#options.url), {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.ok) return response;
    const problem = (await response.json()) as Problem;
    throw new CommandRefused({ ...problem, message: problem.title });
  }
}

/** From when until when a token is good stands in it, by one clock. */
export function lifetimeMs(token: string): number {
  const { exp, iat } = claimsOf(token);
  return exp === undefined || iat === undefined ? 0 : (Number(exp) - Number(iat)) * 1_000;
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const [, claims = ""] = token.split(".");
  const told: unknown = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
  return typeof told === "object" && told !== null ? (told as Readonly<Record<string, unknown>>) : {};
}

/** One tab at a time, where tabs can agree on that. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  return locks === undefined ? work() : locks.request("payhub-log-in", work);
}

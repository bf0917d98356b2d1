/**
 * A till's way in: paired once by a code that its merchant made, then let in by proofs of its key, over HTTP (RFC 9449)
 * and on the socket (the connection's challenge). A till's clock may be wrong by hours: what it signs has the hub's time.
 */
import type { Prove } from "../hub/connection.js";
import type { TokenReason } from "../hub/line.js";
import { lifetimeMs } from "../hub/log_in.js";
import { CommandRefused, LoggedOut } from "../hub/refused.js";
import type { Storage } from "../hub/storage.js";
import type { Problem } from "../hub/wire.js";
import { isWeb } from "../hub/world.js";
import { sha256 } from "../proof/index.js";
import { type KeyForm, TillKey, toUrlText, utf8 } from "./key.js";

const ANSWER_WITHIN_MS = 10_000;
/** A token that ends so soon is not worth a connection. */
const FRESH_MS = 20_000;
const KEY = "terminal";
const CLOCK = "clock";
/** A difference that is worth writing down. */
const SKEW_MS = 2_000;

export interface TerminalOptions {
  /** Where the hub is, as it calls itself: https://pay.example.com. */
  readonly url: string;
  readonly storage: Storage;
  readonly keyForm: KeyForm;
  readonly door?: "web" | "native" | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly now?: (() => number) | undefined;
}

/** What the hub said when it took the till in. */
export interface Paired {
  readonly tenant: string;
  readonly terminal: string;
  readonly account: number;
  readonly name: string;
  readonly scopes: readonly string[];
}

interface Kept {
  readonly paired: Paired;
  readonly key: unknown;
}

interface Nonce {
  readonly nonce: string;
  /** The hub's clock. */
  readonly at: string;
}

interface Tokens {
  readonly access_token: string;
  readonly scopes: readonly string[];
}

export class Terminal {
  readonly #options: TerminalOptions;
  #paired: Paired | undefined;
  #key: TillKey | undefined;
  #token: { readonly text: string; readonly endsAt: number } | undefined;
  #asking: Promise<string> | undefined;
  /** How far the hub's clock is ahead of this machine's, as it was last told. */
  skewMs = 0;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  get paired(): Paired | undefined {
    return this.#paired;
  }

  /** The key that sales are signed with. Only of a till that is paired. */
  get key(): TillKey {
    if (this.#key === undefined) throw new LoggedOut("This till is not paired.");
    return this.#key;
  }

  /** Find out who this till is, if it was paired before. */
  async read(): Promise<Paired | undefined> {
    const all = await this.#options.storage.readAll();
    const kept = all.get(KEY) as Kept | undefined;
    this.skewMs = Number(all.get(CLOCK) ?? 0);
    if (kept === undefined) return undefined;
    this.#key = await TillKey.read(kept.key);
    this.#paired = kept.paired;
    return kept.paired;
  }

  /** By the code that the merchant was shown, as somebody typed it. Each try has a key of its own. */
  async pair(tenant: string, code: string): Promise<Paired> {
    const key = await TillKey.make(this.#options.keyForm);
    const { terminal, account, name, scopes } = await this.#post<Omit<Paired, "tenant">>("/v1/terminals/pair", tenant, key, { code });
    const paired = { tenant, terminal, account, name, scopes };
    await this.#options.storage.put(KEY, { paired, key: key.kept } satisfies Kept);
    this.#key = key;
    this.#paired = paired;
    return paired;
  }

  /** Be no till any more. Whoever is to be kept out revokes it at the hub. */
  async forget(): Promise<void> {
    await this.#options.storage.remove(KEY);
    this.#key = undefined;
    this.#paired = undefined;
    this.#token = undefined;
  }

  /** An access token that is good now: give this to the Hub as its `token`. Rejected with LoggedOut by whoever was revoked. */
  readonly token = (reason: TokenReason = "connect"): Promise<string> => {
    this.#asking ??= this.#fresh(reason).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  };

  /** Answers a connection's challenge: give this to the Hub as its `prove`. */
  readonly prove: Prove = async (nonce, token) => {
    const door = this.#options.door ?? (isWeb() ? "web" : "native");
    const ath = await hashOf(token);
    return this.key.jws("payhub-socket+jwt", { nonce, ath, aud: `payhub-${door}`, tenant: this.#paired?.tenant, iat: this.#seconds() });
  };

  async #fresh(reason: TokenReason): Promise<string> {
    const paired = this.#paired;
    if (paired === undefined) throw new LoggedOut("This till is not paired.");
    if (reason === "connect" && this.#token !== undefined && this.#token.endsAt - Date.now() > FRESH_MS) return this.#token.text;
    try {
      const answer = await this.#post<Tokens>("/v1/login/terminal", paired.tenant, this.key, { terminal: paired.terminal });
      this.#token = { text: answer.access_token, endsAt: Date.now() + lifetimeMs(answer.access_token) };
      this.#paired = { ...paired, scopes: answer.scopes };
      return answer.access_token;
    } catch (error) {
      if (error instanceof CommandRefused && error.code === "credentials_refused") throw new LoggedOut(error.message);
      throw error;
    }
  }

  async #post<Answer>(path: string, tenant: string, key: TillKey, fields: object): Promise<Answer> {
    const url = new URL(path, this.#options.url).href;
    const { nonce, at } = (await this.#send("/v1/nonces", { tenant, purpose: "proof" })) as Nonce;
    await this.#setClock(Date.parse(at) - this.#now());
    const jti = toUrlText(crypto.getRandomValues(new Uint8Array(18)));
    const proof = await key.jws("dpop+jwt", { htm: "POST", htu: url, iat: this.#seconds(), jti, nonce });
    // The hub's documents say what it answers.
    return (await this.#send(path, { tenant, ...fields }, { dpop: proof })) as Answer;
  }

  async #setClock(skewMs: number): Promise<void> {
    const isNews = Math.abs(skewMs - this.skewMs) > SKEW_MS;
    this.skewMs = skewMs;
    if (isNews) await this.#options.storage.put(CLOCK, skewMs).catch(() => undefined);
  }

  async #send(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const response = await (this.#options.fetch ?? fetch)(new URL(path, this.#options.url), {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.ok) return response.json();
    const problem = (await response.json()) as Problem;
    throw new CommandRefused({ ...problem, message: problem.title });
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #seconds(): number {
    return Math.floor((this.#now() + this.skewMs) / 1_000);
  }
}

async function hashOf(token: string): Promise<string> {
  return toUrlText(await sha256(utf8(token)));
}

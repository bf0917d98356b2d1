/**
 * What somebody is asked before something risky: that it is really them. A command that the hub refuses with
 * `step_up_required` waits here for the proof, and is then asked again; StepUp.svelte is what they see.
 */
import type { Answered, Asked, CommandName } from "../../hub/commands.js";
import { CommandRefused } from "../../hub/refused.js";
import type { StepUpOptions } from "../../hub/wire.js";

type Ask = <Name extends CommandName>(type: Name, fields: Asked<Name>) => Promise<Answered<Name>>;
/** One of what `ask_step_up` offers. */
export type Proof =
  | { readonly code: string }
  | { readonly recovery_code: string }
  | { readonly credential: string }
  | { readonly password: string };

export class StepUp {
  readonly #ask: Ask;
  readonly #keep: (token: string) => Promise<void>;
  #offer: StepUpOptions | undefined = $state.raw();
  #proving: Promise<string> | undefined;
  #end: { done: (token: string) => void; leave: () => void } | undefined;

  /** `keep`: where the session's token is kept for whoever comes next. */
  constructor(ask: Ask, keep: (token: string) => Promise<void> = async () => undefined) {
    this.#ask = ask;
    this.#keep = keep;
  }

  /** What is asked for now, if anything is. */
  get offer(): StepUpOptions | undefined {
    return this.#offer;
  }

  /**
   * Do it, and if the hub first wants to know that it is them, ask them and do it again. Who does it over HTTP takes
   * the fresh token. Rejected with the hub's refusal when they would rather not say.
   */
  async guarded<T>(work: (token?: string) => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CommandRefused) || error.code !== "step_up_required") throw error;
      // Two at once are one question.
      this.#proving ??= this.#prove(error).finally(() => {
        this.#proving = undefined;
      });
      return work(await this.#proving);
    }
  }

  /** Try a proof. Rejected when it is none; the question stays. */
  async bring(proof: Proof): Promise<void> {
    const { access_token } = await this.#ask("step_up", proof);
    // The session goes on with the token that says so; a reload does too, and nobody is asked twice in five minutes.
    await this.#ask("renew", { token: access_token });
    void this.#keep(access_token).catch(() => undefined);
    this.#end?.done(access_token);
  }

  /** A passkey's question is good once: another one. */
  async askAnew(): Promise<void> {
    this.#offer = await this.#ask("ask_step_up", {});
  }

  leave(): void {
    this.#end?.leave();
  }

  async #prove(refused: CommandRefused): Promise<string> {
    await this.askAnew();
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#end = { done: resolve, leave: () => reject(refused) };
      });
    } finally {
      this.#offer = undefined;
      this.#end = undefined;
    }
  }
}

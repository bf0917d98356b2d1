/**
 * One person's visit to one of these pages: the log-in, the live session, its stores. There is one at a time; whoever
 * logs in next gets a new one.
 */
import { createContext } from "svelte";
import { fromStore } from "svelte/store";

import { Hub } from "../../hub/hub.js";
import { IndexedDbStorage } from "../../hub/indexed_db_storage.js";
import { LogIn } from "../../hub/log_in.js";
import type { Asked, Answered, CommandName } from "../../hub/commands.js";
import { LoggedOut } from "../../hub/refused.js";
import type { AccountView } from "../../state/accounts.js";
import type { Session } from "../../state/session.js";
import { State } from "../../state/state.js";
import { LastSeen } from "./last_seen.js";
import { Names } from "./names.svelte.js";
import { Vitals } from "./vitals.js";
import { StepUp } from "./step_up.svelte.js";

export interface VisitOptions {
  readonly tenant: string;
  /** What each page keeps apart: somebody may be logged in to the wallet and to the console. */
  readonly page: "app" | "pos" | "console";
}

export class Visit {
  readonly tenant: string;
  readonly logIn: LogIn;
  readonly hub: Hub;
  readonly state: State;
  readonly names: Names;
  readonly lastSeen: LastSeen;
  readonly vitals: Vitals;
  readonly stepUp: StepUp;
  readonly #accounts: { readonly current: readonly AccountView[] };
  readonly #session: { readonly current: Session };
  #ended: boolean = $state(false);
  #wasLive = false;

  constructor({ tenant, page }: VisitOptions) {
    this.tenant = tenant;
    const url = location.origin;
    this.logIn = new LogIn({ url, tenant, storage: new IndexedDbStorage(`payhub-${page}-log-in`) });
    this.hub = new Hub({
      url,
      storage: new IndexedDbStorage(`payhub-${page}-outbox`),
      token: async (reason) => {
        try {
          return await this.logIn.token(reason);
        } catch (error) {
          if (error instanceof LoggedOut) this.#ended = true;
          throw error;
        }
      },
    });
    this.state = new State(this.hub);
    this.#accounts = fromStore(this.state.accounts);
    this.#session = fromStore(this.state.session);
    this.lastSeen = new LastSeen(new IndexedDbStorage(`payhub-${page}-last-seen`), this.state);
    this.vitals = new Vitals(page);
    this.vitals.watch(this.hub);
    this.names = new Names(this.hub, this.lastSeen);
    this.stepUp = new StepUp((type, fields) => this.ask(type, fields), (token) => this.logIn.take(token));
    this.hub.on("state", (line) => {
      if (line.name === "live") this.#wasLive = true;
      if (line.name === "ended") this.#ended = true;
    });
  }

  /** Whether the session is over and only a new log-in brings another one. */
  get isOver(): boolean {
    return this.#ended;
  }

  /** Whether the hub ever let it in. What is turned away at once is not tried again by itself. */
  get wasLive(): boolean {
    return this.#wasLive;
  }

  /** Who is here and how the line stands; before the hub has said it, as it was when they were here last. */
  get session(): Session {
    const session = this.#session.current;
    const last = this.lastSeen.value?.session;
    return session.person === undefined && last !== undefined ? { ...last, line: session.line } : session;
  }

  /** All of their accounts, likewise. */
  get accounts(): readonly AccountView[] {
    const live = this.#accounts.current;
    return live.length > 0 ? live : (this.lastSeen.value?.accounts ?? []);
  }

  /** The account of whoever has one, as everybody here does at first. */
  get account(): AccountView | undefined {
    return this.accounts[0];
  }

  get currency(): string {
    return this.session.currency ?? "BRL";
  }

  get isLive(): boolean {
    return this.#session.current.line === "live";
  }

  /** When what is shown was true, if it is not now. */
  get asOf(): number | undefined {
    return this.isLive ? undefined : this.lastSeen.value?.at;
  }

  ask<Name extends CommandName>(type: Name, fields: Asked<Name>): Promise<Answered<Name>> {
    return this.hub.ask(type, fields);
  }

  /** The same for what may be refused until they have shown that it is them: they are asked, and then it is done. */
  guarded<T>(work: (token?: string) => Promise<T>): Promise<T> {
    return this.stepUp.guarded(work);
  }

  async begin(): Promise<void> {
    await this.lastSeen.read(await this.logIn.person());
    this.vitals.begin();
    this.hub.connect();
  }

  /** Leave for good: what this person saw is not for the next one. */
  async logOut(): Promise<void> {
    this.hub.close();
    await this.logIn.logOut();
    await this.lastSeen.forget();
    this.#ended = true;
  }

  /** Leave the line; the log-in stays. */
  close(): void {
    this.hub.close();
    this.lastSeen.stop();
  }
}

/** The visit, for everything on its pages. */
export const [getVisit, setVisit] = createContext<Visit>();

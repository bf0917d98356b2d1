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
import { Seat } from "../../hub/seat.js";
import { MemoryStorage } from "../../hub/storage.js";
import type { Scope } from "../../hub/wire.js";
import type { TokenReason } from "../../hub/line.js";
import type { AccountView } from "../../state/accounts.js";
import type { Session } from "../../state/session.js";
import { State } from "../../state/state.js";
import { type Acting, allows, proving } from "./acting.js";
import { LastSeen } from "./last_seen.js";
import { Names } from "./names.svelte.js";
import { Vitals } from "./vitals.js";
import { StepUp } from "./step_up.svelte.js";

export interface VisitOptions {
  readonly tenant: string;
  /** What each page keeps apart: somebody may be logged in to the wallet and to the console. */
  readonly page: "app" | "pos" | "console";
  /** For whom they act from a seat; not said: for themselves. */
  readonly acting?: Acting | undefined;
}

export class Visit {
  readonly tenant: string;
  readonly acting: Acting | undefined;
  readonly logIn: LogIn;
  readonly hub: Hub;
  readonly state: State;
  readonly names: Names;
  readonly lastSeen: LastSeen;
  readonly vitals: Vitals;
  readonly stepUp: StepUp;
  readonly #accounts: { readonly current: readonly AccountView[] };
  readonly #session: { readonly current: Session };
  readonly #token: (reason?: TokenReason) => Promise<string>;
  #ended: boolean = $state(false);
  #next: { readonly acting: Acting | undefined } | undefined = $state.raw();
  #wasLive = false;

  constructor({ tenant, page, acting }: VisitOptions) {
    this.tenant = tenant;
    this.acting = acting;
    const url = location.origin;
    this.logIn = new LogIn({ url, tenant, storage: new IndexedDbStorage(`payhub-${page}-log-in`) });
    const seat = acting && new Seat({ url, seat: acting.seat, logIn: this.logIn });
    this.#token = seat?.token ?? this.logIn.token;
    this.hub = new Hub({
      url,
      // What somebody pays in a seat is sent from it, and by nobody else who sits there.
      storage: new IndexedDbStorage(`payhub-${page}-outbox${acting === undefined ? "" : `-${acting.seat}-${acting.holder}`}`),
      token: async (reason) => {
        try {
          return await this.#token(reason);
        } catch (error) {
          if (error instanceof LoggedOut) this.#ended = true;
          throw error;
        }
      },
    });
    this.state = new State(this.hub);
    this.#accounts = fromStore(this.state.accounts);
    this.#session = fromStore(this.state.session);
    // A merchant's figures stay with the merchant: of an hour in a seat no picture is kept.
    const pictures = acting === undefined ? new IndexedDbStorage(`payhub-${page}-last-seen`) : new MemoryStorage();
    this.lastSeen = new LastSeen(pictures, this.state);
    this.vitals = new Vitals(page);
    this.vitals.watch(this.hub);
    this.names = new Names(this.hub, this.lastSeen);
    const ask = <Name extends CommandName>(type: Name, fields: Asked<Name>) => this.ask(type, fields);
    // What proves it in a seat is a token of the seat's: the log-in keeps none of those.
    this.stepUp = seat === undefined ? new StepUp(ask, (token) => this.logIn.take(token)) : new StepUp(proving(ask, seat));
    this.hub.on("state", (line) => {
      if (line.name === "live") this.#wasLive = true;
      if (line.name === "ended") this.#ended = true;
    });
  }

  /** Whether the session is over and only a new log-in brings another one. */
  get isOver(): boolean {
    return this.#ended;
  }

  /** For whom they want to act next (undefined: for themselves), if they have said so. */
  get next(): { readonly acting: Acting | undefined } | undefined {
    return this.#next;
  }

  /** Whether they may do this here: for themselves what their role allows, from a seat what its merchant allowed. */
  may(scope: Scope): boolean {
    return allows(this.acting, scope);
  }

  /** Act for a merchant from now on, or, with undefined, for oneself again. */
  turnTo(acting: Acting | undefined): void {
    this.#next = { acting };
  }

  /** A token for what goes beside the socket. */
  token(): Promise<string> {
    return this.#token("connect");
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
    await this.lastSeen.read(this.acting?.merchant ?? (await this.logIn.person()));
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

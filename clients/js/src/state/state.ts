/** Everything that a screen shows, as stores that any framework takes. It asks the hub and knows no screen. */
import type { Hub } from "../hub/hub.js";
import { accountsOf, type AccountView } from "./accounts.js";
import { Charges } from "./charges.js";
import { History } from "./history.js";
import { Notices } from "./notices.js";
import { paymentsOf, type PaymentView } from "./payments.js";
import { type Session, sessionOf } from "./session.js";
import type { Readable } from "./store.js";

export class State {
  readonly session: Readable<Session>;
  readonly accounts: Readable<readonly AccountView[]>;
  readonly payments: Readable<readonly PaymentView[]>;
  readonly notices: Notices;
  readonly #hub: Hub;
  readonly #histories = new Map<number, History>();
  readonly #charges = new Map<number, Charges>();

  /** Before the hub connects, so that nothing is missed. */
  constructor(hub: Hub) {
    this.#hub = hub;
    this.session = sessionOf(hub);
    this.accounts = accountsOf(hub);
    this.payments = paymentsOf(hub);
    this.notices = new Notices(hub);
  }

  /** The entries of an account: always the same store. */
  history(account: number): History {
    return found(this.#histories, account, () => new History(this.#hub, account));
  }

  charges(account: number): Charges {
    return found(this.#charges, account, () => new Charges(this.#hub, account));
  }
}

function found<T>(kept: Map<number, T>, account: number, make: () => T): T {
  const known = kept.get(account);
  if (known !== undefined) return known;
  const made = make();
  kept.set(account, made);
  return made;
}

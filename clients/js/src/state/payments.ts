/** One's payments of now: those on their way, and what became of the last ones. */
import type { ErrorCode, PaymentStatus } from "../hub/codes.js";
import type { Hub } from "../hub/hub.js";
import type { Entry, Outcome } from "../hub/outbox.js";
import { Store } from "./store.js";

const SHOWN_MAX = 50;

/** `queued`: not sent yet. `sent`: the hub has not said what became of it. Anything else is the hub's word and final. */
export interface PaymentView {
  readonly payment: string;
  readonly entry: Entry;
  readonly state: "queued" | "sent" | PaymentStatus | "refused";
  readonly outcome?: Outcome;
  /** Of one that was not even judged: the code of the refusal. */
  readonly code?: ErrorCode;
}

export function paymentsOf(hub: Hub): Store<readonly PaymentView[]> {
  const store = new Store<readonly PaymentView[]>([]);
  let done: readonly PaymentView[] = [];
  const show = (): void => {
    const open = hub.outbox.entries.map((entry) => ({ payment: entry.payment, entry, state: entry.state }));
    store.set([...open.reverse(), ...done]);
  };
  const finish = (view: PaymentView): void => {
    done = [view, ...done].slice(0, SHOWN_MAX);
    show();
  };
  hub.outbox.on("changed", show);
  hub.outbox.on("settled", ({ entry, outcome }) =>
    finish({ payment: entry.payment, entry, state: outcome.status, outcome }),
  );
  hub.outbox.on("refused", ({ entry, error }) =>
    finish({ payment: entry.payment, entry, state: "refused", code: error.code }),
  );
  return store;
}

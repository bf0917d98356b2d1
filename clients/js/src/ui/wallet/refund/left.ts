/** What of a payment can still be given back, and what is on its way back already. */
import type { LifeState } from "../../../hub/wire.js";
import type { PaymentView } from "../../../state/payments.js";

export function leftOf(life: Pick<LifeState, "captured" | "refunded" | "disputed">): number {
  return Math.max(life.captured - life.refunded - (life.disputed ?? 0), 0);
}

/** Refunds of this payment of which the hub has not said yet what became of them. */
export function onTheirWay(payments: readonly PaymentView[], payment: string): readonly PaymentView[] {
  return payments.filter(({ state, entry: { type, fields } }) => {
    const isHere = type === "refund" && "about" in fields && fields.about === payment;
    return isHere && (state === "queued" || state === "sent");
  });
}

export function sumOf({ entry: { fields } }: PaymentView): number {
  return "amount" in fields ? (fields.amount ?? 0) : 0;
}

/** What is on its way is as good as given: nobody gives it twice. */
export function leftBeside(life: LifeState | undefined, pending: readonly PaymentView[]): number {
  if (life === undefined) return 0;
  return Math.max(leftOf(life) - pending.reduce((sum, view) => sum + sumOf(view), 0), 0);
}

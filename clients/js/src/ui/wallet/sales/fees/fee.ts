/** What terms keep of a payment, as the ledger computes it (core.ledger.terms): exact, in integers. */
import type { TermsState } from "../../../../hub/wire.js";

const PPM = 1_000_000n;

export function feeOf(amount: number, terms: TermsState): number {
  const share = (BigInt(amount) * BigInt(terms.fee_ppm) * 2n + PPM) / (PPM * 2n);
  let fee = Number(share) + terms.fee_fixed;
  fee = Math.max(fee, terms.fee_min);
  if (terms.fee_max !== undefined) fee = Math.min(fee, terms.fee_max);
  return Math.min(fee, amount);
}

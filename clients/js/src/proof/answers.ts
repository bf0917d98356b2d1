/**
 * Checks the receipt that comes with the answer to a payment, at once and without a question: what was asked for is
 * what the hub signed. Of a later step the answer does not say enough; its paper does (read_proof, checkPaper).
 */
import { fromText } from "./bytes.js";
import type { PublicKeys } from "./keys.js";
import { type Facts, STATUSES } from "./leaves.js";
import { checkReceipt, readReceipt } from "./receipts.js";
import { malformed, ProofRefused } from "./refused.js";

/** What was asked for. */
export interface AskedPayment {
  readonly payer: number;
  readonly payee: number;
  readonly amount: number;
  readonly charge?: string;
}

/** What was answered: what became of a `pay` or an `authorize`. */
export interface AnsweredPayment {
  readonly payment: string;
  readonly status: string;
  readonly at?: string;
  readonly receipt?: string;
}

const MOMENT = /^(.*T\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/;

/**
 * The facts that the institution has signed. `tenant`: its number, which every paper names. Throws ProofRefused, for an
 * answer without a receipt, too.
 */
export async function checkAnswer(
  tenant: number,
  kind: "pay" | "authorize",
  asked: AskedPayment,
  answered: AnsweredPayment,
  keys: PublicKeys,
): Promise<Facts> {
  const status = STATUSES.find((one) => one === answered.status);
  if (status === undefined) throw new ProofRefused("not_done", "There are receipts of what was done alone.");
  if (answered.receipt === undefined || answered.at === undefined) throw malformed("The answer has no receipt.");
  const facts: Facts = {
    payment: answered.payment,
    kind,
    status,
    payer: asked.payer,
    payee: asked.payee,
    amount: asked.amount,
    at_us: microseconds(answered.at),
    ...(asked.charge !== undefined && { charge: asked.charge }),
  };
  await checkReceipt(tenant, facts, readReceipt(fromText(answered.receipt)), keys);
  return facts;
}

/** Since the epoch. A Date keeps thousandths alone. */
function microseconds(at: string): number {
  const [, seconds, fraction = "", zone] = MOMENT.exec(at) ?? [];
  if (seconds === undefined || zone === undefined) throw malformed("The answer's moment cannot be read.");
  return Date.parse(seconds + zone) * 1_000 + Number(fraction.padEnd(6, "0"));
}

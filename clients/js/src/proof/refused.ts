/** Why something does not prove. The same words as core/proof/receipts.py has (`Reason`). */
export type Reason =
  | "malformed"
  | "not_done"
  | "unknown_key"
  | "no_way"
  | "signature"
  | "commitment"
  | "head_signature"
  | "not_in_log";

/** Something does not prove what it is said to prove. `reason` is for programs, `message` for people. */
export class ProofRefused extends Error {
  override readonly name = "ProofRefused";

  constructor(
    readonly reason: Reason,
    message: string,
  ) {
    super(message);
  }
}

/** What is not what it is said to be, whatever it is about. */
export function malformed(message: string): ProofRefused {
  return new ProofRefused("malformed", message);
}

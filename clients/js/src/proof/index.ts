/**
 * Proves payments, papers and heads with WebCrypto alone, in a browser or in Node 20 and later: nothing of the hub's is
 * trusted but the keys that you give. core/proof says the same in Python; tests/vectors/proofs.json holds both to it.
 */
export { type AnsweredPayment, type AskedPayment, checkAnswer } from "./answers.js";
export { type Bytes, concat, fromText, sha256, toText } from "./bytes.js";
export {
  type Cosignature,
  hasGrown,
  type Head,
  isCosigned,
  isSigned,
  readCosignature,
  readHead,
} from "./heads.js";
export { type PublicKeys, readKey, readKeys } from "./keys.js";
export {
  batchLeaf,
  type Facts,
  hashAsked,
  hashKept,
  joinPrivate,
  type Kind,
  paymentLeaf,
  type Share,
  type Status,
} from "./leaves.js";
export { checkPaper, type Proved, readFacts } from "./papers.js";
export { checkReceipt, readReceipt, type Receipt } from "./receipts.js";
export { ProofRefused, type Reason } from "./refused.js";
export { hashLeaf, hashNode, isConsistent, isIncluded, rootFrom, rootOf } from "./tree.js";

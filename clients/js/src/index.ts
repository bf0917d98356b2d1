/** Payhub from the other side. So far: what checks proofs. */
export * from "./proof/index.js";

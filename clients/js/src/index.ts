/** Payhub from the other side. Checking proofs is a room of its own: `@payhub/client/proof`. */
export { CODECS } from "./hub/codec.js";

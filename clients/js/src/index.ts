/**
 * Payhub from the other side: a live session, payments that survive a tunnel, balances that never lie.
 * Checking proofs is a room of its own (`@payhub/client/proof`), and so is what Node needs (`@payhub/client/node`).
 */
export type { Encoding } from "./hub/codec.js";
export type { ErrorCode, EventName, PaymentStatus } from "./hub/codes.js";
export type { Answered, Asked, CommandName, MoneyCommand } from "./hub/commands.js";
export type { Prove, SocketClass } from "./hub/connection.js";
export { Hub, type AskOptions, type HubEvents, type HubOptions, type PayOptions } from "./hub/hub.js";
export { newId } from "./hub/ids.js";
export { IndexedDbStorage } from "./hub/indexed_db_storage.js";
export type { LineState, TokenReason } from "./hub/line.js";
export { LogIn, type LogInOptions } from "./hub/log_in.js";
export type { Entry, MoneyFields, Outbox, Outcome } from "./hub/outbox.js";
export { AnswerLost, CommandRefused, LoggedOut } from "./hub/refused.js";
export { Seat, type SeatOptions } from "./hub/seat.js";
export { MemoryStorage, type Storage } from "./hub/storage.js";
export type * as wire from "./hub/wire.js";
export type { Account } from "./state/account.js";
export type { AccountView } from "./state/accounts.js";
export type { ChargeList, Charges } from "./state/charges.js";
export type { Entries, History } from "./state/history.js";
export type { NoticeList, Notices } from "./state/notices.js";
export type { PaymentView } from "./state/payments.js";
export type { Session } from "./state/session.js";
export { State } from "./state/state.js";
export { type Readable, Store } from "./state/store.js";
